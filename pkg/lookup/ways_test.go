package lookup_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// The token is refreshed at two thirds of its life, at the beginning of a run, and the run counts that.
func TestRunRefreshes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuest(t, ownerreztest.Quirks{TokensExpireIn: 30 * 24 * time.Hour, RefreshRotates: true})
		g.arrive("")
		g.wakeFor(lookup.ReasonConnected)
		connection := g.snapshot().Account.Connection
		wait(20*24*time.Hour + time.Minute)
		asked := g.server.Count()
		out := g.lookup()
		paths := map[string]int{}
		for _, r := range g.server.Requests()[asked:] {
			paths[r.Path]++
		}
		if out.Status != lookup.StatusOK || paths["/oauth/access_token"] != 1 || paths["/v2/users/me"] != 0 || out.Requests != g.server.Count()-asked {
			t.Errorf("%+v; asked: %v", out, paths)
		}
		if row := g.snapshot().Account; row.Connection != connection {
			t.Error("a refreshed token is another connection")
		}
	})
}

// A refresh token that is accepted no more is told in time, while the access token still works.
func TestRefreshRefusedIsToldInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuest(t, ownerreztest.Quirks{TokensExpireIn: 30 * 24 * time.Hour})
		g.arrive("")
		g.wakeFor(lookup.ReasonConnected)
		g.server.Fault(ownerreztest.Fault{
			Match: ownerreztest.MatchPath("/oauth/access_token"), Times: -1,
			Do: ownerreztest.JSON(400, `{"error":"invalid_grant"}`),
		})
		ends := time.Now().Add(30 * 24 * time.Hour).UTC().Format("2006-01-02")
		wait(20*24*time.Hour + time.Minute)
		for range 3 {
			out := g.lookup()
			if out.Status != lookup.StatusOK || len(out.Problems) != 1 || !strings.Contains(out.Problems[0].Message, ends) {
				t.Errorf("%+v", out)
			}
			wait(15 * time.Minute)
		}
	})
}

// A vault that takes no new token in is told, with what it says, while the old token works and when it does not.
func TestRefreshAndTheVaultFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuest(t, ownerreztest.Quirks{TokensExpireIn: 30 * 24 * time.Hour, RefreshRotates: true})
		g.arrive("")
		g.wakeFor(lookup.ReasonConnected)
		g.vault.full = errors.New("the role may not write")
		wait(20*24*time.Hour + time.Minute)
		out := g.lookup()
		if out.Status != lookup.StatusOK || len(out.Problems) != 1 || !strings.Contains(out.Problems[0].Message, "the role may not write") {
			t.Errorf("while it works: %+v", out)
		}
		wait(15 * time.Minute)
		g.server.RevokeAccess(testAccount)
		out = g.lookup()
		if out.Status != lookup.StatusLate || len(out.Problems) != 1 || !strings.Contains(out.Problems[0].Message, "the role may not write") {
			t.Errorf("when it does not: %+v", out)
		}
	})
}

// Two ways into one account: the newer wins once OwnerRez has said that it leads there, and nothing is told twice.
func TestTwoWaysIntoOneAccount(t *testing.T) {
	for _, status := range []int{401, 500} {
		t.Run(fmt.Sprint(status), func(t *testing.T) { twoWays(t, status) })
	}
}

// twoWays is an account to which OwnerRez does not say at first that the newer way leads there.
func twoWays(t *testing.T, status int) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuest(t, ownerreztest.Quirks{})
		g.personal = true
		g.lookup()
		seq := g.snapshot().Account.Seq
		personal := g.snapshot().Account.Credential

		wait(15 * time.Minute)
		g.arrive("")
		g.server.Fault(ownerreztest.Fault{Match: ownerreztest.MatchPath("/v2/users/me"), Do: ownerreztest.Status(status)})
		out := g.wakeFor(lookup.ReasonConnected)
		row := g.snapshot().Account
		if out.Status != lookup.StatusOK || row.Credential != personal || len(out.Problems) != 1 {
			t.Errorf("before it is confirmed the older one goes on: %+v", out)
		}
		wait(15 * time.Minute)
		g.lookup()
		row = g.snapshot().Account
		if row.Credential != row.Connection || row.Connection == "" || row.Seq != seq {
			t.Errorf("after it is confirmed: %+v", row)
		}

		wait(15 * time.Minute)
		g.replacePersonal("pt_testnewer")
		g.wake(lookup.Wake{Key: g.credentialKey()})
		wait(25 * time.Hour)
		if out = g.lookup(); len(out.Problems) > 0 {
			t.Errorf("by the personal token: %+v", out)
		}
		if row = g.snapshot().Account; row.Credential == row.Connection || row.Credential == personal || row.Seq != seq {
			t.Errorf("a newer personal token: %+v", row)
		}
	})
}

// replacePersonal gives the account another personal token.
func (g *guest) replacePersonal(token string) {
	g.server.AddAccount(ownerreztest.Account{ID: testAccount, Email: "host@example.com", Name: "Host", TimeZone: "America/Chicago", PAT: token})
	g.token = token
}

// A vault that cannot be read is our own trouble: the wake-up goes back, and nothing is said of the account.
func TestVaultFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuest(t, ownerreztest.Quirks{})
		g.arrive("")
		g.wakeFor(lookup.ReasonConnected)
		before := g.snapshot().Account
		wait(15 * time.Minute)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := g.job.Run(ctx, lookup.Wake{Key: lookup.AccountKey(testAccount)}); err == nil {
			t.Error("no error")
		}
		if after := g.snapshot().Account; after.Version != before.Version {
			t.Errorf("the row was written: %+v", after)
		}
	})
}

// A token that somebody deleted by hand is told, and frees nothing.
func TestTokenIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuest(t, ownerreztest.Quirks{})
		g.arrive("")
		g.wakeFor(lookup.ReasonConnected)
		if err := g.connections.Delete(t.Context(), testAccount); err != nil {
			t.Fatal(err)
		}
		wait(15 * time.Minute)
		asked := g.server.Count()
		out := g.lookup()
		if !out.Failed || g.server.Count() != asked || len(out.Problems) != 1 || !strings.Contains(out.Problems[0].Next, "connect the account again") {
			t.Errorf("%+v", out)
		}
		if wrong := g.differences(); len(wrong) > 0 {
			t.Errorf("%s", wrong[0])
		}
	})
}
