package availability_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// view is a look at a record that was read 10 minutes ago and is good for an hour; nights are looked up from 5 to 25.
func view() availability.View {
	return availability.View{Now: now(), AsOf: now().Add(-10 * time.Minute), StaleAfter: time.Hour,
		Window: availability.Range{From: day(5), To: day(25)}}
}

// hold is one of the nights 10 and 11.
func hold(booking int64, until time.Time) availability.Stay {
	s := stay(booking, 10, 12, availability.CauseHold)
	s.Until = until.Unix()
	return s
}

func TestShow(t *testing.T) {
	const (
		booking, block = availability.CauseBooking, availability.CauseBlock
		lapsedReason   = "a hold lapsed, OwnerRez has not been asked yet"
		outside        = "not looked up: outside the nights that are looked up (2026-12-05 through 2026-12-24)"
	)
	type night = availability.Night
	stale := view()
	stale.AsOf = now().Add(-3 * time.Hour)
	justFresh := view()
	justFresh.AsOf = now().Add(-time.Hour)
	never := view()
	never.AsOf = time.Time{}
	doubt := func(r availability.Record) availability.Record {
		r.AddDoubt(availability.Doubt{Booking: 9, From: day(1), To: day(30), Why: "the row has no property"})
		return r
	}
	gone := known(stay(1, 10, 12, booking))
	gone.Gone = true
	later := now().Add(time.Minute)
	free := night{State: availability.Free}
	unknown := func(reason string) night { return night{Reason: reason} }
	taken := func(cause availability.Cause, booking int64, also ...availability.Also) night {
		return night{State: availability.Taken, Cause: cause, Booking: booking, Also: also}
	}
	tests := map[string]struct {
		record availability.Record
		view   availability.View
		night  int
		want   night
	}{
		"free":                              {known(), view(), 10, free},
		"taken":                             {known(stay(1, 10, 12, booking)), view(), 10, taken(booking, 1)},
		"the day of departure":              {known(stay(1, 10, 12, booking)), view(), 12, free},
		"several: the strongest first":      {known(stay(1, 9, 12, block), stay(2, 9, 12, booking), stay(3, 9, 12, block)), view(), 10, taken(booking, 2, availability.Also{Cause: block, Booking: 1}, availability.Also{Cause: block, Booking: 3})},
		"the first night that is looked up": {known(), view(), 5, free},
		"the last one":                      {known(), view(), 24, free},
		"before the window":                 {known(stay(1, 1, 12, booking)), view(), 4, unknown(outside)},
		"beyond the window":                 {known(stay(1, 10, 30, booking)), view(), 25, unknown(outside)},
		"stale: free is unknown":            {known(), stale, 10, unknown("last read 3 hours ago, which is too long to call it free")},
		"stale: taken stays taken":          {known(stay(1, 10, 12, booking)), stale, 10, taken(booking, 1)},
		"not older than allowed":            {known(), justFresh, 10, free},
		"never read":                        {known(stay(1, 10, 12, booking)), never, 10, unknown("never read: no lookup of this property has been complete yet")},
		"no baseline":                       {availability.Record{Stays: []availability.Stay{stay(1, 10, 12, booking)}}, view(), 10, unknown("never read: no lookup of this property has been complete yet")},
		"gone":                              {gone, view(), 10, unknown("gone: the property is inactive, or OwnerRez has it no more")},
		"gone, outside":                     {gone, view(), 30, unknown(outside)},
		"a hold":                            {known(hold(1, later)), view(), 10, night{State: availability.Taken, Cause: availability.CauseHold, Booking: 1, Until: later.Truncate(time.Second)}},
		"a hold without a time":             {known(stay(1, 10, 12, availability.CauseHold)), view(), 10, taken(availability.CauseHold, 1)},
		"a lapsed hold":                     {known(hold(1, now().Add(-time.Second))), view(), 10, unknown(lapsedReason)},
		"a hold that lapses now":            {known(hold(1, now())), view(), 10, unknown(lapsedReason)},
		"a lapsed hold over a block":        {known(hold(1, now()), stay(2, 10, 12, block)), view(), 10, taken(block, 2)},
		"a lapsed hold under a booking":     {known(hold(1, now()), stay(2, 10, 12, booking)), view(), 10, taken(booking, 2)},
		"a lapsed hold beside a live one":   {known(hold(1, now()), hold(2, later)), view(), 10, night{State: availability.Taken, Cause: availability.CauseHold, Booking: 2, Until: later}},
		"a lapsed hold in stale data":       {known(hold(1, now())), stale, 10, unknown(lapsedReason)},
		"a doubt":                           {doubt(known()), view(), 10, unknown("the row has no property")},
		"a doubt under a stay":              {doubt(known(stay(1, 10, 12, block))), view(), 10, taken(block, 1)},
		"a doubt under a lapsed hold":       {doubt(known(hold(1, now()))), view(), 10, unknown(lapsedReason)},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.want.Date = day(test.night)
			got := test.record.Show(test.view, day(test.night), day(test.night+1))
			if diff := cmp.Diff([]night{test.want}, got, dates); diff != "" {
				t.Errorf("shown (-want +got):\n%s", diff)
			}
			if len(got) > 0 && got[0].Until != test.want.Until {
				t.Errorf("until %v, want %v in UTC", got[0].Until, test.want.Until)
			}
		})
	}
}

// Whatever range is asked for, each of its nights is there once, in order, with what it needs.
func TestShowHoldsEveryNightOnce(t *testing.T) {
	r := busy(200)
	v := view()
	v.Window = availability.Range{From: today().AddDays(-30), To: today().AddDays(730)}
	for _, asked := range []availability.Range{
		{From: today(), To: today().AddDays(731)},
		{From: today().AddDays(-100), To: today().AddDays(900)},
		{From: today().AddDays(-100), To: today().AddDays(-90)},
		{From: today().AddDays(800), To: today().AddDays(900)},
		{From: today(), To: today()},
		{From: today(), To: today().AddDays(-1)},
		{To: today()},
	} {
		got := r.Show(v, asked.From, asked.To)
		want := 0
		if !asked.From.IsZero() {
			want = max(0, asked.From.DaysUntil(asked.To))
		}
		if len(got) != want {
			t.Fatalf("%v: %d nights, want %d", asked, len(got), want)
		}
		for i, n := range got {
			if n.Date != asked.From.AddDays(i) || (n.Reason != "") != (n.State == availability.Unknown) ||
				(n.Cause != 0) != (n.State == availability.Taken) || (n.Booking != 0) != (n.State == availability.Taken) {
				t.Errorf("%v: night %d is %v", asked, i, n)
			}
		}
	}
}

// A clock change takes or adds an hour, never a night, and a day in Auckland is the day that its calendar says.
func TestNightsDoNotKnowClockChanges(t *testing.T) {
	auckland, err := time.LoadLocation("Pacific/Auckland")
	if err != nil {
		t.Skip("no time zone data:", err)
	}
	for _, at := range []time.Time{ // the switches of 2026, at both sides of midnight
		time.Date(2026, time.April, 4, 23, 30, 0, 0, auckland), time.Date(2026, time.April, 5, 0, 30, 0, 0, auckland),
		time.Date(2026, time.September, 26, 23, 30, 0, 0, auckland), time.Date(2026, time.September, 27, 0, 30, 0, 0, auckland),
	} {
		today := ownerrez.Today(at, auckland)
		if today.String() != at.Format(time.DateOnly) {
			t.Fatalf("today at %v is %v", at, today)
		}
		r := availability.Record{Known: true}
		r.Put(availability.Stay{Booking: 1, Arrival: today.AddDays(-1), Departure: today.AddDays(2), Cause: availability.CauseBooking})
		v := availability.View{Now: at, AsOf: at, StaleAfter: time.Hour, Window: availability.Range{From: today.AddDays(-30), To: today.AddDays(730)}}
		var got strings.Builder
		for _, n := range r.Show(v, today.AddDays(-3), today.AddDays(4)) {
			got.WriteByte(n.State.String()[0])
		}
		if got.String() != "fftttff" {
			t.Errorf("at %v: nights %s, want fftttff", at, got.String())
		}
	}
}

func TestAge(t *testing.T) {
	tests := map[time.Duration]string{
		-time.Hour:                    "less than a minute",
		0:                             "less than a minute",
		time.Minute - 1:               "less than a minute",
		time.Minute:                   "1 minute",
		2*time.Minute - 1:             "1 minute",
		2 * time.Minute:               "2 minutes",
		90 * time.Minute:              "90 minutes",
		2*time.Hour - 1:               "119 minutes",
		3 * time.Hour:                 "3 hours",
		47*time.Hour + 59*time.Minute: "47 hours",
		48 * time.Hour:                "2 days",
		400 * 24 * time.Hour:          "400 days",
		time.Duration(1<<63 - 1):      "106751 days",
	}
	for d, want := range tests {
		if got := availability.Age(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}
