package lookup

import (
	"context"
	"sync"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/budget"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// meter counts what a run sends, and keeps the time of OwnerRez's first answer. It is safe for concurrent use.
type meter struct {
	level budget.Level // of the permits

	mu    sync.Mutex
	sent  int
	first time.Time // Date of the first answer that had one
}

func (m *meter) observe(_ context.Context, e ownerrez.Exchange) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e.Sent {
		m.sent++
	}
	if m.first.IsZero() && !e.Date.IsZero() {
		m.first = e.Date
	}
}

// requests is how many requests were sent.
func (m *meter) requests() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sent
}

// begin is when the run began: the smaller of our clock then and of OwnerRez's at its first answer, so that
// neither a clock that is fast nor a slow answer makes what was read look newer than it is.
func (m *meter) begin(ours time.Time) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.first.IsZero() && m.first.Before(ours) {
		return m.first.UTC()
	}
	return ours
}
