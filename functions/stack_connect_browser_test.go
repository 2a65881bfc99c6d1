package functions_test

import (
	"context"
	"fmt"
	"html"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// stackBrowser is the browser of a host: it keeps cookies, and follows redirects.
type stackBrowser struct {
	s      *stack
	client *http.Client
	jar    http.CookieJar
	unseen bool // what it gets is not looked for secrets
}

// stackPageSeen is an answer that a browser got.
type stackPageSeen struct {
	at     *url.URL
	status int
	header http.Header
	body   string
}

// browser is one that has no cookie yet.
func (s *stack) browser(t *testing.T) *stackBrowser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	emulator := s.request(t, http.MethodGet, "/", nil, nil).URL.Host
	transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		if strings.Contains(address, ".localhost:") { // browsers know that this is the same computer
			address = emulator
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return &stackBrowser{s: s, jar: jar, client: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// trusted is an address as a browser takes it: what is on the same computer is as good as https.
func (b *stackBrowser) trusted(u *url.URL) *url.URL {
	secure := *u
	secure.Scheme = "https"
	return &secure
}

// public is an address of the stack's public endpoints.
func (s *stack) public(path string) string { return s.outputs["ApiUrl"] + path }

// open types an address, and follows where it leads, to a page.
func (b *stackBrowser) open(t *testing.T, address string) stackPageSeen {
	t.Helper()
	seen := b.get(t, address)
	for hops := 0; seen.status/100 == 3; hops++ {
		if hops == 10 {
			t.Fatal("the browser is sent on and on")
		}
		seen = b.get(t, seen.location(t))
	}
	return seen
}

// get gets an address, and does not follow.
func (b *stackBrowser) get(t *testing.T, address string) stackPageSeen {
	t.Helper()
	return b.send(t, http.MethodGet, address, nil, nil)
}

// getUnseen is get of a page that may hold what lets somebody in: the code of the invitation that opened it.
func (b *stackBrowser) getUnseen(t *testing.T, address string) stackPageSeen {
	t.Helper()
	b.unseen = true
	defer func() { b.unseen = false }()
	return b.get(t, address)
}

// submit sends the form that a page has, as if its button had been pressed: the other fields are more than the form has,
// or chosen. It follows where that leads.
func (b *stackBrowser) submit(t *testing.T, page stackPageSeen, fields url.Values) stackPageSeen {
	t.Helper()
	seen := b.press(t, page, fields)
	if seen.status/100 == 3 {
		return b.open(t, seen.location(t))
	}
	return seen
}

// press is submit without following.
func (b *stackBrowser) press(t *testing.T, page stackPageSeen, fields url.Values) stackPageSeen {
	t.Helper()
	action, form := page.form(t)
	maps.Copy(form, fields)
	target, err := page.at.Parse(action)
	if err != nil {
		t.Fatal(err)
	}
	origin := "null"
	if target.Host == page.at.Host {
		origin = target.Scheme + "://" + target.Host
	}
	return b.send(t, http.MethodPost, target.String(), form, map[string]string{"Origin": origin})
}

// send sends a request with the browser's cookies.
func (b *stackBrowser) send(t *testing.T, method, address string, form url.Values, header map[string]string) stackPageSeen {
	t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(t.Context(), method, address, body)
	if err != nil {
		t.Fatal("an address that cannot be opened")
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	req.Header.Set("User-Agent", "Mozilla/5.0 (stack test)")
	for _, c := range b.jar.Cookies(b.trusted(req.URL)) {
		req.AddCookie(c)
	}
	for name, value := range header {
		req.Header.Set(name, value)
	}
	if host := header["Host"]; host != "" {
		req.Host = host
	}
	resp, err := b.client.Do(req)
	if err != nil {
		t.Fatalf("%s %s: the connection failed", method, req.URL.Path)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, req.URL.Path, err)
	}
	b.jar.SetCookies(b.trusted(req.URL), resp.Cookies())
	seen := stackPageSeen{req.URL, resp.StatusCode, resp.Header, string(text)}
	if strings.HasPrefix(address, b.s.public("/")) {
		if !b.unseen {
			b.s.show(text)
		}
		b.guarded(t, method, seen, resp.Cookies())
	}
	return seen
}

// guarded looks at what an answer of ours tells the browser: RFC 9700 wants no referrer, no frame, and a redirect that
// sends no form on.
func (b *stackBrowser) guarded(t *testing.T, method string, seen stackPageSeen, cookies []*http.Cookie) {
	t.Helper()
	if seen.status == http.StatusNotFound || strings.HasPrefix(seen.at.Path, "/v1/") { // it is not ours, or not for browsers
		return
	}
	for name, want := range map[string]string{
		"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
	} {
		if got := seen.header.Get(name); got != want {
			t.Errorf("%s %s: status %d, %s: %q", method, seen.at.Path, seen.status, name, got)
		}
	}
	if csp := seen.header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") {
		t.Errorf("%s %s: Content-Security-Policy: %q", method, seen.at.Path, csp)
	}
	if seen.status/100 == 3 && seen.status != http.StatusSeeOther {
		t.Errorf("%s %s: status %d", method, seen.at.Path, seen.status)
	}
	for _, c := range cookies {
		b.s.hide(c.Value)
		if !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
			t.Errorf("%s %s: cookie %s: %+v", method, seen.at.Path, c.Name, c)
		}
	}
}

// location is where an answer sends the browser.
func (p stackPageSeen) location(t *testing.T) string {
	t.Helper()
	if p.status/100 != 3 {
		t.Fatalf("%s: status %d, not sent on: %s", p.at.Path, p.status, p.words())
	}
	to, err := p.at.Parse(p.header.Get("Location"))
	if err != nil {
		t.Fatalf("%s: sent nowhere", p.at.Path)
	}
	return to.String()
}

var (
	stackForm  = regexp.MustCompile(`<form[^>]* action="([^"]*)"`)
	stackInput = regexp.MustCompile(`<input[^>]* name="([^"]*)"[^>]* value="([^"]*)"`)
	stackTags  = regexp.MustCompile(`(?s)<style.*?</style>|<[^>]*>`)
	stackHead  = regexp.MustCompile(`<h1[^>]*>([^<]*)</h1>`)
)

// form is the form that a page has, as its page filled it in.
func (p stackPageSeen) form(t *testing.T) (action string, fields url.Values) {
	t.Helper()
	found := stackForm.FindStringSubmatch(p.body)
	if found == nil {
		t.Fatalf("%s: status %d, and no form: %s", p.at.Path, p.status, p.words())
	}
	fields = url.Values{}
	for _, input := range stackInput.FindAllStringSubmatch(p.body, -1) {
		fields.Set(html.UnescapeString(input[1]), html.UnescapeString(input[2]))
	}
	return html.UnescapeString(found[1]), fields
}

// heading is what a page says first.
func (p stackPageSeen) heading() string {
	if found := stackHead.FindStringSubmatch(p.body); found != nil {
		return html.UnescapeString(found[1])
	}
	return fmt.Sprintf("status %d without a heading: %.300s", p.status, p.words())
}

// words are what a page says.
func (p stackPageSeen) words() string {
	return strings.Join(strings.Fields(html.UnescapeString(stackTags.ReplaceAllString(p.body, " "))), " ")
}

// is ends the test unless the page has that status and heading.
func (p stackPageSeen) is(t *testing.T, status int, heading string) stackPageSeen {
	t.Helper()
	if p.status != status || p.heading() != heading {
		t.Fatalf("%s: status %d, %q; want %d, %q: %s", p.at.Path, p.status, p.heading(), status, heading, p.words())
	}
	return p
}

// consent opens a link to connect, as far as OwnerRez's consent page.
func (b *stackBrowser) consent(t *testing.T, link string) stackPageSeen {
	t.Helper()
	sent := b.get(t, link)
	to, err := url.Parse(sent.location(t))
	if err != nil {
		t.Fatal(err)
	}
	state := to.Query().Get("state")
	if len(state) < 22 || slices.Contains(b.s.tokens, state) {
		t.Fatal("the state is no random one")
	}
	b.s.hide(state)
	if got, want := to.Query().Get("redirect_uri"), b.s.outputs["RedirectUrl"]; got != want {
		t.Errorf("redirect_uri %q, want %q", got, want)
	}
	page := b.open(t, to.String())
	if page.status != http.StatusOK {
		t.Fatalf("the consent page: status %d: %s", page.status, page.words())
	}
	return page
}

// allow presses the consent page's button, and returns where the browser is sent: our callback.
func (b *stackBrowser) allow(t *testing.T, page stackPageSeen, account int64) (callback string) {
	t.Helper()
	return b.press(t, page, url.Values{"account": {fmt.Sprint(account)}, "decision": {"allow"}}).location(t)
}

// connect goes the whole way, and returns the last page, once it has stopped loading itself again.
func (b *stackBrowser) connect(t *testing.T, link string, account int64) stackPageSeen {
	t.Helper()
	page := b.open(t, b.allow(t, b.consent(t, link), account))
	for end := time.Now().Add(20 * time.Second); strings.Contains(page.body, `http-equiv="refresh"`) && time.Now().Before(end); {
		time.Sleep(100 * time.Millisecond)
		page = b.open(t, page.at.String())
	}
	return page
}
