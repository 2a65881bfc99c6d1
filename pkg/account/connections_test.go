package account_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
)

// office is a process that reaches connected accounts. Its vault is one that steps fail in.
type office struct {
	*world
	*account.Connections
	vault  *safeVault
	secret string // of the app; empty: no app is configured
}

func (w *world) office() *office {
	o := &office{world: w, vault: &safeVault{safe: w.safe}, secret: "s_test"}
	o.Connections = &account.Connections{
		Vault: safeMaker{o.vault}, Prefix: "account/", Options: w.options(w.door),
		App: func(context.Context) (ownerrez.OAuthConfig, error) {
			if o.secret == "" {
				return ownerrez.OAuthConfig{}, account.ErrNoApp
			}
			return ownerrez.OAuthConfig{App: keeperApp, ClientSecret: o.secret}, nil
		},
		Key: func(context.Context) ([]byte, error) { return []byte("key"), nil },
	}
	return o
}

// unconnected is a world in which nobody has connected the account.
func unconnected(t *testing.T, quirks ownerreztest.Quirks) *office {
	w := newWorld(t, quirks)
	delete(w.safe.secrets, secretName)
	return w.office()
}

// token is what OwnerRez gives a host who lets the app in.
func (w *world) token() (ownerrez.Token, time.Time) {
	c := w.connect()
	return c.Token, c.Obtained
}

// wantStored fails unless exactly that token is stored.
func (o *office) wantStored(token ownerrez.Token) {
	o.t.Helper()
	if c, _ := o.stored(); c.Token.AccessToken != token.AccessToken {
		o.t.Error("another token is stored")
	}
	cred, err := o.Credential(o.t.Context(), userID)
	if err != nil {
		o.t.Fatal(err)
	}
	client, err := cred.Open()
	if err != nil {
		o.t.Fatal(err)
	}
	if user, err := client.Users.Me(o.t.Context()); err != nil || user.ID != userID {
		o.t.Errorf("%v, %v", user, err)
	}
}

// keepAnother is a host who connects the account.
func (o *office) keepAnother() ownerrez.Token {
	o.t.Helper()
	token, at := o.token()
	if _, err := o.Keep(o.t.Context(), token, at); err != nil {
		o.t.Fatal(err)
	}
	return token
}

// What Credential says where something is missing or wrong.
func TestConnectionsCredential(t *testing.T) {
	o := unconnected(t, ownerreztest.Quirks{})
	gets := 0
	o.vault.through = func(_ string, do func()) error { gets++; do(); return nil }
	want := func(what string, wanted error, others ...error) {
		t.Helper()
		_, err := o.Credential(t.Context(), userID)
		if !errors.Is(err, wanted) {
			t.Errorf("%s: %v", what, err)
		}
		for _, other := range others {
			if errors.Is(err, other) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if err != nil {
			o.wantNoSecret(what, fmt.Sprintf("%v %+v", err, err))
		}
	}
	for range 2 {
		want("not connected", vault.ErrNotFound, vault.ErrDeleted, account.ErrNoApp)
	}
	if gets != 2 {
		t.Errorf("that there is no secret was asked %d times, want 2: it may be there at any time", gets)
	}
	o.secret = ""
	want("neither connected nor an app", vault.ErrNotFound, account.ErrNoApp)
	o.secret = "s_test"
	o.keepAnother()
	gets = 0
	for range 3 {
		want("connected", nil)
	}
	if gets != 1 {
		t.Errorf("the secret was read %d times", gets)
	}
	o.Forget(t.Context(), userID)
	want("forgotten", nil)
	if gets != 2 {
		t.Errorf("after Forget the secret was read %d times, want 2", gets)
	}
	o.secret = ""
	want("no app", account.ErrNoApp, vault.ErrNotFound, account.ErrVault)
	o.secret = "s_test"
	o.Forget(t.Context(), userID)
	o.vault.through = func(string, func()) error { return errCut }
	want("the vault fails", account.ErrVault, vault.ErrNotFound)
	o.vault.through = nil
	o.safe.create(secretName, []byte("by hand"))
	if _, err := o.Credential(t.Context(), userID); !errors.As(err, new(*account.UnreadableTokenError)) {
		t.Errorf("%v", err)
	}
}

// The run's options reach the requests for tokens, at its beginning and after a 401.
func TestRefreshCountsInTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := unconnected(t, ownerreztest.Quirks{TokensExpireIn: 30 * 24 * time.Hour, RefreshRotates: true})
		first := o.keepAnother()
		var routes []string
		var granted *permits // of the run that began last
		begin := func() *ownerrez.Client {
			t.Helper()
			routes, granted = nil, &permits{}
			run := append(make([]ownerrez.Option, 0, 9),
				ownerrez.WithObserver(func(_ context.Context, e ownerrez.Exchange) { routes = append(routes, e.Route) }),
				ownerrez.WithLimiter(granted), ownerrez.WithRetry(ownerrez.RetryPolicy{Attempts: 9}))
			cred, err := o.Credential(t.Context(), userID)
			if err != nil {
				t.Fatal(err)
			}
			if err = cred.Prepare(t.Context(), run...); err != nil {
				t.Fatal(err)
			}
			client, err := cred.Open(run...)
			run[0], run[1] = nil, nil // they are ours
			if err != nil {
				t.Fatal(err)
			}
			return client
		}
		time.Sleep(21 * 24 * time.Hour)
		begin()
		if got := strings.Join(routes, " "); got != "/oauth/access_token" || granted.given != 1 {
			t.Errorf("at two thirds of its life: %s, %d permits", got, granted.given)
		}
		second, _ := o.stored()
		if second.Token.AccessToken == first.AccessToken {
			t.Error("it was not refreshed")
		}
		client := begin()
		o.server.Fault(ownerreztest.Fault{Match: ownerreztest.MatchPath("/v2/users/me"), Do: ownerreztest.Status(http.StatusUnauthorized)})
		if _, err := client.Users.Me(t.Context()); err != nil {
			t.Error(err)
		}
		// The observer hears of an attempt when the client goes on, so of the refresh between both.
		if got := strings.Join(routes, " "); got != "/v2/users/me /oauth/access_token /v2/users/me" || granted.given != 3 {
			t.Errorf("after a 401: %s, %d permits", got, granted.given)
		}

		// A refresh is never sent twice in a row, whatever the run's policy is.
		time.Sleep(21 * 24 * time.Hour)
		o.server.Fault(ownerreztest.Fault{Match: ownerreztest.MatchPath("/oauth/access_token"), Times: -1, Do: ownerreztest.Status(http.StatusTooManyRequests)})
		begin()
		if len(routes) != 1 || granted.given != 1 {
			t.Errorf("while OwnerRez refuses: %s, %d permits", routes, granted.given)
		}
	})
}

// permits gives any number of them, and counts.
type permits struct{ given int }

func (p *permits) Take(context.Context) error { p.given++; return nil }

// The operator gives the app another secret: the next refresh uses it.
func TestAppSecretChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := unconnected(t, ownerreztest.Quirks{TokensExpireIn: 30 * 24 * time.Hour, RefreshRotates: true, RefreshNeedsBasic: true})
		o.keepAnother()
		if _, err := o.Credential(t.Context(), userID); err != nil {
			t.Fatal(err)
		}
		o.server.AddApp(ownerreztest.App{ClientID: keeperApp.ClientID, ClientSecret: "s_testnew", RedirectURL: "https://app.example.com/cb"})
		o.secret = "s_testnew"
		time.Sleep(21 * 24 * time.Hour)
		cred, err := o.Credential(t.Context(), userID)
		if err != nil {
			t.Fatal(err)
		}
		before, _ := o.stored()
		if err = cred.Prepare(t.Context()); err != nil || cred.Trouble() != nil {
			t.Errorf("%v, %v", err, cred.Trouble())
		}
		if after, _ := o.stored(); after.Token.AccessToken == before.Token.AccessToken {
			t.Error("it was not refreshed")
		}
	})
}

// Whatever is printed of it shows no secret.
func TestConnectionsShowNoSecret(t *testing.T) {
	o := unconnected(t, ownerreztest.Quirks{})
	o.keepAnother()
	if _, err := o.Credential(t.Context(), userID); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "connections", o.Connections)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "connections", o.Connections)
	for _, text := range []string{fmt.Sprintf("%v %+v %#v %s %q %d", o.Connections, o.Connections, o.Connections, o.Connections, o.Connections, o.Connections), log.String()} {
		o.wantNoSecret("printed", text)
		if !strings.Contains(text, "account/") || strings.Contains(text, o.secret) {
			t.Errorf("%s", text)
		}
	}
	for _, inside := range []any{struct{ C *account.Connections }{o.Connections}, reflect.ValueOf(o.Connections).Elem()} {
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "inside", inside)
		encoded, _ := json.Marshal(inside)
		text := fmt.Sprintf("%v %+v %#v", inside, inside, inside) + log.String() + string(encoded)
		o.wantNoSecret("printed inside", text)
		if strings.Contains(text, o.secret) {
			t.Errorf("%s", text)
		}
	}
}
