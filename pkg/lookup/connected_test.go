package lookup_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// A host connects: OwnerRez is asked whose the token is, and the account is read in the same run. Its reference is in
// every event.
func TestConnected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuest(t, ownerreztest.Quirks{})
		g.arrive("booking desk 7")
		asked := g.server.Count()
		out := g.wakeFor(lookup.ReasonConnected)
		if out.Account != testAccount || out.Status != lookup.StatusOK || out.Requests != g.server.Count()-asked {
			t.Errorf("%+v", out)
		}
		if path := g.server.Requests()[asked].Path; path != "/v2/users/me" {
			t.Errorf("the token is used for %s before it is known whose it is", path)
		}
		if wrong := g.differences(); len(wrong) > 0 {
			t.Errorf("%d nights differ from the truth: %s", len(wrong), wrong[0])
		}
		if len(g.requests()) > 0 {
			t.Errorf("still to be done: %+v", g.requests())
		}
		row := g.snapshot().Account
		if row.Name != "Host" || row.Zone != "America/Chicago" || row.Ref != "booking desk 7" || row.Connection == "" || row.Connection != row.Credential {
			t.Errorf("%+v", row)
		}
		for _, e := range g.heard.events {
			if e.Ref != "booking desk 7" {
				t.Errorf("event %d has the reference %q", e.Seq, e.Ref)
			}
		}
		wait(15 * time.Minute)
		asked = g.server.Count()
		if out = g.lookup(); out.Requests != 1 || g.server.Count() != asked+1 {
			t.Errorf("a quiet lookup costs %d requests", g.server.Count()-asked)
		}
	})
}

// The wake-up is lost: the next tick finds what the lane is asked to do.
func TestConnectedWithoutWakeUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuest(t, ownerreztest.Quirks{})
		g.arrive("")
		wait(time.Minute)
		if out := g.tick(); len(out) != 1 || out[0].Status != lookup.StatusOK {
			t.Errorf("%+v", out)
		}
		wait(time.Minute)
		if out := g.tick(); len(out) > 0 {
			t.Errorf("a second time: %+v", out)
		}
	})
}

// The lane may be awake before the token is stored, and the callback may die before it stores it.
func TestConnectedBeforeTheTokenIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuest(t, ownerreztest.Quirks{})
		g.ask(lookup.Request{By: lookup.ByHost})
		token := g.grant(testAccount)
		if out := g.tick(); len(out) != 1 || out[0].Kind != "none" {
			t.Errorf("%+v", out)
		}
		if _, err := g.connections.Keep(t.Context(), token, time.Now()); err != nil { // and then it dies
			t.Fatal(err)
		}
		wait(11 * time.Minute) // a note of the first wake-up stands for ten
		if out := g.tick(); len(out) != 1 || out[0].Status != lookup.StatusOK {
			t.Errorf("%+v", out)
		}
		if len(g.requests()) > 0 {
			t.Errorf("still to be done: %+v", g.requests())
		}
	})
}

// Nothing was stored: the lane waits a moment, and forgets it.
func TestConnectedAndNothingStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuest(t, ownerreztest.Quirks{})
		g.ask(lookup.Request{By: lookup.ByHost})
		g.wakeFor(lookup.ReasonConnected)
		if len(g.requests()) != 1 {
			t.Error("forgotten too early")
		}
		wait(3 * time.Minute)
		g.wakeFor(lookup.ReasonConnected)
		if _, err := g.store.Account(t.Context(), lookup.AccountKey(testAccount)); len(g.requests()) > 0 || !errors.Is(err, lookup.ErrNotFound) {
			t.Errorf("%+v, %v", g.requests(), err)
		}
	})
}

// Of an account that was connected with the token of another one nothing is read.
func TestConnectedWithAnothersToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuest(t, ownerreztest.Quirks{})
		token := g.grant(otherAccount)
		token.UserID = testAccount // what the reply says
		g.ask(lookup.Request{By: lookup.ByHost})
		if _, err := g.connections.Keep(t.Context(), token, time.Now()); err != nil {
			t.Fatal(err)
		}
		asked := g.server.Count()
		out := g.wakeFor(lookup.ReasonConnected)
		if !out.Failed || out.Requests != 1 || g.server.Count() != asked+1 || len(out.Problems) != 1 || !strings.Contains(out.Problems[0].Message, "another OwnerRez account") {
			t.Errorf("%+v, %d requests", out, g.server.Count()-asked)
		}
	})
}

// A token that is refused at its first use, or whose account OwnerRez does not tell for now, is tried again by ticks.
func TestConnectedAndNotConfirmed(t *testing.T) {
	for _, status := range []int{401, 500, 429} {
		synctest.Test(t, func(t *testing.T) {
			g := newGuest(t, ownerreztest.Quirks{})
			g.arrive("")
			g.server.Fault(ownerreztest.Fault{Match: ownerreztest.MatchPath("/v2/users/me"), Do: ownerreztest.Status(status)})
			out := g.wakeFor(lookup.ReasonConnected)
			if !out.Failed || len(out.Problems) == 0 || out.Status == lookup.StatusReconnect || len(g.requests()) > 0 {
				t.Errorf("%d: %+v", status, out)
			}
			wait(16 * time.Minute)
			if out := g.tick(); len(out) != 1 || out[0].Status != lookup.StatusOK {
				t.Errorf("%d: %+v", status, out)
			}
		})
	}
}

// statuses are the account's events in short.
func (g *guest) statuses() (all []string) {
	for _, e := range g.heard.events {
		if e.Kind == lookup.AccountChanged {
			all = append(all, string(e.Was)+" "+string(e.Now))
		}
	}
	return all
}

// The host revokes the authorization. The account is late at the first 401, to be connected again at the second one an
// hour later, which is published once; connecting again heals it, and its history goes on.
func TestReconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuest(t, ownerreztest.Quirks{TokensExpireIn: 30 * 24 * time.Hour, RefreshRotates: true})
		g.arrive("first")
		g.wakeFor(lookup.ReasonConnected)
		g.server.RevokeAccess(testAccount)
		wait(15 * time.Minute)
		g.job.Reread = func() {}
		first := g.lookup()
		if first.Status != lookup.StatusLate || first.Requests > 2 { // it is refused, and cannot be refreshed
			t.Errorf("at the first 401: %+v", first)
		}
		for range 40 {
			wait(15 * time.Minute)
			g.tick()
		}
		row := g.snapshot().Account
		if row.Status != lookup.StatusReconnect || !strings.Contains(row.Problems[0].Next, "connect the account again") {
			t.Errorf("%+v", row)
		}
		if _, err := g.connections.Credential(t.Context(), testAccount); err != nil {
			t.Errorf("the credential: %v", err)
		}
		g.arrive("")
		g.server.Fault(ownerreztest.Fault{Match: ownerreztest.MatchBookings, Do: ownerreztest.Status(500)})
		if out := g.wakeFor(lookup.ReasonConnected); out.Status != lookup.StatusLate {
			t.Errorf("with the new token OwnerRez has trouble: %+v", out)
		}
		wait(16 * time.Minute)
		if out := g.tick(); len(out) != 1 || out[0].Status != lookup.StatusOK {
			t.Errorf("%+v", out)
		}
		if got, want := strings.Join(g.statuses(), ", "), "new ok, ok late, late reconnect, reconnect late, late ok"; got != want {
			t.Errorf("published: %s; want %s", got, want)
		}
		if again := g.snapshot().Account; again.Ref != "first" || again.Seq <= row.Seq || again.Connection == row.Connection {
			t.Errorf("%+v", again)
		}
		for _, e := range g.heard.events {
			if (e.Now == lookup.StatusReconnect) != !e.ActBy.IsZero() {
				t.Errorf("event %+v", e)
			}
		}
	})
}

// One 401 that is followed by a good answer is forgotten, however often it happens.
func TestRefusedNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuest(t, ownerreztest.Quirks{})
		g.arrive("")
		g.wakeFor(lookup.ReasonConnected)
		for range 5 {
			wait(15 * time.Minute)
			g.server.Fault(ownerreztest.Fault{Match: ownerreztest.MatchBookings, Do: ownerreztest.Status(401)})
			if out := g.lookup(); out.Status != lookup.StatusLate {
				t.Fatalf("%+v", out)
			}
			wait(61 * time.Minute)
			if out := g.lookup(); out.Status != lookup.StatusOK {
				t.Fatalf("%+v", out)
			}
		}
	})
}
