package cli

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// tunnel leads from the outside to a program that serves.
type tunnel struct {
	*httptest.Server
	to      string
	forward bool   // say so, as most tunnels do
	host    string // by which name it calls the program; empty: its own
}

func newTunnel(t *testing.T) *tunnel {
	t.Helper()
	tn := &tunnel{forward: true}
	tn.Server = httptest.NewTLSServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		to, err := url.Parse(tn.to)
		if err != nil {
			t.Error(err)
			return
		}
		r.SetURL(to)
		r.Out.Host = r.In.Host
		if tn.host != "" {
			r.Out.Host = tn.host
		}
		if tn.forward {
			r.SetXForwarded()
		}
	}})
	t.Cleanup(tn.Close)
	return tn
}

// connectingWorld is a world with an OAuth app, whose redirect URL is the tunnel's.
func connectingWorld(t *testing.T) (*world, *tunnel) {
	t.Helper()
	tn := newTunnel(t)
	w := newWorld(t).with("OWNERREZ_EMAIL", "", "OWNERREZ_TOKEN", "",
		"OWNERREZ_CLIENT_ID", "c_51234234", "OWNERREZ_CLIENT_SECRET", "s_test", "OWNERREZ_PUBLIC_URL", tn.URL+"/",
		"OWNERREZ_WEBHOOK_USER", "hook", "OWNERREZ_WEBHOOK_PASSWORD", "hookpass")
	w.SetQuirks(ownerreztest.Quirks{RateLimitOff: true})
	w.AddApp(ownerreztest.App{ClientID: "c_51234234", ClientSecret: "s_test", Name: "ownerrez-lambda", RedirectURL: tn.URL + "/oauth/callback"})
	return w, tn
}

var invitation = regexp.MustCompile(`https://\S+/connect\?invite=\S+`)

// connects is the host of account 123456 who connects it by the invitation that a program shows when it starts to serve,
// and waits until it is read. It returns the host's browser.
func (w *world) connects(t *testing.T, tn *tunnel, r *running) *http.Client {
	t.Helper()
	var link string
	r.eventually(t, "it invites", func() bool {
		link = invitation.FindString(r.stderr.String())
		return link != ""
	})
	return w.connectsBy(t, tn, r, link, 123456)
}

// connectsBy is a host who connects an account by a link.
func (w *world) connectsBy(t *testing.T, tn *tunnel, r *running, link string, account int64) *http.Client {
	t.Helper()
	tn.to = r.url
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Transport: tn.Client().Transport, Jar: jar}
	consent := visit(t, browser, http.MethodGet, link, nil)
	form, id := consent.at.Query(), strconv.FormatInt(account, 10)
	form.Set("account", id)
	form.Set("decision", "allow")
	consent.at.RawQuery = ""
	page := visit(t, browser, http.MethodPost, consent.at.String(), form)
	if page.status != 200 || !strings.Contains(page.text, "Connected") || !strings.Contains(page.text, id) {
		t.Fatalf("%d %s\nstderr: %s", page.status, page.text, r.stderr)
	}
	r.eventually(t, "the account is read", func() bool { return strings.Contains(r.stderr.String(), "account "+id+": full lookup") })
	return browser
}

type visited struct {
	status int
	at     *url.URL
	text   string
}

func visit(t *testing.T, client *http.Client, method, address string, form url.Values) visited {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return visited{resp.StatusCode, resp.Request.URL, string(text)}
}

func post(t *testing.T, client *http.Client, address, body, user, password string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if user != "" {
		req.SetBasicAuth(user, password)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

// callsItself fails unless all requests that carried a token or asked for one named the program so.
func (w *world) callsItself(t *testing.T, agent string) {
	t.Helper()
	for _, q := range w.Requests() {
		if q.UserAgent != agent && (q.Account != 0 || strings.HasPrefix(q.Path, "/oauth/access_token")) {
			t.Errorf("%s %s came from %q, want %q", q.Method, q.Path, q.UserAgent, agent)
		}
	}
}
