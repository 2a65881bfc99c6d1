package ownerreztest_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

const (
	appID     = "c_app"
	appSecret = "s_secret"
	redirect  = "https://app.example.com/cb?x=1"
	agent     = "Test App/1.0 (" + appID + ")"
)

// oauthFlow is a server with an app, at a time that tests can move.
type oauthFlow struct {
	caller
	s   *ownerreztest.Server
	now time.Time
}

func newFlow(t *testing.T, q ownerreztest.Quirks) *oauthFlow {
	f := &oauthFlow{now: noon}
	f.s = newServer(ownerreztest.WithQuirks(q), ownerreztest.WithClock(func() time.Time { return f.now }))
	f.s.AddApp(ownerreztest.App{ClientID: appID, ClientSecret: appSecret, Name: "Test <App>", RedirectURL: redirect})
	f.caller = call(t, f.s)
	f.prep = func(r *http.Request) { r.Header.Set("User-Agent", agent); r.SetBasicAuth(appID, appSecret) }
	return f
}

func (f *oauthFlow) authURL(change ...string) string {
	v := url.Values{"response_type": {"code"}, "client_id": {appID}, "redirect_uri": {redirect}, "state": {"st&te"}}
	for i := 0; i < len(change); i += 2 {
		v.Set(change[i], change[i+1])
	}
	return f.base + "/oauth/authorize?" + v.Encode()
}

// code is a fresh authorization code.
func (f *oauthFlow) code() string {
	f.t.Helper()
	callback, err := f.s.Allow(f.authURL(), acct)
	if err != nil {
		f.t.Fatal(err)
	}
	u, err := url.Parse(callback)
	if err != nil {
		f.t.Fatal(err)
	}
	return u.Query().Get("code")
}

// post sends a form of pairs to the token endpoint.
func (f *oauthFlow) post(path string, pairs ...string) reply {
	f.t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	req, err := http.NewRequestWithContext(f.t.Context(), http.MethodPost, f.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		f.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	f.prep(req)
	return f.send(req)
}

func (f *oauthFlow) exchange(code string) reply {
	return f.post("/oauth/access_token", "grant_type", "authorization_code", "code", code, "redirect_uri", redirect)
}

func (f *oauthFlow) refresh(token any) reply {
	text, _ := token.(string)
	return f.post("/oauth/access_token", "grant_type", "refresh_token", "refresh_token", text)
}

// me is the status of users/me with an access token.
func (f *oauthFlow) me(token any) int {
	text, _ := token.(string)
	c := f.caller
	c.prep = func(r *http.Request) {
		r.Header.Set("User-Agent", agent)
		r.Header.Set("Authorization", "Bearer "+text)
	}
	return c.get("/v2/users/me").status
}

func (f *oauthFlow) expect(what string, r reply, status int, code string) {
	f.t.Helper()
	if r.status != status || (code != "" && r.object(f.t)["error"] != code) {
		f.t.Errorf("%s: %d %s, want %d %s", what, r.status, r.body, status, code)
	}
}

// TestConsentPage is what a host sees, and both buttons lead back.
func TestConsentPage(t *testing.T) {
	f := newFlow(t, ownerreztest.Quirks{})
	r := f.do("GET", f.authURL())
	for _, want := range []string{"Test &lt;App&gt;", "Allow", "Deny", `value="st&amp;te"`, "wylie@acme.com", `action="/base/oauth/authorize"`} {
		if r.status != 200 || !strings.Contains(r.body, want) {
			t.Errorf("%d, the page lacks %s", r.status, want)
		}
	}
	press := func(decision string) url.Values {
		r := f.post("/oauth/authorize", "response_type", "code", "client_id", appID, "redirect_uri", redirect, "state", "st&te", "account", "7", "decision", decision)
		u, err := url.Parse(r.header.Get("Location"))
		if err != nil || r.status != 302 || !strings.HasPrefix(u.String(), "https://app.example.com/cb?") || u.Query().Get("x") != "1" || u.Query().Get("state") != "st&te" {
			t.Errorf("%s: %d, to %s", decision, r.status, u)
		}
		return u.Query()
	}
	if got := press("deny"); got.Get("error") != "access_denied" || got.Has("code") {
		t.Errorf("deny: %v", got)
	}
	if code := press("allow").Get("code"); f.exchange(code).status != 200 {
		t.Errorf("allow: code %q", code)
	}
	for _, wrong := range []string{f.authURL("client_id", "c_other"), f.authURL("redirect_uri", "https://app.example.com/cb")} {
		if r := f.do("GET", wrong); r.status != 400 || r.header.Get("Location") != "" {
			t.Errorf("%s: %d, to %q", wrong, r.status, r.header.Get("Location"))
		}
		if _, err := f.s.Allow(wrong, acct); err == nil {
			t.Errorf("%s: allowed", wrong)
		}
	}
	if r := f.do("GET", f.authURL("response_type", "token")); r.status != 302 || !strings.Contains(r.header.Get("Location"), "unsupported_response_type") {
		t.Errorf("response_type token: %d", r.status)
	}
	if callback, err := f.s.Deny(f.authURL()); err != nil || !strings.Contains(callback, "error=access_denied") {
		t.Errorf("Deny: %q, %v", callback, err)
	}
}

// TestExchange: a code is good once, for ten minutes, for its app and its redirect_uri.
func TestExchange(t *testing.T) {
	f := newFlow(t, ownerreztest.Quirks{})
	code := f.code()
	f.expect("wrong redirect_uri", f.post("/oauth/access_token", "grant_type", "authorization_code", "code", code, "redirect_uri", "https://x"), 400, "invalid_grant")
	f.expect("no redirect_uri", f.post("/oauth/access_token", "grant_type", "authorization_code", "code", code), 400, "invalid_grant")
	f.expect("unknown grant", f.post("/oauth/access_token", "grant_type", "password", "code", code), 400, "unsupported_grant_type")
	f.expect("no code", f.exchange("tc_x"), 400, "invalid_grant")
	f.expect("access token as code", f.exchange(bearer), 400, "invalid_grant")
	r := f.exchange(code)
	reply := r.object(t)
	if reply["token_type"] != "bearer" || reply["scope"] != "full" || reply["user_id"] != 7.0 || reply["user_display_name"] != "Acme Stays" || len(reply) != 5 {
		t.Error(r.body)
	}
	if got := f.me(reply["access_token"]); got != 200 {
		t.Errorf("the token: %d", got)
	}
	f.expect("used code", f.exchange(code), 400, "invalid_grant")
	late := f.code()
	f.now = f.now.Add(10 * time.Minute)
	f.expect("old code", f.exchange(late), 400, "invalid_grant")
	if r := f.post("/oauth/token", "grant_type", "authorization_code", "code", f.code(), "redirect_uri", redirect); r.status != 200 {
		t.Errorf("alias: %d", r.status)
	}
}

// TestClientAuthentication: only the app itself gets tokens.
func TestClientAuthentication(t *testing.T) {
	f := newFlow(t, ownerreztest.Quirks{})
	f.s.AddApp(ownerreztest.App{ClientID: "c_other", ClientSecret: "s_other"})
	code := f.code()
	good := f.prep
	as := func(user, pass string) { f.prep = func(r *http.Request) { good(r); r.SetBasicAuth(user, pass) } }
	as(appID, "s_wrong")
	f.expect("wrong secret", f.exchange(code), 401, "invalid_client")
	as("c_other", "s_other")
	f.expect("another app's code", f.exchange(code), 400, "invalid_grant")
	f.prep = func(r *http.Request) { r.Header.Set("User-Agent", agent) }
	f.expect("no secret", f.exchange(code), 401, "invalid_client")
	f.prep = func(r *http.Request) { good(r); r.Header.Set("User-Agent", "") }
	if r := f.exchange(code); r.status != 403 {
		t.Errorf("no User-Agent: %d", r.status)
	}
	f.prep = func(r *http.Request) { good(r); r.Header.Set("Content-Type", "application/json") }
	f.expect("no form", f.exchange(code), 400, "invalid_request")
	f.prep = good
	if r := f.exchange(code); r.status != 200 {
		t.Errorf("at last: %d %s", r.status, r.body)
	}
	f.s.SetQuirks(ownerreztest.Quirks{RefuseRedirectURI: true})
	code = f.code()
	if r := f.exchange(code); r.status != 403 {
		t.Errorf("redirect_uri, by quirk: %d", r.status)
	}
	if r := f.post("/oauth/access_token", "grant_type", "authorization_code", "code", code); r.status != 200 {
		t.Errorf("without it, by quirk: %d", r.status)
	}
	f.s.SetQuirks(ownerreztest.Quirks{TokenHost: "api.test"})
	if r := f.exchange(f.code()); r.status != 404 {
		t.Errorf("another host: %d", r.status)
	}
}

// TestRefresh: tokens expire where the quirk says so, and are refreshed with or without rotation.
func TestRefresh(t *testing.T) {
	f := newFlow(t, ownerreztest.Quirks{TokensExpireIn: time.Hour, OnlyScope: "read"})
	first := f.exchange(f.code()).object(t)
	if first["expires_in"] != 3600.0 || first["scope"] != "read" {
		t.Error(first)
	}
	f.now = f.now.Add(time.Hour)
	if got := f.me(first["access_token"]); got != 401 {
		t.Errorf("expired token: %d", got)
	}
	second := f.refresh(first["refresh_token"]).object(t)
	if _, rotated := second["refresh_token"]; rotated || f.me(second["access_token"]) != 200 {
		t.Error(second)
	}
	f.prep = func(r *http.Request) { r.Header.Set("User-Agent", agent) }
	if r := f.refresh(first["refresh_token"]); r.status != 200 {
		t.Errorf("without Basic: %d", r.status)
	}
	f.expect("access token as refresh token", f.refresh(second["access_token"]), 400, "invalid_grant")

	f.s.SetQuirks(ownerreztest.Quirks{TokensExpireIn: time.Hour, RefreshRotates: true, RefreshNeedsBasic: true, ExpiresAt: true})
	f.expect("without Basic, by quirk", f.refresh(first["refresh_token"]), 401, "invalid_client")
	f.prep = func(r *http.Request) { r.Header.Set("User-Agent", agent); r.SetBasicAuth(appID, appSecret) }
	third := f.refresh(first["refresh_token"]).object(t)
	if third["expires_at"] != "2026-11-23T14:00:00Z" || third["refresh_token"] == nil || third["refresh_token"] == first["refresh_token"] {
		t.Error(third)
	}
	f.expect("rotated refresh token", f.refresh(first["refresh_token"]), 400, "invalid_grant")

	f.s.Fault(ownerreztest.Fault{Do: ownerreztest.LoseAnswer()})
	if r := f.refresh(third["refresh_token"]); r.err == nil {
		t.Errorf("lost answer: %d", r.status)
	}
	f.expect("lost answer rotated all the same", f.refresh(third["refresh_token"]), 400, "invalid_grant")
}

// TestRevoke ends a token, by the app and by the host.
func TestRevoke(t *testing.T) {
	for _, all := range []bool{false, true} {
		f := newFlow(t, ownerreztest.Quirks{TokensExpireIn: time.Hour, RevokeEndsAllTokens: all})
		one, two := f.exchange(f.code()).object(t), f.exchange(f.code()).object(t)
		token, _ := one["access_token"].(string)
		revoke := func() int { return f.do("DELETE", f.base+"/oauth/access_token/"+token).status }
		if got := revoke(); got != 204 || f.me(token) != 401 {
			t.Errorf("revoke: %d, then %d", got, f.me(token))
		}
		if got := revoke(); got != 404 {
			t.Errorf("revoke again: %d", got)
		}
		if ended := f.me(two["access_token"]) == 401; ended != all {
			t.Errorf("the other token ended: %v, want %v", ended, all)
		}
		if ended := f.refresh(one["refresh_token"]).status == 400; ended != all {
			t.Errorf("the refresh token ended: %v, want %v", ended, all)
		}
		f.prep = func(r *http.Request) { r.Header.Set("User-Agent", agent) }
		if got := revoke(); got != 401 {
			t.Errorf("revoke without Basic: %d", got)
		}
		f.s.RevokeAccess(acct)
		if f.me(two["access_token"]) != 401 || f.me(bearer) != 401 {
			t.Error("the host revoked, and tokens live on")
		}
	}
}

// TestSecrets knows all of them.
func TestSecrets(t *testing.T) {
	f := newFlow(t, ownerreztest.Quirks{TokensExpireIn: time.Hour})
	code := f.code()
	reply := f.exchange(code).object(t)
	f.s.RevokeAccess(acct)
	f.s.AddAccount(ownerreztest.Account{ID: acct})
	all := strings.Join(f.s.Secrets(), " ")
	for _, secret := range []any{pat, bearer, appSecret, code, reply["access_token"], reply["refresh_token"]} {
		if text, _ := secret.(string); text == "" || !strings.Contains(all, text) {
			t.Errorf("%v is missing in %s", secret, all)
		}
	}
}
