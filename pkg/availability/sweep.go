package availability

import (
	"iter"
	"slices"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// doubted marks a doubt among the stays of a sweep: weaker than every cause, so that stays win over it. Its
// Booking is the doubt's place in the record.
const doubted = CauseOther + 1

// stretch is a run of nights [from, to) on which the same stays lie.
type stretch struct {
	from, to ownerrez.Date
	stays    []Stay // the strongest first, doubts last; valid until the sweep goes on
}

// sweep walks the nights [from, to) once and yields their stretches in order, without a gap. It stops where
// a stay begins or ends, never at single nights.
func (r *Record) sweep(from, to ownerrez.Date) iter.Seq[stretch] {
	return func(yield func(stretch) bool) {
		coming := r.byArrival()
		var here []Stay
		for at := from; at.Before(to); {
			next, kept := to, here[:0]
			for _, s := range here {
				if s.Departure.After(at) {
					kept, next = append(kept, s), earlier(next, s.Departure)
				}
			}
			here = kept
			for ; len(coming) > 0 && !coming[0].Arrival.After(at); coming = coming[1:] {
				if s := coming[0]; s.Departure.After(at) {
					here, next = insertByStrength(here, s), earlier(next, s.Departure)
				}
			}
			if len(coming) > 0 {
				next = earlier(next, coming[0].Arrival)
			}
			if !yield(stretch{at, next, here}) {
				return
			}
			at = next
		}
	}
}

// byArrival returns the record's stays and doubts by their first nights. A record keeps its stays in order;
// one that was put together otherwise must not make a taken night look free.
func (r *Record) byArrival() []Stay {
	byArrival := func(a, b Stay) int { return a.Arrival.Compare(b.Arrival) }
	if len(r.Doubts) == 0 && slices.IsSortedFunc(r.Stays, byArrival) {
		return r.Stays
	}
	all := slices.Grow(slices.Clone(r.Stays), len(r.Doubts))
	for i, d := range r.Doubts {
		all = append(all, Stay{Booking: int64(i), Arrival: d.From, Departure: d.To, Cause: doubted})
	}
	slices.SortFunc(all, byArrival)
	return all
}

// insertByStrength keeps stays by cause, the smaller booking first among equals.
func insertByStrength(stays []Stay, s Stay) []Stay {
	i := len(stays)
	for i > 0 && (s.Cause < stays[i-1].Cause || s.Cause == stays[i-1].Cause && s.Booking < stays[i-1].Booking) {
		i--
	}
	return slices.Insert(stays, i, s)
}

func earlier(a, b ownerrez.Date) ownerrez.Date {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b ownerrez.Date) ownerrez.Date {
	if b.After(a) {
		return b
	}
	return a
}
