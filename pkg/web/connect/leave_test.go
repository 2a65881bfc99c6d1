package connect_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/connect"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
)

func TestLeave(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	page := b.decide(b.get(s.invite(connect.Invitation{})), "allow", "123456")
	leave := page.link(t, "Disconnect this account")
	s.browser().get(leave).has(t, 403, "This browser cannot do that")
	b.get(leave+"1").has(t, 403, "This browser cannot do that")
	b.get(leave).has(t, 200, "Disconnect your account?", `<form method="post" action="/connect/leave">`, `value="123456"`)

	form := url.Values{"account": {"123456"}}
	at := s.pages.URL + connect.LeavePath
	for name, header := range map[string]map[string]string{
		"another site":         {"Sec-Fetch-Site": "cross-site"},
		"a sandboxed frame":    {"Origin": "null"},
		"another site, older":  {"Origin": "https://evil.example.com"},
		"another host of ours": {"Sec-Fetch-Site": "same-site"},
	} {
		if v := b.post(at, form, header); v.status != http.StatusForbidden || !strings.Contains(v.text, "another site") {
			t.Errorf("%s: %d %s", name, v.status, v.text)
		}
	}
	s.browser().post(at, form, nil).has(t, 403, "This browser cannot do that")
	b.post(at, url.Values{"account": {"654321"}}, nil).has(t, 403, "This browser cannot do that")
	b.post(at, url.Values{"account": {strings.Repeat("1", 10_000)}}, nil).has(t, 403, "This browser cannot do that")
	if r, err := s.store.Request(t.Context(), hostID); err != nil || r.Leave {
		t.Fatalf("somebody else disconnected it: %+v, %v", r, err)
	}
	page = b.post(at, form, map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": "null"})
	page.has(t, 200, "Disconnected", "is being disconnected from My App", `content="5; url=/connect/leave?account=123456&amp;n=1"`)
	if page.url.String() != leave {
		t.Errorf("the address is %s", page.url.Path)
	}
	if r, err := s.store.Request(t.Context(), hostID); err != nil || !r.Leave || r.By != lookup.ByHost {
		t.Errorf("%+v, %v", r, err)
	}
}

// Who has an invitation for an account may disconnect it, and has used the invitation then.
func TestLeaveByInvitation(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	b.decide(b.get(s.invite(connect.Invitation{})), "allow", "123456")
	link := strings.Replace(s.invite(connect.Invitation{Account: hostID}), connect.ConnectPath, connect.LeavePath, 1)
	other := s.browser()
	other.get(link).has(t, 200, "Disconnect your account?", "123456")
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"account": {"123456"}, "invite": {u.Query().Get("invite")}}
	page := other.post(s.pages.URL+connect.LeavePath, form, nil)
	page.has(t, 200, "Disconnected", "Your OwnerRez account 123456 is being disconnected")
	if strings.Contains(page.text, "http-equiv") {
		t.Errorf("what a form brought loads itself again: %s", page.text)
	}
	other.get(link).has(t, 410, "This invitation was used")
	forAny := strings.Replace(s.invite(connect.Invitation{}), connect.ConnectPath, connect.LeavePath, 1)
	other.get(forAny).has(t, 403, "You need an invitation")
}

// The page says how far it has come, and an older one does not go on saying that the account is connected.
func TestLeaving(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	result := b.decide(b.get(s.invite(connect.Invitation{})), "allow", "123456")
	s.done()
	s.row(lookup.Account{Status: lookup.StatusOK, AsOf: time.Now().UTC()})
	b.get(result.url.String()).has(t, 200, "Its calendar is there")
	s.offset = 2 * time.Second
	b.post(s.pages.URL+connect.LeavePath, url.Values{"account": {"123456"}}, nil).has(t, 200, "is being disconnected from My App")
	b.get(result.url.String()).has(t, 200, "Disconnected", "is being disconnected from My App", "http-equiv")
	request, err := s.store.Request(t.Context(), hostID)
	if err != nil {
		t.Fatal(err)
	}
	gone := lookup.Departure{At: request.At, By: lookup.ByHost}
	s.done()
	s.row(lookup.Account{Status: lookup.StatusOK, AsOf: time.Now().UTC(), Leaving: &gone})
	b.get(result.url.String()).has(t, 200, "is being disconnected from My App")
	s.row(lookup.Account{Status: lookup.StatusLeft, AsOf: time.Now().UTC(), Left: &gone})
	for _, address := range []string{result.url.String(), s.pages.URL + connect.LeavePath + "?account=123456&n=3"} {
		page := b.get(address)
		page.has(t, 200, "Disconnected", "is disconnected from My App", "the access was revoked")
		if strings.Contains(page.text, "http-equiv") || strings.Contains(page.text, "<form") {
			t.Errorf("%s", page.text)
		}
	}

	// Before the lane knows that the host has come back, the row says still that the account has left.
	s.offset = time.Minute
	page := b.decide(b.get(s.invite(connect.Invitation{})), "allow", "123456")
	page.has(t, 200, "Connected again", "settings and history stay", "is being read again now", "http-equiv")
	s.done() // as it is when the lane has found nothing to do
	b.get(page.url.String()).has(t, 200, "Connected again", "is being read again now")
}

// What is old is said with its age, and what failed is said, too.
func TestReconnectedCalendar(t *testing.T) {
	s := newSite(t)
	s.row(lookup.Account{Status: lookup.StatusReconnect, AsOf: time.Now().UTC().Add(-3 * time.Hour)})
	b := s.browser()
	page := b.decide(b.get(s.invite(connect.Invitation{})), "allow", "123456")
	page.has(t, 200, "Connected again", "Its calendar was last read 3 hours ago", " (UTC). It is being read again now", "http-equiv")
	s.row(lookup.Account{Status: lookup.StatusLate, AsOf: time.Now().UTC().Add(-3 * time.Hour), RunBegan: time.Now().UTC().Add(time.Second), Failures: 1})
	b.get(page.url.String()).has(t, 200, "could not be read yet", "http-equiv")
	s.row(lookup.Account{Status: lookup.StatusOK, AsOf: time.Now().UTC()})
	b.get(page.url.String()).has(t, 200, "Connected again", "Its calendar is there, read less than a minute ago")
}
