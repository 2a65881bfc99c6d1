package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
)

// bucket holds all items. Its name ends with the format of the file as a whole.
var bucket = []byte("ownerrez-lambda/1")

var (
	errContent = errors.New("it was not made by this program, or is damaged")
	errForeign = errors.New("it was made by another program, or by a newer release of this one")
	errShort   = errors.New("its end is missing")
)

// open opens the file, waiting for another process to let go of it.
func open(ctx context.Context, path string, wait time.Duration) (*DB, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("the data file's folder: %w: use another place, or allow this user to write there", err)
	}
	deadline := time.Now().Add(wait)
	for {
		d, err := openNow(path)
		switch {
		case err == nil:
			return d, nil
		case !errors.Is(err, berrors.ErrTimeout):
			return nil, explain(path, err)
		case time.Now().After(deadline):
			return nil, fmt.Errorf("%s: %w (another run of this program?): end that one first, or use another file", path, ErrInUse)
		}
		pause := 5*time.Millisecond + rand.N(20*time.Millisecond) //nolint:gosec // spreads waits, keeps no secret
		if err := sleep(ctx, pause); err != nil {
			return nil, err
		}
	}
}

// openNow opens the file if no other process holds it; else it returns bbolt's ErrTimeout.
func openNow(path string) (*DB, error) {
	d := &DB{path: path}
	options := *bbolt.DefaultOptions
	options.Timeout = time.Nanosecond // try the lock once; 0 would wait for ever
	options.FreelistType = bbolt.FreelistMapType
	options.OpenFile = func(name string, flag int, mode os.FileMode) (*os.File, error) {
		file, err := os.OpenFile(name, flag, mode)
		d.file = file
		return file, err
	}
	err := d.guard(func() (err error) {
		d.bolt, err = bbolt.Open(path, 0o600, &options)
		switch {
		case err == nil:
			return d.prepare()
		case isAny(err, berrors.ErrTimeout) || errors.As(err, new(syscall.Errno)):
			return err
		}
		return fmt.Errorf("%w (%w)", errContent, err)
	})
	if err == nil {
		return d, nil
	}
	if d.hurt.Load() || d.bolt != nil {
		_ = d.Close() // the first error says more
	}
	return nil, err
}

// prepare checks that the file is whole and ours, and makes the bucket in a new one.
func (d *DB) prepare() error {
	info, err := d.file.Stat()
	if err != nil {
		return err
	}
	fresh := false
	err = d.bolt.View(func(tx *bbolt.Tx) error {
		if info.Size() < tx.Size() {
			return errShort
		}
		if tx.Bucket(bucket) != nil {
			return nil
		}
		if k, _ := tx.Cursor().First(); k != nil {
			return errForeign
		}
		fresh = true
		return nil
	})
	if err != nil || !fresh {
		return err
	}
	err = d.bolt.Update(func(tx *bbolt.Tx) (err error) {
		_, err = tx.CreateBucketIfNotExists(bucket)
		return err
	})
	if err == nil {
		syncFolder(filepath.Dir(d.path))
	}
	return err
}

// syncFolder puts a new file's name on the disk too. Not every system can; then its own ways have to do.
func syncFolder(path string) {
	if dir, err := os.Open(path); err == nil {
		_ = dir.Sync()
		_ = dir.Close()
	}
}

// view runs f on the items as they are at one moment.
func (d *DB) view(ctx context.Context, f func(items *bbolt.Bucket) error) error {
	return d.run(ctx, d.bolt.View, f)
}

// update runs f on the items, and commits what it did if it returns nil.
func (d *DB) update(ctx context.Context, f func(items *bbolt.Bucket) error) error {
	return d.run(ctx, d.bolt.Update, f)
}

func (d *DB) run(ctx context.Context, begin func(func(*bbolt.Tx) error) error, f func(items *bbolt.Bucket) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	err := d.guard(func() error {
		return begin(func(tx *bbolt.Tx) error {
			if err := ctx.Err(); err != nil { // it may have had to wait for other writers
				return err
			}
			return f(tx.Bucket(bucket))
		})
	})
	return explain(d.path, err)
}

// guard runs f and makes an error of a panic: that is how bbolt reports pages that make no sense, and a
// file that was cut while it is open ends in a fault of the memory that maps it.
func (d *DB) guard(f func() error) (err error) {
	if d.hurt.Load() {
		return fmt.Errorf("%w: it turned out to be damaged before", ErrUnusable)
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			d.hurt.Store(true)
			err = fmt.Errorf("%w: it is damaged (%v)", ErrUnusable, r)
		}
	}()
	return f()
}

// explain says in an error of the file which file it is and what can be done. Errors of the table and of the
// context pass as they are.
func explain(path string, err error) error {
	const advice = "it is left as it is: move it away or restore it from a backup, or use another file"
	switch {
	case err == nil, isAny(err, store.ErrNotFound, store.ErrConflict, context.Canceled, context.DeadlineExceeded):
		return err
	case isAny(err, ErrUnusable):
		return fmt.Errorf("%s: %w; %s", path, err, advice)
	case isAny(err, errContent, errForeign, errShort, errItem):
		return fmt.Errorf("%s: %w: %w; %s", path, ErrUnusable, err, advice)
	case errors.As(err, new(*fs.PathError)): // has the name
		return fmt.Errorf("the data file: %w: allow this user to read and write it, or use another file", err)
	case isAny(err, berrors.ErrDatabaseNotOpen):
		return fmt.Errorf("%s: it was closed (%w)", path, err)
	}
	return fmt.Errorf("%s: %w", path, err)
}

func isAny(err error, targets ...error) bool {
	return slices.ContainsFunc(targets, func(target error) bool { return errors.Is(err, target) })
}

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
