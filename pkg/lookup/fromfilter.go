package lookup

import (
	"cmp"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// FromFilter says what the parameter from filters bookings by. OwnerRez's documents say departures; not everybody
// has found it so.
type FromFilter string

// What from filters by.
const (
	FromUnknown   FromFilter = ""          // nothing has shown it yet
	FromDeparture FromFilter = "departure" // stays that arrived before it were shown
	FromArrival   FromFilter = "arrival"   // a stay that arrived before it and departs after it was not shown
)

// straddled reports whether a stay is known that arrived before a day and departs after it: a read from that day
// on shows by it what from filters by. Until one has, reads reach further back.
func (r *run) straddled(day ownerrez.Date) bool {
	for _, rec := range r.ledger.records {
		for _, stay := range rec.Stays {
			if !rec.Gone && stay.Arrival.Before(day.AddDays(-margin)) && stay.Departure.After(day) {
				return true
			}
		}
	}
	return false
}

// overlapped reports whether from cannot have filtered by arrival, since it let this row pass.
func (s slice) overlapped(row ownerrez.Booking) bool {
	from := s.query().From
	return !row.Arrival.IsZero() && row.Arrival.Before(from) && !row.Departure.Before(from)
}

// reliesOnFrom reports whether a property was read that counts only if from filters by departure.
func (f *fullRead) reliesOnFrom() bool {
	for property, p := range f.props {
		if f.complete(property) && !p.want.back {
			return true
		}
	}
	return false
}

// learnByArrival concludes that from filters by arrival: from a stay at the edge that is there, and that a read
// lacked although it departs in it. What else this run's answers lacked nobody knows; the next run reaches further
// back.
func (r *run) learnByArrival(f *fullRead) {
	if r.row.From == FromUnknown {
		r.row.From = FromArrival
		for _, p := range f.props {
			p.err = cmp.Or(p.err, errUnread)
		}
	}
}
