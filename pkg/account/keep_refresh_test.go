package account_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault/file"
)

// A host connects while the lane refreshes the old token, at each of the vault's steps: the host's token stays.
func TestKeepDuringRefresh(t *testing.T) {
	reached := 0
	for nth := range 12 {
		t.Run(fmt.Sprint(nth), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := unconnected(t, ownerreztest.Quirks{TokensExpireIn: month, RefreshRotates: true})
				o.keepAnother()
				time.Sleep(21 * 24 * time.Hour)
				callback := o.office()
				var token ownerrez.Token
				steps := -1
				o.vault.through = func(_ string, do func()) error {
					if steps++; steps == nth {
						token = callback.keepAnother()
					}
					do()
					return nil
				}
				cred, err := o.Credential(t.Context(), userID)
				if err == nil {
					err = cred.Prepare(t.Context())
				}
				o.vault.through = nil
				if steps < nth { // there are not so many
					return
				}
				reached++
				o.Forget(t.Context(), userID)
				if err != nil {
					t.Error(err)
				}
				o.wantStored(token)
			})
		})
	}
	if reached < 6 {
		t.Errorf("only %d steps were reached", reached)
	}
}

// A host connects while OwnerRez takes its time with the refresh: that does not wait, and the host's token stays, in
// this process and in another one, whatever becomes of the refresh.
func TestKeepDuringGrant(t *testing.T) {
	for _, same := range []bool{false, true} {
		for name, becomes := range map[string]func() ownerreztest.Action{
			"done": nil, "lost": ownerreztest.LoseAnswer,
			"refused": func() ownerreztest.Action { return ownerreztest.JSON(400, `{"error":"invalid_grant"}`) },
		} {
			t.Run(fmt.Sprintf("%s, same process %v", name, same), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					o := unconnected(t, ownerreztest.Quirks{TokensExpireIn: month, RefreshRotates: true})
					o.keepAnother()
					time.Sleep(21 * 24 * time.Hour)
					cred, err := o.Credential(t.Context(), userID)
					if err != nil {
						t.Fatal(err)
					}
					callback := o
					if !same {
						callback = o.office()
					}
					token, at := o.token()
					if becomes != nil {
						o.server.Fault(ownerreztest.Fault{Match: ownerreztest.MatchPath("/oauth/access_token"), Do: becomes()})
					}
					slowly := ownerrez.WithLimiter(waits(20 * time.Second))
					var lane sync.WaitGroup
					lane.Go(func() {
						if err := cred.Prepare(t.Context(), slowly); err != nil {
							t.Error(err)
						}
					})
					time.Sleep(time.Second)
					began := time.Now()
					if reconnected, err := callback.Keep(t.Context(), token, at); err != nil || !reconnected {
						t.Errorf("%v, %v", reconnected, err)
					}
					if took := time.Since(began); took != 0 {
						t.Errorf("the host waited for %s", took)
					}
					lane.Wait()
					if trouble := cred.Trouble(); trouble != nil {
						t.Errorf("trouble of the old token: %v", trouble)
					}
					o.wantStored(token)
				})
			})
		}
	}
}

// The answer that our token was stored is lost, and the lane refreshes it before Keep looks: the newer one stays.
func TestKeepRefreshedMeanwhile(t *testing.T) {
	o := unconnected(t, ownerreztest.Quirks{TokensExpireIn: month, RefreshRotates: true})
	lane := o.office()
	token, at := o.token()
	o.vault.through = func(step string, do func()) error {
		do()
		if step != "create" {
			return nil
		}
		o.server.Fault(ownerreztest.Fault{Match: ownerreztest.MatchPath("/v2/users/me"), Do: ownerreztest.Status(401)})
		cred, err := lane.Credential(t.Context(), userID)
		if err != nil {
			t.Fatal(err)
		}
		client, err := cred.Open()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Users.Me(t.Context()); err != nil {
			t.Error(err)
		}
		return errCut
	}
	reconnected, err := o.Keep(t.Context(), token, at)
	if err != nil || reconnected {
		t.Errorf("%v, %v", reconnected, err)
	}
	o.vault.through = nil
	now, _ := o.stored()
	if now.Token.AccessToken == token.AccessToken {
		t.Error("the old token is back")
	}
	o.wantStored(now.Token)
}

// waits lets everything wait that long for its permit.
type waits time.Duration

func (w waits) Take(context.Context) error { time.Sleep(time.Duration(w)); return nil }

// The file on a laptop does as well; what is deleted from it is gone.
func TestKeepWithFile(t *testing.T) {
	w := newWorld(t, ownerreztest.Quirks{})
	v, err := file.Open(filepath.Join(t.TempDir(), "secrets.json"))
	if err != nil {
		t.Fatal(err)
	}
	o := w.office()
	o.Vault = v
	keep := func(want bool) {
		t.Helper()
		token, at := o.token()
		if reconnected, err := o.Keep(t.Context(), token, at); err != nil || reconnected != want {
			t.Errorf("%v, %v", reconnected, err)
		}
		secret, err := v.Get(t.Context(), secretName)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := account.ParseConnection(secret.Value); err != nil || c.Token.AccessToken != token.AccessToken {
			t.Errorf("stored: %v, %v", c, err)
		}
		if _, err := o.Credential(t.Context(), userID); err != nil {
			t.Error(err)
		}
	}
	keep(false)
	keep(true)
	if err := o.Delete(t.Context(), userID); err != nil {
		t.Error(err)
	}
	if err := o.Restore(t.Context(), userID); !errors.Is(err, vault.ErrNotFound) || errors.Is(err, account.ErrVault) {
		t.Errorf("%v", err)
	}
	if _, err := o.Credential(t.Context(), userID); !errors.Is(err, vault.ErrNotFound) {
		t.Errorf("%v", err)
	}
	keep(false)
	if _, err := v.Create(t.Context(), o.Prefix+"7", nil); err != nil {
		t.Fatal(err)
	}
	if has, err := o.Has(t.Context(), 7); has || err != nil {
		t.Errorf("without a value: %v, %v", has, err)
	}
}
