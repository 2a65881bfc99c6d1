package budget_test

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/budget"
)

// memory keeps cells in memory. going and coming, if set, are called before and after the cell is read or
// written: they sleep, as a network does.
type memory struct {
	going, coming func()

	mu     sync.Mutex
	cells  map[string]memoryCell
	writes int
}

type memoryCell struct {
	data    []byte
	version int64
	expires time.Time
}

func (m *memory) Cell(ctx context.Context, key string) ([]byte, int64, error) {
	m.travel(m.going)
	defer m.travel(m.coming)
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.cells[key]
	return bytes.Clone(c.data), c.version, ctx.Err()
}

func (m *memory) SetCell(ctx context.Context, key string, data []byte, version int64, expires time.Time) error {
	m.travel(m.going)
	defer m.travel(m.coming)
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if m.cells[key].version != version {
		return budget.ErrConflict
	}
	if m.cells == nil {
		m.cells = map[string]memoryCell{}
	}
	m.cells[key] = memoryCell{bytes.Clone(data), version + 1, expires}
	m.writes++
	return nil
}

func (m *memory) travel(f func()) {
	if f != nil {
		f()
	}
}

// put overwrites a cell, whatever it holds.
func (m *memory) put(key string, data []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cells == nil {
		m.cells = map[string]memoryCell{}
	}
	m.cells[key] = memoryCell{data, m.cells[key].version + 1, time.Time{}}
}
