package connect_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/connect"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// A host follows an invitation, and sees which account is connected and when the calendar is there.
func TestConnect(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	page := b.decide(b.get(s.invite(connect.Invitation{Ref: "desk", Return: "https://partner.example.com/done?x=1"})), "allow", "123456")
	page.has(t, 200, "Connected", "“Lakeview &lt;b&gt;Cabins&lt;/b&gt;” (123456)", "is connected to My App.", "Connect to My App", "being read now", `http-equiv="refresh"`)
	if page.url.Path != connect.ResultPath || page.url.Query().Has("code") || page.url.Query().Has("state") {
		t.Errorf("the address is %s", page.url.Path)
	}
	if back := page.link(t, "Back to partner.example.com"); back != "https://partner.example.com/done?x=1" {
		t.Errorf("back leads to %s", back)
	}
	s.done()
	s.row(lookup.Account{Status: lookup.StatusOK, Zone: "America/Chicago", AsOf: time.Now().UTC()})
	page = b.get(page.url.String())
	page.has(t, 200, "Its calendar is there, read less than a minute ago, ", " (America/Chicago).")
	if strings.Contains(page.text, "http-equiv=\"refresh\"") {
		t.Error("it loads itself again for nothing")
	}
	if other := s.browser().get(page.url.String()); other.status != 403 {
		t.Errorf("another browser sees %d %s", other.status, other.text)
	}
	if len(s.errs) > 0 {
		t.Errorf("%v", s.errs)
	}
}

// It waits for the calendar for some minutes, and not for ever.
func TestReloads(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	page := b.decide(b.get(s.invite(connect.Invitation{})), "allow", "123456")
	reloads := 0
	for ; strings.Contains(page.text, "http-equiv"); reloads++ {
		_, at, _ := strings.Cut(page.text, "5; url=")
		at, _, _ = strings.Cut(at, `"`)
		next, err := page.url.Parse(strings.ReplaceAll(at, "&amp;", "&"))
		if err != nil || reloads > 100 {
			t.Fatalf("%d reloads, %v", reloads, err)
		}
		page = b.get(next.String())
		page.has(t, 200, "Connected")
	}
	if reloads < 10 {
		t.Errorf("%d reloads", reloads)
	}
}

// Every ending has a page in plain words, and where it helps a way on.
func TestEndings(t *testing.T) {
	hit := func(s *site, do ownerreztest.Action) {
		s.server.Fault(ownerreztest.Fault{Match: ownerreztest.MatchPath("/oauth/access_token"), Do: do})
	}
	for name, test := range map[string]struct {
		act    func(*site, *browser) view
		status int
		says   string
		again  string // the link that leads to a page which connects
	}{
		"denied": {func(s *site, b *browser) view {
			return b.decide(b.get(s.invite(connect.Invitation{})), "deny", "123456")
		}, 200, "You did not allow the access", "Try again"},
		"OwnerRez is down": {func(s *site, b *browser) view {
			consent := b.get(s.invite(connect.Invitation{}))
			hit(s, ownerreztest.Status(500))
			return b.decide(consent, "allow", "123456")
		}, 503, "OwnerRez is slow or out of order", "Try again"},
		"too late": {func(s *site, b *browser) view {
			consent := b.get(s.invite(connect.Invitation{}))
			s.offset = 11 * time.Minute
			return b.decide(consent, "allow", "123456")
		}, 410, "good for ten minutes", "Begin again"},
		"another account": {func(s *site, b *browser) view {
			return b.decide(b.get(s.invite(connect.Invitation{Account: hostID})), "allow", "654321")
		}, 403, "another OwnerRez account than the one that you allowed", "Try again"},
		"the app's secret is wrong": {func(s *site, b *browser) view {
			consent := b.get(s.invite(connect.Invitation{}))
			hit(s, ownerreztest.Status(401))
			return b.decide(consent, "allow", "123456")
		}, 503, "not set up as it should be", "Try again"},
		"not stored": {func(s *site, b *browser) view {
			consent := b.get(s.invite(connect.Invitation{}))
			ask := s.office.Ask
			s.office.Ask = func(context.Context, lookup.Request) error { return errors.New("no table") }
			defer func() { s.office.Ask = ask }()
			return b.decide(consent, "allow", "123456")
		}, 503, "could not keep the access safely", "Try again"},
		"nonsense": {func(s *site, b *browser) view {
			return b.get(s.pages.URL + connect.CallbackPath + "?state=x&code=tc_test")
		}, 400, "leads nowhere", ""},
		"twice the same parameter": {func(s *site, b *browser) view {
			return b.get(s.pages.URL + connect.CallbackPath + "?state=x&code=tc_test&code=tc_test2")
		}, 400, "leads nowhere", ""},
		"a long parameter": {func(s *site, b *browser) view {
			return b.get(s.pages.URL + connect.CallbackPath + "?state=" + strings.Repeat("x", 3000))
		}, 400, "leads nowhere", ""},
		"another browser": {func(s *site, b *browser) view {
			consent := b.get(s.invite(connect.Invitation{}))
			other := s.browser()
			return other.decide(consent, "allow", "123456")
		}, 403, "another browser", ""},
		"no invitation":   {func(s *site, b *browser) view { return b.get(s.pages.URL + connect.ConnectPath) }, 403, "You need an invitation", ""},
		"an invented one": {func(s *site, b *browser) view { return b.get(s.pages.URL + connect.ConnectPath + "?invite=x") }, 403, "You need an invitation", ""},
		"two of them":     {func(s *site, b *browser) view { return b.get(s.pages.URL + connect.ConnectPath + "?invite=x&invite=y") }, 403, "You need an invitation", ""},
		"used": {func(s *site, b *browser) view {
			link := s.invite(connect.Invitation{})
			b.decide(b.get(link), "allow", "123456")
			return s.browser().get(link)
		}, 410, "This invitation was used", ""},
		"too old": {func(s *site, b *browser) view {
			link := s.invite(connect.Invitation{})
			s.offset = 8 * 24 * time.Hour
			return b.get(link)
		}, 410, "too old", ""},
		"again": {func(s *site, b *browser) view {
			b.decide(b.get(s.invite(connect.Invitation{})), "allow", "123456")
			return b.decide(b.get(s.invite(connect.Invitation{})), "allow", "123456")
		}, 200, "Connected again", ""},
		"our own trouble": {func(s *site, b *browser) view {
			s.office.Notes = failing{}
			return b.get(s.pages.URL + connect.ConnectPath + "?invite=x")
		}, 500, "on our side", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b := s.browser()
			page := test.act(s, b)
			page.has(t, test.status, test.says)
			if (page.header.Get("Retry-After") != "") != (test.status == 503) {
				t.Errorf("Retry-After: %q", page.header.Get("Retry-After"))
			}
			if test.again != "" {
				s.offset = 0
				next := b.get(page.link(t, test.again))
				b.decide(next, "allow", "123456").has(t, 200, "Connected")
			}
		})
	}
}

// failing is a store that is not there.
type failing struct{}

func (failing) Note(context.Context, string) ([]byte, int64, error) {
	return nil, 0, errors.New("no table")
}
func (failing) SetNote(context.Context, string, []byte, int64, time.Time) error {
	return errors.New("no table")
}

// A double click shows the connected account.
func TestCallbackAgain(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	b.decide(b.get(s.invite(connect.Invitation{})), "allow", "123456").has(t, 200, "Connected")
	asked := s.server.Count()
	b.get(b.callback()).has(t, 200, "Connected", "123456", "Disconnect this account")
	if s.server.Count() != asked {
		t.Error("the code was exchanged again")
	}
	s.browser().get(b.callback()).has(t, 403, "another browser")
}
