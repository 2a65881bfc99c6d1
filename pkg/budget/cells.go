package budget

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// Cells keeps small pieces of data that several processes change by compare-and-set. A budget needs one
// for its window, under the key "BUDGET#{egress}", and one for its slots, under "PAT#{egress}". It is safe
// for concurrent use.
type Cells interface {
	// Cell returns what is stored under the key, and its version, as of now: never from a cache. A cell that
	// does not exist has version 0 and no data; that is no error.
	Cell(ctx context.Context, key string) (data []byte, version int64, err error)
	// SetCell stores data if the cell still has the version (0: if it does not exist), and returns
	// ErrConflict if not. Once it returns nil, every Cell that is called later shows it. What expires may
	// be deleted, at any time after that.
	SetCell(ctx context.Context, key string, data []byte, version int64, expires time.Time) error
}

// ErrConflict is returned by Cells when a cell was changed meanwhile. Nothing was written.
var ErrConflict = errors.New("the cell was changed meanwhile")

// errBusy is returned by swap when others were always faster.
var errBusy = errors.New("too many others changed the cell at the same time")

// How often swap tries, and the first and the longest wait between two tries. Each failed try means that
// somebody else's succeeded.
const (
	swapTries   = 30
	swapMinWait = 10 * time.Millisecond
	swapMaxWait = 200 * time.Millisecond
)

// A change looks at a cell's data (exists tells an empty cell from a missing one) and says what to do: it
// returns the new data, or nil to leave the cell alone, and the error that swap is to return afterwards.
type change func(data []byte, version int64) (next []byte, expires time.Time, err error)

// swap changes a cell by compare-and-set, and begins again with what is stored then when another was faster.
func swap(ctx context.Context, cells Cells, key string, c change) error {
	longest := swapMinWait
	for range swapTries {
		data, version, err := cells.Cell(ctx, key)
		if err != nil {
			return err
		}
		next, expires, verdict := c(data, version)
		if next == nil {
			return verdict
		}
		err = cells.SetCell(ctx, key, next, version, expires)
		if err == nil {
			return verdict
		}
		if !errors.Is(err, ErrConflict) {
			return err
		}
		if err := sleep(ctx, jitter(longest)); err != nil {
			return err
		}
		longest = min(2*longest, swapMaxWait)
	}
	return errBusy
}

// jitter returns a random wait up to longest, so that those who collided do not meet again.
func jitter(longest time.Duration) time.Duration {
	return rand.N(longest) + 1 //nolint:gosec // spreads waits, keeps no secret
}

// sleep waits, and returns the context's error if that ends first.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
