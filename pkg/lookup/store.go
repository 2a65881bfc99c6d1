package lookup

import (
	"context"
	"errors"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
)

// MaxCommit is how many records one Commit may hold. A run also sees to it that no Commit has more than 50
// events and 3 MB of both, so that it fits one transaction of any engine beside the account's row.
const MaxCommit = 25

// ErrUnreadable is returned for what is stored but cannot be read: it has a format of a newer release, or is
// damaged. It is never written over.
var ErrUnreadable = errors.New("the store holds something that this release cannot read")

// Store keeps accounts, records and events. It is safe for concurrent use.
type Store interface {
	// Accounts lists all rows, those of credentials too, consistently. Where some cannot be read it returns
	// the others beside an ErrUnreadable.
	Accounts(ctx context.Context) ([]Account, error)
	// Account returns one row, or ErrNotFound.
	Account(ctx context.Context, key string) (Account, error)
	// Records returns all records of an account, by property. A record that cannot be read is returned
	// with its Property only, not Known: it needs a full read.
	Records(ctx context.Context, account int64) ([]availability.Record, error)
	// Commit writes everything or nothing, on condition that each row still has the Version that it
	// was read with (0: that it does not exist). Otherwise it returns ErrConflict.
	Commit(ctx context.Context, c Commit) error
	// Events returns the events of an account with a Seq above after, in order, at most limit, without
	// those that expired before now.
	Events(ctx context.Context, account, after int64, limit int, now time.Time) ([]Event, error)
	// MarkQueued notes that a wake-up for the row is on its way, and reports false if one was noted
	// already after since: then none need be sent.
	MarkQueued(ctx context.Context, key string, now, since time.Time) (bool, error)

	// Ask keeps a request for the account's lane, in place of an earlier one. Who asks sends a wake-up afterwards.
	Ask(ctx context.Context, r Request) error
	// Requests lists what lanes are asked to do and have not done yet. Where some cannot be read it returns the
	// others beside an ErrUnreadable.
	Requests(ctx context.Context) ([]Request, error)
	// Request returns what the account's lane is asked to do, or ErrNotFound.
	Request(ctx context.Context, account int64) (Request, error)
	// Done forgets a request that was done, unless a later one has taken its place.
	Done(ctx context.Context, r Request) error
}

// Commit is what one transaction writes.
type Commit struct {
	Rows    []Account             // the account's row; for a new account its credential's row too
	Account int64                 // whose records and events these are
	Records []availability.Record // at most MaxCommit
	Events  []Event
}

// Publisher hands events on. Publish returns nil once the event will not be lost. It may be called again
// with the same event.
type Publisher interface {
	Publish(ctx context.Context, e Event) error
}
