package ownerreztest_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// TestWhoMayCall goes through the ways to authorize a request, right and wrong.
func TestWhoMayCall(t *testing.T) {
	header := func(authorization, agent string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("User-Agent", agent)
			if authorization != "" {
				r.Header.Set("Authorization", authorization)
			}
		}
	}
	basic := func(user, pass string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+pass))
	}
	for name, test := range map[string]struct {
		prep   func(*http.Request)
		quirks ownerreztest.Quirks
		status int
		has    string
	}{
		"personal token":               {asPAT, ownerreztest.Quirks{}, 200, ""},
		"e-mail in capitals":           {header(basic("WYLIE@acme.com", pat), "curl/8"), ownerreztest.Quirks{}, 200, ""},
		"app token":                    {asApp, ownerreztest.Quirks{}, 200, ""},
		"Bearer in capitals":           {header("BEARER "+bearer, appAgent), ownerreztest.Quirks{}, 200, ""},
		"nothing":                      {header("", "x/1"), ownerreztest.Quirks{}, 401, "auth_required"},
		"not Basic":                    {header("Basic zzz", "x/1"), ownerreztest.Quirks{}, 401, "invalid_request"},
		"another scheme":               {header("Digest zzz", "x/1"), ownerreztest.Quirks{}, 401, "invalid_request"},
		"wrong token":                  {header(basic(email, "pt_wrong"), "x/1"), ownerreztest.Quirks{}, 401, "invalid_token"},
		"wrong e-mail":                 {header(basic("x@acme.com", pat), "x/1"), ownerreztest.Quirks{}, 401, "invalid_token"},
		"swapped":                      {header(basic(pat, email), "x/1"), ownerreztest.Quirks{}, 401, "invalid_token"},
		"token as user name":           {header(basic(pat, ""), "x/1"), ownerreztest.Quirks{}, 401, "invalid_token"},
		"token as user name, by quirk": {header(basic(pat, ""), "x/1"), ownerreztest.Quirks{PATAsUserName: true}, 200, ""},
		"e-mail and token, by quirk":   {asPAT, ownerreztest.Quirks{PATAsUserName: true}, 401, "invalid_token"},
		"app token as Basic":           {header(basic(email, bearer), appAgent), ownerreztest.Quirks{}, 401, "invalid_token"},
		"personal token as bearer":     {header("Bearer "+pat, appAgent), ownerreztest.Quirks{}, 401, "invalid_token"},
		"unknown app token":            {header("Bearer at_wrong", appAgent), ownerreztest.Quirks{}, 401, "invalid_token"},
		"app without its id":           {header("Bearer "+bearer, "My Awesome App/1.0"), ownerreztest.Quirks{}, 403, "<html>"},
		"no program":                   {header(basic(email, pat), ""), ownerreztest.Quirks{}, 403, "<html>"},
		"Go's own":                     {header(basic(email, pat), "Go-http-client/1.1"), ownerreztest.Quirks{}, 403, "<html>"},
		"Go's own, by quirk":           {header(basic(email, pat), "Go-http-client/1.1"), ownerreztest.Quirks{UserAgentStatus: 401}, 401, "user_agent_required"},
	} {
		t.Run(name, func(t *testing.T) {
			c := call(t, newServer(ownerreztest.WithQuirks(test.quirks)))
			c.prep = test.prep
			if r := c.get("/v2/users/me"); r.status != test.status || !strings.Contains(r.body, test.has) {
				t.Errorf("status %d %q, want %d %q", r.status, r.body, test.status, test.has)
			}
		})
	}
}

// TestRefusedAccount is answered with 403 and the reason.
func TestRefusedAccount(t *testing.T) {
	s := newServer()
	s.AddAccount(ownerreztest.Account{ID: acct, Email: email, PAT: pat, Refuse: "ip_blocked"})
	if r := call(t, s).get("/v2/users/me"); r.status != 403 || r.object(t)["code"] != "ip_blocked" {
		t.Errorf("%d %s", r.status, r.body)
	}
}

// TestUnknownRoutes are answered with 405 in the framework's shape, or 404 outside the base path.
func TestUnknownRoutes(t *testing.T) {
	c := call(t, newServer())
	for _, path := range []string{"/v2/bookingz", "/v2/bookings/", "/v2/bookings/abc", "/v2/bookings?property_ids=4401&Limit=5", "/v2/properties/4401/rooms", "/", "/v3"} {
		if r := c.get(path); r.status != 405 || !strings.Contains(r.body, `"UnsupportedApiVersion"`) {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
	if r := c.do("POST", c.base+"/v2/bookings"); r.status != 405 {
		t.Errorf("POST: %d", r.status)
	}
	for _, path := range []string{"/v2/users/me", "/basement/v2/users/me", "/base"} {
		if r := c.do("GET", "http://ownerrez.test"+path); r.status != 404 {
			t.Errorf("%s: %d", path, r.status)
		}
	}
	c = call(t, newServer(ownerreztest.WithBasePath("")))
	if r := c.do("GET", "http://ownerrez.test/v2/users/me"); r.status != 200 {
		t.Errorf("base path is the root: %d", r.status)
	}
}

// TestRateLimit lets 300 requests pass in any five minutes, over all accounts of an address.
func TestRateLimit(t *testing.T) {
	now := noon
	s := newServer(ownerreztest.WithClock(func() time.Time { return now }))
	c := call(t, s)
	for i := range 300 {
		if r := c.get("/v2/users/me"); r.status != 200 {
			t.Fatalf("request %d: %d", i+1, r.status)
		}
		now = now.Add(time.Second)
	}
	now = noon.Add(299 * time.Second) // the first is 299 seconds old
	want := `{"code":429,"error":"Rate limit exceeded."}`
	if r := c.get("/v2/users/me"); r.status != 429 || r.body != want || r.header.Get("Retry-After") != "" {
		t.Errorf("%d %s %v", r.status, r.body, r.header)
	}
	c.prep = asApp
	if r := c.get("/v2/users/me"); r.status != 429 {
		t.Errorf("another token: %d", r.status)
	}
	other := c
	other.client = s.HTTPClientFrom(t, "192.0.2.9")
	if r := other.get("/v2/users/me"); r.status != 200 {
		t.Errorf("another address: %d", r.status)
	}
	s.SetQuirks(ownerreztest.Quirks{RateLimitRetryTime: 90 * time.Second, RateLimitInWords: true})
	if r := c.get("/v2/users/me"); r.status != 429 || r.header.Get("Retry-After") != "90" || r.object(t)["code"] != "rate_limited" {
		t.Errorf("by quirk: %d %s %v", r.status, r.body, r.header)
	}
	now = noon.Add(300 * time.Second) // the first has left; those that were refused never counted
	if r := c.get("/v2/users/me"); r.status != 200 {
		t.Errorf("after five minutes: %d", r.status)
	}
	if r := c.get("/v2/users/me"); r.status != 429 {
		t.Errorf("one more: %d", r.status)
	}
	s.SetQuirks(ownerreztest.Quirks{RateLimitOff: true})
	if r := c.get("/v2/users/me"); r.status != 200 {
		t.Errorf("switched off: %d", r.status)
	}
}

// TestRefusedRequestsCountByQuirk: who goes on asking is refused for ever.
func TestRefusedRequestsCountByQuirk(t *testing.T) {
	now := noon
	s := newServer(ownerreztest.WithClock(func() time.Time { return now }), ownerreztest.WithQuirks(ownerreztest.Quirks{RefusedCount: true}))
	c := call(t, s)
	for range 600 {
		c.get("/v2/users/me")
		now = now.Add(time.Second / 2)
	}
	if r := c.get("/v2/users/me"); r.status != 429 {
		t.Error(r.status)
	}
}

// TestThirdAccount: an address reaches two accounts by personal token in 24 hours, counted from their last use.
func TestThirdAccount(t *testing.T) {
	now := noon
	s := newServer(ownerreztest.WithClock(func() time.Time { return now }))
	s.AddAccount(ownerreztest.Account{ID: 8, Email: "b@example.com", PAT: "pt_b"})
	s.AddAccount(ownerreztest.Account{ID: 9, Email: "c@example.com", PAT: "pt_c"})
	c := call(t, s)
	as := func(email, token string) int {
		c.prep = func(r *http.Request) { r.Header.Set("User-Agent", "x/1"); r.SetBasicAuth(email, token) }
		return c.get("/v2/users/me").status
	}
	check := func(what string, got, want int) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %d, want %d", what, got, want)
		}
	}
	check("first", as(email, pat), 200)
	check("wrong token of the second", as("b@example.com", "pt_x"), 401)
	check("third before the second", as("c@example.com", "pt_c"), 200)
	check("second is one too many", as("b@example.com", "pt_b"), 403)
	now = now.Add(23 * time.Hour)
	check("first again", as(email, pat), 200)
	now = now.Add(time.Hour)
	check("second, a day after the third's last use", as("b@example.com", "pt_b"), 200)
	check("third", as("c@example.com", "pt_c"), 403)
	s.SetQuirks(ownerreztest.Quirks{PATLimitStatus: 429})
	check("third, by quirk", as("c@example.com", "pt_c"), 429)
	s.SetQuirks(ownerreztest.Quirks{PATLimitStatus: 401})
	check("third, by quirk", as("c@example.com", "pt_c"), 401)
	c.client = s.HTTPClientFrom(t, "192.0.2.9")
	check("third from another address", as("c@example.com", "pt_c"), 200)
	c.client = s.HTTPClient(t)
	c.prep = asApp
	check("app tokens don't count", c.get("/v2/users/me").status, 200)
	s.SetQuirks(ownerreztest.Quirks{PATLimitOff: true})
	check("switched off", as("c@example.com", "pt_c"), 200)
}

// TestForwardedFor tells addresses apart where it is switched on.
func TestForwardedFor(t *testing.T) {
	s := newServer(ownerreztest.WithForwardedFor())
	c := call(t, s)
	c.prep = func(r *http.Request) { asPAT(r); r.Header.Set("X-Forwarded-For", "198.51.100.4, 10.0.0.1") }
	c.get("/v2/users/me")
	if ip := s.Requests()[0].IP; ip != "198.51.100.4" {
		t.Error(ip)
	}
}
