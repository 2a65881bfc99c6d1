package connect_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/budget"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/connect"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

func TestConnected(t *testing.T) {
	w := newWorld(t, ownerreztest.Quirks{TokensExpireIn: 30 * 24 * time.Hour})
	code := w.invite(connect.Invitation{Ref: "desk 7", Return: "https://partner.example.com/done"})
	for range 3 { // whoever looks at the link uses nothing up
		w.begin(code)
	}
	tb := w.begin(code)
	w.want(must(w.Result(t.Context(), tb.Browser)), connect.Underway)
	reply := tb.allow(hostID)
	end := w.finish(reply)
	w.want(end.Ending, connect.Connected)
	if end.Account != hostID || end.Name != "Lakeview <Cabins>" || end.Return != "https://partner.example.com/done" || end.Flow != tb.Flow || end.Key == "" {
		t.Errorf("%+v", end)
	}
	request, err := w.store.Request(t.Context(), hostID)
	if err != nil || request.Ref != "desk 7" || request.By != lookup.ByHost || request.Leave {
		t.Errorf("%+v, %v", request, err)
	}
	if len(w.waked) != 1 || w.waked[0].Key != "123456" || w.waked[0].Reason != lookup.ReasonConnected {
		t.Errorf("woken: %+v", w.waked)
	}
	if live := w.live(hostID); len(live) != 1 || live[0] != w.connected(hostID) {
		t.Errorf("%d tokens are live", len(live))
	}
	asked := w.server.Count()
	again := w.finish(reply) // a double click
	if again.Ending != end.Ending || again.Key != "" || w.server.Count() != asked {
		t.Errorf("a second time: %+v", again)
	}
	if result := must(w.Result(t.Context(), tb.Browser)); result != end.Ending {
		t.Errorf("%+v", result)
	}
	if start := must(w.Begin(t.Context(), code)); start.Refused != connect.InviteUsed {
		t.Errorf("the invitation a second time: %+v", start)
	}
	text, err := json.Marshal(end.Ending)
	if err != nil {
		t.Fatal(err)
	}
	w.noSecret("the ending", string(text))
}

// must is for calls whose error is a failure.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Where the office is open, no invitation is needed; one that is given must be good all the same.
func TestOpen(t *testing.T) {
	w := newWorld(t, ownerreztest.Quirks{})
	if start := must(w.Begin(t.Context(), "")); start.Refused != connect.NotInvited {
		t.Errorf("%+v", start)
	}
	w.Open = true
	w.want(w.finish(w.begin("").allow(hostID)).Ending, connect.Connected)
	if start := must(w.Begin(t.Context(), "nonsense")); start.Refused != connect.NotInvited {
		t.Errorf("%+v", start)
	}
}

// What a host does next is to be the same as the first time: identity and what is stored stay.
func TestReconnected(t *testing.T) {
	w := newWorld(t, ownerreztest.Quirks{})
	w.finish(w.begin(w.invite(connect.Invitation{Ref: "first"})).allow(hostID))
	before := w.connected(hostID)
	w.want(w.finish(w.begin(w.invite(connect.Invitation{Account: hostID})).allow(hostID)).Ending, connect.Reconnected)
	if w.connected(hostID) == before || w.connected(hostID) == "" {
		t.Error("the token is the old one")
	}
}

// An account that is known by a personal token, or that has left, is connected again.
func TestKnownAccount(t *testing.T) {
	w := newWorld(t, ownerreztest.Quirks{})
	row := lookup.Account{Key: "123456", ID: hostID, Name: "Host", Status: lookup.StatusLeft}
	if err := w.store.Commit(t.Context(), lookup.Commit{Rows: []lookup.Account{row}}); err != nil {
		t.Fatal(err)
	}
	w.want(w.finish(w.begin(w.invite(connect.Invitation{})).allow(hostID)).Ending, connect.Reconnected)
}

// Endings that OwnerRez or time brings about. Nothing is stored, and the invitation can be used again.
func TestEndings(t *testing.T) {
	fault := func(do ownerreztest.Action) func(*tab) connect.Reply {
		return func(tb *tab) connect.Reply {
			reply := tb.allow(hostID)
			tb.server.Fault(ownerreztest.Fault{Match: ownerreztest.MatchPath("/oauth/access_token"), Do: do})
			return reply
		}
	}
	sentBack := func(code string) func(*tab) connect.Reply {
		return func(tb *tab) connect.Reply { return connect.Reply{State: tb.state, Secret: tb.Secret, Error: code} }
	}
	for name, test := range map[string]struct {
		reply func(*tab) connect.Reply
		kind  connect.Kind
	}{
		"denied": {func(tb *tab) connect.Reply {
			back, err := tb.server.Deny(tb.at)
			if err != nil {
				t.Fatal(err)
			}
			return tb.reply(back)
		}, connect.Denied},
		"denied in other words":  {sentBack("consent_required"), connect.Denied},
		"temporarily":            {sentBack("temporarily_unavailable"), connect.Trouble},
		"server error":           {sentBack("server_error"), connect.Trouble},
		"the app is not allowed": {sentBack("unauthorized_client"), connect.NotConfigured},
		"no code":                {sentBack(""), connect.WrongState},
		"no such state":          {func(tb *tab) connect.Reply { return connect.Reply{State: "x", Code: "tc_x", Secret: tb.Secret} }, connect.WrongState},
		"no state":               {func(tb *tab) connect.Reply { return connect.Reply{Code: "tc_x", Secret: tb.Secret} }, connect.WrongState},
		"no cookie": {func(tb *tab) connect.Reply {
			reply := tb.allow(hostID)
			reply.Secret = ""
			return reply
		}, connect.OtherBrowser},
		"the cookie of another tab": {func(tb *tab) connect.Reply {
			reply := tb.allow(hostID)
			reply.Secret = tb.begin(tb.invite(connect.Invitation{})).Secret
			return reply
		}, connect.OtherBrowser},
		"an invented code": {func(tb *tab) connect.Reply {
			return connect.Reply{State: tb.state, Code: "tc_invented", Secret: tb.Secret}
		}, connect.Expired},
		"after ten minutes": {func(tb *tab) connect.Reply {
			reply := tb.allow(hostID)
			tb.now = time.Now().Add(10*time.Minute + 2*time.Second)
			return reply
		}, connect.Expired},
		"after an hour": {func(tb *tab) connect.Reply {
			reply := tb.allow(hostID)
			tb.now = time.Now().Add(time.Hour + 2*time.Second)
			return reply
		}, connect.WrongState},
		"500":                    {fault(ownerreztest.Status(500)), connect.Trouble},
		"429":                    {fault(ownerreztest.Status(429)), connect.Trouble},
		"nonsense":               {fault(ownerreztest.HTML(200)), connect.Trouble},
		"no answer":              {fault(ownerreztest.LoseAnswer()), connect.Trouble},
		"a token of nobody":      {fault(ownerreztest.JSON(200, `{"access_token":"at_testnobody"}`)), connect.Trouble},
		"the app is not known":   {fault(ownerreztest.Status(401)), connect.NotConfigured},
		"the app was taken away": {func(tb *tab) connect.Reply { reply := tb.allow(hostID); tb.noApp(); return reply }, connect.NotConfigured},
		"no permit": {func(tb *tab) connect.Reply {
			reply := tb.allow(hostID)
			tb.Options = append(tb.Options, ownerrez.WithLimiter(noPermits{}))
			return reply
		}, connect.Busy},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, ownerreztest.Quirks{})
			code := w.invite(connect.Invitation{})
			end := w.finish(test.reply(w.begin(code)))
			w.want(end.Ending, test.kind)
			if w.connected(hostID) != "" || end.Account != 0 || end.Key != "" || len(w.waked) > 0 {
				t.Errorf("%+v", end)
			}
			w.now = time.Time{}
			if start, err := w.Begin(t.Context(), code); err != nil || start.Refused != "" && start.Refused != connect.NotConfigured {
				t.Errorf("the invitation afterwards: %+v, %v", start, err)
			}
		})
	}
}

// noApp takes the app out of the operator's secret.
func (w *world) noApp() {
	w.App = func(context.Context) (ownerrez.OAuthConfig, error) { return ownerrez.OAuthConfig{}, account.ErrNoApp }
}

// noPermits is a budget that is used up.
type noPermits struct{}

func (noPermits) Take(context.Context) error { return budget.ErrNoPermit }

// Where no permit was to be had, the same code is good a minute later.
func TestBusyIsNoEnd(t *testing.T) {
	w := newWorld(t, ownerreztest.Quirks{})
	tb := w.begin(w.invite(connect.Invitation{}))
	reply := tb.allow(hostID)
	options := w.Options
	w.Options = append(slices.Clone(options), ownerrez.WithLimiter(noPermits{}))
	w.want(w.finish(reply).Ending, connect.Busy)
	w.Options = options
	w.want(w.finish(reply).Ending, connect.Connected)
}

func TestInvitations(t *testing.T) {
	w := newWorld(t, ownerreztest.Quirks{})
	refused := func(code string, kind connect.Kind) {
		t.Helper()
		if start := must(w.Begin(t.Context(), code)); start.Refused != kind || start.URL != "" {
			t.Errorf("%+v; want %s", start, kind)
		}
	}
	refused("nonsense", connect.NotInvited)
	code := w.invite(connect.Invitation{Life: 24 * time.Hour})
	tb := w.begin(code)
	w.now = time.Now().Add(24*time.Hour + time.Minute)
	refused(code, connect.InviteExpired)
	w.now = time.Time{}
	w.noApp()
	refused(code, connect.NotConfigured)
	for _, bad := range []connect.Invitation{
		{Account: -1}, {Ref: "a\nb"}, {Ref: strings.Repeat("x", 201)}, {Return: "http://partner.example.com"}, {Return: "javascript:alert(1)"},
		{Return: "//partner.example.com"}, {Return: "https://user@partner.example.com"}, {Return: "https:///x"}, {Return: "https://partner.example.com/ x"},
		{Life: -1}, {Life: 91 * 24 * time.Hour},
	} {
		if link, err := w.Invite(t.Context(), bad); err == nil {
			t.Errorf("%+v makes %s", bad, link)
		}
	}
	_, err := w.Invite(t.Context(), connect.Invitation{Account: -1, Ref: "\x00", Return: "x", Life: -1})
	if n := len(strings.Split(fmt.Sprint(err), "\n")); n != 4 {
		t.Errorf("all that is wrong at once: %v", err)
	}
	_ = tb
}
