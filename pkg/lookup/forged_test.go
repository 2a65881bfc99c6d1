package lookup_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// OwnerRez does not find what is there: a delete that a forged webhook tells of frees nothing.
func TestForgedDelete(t *testing.T) {
	for name, world := range map[string]func(*house){"small": smallWorld, "large": bigWorld} {
		t.Run(name, func(t *testing.T) {
			inHouse(t, world, func(t *testing.T, h *house) {
				wait(2 * time.Minute)
				h.server.Fault(ownerreztest.Fault{Match: ownerreztest.MatchByID, Times: -1, Do: ownerreztest.Status(http.StatusNotFound)})
				h.webhook(h.bookings()[2])
				h.webhook(999_999_999)
				wait(2 * time.Minute)
				h.webhook(0)
				if diff := h.differences(); len(diff) > 0 {
					t.Errorf("%s", diff[0])
				}
				if noted := h.snapshot().Account.Noted; len(noted) > 1 {
					t.Errorf("of what is not there nothing is to be settled: %v", noted)
				}
			})
		})
	}
}

// Whoever knows the address cannot have us ask more often than once a minute, nor more often than failures let us.
func TestFloodOfForgedWebhooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuest(t, ownerreztest.Quirks{})
		g.arrive("")
		g.wakeFor(lookup.ReasonConnected)
		flood := func() int {
			wait(2 * time.Minute)
			asked := g.server.Count()
			for i := range 100 {
				g.wake(lookup.Wake{Key: lookup.AccountKey(testAccount), Reason: lookup.ReasonWebhook, Booking: int64(i), Revoked: i%2 == 0})
				wait(500 * time.Millisecond)
			}
			return g.server.Count() - asked
		}
		if sent := flood(); sent > 12 {
			t.Errorf("%d requests for a hundred forged webhooks in a minute", sent)
		}
		g.server.RevokeAccess(testAccount)
		wait(15 * time.Minute)
		g.lookup()
		if sent := flood(); sent > 0 {
			t.Errorf("%d requests although OwnerRez refuses the token", sent)
		}
	})
}

// Of accounts that are not here, have left, or are not read yet, a webhook is a wake-up like any other.
func TestWebhookOfNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, ownerreztest.Quirks{})
		if out := h.webhook(1); out.Kind != "none" || h.server.Count() > 0 {
			t.Errorf("%+v", out)
		}
	})
}
