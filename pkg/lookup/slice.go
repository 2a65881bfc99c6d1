package lookup

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

const (
	// pageLimit is the most rows that OwnerRez answers at once, and the most properties we ask for at once.
	pageLimit = 100
	// margin is how many days more than it answers for a slice asks for on either side, so that nothing hangs
	// on how OwnerRez treats the edges of from and to.
	margin = 2
	// firstReach is how much earlier a property's first read begins, and every read for as long as from may filter
	// by arrival: long stays that arrived before the window are found all the same.
	firstReach = 400
	// rowsGuess is how many rows a property is taken to have that was never read.
	rowsGuess = 15
)

// slice is a part of a full read, properties × nights, that is asked for in one request. One answer is a
// snapshot; pages are not, since rows shift between them while bookings change. So what does not fit one
// answer is split.
type slice struct {
	properties []int64
	from, to   ownerrez.Date // the nights that it answers for; a zero to is open
}

func (s slice) query() ownerrez.BookingQuery {
	return ownerrez.BookingQuery{
		PropertyIDs: s.properties, From: s.from.AddDays(-margin), To: s.to.AddDays(margin), Limit: pageLimit,
	}
}

// halves splits by properties.
func (s slice) halves() []slice {
	middle := len(s.properties) / 2
	return []slice{
		{s.properties[:middle], s.from, s.to},
		{s.properties[middle:], s.from, s.to},
	}
}

// cut splits by dates at the median arrival of the rows at hand; nil if that cannot help: the slice is a single
// night, or the rows lie outside of what was asked, so that from and to have no effect.
func (s slice) cut(rows []ownerrez.Booking) []slice {
	var arrivals []ownerrez.Date
	last := s.from
	for _, row := range rows {
		if row.Arrival.IsZero() || row.Departure.IsZero() {
			continue
		}
		if row.Departure.Before(s.from.AddDays(-margin)) || (!s.to.IsZero() && row.Arrival.After(s.to.AddDays(margin))) ||
			!slices.Contains(s.properties, row.PropertyID) {
			return nil
		}
		arrivals = append(arrivals, row.Arrival)
		if row.Departure.After(last) {
			last = row.Departure
		}
	}
	end := s.to
	if end.IsZero() {
		end = last.AddDays(1)
	}
	if s.from.DaysUntil(end) < 2 {
		return nil
	}
	at := median(arrivals)
	if !at.After(s.from) || !at.Before(end) {
		at = s.from.AddDays(s.from.DaysUntil(end) / 2)
	}
	return []slice{{s.properties, s.from, at}, {s.properties, at, s.to}}
}

func median(dates []ownerrez.Date) ownerrez.Date {
	if len(dates) == 0 {
		return ownerrez.Date{}
	}
	slices.SortFunc(dates, ownerrez.Date.Compare)
	return dates[len(dates)/2]
}

// appetite is what a property's next full read asks for.
type appetite struct {
	property int64
	rows     int // how many rows it is expected to bring
	from, to ownerrez.Date
	arrivals []ownerrez.Date // of the stays that we know, in order
	back     bool            // it reaches back far enough for from to filter by whatever it likes
	alone    bool            // its reads have long been proven incomplete: they shall not spoil the answer for others
}

// plan makes slices of at most capacity rows, as far as can be known before: properties that ask for the same
// dates share one, a property with too many rows gets several.
func plan(wants []appetite, capacity int) []slice {
	fill := max(capacity*9/10, 1)
	var out []slice
	var open slice
	rows := 0
	flush := func() {
		if len(open.properties) > 0 {
			out = append(out, open)
		}
		open, rows = slice{}, 0
	}
	for _, w := range wants {
		if w.rows > fill {
			flush() // the order is kept: what comes first is the most urgent
			out = append(out, w.parts(fill)...)
			continue
		}
		full := rows+w.rows > fill || len(open.properties) == pageLimit || w.alone
		if full || open.from != w.from || open.to != w.to {
			flush()
			open.from, open.to = w.from, w.to
		}
		open.properties = append(open.properties, w.property)
		if rows += w.rows; w.alone {
			flush()
		}
	}
	flush()
	return out
}

// parts cuts one property's dates so that about as many known stays arrive in each part.
func (w appetite) parts(fill int) []slice {
	n := (w.rows + fill*3/4 - 1) / max(fill*3/4, 1)
	whole := slice{[]int64{w.property}, w.from, w.to}
	var out []slice
	for i := 1; i < n && len(w.arrivals) > 0; i++ {
		at := w.arrivals[i*len(w.arrivals)/n]
		if at.After(whole.from) && (w.to.IsZero() || at.Before(w.to)) {
			out = append(out, slice{whole.properties, whole.from, at})
			whole.from = at
		}
	}
	return append(out, whole)
}

// sightings are the rows that a read showed, by booking, with the order of the answers: the last one is right.
type sightings map[int64]sighting

type sighting struct {
	availability.Reading
	order   int
	updated time.Time // the row's updated_utc
}

func (s sightings) add(other sightings) {
	for booking, seen := range other {
		if old, ok := s[booking]; !ok || old.order <= seen.order {
			s[booking] = seen
		}
	}
}

// inOrder returns the rows in the order of their answers.
func (s sightings) inOrder() []sighting {
	return slices.SortedFunc(maps.Values(s), func(a, b sighting) int {
		return cmp.Or(cmp.Compare(a.order, b.order), cmp.Compare(a.Booking, b.Booking))
	})
}
