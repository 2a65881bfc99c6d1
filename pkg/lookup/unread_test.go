package lookup_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// A booking leaves its nights, to other ones or to another property, another one takes them, and OwnerRez answers what asks
// for the booking by its id, or for its new property, but not for the old one: what took the nights was not seen, so they
// are not shown free.
func TestNightsOfUnreadProperty(t *testing.T) {
	leave := map[string]func(*ownerreztest.Booking){
		"to other nights": func(b *ownerreztest.Booking) {
			b.Arrival, b.Departure = b.Arrival.AddDays(400), b.Departure.AddDays(400)
		},
		"to another property": func(b *ownerreztest.Booking) {
			b.PropertyID, b.Arrival, b.Departure = 4402, b.Arrival.AddDays(400), b.Departure.AddDays(400)
		},
	}
	faults := map[string]ownerreztest.Fault{
		"lists":    {Match: ownerreztest.MatchBookings, Times: -1, Do: ownerreztest.Status(500)},
		"property": {Match: ownerreztest.MatchProperty(4401), Times: -1, Do: ownerreztest.Status(500)},
	}
	for where, move := range leave {
		for what, fault := range faults {
			t.Run(where+", "+what, func(t *testing.T) {
				inHouse(t, smallWorld, func(t *testing.T, h *house) {
					day := ownerrez.DateOf(time.Now().UTC()).AddDays(200)
					old := ownerreztest.Booking{PropertyID: 4401, Arrival: day, Departure: day.AddDays(5)}
					var id int64
					h.change(func() { id = h.server.Put(testAccount, old) })
					wait(time.Second)
					h.webhook(id)
					h.equal("the booking")
					wait(2 * time.Minute)
					h.change(func() {
						h.server.Put(testAccount, old)
						h.server.Update(testAccount, id, move)
					})
					h.server.Fault(fault)
					for range 4 {
						h.webhook(id)
						for _, night := range h.falselyFree(h.snapshot()) {
							t.Errorf("false free: %s", night)
						}
						wait(16 * time.Minute)
					}
					h.server.ClearFaults()
					h.settle(3)
					h.equal("the fault")
				})
			})
		}
	}
}

// A webhook tells of a booking that has not changed. While it is asked for by its id, after the list was read, it leaves its
// nights, and another one takes them: what the list did not show yet is not shown free.
func TestNotedBookingMovesWhileItIsAskedFor(t *testing.T) {
	for name, change := range map[string]func(*house, int64){
		"to other nights": func(h *house, id int64) {
			h.server.Update(testAccount, id, func(b *ownerreztest.Booking) {
				b.Arrival, b.Departure = b.Arrival.AddDays(400), b.Departure.AddDays(400)
			})
		},
		"to another property": func(h *house, id int64) {
			h.server.Update(testAccount, id, func(b *ownerreztest.Booking) { b.PropertyID = 4402 })
		},
		"canceled": func(h *house, id int64) { h.server.Cancel(testAccount, id) },
	} {
		t.Run(name, func(t *testing.T) {
			inHouse(t, bigWorld, func(t *testing.T, h *house) {
				soon := ownerrez.DateOf(time.Now().UTC()).AddDays(20)
				all := h.server.Bookings(testAccount)
				old := all[slices.IndexFunc(all, func(b ownerreztest.Booking) bool {
					return b.PropertyID == 4401 && b.Status == "active" && b.Arrival.After(soon)
				})]
				id := old.ID
				wait(16 * time.Minute)
				h.lookup()
				wait(time.Minute)
				asked := false
				h.server.Fault(ownerreztest.Fault{Times: -1, Do: ownerreztest.Status(500), Match: func(r *http.Request) bool {
					if ownerreztest.MatchByID(r) && !asked {
						asked = true
						h.change(func() {
							h.server.Put(testAccount, ownerreztest.Booking{PropertyID: 4401, Arrival: old.Arrival, Departure: old.Departure})
							change(h, id)
						})
					}
					return false
				}})
				h.webhook(id)
				if !asked {
					t.Fatal("it was not asked for")
				}
				for _, night := range h.falselyFree(h.snapshot()) {
					t.Errorf("false free: %s", night)
				}
				wait(16 * time.Minute)
				h.settle(1)
				h.equal("a lookup")
			})
		})
	}
}
