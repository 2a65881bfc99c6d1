package connect_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/budget"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/connect"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	web "github.com/ownerrez-lambda/ownerrez-lambda/pkg/web/connect"
)

// Every kind of ending has a page of its own, and a status that fits.
func TestKinds(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	address := b.decide(b.get(s.invite(connect.Invitation{Return: returnTo})), "allow", "123456").url
	headings := map[string]connect.Kind{}
	for kind, status := range map[connect.Kind]int{
		connect.Connected: 200, connect.Reconnected: 200, connect.Underway: 200, connect.Denied: 200, connect.Leaving: 200,
		connect.WrongState: 410, connect.NotInvited: 403, connect.OtherBrowser: 403, connect.OtherAccount: 403, connect.NotKnownBrowser: 403,
		connect.Expired: 410, connect.InviteUsed: 410, connect.InviteExpired: 410,
		connect.Trouble: 503, connect.Busy: 503, connect.NotStored: 503, connect.NotConfigured: 503,
		"new": 500,
	} {
		s.rewrite(address.Query().Get("flow"), func(end *connect.Ending) { end.Kind = kind })
		page := b.get(address.String())
		_, heading, _ := strings.Cut(page.text, "<h1>")
		heading, _, _ = strings.Cut(heading, "</h1>")
		page.has(t, status, "<title>"+heading+" · ")
		if other, ok := headings[heading]; ok || heading == "" {
			t.Errorf("%s has the page of %s: %s", kind, other, heading)
		}
		headings[heading] = kind
		if connected := kind == connect.Connected || kind == connect.Reconnected; connected != strings.Contains(page.text, returnTo) {
			t.Errorf("%s: a link back? %s", kind, page.text)
		}
		if retry := page.header.Get("Retry-After"); (retry != "") != (status == 503) {
			t.Errorf("%s: Retry-After: %q", kind, retry)
		}
	}
	if len(s.errs) != 1 || !strings.Contains(s.errs[0].Error(), "no page for the ending new") {
		t.Errorf("%v", s.errs)
	}
}

// A page that is looked for too late does not say that nothing was connected.
func TestPastResult(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	page := b.decide(b.get(s.invite(connect.Invitation{})), "allow", "123456")
	s.offset = 2 * time.Hour
	b.get(page.url.String()).has(t, 410, "no longer there", "An account that was connected stays connected.")
	b.get(s.pages.URL+connect.ResultPath).has(t, 400, "leads nowhere")
}

// refusing lets no request be sent.
type refusing struct{}

func (refusing) Take(context.Context) error { return budget.ErrNoPermit }

// Where the budget is used up, the same page goes on later, with the same code.
func TestBusy(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	consent := b.get(s.invite(connect.Invitation{}))
	options := s.office.Options
	s.office.Options = append(slices.Clip(options), ownerrez.WithLimiter(refusing{}))
	page := b.decide(consent, "allow", "123456")
	page.has(t, 503, "Too much is going on", `<meta http-equiv="refresh" content="60">`)
	if page.header.Get("Retry-After") != "60" {
		t.Errorf("%v", page.header)
	}
	s.office.Options = options
	b.get(page.url.String()).has(t, 200, "Connected", "123456")
}

// The browser of a host who has begun and not ended waits for a while.
func TestUnderway(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	consent := b.get(s.invite(connect.Invitation{}))
	address := s.pages.URL + connect.ResultPath + "?flow=" + connect.FlowOf(consent.url.Query().Get("state"))
	b.get(address).has(t, 200, "One moment", "This page loads itself again", `http-equiv="refresh" content="5; url=/connect/result?flow=`)
	if stopped := b.get(b.get(address).link(t, "Stop loading it again")); strings.Contains(stopped.text, "http-equiv") {
		t.Errorf("it cannot be stopped: %s", stopped.text)
	}
	for _, n := range []string{"36", "999999999999999999999", "-1"} {
		page := b.get(address + "&n=" + n)
		page.has(t, 200, "One moment", "Load this page again later")
		if strings.Contains(page.text, "http-equiv") {
			t.Errorf("n=%s: it loads itself again for ever", n)
		}
	}
	s.browser().get(address).has(t, 403, "another browser")
}

// In an office that is open nobody is told to ask for an invitation.
func TestOpen(t *testing.T) {
	s := newSite(t)
	s.office.Open = true
	s.handler = web.Handler(s.office, s.opts)
	b := s.browser()
	page := b.get(s.pages.URL + connect.CallbackPath + "?state=x&code=y")
	page.has(t, 400, "leads nowhere")
	if strings.Contains(page.text, "invitation") {
		t.Errorf("%s", page.text)
	}
	page = b.decide(b.get(page.link(t, "Connect an account")), "allow", "123456")
	page.has(t, 200, "Connected")
	b.get(s.pages.URL+connect.ConnectPath+"?invite=x").has(t, 403, "no invitation that we know", "Connect an account")
}

// Without its cookie a browser is not led where it would be refused.
func TestNoKey(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	address := b.decide(b.get(s.invite(connect.Invitation{})), "allow", "123456").url.String()
	var own []string
	for _, c := range b.client.Jar.Cookies(b.get(address).url) {
		if strings.HasPrefix(c.Name, "__Host-connect-") {
			own = append(own, c.Name+"="+c.Value)
		}
	}
	if len(own) != 1 {
		t.Fatalf("%d cookies", len(own))
	}
	page := s.browser().send("GET", address, nil, map[string]string{"Cookie": own[0]})
	page.has(t, 200, "Connected", "123456")
	if strings.Contains(page.text, "Disconnect") {
		t.Errorf("%s", page.text)
	}
}
