package connect_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/connect"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store/embedded"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault/file"
	web "github.com/ownerrez-lambda/ownerrez-lambda/pkg/web/connect"
)

const hostID, otherID = 123456, 654321

// site is the pages behind TLS, and an OwnerRez beside them.
type site struct {
	t       *testing.T
	server  *ownerreztest.Server
	office  *connect.Office
	handler http.Handler
	opts    web.Options
	pages   *httptest.Server
	at      string // of OwnerRez
	store   *store.Store
	offset  time.Duration // of the office's clock
	codes   []string
	errs    []error
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, server: ownerreztest.New(ownerreztest.WithQuirks(ownerreztest.Quirks{RateLimitOff: true}))}
	s.server.AddAccount(ownerreztest.Account{ID: hostID, Email: "host@example.com", Name: "Lakeview <b>Cabins</b>"})
	s.server.AddAccount(ownerreztest.Account{ID: otherID, Email: "other@example.com", Name: "Other"})
	s.at = s.server.Start(t)
	s.pages = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }))
	t.Cleanup(s.pages.Close)
	db, err := embedded.Open(filepath.Join(t.TempDir(), "calendar.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	s.store = store.New(db)
	secrets, err := file.Open(filepath.Join(t.TempDir(), "secrets.json"))
	if err != nil {
		t.Fatal(err)
	}
	app := ownerrez.OAuthConfig{App: ownerrez.App{Name: "My App", Version: "1.0", ClientID: "c_51234234"}, ClientSecret: "s_test"}
	s.server.AddApp(ownerreztest.App{ClientID: app.App.ClientID, ClientSecret: "s_test", Name: "My App", RedirectURL: s.pages.URL + connect.CallbackPath})
	getApp := func(context.Context) (ownerrez.OAuthConfig, error) { return app, nil }
	options := []ownerrez.Option{ownerrez.WithAPIURL(s.at), ownerrez.WithAppURL(s.at)}
	s.office = &connect.Office{
		Notes: s.store, Ask: s.store.Ask, Account: s.store.Account, Requested: s.store.Request, App: getApp, PublicURL: s.pages.URL, Options: options,
		Wake: func(context.Context, lookup.Wake) error { return nil },
		Connections: &account.Connections{
			Vault: secrets, Prefix: "account/", App: getApp, Options: options,
			Key: func(context.Context) ([]byte, error) { return []byte("key"), nil },
		},
		Now: func() time.Time { return time.Now().Add(s.offset) },
	}
	s.opts = web.Options{AppName: "My App", OnError: func(err error) { s.errs = append(s.errs, err) }}
	s.handler = web.Handler(s.office, s.opts)
	before := slog.Default()
	slog.SetDefault(slog.New(slog.DiscardHandler))
	t.Cleanup(func() { slog.SetDefault(before) })
	return s
}

// invite is the link of an invitation.
func (s *site) invite(inv connect.Invitation) string {
	s.t.Helper()
	link, err := s.office.Invite(s.t.Context(), inv)
	if err != nil {
		s.t.Fatal(err)
	}
	_, code, _ := strings.Cut(link, "invite=")
	s.hide(code)
	return link
}

// browser is a host's browser, with its cookies.
type browser struct {
	*site
	client *http.Client
	sent   []string // where redirects have led
}

func (s *site) browser() *browser {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	b := &browser{site: s}
	b.client = &http.Client{
		Jar: jar, Transport: s.pages.Client().Transport,
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			b.look(r.Response)
			b.sent = append(b.sent, r.URL.String())
			if len(via) > 10 {
				return errors.New("sent on and on")
			}
			return nil
		},
	}
	return b
}

// view is a page as a host sees it.
type view struct {
	status int
	url    *url.URL
	text   string
	header http.Header
}

func (b *browser) do(r *http.Request) view {
	b.t.Helper()
	resp, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	b.look(resp)
	v := view{resp.StatusCode, resp.Request.URL, string(body), resp.Header}
	if b.ours(v.url) {
		b.whole(v)
	}
	return v
}

func (b *browser) get(address string) view {
	b.t.Helper()
	return b.send(http.MethodGet, address, nil, nil)
}

// decide fills the form of OwnerRez's consent page, and follows where it leads.
func (b *browser) decide(consent view, decision string, id string) view {
	b.t.Helper()
	if !strings.HasPrefix(consent.url.String(), b.at) || consent.status != http.StatusOK {
		b.t.Fatalf("not at OwnerRez, but at %s: %d %s", consent.url.Path, consent.status, consent.text)
	}
	form := consent.url.Query()
	form.Set("account", id)
	form.Set("decision", decision)
	at := *consent.url
	at.RawQuery = ""
	return b.post(at.String(), form, nil)
}

func (b *browser) post(address string, form url.Values, header map[string]string) view {
	b.t.Helper()
	return b.send(http.MethodPost, address, form, header)
}

func (b *browser) send(method, address string, form url.Values, header map[string]string) view {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for key, value := range header {
		r.Header.Set(key, value)
	}
	return b.do(r)
}

// has fails unless a page has the status and says something.
func (v view) has(t *testing.T, status int, says ...string) {
	t.Helper()
	for _, text := range says {
		if v.status != status || !strings.Contains(v.text, text) {
			t.Errorf("%s: status %d, want %d and %q: %s", v.url.Path, v.status, status, text, styles.ReplaceAllString(v.text, ""))
			return
		}
	}
}

// link is the address of the link with that text.
func (v view) link(t *testing.T, text string) string {
	t.Helper()
	before, _, ok := strings.Cut(v.text, ">"+text+"</a>")
	_, href, ok2 := strings.Cut(before[max(strings.LastIndex(before, "<a "), 0):], `href="`)
	href, _, _ = strings.Cut(href, `"`)
	if !ok || !ok2 {
		t.Fatalf("%s has no link %q: %s", v.url.Path, text, v.text)
	}
	u, err := v.url.Parse(strings.ReplaceAll(href, "&amp;", "&"))
	if err != nil {
		t.Fatal(err)
	}
	return u.String()
}

// callback is where OwnerRez has sent the browser back to.
func (b *browser) callback() string {
	b.t.Helper()
	for _, address := range b.sent {
		if strings.HasPrefix(address, b.pages.URL+connect.CallbackPath+"?") {
			return address
		}
	}
	b.t.Fatal("the browser has not come back from OwnerRez")
	return ""
}

// rewrite changes how a flow is stored to have ended.
func (s *site) rewrite(flow string, change func(*connect.Ending)) {
	s.t.Helper()
	data, version, err := s.store.Note(s.t.Context(), "STATE#"+flow)
	if err != nil || version == 0 {
		s.t.Fatalf("there is no flow %s: %v", flow, err)
	}
	var note map[string]any
	end := struct{ Ending *connect.Ending }{new(connect.Ending)}
	if err = errors.Join(json.Unmarshal(data[1:], &note), json.Unmarshal(data[1:], &end)); err != nil {
		s.t.Fatal(err)
	}
	change(end.Ending)
	note["Ending"] = end.Ending
	text, err := json.Marshal(note)
	if err == nil {
		err = s.store.SetNote(s.t.Context(), "STATE#"+flow, append(data[:1:1], text...), version, time.Now().Add(time.Hour))
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// row stores what the lane of the host's account has come to.
func (s *site) row(row lookup.Account) {
	s.t.Helper()
	row.Key, row.ID = lookup.AccountKey(hostID), hostID
	if was, err := s.store.Account(s.t.Context(), row.Key); err == nil {
		row.Version = was.Version
	}
	if err := s.store.Commit(s.t.Context(), lookup.Commit{Rows: []lookup.Account{row}}); err != nil {
		s.t.Fatal(err)
	}
}

// done has the lane of the host's account do what it was asked to.
func (s *site) done() {
	s.t.Helper()
	request, err := s.store.Request(s.t.Context(), hostID)
	if err == nil {
		err = s.store.Done(s.t.Context(), request)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}
