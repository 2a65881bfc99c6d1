package lookup

import (
	"cmp"
	"maps"
	"slices"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
)

// ledger holds the records of one account while a run works on them, and remembers what they were.
// A booking stands in at most one record: whoever moves it to another property takes it out of the old one.
type ledger struct {
	stored  map[int64]availability.Record // as they were read; never changed
	records map[int64]*availability.Record
	home    map[int64]int64   // booking → property
	ghosts  map[int64][]int64 // booking → properties that it has left, where a run was cut short between two commits
}

func newLedger(stored []availability.Record) *ledger {
	l := &ledger{
		stored:  make(map[int64]availability.Record, len(stored)),
		records: make(map[int64]*availability.Record, len(stored)),
		home:    map[int64]int64{},
		ghosts:  map[int64][]int64{},
	}
	for _, rec := range stored {
		l.stored[rec.Property] = rec
		clone := rec.Clone()
		l.records[rec.Property] = &clone
		for _, stay := range rec.Stays {
			if other, twice := l.home[stay.Booking]; twice {
				l.ghosts[stay.Booking] = append(l.ghosts[stay.Booking], other)
			}
			l.home[stay.Booking] = rec.Property
		}
	}
	return l
}

// record returns the record of a property, a new one if there was none.
func (l *ledger) record(property int64) *availability.Record {
	rec := l.records[property]
	if rec == nil {
		rec = &availability.Record{Property: property}
		l.records[property] = rec
	}
	return rec
}

// put makes stay the booking's one stay, at property.
func (l *ledger) put(property int64, stay availability.Stay) {
	if old, ok := l.home[stay.Booking]; ok && old != property {
		l.records[old].Remove(stay.Booking)
	}
	l.removeGhosts(stay.Booking)
	l.record(property).Put(stay)
	l.home[stay.Booking] = property
}

// remove takes the booking's stay out, wherever it is.
func (l *ledger) remove(booking int64) {
	if property, ok := l.home[booking]; ok {
		l.records[property].Remove(booking)
		delete(l.home, booking)
	}
	l.removeGhosts(booking)
}

// removeGhosts takes the booking's stay out of the properties where it stood beside its home.
func (l *ledger) removeGhosts(booking int64) {
	for _, property := range l.ghosts[booking] {
		l.records[property].Remove(booking)
	}
	delete(l.ghosts, booking)
}

// putBack makes a property's record what it was, but for its name and zone.
func (l *ledger) putBack(property int64) {
	rec := l.record(property)
	was := l.stored[property].Clone()
	was.Property, was.Name, was.Zone = property, rec.Name, rec.Zone
	*rec = was
}

// stay returns the booking's stay and its property.
func (l *ledger) stay(booking int64) (availability.Stay, int64, bool) {
	property, ok := l.home[booking]
	if !ok {
		return availability.Stay{}, 0, false
	}
	stay, ok := l.records[property].Find(booking)
	return stay, property, ok
}

// apply makes the ledger say what a usable row says, and returns the nights that the booking has left.
func (l *ledger) apply(r availability.Reading) (left []stretch) {
	if was, property, known := l.stay(r.Booking); known {
		left = leaves(property, was, r)
	}
	for _, property := range l.ghosts[r.Booking] {
		if was, known := l.records[property].Find(r.Booking); known {
			left = append(left, leaves(property, was, r)...)
		}
	}
	if r.Occupies {
		l.put(r.Property, r.Stay)
	} else {
		l.remove(r.Booking)
	}
	return left
}

// doubted lists the nights that are in doubt because the booking's row could not be read.
func (l *ledger) doubted(booking int64) (nights []stretch) {
	for property, rec := range l.records {
		for _, d := range rec.Doubts {
			if d.Booking == booking {
				nights = append(nights, stretch{property, availability.Range{From: d.From, To: d.To}})
			}
		}
	}
	return nights
}

// clearDoubt forgets that the booking's row could not be read.
func (l *ledger) clearDoubt(booking int64) {
	for _, rec := range l.records {
		rec.Doubts = slices.DeleteFunc(rec.Doubts, func(d availability.Doubt) bool { return d.Booking == booking })
	}
}

// differs reports whether a usable row says something else than the ledger.
func (l *ledger) differs(r availability.Reading) bool {
	stay, property, ok := l.stay(r.Booking)
	if !r.Occupies {
		return ok
	}
	return !ok || property != r.Property || stay != r.Stay
}

// changed returns the properties whose records are not what they were, those that gained a booking from another
// property first: where they cannot be written at once, a moved booking is then never missing from both.
func (l *ledger) changed() []int64 {
	was := map[int64]int64{}
	for property, rec := range l.stored {
		for _, stay := range rec.Stays {
			was[stay.Booking] = property
		}
	}
	gains := func(property int64) int {
		for _, stay := range l.records[property].Stays {
			if old, ok := was[stay.Booking]; ok && old != property {
				return 0
			}
		}
		return 1
	}
	var out []int64
	for property, rec := range l.records {
		if old, ok := l.stored[property]; !ok || !old.Equal(*rec) {
			out = append(out, property)
		}
	}
	slices.SortFunc(out, func(a, b int64) int {
		return cmp.Or(cmp.Compare(gains(a), gains(b)), cmp.Compare(a, b))
	})
	return out
}

// all returns every record, by property.
func (l *ledger) all() []availability.Record {
	var out []availability.Record
	for _, property := range slices.Sorted(maps.Keys(l.records)) {
		out = append(out, *l.records[property])
	}
	return out
}
