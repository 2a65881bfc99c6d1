package dynamo_test

import (
	"slices"
	"sync"
	"time"
)

// virtual is a clock for several workers: when all of them sleep, it jumps to when the first ones wake.
type virtual struct {
	mu    sync.Mutex
	time  time.Time
	awake int
	beds  []bed
}

type bed struct {
	until time.Time
	wake  chan struct{}
}

// now implements budget.Clock.
func (v *virtual) now() time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.time
}

// sleep sends a worker to sleep, up to the next full second, so that some wake together.
func (v *virtual) sleep(until time.Time) {
	b := bed{until.Add(time.Second - 1).Truncate(time.Second), make(chan struct{})}
	v.mu.Lock()
	v.beds = append(v.beds, b)
	v.restLocked()
	v.mu.Unlock()
	<-b.wake
}

// leave ends a worker.
func (v *virtual) leave() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.restLocked()
}

// restLocked notes that a worker is no longer awake.
func (v *virtual) restLocked() {
	v.awake--
	if v.awake > 0 || len(v.beds) == 0 {
		return
	}
	first := slices.MinFunc(v.beds, func(a, b bed) int { return a.until.Compare(b.until) })
	if first.until.After(v.time) {
		v.time = first.until
	}
	v.beds = slices.DeleteFunc(v.beds, func(b bed) bool {
		if b.until.After(v.time) {
			return false
		}
		v.awake++
		close(b.wake)
		return true
	})
}
