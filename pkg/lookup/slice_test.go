package lookup

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

var day = ownerrez.NewDate(2026, 11, 1)

// A plan asks for every night of every property exactly once, and for no more rows at once than fit.
func TestPlanCoversEveryNightOnce(t *testing.T) {
	for seed := range uint64(500) {
		rng := rand.New(rand.NewPCG(seed, 2))
		capacity := []int{20, 100}[rng.IntN(2)]
		var wants []appetite
		for p := range int64(1 + rng.IntN(250)) {
			w := appetite{property: p, rows: rng.IntN(20), from: day, alone: rng.IntN(20) == 0}
			if rng.IntN(10) == 0 {
				w.rows, w.from = rng.IntN(600), day.AddDays(-400)
			}
			for range w.rows {
				w.arrivals = append(w.arrivals, day.AddDays(rng.IntN(700)-30))
			}
			slices.SortFunc(w.arrivals, ownerrez.Date.Compare)
			wants = append(wants, w)
		}
		parts := plan(wants, capacity)
		checkOrder(t, parts)
		for _, w := range wants {
			checkCovers(t, parts, w, capacity)
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// checkOrder fails unless the properties, which are numbered by their urgency, are asked for in that order.
func checkOrder(t *testing.T, parts []slice) {
	t.Helper()
	last := int64(-1)
	for _, s := range parts {
		for _, p := range s.properties {
			if p < last {
				t.Errorf("property %d is asked for after %d", p, last)
			}
			last = p
		}
	}
}

func checkCovers(t *testing.T, parts []slice, w appetite, capacity int) {
	t.Helper()
	next := w.from
	for _, s := range parts {
		if !slices.Contains(s.properties, w.property) {
			continue
		}
		if s.from != next || (!s.to.IsZero() && !s.from.Before(s.to)) {
			t.Errorf("property %d: a slice answers for [%s, %s) where %s is next", w.property, s.from, s.to, next)
		}
		if len(s.properties) > pageLimit || (w.alone && len(s.properties) > 1) {
			t.Errorf("property %d is asked for with %d others", w.property, len(s.properties)-1)
		}
		if rows := rowsWithin(w, s); rows > capacity && len(s.properties) == 1 {
			t.Errorf("property %d: %d rows are expected in one answer of %d", w.property, rows, capacity)
		}
		next = s.to
	}
	if !next.IsZero() {
		t.Errorf("property %d: nobody answers for the nights from %s on", w.property, next)
	}
}

func rowsWithin(w appetite, s slice) int {
	n := 0
	for _, a := range w.arrivals {
		if !a.Before(s.from) && (s.to.IsZero() || a.Before(s.to)) {
			n++
		}
	}
	return n
}

func TestCutSplitsWithoutAGap(t *testing.T) {
	for seed := range uint64(500) {
		rng := rand.New(rand.NewPCG(seed, 3))
		s := slice{[]int64{7}, day, ownerrez.Date{}}
		if rng.IntN(2) == 0 {
			s.to = day.AddDays(1 + rng.IntN(40))
		}
		var rows []ownerrez.Booking
		for range rng.IntN(30) {
			arrival := day.AddDays(rng.IntN(20) - 1)
			rows = append(rows, ownerrez.Booking{PropertyID: 7, Arrival: arrival, Departure: arrival.AddDays(1 + rng.IntN(5))})
		}
		parts := s.cut(rows)
		if parts == nil {
			continue
		}
		if len(parts) != 2 || parts[0].from != s.from || parts[0].to != parts[1].from || parts[1].to != s.to ||
			!parts[0].from.Before(parts[0].to) || (!s.to.IsZero() && !parts[1].from.Before(s.to)) {
			t.Errorf("seed %d: %+v was cut into %+v", seed, s, parts)
		}
	}
}

// Where two answers of one read show the same booking, the later one is right.
func TestLaterAnswerWins(t *testing.T) {
	early := sighting{Reading: availability.Reading{Booking: 1, Property: 10}, order: 3}
	late := sighting{Reading: availability.Reading{Booking: 1, Property: 20}, order: 4}
	for _, pair := range [][2]sighting{{early, late}, {late, early}} {
		seen := sightings{}
		seen.add(sightings{1: pair[0]})
		seen.add(sightings{1: pair[1]})
		if got := seen[1].Property; got != 20 {
			t.Errorf("added in the order %d, %d: property %d is believed", pair[0].order, pair[1].order, got)
		}
	}
}

// A booking that moved must never be missing from both properties where they are written one after the other.
func TestRecordThatGainsABookingIsWrittenFirst(t *testing.T) {
	stay := availability.Stay{Booking: 1, Arrival: day, Departure: day.AddDays(2), Cause: availability.CauseBooking}
	for _, move := range []struct{ from, to int64 }{{10, 20}, {20, 10}} {
		l := newLedger([]availability.Record{{Property: move.from, Known: true, Stays: []availability.Stay{stay}}, {Property: move.to, Known: true}})
		l.put(move.to, stay)
		if changed := l.changed(); len(changed) != 2 || changed[0] != move.to || changed[1] != move.from {
			t.Errorf("moved from %d to %d, written are %+v", move.from, move.to, changed)
		}
	}
}
