package lookup_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
)

// subscribe makes webhook subscriptions of ours and of somebody else's.
func (g *guest) subscribe() {
	g.t.Helper()
	cred, err := g.connections.Credential(g.t.Context(), testAccount)
	if err != nil {
		g.t.Fatal(err)
	}
	client, err := cred.Open()
	if err != nil {
		g.t.Fatal(err)
	}
	for _, url := range []string{hooks + "123456/mac", hooks + "123456/older", "https://hooks.example.com/others"} {
		_, err := client.WebhookSubscriptions.Create(g.t.Context(), ownerrez.WebhookSubscription{
			Type: ownerrez.WebhookBooking, Action: ownerrez.WebhookUpdate, WebhookURL: url,
		})
		if err != nil {
			g.t.Fatal(err)
		}
	}
}

// staying is an account that is connected and read, and OwnerRez's token for it.
func staying(t *testing.T) (g *guest, token string) {
	t.Helper()
	g = newGuest(t, ownerreztest.Quirks{})
	g.arrive("ref")
	g.wakeFor(lookup.ReasonConnected)
	g.subscribe()
	secret, err := g.vault.Get(t.Context(), "account/123456")
	if err != nil {
		t.Fatal(err)
	}
	_, token, _ = strings.Cut(string(secret.Value), `"access_token":"`)
	token, _, _ = strings.Cut(token, `"`)
	wait(15 * time.Minute)
	return g, token
}

// gone fails unless all of the account has ended.
func (g *guest) gone(token string) {
	g.t.Helper()
	row := g.snapshot().Account
	if row.Status != lookup.StatusLeft || row.Leaving != nil || row.Left == nil || row.Published != row.Seq || row.Connected {
		g.t.Errorf("the row is %+v", row)
	}
	if _, err := g.vault.Get(g.t.Context(), "account/123456"); !errors.Is(err, vault.ErrDeleted) {
		g.t.Errorf("the secret: %v", err)
	}
	g.wantEnded(token)
	for _, s := range g.server.Subscriptions(testAccount) {
		if strings.HasPrefix(s.URL, hooks) {
			g.t.Errorf("still subscribed: %s", s.URL)
		}
	}
	if n := len(g.server.Subscriptions(testAccount)); n != 1 {
		g.t.Errorf("%d subscriptions are left, of which one is somebody else's", n)
	}
	if len(g.requests()) > 0 {
		g.t.Errorf("still to be done: %+v", g.requests())
	}
	lefts := 0
	for _, s := range g.statuses() {
		if strings.HasSuffix(s, " left") {
			lefts++
		}
	}
	if last := g.heard.events[len(g.heard.events)-1]; lefts != 1 || last.Now != lookup.StatusLeft || last.Ref != "ref" || last.Reason == "" {
		g.t.Errorf("%d events tell that it has left, the last is %+v", lefts, last)
	}
}

// wantEnded fails unless OwnerRez refuses a token.
func (g *guest) wantEnded(token string) {
	g.t.Helper()
	client, err := ownerrez.New(ownerrez.OAuth(g.app.App, ownerrez.StaticToken(token)), g.options...)
	if err != nil {
		g.t.Fatal(err)
	}
	if _, err := client.Users.Me(g.t.Context()); !errors.Is(err, ownerrez.ErrUnauthorized) {
		g.t.Errorf("the token at OwnerRez: %v", err)
	}
}

func TestLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, token := staying(t)
		g.ask(lookup.Request{Leave: true, By: lookup.ByOperator})
		out := g.wakeFor(lookup.ReasonLeave)
		if out.Left == nil || out.Left.By != lookup.ByOperator || out.Kind != "leave" || out.Failed {
			t.Errorf("%+v", out)
		}
		g.gone(token)
		asked := g.server.Count()
		for range 5 { // nothing happens any more
			wait(time.Hour)
			g.tick()
		}
		g.wakeFor(lookup.ReasonLeave)
		g.wake(lookup.Wake{Key: lookup.AccountKey(testAccount)})
		if g.server.Count() != asked {
			t.Errorf("OwnerRez was asked %d times after the account had left", g.server.Count()-asked)
		}
		g.ask(lookup.Request{Leave: true, By: lookup.ByHost}) // a second time
		g.wakeFor(lookup.ReasonLeave)
		g.gone(token)
	})
}

// Whatever request fails, in whatever way: the end is the same.
func TestLeaveHitByFaults(t *testing.T) {
	for nth := range 7 {
		for _, fault := range []ownerreztest.Action{
			ownerreztest.Status(500), ownerreztest.Status(429), ownerreztest.Reset(), ownerreztest.LoseAnswer(), ownerreztest.Status(404), ownerreztest.HTML(502),
		} {
			synctest.Test(t, func(t *testing.T) {
				g, token := staying(t)
				g.ask(lookup.Request{Leave: true, By: lookup.ByHost})
				g.server.Fault(ownerreztest.Fault{N: nth + 1, Do: fault})
				g.wakeFor(lookup.ReasonLeave)
				g.server.ClearFaults()
				for range 6 {
					wait(10 * time.Minute)
					g.tick()
				}
				if fault.String() == ownerreztest.Status(404).String() {
					return // what OwnerRez says is not there has ended, as far as we can know
				}
				g.gone(token)
			})
		}
	}
}

var errDying = errors.New("the store is not there")

// The secret cannot be deleted: that is our own trouble, and is tried again.
func TestLeaveAndTheVaultFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, token := staying(t)
		g.ask(lookup.Request{Leave: true, By: lookup.ByHost})
		g.vault.fail = errors.New("no vault")
		if _, err := g.job.Run(t.Context(), lookup.Wake{Key: lookup.AccountKey(testAccount), Reason: lookup.ReasonLeave}); err == nil {
			t.Error("no error")
		}
		g.vault.fail = nil
		wait(15 * time.Minute)
		g.tick()
		g.gone(token)
	})
}

// The host has revoked the authorization at OwnerRez before.
func TestLeaveAfterRevocation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, token := staying(t)
		g.server.RevokeAccess(testAccount)
		g.ask(lookup.Request{Leave: true, By: lookup.ByHost})
		if out := g.wakeFor(lookup.ReasonLeave); out.Left == nil {
			t.Errorf("%+v", out)
		}
		if _, err := g.vault.Get(t.Context(), "account/123456"); !errors.Is(err, vault.ErrDeleted) || token == "" {
			t.Errorf("the secret: %v", err)
		}
	})
}

// What is stored of the account is no token: there is nothing to revoke, and it is deleted.
func TestLeaveWithUnreadableToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _ := staying(t)
		secret, err := g.vault.Get(t.Context(), "account/123456")
		if err == nil {
			_, err = g.vault.Replace(t.Context(), "account/123456", secret.Version, []byte("by hand"))
		}
		if err != nil {
			t.Fatal(err)
		}
		g.ask(lookup.Request{Leave: true, By: lookup.ByHost})
		if out := g.wakeFor(lookup.ReasonLeave); out.Left == nil {
			t.Errorf("%+v", out)
		}
		if _, err := g.vault.Get(t.Context(), "account/123456"); !errors.Is(err, vault.ErrDeleted) {
			t.Errorf("the secret: %v", err)
		}
	})
}

// Where no token is stored, none is to be deleted: a role may delete only what is there, and the stack's.
func TestLeaveWithoutToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuest(t, ownerreztest.Quirks{})
		g.personal = true
		g.lookup()
		g.vault.fail = errors.New("access denied")
		g.ask(lookup.Request{Leave: true, By: lookup.ByOperator})
		if out := g.wakeFor(lookup.ReasonLeave); out.Left == nil {
			t.Errorf("%+v", out)
		}
	})
}

// An account that is reached by a personal token is left alone until another one is configured.
func TestLeaveWithPersonalToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuest(t, ownerreztest.Quirks{})
		g.personal = true
		g.lookup()
		wait(time.Minute)
		g.ask(lookup.Request{Leave: true, By: lookup.ByOperator})
		if out := g.wakeFor(lookup.ReasonLeave); out.Left == nil {
			t.Errorf("%+v", out)
		}
		asked := g.server.Count()
		for range 3 {
			wait(20 * time.Minute)
			g.tick()
			g.wake(lookup.Wake{Key: lookup.AccountKey(testAccount)})
		}
		if g.server.Count() != asked {
			t.Error("it is looked up although it has left")
		}
		g.replacePersonal("pt_testnewer")
		for _, out := range g.tick() {
			if out.Wake != nil {
				g.wake(*out.Wake)
			}
		}
		if row := g.snapshot().Account; row.Status != lookup.StatusOK || row.Left != nil {
			t.Errorf("%+v", row)
		}
	})
}

// An account that was never here is asked to leave: an invitation for it is enough to say so.
func TestLeaveOfUnknownAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuest(t, ownerreztest.Quirks{})
		g.ask(lookup.Request{Leave: true, By: lookup.ByHost})
		g.wakeFor(lookup.ReasonLeave)
		if _, err := g.store.Account(t.Context(), lookup.AccountKey(testAccount)); !errors.Is(err, lookup.ErrNotFound) || len(g.requests()) > 0 {
			t.Errorf("%v, %v", err, g.requests())
		}
	})
}
