package budget_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/budget"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

func TestUnreadableCell(t *testing.T) {
	for name, data := range map[string][]byte{
		"empty":               nil,
		"of a later format":   {2, 0, 0, 0, 0},
		"cut short":           {1, 0, 0x80},
		"of unknown reason":   {1, 9, 0, 0, 0},
		"of JSON":             []byte(`{"times":[]}`),
		"of impossible times": {1, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cells := &memory{}
				cells.put("BUDGET#x", data)
				w := budget.NewWindow(cells, "x", budget.PerFive(30))
				until := time.Now().Add(windowLength)
				if room, err := w.Room(t.Context(), budget.People); room != 0 || err != nil {
					t.Errorf("room for %d (%v) in a window that cannot be read", room, err)
				}
				mustRefuse(t, w, until, "could not be read")
				mustRefuse(t, budget.NewWindow(cells, "x"), until, "could not be read")
				time.Sleep(time.Until(until))
				if n, _ := takeAll(t, w, budget.People); n != 30 {
					t.Errorf("%d permits after a window, want 30", n)
				}
			})
		})
	}
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cells := &memory{}
		w, other := budget.NewWindow(cells, "x"), budget.NewWindow(cells, "x")
		for _, wait := range []time.Duration{15, 30, 60, 120, 240, 300, 300} {
			w.Observe(t.Context(), ownerrez.Exchange{Status: 429})
			until := time.Now().Add(wait * time.Second)
			time.Sleep(time.Second)
			other.Observe(t.Context(), ownerrez.Exchange{Status: 429}) // was on its way when the window closed
			other.Observe(t.Context(), ownerrez.Exchange{Status: 500})
			if room, err := other.Room(t.Context(), budget.People); room != 0 || err != nil {
				t.Errorf("room for %d (%v) in a closed window", room, err)
			}
			mustRefuse(t, other, until, "429")
			time.Sleep(time.Until(until))
			mustTake(t, other)
		}
		time.Sleep(11 * time.Minute)
		w.Observe(t.Context(), ownerrez.Exchange{Status: 429})
		mustRefuse(t, w, time.Now().Add(15*time.Second), "429")
	})
}

func TestCloseRetryAfter(t *testing.T) {
	for _, test := range []struct{ asked, closed time.Duration }{
		{-time.Second, 15 * time.Second},
		{time.Second, 15 * time.Second},
		{40 * time.Second, 40 * time.Second},
		{time.Hour, 5 * time.Minute},
	} {
		t.Run(fmt.Sprint(test.asked), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := budget.NewWindow(&memory{}, "x")
				w.Observe(t.Context(), ownerrez.Exchange{Status: 429, RetryAfter: test.asked})
				until := time.Now().Add(test.closed)
				mustRefuse(t, w, until, "429")
				time.Sleep(10 * time.Second) // a second 429 asks for longer than is left
				if err := w.Close(t.Context(), 250*time.Second); err != nil {
					t.Fatal(err)
				}
				if later := time.Now().Add(250 * time.Second); later.After(until) {
					until = later
				}
				mustRefuse(t, w, until, "429")
			})
		})
	}
}

// A clock that was ahead and is set right, as on a laptop: nothing for one window, then all is well.
func TestClockJumpsBack(t *testing.T) {
	for _, jump := range []time.Duration{11 * time.Second, time.Minute, time.Hour, 10 * 365 * 24 * time.Hour} {
		t.Run(jump.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ahead := jump
				clock := budget.Clock(func() time.Time { return time.Now().Add(ahead) })
				w := budget.NewWindow(&memory{}, "x", budget.PerFive(30), clock)
				takeAll(t, w, budget.People)
				ahead = 0
				until := time.Now().Add(windowLength)
				mustRefuse(t, w, until, "clock")
				if room, err := w.Room(t.Context(), budget.People); room != 0 || err != nil {
					t.Errorf("room for %d (%v) by a clock that is behind", room, err)
				}
				time.Sleep(time.Until(until))
				if n, _ := takeAll(t, w, budget.People); n != 0 {
					t.Errorf("%d permits before a window has passed", n)
				}
				time.Sleep(time.Millisecond)
				if n, _ := takeAll(t, w, budget.People); n != 30 {
					t.Errorf("%d permits after a window, want 30", n)
				}
				if n, _ := takeAll(t, w, budget.People); n != 0 {
					t.Errorf("%d permits too many", n)
				}
			})
		})
	}
	t.Run("a little", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ahead := 5 * time.Second
			clock := budget.Clock(func() time.Time { return time.Now().Add(ahead) })
			w := budget.NewWindow(&memory{}, "x", budget.PerFive(30), clock)
			for range 20 {
				mustTake(t, w)
			}
			ahead = 0
			if n, _ := takeAll(t, w, budget.People); n != 10 {
				t.Errorf("%d permits, want the 10 that were left", n)
			}
			time.Sleep(windowLength + 4*time.Second)
			mustRefuse(t, w, time.Now().Add(time.Second), "used up")
		})
	})
}

// Two processes with clocks far behind share a window with two whose clocks are right: they get nothing, and
// above all they do not make the others forget what was sent.
func TestWrongClocksAmongRightOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cells := &memory{}
		mustTake(t, budget.NewWindow(cells, "x")) // else the first one cannot tell that its clock is wrong
		var mu sync.Mutex
		var sends []time.Time
		var workers sync.WaitGroup
		end := time.Now().Add(2 * time.Hour)
		for i, skew := range []time.Duration{0, time.Second, -time.Hour, -30 * time.Minute} {
			w := budget.NewWindow(cells, "x", budget.PerFive(rule), skewed(skew))
			rng := rand.New(rand.NewPCG(5, uint64(i)))
			workers.Go(func() {
				for time.Now().Before(end) {
					err := w.Take(t.Context(), budget.People)
					if err != nil && !errors.Is(err, budget.ErrNoPermit) {
						t.Error(err)
					}
					if err == nil {
						mu.Lock()
						sends = append(sends, time.Now())
						mu.Unlock()
					}
					if err == nil && skew < -time.Minute {
						t.Errorf("a permit by a clock that is wrong by %s", skew)
					}
					time.Sleep(between(rng, 0, 3*time.Second))
				}
			})
		}
		workers.Wait()
		if most := mostWithin(sends, 5*time.Minute); most > rule || most < rule/2 {
			t.Errorf("%d requests in five minutes", most)
		}
	})
}
