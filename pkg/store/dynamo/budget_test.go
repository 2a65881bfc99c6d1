package dynamo_test

import (
	"errors"
	"flag"
	mathrand "math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/budget"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
)

var hours = flag.Float64("hours", 2, "how many virtual hours TestBudget simulates")

// perFive is what the simulated window allows: less than the 300 of OwnerRez, so that more hours can be simulated.
const perFive = 60

// shares returns what each level may fill the window up to.
func shares() map[budget.Level]int {
	return map[budget.Level]int{budget.Webhooks: perFive * 60 / 100, budget.Polls: perFive * 90 / 100, budget.People: perFive}
}

// TestBudget lets processes of all levels share one window in the table, over connections that lose requests and
// answers now and then.
func TestBudget(t *testing.T) {
	e := start(t)
	begin := time.Date(2026, 11, 23, 20, 0, 0, 0, time.UTC)
	s := &simulation{
		clock: &virtual{time: begin, awake: 6},
		end:   begin.Add(time.Duration(*hours * float64(time.Hour))),
	}
	var workers sync.WaitGroup
	for i := range 6 {
		rng := mathrand.New(mathrand.NewPCG(11, uint64(i)))
		skew := time.Duration(rng.Int64N(int64(4*time.Second))) - 2*time.Second
		w := &worker{
			simulation: s, rng: rng, level: budget.Level(i % 3), skew: skew,
			connection: &flaky{next: e.transport, share: 0.01, rng: mathrand.New(mathrand.NewPCG(12, uint64(i)))},
		}
		w.window = budget.NewWindow(store.New(e.through(w.connection)), "203.0.113.7", budget.PerFive(perFive), budget.Clock(w.now))
		workers.Go(func() { w.run(t) })
	}
	workers.Wait()
	s.check(t)
}

// simulation is what all workers share.
type simulation struct {
	clock *virtual
	end   time.Time

	mu        sync.Mutex
	permits   []permit // in the order of their times
	conflicts int
	errors    int
}

type permit struct {
	at    time.Time
	level budget.Level
}

// worker is a process with a connection of its own. Its clock is wrong by up to two seconds.
type worker struct {
	*simulation
	rng        *mathrand.Rand
	level      budget.Level
	skew       time.Duration
	connection *flaky
	window     *budget.Window
}

func (w *worker) now() time.Time { return w.clock.now().Add(w.skew) }

func (w *worker) run(t *testing.T) {
	defer w.clock.leave()
	for now := w.clock.now(); now.Before(w.end); now = w.clock.now() {
		if pause := now.Minute(); pause >= 40 && pause < 50 { // so that load begins on an empty window
			w.clock.sleep(now.Truncate(time.Hour).Add(50 * time.Minute))
			continue
		}
		err := w.window.Take(t.Context(), w.level)
		var refused *budget.NoPermitError
		switch {
		case err == nil:
			w.note(permit{now, w.level})
			w.clock.sleep(now.Add(time.Duration(w.rng.Int64N(int64(4 * time.Second)))))
		case errors.As(err, &refused):
			w.clock.sleep(refused.Until.Add(-w.skew))
		default: // the table's: it may have been done, and is not used
			w.note(permit{})
			w.clock.sleep(now.Add(time.Second))
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conflicts += w.connection.conflict
}

func (w *worker) note(p permit) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if p.at.IsZero() {
		w.errors++
		return
	}
	w.permits = append(w.permits, p)
}

func (s *simulation) check(t *testing.T) {
	t.Helper()
	most := map[budget.Level]int{}
	first, begun := 0, 0
	for i, p := range s.permits {
		for p.at.Sub(s.permits[first].at) > 5*time.Minute {
			first++
		}
		if s.permits[begun].at.Before(p.at) {
			begun = i // of those of the same moment it is not known which was first
		}
		most[budget.People] = max(most[budget.People], i-first+1)
		if p.level != budget.People {
			most[p.level] = max(most[p.level], begun-first+1)
		}
	}
	t.Logf("%d permits, %d conflicts, %d errors; at most %v within five minutes", len(s.permits), s.conflicts, s.errors, most)
	for level, share := range shares() {
		if most[level] > share {
			t.Errorf("%s got a permit as number %d within five minutes, want at most %d", level, most[level], share)
		}
		if most[level] < share*3/4 {
			t.Errorf("%s filled the window up to %d, want nearly %d: the load is too low to prove anything", level, most[level], share)
		}
	}
	if s.conflicts < 100 {
		t.Errorf("%d conflicts: too few to prove anything", s.conflicts)
	}
}
