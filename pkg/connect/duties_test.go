package connect_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/connect"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// 200 characters are no 200 bytes, and a link without an address leads nowhere.
func TestInviteWords(t *testing.T) {
	w := newWorld(t, ownerreztest.Quirks{})
	if _, err := w.Invite(t.Context(), connect.Invitation{Ref: strings.Repeat("ü", 200)}); err != nil {
		t.Errorf("200 characters: %v", err)
	}
	if _, err := w.Invite(t.Context(), connect.Invitation{Ref: strings.Repeat("ü", 201)}); err == nil {
		t.Error("201 characters are taken")
	}
	w.PublicURL = ""
	if link, err := w.Invite(t.Context(), connect.Invitation{}); err == nil {
		t.Errorf("without an address of its own it makes %s", link)
	}
}

// A reply without a code uses nothing up, and our own trouble with the app's secret neither.
func TestNothingConsumed(t *testing.T) {
	w := newWorld(t, ownerreztest.Quirks{})
	tb := w.begin(w.invite(connect.Invitation{}))
	reply := tb.allow(hostID)
	end := w.finish(connect.Reply{State: reply.State, Secret: reply.Secret})
	w.want(end.Ending, connect.WrongState)
	if end.Flow != "" {
		t.Error("it ended a flow")
	}
	app := w.App
	w.App = func(context.Context) (ownerrez.OAuthConfig, error) { return ownerrez.OAuthConfig{}, account.ErrVault }
	if end, err := w.Finish(t.Context(), reply); !errors.Is(err, account.ErrVault) {
		t.Errorf("the app's secret cannot be read: %+v, %v", end, err)
	}
	w.App = app
	w.want(w.finish(reply).Ending, connect.Connected)
}

// A claim whose answer was lost is ours all the same, also where an engine that tries again calls it a conflict.
func TestLostClaim(t *testing.T) {
	for name, lost := range map[string]error{"an error": errCut, "a conflict": connect.ErrConflict} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, ownerreztest.Quirks{})
			reply := w.begin(w.invite(connect.Invitation{})).allow(hostID)
			w.Notes = &lossy{Notes: w.Notes, prefix: "STATE#", err: lost}
			w.want(w.finish(reply).Ending, connect.Connected)
			w.want(w.finish(reply).Ending, connect.Connected)
		})
	}
}

// An invitation whose claim could not be told is free for the host who is told to repeat.
func TestLostInvitationClaim(t *testing.T) {
	w := newWorld(t, ownerreztest.Quirks{})
	code := w.invite(connect.Invitation{})
	reply := w.begin(code).allow(hostID)
	w.Notes = &lossy{Notes: w.Notes, prefix: "INVITE#", err: errCut}
	if end := w.finish(reply); end.Kind == connect.Connected {
		return
	} else if end.Kind != connect.NotStored {
		t.Fatalf("%+v", end)
	}
	w.want(w.finish(w.begin(code).allow(hostID)).Ending, connect.Connected)
}

// lossy does the first write of some keys and says that it failed.
type lossy struct {
	connect.Notes
	prefix string
	err    error
	done   bool
}

func (l *lossy) SetNote(ctx context.Context, key string, data []byte, version int64, expires time.Time) error {
	err := l.Notes.SetNote(ctx, key, data, version, expires)
	if err == nil && !l.done && strings.HasPrefix(key, l.prefix) {
		l.done = true
		return l.err
	}
	return err
}

// What is no access token is trouble of OwnerRez, not of our store.
func TestOddTokens(t *testing.T) {
	for name, body := range map[string]string{
		"no at_": `{"access_token":"xx_test","user_id":123456}`, "nobody's": `{"access_token":"at_test1"}`,
		"less than nobody's": `{"access_token":"at_test1","user_id":-1}`, "none": `{"user_id":123456}`,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, ownerreztest.Quirks{})
			w.codes = append(w.codes, "xx_test", "at_test1")
			reply := w.begin(w.invite(connect.Invitation{})).allow(hostID)
			w.server.Fault(ownerreztest.Fault{Match: ownerreztest.MatchPath("/oauth/access_token"), Do: ownerreztest.JSON(200, body)})
			w.want(w.finish(reply).Ending, connect.Trouble)
			if _, err := w.store.Request(t.Context(), hostID); !errors.Is(err, lookup.ErrNotFound) {
				t.Errorf("its lane was asked: %v", err)
			}
		})
	}
}

// A host who closes the browser while OwnerRez answers is connected all the same.
func TestBrowserCloses(t *testing.T) {
	w := newWorld(t, ownerreztest.Quirks{})
	reply := w.begin(w.invite(connect.Invitation{})).allow(hostID)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w.server.Fault(ownerreztest.Fault{Match: ownerreztest.MatchPath("/oauth/access_token"), Do: ownerreztest.Before(func() {
		cancel()
		time.Sleep(50 * time.Millisecond) // until the client has noticed
	})})
	end, err := w.Finish(ctx, reply)
	if err != nil {
		t.Fatal(err)
	}
	w.want(end.Ending, connect.Connected)
	w.codes = append(w.codes, end.Key)
	w.want(w.finish(reply).Ending, connect.Connected)
}

// A queue or a store that hangs when the token is stored keeps nothing from being noted.
func TestQueueHangs(t *testing.T) {
	w := newWorld(t, ownerreztest.Quirks{})
	code := w.invite(connect.Invitation{})
	reply := w.begin(code).allow(hostID)
	var before []string
	w.Notes = &recorded{Notes: w.Notes}
	w.Wake = func(context.Context, lookup.Wake) error {
		notes := w.Notes.(*recorded)
		notes.mu.Lock()
		defer notes.mu.Unlock()
		for _, n := range notes.all {
			before = append(before, strings.SplitN(n, "#", 2)[0])
		}
		return errCut
	}
	w.want(w.finish(reply).Ending, connect.Connected)
	if got := strings.Join(before, " "); got != "STATE INVITE INVITE BROWSER STATE" {
		t.Errorf("written before the lane was woken: %s", got)
	}
}

// recorded keeps all that is written.
type recorded struct {
	connect.Notes
	mu  sync.Mutex
	all []string
}

func (r *recorded) SetNote(ctx context.Context, key string, data []byte, version int64, expires time.Time) error {
	r.mu.Lock()
	r.all = append(r.all, key+" "+string(data))
	r.mu.Unlock()
	return r.Notes.SetNote(ctx, key, data, version, expires)
}

// Nothing that lets somebody in is in what is written, but as a hash, nor in what is told.
func TestCanaries(t *testing.T) {
	w := newWorld(t, ownerreztest.Quirks{TokensExpireIn: time.Hour})
	notes := &recorded{Notes: w.Notes}
	w.Notes = notes
	var told []string
	tell := func(v any, err error) {
		t.Helper()
		text, wrong := json.Marshal(v)
		if wrong != nil {
			t.Fatal(wrong)
		}
		told = append(told, string(text))
		if err != nil {
			told = append(told, err.Error())
		}
	}
	end := connect.Ended{}
	for _, id := range []int64{hostID, hostID, otherID} {
		tb := w.begin(w.invite(connect.Invitation{Account: hostID, Ref: "desk", Return: "https://partner.example.com/"}))
		got := w.finish(tb.allow(id))
		if got.Key != "" {
			end = got
		}
		tell(got.Ending, nil)
		tell(w.Result(t.Context(), tb.Browser))
	}
	failing := w.begin(w.invite(connect.Invitation{})).allow(hostID)
	w.server.Fault(ownerreztest.Fault{Match: ownerreztest.MatchPath("/oauth/access_token"),
		Do: ownerreztest.JSON(400, `{"error":"invalid_grant","error_description":"the code `+failing.Code+` is used"}`)})
	tell(w.finish(failing).Ending, nil)
	tell(w.Leave(t.Context(), connect.Leaver{Account: hostID, Key: end.Key}))
	if len(notes.all) < 12 || end.Key == "" {
		t.Fatalf("%d writes, %+v", len(notes.all), end)
	}
	w.noSecret("what is written", strings.Join(notes.all, "\n"))
	w.noSecret("what is told", strings.Join(told, "\n"))
}

// Who leaves by an invitation and clicks twice is told the same. Later it is of no use: not against a host who came back.
func TestLeaveTwice(t *testing.T) {
	w := newWorld(t, ownerreztest.Quirks{})
	w.finish(w.begin(w.invite(connect.Invitation{})).allow(hostID))
	by := connect.Leaver{Invite: w.invite(connect.Invitation{Account: hostID})}
	for range 2 {
		w.want(must(w.Leave(t.Context(), by)), connect.Leaving)
	}
	w.want(must(w.MayLeave(t.Context(), by)), connect.InviteUsed)
	if start := must(w.Begin(t.Context(), by.Invite)); start.Refused != connect.InviteUsed {
		t.Errorf("to connect by it: %+v", start)
	}
	w.finish(w.begin(w.invite(connect.Invitation{})).allow(hostID)) // the host is back
	for _, later := range []time.Duration{0, time.Hour} {
		w.now = time.Now().Add(later)
		must(w.Leave(t.Context(), by))
		if request := must(w.store.Request(t.Context(), hostID)); request.Leave {
			t.Errorf("%s later a used invitation disconnects the account", later)
		}
	}
	w.want(must(w.Leave(t.Context(), by)), connect.InviteUsed)
}

// An invitation that a host has connected by is used, and says nothing of leaving.
func TestConnectedByIsNoLeaving(t *testing.T) {
	w := newWorld(t, ownerreztest.Quirks{})
	code := w.invite(connect.Invitation{Account: hostID})
	w.want(w.finish(w.begin(code).allow(hostID)).Ending, connect.Connected)
	for _, leave := range []func(context.Context, connect.Leaver) (connect.Ending, error){w.MayLeave, w.Leave} {
		end := must(leave(t.Context(), connect.Leaver{Invite: code}))
		w.want(end, connect.InviteUsed)
		if end.Account != 0 {
			t.Errorf("%+v", end)
		}
	}
}

// The row of an account that left says so until its lane has run. A host who comes back and leaves at once is heard.
func TestBackAndAway(t *testing.T) {
	w := newWorld(t, ownerreztest.Quirks{})
	row := lookup.Account{Key: "123456", ID: hostID, Status: lookup.StatusLeft}
	if err := w.store.Commit(t.Context(), lookup.Commit{Rows: []lookup.Account{row}}); err != nil {
		t.Fatal(err)
	}
	end := w.finish(w.begin(w.invite(connect.Invitation{})).allow(hostID))
	by := connect.Leaver{Account: hostID, Key: end.Key}
	w.want(must(w.MayLeave(t.Context(), by)), connect.Connected)
	w.want(must(w.Leave(t.Context(), by)), connect.Leaving)
	w.want(must(w.MayLeave(t.Context(), by)), connect.Leaving)
	if request := must(w.store.Request(t.Context(), hostID)); !request.Leave {
		t.Error("told that the account leaves, and nobody was asked")
	}
}

// The table may keep a browser's key for longer than it counts.
func TestOldBrowser(t *testing.T) {
	w := newWorld(t, ownerreztest.Quirks{})
	end := w.finish(w.begin(w.invite(connect.Invitation{})).allow(hostID))
	for days, kind := range map[int]connect.Kind{399: connect.Connected, 401: connect.NotKnownBrowser} {
		w.now = time.Now().Add(time.Duration(days) * 24 * time.Hour)
		w.want(must(w.MayLeave(t.Context(), connect.Leaver{Account: hostID, Key: end.Key})), kind)
	}
}
