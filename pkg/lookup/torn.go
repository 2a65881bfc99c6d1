package lookup

import (
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// A run's answers are of different moments, and bookings change in between. A booking that was answered in its old nights
// may be answered in new ones later: what has taken the old ones since their answer, no answer tells. So nights are free only
// if the answer that shows who else takes them came no earlier than the one by which a booking has left them. Until the
// property is read in full again, at best in the same run, such nights are unknown.

// whyLeft is the doubt about such nights.
const whyLeft = "A booking has left this night, and whether another has taken it is not known yet"

// stretch is some nights of a property.
type stretch struct {
	property int64
	availability.Range
}

// leaves lists the nights of a stay that the booking's row no longer takes.
func leaves(property int64, was availability.Stay, now availability.Reading) (left []stretch) {
	add := func(from, to ownerrez.Date) {
		if from.Before(to) {
			left = append(left, stretch{property, availability.Range{From: from, To: to}})
		}
	}
	if !now.Occupies || now.Property != property {
		add(was.Arrival, was.Departure)
		return left
	}
	before, after := now.Stay.Arrival, now.Stay.Departure
	if before.After(was.Departure) {
		before = was.Departure
	}
	if after.Before(was.Arrival) {
		after = was.Arrival
	}
	add(was.Arrival, before)
	add(after, was.Departure)
	return left
}

// sight notes where an answer has shown a booking, and which nights it has left since an earlier answer of this run.
func (r *reader) sight(now availability.Reading) {
	if now.Booking == 0 || now.Why != "" {
		return
	}
	if was, again := r.sighted[now.Booking]; again && was.Occupies && was.order < r.order {
		r.torn = append(r.torn, leaves(was.Property, was.Stay, now)...)
	}
	if r.sighted == nil {
		r.sighted = sightings{}
	}
	r.sighted[now.Booking] = sighting{Reading: now, order: r.order}
}

// departure is nights that a booking has left, with what tells whether it is known what else takes them.
type departure struct {
	stretch
	known func(property int64) bool
}

// doubtDepartures casts doubt on the nights that bookings have left, where it is not known what else takes them, and always
// where they have left them between two answers.
func (r *run) doubtDepartures() {
	for _, left := range r.departures {
		if !left.known(left.property) {
			r.doubtLeft(left.stretch)
		}
	}
	for _, left := range r.torn {
		r.doubtLeft(left)
	}
	r.departures, r.torn = nil, nil
}

// doubtLeft makes nights unknown that a booking has left, and has their property read in full: in this run if it may still
// ask.
func (r *run) doubtLeft(left stretch) {
	if !r.ours(left.property) {
		return // of a property that is not ours there is no record, and none is made
	}
	rec := r.ledger.record(left.property)
	if !rec.Known || rec.Gone {
		return
	}
	rec.AddDoubt(availability.Doubt{From: left.From, To: left.To, Why: whyLeft})
	r.wanted = append(r.wanted, left.property)
}

// byList reports for a row of a list whether what takes a property's nights beside it is known: the property was read in
// full, or increments covered it no earlier.
func (r *run) byList(order int) func(property int64) bool {
	return func(property int64) bool {
		state := r.row.Properties[property]
		return r.complete[property] || state.Mark == nil && r.covered[property] >= order
	}
}

// byID reports the same for an answer about one booking: only a complete read that lacked it shows what has taken its
// nights.
func (r *run) byID(q question) func(property int64) bool {
	return func(property int64) bool {
		return q.lacked != nil && q.property == property && r.complete[property]
	}
}

// unchanged reports whether a row has not changed since the run began, as far as OwnerRez tells: where an earlier answer
// could not be read, it said the same.
func (r *run) unchanged(seen sighting) bool {
	return !seen.updated.IsZero() && seen.updated.Before(r.began().Add(-overlap))
}
