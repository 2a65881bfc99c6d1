package ownerrez_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

var testConfig = ownerrez.OAuthConfig{App: testApp, ClientSecret: "s_test", RedirectURL: "https://app.example.com/cb?x=1"}

func TestAuthCodeURL(t *testing.T) {
	a, err := ownerrez.NewAuthorizer(testConfig)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(a.AuthCodeURL("a b&c"))
	if err != nil || u.Scheme+"://"+u.Host+u.Path != "https://app.ownerrez.com/oauth/authorize" {
		t.Fatal(u, err)
	}
	want := url.Values{"response_type": {"code"}, "client_id": {"c_51234234"}, "redirect_uri": {"https://app.example.com/cb?x=1"}, "state": {"a b&c"}}
	if u.RawQuery != want.Encode() {
		t.Error(u.RawQuery)
	}
	config := testConfig
	config.RedirectURL, config.Scope = "", "full"
	a, err = ownerrez.NewAuthorizer(config, ownerrez.WithAppURL("http://127.0.0.1:1/base/"))
	if err != nil {
		t.Fatal(err)
	}
	if got := a.AuthCodeURL("x"); got != "http://127.0.0.1:1/base/oauth/authorize?client_id=c_51234234&response_type=code&scope=full&state=x" {
		t.Error(got)
	}
}

func TestNewAuthorizerChecks(t *testing.T) {
	for name, change := range map[string]func(*ownerrez.OAuthConfig){
		"no name":                  func(c *ownerrez.OAuthConfig) { c.App.Name = "" },
		"client id":                func(c *ownerrez.OAuthConfig) { c.App.ClientID = "51234234" },
		"the token is empty":       func(c *ownerrez.OAuthConfig) { c.ClientSecret = "" },
		"begin with s_":            func(c *ownerrez.OAuthConfig) { c.ClientSecret = "at_test" },
		"redirect URL":             func(c *ownerrez.OAuthConfig) { c.RedirectURL = "app.example.com/cb" },
		"the redirect URL must be": func(c *ownerrez.OAuthConfig) { c.RedirectURL = "https://app.example.com/cb#x" },
	} {
		config := testConfig
		change(&config)
		if _, err := ownerrez.NewAuthorizer(config); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("want a hint at %q: %v", name, err)
		}
	}
}

func authorizer(t *testing.T, handler http.HandlerFunc, opts ...ownerrez.Option) *ownerrez.Authorizer {
	t.Helper()
	a, err := ownerrez.NewAuthorizer(testConfig, append(opts, ownerrez.WithAPIURL(serve(t, handler)))...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestExchangeRequest(t *testing.T) {
	var permits counter
	a := authorizer(t, func(w http.ResponseWriter, r *http.Request) {
		id, secret, _ := r.BasicAuth()
		body, _ := io.ReadAll(r.Body)
		if r.Method != "POST" || r.URL.Path != "/oauth/access_token" || r.URL.RawQuery != "" || id != "c_51234234" || secret != "s_test" {
			t.Errorf("%s %s by %s", r.Method, r.URL, id)
		}
		if r.UserAgent() != "My Awesome App/1.0 (c_51234234)" || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || r.Header.Get("Accept") != "application/json" || r.ContentLength != int64(len(body)) {
			t.Errorf("%v", r.Header)
		}
		if string(body) != "code=tc_test&grant_type=authorization_code&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcb%3Fx%3D1" {
			t.Errorf("%s", body)
		}
		_, _ = io.WriteString(w, `{"access_token":"at_new","token_type":"bearer","scope":"full","user_id":123456,"user_display_name":"Lakeview Cabins"}`)
	}, ownerrez.WithLimiter(&permits))
	got, err := a.Exchange(t.Context(), "tc_test")
	want := ownerrez.Token{AccessToken: "at_new", Scope: "full", UserID: 123456, UserDisplayName: "Lakeview Cabins"}
	if err != nil || got != want || permits.take() != 1 {
		t.Errorf("%v, %v", got, err)
	}
}

// All forms in which a token's end may be named.
func TestTokenExpiry(t *testing.T) {
	begin := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // where bubbles begin
	for reply, want := range map[string]time.Time{
		``:                                     {},
		`,"expires_in":2592000`:                begin.Add(30 * 24 * time.Hour),
		`,"expires_in":"2592000"`:              begin.Add(30 * 24 * time.Hour),
		`,"expires_in":3600.5`:                 begin.Add(time.Hour + 500*time.Millisecond),
		`,"expires_at":"2000-01-31T00:00:00Z"`: begin.AddDate(0, 0, 30),
		`,"expires_at":"2000-01-31T00:00:00"`:  begin.AddDate(0, 0, 30),
		`,"expires_at":949276800`:              begin.AddDate(0, 0, 30),
		`,"expires_in":60,"expires_at":"2000-01-31T00:00:00Z"`: begin.Add(time.Minute),
		`,"expires_at":"2000-01-31T00:00:00Z","expires_in":60`: begin.Add(time.Minute),
		`,"expires_in":0`:                           {},
		`,"expires_in":-1`:                          {},
		`,"expires_in":null,"expires_at":null`:      {},
		`,"expires_in":"soon","expires_at":"later"`: {},
		`,"expires_in":1e300`:                       {},
	} {
		synctest.Test(t, func(t *testing.T) {
			a, err := ownerrez.NewAuthorizer(testConfig, through(func(*http.Request) (*http.Response, error) {
				time.Sleep(3 * time.Second) // the life counts from the question, not from the answer
				return response(200, `{"access_token":"at_new","refresh_token":"rt_test","user_id":"123456"`+reply+`}`), nil
			}))
			if err != nil {
				t.Fatal(err)
			}
			got, err := a.Exchange(t.Context(), "tc_test")
			if err != nil || !got.Expiry.Equal(want) || got.RefreshToken != "rt_test" || got.UserID != 123456 {
				t.Errorf("%s: %v, %v", reply, got.Expiry, err)
			}
		})
	}
}

// Also where a code has no shape that can be known.
func TestExchangeHidesTheCode(t *testing.T) {
	const code = "plain"
	a := authorizer(t, answering(400, `{"error":"invalid_grant","error_description":"The code plain has expired."}`))
	if _, err := a.Exchange(t.Context(), code); err == nil || strings.Contains(err.Error(), code) {
		t.Error(err)
	}
}

// A code works once: what may have been done is not done again, and errors tell what OwnerRez said and no more.
func TestExchangeErrors(t *testing.T) {
	for _, test := range []struct {
		status   int
		body     string
		kind     error
		text     string
		requests int
	}{
		{400, `{"error":"invalid_grant","error_description":"The code tc_test of s_test has expired.","secret":"at_leaked"}`, ownerrez.ErrInvalid,
			"POST /oauth/access_token: 400 bad request (invalid_grant): The code [hidden] of [hidden] has expired.", 1},
		{401, `{"error":"invalid_client"}`, ownerrez.ErrUnauthorized, "invalid_client", 1},
		{403, webPage, ownerrez.ErrForbidden, "User-Agent", 1},
		{500, `{"access_token":"at_leaked"}`, ownerrez.ErrServer, "500", 1},
		{200, `{"error":"invalid_grant","error_description":"Expired."}`, ownerrez.ErrUnreadable, "Expired.", 1},
		{200, `{"token_type":"bearer","refresh_token":"at_leaked"}`, ownerrez.ErrUnreadable, "it holds no token", 1},
		{200, `{"access_token":{"x":"at_leaked"}}`, ownerrez.ErrUnreadable, "it holds no token", 1},
		{200, `"at_leaked"`, ownerrez.ErrUnreadable, "it holds no token", 1},
	} {
		var permits counter
		a := authorizer(t, answering(test.status, test.body), ownerrez.WithLimiter(&permits))
		token, err := a.Exchange(t.Context(), "tc_test")
		wantKinds(t, err, test.kind)
		if token != (ownerrez.Token{}) || !strings.Contains(err.Error(), test.text) || strings.Contains(err.Error(), "leaked") || permits.take() != test.requests {
			t.Errorf("%v", err)
		}
	}
}
