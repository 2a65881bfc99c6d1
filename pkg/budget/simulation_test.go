package budget_test

import (
	"context"
	"errors"
	"flag"
	"math/rand/v2"
	"slices"
	"sort"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/budget"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

var hours = flag.Float64("hours", 20, "how many virtual hours TestSimulation simulates")

const rule = 300 // what OwnerRez allows one address in any five minutes

// TestSimulation lets 16 workers share one address, with all that goes wrong in the world, and counts what
// arrives. The same load shows that the two usual limiters do not keep OwnerRez's rule.
func TestSimulation(t *testing.T) {
	for _, test := range []struct {
		name    string
		limiter func(*rand.Rand) opener
		crashes float64 // the share of permits that are lost
	}{
		{"window", windows, 0.20},
		{"window without crashes", windows, 0}, // every permit is used: no slack hides a window that is too short
	} {
		t.Run(test.name, func(t *testing.T) {
			result := simulate(t, test.limiter, test.crashes)
			t.Logf("at most %d requests in five minutes, %.1f on average under load", result.most, result.average)
			if result.most > rule {
				t.Errorf("%d requests arrived within five minutes, want at most %d", result.most, rule)
			}
			if result.average < 225 {
				t.Errorf("%.1f requests arrived per five minutes under load, want at least 225", result.average)
			}
		})
	}
	for _, test := range []struct {
		name    string
		limiter func(*rand.Rand) opener
	}{
		{"fixed window", fixedWindows},
		{"token bucket", tokenBuckets},
	} {
		t.Run(test.name, func(t *testing.T) {
			result := simulate(t, test.limiter, 0.20)
			t.Logf("at most %d requests in five minutes", result.most)
			if result.most <= rule {
				t.Errorf("kept the rule (%d of %d): the load is too easy to prove anything", result.most, rule)
			}
		})
	}
}

// A taker is a limiter as one worker sees it; an opener makes it, when the worker's process starts.
type (
	taker  interface{ Take(context.Context) error }
	opener func(clock func() time.Time) taker
)

type result struct {
	most    int     // requests in the worst five minutes
	average float64 // requests per five minutes, while there was load
}

// simulate runs the load for some virtual hours. crashes is the share of permits that are lost.
func simulate(t *testing.T, limiter func(*rand.Rand) opener, crashes float64) (r result) {
	synctest.Test(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(1, 2))
		s := &simulation{end: time.Now().Add(time.Duration(*hours * float64(time.Hour)))}
		s.planLoad(rng)
		open := limiter(rand.New(rand.NewPCG(4, 0)))
		var workers sync.WaitGroup
		for i := range 16 {
			skew := []time.Duration{-2 * time.Second, 2 * time.Second}[i%2]
			if i >= 8 {
				skew = between(rng, -2*time.Second, 2*time.Second)
			}
			w := &worker{
				sim: s, open: open, crashes: crashes, rng: rand.New(rand.NewPCG(3, uint64(i))),
				clock: func() time.Time { return time.Now().Add(skew) },
			}
			workers.Go(func() { w.run(t) })
		}
		workers.Wait()
		slices.SortFunc(s.sends, time.Time.Compare)
		r = result{mostWithin(s.sends, 5*time.Minute), s.average()}
	})
	return r
}

// simulation is what all workers share: when there is something to do, and what arrived at OwnerRez.
type simulation struct {
	end  time.Time
	load []period

	mu    sync.Mutex
	sends []time.Time
}

type period struct{ from, to time.Time }

// planLoad makes a pause of some minutes about every 40, so that load begins at any moment and on an empty
// window.
func (s *simulation) planLoad(rng *rand.Rand) {
	for at := time.Now(); at.Before(s.end); {
		p := period{at, at.Add(between(rng, 30*time.Minute, 50*time.Minute))}
		at = p.to.Add(between(rng, 5*time.Minute, 9*time.Minute))
		s.load = append(s.load, p)
	}
	last := &s.load[len(s.load)-1]
	if last.to.After(s.end) {
		last.to = s.end
	}
}

// begins returns when there is something to do, from now on.
func (s *simulation) begins(now time.Time) (from time.Time, ok bool) {
	i := sort.Search(len(s.load), func(i int) bool { return s.load[i].to.After(now) })
	if i == len(s.load) {
		return time.Time{}, false
	}
	return s.load[i].from, true
}

// average returns how many requests arrived in five minutes of load. Each period begins on an empty window,
// with a burst that repeats itself with every window, so its first half window is left out.
func (s *simulation) average() float64 {
	var n int
	var length time.Duration
	for _, p := range s.load {
		from := p.from.Add(155 * time.Second)
		if !from.Before(p.to) {
			continue
		}
		length += p.to.Sub(from)
		n += sort.Search(len(s.sends), func(i int) bool { return s.sends[i].After(p.to) }) -
			sort.Search(len(s.sends), func(i int) bool { return s.sends[i].After(from) })
	}
	return float64(n) / length.Minutes() * 5
}

func (s *simulation) arrive() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sends = append(s.sends, time.Now())
}

// worker is a process that sends whenever it may. Its clock is wrong by up to two seconds.
type worker struct {
	sim     *simulation
	open    opener
	crashes float64
	rng     *rand.Rand
	clock   func() time.Time
}

func (w *worker) run(t *testing.T) {
	limiter := w.open(w.clock)
	for {
		from, ok := w.sim.begins(time.Now())
		if !ok {
			return
		}
		time.Sleep(time.Until(from))
		err := limiter.Take(t.Context())
		if refused, ok := errors.AsType[*budget.NoPermitError](err); ok {
			time.Sleep(refused.Until.Sub(w.clock()) + between(w.rng, 0, 200*time.Millisecond))
			continue
		}
		if err != nil {
			t.Error(err)
			return
		}
		if !w.use() {
			limiter = w.open(w.clock)
		}
	}
}

// use does with a permit what workers do, and reports whether the process survived it.
func (w *worker) use() bool {
	permit := w.clock()
	if w.rng.Float64() < w.crashes {
		time.Sleep(between(w.rng, 100*time.Millisecond, time.Second))
		return false
	}
	switch luck := w.rng.Float64(); {
	case luck < 0.01: // the sandbox is frozen
		time.Sleep(10 * time.Minute)
	case luck < 0.06: // OwnerRez is slow to accept the connection
		time.Sleep(between(w.rng, time.Second, 6*time.Second))
	default:
		time.Sleep(between(w.rng, time.Millisecond, 100*time.Millisecond))
	}
	if w.clock().Sub(permit) < ownerrez.PermitLifetime {
		w.sim.arrive()
		time.Sleep(between(w.rng, 50*time.Millisecond, 400*time.Millisecond))
	}
	return true
}

// windows shares one real window.
func windows(rng *rand.Rand) opener {
	cells := unreliable(rng)
	return func(clock func() time.Time) taker {
		w := budget.NewWindow(cells, "203.0.113.7", budget.PerFive(rule), budget.Clock(clock))
		return w.Limiter(budget.People)
	}
}

// unreliable returns cells behind a network that is sometimes very slow.
func unreliable(rng *rand.Rand) *memory {
	var mu sync.Mutex
	travel := func() {
		mu.Lock()
		wait := between(rng, time.Millisecond, 8*time.Millisecond)
		switch luck := rng.Float64(); {
		case luck < 0.0002:
			wait = 10 * time.Minute
		case luck < 0.002:
			wait = between(rng, 200*time.Millisecond, 10*time.Second)
		}
		mu.Unlock()
		time.Sleep(wait)
	}
	return &memory{going: travel, coming: travel}
}

// mostWithin returns how many of the times, which are in order, lie within d of each other at most.
func mostWithin(times []time.Time, d time.Duration) (most int) {
	first := 0
	for i, t := range times {
		for t.Sub(times[first]) > d {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

func between(rng *rand.Rand, low, high time.Duration) time.Duration {
	return low + time.Duration(rng.Int64N(int64(high-low)))
}

// takerFunc is a taker.
type takerFunc func() error

func (f takerFunc) Take(context.Context) error { return f() }

// fixedWindows counts requests from one full five minutes to the next, without ever losing count.
func fixedWindows(*rand.Rand) opener {
	const length = 5 * time.Minute
	var mu sync.Mutex
	used := map[time.Time]int{}
	return func(clock func() time.Time) taker {
		return takerFunc(func() error {
			mu.Lock()
			defer mu.Unlock()
			window := clock().Truncate(length)
			if used[window] >= rule {
				return &budget.NoPermitError{Until: window.Add(length)}
			}
			used[window]++
			return nil
		})
	}
}

// tokenBuckets fills a bucket of 300 by one a second.
func tokenBuckets(*rand.Rand) opener {
	var mu sync.Mutex
	tokens, filled := float64(rule), time.Now()
	return func(clock func() time.Time) taker {
		return takerFunc(func() error {
			mu.Lock()
			defer mu.Unlock()
			now := time.Now()
			tokens = min(rule, tokens+now.Sub(filled).Seconds())
			filled = now
			if tokens < 1 {
				return &budget.NoPermitError{Until: clock().Add(time.Second)}
			}
			tokens--
			return nil
		})
	}
}
