package lookup

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/budget"
)

const (
	// toStore is how long a run may take to store and publish what it has learned, once it asks no more.
	toStore = 10 * time.Second
	// toEnd is how long before the deadline of its context a run asks no more: what it was told must be stored
	// before its process is stopped.
	toEnd = toStore + 2*time.Second

	maxSaid = 100       // problems that are told
	maxRow  = 300 << 10 // bytes of an account's row, as far as suspects can be forgotten
)

var (
	// errTime ends a run whose time is over. It is one of the shares that a run may use, and no trouble of
	// OwnerRez or of the account: what was read is kept, and the next run goes on.
	errTime = fmt.Errorf("its time is over: %w", errShare)
	// errUnfinished is a property whose read was begun, and not finished by what one run may use.
	errUnfinished = errors.New("the property's read was begun and not finished")
)

// leaveTime ends a context so early before its deadline, if it has one, that what was learned can still be stored.
// Of a short time half is for that.
func leaveTime(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return ctx, func() {}
	}
	return context.WithDeadline(ctx, deadline.Add(-min(toEnd, time.Until(deadline)/2)))
}

// whyOver says why a run ends whose context has ended: its time is over, or it was interrupted.
func whyOver(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return errTime
	}
	return context.Cause(ctx)
}

// spent reports whether the run has used its share of the requests or its time: then it begins nothing new.
// What it has begun it finishes: the property that it is reading, and some questions about what reads lacked.
func (r *reader) spent() bool {
	return r.share > 0 && r.meter.requests() >= r.share || r.maxTime > 0 && time.Since(r.start) >= r.maxTime
}

// withinLimits reports whether a run that read nothing completely met nothing but our own limits: then it has not
// failed, it has to go on.
func (r *run) withinLimits() bool {
	if r.ended != nil {
		return errors.Is(r.ended, errShare) || errors.Is(r.ended, budget.ErrNoPermit)
	}
	for _, err := range r.failed {
		if !errors.Is(err, errShare) && !r.waiting {
			return false
		}
	}
	return len(r.failed) > 0
}

// toSay is what a person is told of the problems: not all of thousands that fail in the same way.
func (r *run) toSay() []Problem {
	more := len(r.problems) - maxSaid
	if more <= 0 {
		return r.problems
	}
	told := slices.Clone(r.problems[:maxSaid])
	told[maxSaid-1].Message += fmt.Sprintf(" There are %d more problems, which are not listed.", more)
	return told
}

// boundRow keeps the account's row from outgrowing what can be stored, however many stays are deleted at once: that
// would be the end of the account's lookups. A suspect that is forgotten is lacked by the next read again, so those
// are remembered of which most is known.
func (r *run) boundRow() {
	for len(r.row.Suspects) > 0 && r.row.bytes() > maxRow {
		bookings := slices.SortedFunc(maps.Keys(r.row.Suspects), func(a, b int64) int {
			return cmp.Or(r.row.Suspects[a].compare(r.row.Suspects[b]), cmp.Compare(a, b))
		})
		for _, booking := range bookings[len(bookings)*3/4:] {
			delete(r.row.Suspects, booking)
		}
	}
}

// bytes is how large the row is as JSON. Most rows are small beyond question.
func (a *Account) bytes() int {
	if len(a.Suspects)+len(a.Properties) < 500 {
		return 0
	}
	data, _ := json.Marshal(a) // the store will tell what cannot be written
	return len(data)
}

// compare orders suspects by what is known of them: the longest wait for a proof first, then those that are kept.
func (s Suspect) compare(other Suspect) int {
	unproven := func(s Suspect) int {
		if s.NotFound.IsZero() {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(unproven(s), unproven(other)), s.NotFound.Compare(other.NotFound), other.Kept.Compare(s.Kept))
}
