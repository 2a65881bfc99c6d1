package lookup_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// webhook is the lane's part of a webhook.
func (h *house) webhook(booking int64) lookup.Outcome {
	h.t.Helper()
	return h.wake(lookup.Wake{Key: lookup.AccountKey(testAccount), Reason: lookup.ReasonWebhook, Booking: booking, Sent: time.Now()})
}

// equal fails unless the calendar is the truth, and everything that webhooks told of is settled.
func (h *house) equal(after string) {
	h.t.Helper()
	if diff := h.differences(); len(diff) > 0 {
		h.t.Errorf("after %s %d nights differ: %s", after, len(diff), diff[0])
	}
	if row := h.snapshot().Account; len(row.Noted) > 0 || row.NotedMany {
		h.t.Errorf("after %s there is still to be settled: %v, %v", after, row.Noted, row.NotedMany)
	}
}

// What a webhook tells of is in the calendar at the end of the run that it starts: of small accounts, which are read in
// full, and of large ones, where increments show all but deletes.
func TestWebhook(t *testing.T) {
	for name, world := range map[string]func(*house){"small": smallWorld, "large": bigWorld} {
		t.Run(name, func(t *testing.T) {
			inHouse(t, world, func(t *testing.T, h *house) {
				step := func(what string, change func() int64) {
					t.Helper()
					wait(2 * time.Minute)
					var id int64
					h.change(func() { id = change() })
					h.webhook(id)
					h.equal(what)
				}
				id := h.bookings()[3]
				update := func(f func(*ownerreztest.Booking)) func() int64 {
					return func() int64 { h.server.Update(testAccount, id, f); return id }
				}
				step("an update", update(func(b *ownerreztest.Booking) { b.Departure = b.Departure.AddDays(2) }))
				step("a move to another property", update(func(b *ownerreztest.Booking) { b.PropertyID = 4402 }))
				step("a cancellation", func() int64 { h.server.Cancel(testAccount, id); return id })
				step("a delete", func() int64 { h.server.Delete(testAccount, h.bookings()[0]); return h.bookings()[0] - 1 })
				step("a delete that is told of", func() int64 { gone := h.bookings()[5]; h.server.Delete(testAccount, gone); return gone })
				step("a new one", func() int64 {
					day := ownerrez.DateOf(time.Now().UTC()).AddDays(700)
					return h.server.Put(testAccount, ownerreztest.Booking{PropertyID: 4401, Arrival: day, Departure: day.AddDays(2)})
				})
				step("one that nobody knows", func() int64 { return 999_999_999 })
				step("nothing", func() int64 { return 0 })
			})
		})
	}
}

// A booking of a property that was never seen brings the property.
func TestWebhookOfUnknownProperty(t *testing.T) {
	inHouse(t, bigWorld, func(t *testing.T, h *house) {
		h.property(7777, "America/Chicago")
		id := h.book(7777, 10, 3)
		wait(2 * time.Minute)
		h.webhook(id)
		if rec, ok := h.snapshot().Record(7777); !ok || rec.Name == "" {
			t.Error("the property is not known")
		}
		wait(15 * time.Minute)
		h.lookup()
		h.equal("the next lookup")
	})
}

// The same webhook ten times, and many in one minute: one run, and the next tick does the rest.
func TestWebhooksInOneMinute(t *testing.T) {
	inHouse(t, bigWorld, func(t *testing.T, h *house) {
		wait(2 * time.Minute)
		asked := h.server.Count()
		ids := h.bookings()[:3]
		h.webhook(ids[0])
		once := h.server.Count() - asked
		for range 9 {
			h.webhook(ids[0])
		}
		h.webhook(ids[1])
		if sent := h.server.Count() - asked; sent != once {
			t.Errorf("%d requests for the first, %d for all", once, sent)
		}
		h.change(func() { h.server.Delete(testAccount, ids[2]) })
		h.webhook(ids[2])
		if due := h.snapshot().Account.Due; due.After(time.Now()) {
			t.Errorf("it is due at %s", due)
		}
		wait(10 * time.Second)
		h.lookup() // by the next tick
		h.equal("the tick")
	})
}

// A flood of 2,000: what is kept does not grow, and full reads settle it.
func TestWebhookFlood(t *testing.T) {
	inHouse(t, bigWorld, func(t *testing.T, h *house) {
		h.change(func() {
			for _, id := range h.bookings()[:40] {
				h.server.Delete(testAccount, id)
			}
		})
		for i := range 2000 {
			h.webhook(int64(i + 1))
		}
		if row := h.snapshot().Account; len(row.Noted) > 5 || !row.NotedMany {
			t.Errorf("%d noted, many: %v", len(row.Noted), row.NotedMany)
		}
		h.settle(6)
		h.equal("some lookups")
		wait(15 * time.Minute)
		if out := h.lookup(); out.Kind != "increment" || out.Requests != 1 {
			t.Errorf("and then all is quiet: %+v", out)
		}
	})
}

// Whatever fails when a booking is asked for by its id: nothing is freed, and it is settled later.
func TestWebhookAndOwnerRezFails(t *testing.T) {
	for _, fault := range ownerreztest.AllFaults() {
		t.Run(fault.String(), func(t *testing.T) {
			inHouse(t, bigWorld, func(t *testing.T, h *house) {
				wait(2 * time.Minute)
				gone := h.bookings()[2]
				h.change(func() { h.server.Delete(testAccount, gone) })
				h.server.Fault(ownerreztest.Fault{Match: ownerreztest.MatchByID, Do: fault})
				h.webhook(gone)
				h.server.ClearFaults()
				h.settle(3)
			})
		})
	}
}

// The host has revoked the authorization, a webhook says: OwnerRez is asked whose the token is, and a 401 counts as the
// first. A forged one costs a question.
func TestWebhookOfRevocation(t *testing.T) {
	for _, forged := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			g := newGuest(t, ownerreztest.Quirks{})
			g.arrive("")
			g.wakeFor(lookup.ReasonConnected)
			wait(2 * time.Minute)
			if !forged {
				g.server.RevokeAccess(testAccount)
			}
			asked := g.server.Count()
			out := g.wake(lookup.Wake{Key: lookup.AccountKey(testAccount), Reason: lookup.ReasonWebhook, Revoked: true})
			want := lookup.StatusLate
			if forged {
				want = lookup.StatusOK
			}
			if path := g.server.Requests()[asked].Path; out.Status != want || path != "/v2/users/me" {
				t.Errorf("%+v, asked first: %s", out, path)
			}
			if has, err := g.connections.Has(t.Context(), testAccount); err != nil || !has {
				t.Errorf("the secret: %v, %v", has, err)
			}
			if forged {
				return
			}
			for range 40 {
				wait(15 * time.Minute)
				g.tick()
			}
			if row := g.snapshot().Account; row.Status != lookup.StatusReconnect {
				t.Errorf("%+v", row)
			}
		})
	}
}
