package connect_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/connect"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store/embedded"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault/file"
)

const (
	hostID, otherID = 123456, 654321
	public          = "https://app.example.com"
)

// world is an office, an OwnerRez whose hosts it connects, and what they leave behind.
type world struct {
	*connect.Office
	t      *testing.T
	server *ownerreztest.Server
	store  *store.Store
	secret vault.Maker
	now    time.Time // by the office's clock; zero: the real one
	codes  []string  // invitations, states and browsers' secrets: they must not be found anywhere

	mu     sync.Mutex
	waked  []lookup.Wake
	logged bytes.Buffer
}

func newWorld(t *testing.T, quirks ownerreztest.Quirks) *world {
	t.Helper()
	quirks.RateLimitOff = true
	w := &world{t: t, server: ownerreztest.New(ownerreztest.WithQuirks(quirks))}
	w.server.AddAccount(ownerreztest.Account{ID: hostID, Email: "host@example.com", Name: "Lakeview <Cabins>"})
	w.server.AddAccount(ownerreztest.Account{ID: otherID, Email: "other@example.com", Name: "Other"})
	app := ownerrez.OAuthConfig{App: ownerrez.App{Name: "My App", Version: "1.0", ClientID: "c_51234234"}, ClientSecret: "s_test"}
	w.server.AddApp(ownerreztest.App{ClientID: app.App.ClientID, ClientSecret: "s_test", RedirectURL: public + connect.CallbackPath})
	db, err := embedded.Open(filepath.Join(t.TempDir(), "calendar.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	w.store = store.New(db)
	if w.secret, err = file.Open(filepath.Join(t.TempDir(), "secrets.json")); err != nil {
		t.Fatal(err)
	}
	options := []ownerrez.Option{
		ownerrez.WithAPIURL(w.server.URL()), ownerrez.WithAppURL(w.server.URL()),
		ownerrez.WithAllowHTTPHost("ownerrez.test"), ownerrez.WithHTTPClient(w.server.HTTPClient(t)),
	}
	getApp := func(context.Context) (ownerrez.OAuthConfig, error) { return app, nil }
	w.Office = &connect.Office{
		Notes: w.store, Ask: w.store.Ask, App: getApp, Account: w.store.Account, Requested: w.store.Request, PublicURL: public, Options: options,
		Wake: func(_ context.Context, wake lookup.Wake) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.waked = append(w.waked, wake)
			return nil
		},
		Connections: &account.Connections{
			Vault: w.secret, Prefix: "account/", App: getApp, Options: options,
			Key: func(context.Context) ([]byte, error) { return []byte("key"), nil },
		},
		Now: func() time.Time {
			if w.now.IsZero() {
				return time.Now()
			}
			return w.now
		},
	}
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewJSONHandler(&w.logged, nil)))
	t.Cleanup(func() {
		slog.SetDefault(before)
		w.noSecret("the log", w.logged.String())
	})
	return w
}

// noSecret fails if a text holds a secret of OwnerRez or of ours.
func (w *world) noSecret(what, text string) {
	w.t.Helper()
	for _, secret := range append(w.server.Secrets(), w.codes...) {
		if strings.Contains(text, secret) {
			w.t.Errorf("%s holds a secret: %s", what, text)
		}
	}
}

// invite makes an invitation, and returns its code.
func (w *world) invite(inv connect.Invitation) string {
	w.t.Helper()
	link, err := w.Invite(w.t.Context(), inv)
	if err != nil {
		w.t.Fatal(err)
	}
	code, ok := strings.CutPrefix(link, public+"/connect?invite=")
	if !ok || len(code) < 26 {
		w.t.Fatalf("the link is %s", link)
	}
	w.codes = append(w.codes, code)
	return code
}

// tab is a browser's tab that was sent to OwnerRez.
type tab struct {
	*world
	connect.Browser
	state string
	at    string // the consent page
}

// begin begins a flow that must begin.
func (w *world) begin(invite string) *tab {
	w.t.Helper()
	start, err := w.Begin(w.t.Context(), invite)
	if err != nil || start.Refused != "" {
		w.t.Fatalf("%+v, %v", start, err)
	}
	return w.tab(start)
}

func (w *world) tab(start connect.Start) *tab {
	w.t.Helper()
	u, err := url.Parse(start.URL)
	if err != nil {
		w.t.Fatal(err)
	}
	state := u.Query().Get("state")
	w.codes = append(w.codes, state, start.Browser.Secret)
	if connect.FlowOf(state) != start.Browser.Flow || u.Query().Get("redirect_uri") != public+"/oauth/callback" || len(state) < 26 || len(start.Browser.Secret) < 26 {
		w.t.Errorf("%+v", start)
	}
	return &tab{w, start.Browser, state, start.URL}
}

// allow is a host who lets the app in; the browser comes back with what it returns.
func (tb *tab) allow(id int64) connect.Reply {
	tb.t.Helper()
	back, err := tb.server.Allow(tb.at, id)
	if err != nil {
		tb.t.Fatal(err)
	}
	return tb.reply(back)
}

func (tb *tab) reply(back string) connect.Reply {
	tb.t.Helper()
	u, err := url.Parse(back)
	if err != nil {
		tb.t.Fatal(err)
	}
	q := u.Query()
	return connect.Reply{State: q.Get("state"), Code: q.Get("code"), Error: q.Get("error"), Secret: tb.Secret}
}

// finish ends a flow.
func (w *world) finish(r connect.Reply) connect.Ended {
	w.t.Helper()
	end, err := w.Finish(w.t.Context(), r)
	if err != nil {
		w.t.Errorf("%v", err)
	}
	if end.Key != "" {
		w.codes = append(w.codes, end.Key)
	}
	return end
}

// want fails unless a flow ended in that way.
func (w *world) want(end connect.Ending, kind connect.Kind) {
	w.t.Helper()
	if end.Kind != kind {
		w.t.Errorf("it ended with %q; want %q", end.Kind, kind)
	}
}

// connected is the token that is stored of an account; empty if there is none.
func (w *world) connected(id int64) string {
	w.t.Helper()
	secret, err := w.secret.Get(w.t.Context(), "account/"+lookup.AccountKey(id))
	if err != nil {
		return ""
	}
	c, err := account.ParseConnection(secret.Value)
	if err != nil {
		w.t.Fatal(err)
	}
	return c.Token.AccessToken
}

// live are the tokens with which OwnerRez lets us into an account.
func (w *world) live(id int64) (tokens []string) {
	w.t.Helper()
	for _, token := range w.server.Secrets() {
		if !strings.HasPrefix(token, "at_") {
			continue
		}
		client, err := ownerrez.New(ownerrez.OAuth(ownerrez.App{Name: "a", Version: "1", ClientID: "c_51234234"}, ownerrez.StaticToken(token)), w.Options...)
		if err != nil {
			w.t.Fatal(err)
		}
		if user, err := client.Users.Me(w.t.Context()); err == nil && user.ID == id {
			tokens = append(tokens, token)
		}
	}
	return tokens
}
