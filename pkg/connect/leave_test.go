package connect_test

import (
	"context"
	"testing"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/connect"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

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
