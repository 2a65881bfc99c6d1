package functions_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/connect"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
)

// otherBrowsers are hosts whose way back from OwnerRez ends in another browser than the one in which they set out, and
// attackers who send hosts there: nothing comes of it, and who set out can go on.
func (s *stack) otherBrowsers(t *testing.T) {
	b, thief := s.browser(t), s.browser(t)
	link := s.invite(t, stackHost, "", "")
	callback := b.allow(t, b.consent(t, link), stackHost)
	denial := s.sent(t, callback, url.Values{"code": nil, "error": {"access_denied"}})
	own := thief.allow(t, thief.consent(t, link), stackThird)
	asked := s.server.Count()
	thief.get(t, callback).is(t, http.StatusForbidden, "This is another browser")
	thief.get(t, denial).is(t, http.StatusForbidden, "This is another browser")
	s.browser(t).get(t, callback).is(t, http.StatusForbidden, "This is another browser")
	b.get(t, own).is(t, http.StatusForbidden, "This is another browser") // logged in as somebody else, RFC 9700 section 4.7

	// The cookie of another flow does not do for this one, whatever its name.
	flows := b.cookies(t, "__Host-connect-")
	for _, c := range thief.cookies(t, "__Host-connect-") {
		forged := flows[0].Name + "=" + c.Value
		thief.send(t, http.MethodGet, callback, nil, map[string]string{"Cookie": forged}).is(t, http.StatusForbidden, "This is another browser")
	}
	forgeries := map[string]url.Values{
		"a forged state":    {"state": {strings.Repeat("A", 26)}},
		"no state":          {"state": nil},
		"two states":        {"state": {"X", s.parameter(t, callback, "state")}},
		"the flow as state": {"state": {connect.FlowOf(s.parameter(t, callback, "state"))}},
	}
	for what, change := range forgeries {
		if got := b.get(t, s.sent(t, callback, change)); got.status != http.StatusBadRequest || got.heading() != "This link leads nowhere" {
			t.Errorf("%s: status %d, %q", what, got.status, got.heading())
		}
	}
	if got := b.send(t, http.MethodHead, callback, nil, nil); got.status != http.StatusOK { // whoever looks at links uses nothing up
		t.Errorf("HEAD: status %d", got.status)
	}
	if got := b.send(t, http.MethodPost, callback, url.Values{}, nil); got.status != http.StatusMethodNotAllowed {
		t.Errorf("POST: status %d", got.status)
	}
	if n := len(s.requestsSince(asked)); n > 0 {
		t.Errorf("OwnerRez was asked %+v", s.requestsSince(asked))
	}
	b.open(t, callback).is(t, http.StatusOK, "Connected again")
	s.idle(t)
	s.equalsTruth(t, stackHost)

	// A code that was stolen is of no use for whoever has it, once it was used; nor for another account's invitation.
	stolen := s.sent(t, s.parked(t, thief, s.invite(t, stackOther, "", "")), url.Values{"code": {s.parameter(t, callback, "code")}})
	thief.open(t, stolen).is(t, http.StatusGone, "That took too long")
	unused := b.allow(t, b.consent(t, s.invite(t, stackHost, "", "")), stackHost)
	was := s.connection(t, stackHost).ID
	stolen = s.sent(t, s.parked(t, thief, s.invite(t, stackOther, "", "")), url.Values{"code": {s.parameter(t, unused, "code")}})
	thief.open(t, stolen).is(t, http.StatusForbidden, "This is another account than invited")
	if s.connection(t, stackHost).ID != was {
		t.Error("a stolen code replaced the account's token")
	}
	s.lookUp(t, stackHostKey)
	s.statusIs(t, stackHost, lookup.StatusOK)
}

// parked begins a flow, and returns the callback at which it would end, with a code of its own.
func (s *stack) parked(t *testing.T, b *stackBrowser, link string) (callback string) {
	t.Helper()
	return b.allow(t, b.consent(t, link), stackThird)
}

// sent is an address with other parameters; nil takes one away.
func (s *stack) sent(t *testing.T, address string, change url.Values) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	for name, values := range change {
		if query[name] = values; values == nil {
			query.Del(name)
		}
	}
	u.RawQuery = query.Encode()
	return u.String()
}

// parameter is a parameter of an address.
func (s *stack) parameter(t *testing.T, address, name string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil || u.Query().Get(name) == "" {
		t.Fatalf("there is no %s", name)
	}
	return u.Query().Get(name)
}

// cookies are those that the browser has for us, whose names begin so.
func (b *stackBrowser) cookies(t *testing.T, prefix string) (found []*http.Cookie) {
	t.Helper()
	u, err := url.Parse(b.s.public("/connect"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range b.jar.Cookies(b.trusted(u)) {
		if strings.HasPrefix(c.Name, prefix) {
			found = append(found, c)
		}
	}
	if len(found) == 0 {
		t.Fatalf("the browser has no cookie %s…", prefix)
	}
	return found
}

// misled are attackers who want hosts, or what OwnerRez sends them back with, to go elsewhere.
func (s *stack) misled(t *testing.T) {
	const evil = "https://evil.example.com/"
	b := s.browser(t)
	more := url.Values{"redirect_uri": {evil}, "return": {evil}, "state": {"chosen"}, "response_type": {"token"}, "client_id": {"c_evil"}, "scope": {"more"}}
	honest, misled := b.consentAt(t, s.invite(t, stackHost, "", ""), nil), b.consentAt(t, s.sent(t, s.invite(t, stackHost, "", ""), more), nil)
	forwarded := b.consentAt(t, s.invite(t, stackHost, "", ""), map[string]string{
		"X-Forwarded-Host": "evil.example.com", "Forwarded": "host=evil.example.com;proto=http", "X-Forwarded-Proto": "http",
		"X-Original-Host": "evil.example.com", "X-Forwarded-Port": "80", "Origin": evil, "Referer": evil,
	})
	for _, u := range []string{misled, forwarded} {
		if a, b := s.sent(t, honest, url.Values{"state": nil}), s.sent(t, u, url.Values{"state": nil}); a != b {
			t.Errorf("the host is sent to %s", b)
		}
	}
	// Under another name the API is not to be reached at all.
	if got := b.send(t, http.MethodGet, s.public("/connect"), nil, map[string]string{"Host": "evil.example.com"}); got.status == http.StatusSeeOther {
		t.Error("another Host is answered")
	}
	callback := b.allow(t, b.open(t, misled), stackHost)
	page := b.open(t, s.sent(t, callback, url.Values{"return": {evil}, "redirect_uri": {evil}, "iss": {evil}})).is(t, http.StatusOK, "Connected again")
	page = b.open(t, s.sent(t, page.at.String(), url.Values{"return": {evil}, "account": {"654321"}})).is(t, http.StatusOK, "Connected again")
	if strings.Contains(page.body, "evil") {
		t.Errorf("the page: %s", page.body)
	}
	s.idle(t)
}

// consentAt is where a link to connect sends the browser.
func (b *stackBrowser) consentAt(t *testing.T, link string, header map[string]string) string {
	t.Helper()
	return b.send(t, http.MethodGet, link, nil, header).location(t)
}

// crossSite are other sites that have the connected browser send what disconnects the account.
func (s *stack) crossSite(t *testing.T) {
	form := url.Values{"account": {"123456"}}
	for what, header := range map[string]map[string]string{
		"a form":            {"Origin": "https://evil.example.com"},
		"a sandboxed frame": {"Origin": "null"},
		"a newer browser":   {"Origin": "https://evil.example.com", "Sec-Fetch-Site": "cross-site"},
		"another subdomain": {"Sec-Fetch-Site": "same-site"},
	} {
		if got := s.host.send(t, http.MethodPost, s.public("/connect/leave"), form, header); got.status != http.StatusForbidden {
			t.Errorf("%s: status %d: %s", what, got.status, got.words())
		}
	}
	s.host.get(t, s.public(stackLeave(stackHost))).is(t, http.StatusOK, "Disconnect your account?") // to look changes nothing
	for _, c := range s.host.cookies(t, "__Host-account-") {                                        // the key of one account is none of another
		got := s.browser(t).send(t, http.MethodPost, s.public("/connect/leave"), url.Values{"account": {"654321"}}, map[string]string{
			"Cookie": "__Host-account-654321=" + c.Value, "Origin": s.outputs["ApiUrl"],
		})
		got.is(t, http.StatusForbidden, "This browser cannot do that")
	}
	s.idle(t)
	s.lookUp(t, stackHostKey)
	s.statusIs(t, stackHost, lookup.StatusOK)
}

// impatient is a host who clicks often, and one who takes too long.
func (s *stack) impatient(t *testing.T) {
	b := s.browser(t)
	callback := b.allow(t, b.consent(t, s.invite(t, stackHost, "", "")), stackHost)
	asked := s.server.Count()
	t.Run("at once", func(t *testing.T) {
		for range 6 {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				b.get(t, callback).location(t)
			})
		}
	})
	if n := s.grants(asked); n != 1 {
		t.Errorf("the code was exchanged %d times", n)
	}
	b.open(t, callback).is(t, http.StatusOK, "Connected again")
	s.idle(t)

	callback = b.allow(t, b.consent(t, s.invite(t, stackHost, "", "")), stackHost)
	asked = s.server.Count()
	s.olderFlow(t, connect.FlowOf(s.parameter(t, callback, "state")), 11*time.Minute)
	b.open(t, callback).is(t, http.StatusGone, "That took too long")
	if n := len(s.requestsSince(asked)); n > 0 {
		t.Errorf("OwnerRez was asked %+v", s.requestsSince(asked))
	}
}

// olderFlow lets a flow have begun earlier. The store has it by the state's hash.
func (s *stack) olderFlow(t *testing.T, flow string, by time.Duration) {
	t.Helper()
	key := "STATE#" + flow
	data, version, err := s.store.Note(t.Context(), key)
	if err != nil || version == 0 {
		t.Fatalf("the flow is not in the store: %v", err)
	}
	var note map[string]any
	stackParse(t, data[1:], &note)
	var began time.Time
	stackParse(t, stackJSON(t, note["Began"]), &began)
	note["Began"] = began.Add(-by)
	text, err := json.Marshal(note)
	if err == nil {
		err = s.store.SetNote(t.Context(), key, append(data[:1:1], text...), version, time.Now().Add(time.Hour))
	}
	if err != nil {
		t.Fatal(err)
	}
}
