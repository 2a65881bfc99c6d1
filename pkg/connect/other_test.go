package connect_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/connect"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// TestOtherAccountCrashes cuts the callback of another account than invited at each of its steps: nothing of any account
// is touched, also where to end one token ends all.
func TestOtherAccountCrashes(t *testing.T) {
	for _, after := range []bool{false, true} {
		for nth := 1; nth <= 10; nth++ {
			t.Run(fmt.Sprintf("after %v, step %d", after, nth), func(t *testing.T) {
				w := newWorld(t, ownerreztest.Quirks{RevokeEndsAllTokens: true})
				w.finish(w.begin(w.invite(connect.Invitation{Ref: "mine"})).allow(hostID))
				stored, asked := w.connected(hostID), must(w.store.Request(t.Context(), hostID))
				reply := w.begin(w.invite(connect.Invitation{Account: otherID, Ref: "theirs"})).allow(hostID)
				k := &knife{nth: nth, after: after}
				ask, notes := w.Ask, w.Notes
				w.Notes, w.Connections.Vault = cutNotes{notes, k}, cutVault{w.secret, k}
				w.Ask = func(ctx context.Context, r lookup.Request) error { return k.cut(func() error { return ask(ctx, r) }) }
				end, err := w.Finish(t.Context(), reply)
				if err == nil && end.Kind != connect.OtherAccount && end.Kind != connect.NotStored && end.Kind != connect.Underway {
					t.Errorf("%+v", end)
				}
				if w.connected(hostID) != stored || !slices.Contains(w.live(hostID), stored) {
					t.Error("the stored token was touched")
				}
				if now := must(w.store.Request(t.Context(), hostID)); now != asked {
					t.Errorf("its lane was asked: %+v", now)
				}
				if _, err := w.store.Request(t.Context(), otherID); !errors.Is(err, lookup.ErrNotFound) {
					t.Errorf("the lane of the invited account was asked: %v", err)
				}
			})
		}
	}
}
