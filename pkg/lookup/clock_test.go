package lookup_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// Around midnight, and where the clock is changed, today is the property's own, the window moves with it, and its
// moving edge is no change: nothing is published, and no record written.
func TestMidnightAndClockChanges(t *testing.T) {
	at := func(zone, local string) (time.Time, string) {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		moment, err := time.ParseInLocation("2006-01-02 15:04", local, loc)
		if err != nil {
			t.Fatal(err)
		}
		return moment, zone
	}
	for _, moment := range []struct{ zone, local, today string }{
		{"Pacific/Honolulu", "2000-02-10 23:30", "2000-02-10"},
		{"Pacific/Honolulu", "2000-02-11 00:30", "2000-02-11"},
		{"Pacific/Auckland", "2000-02-10 23:30", "2000-02-10"},
		{"Pacific/Auckland", "2000-02-11 00:30", "2000-02-11"},
		{"Pacific/Auckland", "2000-03-19 00:30", "2000-03-19"}, // the day on which summer time ended
		{"Pacific/Auckland", "2000-03-19 23:30", "2000-03-19"}, // … has 25 hours
		{"Pacific/Auckland", "2000-03-20 00:30", "2000-03-20"},
		{"Pacific/Auckland", "2000-10-01 00:30", "2000-10-01"}, // the day on which it began
		{"Pacific/Auckland", "2000-10-01 23:30", "2000-10-01"}, // … has 23 hours
		{"Pacific/Auckland", "2000-10-02 00:30", "2000-10-02"},
	} {
		t.Run(moment.zone+" "+moment.local, func(t *testing.T) {
			when, zone := at(moment.zone, moment.local)
			inHouse(t, func(h *house) {
				h.property(4401, zone)
				for i := range 30 {
					h.book(4401, 30*i-20, 3)
				}
			}, func(t *testing.T, h *house) {
				wait(time.Until(when.Add(-2 * time.Hour)))
				h.settle(1)
				events, seq := len(h.heard.events), h.snapshot().Account.Seq
				wait(time.Until(when))
				h.lookup()
				today, err := ownerrez.ParseDate(moment.today)
				if err != nil {
					t.Fatal(err)
				}
				checkWindow(t, h, today)
				if len(h.heard.events) != events || h.snapshot().Account.Seq != seq {
					t.Errorf("%d events were published although nothing changed", len(h.heard.events)-events)
				}
				if diff := h.differences(); len(diff) > 0 {
					t.Errorf("%d nights differ: %s", len(diff), diff[0])
				}
			})
		})
	}
}

// checkWindow fails unless exactly the nights from 30 days before today to 730 days after it are shown.
func checkWindow(t *testing.T, h *house, today ownerrez.Date) {
	t.Helper()
	first, end := today.AddDays(-lookup.WindowPast), today.AddDays(lookup.WindowAhead)
	nights := h.snapshot().Show(h.job.Settings, time.Now(), 4401, first.AddDays(-2), end.AddDays(2))
	for _, night := range nights {
		inside := !night.Date.Before(first) && night.Date.Before(end)
		if known := night.State != availability.Unknown; known != inside {
			t.Errorf("the night of %s is %s (%s); today is %s", night.Date, night.State, night.Reason, today)
		}
	}
}

// A lapsed hold is unknown until OwnerRez was asked, and a lookup is due as soon as it lapses.
func TestHoldLapses(t *testing.T) {
	for name, world := range map[string]func(*house){"small": smallWorld, "large": bigWorld} {
		t.Run(name, func(t *testing.T) {
			inHouse(t, world, func(t *testing.T, h *house) {
				until := time.Now().Add(20 * time.Minute).Truncate(time.Second)
				hold := h.hold(4401, 640, until)
				wait(time.Minute)
				h.lookup()
				wait(15 * time.Minute)
				h.lookup() // from now on an increment does not show the hold any more
				night := ownerrez.DateOf(time.Now().UTC()).AddDays(640)
				state := func() availability.Night {
					return h.snapshot().Show(h.job.Settings, time.Now(), 4401, night, night.AddDays(1))[0]
				}
				if got := state(); got.State != availability.Taken || got.Cause != availability.CauseHold || !got.Until.Equal(until) {
					t.Errorf("before it lapses: %+v, want a hold until %s", got, until)
				}
				if lapse := h.snapshot().Account.NextLapse; !lapse.Equal(until) {
					t.Errorf("the next lapse is %s, want %s", lapse, until)
				}
				wait(time.Until(until) + time.Second)
				if got := state(); got.State != availability.Unknown {
					t.Errorf("when it has lapsed: %+v", got)
				}
				woken := 0
				if err := h.job.Tick(t.Context(), func(_ context.Context, w lookup.Wake) error { woken++; return nil }); err != nil || woken != 1 {
					t.Errorf("a tick woke %d lanes, %v", woken, err)
				}
				requests := h.server.Count()
				h.lookup()
				if got := state(); got.State != availability.Unknown {
					t.Errorf("when OwnerRez still has it: %+v", got)
				}
				asked := slices.ContainsFunc(h.server.Requests()[requests:], func(r ownerreztest.Request) bool {
					return strings.HasSuffix(r.Path, fmt.Sprintf("/%d", hold))
				})
				if large := name == "large"; asked != large { // a full read has shown it already
					t.Errorf("asked for the hold by its id: %v", asked)
				}
				h.change(func() { h.server.Delete(testAccount, hold) })
				wait(time.Hour + time.Minute)
				h.lookup()
				if got := state(); got.State != availability.Free {
					t.Errorf("when it is gone: %+v", got)
				}
			})
		})
	}
}
