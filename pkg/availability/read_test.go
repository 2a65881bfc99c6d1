package availability_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// row is a guest's booking of the nights 6 to 9, changed.
func row(change func(*ownerrez.Booking)) ownerrez.Booking {
	b := ownerrez.Booking{ID: 900101, PropertyID: 4401, Type: "booking", Status: "active", Arrival: day(6), Departure: day(9)}
	change(&b)
	return b
}

func TestReadCauses(t *testing.T) {
	until := time.Date(2026, time.December, 1, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		typ, status string
		block       bool
		until       time.Time
		want        availability.Cause
		lapses      bool
	}{
		{"booking", "active", false, time.Time{}, availability.CauseBooking, false},
		{"Booking", "ACTIVE", false, time.Time{}, availability.CauseBooking, false},
		{"booking", "active", false, until, availability.CauseBooking, false},
		{"booking", "", false, time.Time{}, availability.CauseBooking, false},
		{"booking", "tentative", false, time.Time{}, availability.CauseBooking, false},
		{"booking", "pending", false, time.Time{}, availability.CausePending, false},
		{"booking", "pending", false, until, availability.CauseHold, true},
		{"booking", "active", true, time.Time{}, availability.CauseBlock, false},
		{"block", "active", true, time.Time{}, availability.CauseBlock, false},
		{"block", "active", false, time.Time{}, availability.CauseBlock, false},
		{"block", "pending", true, time.Time{}, availability.CausePending, false},
		{"block", "Pending", true, until, availability.CauseHold, true},
		{"quote_hold", "active", false, until, availability.CauseHold, true},
		{"quote_hold", "active", true, time.Time{}, availability.CauseHold, false},
		{"Quote_Hold", "pending", true, until, availability.CauseHold, true},
		{"owner", "active", false, time.Time{}, availability.CauseOwner, false},
		{"owner", "active", true, time.Time{}, availability.CauseOwner, false},
		{"owner", "pending", false, time.Time{}, availability.CausePending, false},
		{"linked_availability", "active", true, time.Time{}, availability.CauseLinked, false},
		{"linked_availability", "active", false, time.Time{}, availability.CauseLinked, false},
		{"maintenance", "active", true, time.Time{}, availability.CauseBlock, false},
		{"maintenance", "active", false, time.Time{}, availability.CauseOther, false},
		{"", "", false, time.Time{}, availability.CauseOther, false},
	}
	for _, test := range tests {
		got := availability.Read(row(func(b *ownerrez.Booking) {
			b.Type, b.Status = ownerrez.BookingType(test.typ), ownerrez.BookingStatus(test.status)
			b.IsBlock, b.PendingUntilUTC = test.block, test.until
		}))
		want := availability.Reading{Booking: 900101, Property: 4401, Occupies: true, From: day(6), To: day(9),
			Stay: availability.Stay{Booking: 900101, Arrival: day(6), Departure: day(9), Cause: test.want}}
		if test.lapses {
			want.Stay.Until = until.Unix()
		}
		if diff := cmp.Diff(want, got, dates); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", test, diff)
		}
	}
}

func TestReadOccupiesNothing(t *testing.T) {
	for name, b := range map[string]ownerrez.Booking{
		"canceled":                 row(func(b *ownerrez.Booking) { b.Status = "canceled" }),
		"canceled, in other words": row(func(b *ownerrez.Booking) { b.Status = "Canceled" }),
		"canceled, without dates": row(func(b *ownerrez.Booking) {
			b.Status, b.Arrival, b.Departure = "canceled", ownerrez.Date{}, ownerrez.Date{}
		}),
		"canceled, no property": row(func(b *ownerrez.Booking) { b.Status, b.PropertyID = "canceled", 0 }),
		"a canceled hold":       row(func(b *ownerrez.Booking) { b.Status, b.Type = "canceled", "quote_hold" }),
		"no night":              row(func(b *ownerrez.Booking) { b.Departure = b.Arrival }),
	} {
		if got := availability.Read(b); got.Occupies || got.Why != "" || got.Booking != 900101 || got.Stay != (availability.Stay{}) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestReadOfRowsThatCannotBeUsed(t *testing.T) {
	none := ownerrez.Date{}
	tests := map[string]struct {
		row  ownerrez.Booking
		want availability.Reading
	}{
		"no id": {row(func(b *ownerrez.Booking) { b.ID = 0 }),
			availability.Reading{Property: 4401, From: day(6), To: day(9), Why: "OwnerRez listed a booking without an id"}},
		"an id that is none": {row(func(b *ownerrez.Booking) { b.ID = -3 }),
			availability.Reading{Property: 4401, From: day(6), To: day(9), Why: "OwnerRez listed a booking without an id"}},
		"no property": {row(func(b *ownerrez.Booking) { b.PropertyID = 0 }),
			availability.Reading{Booking: 900101, From: day(6), To: day(9), Why: "OwnerRez listed a booking without a property"}},
		"no arrival": {row(func(b *ownerrez.Booking) { b.Arrival = none }),
			availability.Reading{Booking: 900101, Property: 4401, Why: "OwnerRez listed a booking without usable dates"}},
		"no departure": {row(func(b *ownerrez.Booking) { b.Departure = none }),
			availability.Reading{Booking: 900101, Property: 4401, Why: "OwnerRez listed a booking without usable dates"}},
		"departure first": {row(func(b *ownerrez.Booking) { b.Departure = day(5) }),
			availability.Reading{Booking: 900101, Property: 4401, Why: "OwnerRez listed a booking without usable dates"}},
		"an arrival in the year 1": {row(func(b *ownerrez.Booking) { b.Arrival = ownerrez.NewDate(1, time.January, 1) }),
			availability.Reading{Booking: 900101, Property: 4401, Why: "OwnerRez listed a booking without usable dates"}},
		"no night in the year 1": {row(func(b *ownerrez.Booking) {
			b.Arrival, b.Departure = ownerrez.NewDate(1, time.January, 1), ownerrez.NewDate(1, time.January, 1)
		}), availability.Reading{Booking: 900101, Property: 4401, Why: "OwnerRez listed a booking without usable dates"}},
		"nothing": {ownerrez.Booking{},
			availability.Reading{Why: "OwnerRez listed a booking without an id and without a property and without usable dates"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, availability.Read(test.row), dates); diff != "" {
				t.Errorf("reading (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadTakesThePropertysOwnID(t *testing.T) {
	b := row(func(b *ownerrez.Booking) { b.PropertyID, b.Property.ID = 0, 4402 })
	if got := availability.Read(b); got.Property != 4402 || !got.Occupies {
		t.Errorf("%+v", got)
	}
}

// A block without an end takes its nights, however far ahead.
func TestReadOfAnEndlessBlock(t *testing.T) {
	b := row(func(b *ownerrez.Booking) { b.Type, b.Departure = "block", ownerrez.NewDate(9999, time.December, 31) })
	got := availability.Read(b)
	if !got.Occupies || got.Stay.Departure != b.Departure {
		t.Errorf("%+v", got)
	}
}

func TestReadingsDoubt(t *testing.T) {
	window := availability.Range{From: day(1), To: day(30)}
	own := availability.Read(row(func(b *ownerrez.Booking) { b.PropertyID = 0 })).Doubt(window)
	if own.Booking != 900101 || own.From != day(6) || own.To != day(9) || own.Why == "" {
		t.Errorf("a row with dates leaves %+v", own)
	}
	all := availability.Read(row(func(b *ownerrez.Booking) { b.Arrival = ownerrez.Date{} })).Doubt(window)
	if all.Booking != 900101 || all.From != window.From || all.To != window.To || all.Why == "" {
		t.Errorf("a row without dates leaves %+v", all)
	}
}

// Whatever a row holds: if it is not canceled and has nights, it takes them or says why it cannot.
func TestReadSkipsNothing(t *testing.T) {
	eachCase(t, func(t *testing.T, g *generator) {
		words := []string{"", "booking", "block", "quote_hold", "owner", "linked_availability", "active", "pending", "canceled", "Canceled", "new"}
		b := row(func(b *ownerrez.Booking) {
			b.Type = ownerrez.BookingType(words[g.IntN(len(words))])
			b.Status = ownerrez.BookingStatus(words[g.IntN(len(words))])
			b.IsBlock = g.chance(50)
			b.Arrival, b.Departure = g.night(), g.night()
			if g.chance(10) {
				b.ID = 0
			}
			if g.chance(10) {
				b.PropertyID = 0
			}
		})
		got := availability.Read(b)
		nothing := strings.EqualFold(string(b.Status), "canceled") || b.Arrival == b.Departure
		if nothing == (got.Occupies || got.Why != "") || got.Occupies && got.Why != "" {
			t.Fatalf("%v: %+v is read as %+v", g, b, got)
		}
		if s := got.Stay; got.Occupies && (s.Arrival != b.Arrival || s.Departure != b.Departure || s.Booking != b.ID || s.Cause == availability.NoCause) {
			t.Fatalf("%v: %+v is read as %+v", g, b, got)
		}
	})
}
