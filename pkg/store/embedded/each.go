package embedded

import (
	"context"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
)

// shareWait is how long a call waits for the other processes that share a file.
const shareWait = 5 * time.Second

// Shared is a store.Table in a file that several processes use: it opens the file for one call at a time.
// It is safe for concurrent use.
type Shared struct {
	path string
	turn chan struct{} // one call at a time in this process, so that only processes compete for the file
}

var _ store.Table = (*Shared)(nil)

// Each returns a table in the file that holds it during calls only. The first call makes the file where it
// is missing. A call waits for those of other processes, at most five seconds; then it returns ErrInUse.
// It costs some milliseconds: right for what is asked for now and then.
func Each(path string) *Shared {
	return &Shared{path: path, turn: make(chan struct{}, 1)}
}

// Get implements store.Table.
func (s *Shared) Get(ctx context.Context, key store.Key) (item store.Item, err error) {
	err = s.use(ctx, func(d *DB) error {
		item, err = d.Get(ctx, key)
		return err
	})
	return item, err
}

// Query implements store.Table. All items are of one moment.
func (s *Shared) Query(ctx context.Context, partition string, r store.Range) (items []store.Item, err error) {
	err = s.use(ctx, func(d *DB) error {
		items, err = d.Query(ctx, partition, r)
		return err
	})
	return items, err
}

// Put implements store.Table.
func (s *Shared) Put(ctx context.Context, w store.Write) error {
	return s.use(ctx, func(d *DB) error { return d.Put(ctx, w) })
}

// Transact implements store.Table.
func (s *Shared) Transact(ctx context.Context, writes []store.Write) error {
	return s.use(ctx, func(d *DB) error { return d.Transact(ctx, writes) })
}

// Purge deletes the items that expired before now, and says how many there were.
func (s *Shared) Purge(ctx context.Context, now time.Time) (n int, err error) {
	err = s.use(ctx, func(d *DB) error {
		n, err = d.Purge(ctx, now)
		return err
	})
	return n, err
}

func (s *Shared) use(ctx context.Context, call func(*DB) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	d, err := open(ctx, s.path, shareWait)
	if err != nil {
		return err
	}
	err = call(d)
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	return err
}
