package ownerrez_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

func TestNewChecksCredentials(t *testing.T) {
	static := ownerrez.StaticToken
	app := func(name, version, id string) ownerrez.App {
		return ownerrez.App{Name: name, Version: version, ClientID: id}
	}
	tests := []struct {
		name string
		auth ownerrez.Auth
		hint string // empty: it is fine
	}{
		{"personal token", ownerrez.PAT("ada@example.com", "pt_test"), ""},
		{"none", nil, "no credentials"},
		{"nothing in it", ownerrez.PAT("", ""), "no credentials"},
		{"no e-mail", ownerrez.PAT("", "pt_test"), "e-mail address is empty"},
		{"no token", ownerrez.PAT("ada@example.com", ""), "the token is empty"},
		{"prefix only", ownerrez.PAT("ada@example.com", "pt_"), "begin with pt_"},
		{"swapped", ownerrez.PAT("pt_test", "ada@example.com"), "swapped"},
		{"an OAuth token", ownerrez.PAT("ada@example.com", "at_test"), "ownerrez.OAuth"},
		{"a client secret", ownerrez.PAT("ada@example.com", "s_test"), "begin with pt_"},
		{"line end in token", ownerrez.PAT("ada@example.com", "pt_test\n"), "spaces or line ends"},
		{"space in token", ownerrez.PAT("ada@example.com", "pt_ test"), "spaces or line ends"},
		{"colon in e-mail", ownerrez.PAT("ada:x@example.com", "pt_test"), "colons"},
		{"line end in e-mail", ownerrez.PAT("ada@example.com\r\n", "pt_test"), "line ends"},
		{"OAuth", ownerrez.OAuth(testApp, static("at_test")), ""},
		{"a personal token", ownerrez.OAuth(testApp, static("pt_test")), "ownerrez.PAT"},
		{"no OAuth token", ownerrez.OAuth(testApp, static("")), "the token is empty"},
		{"no source", ownerrez.OAuth(testApp, nil), "source of tokens"},
		{"no name", ownerrez.OAuth(app("", "1.0", "c_1"), static("at_test")), "no name"},
		{"no version", ownerrez.OAuth(app("My App", "", "c_1"), static("at_test")), "no version"},
		{"no client id", ownerrez.OAuth(app("My App", "1.0", ""), static("at_test")), "client id"},
		{"a secret as client id", ownerrez.OAuth(app("My App", "1.0", "s_1"), static("at_test")), "client id"},
		{"a line end in the name", ownerrez.OAuth(app("My\nApp", "1.0", "c_1"), static("at_test")), "plain text"},
		{"brackets in the version", ownerrez.OAuth(app("My App", "1 (c_2)", "c_1"), static("at_test")), "plain text"},
	}
	for _, test := range tests {
		c, err := ownerrez.New(test.auth)
		switch {
		case test.hint == "" && (err != nil || c == nil):
			t.Errorf("%s: %v", test.name, err)
		case test.hint != "" && (err == nil || c != nil || !strings.Contains(err.Error(), test.hint)):
			t.Errorf("%s: %v, want a hint at %q", test.name, err, test.hint)
		}
	}
}

func TestNewChecksOptions(t *testing.T) {
	tests := []struct {
		name string
		opts []ownerrez.Option
		hint string
	}{
		{"none", []ownerrez.Option{nil}, ""},
		{"https", []ownerrez.Option{ownerrez.WithAPIURL("https://api.example.com/"), ownerrez.WithAppURL("https://app.example.com/base/")}, ""},
		{"loopback", []ownerrez.Option{ownerrez.WithAPIURL("http://127.0.0.1:1/base"), ownerrez.WithAppURL("http://[::1]:80")}, ""},
		{"localhost", []ownerrez.Option{ownerrez.WithAPIURL("http://localhost:8090")}, ""},
		{"allowed host, later", []ownerrez.Option{ownerrez.WithAPIURL("http://ownerrez.test:81"), ownerrez.WithAllowHTTPHost("OwnerRez.test")}, ""},
		{"allowed host and port", []ownerrez.Option{ownerrez.WithAllowHTTPHost("ownerrez.test:81"), ownerrez.WithAPIURL("http://ownerrez.test:81")}, ""},
		{"plain http", []ownerrez.Option{ownerrez.WithAPIURL("http://api.ownerrez.com")}, "https"},
		{"plain http for the app", []ownerrez.Option{ownerrez.WithAppURL("http://app.ownerrez.com"), ownerrez.WithAllowHTTPHost("")}, "https"},
		{"another host is allowed", []ownerrez.Option{ownerrez.WithAPIURL("http://a.test"), ownerrez.WithAllowHTTPHost("b.test")}, "https"},
		{"looks like loopback", []ownerrez.Option{ownerrez.WithAPIURL("http://127.0.0.1.example.com")}, "https"},
		{"no URL", []ownerrez.Option{ownerrez.WithAPIURL("api.ownerrez.com")}, "API URL"},
		{"empty URL", []ownerrez.Option{ownerrez.WithAppURL("")}, "app URL"},
		{"other scheme", []ownerrez.Option{ownerrez.WithAPIURL("ftp://api.ownerrez.com")}, "API URL"},
		{"a user", []ownerrez.Option{ownerrez.WithAPIURL("https://user:pass@api.ownerrez.com")}, "no user"},
		{"a query", []ownerrez.Option{ownerrez.WithAPIURL("https://api.ownerrez.com?x=1")}, "query"},
		{"User-Agent", []ownerrez.Option{ownerrez.WithUserAgent("My Program/1.0")}, ""},
		{"empty User-Agent", []ownerrez.Option{ownerrez.WithUserAgent("")}, "User-Agent"},
		{"line end in the User-Agent", []ownerrez.Option{ownerrez.WithUserAgent("a\r\nb: c")}, "User-Agent"},
		{"nils", []ownerrez.Option{ownerrez.WithHTTPClient(nil)}, "HTTP client"},
		{"nil limiter", []ownerrez.Option{ownerrez.WithLimiter(nil)}, "limiter"},
		{"nil observer", []ownerrez.Option{ownerrez.WithObserver(nil)}, "observer"},
		{"no pages", []ownerrez.Option{ownerrez.WithMaxPages(0)}, "pages"},
	}
	for _, test := range tests {
		_, err := ownerrez.New(ownerrez.PAT(testEmail, testPAT), test.opts...)
		if (test.hint == "") != (err == nil) || (err != nil && !strings.Contains(err.Error(), test.hint)) {
			t.Errorf("%s: %v, want a hint at %q", test.name, err, test.hint)
		}
	}
	_, err := ownerrez.New(ownerrez.PAT("pt_test", ""), ownerrez.WithAPIURL("x"), ownerrez.WithAppURL("y"), ownerrez.WithMaxPages(-1), ownerrez.WithRetry(ownerrez.RetryPolicy{Attempts: -1}))
	for _, part := range []string{"swapped", "API URL", "app URL", "pages", "retry policy"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not name everything that is wrong: %v", err)
		}
	}
}

// A base URL with /v2 is what the documentation shows, and works.
func TestBaseURLs(t *testing.T) {
	var path string
	server := serve(t, func(w http.ResponseWriter, r *http.Request) { path = r.URL.Path; _, _ = io.WriteString(w, `{"id":1}`) })
	for _, url := range []string{server, server + "/", server + "/v2", server + "/v2/"} {
		if _, err := client(t, url).Users.Me(t.Context()); err != nil || path != "/v2/users/me" {
			t.Errorf("%s: %s, %v", url, path, err)
		}
	}
}

func TestApp(t *testing.T) {
	const text = "My Awesome App/1.0 (c_51234234)"
	if got := testApp.UserAgent(); got != text {
		t.Error(got)
	}
	for in, want := range map[string]ownerrez.App{
		text:                     testApp,
		" " + text + "\n":        testApp,
		"a/b/2.0-rc.1+x (c_A-1)": {}, // a slash in the name
		"App/2.0-rc.1+x (c_A-1)": {Name: "App", Version: "2.0-rc.1+x", ClientID: "c_A-1"},
	} {
		got, err := ownerrez.ParseApp(in)
		if got != want || (err == nil) != (want != ownerrez.App{}) {
			t.Errorf("ParseApp(%q) = %+v, %v", in, got, err)
		}
	}
	for _, bad := range []string{"", "My App", "My App/1.0", "My App/1.0 (51234234)", "My App (c_51234234)", "/1.0 (c_1)", "App/ (c_1)", "App/1.0 (c_)", "App/1.0 (c_1) more", "App\n/1.0 (c_1)"} {
		if _, err := ownerrez.ParseApp(bad); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("ParseApp(%q): %v", bad, err)
		}
	}
}

func TestUserAgents(t *testing.T) {
	oauth := ownerrez.OAuth(testApp, ownerrez.StaticToken(testAT))
	for _, test := range []struct {
		auth ownerrez.Auth
		opts []ownerrez.Option
		want string // empty: refused
	}{
		{ownerrez.PAT(testEmail, testPAT), nil, "ownerrez-lambda/1.0 (+https://github.com/ownerrez-lambda/ownerrez-lambda)"},
		{ownerrez.PAT(testEmail, testPAT), []ownerrez.Option{ownerrez.WithUserAgent("My Program/2")}, "My Program/2"},
		{oauth, nil, "My Awesome App/1.0 (c_51234234)"},
		{oauth, []ownerrez.Option{ownerrez.WithUserAgent("Other/2.0 (c_1)")}, "Other/2.0 (c_1)"},
		{oauth, []ownerrez.Option{ownerrez.WithUserAgent("My Program/2")}, ""},
	} {
		var got string
		url := serve(t, func(w http.ResponseWriter, r *http.Request) {
			got = r.UserAgent()
			_, _ = io.WriteString(w, `{"id":1}`)
		})
		c, err := ownerrez.New(test.auth, append(test.opts, ownerrez.WithAPIURL(url))...)
		if err == nil {
			_, err = c.Users.Me(t.Context())
		}
		if got != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%q, %v; want %q", got, err, test.want)
		}
	}
}

// tokens is a source that gives one token after the other, as they are refused.
type tokens struct {
	mu      sync.Mutex
	list    []string
	refused []string
	err     error // once the list is used up
}

func (s *tokens) Token(context.Context) (ownerrez.Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.list) == 0 {
		return ownerrez.Token{}, s.err
	}
	return ownerrez.Token{AccessToken: s.list[0]}, nil
}

func (s *tokens) Invalidate(_ context.Context, refused ownerrez.Token) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refused = append(s.refused, refused.AccessToken); len(s.list) > 0 && s.list[0] == refused.AccessToken && (len(s.list) > 1 || s.err != nil) {
		s.list = s.list[1:]
	}
}

// accepting answers 401 unless the token is the good one, and counts.
func accepting(good string, requests *atomic.Int64) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		if scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " "); !strings.EqualFold(scheme, "bearer") || token != good {
			w.WriteHeader(401)
			_, _ = io.WriteString(w, `{"messages":["The token is not known."],"code":"invalid_token"}`)
			return
		}
		_, _ = io.WriteString(w, `{"id":123456}`)
	}
}

// A 401 drops the refused token, and tries once more only if the source then gives another.
func TestRefusedTokens(t *testing.T) {
	gone := errors.New("the vault is closed")
	tests := []struct {
		name     string
		source   *tokens
		requests int64
		refused  string
		err      error
	}{
		{"a newer one is good", &tokens{list: []string{"at_old", "at_new"}}, 2, "at_old", nil},
		{"there is no other", &tokens{list: []string{"at_old"}}, 1, "at_old", ownerrez.ErrUnauthorized},
		{"the next one is no better", &tokens{list: []string{"at_old", "at_older", "at_new"}}, 2, "at_old", ownerrez.ErrUnauthorized},
		{"the source fails", &tokens{list: []string{"at_old"}, err: gone}, 1, "at_old", gone},
		{"the source fails at first", &tokens{err: gone}, 0, "", gone},
		{"a personal token", &tokens{list: []string{"pt_test"}}, 0, "", nil},
	}
	for _, policy := range []ownerrez.RetryPolicy{{}, ownerrez.NoRetry()} {
		for _, test := range tests {
			source := &tokens{list: test.source.list, err: test.source.err}
			var requests atomic.Int64
			var permits counter
			c, err := ownerrez.New(ownerrez.OAuth(testApp, source), ownerrez.WithAPIURL(serve(t, accepting("at_new", &requests))), ownerrez.WithLimiter(&permits), ownerrez.WithRetry(policy))
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.Users.Me(t.Context())
			wantErr := test.err != nil || test.name == "a personal token"
			if (err != nil) != wantErr || (test.err != nil && !errors.Is(err, test.err)) || requests.Load() != test.requests || strings.Join(source.refused, " ") != test.refused {
				t.Errorf("%s: %d requests, refused %v, %v", test.name, requests.Load(), source.refused, err)
			}
			if test.requests > 0 && permits.take() != int(test.requests) {
				t.Errorf("%s: not one permit for each request", test.name)
			}
			if test.name == "the source fails" && !errors.Is(err, ownerrez.ErrUnauthorized) {
				t.Errorf("the 401 is lost: %v", err)
			}
			if test.name == "a personal token" && !strings.Contains(err.Error(), "ownerrez.PAT") {
				t.Errorf("no hint: %v", err)
			}
		}
	}
}

// A source that learns of a new token by itself needs no Invalidate.
func TestSourceWithoutInvalidate(t *testing.T) {
	var asked, requests atomic.Int64
	source := sourceFunc(func(context.Context) (ownerrez.Token, error) {
		if asked.Add(1) == 1 {
			return ownerrez.Token{AccessToken: "at_old"}, nil
		}
		return ownerrez.Token{AccessToken: "at_new"}, nil
	})
	c, err := ownerrez.New(ownerrez.OAuth(testApp, source), ownerrez.WithAPIURL(serve(t, accepting("at_new", &requests))))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Users.Me(t.Context()); err != nil || requests.Load() != 2 {
		t.Errorf("%d requests, %v", requests.Load(), err)
	}
}

// Many calls meet the same expired token: all succeed, and only that token is ever refused.
func TestManyCallsAndOneExpiredToken(t *testing.T) {
	source := &tokens{list: []string{"at_old", "at_new"}}
	var requests atomic.Int64
	c, err := ownerrez.New(ownerrez.OAuth(testApp, source), ownerrez.WithAPIURL(serve(t, accepting("at_new", &requests))))
	if err != nil {
		t.Fatal(err)
	}
	var callers sync.WaitGroup
	for range 50 {
		callers.Go(func() {
			if _, err := c.Users.Me(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	callers.Wait()
	for _, refused := range source.refused {
		if refused != "at_old" {
			t.Errorf("%s was dropped", refused)
		}
	}
}
