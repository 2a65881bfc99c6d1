package budget_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/budget"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

const windowLength = 310 * time.Second

// takeAll takes permits until one is refused, and returns how many it got and when to ask again.
func takeAll(t *testing.T, w *budget.Window, level budget.Level) (n int, until time.Time) {
	t.Helper()
	for {
		err := w.Take(t.Context(), level)
		if err == nil {
			n++
			continue
		}
		refused, ok := errors.AsType[*budget.NoPermitError](err)
		if !ok || !errors.Is(err, budget.ErrNoPermit) {
			t.Fatalf("after %d permits: %v", n, err)
		}
		return n, refused.Until
	}
}

func mustTake(t *testing.T, w *budget.Window) {
	t.Helper()
	if err := w.Take(t.Context(), budget.People); err != nil {
		t.Fatal(err)
	}
}

// mustRefuse expects a refusal until the time, with a text that holds the words.
func mustRefuse(t *testing.T, w *budget.Window, until time.Time, words string) {
	t.Helper()
	err := w.Take(t.Context(), budget.People)
	refused, ok := errors.AsType[*budget.NoPermitError](err)
	if !ok {
		t.Fatalf("Take: %v, want a refusal", err)
	}
	if late := refused.Until.Sub(until); late < 0 || late > 2*time.Millisecond {
		t.Errorf("refused until %s, want %s", refused.Until.UTC(), until.UTC())
	}
	if !strings.Contains(err.Error(), words) || !strings.Contains(err.Error(), until.UTC().Format("15:04:05 UTC")) {
		t.Errorf("%q does not hold %q and the time", err, words)
	}
}

func TestLevels(t *testing.T) {
	for _, test := range []struct{ perFive, webhooks, polls, people int }{
		{240, 144, 216, 240},
		{300, 180, 270, 300},
		{30, 18, 27, 30},
		{1, 18, 27, 30},       // moved to the smallest
		{1000, 180, 270, 300}, // never above OwnerRez's limit
	} {
		t.Run(fmt.Sprint(test.perFive), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := budget.NewWindow(&memory{}, "x", budget.PerFive(test.perFive))
				used := 0
				for _, level := range []struct {
					level budget.Level
					want  int
				}{{budget.Webhooks, test.webhooks}, {budget.Polls, test.polls}, {budget.People, test.people}} {
					if room, err := w.Room(t.Context(), level.level); room != level.want-used || err != nil {
						t.Errorf("%s: room for %d (%v), want %d", level.level, room, err, level.want-used)
					}
					n, _ := takeAll(t, w, level.level)
					if used += n; used != level.want {
						t.Errorf("%s may fill the window up to %d, want %d", level.level, used, level.want)
					}
				}
				if room, err := w.Room(t.Context(), budget.Polls); room != 0 || err != nil {
					t.Errorf("room for %d (%v) in a full window", room, err)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		if n, _ := takeAll(t, budget.NewWindow(&memory{}, "x"), budget.People); n != budget.DefaultPerFive {
			t.Errorf("%d permits by default, want %d", n, budget.DefaultPerFive)
		}
	})
}

// The refusal names the very moment at which the level has room again.
func TestUntil(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := budget.NewWindow(&memory{}, "x", budget.PerFive(100))
		began := time.Now()
		for range 100 {
			mustTake(t, w)
			time.Sleep(time.Second)
		}
		for _, test := range []struct {
			level budget.Level
			first int // the oldest permits that must be forgotten
		}{{budget.People, 1}, {budget.Polls, 11}, {budget.Webhooks, 41}} {
			_, until := takeAll(t, w, test.level)
			want := began.Add(time.Duration(test.first-1)*time.Second + windowLength + time.Millisecond)
			if !until.Equal(want) {
				t.Fatalf("%s: refused until %s after the start, want %s", test.level, until.Sub(began), want.Sub(began))
			}
			time.Sleep(time.Until(until) - time.Millisecond)
			if n, _ := takeAll(t, w, test.level); n != 0 {
				t.Errorf("%s: a permit a millisecond too early", test.level)
			}
			time.Sleep(time.Millisecond)
			if room, err := w.Room(t.Context(), test.level); room != 1 || err != nil {
				t.Errorf("%s: room for %d (%v), want 1", test.level, room, err)
			}
		}
	})
}

// The worst that may happen, all at once: the first burst is stamped by a clock two seconds behind, its first
// permit is handed out late, and all are sent at the end of their lives; the second burst is stamped by a clock
// two seconds ahead and sent at once.
func TestWorstCase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = budget.MaxPerFive
		half := func() { time.Sleep(445 * time.Millisecond) }
		cells := &memory{going: half, coming: half}
		behind := budget.NewWindow(cells, "x", budget.PerFive(n), skewed(-2*time.Second))
		ahead := budget.NewWindow(cells, "x", budget.PerFive(n), skewed(2*time.Second))
		var sends []time.Time
		for range n {
			mustTake(t, behind)
			sends = append(sends, time.Now().Add(ownerrez.PermitLifetime))
			cells.going, cells.coming = nil, nil
		}
		for len(sends) < 2*n {
			got, until := takeAll(t, ahead, budget.People)
			sends = append(sends, slices.Repeat([]time.Time{time.Now()}, got)...)
			time.Sleep(until.Sub(time.Now().Add(2 * time.Second)))
		}
		if most := mostWithin(sends, 5*time.Minute); most > n {
			t.Errorf("%d requests within five minutes", most)
		}
	})
}

func skewed(d time.Duration) budget.Option {
	return budget.Clock(func() time.Time { return time.Now().Add(d) })
}

// A permit that took so long to write down that it could be sent too late is not handed out.
func TestLatePermit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cells := &memory{}
		w := budget.NewWindow(cells, "x", budget.PerFive(30))
		slow := 1
		cells.coming = func() {
			if cells.writes > 0 && slow > 0 {
				slow--
				time.Sleep(10 * time.Minute)
			}
		}
		mustTake(t, w)
		if cells.writes != 2 {
			t.Errorf("%d permits were taken, want a second one for the late one", cells.writes)
		}
		slow = 1000
		if err := w.Take(t.Context(), budget.People); !errors.Is(err, budget.ErrNoPermit) {
			t.Errorf("Take over a store that is always late: %v, want a refusal", err)
		}
	})
}

func TestConcurrent(t *testing.T) {
	cells := &memory{}
	windows := []*budget.Window{budget.NewWindow(cells, "x"), budget.NewWindow(cells, "x"), budget.NewWindow(cells, "y")}
	var permits [2]atomic.Int64
	var workers sync.WaitGroup
	for i := range 48 {
		workers.Go(func() {
			w := windows[i%3]
			for {
				err := w.Take(t.Context(), budget.People)
				refused, ok := errors.AsType[*budget.NoPermitError](err)
				switch {
				case err == nil:
					permits[i%3/2].Add(1)
				case !ok:
					t.Error(err)
					return
				case time.Until(refused.Until) > 10*time.Second:
					return
				}
			}
		})
	}
	workers.Wait()
	for i := range permits {
		if n := permits[i].Load(); n != budget.DefaultPerFive {
			t.Errorf("%d permits from window %d, want %d", n, i, budget.DefaultPerFive)
		}
	}
}

// broken is a store in trouble.
type broken struct {
	memory
	get, set error
}

func (b *broken) Cell(ctx context.Context, key string) ([]byte, int64, error) {
	if b.get != nil {
		return nil, 0, b.get
	}
	return b.memory.Cell(ctx, key)
}

func (b *broken) SetCell(ctx context.Context, key string, data []byte, version int64, expires time.Time) error {
	if b.set != nil {
		return b.set
	}
	return b.memory.SetCell(ctx, key, data, version, expires)
}

func TestStoreInTrouble(t *testing.T) {
	full := errors.New("disk full")
	for name, cells := range map[string]*broken{"reading": {get: full}, "writing": {set: full}} {
		t.Run(name, func(t *testing.T) {
			w := budget.NewWindow(cells, "x")
			if err := w.Take(t.Context(), budget.People); !errors.Is(err, full) || errors.Is(err, budget.ErrNoPermit) {
				t.Errorf("Take: %v, want the store's error", err)
			}
			if err := w.Close(t.Context(), 0); !errors.Is(err, full) {
				t.Errorf("Close: %v, want the store's error", err)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		w := budget.NewWindow(&broken{set: budget.ErrConflict}, "x")
		if err := w.Take(t.Context(), budget.People); !errors.Is(err, budget.ErrNoPermit) {
			t.Errorf("Take when others are always faster: %v, want a refusal", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if err := w.Take(ctx, budget.People); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Take when the time is up: %v", err)
		}
	})
}
