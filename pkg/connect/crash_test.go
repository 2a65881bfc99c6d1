package connect_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/connect"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
)

var errCut = errors.New("cut")

// knife cuts the n-th call of what an office writes to, before it is done or after, and from then on all of them if the
// process is dead.
type knife struct {
	nth         int
	after, dead bool
	calls       int
}

func (k *knife) cut(do func() error) error {
	k.calls++
	switch {
	case k.calls == k.nth && k.after:
		_ = do()
		return errCut
	case k.calls == k.nth, k.dead && k.calls > k.nth && k.nth > 0:
		return errCut
	}
	return do()
}

// cutNotes and cutVault pass all calls through a knife.
type cutNotes struct {
	connect.Notes
	*knife
}

func (c cutNotes) Note(ctx context.Context, key string) (data []byte, version int64, err error) {
	err = c.cut(func() (err error) { data, version, err = c.Notes.Note(ctx, key); return err })
	return data, version, err
}

func (c cutNotes) SetNote(ctx context.Context, key string, data []byte, version int64, expires time.Time) error {
	return c.cut(func() error { return c.Notes.SetNote(ctx, key, data, version, expires) })
}

type cutVault struct {
	vault.Maker
	*knife
}

func (c cutVault) Get(ctx context.Context, name string) (s vault.Secret, err error) {
	err = c.cut(func() (err error) { s, err = c.Maker.Get(ctx, name); return err })
	return s, err
}

func (c cutVault) Create(ctx context.Context, name string, value []byte) (v string, err error) {
	err = c.cut(func() (err error) { v, err = c.Maker.Create(ctx, name, value); return err })
	return v, err
}

func (c cutVault) Replace(ctx context.Context, name, old string, value []byte) (v string, err error) {
	err = c.cut(func() (err error) { v, err = c.Maker.Replace(ctx, name, old, value); return err })
	return v, err
}

// TestCrashes cuts a callback at each of its steps. Whatever happens: what the host is told is true, no token is live
// that is neither stored nor lost with the process, and by the same link the host gets connected in the end.
func TestCrashes(t *testing.T) {
	for _, known := range []bool{false, true} {
		for _, mode := range []string{"before", "after", "dies before", "dies after"} {
			for nth := 1; nth <= 16; nth++ {
				t.Run(fmt.Sprintf("known %v, %s step %d", known, mode, nth), func(t *testing.T) { crash(t, known, mode, nth) })
			}
		}
	}
}

func crash(t *testing.T, known bool, mode string, nth int) {
	w := newWorld(t, ownerreztest.Quirks{})
	if known {
		w.want(w.finish(w.begin(w.invite(connect.Invitation{})).allow(hostID)).Ending, connect.Connected)
	}
	stored := w.connected(hostID)
	code := w.invite(connect.Invitation{Account: hostID, Ref: "desk"})
	reply := w.begin(code).allow(hostID)

	k := &knife{nth: nth, after: mode == "after" || mode == "dies after", dead: mode[0] == 'd'}
	ask, notes := w.Ask, w.Notes
	w.Notes, w.Connections.Vault = cutNotes{notes, k}, cutVault{w.secret, k}
	w.Ask = func(ctx context.Context, r lookup.Request) error { return k.cut(func() error { return ask(ctx, r) }) }
	end, err := w.Finish(t.Context(), reply)
	w.Notes, w.Connections.Vault, w.Ask = notes, w.secret, ask
	w.codes = append(w.codes, reply.State)
	now, live := w.connected(hostID), w.live(hostID)
	told := end.Kind == connect.Connected || end.Kind == connect.Reconnected
	switch {
	case err == nil && told && (now == stored || !slices.Contains(live, now)):
		t.Errorf("told %s, and another token is stored, or none that works", end.Kind)
	case err == nil && end.Kind == connect.NotStored && !k.dead && now != stored:
		t.Error("told that nothing was stored, and it was")
	case err != nil && now != stored:
		t.Errorf("an error from before the exchange, and something was stored: %v", err)
	}
	if !k.dead && !known {
		for _, token := range live {
			if token != now {
				t.Errorf("a token is live and not stored (%s, %v)", end.Kind, err)
			}
		}
	}
	if now != stored {
		if _, err := w.store.Request(t.Context(), hostID); err != nil {
			t.Errorf("a token is stored, and its lane does not know: %v", err)
		}
	}
	w.untilConnected(code, reply)
}

// untilConnected is a host who does what the pages say.
func (w *world) untilConnected(code string, reply connect.Reply) {
	w.t.Helper()
	for range 5 {
		end, err := w.Finish(w.t.Context(), reply) // a reload
		if err == nil && (end.Kind == connect.Connected || end.Kind == connect.Reconnected) {
			return
		}
		start, err := w.Begin(w.t.Context(), code)
		if err != nil {
			w.t.Fatal(err)
		}
		if start.Refused == connect.InviteUsed {
			if w.connected(hostID) == "" {
				w.t.Error("the invitation is used, and nobody is connected")
			}
			return
		}
		reply = w.tab(start).allow(hostID)
		if end, err = w.Finish(w.t.Context(), reply); err != nil {
			w.t.Fatal(err)
		}
		if end.Kind == connect.InviteUsed {
			w.now = w.Now().Add(2 * time.Minute) // what a dead flow has claimed is free again
		}
	}
	w.t.Error("not connected after all")
}
