package connect_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/connect"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

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
