package lookup_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// urls are those that OwnerRez posts to for each kind of event.
func (g *guest) urls() map[string][]string {
	out := map[string][]string{}
	for _, s := range g.server.Subscriptions(testAccount) {
		what := s.Type + " " + s.Action
		out[what] = append(out[what], s.URL)
	}
	return out
}

// wantSubscribed fails unless each event is subscribed to once, at our address.
func (g *guest) wantSubscribed() {
	g.t.Helper()
	all := g.urls()
	for _, action := range []string{"entity_create", "entity_update", "entity_delete"} {
		urls := all["booking "+action]
		if len(urls) != 1 || !strings.HasPrefix(urls[0], hooks+"123456/") {
			g.t.Errorf("%s is posted to %v", action, urls)
		}
	}
}

// After an account is connected OwnerRez posts to us what happens in it, once; that is looked at once a day, and made
// anew where it is not as it should be.
func TestSubscribed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuest(t, ownerreztest.Quirks{})
		g.arrive("")
		out := g.wakeFor(lookup.ReasonConnected)
		g.wantSubscribed()
		if len(out.Problems) > 0 {
			t.Errorf("%+v", out)
		}
		row, err := json.Marshal(g.snapshot().Account)
		if err != nil {
			t.Fatal(err)
		}
		_, code, _ := strings.Cut(g.urls()["booking entity_create"][0], "123456/")
		if strings.Contains(string(row), code) || code == "" {
			t.Errorf("the row holds the code that lets in: %s", row)
		}
		for range 3 {
			wait(15 * time.Minute)
			if out = g.lookup(); out.Requests != 1 {
				t.Errorf("%d requests", out.Requests)
			}
		}
		g.server.DropSubscription(testAccount, g.server.Subscriptions(testAccount)[1].ID)
		wait(24 * time.Hour)
		g.lookup()
		g.wantSubscribed()
		if n := len(g.server.Subscriptions(testAccount)); n != 3 {
			t.Errorf("%d subscriptions", n)
		}
	})
}

// Our address changes: the old subscriptions end, those of others stay.
func TestSubscribedElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuest(t, ownerreztest.Quirks{})
		g.arrive("")
		g.wakeFor(lookup.ReasonConnected)
		g.subscribe() // two at our address that nobody knows, one of others
		const moved = "https://moved.example.com/webhooks/ownerrez/"
		g.job.Webhooks = &lookup.Webhooks{Base: moved, Key: g.job.Webhooks.Key}
		wait(15 * time.Minute)
		g.lookup()
		urls := g.urls()["booking entity_update"]
		slices.Sort(urls)
		want := []string{"https://hooks.example.com/others", hooks + "123456/mac", hooks + "123456/older"}
		if len(urls) != 4 || !slices.Equal(urls[:3], want) || !strings.HasPrefix(urls[3], moved) {
			t.Errorf("%v", urls)
		}
		if n := len(g.server.Subscriptions(testAccount)); n != 6 {
			t.Errorf("%d subscriptions", n)
		}
	})
}

// OwnerRez cannot reach us any more: our subscriptions end, an hour later where that fails, and nobody waits for what they
// told of. Those of others stay. When we can be reached again they are made again.
func TestSubscribedNowhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := subscriber(t)
		g.subscribe() // two at our address that nobody knows, one of others
		const theirs = 3
		reachable := g.job.Webhooks
		g.job.Webhooks = nil
		g.server.Fault(ownerreztest.Fault{Match: ownerreztest.MatchPath("/v2/webhooksubscriptions"), Do: ownerreztest.Status(500)})
		random := rand.New(rand.NewPCG(3, 3))
		asked := g.server.Count()
		for range 40 {
			g.changeSomething(random)
			wait(15 * time.Minute)
			if out := g.lookup(); out.Silent || len(out.Problems) > 0 {
				t.Fatalf("%+v", out)
			}
		}
		if left := g.server.Subscriptions(testAccount); len(left) != theirs {
			t.Errorf("%d subscriptions are left", len(left))
		}
		about := 0
		for _, r := range g.server.Requests()[asked:] {
			if strings.HasPrefix(r.Path, "/v2/webhooksubscriptions") {
				about++
			}
		}
		if about != 1+1+3 { // one fails, a list, three ends
			t.Errorf("%d requests about subscriptions", about)
		}
		g.job.Webhooks = reachable
		wait(15 * time.Minute)
		g.lookup()
		if now := g.server.Subscriptions(testAccount); len(now) != 1+3 {
			t.Errorf("%d subscriptions", len(now))
		}
	})
}

// Whatever fails: the account is read as ever, and an hour later each is subscribed to once.
func TestSubscribingFails(t *testing.T) {
	for nth := range 4 {
		for _, fault := range []ownerreztest.Action{
			ownerreztest.Status(500), ownerreztest.Status(403), ownerreztest.Status(401), ownerreztest.LoseAnswer(), ownerreztest.HTML(200),
		} {
			t.Run(fmt.Sprintf("%s at %d", fault, nth), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					g := newGuest(t, ownerreztest.Quirks{})
					g.arrive("")
					g.server.Fault(ownerreztest.Fault{N: nth + 1, Match: ownerreztest.MatchPath("/v2/webhooksubscriptions"), Do: fault})
					if out := g.wakeFor(lookup.ReasonConnected); out.Status != lookup.StatusOK {
						t.Errorf("%+v", out)
					}
					g.server.ClearFaults()
					for range 5 {
						wait(15 * time.Minute)
						if out := g.lookup(); out.Status != lookup.StatusOK {
							t.Errorf("%+v", out)
						}
					}
					g.wantSubscribed()
					if row := g.snapshot().Account; len(row.Problems) > 0 {
						t.Errorf("%+v", row.Problems)
					}
				})
			})
		}
	}
}
