package availability

import (
	"cmp"
	"slices"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// The first and the last day there are: the bounds of a doubt that names no nights.
func firstDay() ownerrez.Date { return ownerrez.NewDate(1, time.January, 1) }
func lastDay() ownerrez.Date  { return ownerrez.NewDate(9999, time.December, 31) }

// Put keeps s in place of what the record held of the same booking, its doubt included: the booking has now
// been read well. A stay without nights is not kept.
func (r *Record) Put(s Stay) {
	r.Remove(s.Booking)
	if !s.Arrival.Before(s.Departure) {
		return
	}
	i, _ := slices.BinarySearchFunc(r.Stays, s, compareStays)
	r.Stays = slices.Insert(r.Stays, i, s)
}

// Remove drops everything that the record holds of a booking, its doubt included, and reports whether there
// was anything. Doubts about bookings without an id stay.
func (r *Record) Remove(booking int64) bool {
	before := len(r.Stays) + len(r.Doubts)
	r.Stays = slices.DeleteFunc(r.Stays, func(s Stay) bool { return s.Booking == booking })
	if booking != 0 {
		r.Doubts = slices.DeleteFunc(r.Doubts, func(d Doubt) bool { return d.Booking == booking })
	}
	return len(r.Stays)+len(r.Doubts) < before
}

// Find returns the stay of a booking, and false if the record has none.
func (r *Record) Find(booking int64) (Stay, bool) {
	i := slices.IndexFunc(r.Stays, func(s Stay) bool { return s.Booking == booking })
	if i < 0 {
		return Stay{}, false
	}
	return r.Stays[i], true
}

// AddDoubt makes nights unknown that no stay takes. It replaces an older doubt about the same booking, unless
// that has no id. A doubt without usable nights is about all nights there are, so that none of them is called
// free by mistake; [Reading.Doubt] chooses a smaller range. One without a reason gets a general one.
func (r *Record) AddDoubt(d Doubt) {
	if d.Booking != 0 {
		r.Doubts = slices.DeleteFunc(r.Doubts, func(old Doubt) bool { return old.Booking == d.Booking })
	}
	if d.From.IsZero() || !d.From.Before(d.To) {
		d.From, d.To = firstDay(), lastDay()
	}
	d.Why = cmp.Or(d.Why, "OwnerRez said something about this night that could not be read")
	if i, found := slices.BinarySearchFunc(r.Doubts, d, compareDoubts); !found {
		r.Doubts = slices.Insert(r.Doubts, i, d)
	}
}

// Prune drops the stays that depart on or before from, and the doubts that end there: they say nothing about
// the night of from or any later one.
func (r *Record) Prune(from ownerrez.Date) {
	r.Stays = slices.DeleteFunc(r.Stays, func(s Stay) bool { return !s.Departure.After(from) })
	r.Doubts = slices.DeleteFunc(r.Doubts, func(d Doubt) bool { return !d.To.After(from) })
}

// Clone returns a copy that shares nothing with r.
func (r Record) Clone() Record {
	r.Stays, r.Doubts = slices.Clone(r.Stays), slices.Clone(r.Doubts)
	return r
}

// Equal reports whether both records hold the same. It does not allocate.
func (r Record) Equal(o Record) bool {
	return r.Property == o.Property && r.Name == o.Name && r.Zone == o.Zone &&
		r.Known == o.Known && r.Gone == o.Gone &&
		slices.Equal(r.Stays, o.Stays) && slices.Equal(r.Doubts, o.Doubts)
}

// NextLapse returns when the next hold lapses after now, in UTC, and false if none does. A property that is
// gone waits for none: it is not asked about any more.
func (r Record) NextLapse(now time.Time) (time.Time, bool) {
	var next int64
	for _, s := range r.Stays {
		if s.Until != 0 && !s.Lapsed(now) && (next == 0 || s.Until < next) {
			next = s.Until
		}
	}
	if next == 0 || r.Gone {
		return time.Time{}, false
	}
	return time.Unix(next, 0).UTC(), true
}

// Lapsed reports whether s is a hold whose time is over: whether it still takes its nights is not known until
// OwnerRez has been asked again.
func (s Stay) Lapsed(now time.Time) bool { return s.Until != 0 && s.Until <= now.Unix() }

// until is when a hold lapses, in UTC; zero if no time is known.
func (s Stay) until() time.Time {
	if s.Until == 0 {
		return time.Time{}
	}
	return time.Unix(s.Until, 0).UTC()
}

// compareStays is the order in which a record keeps its stays.
func compareStays(a, b Stay) int {
	if c := a.Arrival.Compare(b.Arrival); c != 0 {
		return c
	}
	return cmp.Compare(a.Booking, b.Booking)
}

// compareDoubts is the order in which a record keeps its doubts: by From, then booking; what is left makes
// the order of doubts without an id certain.
func compareDoubts(a, b Doubt) int {
	return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.Booking, b.Booking), a.To.Compare(b.To), cmp.Compare(a.Why, b.Why))
}
