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
	home    map[int64]int64 // booking → property
}

func newLedger(stored []availability.Record) *ledger {
	l := &ledger{
		stored:  make(map[int64]availability.Record, len(stored)),
		records: make(map[int64]*availability.Record, len(stored)),
		home:    map[int64]int64{},
	}
	for _, rec := range stored {
		l.stored[rec.Property] = rec
		clone := rec.Clone()
		l.records[rec.Property] = &clone
		for _, stay := range rec.Stays {
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
	l.record(property).Put(stay)
	l.home[stay.Booking] = property
}

// remove takes the booking's stay out, wherever it is.
func (l *ledger) remove(booking int64) {
	if property, ok := l.home[booking]; ok {
		l.records[property].Remove(booking)
		delete(l.home, booking)
	}
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

// apply makes the ledger say what a usable row says.
func (l *ledger) apply(r availability.Reading) {
	if r.Occupies {
		l.put(r.Property, r.Stay)
	} else {
		l.remove(r.Booking)
	}
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

// changed returns the records that are not what they were, those that gained a booking from another property
// first: where they cannot be written at once, a moved booking is then never missing from both.
func (l *ledger) changed() []availability.Record {
	was := map[int64]int64{}
	for property, rec := range l.stored {
		for _, stay := range rec.Stays {
			was[stay.Booking] = property
		}
	}
	gains := func(rec availability.Record) int {
		for _, stay := range rec.Stays {
			if old, ok := was[stay.Booking]; ok && old != rec.Property {
				return 0
			}
		}
		return 1
	}
	var out []availability.Record
	for property, rec := range l.records {
		if old, ok := l.stored[property]; !ok || !old.Equal(*rec) {
			out = append(out, *rec)
		}
	}
	slices.SortFunc(out, func(a, b availability.Record) int {
		return cmp.Or(cmp.Compare(gains(a), gains(b)), cmp.Compare(a.Property, b.Property))
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
