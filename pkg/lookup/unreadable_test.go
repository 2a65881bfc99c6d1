package lookup_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// unreadable changes the row of a booking, wherever OwnerRez shows it in a list.
func (h *house) unreadable(booking int64, change func(row map[string]any)) {
	h.server.Fault(ownerreztest.Fault{
		Match: ownerreztest.MatchBookings, Times: -1,
		Do: ownerreztest.EditRows("unreadable row", func(rows []any) []any {
			for _, row := range rows {
				if o, ok := row.(map[string]any); ok && fmt.Sprint(o["id"]) == fmt.Sprint(booking) {
					change(o)
				}
			}
			return rows
		}),
	})
}

// An increment shows a booking without its property, and by its id it cannot be had: it may have moved, so that it takes
// nights of another property than the one where we know it.
func TestIncrementRowWithoutProperty(t *testing.T) {
	inHouse(t, bigWorld, func(t *testing.T, h *house) {
		old := h.replaced()
		wait(16 * time.Minute)
		h.lookup()
		h.change(func() {
			h.server.Update(testAccount, old.ID, func(b *ownerreztest.Booking) {
				b.PropertyID, b.Arrival, b.Departure = 4402, b.Arrival.AddDays(400), b.Departure.AddDays(400)
			})
		})
		h.unreadable(old.ID, func(row map[string]any) { delete(row, "property_id"); delete(row, "property") })
		h.server.Fault(ownerreztest.Fault{Match: ownerreztest.MatchBooking(old.ID), Times: -1, Do: ownerreztest.Status(500)})
		wait(16 * time.Minute)
		if out := h.lookup(); out.Kind != "increment" {
			t.Fatalf("%+v", out)
		}
		h.trustful("the increment")
	})
}

// A list shows a booking without dates. Before it is asked for by its id it leaves its nights, and another one takes them.
// A booking that has not changed for a while is believed by its id, for as long as its row cannot be read.
func TestUnreadableRowThatMoves(t *testing.T) {
	for _, moves := range []bool{true, false} {
		inHouse(t, smallWorld, func(t *testing.T, h *house) {
			wait(16 * time.Minute)
			h.lookup()
			old := h.replaced() // of which nothing is known yet
			wait(16 * time.Minute)
			h.unreadable(old.ID, func(row map[string]any) { delete(row, "arrival") })
			asked := false
			h.server.Fault(ownerreztest.Fault{Times: -1, Do: ownerreztest.Status(500), Match: func(r *http.Request) bool {
				if !asked && moves && strings.HasPrefix(r.URL.Path, "/v2/bookings/") {
					asked = true
					h.change(func() { h.displace(old.ID, farAway) })
				}
				return false
			}})
			h.lookup()
			if asked != moves {
				t.Fatal("it was not asked for")
			}
			if !moves {
				h.equal("an answer by id")
			}
			h.trustful("the answer by id")
		})
	}
}
