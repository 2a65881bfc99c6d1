package account_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
)

const (
	userID     = 123456
	secretName = "account/123456"
)

var keeperApp = ownerrez.App{Name: "My App", Version: "1.0", ClientID: "c_51234234"}

// world is an OwnerRez with an account that has let an app in, a vault, and a note of all grants.
type world struct {
	t      *testing.T
	server *ownerreztest.Server
	door   http.RoundTripper
	safe   *safe

	mu     sync.Mutex
	grants []*asked
}

// asked is a request for a refresh.
type asked struct {
	token      string    // the refresh token
	access     string    // the access token that was stored beside it
	began, end time.Time // the end is OwnerRez's answer
	done       bool      // OwnerRez refreshed the token
	hidden     bool      // and nobody got the answer
}

func newWorld(t *testing.T, quirks ownerreztest.Quirks) *world {
	t.Helper()
	quirks.RateLimitOff = true
	w := &world{t: t, server: ownerreztest.New(ownerreztest.WithQuirks(quirks)), safe: newSafe()}
	w.server.AddAccount(ownerreztest.Account{ID: userID, Email: "host@example.com", Name: "Host"})
	w.server.AddApp(ownerreztest.App{ClientID: keeperApp.ClientID, ClientSecret: "s_test", RedirectURL: "https://app.example.com/cb"})
	w.door = w.server.HTTPClient(t).Transport
	value, err := w.connect().Encode()
	if err != nil {
		t.Fatal(err)
	}
	w.safe.create(secretName, value)
	return w
}

func (w *world) options(via http.RoundTripper) []ownerrez.Option {
	return []ownerrez.Option{
		ownerrez.WithAPIURL(w.server.URL()), ownerrez.WithAppURL(w.server.URL()), ownerrez.WithAllowHTTPHost("ownerrez.test"),
		ownerrez.WithHTTPClient(&http.Client{Transport: via}), ownerrez.WithRetry(ownerrez.NoRetry()),
		ownerrez.WithLimiter(ownerrez.NewWindow(1000, time.Second)),
	}
}

func (w *world) authorizer(via http.RoundTripper) *ownerrez.Authorizer {
	w.t.Helper()
	config := ownerrez.OAuthConfig{App: keeperApp, ClientSecret: "s_test", RedirectURL: "https://app.example.com/cb"}
	a, err := ownerrez.NewAuthorizer(config, w.options(via)...)
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

// authorize is how a Keeper asks.
func (w *world) authorize(via http.RoundTripper) account.Authorize {
	return func(more ...ownerrez.Option) (*ownerrez.Authorizer, error) {
		config := ownerrez.OAuthConfig{App: keeperApp, ClientSecret: "s_test"}
		return ownerrez.NewAuthorizer(config, append(w.options(via), more...)...)
	}
}

// connect is a host who lets the app in.
func (w *world) connect() account.Connection {
	w.t.Helper()
	a := w.authorizer(w.door)
	back, err := w.server.Allow(a.AuthCodeURL("state"), userID)
	if err != nil {
		w.t.Fatal(err)
	}
	callback, err := url.Parse(back)
	if err != nil {
		w.t.Fatal(err)
	}
	now := time.Now()
	token, err := a.Exchange(w.t.Context(), callback.Query().Get("code"))
	if err != nil {
		w.t.Fatal(err)
	}
	return account.NewConnection(token, now)
}

// store does what a callback does with a new connection.
func (w *world) store(c account.Connection) {
	w.t.Helper()
	value, err := c.Encode()
	if err != nil {
		w.t.Fatal(err)
	}
	w.fill(value)
}

// fill replaces the secret, whatever comes between.
func (w *world) fill(value []byte) {
	w.t.Helper()
	v := &safeVault{safe: w.safe}
	for {
		current, err := v.Get(w.t.Context(), secretName)
		if err == nil {
			_, err = v.Replace(w.t.Context(), secretName, current.Version, value)
		}
		if err == nil {
			return
		}
		if !errors.Is(err, vault.ErrConflict) {
			w.t.Error(err)
			return
		}
	}
}

// stored is what the vault holds, and its version.
func (w *world) stored() (account.Connection, string) {
	w.t.Helper()
	secret, err := (&safeVault{safe: w.safe}).Get(w.t.Context(), secretName)
	if err != nil {
		w.t.Fatal(err)
	}
	c, err := account.ParseConnection(secret.Value)
	if err != nil {
		w.t.Fatal(err)
	}
	return c, secret.Version
}

// works reports whether OwnerRez accepts an access token.
func (w *world) works(token ownerrez.Token) bool {
	w.t.Helper()
	client, err := ownerrez.New(ownerrez.OAuth(keeperApp, ownerrez.StaticToken(token.AccessToken)), w.options(w.door)...)
	if err == nil {
		_, err = client.Users.Me(w.t.Context())
	}
	if err != nil && !errors.Is(err, ownerrez.ErrUnauthorized) {
		w.t.Error(err)
	}
	return err == nil
}

// sandbox is one process with a keeper. The road is what happens to its requests for tokens, nil for nothing.
type sandbox struct {
	*world
	vault  *safeVault
	keeper *account.Keeper
	client *ownerrez.Client
	road   func(do func() error) error
}

func (w *world) sandbox() *sandbox {
	w.t.Helper()
	s := &sandbox{world: w, vault: &safeVault{safe: w.safe}}
	s.keeper = account.NewKeeper(s.vault, secretName, userID, w.authorize(s), nil)
	cred, err := s.keeper.Credential(w.t.Context(), []byte("key"), keeperApp, w.options(w.door)...)
	if err != nil {
		w.t.Fatal(err)
	}
	if s.client, err = cred.Open(); err != nil {
		w.t.Fatal(err)
	}
	return s
}

// call is a lookup, so to say.
func (s *sandbox) call() error {
	_, err := s.client.Users.Me(s.t.Context())
	return err
}

func (s *sandbox) mustCall() {
	s.t.Helper()
	if err := s.call(); err != nil {
		s.t.Errorf("%s: %v", time.Now().Format(time.DateTime), err)
	}
}

// RoundTrip carries requests for tokens.
func (s *sandbox) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	body, _ := io.ReadAll(r.Body)
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	form, _ := url.ParseQuery(string(body))
	current, _ := s.stored()
	note := &asked{token: form.Get("refresh_token"), access: current.Token.AccessToken, began: time.Now()}
	s.mu.Lock()
	s.grants = append(s.grants, note)
	s.mu.Unlock()
	road := s.road
	if road == nil {
		road = func(do func() error) error { return do() }
	}
	err = road(func() error {
		resp, err = s.door.RoundTrip(r.WithContext(context.WithoutCancel(r.Context()))) //nolint:bodyclose // look reads and closes it
		s.look(note, resp)
		return err
	})
	if err == nil {
		err = r.Context().Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	note.hidden = err != nil
	if err != nil {
		return nil, err
	}
	return resp, nil
}

// look notes what OwnerRez did.
func (s *sandbox) look(note *asked, resp *http.Response) {
	if resp == nil {
		return
	}
	answer, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(answer))
	s.mu.Lock()
	defer s.mu.Unlock()
	note.done, note.end = resp.StatusCode == 200, time.Now() // how long the process stands still is its own matter
}

// wantGrants checks that no two refreshes with one refresh token were under way at once, and that there was one
// repeat, and more only after a quarter of an hour (by notes that are written up to a minute before).
func (w *world) wantGrants() {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	by := map[string][]*asked{}
	for _, g := range w.grants {
		by[g.token] = append(by[g.token], g)
	}
	for token, list := range by {
		slices.SortFunc(list, func(a, b *asked) int { return a.began.Compare(b.began) })
		times := map[string][]time.Time{}
		for i, g := range list {
			if i > 0 && g.began.Before(list[i-1].end) {
				w.t.Errorf("%s: asked at %s, while a refresh was under way from %s to %s", token, g.began, list[i-1].began, list[i-1].end)
			}
			before := times[g.access]
			if n := len(before); n > 1 && g.began.Sub(before[n-1]) < 14*time.Minute {
				w.t.Errorf("%s: asked in place of %s at %s and %s", token, g.access, before, g.began)
			}
			times[g.access] = append(before, g.began)
		}
	}
}

// wantNoSecret checks a text.
func (w *world) wantNoSecret(what, text string) {
	w.t.Helper()
	for _, secret := range w.server.Secrets() {
		if strings.Contains(text, secret) {
			w.t.Errorf("%s holds a secret", what)
		}
	}
}
