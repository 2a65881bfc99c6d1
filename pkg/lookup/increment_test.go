package lookup_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// A full read that fails makes its property older, also where an increment shows the account's changes.
func TestFullReadThatFailsBesideAnIncrement(t *testing.T) {
	inHouse(t, bigWorld, func(t *testing.T, h *house) {
		wait(25 * time.Hour) // full reads are due
		h.server.Fault(ownerreztest.Fault{Match: func(r *http.Request) bool {
			return ownerreztest.MatchProperty(4402)(r) && ownerreztest.MatchBookings(r)
		}, Times: -1, Do: ownerreztest.Status(500)})
		old := h.snapshot().AsOf(4402)
		for range 3 {
			if out := h.lookup(); out.Kind != "increment" {
				t.Fatalf("the lookup was %s", out.Kind)
			}
			wait(15 * time.Minute)
		}
		snap := h.snapshot()
		if !snap.AsOf(4402).Equal(old) {
			t.Errorf("the property whose full read failed is as of %s, it was last read well at %s", snap.AsOf(4402), old)
		}
		if age := time.Since(snap.AsOf(4401)); age > 20*time.Minute {
			t.Errorf("the other property is %s old", age)
		}
		h.server.ClearFaults()
		h.settle(2)
	})
}

// A change that increments failed to show is found by the next full read, and increments are then not trusted for
// a day.
func TestIncrementThatMissesAChange(t *testing.T) {
	inHouse(t, bigWorld, func(t *testing.T, h *house) {
		for range 8 {
			wait(15 * time.Minute)
			h.lookup()
		}
		hour := time.Now().Add(-time.Hour)
		h.change(func() { // one that increments have been past already
			b := h.server.Bookings(testAccount)[20]
			b.Arrival, b.Departure, b.UpdatedUTC = b.Arrival.AddDays(1), b.Departure.AddDays(1), hour
			h.server.Put(testAccount, b)
		})
		h.blind = true // until the full read nobody can know
		wait(25 * time.Hour)
		if out := h.lookup(); out.Kind != "increment" {
			t.Fatalf("the lookup was %s", out.Kind)
		}
		h.blind = false
		h.check()
		if row := h.snapshot().Account; row.Misses != 1 || !row.FullUntil.After(time.Now()) {
			t.Errorf("%d misses, read in full until %s", row.Misses, row.FullUntil)
		}
		wait(15 * time.Minute)
		if out := h.lookup(); out.Kind != "full" {
			t.Errorf("after a miss the lookup was %s", out.Kind)
		}
		h.change(func() {
			h.server.Update(testAccount, h.bookings()[40], func(b *ownerreztest.Booking) { b.Title = "changed" })
		})
		wait(25 * time.Hour)
		h.lookup()
		wait(15 * time.Minute)
		if out := h.lookup(); out.Kind != "increment" {
			t.Errorf("a day later, after a new proof, the lookup was %s", out.Kind)
		}
	})
}

// Where since_utc only shows what is new, increments are never used, however large the account.
func TestIncrementsThatShowOnlyWhatIsNew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, ownerreztest.Quirks{SinceIsCreation: true})
		bigWorld(h)
		for range 4 {
			wait(15 * time.Minute)
			if out := h.lookup(); out.Kind != "full" {
				t.Errorf("the lookup was %s", out.Kind)
			}
		}
	})
}

// More changes than one answer holds are asked for per property, and a property with too many is read in full.
func TestManyChangesAtOnce(t *testing.T) {
	for name, rows := range map[string]int{"per property": 100, "in full": 20} {
		t.Run(name, func(t *testing.T) { manyChanges(t, rows) })
	}
}

func manyChanges(t *testing.T, rows int) {
	inHouse(t, bigWorld, func(t *testing.T, h *house) {
		h.server.SetQuirks(ownerreztest.Quirks{MaxLimit: rows})
		h.change(func() {
			for i, id := range h.bookings() {
				if i%2 == 0 || i < 130 {
					h.server.Update(testAccount, id, func(b *ownerreztest.Booking) { b.Departure = b.Departure.AddDays(1) })
				}
			}
		})
		requests := h.server.Count()
		wait(15 * time.Minute)
		h.lookup()
		if diff := h.differences(); len(diff) > 0 {
			t.Errorf("%d nights differ: %s", len(diff), diff[0])
		}
		increments := 0
		for _, r := range h.server.Requests()[requests:] {
			if strings.Contains(r.Query, "since_utc") {
				increments++
			}
		}
		if increments != 3 { // all at once, then each of two properties
			t.Errorf("%d increments were asked for", increments)
		}
	})
}
