package ownerrez_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// exact fails if any stretch of time of length per, closed at its beginning, holds more than n of the times.
func exact(t *testing.T, taken []time.Time, n int, per time.Duration) {
	t.Helper()
	slices.SortFunc(taken, time.Time.Compare)
	for i, begin := range taken {
		in := 0
		for _, at := range taken[i:] {
			if at.Before(begin.Add(per)) {
				in++
			}
		}
		if in > n {
			t.Fatalf("%d permits of %d in %s", in, n, per)
		}
	}
}

// Callers of all kinds, for virtual hours: never more than n in any window, counted by hand, and under load
// nearly n.
func TestWindowIsExact(t *testing.T) {
	for _, n := range []int{1, 2, 7, 30} {
		synctest.Test(t, func(t *testing.T) {
			const per = 5 * time.Minute
			var mu sync.Mutex
			var taken []time.Time
			limiter := ownerrez.NewWindow(n, per)
			random := rand.New(rand.NewPCG(1, uint64(n)))
			var callers sync.WaitGroup
			for range 16 {
				pause := time.Duration(random.Int64N(int64(20 * time.Second)))
				impatience := time.Duration(random.Int64N(int64(20 * time.Minute)))
				callers.Go(func() {
					for end := time.Now().Add(3 * time.Hour); time.Now().Before(end); time.Sleep(pause) {
						ctx, cancel := context.WithCancel(t.Context())
						giveUp := time.AfterFunc(impatience, cancel)
						err := limiter.Take(ctx)
						giveUp.Stop()
						cancel()
						if err == nil {
							mu.Lock()
							taken = append(taken, time.Now())
							mu.Unlock()
						}
					}
				})
			}
			callers.Wait()
			exact(t, taken, n, per)
			// 3 hours are 36 windows.
			if len(taken) < 36*n {
				t.Errorf("n = %d: only %d permits", n, len(taken))
			}
		})
	}
}

// Those who wait are served in order, at the very moment at which they may be.
func TestWindowOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := ownerrez.NewWindow(2, time.Minute)
		begin := time.Now()
		var got []int
		var mu sync.Mutex
		var callers sync.WaitGroup
		for i := range 7 {
			callers.Go(func() {
				time.Sleep(time.Duration(i) * time.Second)
				if err := limiter.Take(t.Context()); err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				got = append(got, i, int(time.Since(begin)/time.Second))
			})
		}
		callers.Wait()
		if want := []int{0, 0, 1, 1, 2, 60, 3, 61, 4, 120, 5, 121, 6, 180}; !slices.Equal(got, want) {
			t.Errorf("callers and seconds: %v", got)
		}
	})
}

func TestWindowAndDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := ownerrez.NewWindow(1, time.Minute)
		begin := time.Now()
		if err := limiter.Take(t.Context()); err != nil {
			t.Fatal(err)
		}
		short, cancel := context.WithTimeout(t.Context(), 59*time.Second)
		defer cancel()
		if err := limiter.Take(short); !errors.Is(err, ownerrez.ErrRateLimited) || time.Since(begin) != 0 {
			t.Errorf("after %s: %v", time.Since(begin), err)
		}
		// The one in front gets the next permit, so that the second is after this deadline.
		go func() { _ = limiter.Take(t.Context()) }()
		synctest.Wait()
		long, cancel := context.WithTimeout(t.Context(), 119*time.Second)
		defer cancel()
		if err := limiter.Take(long); !errors.Is(err, ownerrez.ErrRateLimited) || time.Since(begin) != 0 {
			t.Errorf("after %s: %v", time.Since(begin), err)
		}
		if err := limiter.Take(t.Context()); err != nil || time.Since(begin) != 2*time.Minute {
			t.Errorf("after %s: %v", time.Since(begin), err)
		}
		ended, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if err := limiter.Take(ended); !errors.Is(err, context.Canceled) || time.Since(begin) != 2*time.Minute+time.Second {
			t.Errorf("after %s: %v", time.Since(begin), err)
		}
		if err := limiter.Take(t.Context()); err != nil || time.Since(begin) != 3*time.Minute {
			t.Errorf("after one that gave up, and %s: %v", time.Since(begin), err)
		}
	})
}

func TestWindowPanics(t *testing.T) {
	for _, bad := range []func(){func() { ownerrez.NewWindow(0, time.Minute) }, func() { ownerrez.NewWindow(1, 0) }} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("a window without room was made")
				}
			}()
			bad()
		}()
	}
}

// The window that every client has: 300 requests at once, and no more within 310 s.
func TestDefaultLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent []time.Time
		c, err := ownerrez.New(ownerrez.PAT(testEmail, testPAT), through(response200(&sent)))
		if err != nil {
			t.Fatal(err)
		}
		for range 650 {
			if _, err = c.Users.Me(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		exact(t, sent, 300, 310*time.Second)
		if took := sent[649].Sub(sent[0]); took != 620*time.Second {
			t.Errorf("650 requests took %s", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		for range 251 {
			_, err = c.Users.Me(ctx)
		}
		wantKinds(t, err, ownerrez.ErrRateLimited)
		if e := detail(t, err); e.StatusCode != 0 || e.Route != "/v2/users/me" || len(sent) != 900 {
			t.Errorf("%d sent, %+v", len(sent), e)
		}
	})
}
