package account_test

import (
	"context"
	"errors"
	"testing"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
)

func TestRevoke(t *testing.T) {
	o := unconnected(t, ownerreztest.Quirks{})
	if err := o.Revoke(t.Context(), userID); err != nil {
		t.Errorf("nothing is stored: %v", err)
	}
	token := o.keepAnother()
	o.server.Fault(ownerreztest.Fault{Do: ownerreztest.Status(500)})
	if err := o.Revoke(t.Context(), userID); !errors.Is(err, ownerrez.ErrServer) || !o.works(token) {
		t.Errorf("%v", err)
	}
	sent := 0
	for range 2 { // the second time OwnerRez does not know it any more
		err := o.Revoke(t.Context(), userID, ownerrez.WithObserver(func(context.Context, ownerrez.Exchange) { sent++ }))
		if err != nil || o.works(token) {
			t.Errorf("%v", err)
		}
	}
	if sent != 2 {
		t.Errorf("the run counted %d requests", sent)
	}
}

// What is stored is not a token of the account: there is nothing to revoke, least of all somebody else's.
func TestRevokeNothing(t *testing.T) {
	o := unconnected(t, ownerreztest.Quirks{})
	none := ownerrez.WithObserver(func(context.Context, ownerrez.Exchange) { t.Error("something was sent") })
	if err := o.Revoke(t.Context(), userID, none); err != nil {
		t.Errorf("nothing is stored: %v", err)
	}
	token := o.keepAnother()
	o.safe.create(o.Prefix+"7", o.safe.secrets[secretName].versions[o.safe.secrets[secretName].current].value)
	if err := o.Revoke(t.Context(), 7, none); err != nil || !o.works(token) {
		t.Errorf("another account's token: %v", err)
	}
	o.safe.create(secretName, []byte("by hand"))
	if err := o.Revoke(t.Context(), userID, none); err != nil {
		t.Errorf("no token: %v", err)
	}
	o.vault.through = func(string, func()) error { return errCut }
	if err := o.Revoke(t.Context(), userID, none); !errors.Is(err, account.ErrVault) {
		t.Errorf("the vault fails: %v", err)
	}
}

// A refresh was interrupted after OwnerRez gave the new token: that one is revoked.
func TestRevokeInterruptedRefresh(t *testing.T) {
	o := unconnected(t, ownerreztest.Quirks{TokensExpireIn: month, RefreshRotates: true})
	o.keepAnother()
	next, at := o.token()
	waiting, err := account.NewConnection(next, at).Encode()
	if err != nil {
		t.Fatal(err)
	}
	_, version := o.stored()
	o.safe.put(secretName, version, waiting)
	sent := 0
	err = o.Revoke(t.Context(), userID, ownerrez.WithObserver(func(context.Context, ownerrez.Exchange) { sent++ }))
	if err != nil || sent != 1 || o.works(next) {
		t.Errorf("%v, %d requests", err, sent)
	}
}

// Deleted is not connected, and restored it is again.
func TestDeleteAndRestore(t *testing.T) {
	o := unconnected(t, ownerreztest.Quirks{})
	token := o.keepAnother()
	for range 2 {
		if err := o.Delete(t.Context(), userID); err != nil {
			t.Error(err)
		}
	}
	if _, err := o.Credential(t.Context(), userID); !errors.Is(err, vault.ErrNotFound) || !errors.Is(err, vault.ErrDeleted) {
		t.Errorf("%v", err)
	}
	if has, err := o.Has(t.Context(), userID); has || err != nil {
		t.Errorf("%v, %v", has, err)
	}
	if err := o.Restore(t.Context(), userID); err != nil {
		t.Error(err)
	}
	o.wantStored(token)
}
