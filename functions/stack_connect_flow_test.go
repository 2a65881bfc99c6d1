package functions_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
)

const stackReturn = "https://partner.example.com/done?order=1&lang=en"

// connected is a host who was invited: from the link to a calendar that can be read.
func (s *stack) connected(t *testing.T) {
	b := s.browser(t)
	link := s.invite(t, 0, "partner-17", stackReturn)
	page := b.connect(t, link, stackHost).is(t, http.StatusOK, "Connected")
	for _, want := range []string{"“Somebody” (123456)", "is connected to stack-test", "Its calendar is there", "Back to partner.example.com"} {
		if !strings.Contains(page.words(), want) {
			t.Errorf("the page does not say %q: %s", want, page.words())
		}
	}
	if !strings.Contains(page.body, `href="https://partner.example.com/done?order=1&amp;lang=en"`) {
		t.Errorf("the page does not link back: %s", page.body)
	}
	s.idle(t)
	s.host = b
	st, ok := s.listed(t, stackHost)
	if !ok || st.Ref != "partner-17" || st.Status != lookup.StatusOK || st.Problem != "" {
		t.Errorf("/v1/accounts: %+v", st)
	}
	s.equalsTruth(t, stackHost)
	events := s.eventsAfter(t, stackHost, 0)
	for _, e := range events {
		if e.Detail.Ref != "partner-17" {
			t.Errorf("event %s", e.raw)
		}
	}
	if len(events) < 4 {
		t.Errorf("%d events: each property's, and that the account is read", len(events))
	}
	secret := s.secretOf(t, stackHost)
	if len(secret.Tags) != 1 || *secret.Tags[0].Key != "ownerrez-lambda" || *secret.Tags[0].Value != s.name {
		t.Errorf("the secret's tags: %+v", secret.Tags)
	}
	for _, r := range s.server.Requests() {
		if strings.HasPrefix(r.Path, "/v2/") && (r.Account != stackHost || r.UserAgent != "stack-test/1.0 ("+stackAppID+")") {
			t.Errorf("OwnerRez was asked %+v", r)
		}
	}
}

// twice is a host who is impatient, or goes back: what has ended stays so, and OwnerRez is not asked again.
func (s *stack) twice(t *testing.T) {
	b := s.browser(t)
	callback := b.allow(t, b.consent(t, s.invite(t, stackHost, "", "")), stackHost)
	first := b.get(t, callback)
	s.idle(t)
	asked, version := s.server.Count(), s.connection(t, stackHost).ID
	for range 2 {
		again := b.get(t, callback)
		if again.location(t) != first.location(t) {
			t.Errorf("the callback leads to %s, and then to %s", first.location(t), again.location(t))
		}
	}
	b.open(t, callback).is(t, http.StatusOK, "Connected again")
	if n := len(s.requestsSince(asked)); n > 0 {
		t.Errorf("OwnerRez was asked %+v", s.requestsSince(asked))
	}
	if s.connection(t, stackHost).ID != version {
		t.Error("the token was stored again")
	}
	if st, _ := s.listed(t, stackHost); st.Ref != "partner-17" {
		t.Errorf("an invitation without a reference took it away: %+v", st)
	}
	s.equalsTruth(t, stackHost)
}

// denied is a host who says no.
func (s *stack) denied(t *testing.T) {
	b := s.browser(t)
	asked := s.server.Count()
	link := s.invite(t, 0, "", "")
	page := b.submit(t, b.consent(t, link), url.Values{"decision": {"deny"}}).is(t, http.StatusOK, "Not connected")
	if !strings.Contains(page.words(), "Try again") {
		t.Errorf("the page says %s", page.words())
	}
	for _, r := range s.requestsSince(asked) {
		if r.Path != "/oauth/authorize" {
			t.Errorf("OwnerRez was asked %+v", r)
		}
	}
	// The invitation is not used up, and the page's link begins again.
	again := b.open(t, s.public(strings.ReplaceAll(page.link(t, "Try again"), "&amp;", "&")))
	b.open(t, b.allow(t, again, stackOther)).is(t, http.StatusOK, "Connected")
	s.idle(t)
	s.equalsTruth(t, stackOther)
	s.eventsAfter(t, stackOther, 0)
	b.get(t, link).is(t, http.StatusGone, "This invitation was used")
}

// otherHost is a host who allows another account than the one that was invited, once without that account being here,
// and once with its being here.
func (s *stack) otherHost(t *testing.T) {
	b := s.browser(t)
	link := s.invite(t, stackHost, "stolen", "https://elsewhere.example.com/")
	before := map[int64]string{stackHost: s.connection(t, stackHost).ID, stackOther: s.connection(t, stackOther).ID}
	rows := []lookup.Account{s.row(t, stackHostKey), s.row(t, stackOtherKey)}
	for _, id := range []int64{stackThird, stackOther} {
		page := b.open(t, b.allow(t, b.consent(t, link), id)).is(t, http.StatusForbidden, "This is another account than invited")
		if strings.Contains(page.body, "elsewhere") || len(page.header.Values("Set-Cookie")) > 0 {
			t.Errorf("the page links back, or the browser is to be remembered: %s", page.body)
		}
	}
	s.idle(t)
	if s.secretOf(t, stackThird) != nil {
		t.Error("the token of an account that was not invited is stored")
	}
	for id, was := range before {
		if s.connection(t, id).ID != was {
			t.Errorf("the token of account %d was replaced", id)
		}
	}
	if diff := cmp.Diff(rows, []lookup.Account{s.row(t, stackHostKey), s.row(t, stackOtherKey)}); diff != "" {
		t.Errorf("the accounts' rows (-want +got)\n%s", diff)
	}
	ended := 0
	for _, r := range s.server.Requests() {
		if r.Method == http.MethodDelete && strings.HasPrefix(r.Path, "/oauth/access_token") && r.Status == http.StatusNoContent {
			ended++
		}
	}
	if ended != 1 {
		t.Errorf("%d tokens were ended: that of the account that is not here is to be, that of the other is not, as both might end", ended)
	}
	s.lookUp(t, stackOtherKey)
	s.statusIs(t, stackOther, lookup.StatusOK)
}

// openToAll is an operator who has chosen that everybody may connect.
func (s *stack) openToAll(t *testing.T) {
	restore := s.configure(t, map[string]string{"CONNECT_MODE": "open"})
	defer restore()
	b := s.browser(t)
	b.get(t, s.public("/connect?invite=UNKNOWN")).is(t, http.StatusForbidden, "You need an invitation")
	b.connect(t, s.public("/connect"), stackThird).is(t, http.StatusOK, "Connected")
	s.idle(t)
	if st, ok := s.listed(t, stackThird); !ok || st.Ref != "" || st.Status != lookup.StatusOK {
		t.Errorf("/v1/accounts: %+v", st)
	}
	s.equalsTruth(t, stackThird)
}

// link is where a page's link leads.
func (p stackPageSeen) link(t *testing.T, text string) string {
	t.Helper()
	end := strings.Index(p.body, ">"+text+"</a>")
	begin := strings.LastIndex(p.body[:max(end, 0)], `href="`)
	if end < 0 || begin < 0 {
		t.Fatalf("there is no link %q: %s", text, p.body)
	}
	address, _, _ := strings.Cut(p.body[begin+len(`href="`):], `"`)
	return address
}

// leavePath is the page on which an account is disconnected.
func stackLeave(id int64) string { return fmt.Sprintf("/connect/leave?account=%d", id) }
