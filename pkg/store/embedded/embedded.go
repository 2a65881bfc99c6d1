// Package embedded keeps a store.Table in one file of this computer, by the embedded database bbolt. What a
// write returned for is on the disk: it survives the process and, as far as the disk keeps its word, the
// computer's power.
//
// Open holds the file for as long as the program uses it. Each opens it for one call at a time, for a file
// that several programs share.
package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
)

// openWait is how long Open waits for another process to let go of the file: long enough for one that is
// about to end, short enough for a person who looks on.
const openWait = time.Second

var (
	// ErrInUse is returned if another process holds the file.
	ErrInUse = errors.New("another process holds this file")
	// ErrUnusable is returned if the file is damaged, or was not made by this program. It is left as it is.
	ErrUnusable = errors.New("this file cannot be used")
)

// DB is a store.Table in a file that this process holds. It is safe for concurrent use.
type DB struct {
	path string
	bolt *bbolt.DB
	file *os.File    // bolt's own, to let go of it where bolt no longer can
	hurt atomic.Bool // bolt panicked: its locks may be held for ever, so it is not called again
}

var _ store.Table = (*DB)(nil)

// Open opens the file, and makes it and its folders where they are missing, for this user only. Only one
// process can hold it: after a second's wait for another one Open returns ErrInUse. A file that is damaged,
// or something else, is ErrUnusable, and nothing is changed in it. Close it when done.
func Open(path string) (*DB, error) {
	return open(context.Background(), path, openWait)
}

// Close lets go of the file, after the calls that are under way.
func (d *DB) Close() error {
	if d.hurt.Load() {
		unlock(d.file)
		return d.file.Close()
	}
	if err := d.bolt.Close(); err != nil {
		return fmt.Errorf("closing %s: %w", d.path, err)
	}
	return nil
}

// Get implements store.Table.
func (d *DB) Get(ctx context.Context, key store.Key) (store.Item, error) {
	var item store.Item
	err := d.view(ctx, func(items *bbolt.Bucket) error {
		value := items.Get(keyOf(key))
		if value == nil {
			return fmt.Errorf("%w: %s", store.ErrNotFound, key)
		}
		var err error
		item, err = parseItem(key, value)
		return err
	})
	return item, err
}

// Query implements store.Table. All items are of one moment.
func (d *DB) Query(ctx context.Context, partition string, r store.Range) ([]store.Item, error) {
	limit := r.Limit
	if limit <= 0 {
		limit = math.MaxInt
	}
	prefix := keyOf(store.Key{Partition: partition, Sort: r.Prefix})
	start := keyOf(store.Key{Partition: partition, Sort: max(r.Prefix, r.After)})
	var found []store.Item
	err := d.view(ctx, func(items *bbolt.Bucket) error {
		c := items.Cursor()
		for k, v := c.Seek(start); bytes.HasPrefix(k, prefix) && len(found) < limit; k, v = c.Next() {
			key := store.Key{Partition: partition, Sort: string(k[len(prefix)-len(r.Prefix):])}
			if key.Sort <= r.After {
				continue
			}
			item, err := parseItem(key, v)
			if err != nil {
				return err
			}
			found = append(found, item)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// Put implements store.Table.
func (d *DB) Put(ctx context.Context, w store.Write) error {
	return d.Transact(ctx, []store.Write{w})
}

// Transact implements store.Table.
func (d *DB) Transact(ctx context.Context, writes []store.Write) error {
	if err := store.Check(writes...); err != nil {
		return err
	}
	if len(writes) == 0 {
		return ctx.Err()
	}
	return d.update(ctx, func(items *bbolt.Bucket) error {
		for _, w := range writes { // an error takes back those before it
			if err := write(items, w); err != nil {
				return err
			}
		}
		return nil
	})
}

func write(items *bbolt.Bucket, w store.Write) error {
	key := keyOf(w.Key)
	stored := items.Get(key)
	head, _, err := parseHead(stored)
	if stored != nil && err != nil {
		return err
	}
	if !w.If.Holds(stored != nil, head.version) {
		return fmt.Errorf("%w: %s", store.ErrConflict, w.Key)
	}
	if w.Delete {
		return items.Delete(key)
	}
	return items.Put(key, appendItem(nil, header{version: w.If.Next(), expires: w.Expires}, w.Data))
}
