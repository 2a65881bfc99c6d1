package lookup

import (
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
)

// What an event holds, so that every bus and engine takes it: 1,000 changes are about 110 KB, and 210 KB at most.
const (
	maxChanges = 1000 // changes
	maxNamed   = 1000 // properties that it names
)

// What a batch holds beside the account's row, so that any engine takes it in one transaction.
const (
	maxEvents   = 50
	maxBytes    = 3_000_000 // of records and events
	maxRecord   = 350 << 10 // of one record
	eventBytes  = 2 << 10   // an event, without its changes and the properties that it names
	changeBytes = 95        // a change, without its words and its booking
	idBytes     = 20        // a property that an event names
)

// errTooLarge is a property that cannot be stored.
var errTooLarge = errors.New("the property has more stays, or more changes at once, than can be stored in one piece")

// batch is what one transaction of a run writes.
type batch struct {
	records []availability.Record
	events  []Event
	bytes   int // of records and events
}

// takes reports whether the other's records and events fit beside those that b has.
func (b batch) takes(other batch) bool {
	return len(b.records)+len(other.records) <= MaxCommit && len(b.events)+len(other.events) <= maxEvents &&
		b.bytes+other.bytes <= maxBytes
}

// change is what the run makes of one property.
type change struct {
	record  availability.Record
	changes []availability.Change
}

// parts are the change as what has to be written at once: a record goes with all of its events, or what is stored
// would not be what the events up to the account's seq say.
func (c change) parts(event func([]availability.Change) Event) batch {
	b := batch{records: []availability.Record{c.record}, bytes: recordBytes(c.record)}
	for part := range slices.Chunk(c.changes, maxChanges) {
		b.events = append(b.events, event(part))
		b.bytes += bytesOf(part)
	}
	for i := range len(b.events) - 1 {
		b.events[i].More = true
	}
	return b
}

// storable reports whether a transaction of its own could take the change.
func (c change) storable() bool {
	b := c.parts(func([]availability.Change) Event { return Event{} })
	return recordBytes(c.record) <= maxRecord && batch{}.takes(b)
}

// nights is how many nights changed.
func (c change) nights() int {
	n := 0
	for _, stretch := range c.changes {
		n += stretch.From.DaysUntil(stretch.To)
	}
	return n
}

func recordBytes(rec availability.Record) int { return len(availability.AppendRecord(nil, rec)) }

// bytesOf is how large an event with these changes is at most, as JSON.
func bytesOf(changes []availability.Change) int {
	n := eventBytes
	for _, c := range changes {
		n += changeBytes + len(c.Was.String()) + len(c.Now.String()) + len(c.Cause.String()) + len(c.Reason) +
			len(strconv.FormatInt(c.Booking, 10))
	}
	return n
}

// changed lists what the run has made of the records. A property that cannot be stored stays as it was: it has
// failed, and stands in nobody's way.
func (r *run) changed(was Account) []change {
	if r.ledger == nil {
		return nil
	}
	var out []change
	for _, p := range r.ledger.changed() {
		window, rec := r.window(p), r.ledger.record(p)
		c := change{changes: availability.Diff(r.ledger.stored[p], *rec, window)}
		rec.Prune(window.From)
		if c.record = *rec; !c.storable() {
			r.dropChange(p, was)
			c = change{record: *rec} // its name may be a new one
			if rec.Equal(r.ledger.stored[p]) || !c.storable() {
				continue
			}
		}
		out = append(out, c)
	}
	return out
}

// dropChange puts a property back to what it was before the run.
func (r *run) dropChange(property int64, was Account) {
	r.fail(property, errTooLarge)
	r.ledger.putBack(property)
	rows := r.row.Properties[property].Rows
	if state, ok := was.Properties[property]; ok {
		r.row.Properties[property] = state
	} else {
		r.row.Properties[property] = PropertyState{Rows: rows}
	}
}

// number makes an event one of the account's, with its number.
func (a *Account) number(e Event, seq int64, now time.Time) Event {
	e.Version, e.Account, e.Seq, e.Ref, e.Expires = 1, a.ID, seq, a.Ref, now.Add(EventsKept)
	return e
}

// batches turns what the run changed into transactions: the account's own events go with the last, in which its
// row moves. was is the account's row before the run.
func (r *run) batches(was Account, changes []change) []batch {
	out := []batch{{}}
	seq := was.Seq
	add := func(b batch) {
		if !out[len(out)-1].takes(b) {
			out = append(out, batch{})
		}
		last := &out[len(out)-1]
		for _, e := range b.events {
			seq++
			e = r.row.number(e, seq, r.now)
			last.events = append(last.events, e)
		}
		last.records = append(last.records, b.records...)
		last.bytes += b.bytes
	}
	for _, c := range changes {
		add(c.parts(func(part []availability.Change) Event { return r.availabilityChanged(c.record, part) }))
	}
	for _, e := range r.accountChanged(was) {
		add(batch{events: []Event{e}, bytes: eventBytes + idBytes*len(e.Properties)})
	}
	return out
}
