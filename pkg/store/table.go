package store

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

// What every engine takes, so that what one stores another can. They are DynamoDB's limits, with room for
// what an engine adds by itself.
const (
	MaxTransact     = 80        // writes in one transaction
	MaxData         = 350 << 10 // bytes of data in one item
	MaxTransactData = 3500_000  // bytes of data in one transaction
	MaxKey          = 1024      // bytes in each part of a key
)

var (
	// ErrNotFound is returned by Get for an item that does not exist.
	ErrNotFound = errors.New("no such item")
	// ErrConflict is returned by writes whose condition does not hold. Nothing was written.
	ErrConflict = errors.New("the item was changed meanwhile")
	// ErrTooLarge is returned by writes above one of the limits. Nothing was written, and trying again is
	// of no use.
	ErrTooLarge = errors.New("too large for the store")
	// ErrInvalid is returned by writes that no engine takes: see Check. Nothing was written.
	ErrInvalid = errors.New("not a valid write")
)

// Key names an item. Both parts are text in UTF-8 of 1 to MaxKey bytes.
type Key struct {
	Partition string // items of one partition can be queried together
	Sort      string // orders the items of a partition, by its bytes
}

// String writes the key for a person.
func (k Key) String() string { return k.Partition + "/" + k.Sort }

// Item is what is stored under a key.
type Item struct {
	Key Key
	// Version counts the writes by version: 1 after a write on condition of Absent, one more after each on
	// condition of AtVersion, 0 after one that needed Always only.
	Version int64
	// Expires is when the engine may delete the item by itself, at its leisure: until it does, the item is
	// read as any other. In UTC and whole seconds; zero if never.
	Expires time.Time
	Data    []byte // the reader's own; never shared
}

// Condition is what must hold of the stored item so that a write takes place. The zero Condition is Absent.
type Condition struct {
	always  bool
	version int64
}

// Always holds whatever is stored. It is for items that are guarded by another item of the same transaction,
// or need no guard.
func Always() Condition { return Condition{always: true} }

// Absent holds if there is no item under the key.
func Absent() Condition { return Condition{} }

// AtVersion holds if the item exists and has Version v. As there is no item at version 0 that is written by
// version, AtVersion(0) is Absent.
func AtVersion(v int64) Condition { return Condition{version: v} }

// Version returns the version that an item must have, 0 if it must not exist; or that any will do. It is for
// engines that state the condition in a language of their own.
func (c Condition) Version() (v int64, any bool) { return c.version, c.always }

// Holds reports whether the condition holds of an item that exists with a version, or does not exist.
func (c Condition) Holds(exists bool, version int64) bool {
	switch {
	case c.always:
		return true
	case c.version == 0:
		return !exists
	}
	return exists && version == c.version
}

// Next is the Version of the item after a write on this condition.
func (c Condition) Next() int64 {
	if c.always {
		return 0
	}
	return c.version + 1
}

// Write puts an item in place of what is stored under its key, or deletes it.
type Write struct {
	Key     Key
	Data    []byte    // not kept by the table
	Expires time.Time // zero: never; after 1970; cut to whole seconds
	Delete  bool      // delete the item; to delete one that does not exist is no error
	If      Condition
}

// Range selects the items of a partition. The zero Range selects all of them.
type Range struct {
	Prefix string // only items whose sort key begins with it
	After  string // only items whose sort key is larger, by bytes
	Limit  int    // at most so many, the first ones; 0 or less: all
}

// Table is what an engine offers: an ordered table with conditions. It is safe for concurrent use, by several
// processes as far as the engine lets them share it. Methods return the context's error if it has ended
// before they began; a write whose error is none of this package's may have happened or not.
//
// Package tabletest tells whether an implementation keeps to this.
type Table interface {
	// Get returns the item as the last write left it, or ErrNotFound.
	Get(ctx context.Context, key Key) (Item, error)
	// Query returns items of one partition by sort key, none if there are none. Each is as the last write
	// left it; a transaction that commits during the call may be seen in part.
	Query(ctx context.Context, partition string, r Range) ([]Item, error)
	// Put does one write, or returns ErrConflict, ErrTooLarge or ErrInvalid.
	Put(ctx context.Context, w Write) error
	// Transact does all writes or none of them; none at all is fine. It returns ErrConflict if one of the
	// conditions does not hold, or ErrTooLarge or ErrInvalid.
	Transact(ctx context.Context, writes []Write) error
}

// Check returns ErrTooLarge or ErrInvalid if writes cannot go into one transaction of any engine: above the
// limits, a key twice, a key that is empty, too long or no text, a negative version, an Expires before 1970.
// Every engine calls it before it writes.
func Check(writes ...Write) error {
	if len(writes) > MaxTransact {
		return fmt.Errorf("%w: %d writes in one transaction, at most %d fit", ErrTooLarge, len(writes), MaxTransact)
	}
	total := 0
	seen := make(map[Key]bool, len(writes))
	for _, w := range writes {
		if err := w.check(); err != nil {
			return err
		}
		if seen[w.Key] {
			return fmt.Errorf("%w: %s: two writes to it in one transaction", ErrInvalid, w.Key)
		}
		seen[w.Key] = true
		total += len(w.Data)
	}
	if total > MaxTransactData {
		return fmt.Errorf("%w: %d bytes in one transaction, at most %d fit", ErrTooLarge, total, MaxTransactData)
	}
	return nil
}

func (w Write) check() error {
	for _, part := range []string{w.Key.Partition, w.Key.Sort} {
		if part == "" || len(part) > MaxKey || !utf8.ValidString(part) {
			return fmt.Errorf("%w: a part of its key has %d bytes, or is no text; it must be text of 1 to %d bytes", ErrInvalid, len(part), MaxKey)
		}
	}
	switch {
	case w.If.version < 0:
		return fmt.Errorf("%w: %s: on condition of version %d; versions are not negative", ErrInvalid, w.Key, w.If.version)
	case !w.Expires.IsZero() && w.Expires.Unix() <= 0:
		return fmt.Errorf("%w: %s: expires in %d; that must be after 1970", ErrInvalid, w.Key, w.Expires.Year())
	case len(w.Data) > MaxData:
		return fmt.Errorf("%w: %s: %d bytes, at most %d fit", ErrTooLarge, w.Key, len(w.Data), MaxData)
	}
	return nil
}
