package connect_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
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

// Another account than invited is refused. Nothing is overwritten; the token ends, unless that account has a stored one.
func TestOtherAccount(t *testing.T) {
	w := newWorld(t, ownerreztest.Quirks{RevokeEndsAllTokens: true})
	code := w.invite(connect.Invitation{Account: otherID})
	w.want(w.finish(w.begin(code).allow(hostID)).Ending, connect.OtherAccount)
	if len(w.live(hostID)) > 0 || w.connected(hostID) != "" {
		t.Error("the token is live")
	}
	w.want(w.finish(w.begin(w.invite(connect.Invitation{})).allow(hostID)).Ending, connect.Connected)
	stored := w.connected(hostID)
	w.want(w.finish(w.begin(code).allow(hostID)).Ending, connect.OtherAccount)
	if w.connected(hostID) != stored || !slices.Contains(w.live(hostID), stored) {
		t.Error("the stored token was touched")
	}
	w.want(w.finish(w.begin(code).allow(otherID)).Ending, connect.Connected)
}

// A browser begins again with the invitation that it had.
func TestAgain(t *testing.T) {
	w := newWorld(t, ownerreztest.Quirks{})
	tb := w.begin(w.invite(connect.Invitation{Ref: "desk"}))
	back, err := w.server.Deny(tb.at)
	if err != nil {
		t.Fatal(err)
	}
	w.want(w.finish(tb.reply(back)).Ending, connect.Denied)
	for browser, kind := range map[connect.Browser]connect.Kind{
		{Flow: tb.Flow}: connect.OtherBrowser, {Flow: tb.Flow, Secret: "x"}: connect.OtherBrowser, {Flow: "x", Secret: tb.Secret}: connect.WrongState,
	} {
		if start := must(w.Again(t.Context(), browser)); start.Refused != kind {
			t.Errorf("%+v; want %s", start, kind)
		}
	}
	start := must(w.Again(t.Context(), tb.Browser))
	w.want(w.finish(w.tab(start).allow(hostID)).Ending, connect.Connected)
	if request, err := w.store.Request(t.Context(), hostID); err != nil || request.Ref != "desk" {
		t.Errorf("%+v, %v", request, err)
	}
	w.now = time.Now().Add(61 * time.Minute)
	if start := must(w.Again(t.Context(), tb.Browser)); start.Refused != connect.WrongState {
		t.Errorf("after an hour: %+v", start)
	}
}

// Many clicks at once: the code is exchanged once.
func TestManyClicks(t *testing.T) {
	w := newWorld(t, ownerreztest.Quirks{})
	reply := w.begin(w.invite(connect.Invitation{})).allow(hostID)
	asked := w.server.Count()
	var all sync.WaitGroup
	ends := make([]connect.Ended, 16)
	for i := range ends {
		all.Go(func() {
			var err error
			if ends[i], err = w.Finish(t.Context(), reply); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	exchanges, connected := 0, 0
	for _, r := range w.server.Requests()[asked:] {
		if r.Path == "/oauth/access_token" {
			exchanges++
		}
	}
	for _, end := range ends {
		switch end.Kind {
		case connect.Connected:
			connected++
		case connect.Underway:
		default:
			t.Errorf("%+v", end)
		}
		if end.Key != "" {
			w.codes = append(w.codes, end.Key)
		}
	}
	if exchanges != 1 || connected == 0 || len(w.waked) != 1 {
		t.Errorf("%d exchanges, %d connected, %d wake-ups", exchanges, connected, len(w.waked))
	}
}

// One invitation, two hosts at once: one of them is connected, and the other one's token ends.
func TestOneInvitationTwoHosts(t *testing.T) {
	for range 5 {
		w := newWorld(t, ownerreztest.Quirks{})
		code := w.invite(connect.Invitation{})
		replies := []connect.Reply{w.begin(code).allow(hostID), w.begin(code).allow(otherID)}
		ends := make([]connect.Ended, 2)
		var all sync.WaitGroup
		for i, reply := range replies {
			all.Go(func() { ends[i] = must(w.Finish(t.Context(), reply)) })
		}
		all.Wait()
		kinds := []connect.Kind{ends[0].Kind, ends[1].Kind}
		slices.Sort(kinds)
		if !slices.Equal(kinds, []connect.Kind{connect.Connected, connect.InviteUsed}) {
			t.Errorf("%v", kinds)
		}
		for i, id := range []int64{hostID, otherID} {
			if stored := w.connected(id) != ""; stored != (ends[i].Kind == connect.Connected) || len(w.live(id)) > 0 != stored {
				t.Errorf("account %d: stored %v, %d live tokens", id, stored, len(w.live(id)))
			}
		}
	}
}

// Two tabs of one browser are two flows.
func TestTwoTabs(t *testing.T) {
	w := newWorld(t, ownerreztest.Quirks{})
	first, second := w.begin(w.invite(connect.Invitation{})), w.begin(w.invite(connect.Invitation{}))
	w.want(w.finish(second.allow(otherID)).Ending, connect.Connected)
	w.want(w.finish(first.allow(hostID)).Ending, connect.Connected)
}

// The state of one flow does not take the code of another, by whoever's hand.
func TestForgery(t *testing.T) {
	w := newWorld(t, ownerreztest.Quirks{})
	victim := w.begin(w.invite(connect.Invitation{Account: hostID}))
	attacker := w.begin(w.invite(connect.Invitation{Account: otherID, Ref: "attacker"}))
	stolen := victim.allow(hostID)
	// The attacker's own flow with the code of a victim.
	w.want(w.finish(connect.Reply{State: attacker.state, Code: stolen.Code, Secret: attacker.Secret}).Ending, connect.OtherAccount)
	// A victim's browser that is led to the attacker's callback.
	other := w.begin(w.invite(connect.Invitation{}))
	forged := other.allow(otherID)
	forged.Secret = victim.Secret
	w.want(w.finish(forged).Ending, connect.OtherBrowser)
	if w.connected(otherID) != "" || w.connected(hostID) != "" {
		t.Error("something was stored")
	}
	// The one whom it was about can still go on.
	forged.Secret = other.Secret
	w.want(w.finish(forged).Ending, connect.Connected)
}

func TestLeave(t *testing.T) {
	w := newWorld(t, ownerreztest.Quirks{})
	end := w.finish(w.begin(w.invite(connect.Invitation{})).allow(hostID))
	named := w.invite(connect.Invitation{Account: hostID})
	for leaver, kind := range map[connect.Leaver]connect.Kind{
		{Account: hostID}:                connect.NotKnownBrowser,
		{Account: hostID, Key: "x"}:      connect.NotKnownBrowser,
		{Account: otherID, Key: end.Key}: connect.NotKnownBrowser,
		{Invite: "x"}:                    connect.NotInvited,
		{Invite: w.invite(connect.Invitation{}), Account: hostID}: connect.NotInvited,
		{Account: hostID, Key: end.Key}:                           connect.Connected,
		{Invite: named}:                                           connect.Connected,
	} {
		got := must(w.MayLeave(t.Context(), leaver))
		w.want(got, kind)
		if kind != connect.Connected {
			w.want(must(w.Leave(t.Context(), leaver)), kind)
		} else if got.Account != hostID {
			t.Errorf("%+v", got)
		}
	}
	if request := must(w.store.Request(t.Context(), hostID)); request.Leave {
		t.Error("somebody else disconnected it")
	}
	for range 2 {
		w.want(must(w.Leave(t.Context(), connect.Leaver{Account: hostID, Key: end.Key})), connect.Leaving)
	}
	if request := must(w.store.Request(t.Context(), hostID)); !request.Leave || request.By != lookup.ByHost {
		t.Errorf("%+v", request)
	}
	if last := w.waked[len(w.waked)-1]; last.Reason != lookup.ReasonLeave || last.Key != "123456" {
		t.Errorf("%+v", last)
	}
	w.want(must(w.Leave(t.Context(), connect.Leaver{Invite: named})), connect.Leaving)
	row := lookup.Account{Key: "123456", ID: hostID, Status: lookup.StatusLeft}
	if err := w.store.Commit(t.Context(), lookup.Commit{Rows: []lookup.Account{row}}); err != nil {
		t.Fatal(err)
	}
	w.want(must(w.MayLeave(t.Context(), connect.Leaver{Account: hostID, Key: end.Key})), connect.Leaving)
}

// A note of a newer release is an error that says so, and is left alone.
func TestUnreadableNotes(t *testing.T) {
	w := newWorld(t, ownerreztest.Quirks{})
	for _, data := range []string{"\x09{}", "\x01{", ""} {
		w.Notes = reading{w.store, []byte(data)}
		for _, call := range []func() error{
			func() error { _, err := w.Begin(t.Context(), "x"); return err },
			func() error { _, err := w.Finish(t.Context(), connect.Reply{State: "x"}); return err },
			func() error { _, err := w.Result(t.Context(), connect.Browser{}); return err },
			func() error { _, err := w.MayLeave(t.Context(), connect.Leaver{Key: "x"}); return err },
		} {
			if err := call(); err == nil {
				t.Errorf("%q is read", data)
			}
		}
	}
}

// reading is notes that all hold one thing.
type reading struct {
	connect.Notes
	data []byte
}

func (r reading) Note(context.Context, string) ([]byte, int64, error) { return r.data, 1, nil }
