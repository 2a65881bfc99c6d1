package lookup_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// scenario is a lookup whose every request is hit by every kind of fault.
type scenario struct {
	name   string
	quirks ownerreztest.Quirks
	build  func(h *house) // the world, and what was looked up before
	upset  func(h *house) // what changes before the lookup that is hit
}

func scenarios() []scenario {
	return []scenario{
		{"first", ownerreztest.Quirks{}, smallWorld, nil},
		{"full", ownerreztest.Quirks{CountOnBookings: true}, func(h *house) { smallWorld(h); h.settle(3) }, upset},
		{"listing", ownerreztest.Quirks{}, func(h *house) { smallWorld(h); h.settle(3); wait(7 * time.Hour); h.settle(2); wait(6 * time.Hour) }, upset},
		{"first-large", ownerreztest.Quirks{MaxLimit: 20}, largeWorld, nil},
		{"increment", ownerreztest.Quirks{MaxLimit: 20}, func(h *house) { largeWorld(h); h.settle(3) }, upsetWithoutDelete},
	}
}

// smallWorld fits one answer: two properties with stays and one without.
func smallWorld(h *house) {
	h.property(4401, "America/Chicago")
	h.property(4402, "Pacific/Auckland")
	h.property(4403, "")
	for i := range 5 {
		h.book(4401, 5+20*i, 3)
		h.book(4402, -2+15*i, 5)
	}
	wait(time.Minute)
}

// largeWorld does not: its lookups use increments.
func largeWorld(h *house) {
	h.property(4401, "America/Chicago")
	h.property(4402, "Pacific/Auckland")
	h.property(4403, "")
	for i := range 13 {
		h.book(4401, -20+20*i, 3)
		h.book(4402, -2+15*i, 5)
	}
	for i := range 30 {
		h.book(4403, 3+10*i, 4)
	}
	wait(time.Minute)
	h.change(func() { // one that was changed after it was made: increments can prove themselves by it
		h.server.Update(testAccount, h.bookings()[3], func(b *ownerreztest.Booking) { b.Title = "changed" })
	})
	wait(time.Minute)
}

// upset makes one change of each kind.
func upset(h *house) {
	ids := h.bookings()
	upsetWithoutDelete(h)
	h.change(func() { h.server.Delete(testAccount, ids[4]) })
}

// upsetWithoutDelete makes those that an increment shows.
func upsetWithoutDelete(h *house) {
	ids := h.bookings()
	h.book(4401, 100, 9)
	h.change(func() {
		h.server.Update(testAccount, ids[0], func(b *ownerreztest.Booking) {
			b.Arrival, b.Departure = b.Arrival.AddDays(2), b.Departure.AddDays(4)
		})
		h.server.Update(testAccount, ids[1], func(b *ownerreztest.Booking) { b.PropertyID = 4403 })
		h.server.Cancel(testAccount, ids[2])
	})
}

// undetectable lists, as scenario/request/fault, what no client can tell from the truth: an answer that looks
// whole, without rows that nothing else in the same lookup has shown. It hides properties until the next list
// (six hours), and stays until the next full read (a day at most, 15 minutes where the account fits one answer).
func undetectable() []string {
	return []string{
		// The first list of properties lacks some.
		"first/2/first row dropped", "first/2/rows dropped", "first/2/page cut and closed",
		"first-large/2/first row dropped", "first-large/2/rows dropped", "first-large/2/page cut and closed",
		// A property's first read lacks some of its stays, but not all.
		"first/3/first row dropped", "first/3/page cut and closed",
		"first-large/3/page cut and closed", "first-large/5/page cut and closed",
		"first-large/7/page cut and closed", "first-large/9/page cut and closed",
		// An increment lacks changes.
		"increment/1/first row dropped", "increment/1/rows dropped", "increment/1/all rows dropped",
		"increment/1/page cut and closed", "increment/1/empty page", "increment/1/items null",
	}
}

func TestEveryRequestHitByEveryFault(t *testing.T) {
	for _, sc := range scenarios() {
		for n := 1; n <= requestsOf(t, sc); n++ {
			for _, fault := range ownerreztest.AllFaults() {
				t.Run(fmt.Sprintf("%s/%d/%s", sc.name, n, fault), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) { hit(t, sc, n, fault) })
				})
			}
		}
	}
}

// requestsOf counts the requests of a scenario's lookup without a fault.
func requestsOf(t *testing.T, sc scenario) (n int) {
	t.Run(sc.name+"/without", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse(t, sc.quirks)
			sc.build(h)
			if sc.upset != nil {
				sc.upset(h)
			}
			wait(15 * time.Minute)
			before := h.server.Count()
			out := h.lookup()
			n = h.server.Count() - before
			if diff := h.differences(); len(diff) > 0 {
				t.Errorf("%v, %d differ: %s", out, len(diff), diff[0])
			}
			if strings.HasPrefix(sc.name, "increment") && out.Kind != "increment" {
				t.Errorf("the lookup was %s, not an increment", out.Kind)
			}
		})
	})
	return n
}

func hit(t *testing.T, sc scenario, n int, fault ownerreztest.Action) {
	h := newHouse(t, sc.quirks)
	sc.build(h)
	if sc.upset != nil {
		sc.upset(h)
	}
	wait(15 * time.Minute)
	h.blind = slices.Contains(undetectable(), fmt.Sprintf("%s/%d/%s", sc.name, n, fault))
	h.server.Fault(ownerreztest.Fault{N: n, Do: fault})
	h.lookup()
	h.server.ClearFaults()
	if h.blind {
		if len(h.differences()) == 0 {
			t.Error("listed as undetectable, and it was detected, or hid nothing")
		}
		wait(15 * time.Minute)
		h.run(true)
	}
	h.blind = false
	h.settle(8)
}

// Two more cases that no client can tell from the truth, in which rows are missing that are not hit by chance: a
// full read without a new stay, and a stay that is neither listed nor found by its id, while others are. The next
// read finds them.
func TestWhatNoClientCanTell(t *testing.T) {
	t.Run("a full read lacks only a new stay", func(t *testing.T) {
		inHouse(t, smallWorld, func(t *testing.T, h *house) {
			fresh := h.book(4401, 200, 5)
			hide(t, h, fresh, ownerreztest.MatchBookings)
		})
	})
	t.Run("a stay is neither listed nor found", func(t *testing.T) {
		inHouse(t, smallWorld, func(t *testing.T, h *house) {
			known := h.bookings()[1]
			hide(t, h, known, func(r *http.Request) bool {
				return ownerreztest.MatchBookings(r) || ownerreztest.MatchBooking(known)(r)
			})
		})
	})
}

func hide(t *testing.T, h *house, id int64, match func(*http.Request) bool) {
	t.Helper()
	h.server.Fault(ownerreztest.Fault{Match: match, Times: -1, Do: ownerreztest.DropRows(func(row int64) bool { return row == id })})
	wait(15 * time.Minute)
	h.blind = true
	h.lookup()
	if len(h.falselyFree(h.snapshot())) == 0 {
		t.Error("listed as undetectable, and it was detected, or hid nothing")
	}
	h.server.ClearFaults()
	wait(15 * time.Minute)
	h.lookup()
	h.blind = false
	h.settle(1)
}
