package availability_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// day is a day of December 2026, of the month after for days above 31.
func day(n int) ownerrez.Date { return ownerrez.NewDate(2026, time.December, n) }

func stay(booking int64, arrival, departure int, cause availability.Cause) availability.Stay {
	return availability.Stay{Booking: booking, Arrival: day(arrival), Departure: day(departure), Cause: cause}
}

func known(stays ...availability.Stay) availability.Record {
	r := availability.Record{Property: 4401, Known: true}
	for _, s := range stays {
		r.Put(s)
	}
	return r
}

func TestPutReplacesTheBooking(t *testing.T) {
	r := known(stay(2, 5, 8, availability.CauseBooking), stay(1, 5, 6, availability.CauseBlock), stay(3, 1, 3, availability.CauseOwner))
	r.Put(stay(2, 2, 4, availability.CauseBooking))
	want := []availability.Stay{stay(3, 1, 3, availability.CauseOwner), stay(2, 2, 4, availability.CauseBooking), stay(1, 5, 6, availability.CauseBlock)}
	if diff := cmp.Diff(want, r.Stays, dates); diff != "" {
		t.Errorf("stays (-want +got):\n%s", diff)
	}
	if got, found := r.Find(2); !found || got != want[1] {
		t.Errorf("found %v, %v", got, found)
	}
	if !r.Remove(2) || r.Remove(2) {
		t.Error("a booking is there to be removed once")
	}
	if got, found := r.Find(2); found {
		t.Errorf("found %v although it was removed", got)
	}
}

func TestPutOfNoNightsKeepsNone(t *testing.T) {
	r := known(stay(1, 5, 8, availability.CauseBooking))
	r.Put(stay(1, 5, 5, availability.CauseBooking))
	r.Put(stay(2, 9, 7, availability.CauseBooking))
	if len(r.Stays) > 0 {
		t.Errorf("kept %v", r.Stays)
	}
}

func TestDoubtsEndWhenTheBookingIsRead(t *testing.T) {
	doubtful := func() availability.Record {
		r := known()
		r.AddDoubt(availability.Doubt{Booking: 7, From: day(1), To: day(2), Why: "an older one about the same booking"})
		r.AddDoubt(availability.Doubt{Booking: 7, From: day(10), To: day(12), Why: "b"})
		r.AddDoubt(availability.Doubt{Booking: 8, From: day(10), To: day(11), Why: "c"})
		r.AddDoubt(availability.Doubt{From: day(5), To: day(6), Why: "a"})
		r.AddDoubt(availability.Doubt{From: day(5), To: day(6), Why: "a"})
		return r
	}
	whys := func(r availability.Record) string {
		var all string
		for _, d := range r.Doubts {
			all += d.Why
		}
		return all
	}
	r := doubtful()
	if got := whys(r); got != "abc" {
		t.Errorf("doubts %q, want each once and in order: abc", got)
	}
	r.Put(stay(7, 20, 22, availability.CauseBooking))
	if got := whys(r); got != "ac" {
		t.Errorf("doubts after the booking was read: %q, want ac", got)
	}
	r = doubtful()
	if !r.Remove(7) || r.Remove(0) || whys(r) != "ac" {
		t.Errorf("doubts after the booking was gone: %q, want ac", whys(r))
	}
}

// A doubt of which nobody knows the nights leaves no night free.
func TestDoubtWithoutNightsIsAboutAll(t *testing.T) {
	for _, d := range []availability.Doubt{{}, {From: day(3)}, {To: day(3)}, {From: day(3), To: day(3)}} {
		r := known(stay(1, 2, 4, availability.CauseBooking))
		r.AddDoubt(d)
		for _, span := range r.Stored(day(-5000), day(5000)) {
			if span.State == availability.Free || span.State == availability.Unknown && span.Reason == "" {
				t.Errorf("%v leaves %v", d, span)
			}
		}
	}
}

func TestPrune(t *testing.T) {
	r := known(stay(1, 1, 5, availability.CauseBooking), stay(2, 2, 6, availability.CauseBlock), stay(3, 9, 10, availability.CauseBlock))
	r.AddDoubt(availability.Doubt{Booking: 8, From: day(1), To: day(5), Why: "ends with the first stay"})
	r.AddDoubt(availability.Doubt{From: day(1), To: day(6), Why: "one night more"})
	r.Prune(day(5))
	want := known(stay(2, 2, 6, availability.CauseBlock), stay(3, 9, 10, availability.CauseBlock))
	want.AddDoubt(availability.Doubt{From: day(1), To: day(6), Why: "one night more"})
	if diff := cmp.Diff(want, r, dates); diff != "" {
		t.Errorf("pruned (-want +got):\n%s", diff)
	}
}

// A pruned record says the same of every night that is left.
func TestPruneKeepsTheCalendar(t *testing.T) {
	eachCase(t, func(t *testing.T, g *generator) {
		r, from := g.record(), g.night()
		pruned := r.Clone()
		pruned.Prune(from)
		if got, want := pruned.Stored(from, from.AddDays(2*span)), r.Stored(from, from.AddDays(2*span)); !slices.Equal(got, want) {
			t.Fatalf("%v: pruned from %v:\n%v\nwant\n%v", g, from, got, want)
		}
	})
}

func TestCloneSharesNothing(t *testing.T) {
	r := known(stay(1, 1, 5, availability.CauseBooking), stay(2, 2, 6, availability.CauseBlock))
	r.AddDoubt(availability.Doubt{Booking: 8, From: day(1), To: day(5), Why: "a"})
	clone := r.Clone()
	if !clone.Equal(r) {
		t.Fatal("a clone is not equal")
	}
	clone.Remove(1)
	clone.Put(stay(2, 1, 9, availability.CauseOther))
	clone.Remove(8)
	want := known(stay(1, 1, 5, availability.CauseBooking), stay(2, 2, 6, availability.CauseBlock))
	want.AddDoubt(availability.Doubt{Booking: 8, From: day(1), To: day(5), Why: "a"})
	if diff := cmp.Diff(want, r, dates); diff != "" {
		t.Errorf("changing the clone changed the record (-want +got):\n%s", diff)
	}
}

func TestEqual(t *testing.T) {
	base := func() availability.Record {
		r := known(stay(1, 1, 5, availability.CauseBooking), stay(2, 2, 6, availability.CauseHold))
		r.AddDoubt(availability.Doubt{Booking: 8, From: day(1), To: day(5), Why: "a"})
		return r
	}
	if !base().Equal(base()) {
		t.Error("a record is not equal to its like")
	}
	if !(availability.Record{Stays: []availability.Stay{}}).Equal(availability.Record{}) {
		t.Error("no stays are not equal to no stays")
	}
	for what, change := range map[string]func(*availability.Record){
		"property": func(r *availability.Record) { r.Property++ },
		"name":     func(r *availability.Record) { r.Name = "Oak" },
		"zone":     func(r *availability.Record) { r.Zone = "UTC" },
		"known":    func(r *availability.Record) { r.Known = false },
		"gone":     func(r *availability.Record) { r.Gone = true },
		"cause":    func(r *availability.Record) { r.Stays[0].Cause++ },
		"until":    func(r *availability.Record) { r.Stays[1].Until++ },
		"stay":     func(r *availability.Record) { r.Remove(2) },
		"why":      func(r *availability.Record) { r.Doubts[0].Why = "b" },
		"doubt":    func(r *availability.Record) { r.Remove(8) },
	} {
		if r := base(); true {
			change(&r)
			if r.Equal(base()) || base().Equal(r) {
				t.Errorf("records that differ in their %s are equal", what)
			}
		}
	}
}

func TestEqualDoesNotAllocate(t *testing.T) {
	r := busy(3000)
	r.AddDoubt(availability.Doubt{From: day(1), To: day(2), Why: "a"})
	same := r.Clone()
	if n := testing.AllocsPerRun(10, func() {
		if !r.Equal(same) {
			t.Error("a clone is not equal")
		}
	}); n != 0 {
		t.Errorf("Equal allocates %v times", n)
	}
}

func TestNextLapse(t *testing.T) {
	at := now()
	hold := func(booking int64, until time.Time) availability.Stay {
		s := stay(booking, 1, 5, availability.CauseHold)
		s.Until = until.Unix()
		return s
	}
	r := known(stay(1, 1, 5, availability.CauseHold), hold(2, at.Add(time.Hour)), hold(3, at), hold(4, at.Add(time.Minute)), hold(5, at.Add(-time.Hour)))
	if got, found := r.NextLapse(at); !found || !got.Equal(at.Add(time.Minute)) || got.Location() != time.UTC {
		t.Errorf("next lapse %v, %v; want that of booking 4", got, found)
	}
	if got, found := r.NextLapse(at.Add(2 * time.Hour)); found {
		t.Errorf("next lapse %v although all have lapsed", got)
	}
	r.Gone = true
	if got, found := r.NextLapse(at); found {
		t.Errorf("next lapse %v of a property that is gone", got)
	}
}
