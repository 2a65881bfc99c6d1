package lookup_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
)

// A host who has left comes back within the time in which the secret can be restored, and later: number, reference and
// history are as they were.
func TestComeBack(t *testing.T) {
	for _, restorable := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			g, token := staying(t)
			g.ask(lookup.Request{Leave: true, By: lookup.ByHost})
			g.wakeFor(lookup.ReasonLeave)
			g.gone(token)
			seq := g.snapshot().Account.Seq
			if !restorable {
				clear(g.vault.deleted)
			}
			wait(24 * time.Hour)
			g.arrive("")
			if out := g.wakeFor(lookup.ReasonConnected); out.Status != lookup.StatusOK {
				t.Errorf("%+v", out)
			}
			row := g.snapshot().Account
			if row.Left != nil || row.Ref != "ref" || row.Seq <= seq || !strings.HasSuffix(strings.Join(g.statuses(), ", "), "ok left, left ok") {
				t.Errorf("%+v, published: %v", row, g.statuses())
			}
			if wrong := g.differences(); len(wrong) > 0 {
				t.Errorf("%s", wrong[0])
			}
		})
	}
}

// The host connects again while the account is being disconnected: the new connection stays.
func TestComeBackWhileLeaving(t *testing.T) {
	for _, deleted := range []bool{false, true} {
		t.Run(fmt.Sprintf("deleted %v", deleted), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g, _ := staying(t)
				g.ask(lookup.Request{Leave: true, By: lookup.ByHost})
				g.server.Fault(ownerreztest.Fault{Match: ownerreztest.MatchPath("/v2/webhooksubscriptions"), Do: ownerreztest.Status(500)})
				if out := g.wakeFor(lookup.ReasonLeave); !out.Failed || out.Left != nil {
					t.Fatalf("%+v", out)
				}
				g.arrive("")
				if deleted { // by the lane, in the same moment
					if err := g.connections.Delete(t.Context(), testAccount); err != nil {
						t.Fatal(err)
					}
				}
				for range 3 {
					wait(11 * time.Minute)
					g.tick()
				}
				if row := g.snapshot().Account; row.Status != lookup.StatusOK || row.Leaving != nil || row.Left != nil || len(g.requests()) > 0 {
					t.Errorf("%+v", row)
				}
			})
		})
	}
}

// A host who has left connects again, and changes their mind before the lane has seen it.
func TestBackAndAwayAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, token := staying(t)
		g.ask(lookup.Request{Leave: true, By: lookup.ByHost})
		g.wakeFor(lookup.ReasonLeave)
		wait(time.Hour)
		g.arrive("")
		secret, err := g.vault.Get(t.Context(), "account/123456")
		if err != nil || strings.Contains(string(secret.Value), token) {
			t.Fatalf("%v", err)
		}
		g.ask(lookup.Request{Leave: true, By: lookup.ByHost}) // in place of the first
		g.wakeFor(lookup.ReasonLeave)
		_, token, _ = strings.Cut(string(secret.Value), `"access_token":"`)
		token, _, _ = strings.Cut(token, `"`)
		g.gone(token)
	})
}

// Somebody asks to leave in the moment between a host's consent and the storing of the token: what the host did is later.
func TestLeaveWhileTheTokenIsOnItsWay(t *testing.T) {
	for _, known := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			g := newGuest(t, ownerreztest.Quirks{})
			if known {
				g.arrive("")
				g.wakeFor(lookup.ReasonConnected)
				g.ask(lookup.Request{Leave: true, By: lookup.ByHost})
				g.wakeFor(lookup.ReasonLeave)
				wait(time.Hour)
			}
			g.ask(lookup.Request{By: lookup.ByHost})
			token := g.grant(testAccount)
			g.ask(lookup.Request{Leave: true, By: lookup.ByHost})
			g.wakeFor(lookup.ReasonLeave)
			if _, err := g.connections.Keep(t.Context(), token, time.Now()); err != nil {
				t.Fatal(err)
			}
			if out := g.wakeFor(lookup.ReasonConnected); out.Status != lookup.StatusOK {
				t.Errorf("%+v", out)
			}
		})
	}
}

// A Request that comes late, of a host who has left meanwhile, brings nothing back.
func TestOldConnectionStaysGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, token := staying(t)
		g.ask(lookup.Request{Leave: true, By: lookup.ByHost})
		g.wakeFor(lookup.ReasonLeave)
		g.ask(lookup.Request{By: lookup.ByHost})
		wait(3 * time.Minute)
		g.wakeFor(lookup.ReasonConnected)
		g.gone(token)
	})
}

// A host connects and leaves before the account's lane has come to it: the token ends.
func TestLeaveBeforeTheFirstRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuest(t, ownerreztest.Quirks{})
		g.arrive("ref")
		g.ask(lookup.Request{Leave: true, By: lookup.ByHost})
		if out := g.wakeFor(lookup.ReasonLeave); out.Left == nil || out.Account != testAccount {
			t.Errorf("%+v", out)
		}
		if _, err := g.vault.Get(t.Context(), "account/123456"); !errors.Is(err, vault.ErrDeleted) {
			t.Errorf("the secret: %v", err)
		}
		if s := g.statuses(); len(s) != 1 || s[0] != "new left" {
			t.Errorf("%v", s)
		}
	})
}
