package account_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
)

func TestKeep(t *testing.T) {
	for name, before := range map[string]struct {
		prepare     func(o *office)
		reconnected bool
	}{
		"nothing":         {func(*office) {}, false},
		"a connection":    {func(o *office) { o.keepAnother() }, true},
		"deleted":         {func(o *office) { o.keepAnother(); _ = o.Delete(o.t.Context(), userID) }, true},
		"without a value": {func(o *office) { o.safe.create(secretName, nil) }, true},
		"unreadable":      {func(o *office) { o.safe.create(secretName, []byte("by hand")) }, true},
		"a refresh under way": {func(o *office) {
			o.keepAnother()
			_, version := o.stored()
			o.safe.put(secretName, version, []byte("pending"))
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			o := unconnected(t, ownerreztest.Quirks{})
			before.prepare(o)
			token, at := o.token()
			ctx, cancel := context.WithCancel(t.Context())
			cancel() // the browser has left
			reconnected, err := o.Keep(ctx, token, at)
			if err != nil || reconnected != before.reconnected {
				t.Errorf("%v, %v", reconnected, err)
			}
			o.wantStored(token)
			if has, err := o.Has(t.Context(), userID); !has || err != nil {
				t.Errorf("%v, %v", has, err)
			}
		})
	}
}

// A token that does not say whose it is, or is none, is not kept.
func TestKeepNoToken(t *testing.T) {
	o := unconnected(t, ownerreztest.Quirks{})
	o.vault.through = func(string, func()) error { t.Error("the vault was asked"); return errCut }
	good, at := o.token()
	nobodys, negative, other := good, good, good
	nobodys.UserID, negative.UserID, other.AccessToken = 0, -1, "pt_test"
	for _, token := range []ownerrez.Token{nobodys, negative, other} {
		_, err := o.Keep(t.Context(), token, at)
		if err == nil || errors.Is(err, account.ErrVault) {
			t.Errorf("%v", err)
		}
		o.wantNoSecret("the error", fmt.Sprintf("%v %+v %#v", err, err, err))
	}
}

// eachStep has a host connect, in every state of the secret, to a vault whose nth step is broken.
func eachStep(t *testing.T, test func(t *testing.T, o *office, state string, nth int, done bool)) {
	t.Helper()
	for _, state := range []string{"nothing", "a connection", "deleted", "without a value"} {
		for _, done := range []bool{false, true} {
			for nth := range 8 {
				t.Run(fmt.Sprintf("%s, step %d, done %v", state, nth, done), func(t *testing.T) {
					o := unconnected(t, ownerreztest.Quirks{})
					switch state {
					case "without a value":
						o.safe.create(secretName, nil)
					case "a connection", "deleted":
						o.keepAnother()
					}
					if state == "deleted" {
						_ = o.Delete(t.Context(), userID)
					}
					test(t, o, state, nth, done)
				})
			}
		}
	}
}

// breaks lets the steps from the first to the last fail, before or after they are done.
func (o *office) breaks(first, last int, done bool) {
	steps := -1
	o.vault.through = func(_ string, do func()) error {
		steps++
		failing := first <= steps && steps <= last
		if !failing || done && steps == first {
			do()
		}
		if failing {
			return errCut
		}
		return nil
	}
}

// One step fails, before or after it was done: the token is stored all the same.
func TestKeepInterrupted(t *testing.T) {
	eachStep(t, func(t *testing.T, o *office, state string, nth int, done bool) {
		token, at := o.token()
		o.breaks(nth, nth, done)
		reconnected, err := o.Keep(t.Context(), token, at)
		o.vault.through = nil
		if err != nil {
			t.Fatalf("one failure, and it is given up: %v", err)
		}
		if before := state == "a connection" || state == "deleted"; before != reconnected && state != "without a value" {
			t.Errorf("reconnected: %v", reconnected)
		}
		o.wantStored(token)
	})
}

// The vault is gone from one step on, or the process is: what is there is whole, the old token or the new one, and the
// next callback goes well.
func TestKeepDies(t *testing.T) {
	eachStep(t, func(t *testing.T, o *office, state string, nth int, done bool) {
		had := state == "a connection"
		var old account.Connection
		if had {
			old, _ = o.stored()
		}
		token, at := o.token()
		o.breaks(nth, 1000, done)
		_, failure := o.Keep(t.Context(), token, at)
		o.vault.through = nil
		if failure != nil {
			o.wantNoSecret("the error", fmt.Sprintf("%v %+v", failure, failure))
			if !errors.Is(failure, account.ErrVault) {
				t.Errorf("%v", failure)
			}
		}
		has, err := o.Has(t.Context(), userID)
		if err != nil || !has && (had || failure == nil) {
			t.Errorf("%v, %v", has, err)
		}
		if has {
			now, _ := o.stored()
			isNew := now.Token.AccessToken == token.AccessToken
			if !isNew && (failure == nil || had && now.ID != old.ID) {
				t.Errorf("stored: %v", now)
			}
			o.wantStored(now.Token)
		}
		o.wantStored(o.keepAnother())
	})
}

// A vault that is not there: Keep says so, and nothing is there.
func TestKeepWithoutVault(t *testing.T) {
	o := unconnected(t, ownerreztest.Quirks{})
	token, at := o.token()
	o.vault.through = func(string, func()) error { return errCut }
	if _, err := o.Keep(t.Context(), token, at); !errors.Is(err, account.ErrVault) {
		t.Errorf("%v", err)
	}
	if has, err := o.Has(t.Context(), userID); has || !errors.Is(err, account.ErrVault) {
		t.Errorf("%v, %v", has, err)
	}
	o.vault.through = nil
	if has, err := o.Has(t.Context(), userID); has || err != nil {
		t.Errorf("%v, %v", has, err)
	}
	if _, err := o.Credential(t.Context(), userID); !errors.Is(err, vault.ErrNotFound) {
		t.Errorf("%v", err)
	}
}

// A vault that is slow and fails is tried for ten seconds, though the caller's context has ended.
func TestKeepSlowVault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := unconnected(t, ownerreztest.Quirks{})
		token, at := o.token()
		o.vault.through = func(string, func()) error { time.Sleep(3 * time.Second); return errCut }
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		began := time.Now()
		_, err := o.Keep(ctx, token, at)
		if took := time.Since(began); !errors.Is(err, account.ErrVault) || took < 10*time.Second || took > 13*time.Second {
			t.Errorf("after %s: %v", took, err)
		}
	})
}

// Many callbacks of one account at once: one of them is current at the end, whole, and none was given up.
func TestKeepTogether(t *testing.T) {
	for _, had := range []bool{false, true} {
		o := unconnected(t, ownerreztest.Quirks{})
		if had {
			o.keepAnother()
		}
		var tokens []string
		var all sync.WaitGroup
		for range 16 {
			token, at := o.token()
			tokens = append(tokens, token.AccessToken)
			process := o.office()
			all.Go(func() {
				if _, err := process.Keep(t.Context(), token, at); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		current, _ := o.stored()
		if !slices.Contains(tokens, current.Token.AccessToken) {
			t.Error("none of them is current")
		}
		o.wantStored(current.Token)
	}
}
