package lookup_test

import (
	"context"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault/file"
)

const hooks = "https://hooks.example.com/webhooks/ownerrez/"

// guest is an account whose host connects it by OAuth. No personal token is configured, unless one is given.
type guest struct {
	*house
	app         ownerrez.OAuthConfig
	connections *account.Connections
	vault       *keeping
	options     []ownerrez.Option
	personal    bool // the personal token is configured too
}

// keeping is a vault that keeps what is deleted for a while, as Secrets Manager does, and fails when it is told to.
type keeping struct {
	vault.Maker
	deleted map[string][]byte
	fail    error // of Delete
	full    error // of Replace
}

func (k *keeping) Replace(ctx context.Context, name, old string, value []byte) (string, error) {
	if k.full != nil {
		return "", k.full
	}
	return k.Maker.Replace(ctx, name, old, value)
}

func (k *keeping) Delete(ctx context.Context, name string) error {
	if k.fail != nil {
		return k.fail
	}
	if secret, err := k.Get(ctx, name); err == nil {
		k.deleted[name] = secret.Value
	}
	return k.Maker.Delete(ctx, name)
}

func (k *keeping) Get(ctx context.Context, name string) (vault.Secret, error) {
	secret, err := k.Maker.Get(ctx, name)
	if err != nil && k.deleted[name] != nil {
		return secret, vault.ErrDeleted
	}
	return secret, err
}

func (k *keeping) Create(ctx context.Context, name string, value []byte) (string, error) {
	if k.deleted[name] != nil {
		return "", vault.ErrDeleted
	}
	return k.Maker.Create(ctx, name, value)
}

func (k *keeping) Restore(ctx context.Context, name string) error {
	if value := k.deleted[name]; value != nil {
		delete(k.deleted, name)
		_, err := k.Maker.Create(ctx, name, value)
		return err
	}
	return k.Maker.Restore(ctx, name)
}

func newGuest(t *testing.T, quirks ownerreztest.Quirks) *guest {
	t.Helper()
	g := &guest{house: newHouse(t, quirks)}
	secrets, err := file.Open(filepath.Join(quickDir(t), "secrets.json"))
	if err != nil {
		t.Fatal(err)
	}
	g.vault = &keeping{Maker: secrets, deleted: map[string][]byte{}}
	g.app = ownerrez.OAuthConfig{
		App: ownerrez.App{Name: "My App", Version: "1.0", ClientID: "c_51234234"}, ClientSecret: "s_test", RedirectURL: "https://app.example.com/oauth/callback",
	}
	g.server.AddApp(ownerreztest.App{ClientID: g.app.App.ClientID, ClientSecret: "s_test", RedirectURL: g.app.RedirectURL})
	client := g.server.HTTPClient(t)
	g.options = []ownerrez.Option{
		ownerrez.WithAPIURL(g.server.URL()), ownerrez.WithAppURL(g.server.URL()),
		ownerrez.WithAllowHTTPHost("ownerrez.test"), ownerrez.WithHTTPClient(client),
	}
	g.connections = g.connect(nil)
	g.job.Connections = g.connections
	g.job.Webhooks = &lookup.Webhooks{Base: hooks, Key: func(context.Context) ([]byte, error) { return []byte("hook key"), nil }}
	g.job.Credentials = func(context.Context) ([]account.Credential, error) {
		if g.personal {
			return []account.Credential{g.credential(client)}, nil
		}
		return nil, nil
	}
	g.property(4401, "America/Chicago")
	g.book(4401, 3, 2)
	return g
}

// connect makes what a process makes to reach connected accounts.
func (g *guest) connect(client *http.Client) *account.Connections {
	options := g.options
	if client != nil {
		options = append(slices.Clip(options), ownerrez.WithHTTPClient(client))
	}
	return &account.Connections{
		Vault: g.vault, Prefix: "account/", Options: options,
		App: func(context.Context) (ownerrez.OAuthConfig, error) {
			app := g.app
			app.RedirectURL = ""
			return app, nil
		},
		Key: func(context.Context) ([]byte, error) { return []byte("key"), nil },
	}
}

// token is what OwnerRez gives when the host of an account lets the app in.
func (g *guest) grant(id int64) ownerrez.Token {
	g.t.Helper()
	a, err := ownerrez.NewAuthorizer(g.app, g.options...)
	if err != nil {
		g.t.Fatal(err)
	}
	back, err := g.server.Allow(a.AuthCodeURL("state"), id)
	if err != nil {
		g.t.Fatal(err)
	}
	u, err := url.Parse(back)
	if err != nil {
		g.t.Fatal(err)
	}
	token, err := a.Exchange(g.t.Context(), u.Query().Get("code"))
	if err != nil {
		g.t.Fatal(err)
	}
	return token
}

// ask keeps a request for the account's lane.
func (g *guest) ask(r lookup.Request) {
	g.t.Helper()
	r.Account, r.At = testAccount, time.Now().UTC()
	if err := g.store.Ask(g.t.Context(), r); err != nil {
		g.t.Fatal(err)
	}
}

// arrive is a host who connects the account, up to where the lane goes on.
func (g *guest) arrive(ref string) {
	g.t.Helper()
	g.ask(lookup.Request{Ref: ref, By: lookup.ByHost})
	if _, err := g.connections.Keep(g.t.Context(), g.grant(testAccount), time.Now()); err != nil {
		g.t.Fatal(err)
	}
}

func (g *guest) wakeFor(reason string) lookup.Outcome {
	g.t.Helper()
	return g.wake(lookup.Wake{Key: lookup.AccountKey(testAccount), Reason: reason, Sent: time.Now()})
}

// requests lists what lanes are asked to do.
func (g *guest) requests() []lookup.Request {
	g.t.Helper()
	all, err := g.store.Requests(g.t.Context())
	if err != nil {
		g.t.Fatal(err)
	}
	return all
}

// tick does what a tick wakes, in order.
func (g *guest) tick() (outcomes []lookup.Outcome) {
	g.t.Helper()
	var wakes []lookup.Wake
	err := g.job.Tick(g.t.Context(), func(_ context.Context, w lookup.Wake) error {
		wakes = append(wakes, w)
		return nil
	})
	if err != nil {
		g.t.Fatal(err)
	}
	for _, w := range wakes {
		outcomes = append(outcomes, g.wake(w))
	}
	return outcomes
}
