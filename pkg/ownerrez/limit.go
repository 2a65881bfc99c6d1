package ownerrez

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// PermitLifetime is how long a permit lives, by the wall clock: an attempt that has no connection by then is
// cut and never sent, so that a process which was stopped between permit and request does not send late.
const PermitLifetime = 5 * time.Second

// What OwnerRez allows one IP address, with room for a permit's lifetime and for clocks that differ.
const (
	defaultRequests = 300
	defaultPer      = 5*time.Minute + 10*time.Second
)

// Limiter decides when a request may be sent. Take is called right before every attempt and returns nil for
// one permit: one request, sent within PermitLifetime. It may wait for a permit or refuse with an error, which
// the caller of the API finds by errors.Is. It must return when ctx ends, and be safe for concurrent use.
type Limiter interface {
	Take(ctx context.Context) error
}

// NewWindow returns an exact sliding window in memory: of any n+1 permits that follow each other, the last
// comes at least per after the first. Take waits for its turn, in the order of the callers, and fails at once
// with ErrRateLimited if that lies beyond ctx's deadline. It panics unless n and per are positive.
//
// OwnerRez counts per IP address: clients that share an address should share a window.
func NewWindow(n int, per time.Duration) Limiter {
	if n < 1 || per <= 0 {
		panic("ownerrez: a window needs at least one request and a time")
	}
	return &window{permits: make([]time.Time, n), per: per}
}

type window struct {
	per time.Duration

	mu      sync.Mutex
	permits []time.Time // the last n, as a ring
	oldest  int         // where the oldest one is
	line    []*caller   // those that wait, in order
}

// caller is one that waits; moved tells it that one in front of it gave up.
type caller struct{ moved chan struct{} }

func (w *window) Take(ctx context.Context) error {
	self := &caller{make(chan struct{}, 1)}
	for {
		wait, err := w.tryNow(ctx, self)
		if wait <= 0 || err != nil {
			return err
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-self.moved:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// tryNow takes a permit if it is self's turn, and else lets it stand in line and says how long.
func (w *window) tryNow(ctx context.Context, self *caller) (time.Duration, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := ctx.Err(); err != nil {
		w.giveUp(self)
		return 0, err
	}
	place := slices.Index(w.line, self)
	if place < 0 {
		place = len(w.line)
		w.line = append(w.line, self)
	}
	now := time.Now()
	wait := w.turn(place).Sub(now)
	if wait <= 0 {
		w.line = slices.Delete(w.line, place, place+1)
		w.permits[w.oldest] = now
		w.oldest = (w.oldest + 1) % len(w.permits)
		return 0, nil
	}
	if deadline, ok := ctx.Deadline(); ok && now.Add(wait).After(deadline) {
		w.giveUp(self)
		return 0, fmt.Errorf("%w: the next one may be sent in %s, after the deadline", ErrRateLimited, wait.Round(time.Second))
	}
	return wait, nil
}

// giveUp takes self out of the line, and lets those behind it move up.
func (w *window) giveUp(self *caller) {
	place := slices.Index(w.line, self)
	if place < 0 {
		return
	}
	w.line = slices.Delete(w.line, place, place+1)
	for _, other := range w.line[place:] {
		select {
		case other.moved <- struct{}{}:
		default: // it knows already
		}
	}
}

// turn is the earliest time for the caller at that place in line: one window after the permit that must have
// left it by then. When those in front take theirs, it stays the same.
func (w *window) turn(place int) time.Time {
	n := len(w.permits)
	leaving := w.permits[(w.oldest+place)%n]
	if leaving.IsZero() { // fewer than n were ever taken, so nobody is in front
		return leaving
	}
	return leaving.Add(time.Duration(place/n+1) * w.per)
}

// sleep waits for d, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
