package budget

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sort"
	"time"
)

// ledger is what the window's cell holds. Times are milliseconds since 1970.
type ledger struct {
	taken   []int64 // when permits were taken, the oldest first
	closed  int64   // when the window was closed last; 0 if it never was
	reopens int64   // nobody gets a permit before
	wait    int64   // how long it was closed for the last 429; the next one makes it longer
	why     reason  // why it was closed
}

// reason says why a window was closed.
type reason byte

const (
	neverClosed reason = iota
	tooMany            // OwnerRez answered 429
	unreadable         // the cell could not be read
)

func (r reason) String() string {
	if r == unreadable {
		return "the record of the requests that were sent could not be read and was begun anew, as if all of them had been sent just then"
	}
	return "OwnerRez answered 429, too many requests from this address"
}

// How long a window is closed for a 429: growing with each that comes before quiet has passed.
const (
	minClosed = 15 * time.Second
	maxClosed = 5 * time.Minute
	quiet     = 10 * time.Minute
)

// latest is the last moment that the ledger knows of.
func (l *ledger) latest() int64 {
	if n := len(l.taken); n > 0 {
		return max(l.closed, l.taken[n-1])
	}
	return l.closed
}

// prune forgets permits that no longer count at the time t.
func (l *ledger) prune(t int64) {
	oldest := t - window.Milliseconds()
	l.taken = l.taken[sort.Search(len(l.taken), func(i int) bool { return l.taken[i] >= oldest }):]
}

// take takes a permit if fewer than limit have been taken in the window that ends now, or says when there
// will be one.
func (l *ledger) take(now int64, limit int) (until int64, ok bool) {
	t := max(now, l.latest())
	l.prune(t)
	if n := len(l.taken); n >= limit {
		return l.taken[n-limit] + window.Milliseconds() + 1, false
	}
	l.taken = append(l.taken, t)
	return 0, true
}

// close closes the window for a 429. While it is closed, what was on its way may still be answered by 429:
// that does not make the time longer, unless OwnerRez asks for more.
func (l *ledger) close(now int64, retryAfter time.Duration) {
	asked := min(retryAfter, maxClosed).Milliseconds()
	switch {
	case now < l.reopens:
		l.reopens = max(l.reopens, now+asked)
	case l.wait == 0 || now > l.reopens+quiet.Milliseconds():
		l.wait = max(minClosed.Milliseconds(), asked)
		l.reopens, l.why = now+l.wait, tooMany
	default:
		l.wait = max(min(2*l.wait, maxClosed.Milliseconds()), asked)
		l.reopens, l.why = now+l.wait, tooMany
	}
	l.closed = max(now, l.closed)
}

// The cell: ledgerFormat, then the closing and the permits' times as varints, each time as the distance to
// the one before.
const ledgerFormat = 1

func appendLedger(dst []byte, l ledger) []byte {
	dst = append(dst, ledgerFormat, byte(l.why))
	dst = binary.AppendVarint(dst, l.closed)
	dst = binary.AppendVarint(dst, l.reopens-l.closed)
	dst = binary.AppendVarint(dst, l.wait)
	last := int64(0)
	for _, t := range l.taken {
		dst = binary.AppendVarint(dst, t-last)
		last = t
	}
	return dst
}

func parseLedger(data []byte) (ledger, error) {
	if len(data) < 2 || data[0] != ledgerFormat {
		return ledger{}, errFormat(data)
	}
	r := reader{data: data[2:]}
	l := ledger{why: reason(data[1]), closed: r.time()}
	l.reopens = l.closed + r.time()
	l.wait = r.time()
	longest := window.Milliseconds()
	if l.why > unreadable || l.reopens-l.closed > longest || l.wait > longest {
		return ledger{}, errNonsense
	}
	if len(r.data) > 0 {
		l.taken = make([]int64, 0, len(r.data)/2)
	}
	for last := int64(0); len(r.data) > 0 && r.err == nil && last <= endOfTime; {
		last += r.time()
		l.taken = append(l.taken, last)
	}
	if r.err != nil || l.latest() > endOfTime {
		return ledger{}, errNonsense
	}
	return l, nil
}

// endOfTime is a time that no clock shows: 9999-12-31, in milliseconds.
const endOfTime = 253402214400000

var errNonsense = errors.New("the cell holds no usable times")

func errFormat(data []byte) error {
	if len(data) == 0 {
		return errors.New("the cell is empty")
	}
	return fmt.Errorf("the cell has format %d, which this release does not know", data[0])
}

// reader reads the varints of a cell. After an error it reads zeros.
type reader struct {
	data []byte
	err  error
}

// time reads a time or a distance of times.
func (r *reader) time() int64 {
	v, n := binary.Varint(r.data)
	if n <= 0 || v < 0 || v > endOfTime {
		r.err = errNonsense
	}
	if r.err != nil {
		return 0
	}
	r.data = r.data[n:]
	return v
}

// text reads a length and as many bytes, at least one and at most longest.
func (r *reader) text(longest int64) string {
	n := r.time()
	if n < 1 || n > min(longest, int64(len(r.data))) {
		r.err = errNonsense
		return ""
	}
	s := string(r.data[:n])
	r.data = r.data[n:]
	return s
}
