// Package budget keeps what we send to OwnerRez within what it allows one address: 300 requests in any five
// minutes, over all processes and accounts (https://www.ownerrez.com/support/articles/api-rate-limiting), and
// the personal tokens of at most two accounts in 24 hours
// (https://www.ownerrez.com/support/articles/api-authentication).
//
//	window := budget.NewWindow(cells, "203.0.113.7", budget.PerFive(240))
//	client, err := ownerrez.New(auth, ownerrez.WithLimiter(window.Limiter(budget.Polls)), ownerrez.WithObserver(window.Observe))
//
// Both are kept in [Cells], which all processes behind the address share, and are changed by compare-and-set.
// The promise holds while the clocks of these processes are right within two seconds. Who finds requests on
// record in the future of its own clock, since that is behind or jumped back, gets no permits until it is right
// again, or nobody has taken one for a whole window. A clock that is ahead forgets requests too early, and
// nothing here can notice that.
package budget

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// How many requests in five minutes a window can be told to allow, and how many it allows by default: less
// than OwnerRez does, since other programs may use the same address.
const (
	MinPerFive     = 30
	MaxPerFive     = 300
	DefaultPerFive = 240
)

// window is how long a permit counts. OwnerRez counts five minutes by when a request arrives, which is up to
// five seconds after its permit was handed out; two clocks may differ by four; handing out takes up to one.
const window = 5*time.Minute + ownerrez.PermitLifetime + 2*maxSkew + time.Second

const (
	maxSkew = 2 * time.Second        // how wrong a clock may be
	handOut = 900 * time.Millisecond // a permit that took longer to write down may die too late, and is not used
	behind  = 10 * time.Second       // a clock this far behind the last permit is wrong
	keep    = time.Hour              // how long a cell is kept after its last change: longer than anything in it counts
)

// Level says who asks. Levels are fill levels of the whole window: polls get permits until nine tenths of it
// are used, by whomever, so that the rest is there for people.
type Level uint8

// The levels, the least urgent first.
const (
	Webhooks Level = iota // up to 60 %
	Polls                 // up to 90 %
	People                // up to 100 %
)

// String names those who ask.
func (l Level) String() string {
	switch l {
	case People:
		return "people"
	case Polls:
		return "scheduled lookups"
	}
	return "webhooks"
}

func (l Level) percent() int {
	switch l {
	case People:
		return 100
	case Polls:
		return 90
	}
	return 60
}

// Option changes a Window or Slots; Slots only know Clock.
type Option func(*config)

type config struct {
	perFive int
	clock   func() time.Time
}

func newConfig(opts []Option) config {
	c := config{perFive: DefaultPerFive, clock: time.Now}
	for _, o := range opts {
		o(&c)
	}
	return c
}

// PerFive sets how many requests a Window allows in five minutes. A number below MinPerFive or above
// MaxPerFive counts as that.
func PerFive(n int) Option {
	return func(c *config) { c.perFive = min(max(n, MinPerFive), MaxPerFive) }
}

// Clock sets the clock. The default is time.Now.
func Clock(now func() time.Time) Option { return func(c *config) { c.clock = now } }

// Window is the exact sliding window of what may be sent from one address: however requests are spread, no
// five minutes see more than PerFive of them. Each request needs a permit of its own, taken right before it
// is sent; a permit that is not used counts like one that is. A Window is safe for concurrent use.
type Window struct {
	cells  Cells
	key    string
	config config

	turn  chan struct{} // one at a time in this process: it would only conflict with itself
	watch watch         // guarded by turn
}

// watch is what a process whose clock is behind remembers of a cell that was written in its future.
type watch struct {
	version int64 // of the cell; 0 if there is nothing to watch
	since   int64 // by our own clock, in milliseconds
}

// NewWindow returns the window of an egress address, which is any name that all its users know it by.
func NewWindow(cells Cells, egress string, opts ...Option) *Window {
	return &Window{cells: cells, key: "BUDGET#" + egress, config: newConfig(opts), turn: make(chan struct{}, 1)}
}

// Take takes a permit for one request, which must be sent within ownerrez.PermitLifetime, or refuses with a
// *NoPermitError. It never waits for a permit. Any other error is the cells' or the context's: nothing may be
// sent then either.
func (w *Window) Take(ctx context.Context, level Level) error {
	for range 3 {
		began, err := w.take(ctx, level)
		if err != nil {
			return err
		}
		if late := w.now() - began; late >= 0 && late < handOut.Milliseconds() {
			return nil
		}
	}
	return w.refusal(w.now()+1000, "writing permits down takes too long, they are dead before they can be used; look after the store that keeps the budget")
}

// take takes a permit and returns when it began to count, or an earlier moment.
func (w *Window) take(ctx context.Context, level Level) (began int64, err error) {
	limit := w.limit(level)
	err = w.change(ctx, func(l *ledger, now int64) (bool, error) {
		began = now
		if now < l.reopens {
			return false, w.refusal(l.reopens, l.why.String())
		}
		until, ok := l.take(now, limit)
		if !ok {
			return false, w.refusal(until, fmt.Sprintf("%s may use %d of the %d requests in five minutes, and those are used up", level, limit, w.config.perFive))
		}
		return true, nil
	})
	return began, err
}

// Room returns how many permits Take would give at this level now: 0 if it would refuse. An error is the
// cells' or the context's.
func (w *Window) Room(ctx context.Context, level Level) (n int, err error) {
	err = w.change(ctx, func(l *ledger, now int64) (bool, error) {
		if l.prune(now); now >= l.reopens {
			n = max(w.limit(level)-len(l.taken), 0)
		}
		return false, nil
	})
	if errors.Is(err, ErrNoPermit) {
		return 0, nil
	}
	return n, err
}

// Close closes the window for everybody, since OwnerRez answered 429: for 15 s at first, then twice as long
// each time, up to five minutes, until none has come for ten minutes. If OwnerRez asked to wait longer
// (retryAfter, 0 if it did not), it is closed for that long, but never for more than five minutes.
func (w *Window) Close(ctx context.Context, retryAfter time.Duration) error {
	err := w.change(ctx, func(l *ledger, now int64) (bool, error) {
		l.close(now, retryAfter)
		return true, nil
	})
	if err != nil {
		return fmt.Errorf("closing the window after a 429: %w", err)
	}
	return nil
}

// Observe closes the window when OwnerRez answers 429; it is made for ownerrez.WithObserver. If the window
// cannot be closed, the others will get their own 429 and close it then.
func (w *Window) Observe(ctx context.Context, e ownerrez.Exchange) {
	if e.Status != 429 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	_ = w.Close(ctx, e.RetryAfter)
}

// change lets f look at the ledger and change it. f returns whether there is something to write, and the
// error that change is to return then. f is called again when another process was faster.
func (w *Window) change(ctx context.Context, f func(l *ledger, now int64) (bool, error)) error {
	select {
	case w.turn <- struct{}{}:
		defer func() { <-w.turn }()
	case <-ctx.Done():
		return fmt.Errorf("waiting to take a permit: %w", ctx.Err())
	}
	err := swap(ctx, w.cells, w.key, func(data []byte, version int64) ([]byte, time.Time, error) {
		now := w.now()
		l, write, err := w.open(data, version, now)
		if err == nil {
			write, err = f(&l, now)
		}
		if !write {
			return nil, time.Time{}, err
		}
		return appendLedger(make([]byte, 0, 1024), l), time.UnixMilli(max(now, l.latest())).Add(keep), err
	})
	switch {
	case errors.Is(err, errBusy):
		return w.refusal(w.now()+1000, "too many others want one at the same moment")
	case err != nil && !errors.Is(err, ErrNoPermit):
		return fmt.Errorf("the record of sent requests: %w", err)
	}
	return err
}

// open reads the ledger from its cell. If it returns an error, nobody gets a permit, and the ledger is to be
// written if write says so.
func (w *Window) open(data []byte, version, now int64) (l ledger, write bool, err error) {
	if version == 0 {
		return ledger{}, false, nil
	}
	l, err = parseLedger(data)
	if err != nil {
		l = ledger{closed: now, reopens: now + window.Milliseconds(), why: unreadable}
		refusal := w.refusal(l.reopens, l.why.String())
		refusal.Err = err
		return l, true, refusal
	}
	return w.distrust(l, version, now)
}

// distrust deals with a ledger from our future. Whose clock is wrong cannot be told, so ours gets no permits.
// If nobody else has taken one for a whole window either, all that the ledger knows of is older than that.
func (w *Window) distrust(l ledger, version, now int64) (ledger, bool, error) {
	ahead := time.Duration(l.latest()-now) * time.Millisecond
	if ahead > behind && (w.watch.version != version || now < w.watch.since) {
		w.watch = watch{version, now}
	}
	until := w.watch.since + window.Milliseconds() + 1
	switch {
	case w.watch.version == version && now >= until:
		return ledger{}, false, nil
	case ahead > behind:
		return l, false, w.refusal(until, fmt.Sprintf("this computer's clock is %s behind the last request on record; if it is wrong, set it", ahead.Round(time.Second)))
	}
	return l, false, nil
}

func (w *Window) limit(level Level) int { return w.config.perFive * level.percent() / 100 }

func (w *Window) now() int64 { return w.config.clock().UnixMilli() }

func (w *Window) refusal(until int64, why string) *NoPermitError {
	return &NoPermitError{Until: time.UnixMilli(until), Why: why}
}
