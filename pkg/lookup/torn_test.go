package lookup_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// replaced makes a booking at property 4401, in 200 days.
func (h *house) replaced() ownerreztest.Booking {
	day := ownerrez.DateOf(time.Now().UTC()).AddDays(200)
	b := ownerreztest.Booking{PropertyID: 4401, Arrival: day, Departure: day.AddDays(5)}
	h.change(func() { b.ID = h.server.Put(testAccount, b) })
	return b
}

func farAway(b *ownerreztest.Booking) {
	b.Arrival, b.Departure = b.Arrival.AddDays(500), b.Departure.AddDays(500)
}
func nextDoor(b *ownerreztest.Booking) { b.PropertyID = 4402 }

// trustful fails if a night is shown free that is taken, and at last unless the calendar is the truth.
func (h *house) trustful(after string) {
	h.t.Helper()
	for _, night := range h.falselyFree(h.snapshot()) {
		h.t.Errorf("false free after %s: %s", after, night)
	}
	h.server.ClearFaults()
	h.settle(2)
}

// Between two answers of one lookup a booking leaves nights that were answered already for ones that are answered later.
func TestBookingMovesBetweenAnswers(t *testing.T) {
	for name, leave := range map[string]func(*ownerreztest.Booking){"to later nights": farAway, "to the next property": nextDoor} {
		t.Run(name, func(t *testing.T) {
			inHouse(t, func(h *house) {
				h.server.SetQuirks(ownerreztest.Quirks{MaxLimit: 20})
				bigWorld(h)
			}, func(t *testing.T, h *house) {
				old := h.replaced()
				wait(time.Minute)
				h.run(true)
				wait(time.Minute)
				moved := false
				h.server.Fault(ownerreztest.Fault{Times: -1, Do: ownerreztest.Status(500), Match: func(r *http.Request) bool {
					from, err := ownerrez.ParseDate(r.URL.Query().Get("from"))
					passed := err == nil && from.After(old.Departure) || ownerreztest.MatchProperty(4402)(r)
					if passed && !moved {
						moved = true
						h.change(func() { h.displace(old.ID, leave) })
					}
					return false
				}})
				h.run(true)
				if !moved {
					t.Fatal("it did not move")
				}
				h.trustful("the lookup")
			})
		})
	}
}

// A booking is met at its new property, while the list of its old one fails.
func TestBookingMovesFromUnreadProperty(t *testing.T) {
	inHouse(t, smallWorld, func(t *testing.T, h *house) {
		old := h.replaced()
		wait(time.Minute)
		h.lookup()
		h.server.Fault(ownerreztest.Fault{Times: -1, Match: ownerreztest.MatchBookings, Do: ownerreztest.Status(500)})
		wait(16 * time.Minute)
		h.lookup() // the next one asks for each property
		h.server.ClearFaults()
		h.change(func() { h.displace(old.ID, nextDoor) })
		h.server.Fault(ownerreztest.Fault{Times: -1, Match: ownerreztest.MatchProperty(4401), Do: ownerreztest.Status(500)})
		wait(16 * time.Minute)
		h.lookup()
		if home := h.homes(old.ID); len(home) != 1 || home[0] != 4402 {
			t.Fatalf("it stands in %v", home)
		}
		h.trustful("the lookup")
	})
}

// homes lists the properties where a booking's stay is stored.
func (h *house) homes(booking int64) (properties []int64) {
	for _, rec := range h.snapshot().Records {
		if _, there := rec.Find(booking); there {
			properties = append(properties, rec.Property)
		}
	}
	return properties
}

// crowd adds more bookings than an answer holds, to properties from 4401 on.
func (h *house) crowd(from ownerrez.Date, properties int) {
	h.change(func() {
		for i := range 120 {
			arrival := from.AddDays(2 * i)
			h.server.Put(testAccount, ownerreztest.Booking{PropertyID: 4401 + int64(i%properties), Arrival: arrival, Departure: arrival.AddDays(1)})
		}
	})
}

// An increment says that a booking has left a property of which another change was not read: it had more than an answer
// holds, and cannot be read in full since.
func TestBookingLeavesMarkedProperty(t *testing.T) {
	inHouse(t, bigWorld, func(t *testing.T, h *house) {
		old := h.replaced()
		wait(16 * time.Minute)
		h.lookup()
		wait(16 * time.Minute)
		h.crowd(old.Arrival.AddDays(40), 1)
		h.change(func() {
			h.server.Put(testAccount, ownerreztest.Booking{PropertyID: 4401, Arrival: old.Arrival, Departure: old.Departure})
		})
		h.server.Fault(ownerreztest.Fault{Times: -1, Do: ownerreztest.Status(500), Match: func(r *http.Request) bool {
			return ownerreztest.MatchProperty(4401)(r) && r.URL.Query().Get("from") != ""
		}})
		wait(time.Minute)
		h.lookup()
		if h.snapshot().Account.Properties[4401].Mark == nil {
			t.Fatal("it is not marked")
		}
		wait(16 * time.Minute)
		h.lookup() // the next one asks only for what has changed since shortly before this one
		wait(16 * time.Minute)
		h.change(func() { h.server.Update(testAccount, old.ID, nextDoor) })
		wait(time.Minute)
		if out := h.lookup(); out.Kind != "increment" {
			t.Fatalf("%+v", out)
		}
		h.trustful("the increment")
	})
}

// An increment comes in several answers, and a booking leaves a property that was answered already.
func TestBookingMovesBetweenAnswersOfIncrement(t *testing.T) {
	inHouse(t, bigWorld, func(t *testing.T, h *house) {
		old := h.replaced()
		wait(16 * time.Minute)
		h.lookup()
		wait(16 * time.Minute)
		h.crowd(old.Arrival.AddDays(40), 2)
		wait(time.Minute)
		moved := false
		h.server.Fault(ownerreztest.Fault{Times: -1, Do: ownerreztest.Status(500), Match: func(r *http.Request) bool {
			switch q := r.URL.Query(); {
			case q.Get("property_ids") == "4402" && !moved:
				moved = true
				h.change(func() { h.displace(old.ID, nextDoor) })
			case q.Get("from") != "" && moved:
				return true
			}
			return false
		}})
		if out := h.lookup(); out.Kind != "increment" || !moved {
			t.Fatalf("moved: %v, %+v", moved, out)
		}
		h.trustful("the increment")
	})
}

// A list shows that a booking has left its nights, and lacks the one that has taken them. It lacks another one too, which is
// there by its id: that proves it incomplete. The same when the nights were in doubt before.
func TestBookingLeavesByIncompleteList(t *testing.T) {
	for _, before := range []bool{false, true} {
		inHouse(t, smallWorld, func(t *testing.T, h *house) {
			old := h.replaced()
			wait(time.Minute)
			h.lookup()
			wait(16 * time.Minute)
			h.change(func() { h.displace(old.ID, nextDoor) })
			if before { // the list is never seen, and the booking is met next door
				h.server.Fault(ownerreztest.Fault{Match: ownerreztest.MatchBookings, Times: -1, Do: ownerreztest.Status(500)})
				h.lookup()
				h.server.ClearFaults()
				h.server.Fault(ownerreztest.Fault{Match: ownerreztest.MatchProperty(4401), Times: -1, Do: ownerreztest.Status(500)})
				wait(16 * time.Minute)
				h.lookup()
				h.server.ClearFaults()
				wait(16 * time.Minute)
			}
			lacks := map[int64]bool{h.bookings()[0]: true, h.bookings()[len(h.bookings())-1]: true}
			h.server.Fault(ownerreztest.Fault{
				Match: ownerreztest.MatchBookings, Times: -1, Do: ownerreztest.DropRows(func(id int64) bool { return lacks[id] }),
			})
			h.lookup()
			if h.snapshot().Account.Properties[4401].Mark == nil {
				t.Fatal("the list is believed")
			}
			h.trustful("the list")
		})
	}
}
