package lookup

import (
	"maps"
	"slices"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// question is a booking to be asked for by its id, before anything is concluded from its absence.
type question struct {
	booking, property int64
	night             ownerrez.Date // its first night, to ask for the nearest first
	lacked            *appetite     // the complete read that lacked it and must have shown it; nil if none did
	edge              bool          // a complete read lacked it, and need not have shown it
	lapsed            bool          // it is a hold whose time is over
	noted             bool          // a webhook told of it, and this run has not shown it
}

// rank puts rows that cannot be read last: they are asked for in every run, as long as they are there, and must not
// keep the others waiting.
func (q question) rank() int {
	if q.lacked == nil && !q.edge && !q.lapsed && !q.noted {
		return 1
	}
	return 0
}

// questions collects what is to be asked by id: stays that a complete read lacked, lapsed holds, and bookings
// whose rows could not be read.
func (r *run) questions(shown sightings, f *fullRead) []question {
	asked := map[int64]question{}
	for property := range f.props {
		if !f.complete(property) {
			continue
		}
		rec, want := r.ledger.record(property), &f.props[property].want
		for _, stay := range rec.Stays {
			_, seen := shown[stay.Booking]
			if !seen && !inDoubt(rec, stay.Booking) && stay.Departure.After(want.from) {
				r.askLacking(asked, property, stay, want)
			}
		}
	}
	for _, rec := range r.ledger.records {
		for _, stay := range rec.Stays {
			_, seen := shown[stay.Booking]
			if _, again := asked[stay.Booking]; !again && r.askLapsed(stay, seen) {
				asked[stay.Booking] = question{booking: stay.Booking, property: rec.Property, night: stay.Arrival, lapsed: true}
			}
		}
		for _, d := range rec.Doubts {
			if _, again := asked[d.Booking]; !again && d.Booking != 0 {
				asked[d.Booking] = question{booking: d.Booking, property: rec.Property, night: d.From}
			}
		}
	}
	r.askNoted(asked, shown)
	return slices.Collect(maps.Values(asked))
}

// inDoubt reports whether the booking's row was shown, but could not be read: then it is not lacking.
func inDoubt(rec *availability.Record, booking int64) bool {
	return slices.ContainsFunc(rec.Doubts, func(d availability.Doubt) bool { return d.Booking == booking })
}

// askLacking asks for a stay that a complete read lacked. One at its edge, which it need not have shown, is asked
// for once a day, and is kept meanwhile without further ado.
func (r *run) askLacking(asked map[int64]question, property int64, stay availability.Stay, want *appetite) {
	q := question{booking: stay.Booking, property: property, night: stay.Arrival}
	kept := r.row.Suspects[stay.Booking].Kept
	switch {
	case belongs(stay, *want):
		q.lacked = want
	case !kept.IsZero() && r.began().Sub(kept) < fullEvery:
		return
	default:
		q.edge = true
	}
	asked[stay.Booking] = q
}
