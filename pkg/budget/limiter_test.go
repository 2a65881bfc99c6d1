package budget_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/budget"
)

func TestWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := budget.NewWindow(&memory{}, "x", budget.PerFive(30))
		takeAll(t, w, budget.People)
		full := time.Now()
		var said []time.Time
		limiter := w.Waiting(budget.People, func(until time.Time) {
			said = append(said, until)
			time.AfterFunc(windowLength-time.Second, func() { // makes the wait end in a second refusal
				if err := w.Close(t.Context(), 0); err != nil {
					t.Error(err)
				}
			})
		})
		if err := limiter.Take(t.Context()); err != nil {
			t.Fatal(err)
		}
		if want := full.Add(windowLength + time.Millisecond); len(said) != 1 || said[0].Sub(want).Abs() > time.Millisecond {
			t.Errorf("said %v, want once that it waits until %v", said, want)
		}
		if waited := time.Since(full); waited < windowLength+14*time.Second || waited > windowLength+15*time.Second {
			t.Errorf("waited %s, want until the window opened again", waited)
		}
		if err := limiter.Take(t.Context()); err != nil || len(said) != 1 {
			t.Errorf("Take with permits left: %v, said %v", err, said)
		}
	})
}

func TestWaitingGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := budget.NewWindow(&memory{}, "x", budget.PerFive(30))
		takeAll(t, w, budget.People)
		full := time.Now()
		limiter := w.Waiting(budget.People, func(time.Time) { t.Error("said that it waits, and must not wait") })
		ctx, cancel := context.WithDeadline(t.Context(), full.Add(windowLength-time.Second))
		defer cancel()
		if err := limiter.Take(ctx); !errors.Is(err, budget.ErrNoPermit) || time.Now() != full {
			t.Errorf("Take with a deadline before the next permit: %v after %s, want a refusal at once", err, time.Since(full))
		}
	})
	synctest.Test(t, func(t *testing.T) {
		w := budget.NewWindow(&memory{}, "x", budget.PerFive(30))
		takeAll(t, w, budget.People)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Minute, cancel)
		began := time.Now()
		err := w.Waiting(budget.People, nil).Take(ctx)
		if !errors.Is(err, context.Canceled) || time.Since(began) != time.Minute {
			t.Errorf("Take that is canceled: %v after %s", err, time.Since(began))
		}
	})
}

// The limiter that refuses does so without waiting at all.
func TestLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		w := budget.NewWindow(&memory{}, "x", budget.PerFive(30))
		limiter := w.Limiter(budget.Polls)
		for range 27 {
			if err := limiter.Take(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if err := limiter.Take(t.Context()); !errors.Is(err, budget.ErrNoPermit) || time.Now() != began {
			t.Errorf("Take: %v after %s, want a refusal at once", err, time.Since(began))
		}
	})
}
