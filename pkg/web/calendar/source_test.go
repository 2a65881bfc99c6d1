package calendar

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
)

// rows is a store that can be read only.
type rows struct {
	lookup.Store
	accounts []lookup.Account
	err      error
}

func (r rows) Accounts(context.Context) ([]lookup.Account, error) { return r.accounts, r.err }

func (r rows) Account(_ context.Context, key string) (lookup.Account, error) {
	i := slices.IndexFunc(r.accounts, func(a lookup.Account) bool { return a.Key == key })
	if i < 0 {
		return lookup.Account{}, lookup.ErrNotFound
	}
	return r.accounts[i], nil
}

func (r rows) Records(_ context.Context, id int64) ([]availability.Record, error) {
	return []availability.Record{{Property: id * 10}}, nil
}

func TestFromStore(t *testing.T) {
	wrong := []lookup.Problem{{Message: "OwnerRez does not accept the token.", Next: "Make a new one."}}
	from := rows{accounts: []lookup.Account{
		{Key: "1", ID: 1, Status: lookup.StatusOK, Problems: wrong},
		{Key: "2", ID: 2, Status: lookup.StatusLeft},
		{Key: lookup.CredentialKey("of1"), ID: 1},
		{Key: lookup.CredentialKey("new"), Problems: wrong},
		{Key: lookup.CredentialKey("replaced"), Problems: wrong},
		{Key: lookup.CredentialKey("untried")},
	}}
	configured := func(context.Context) ([]account.Credential, error) {
		return []account.Credential{{Fingerprint: "of1"}, {Fingerprint: "new"}, {Fingerprint: "untried"}}, nil
	}
	snaps, err := fromStore(from, configured)(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range snaps {
		got = append(got, fmt.Sprint(s.Account.Key, " records ", len(s.Records), " problems ", len(s.Problems)))
	}
	want := []string{"1 records 1 problems 1", "credential:new records 0 problems 1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// nobody is a source of no credentials.
func nobody(context.Context) ([]account.Credential, error) { return nil, nil }

// One account that cannot be read hides no other, and is not hidden itself.
func TestFromStoreWithAnUnreadableAccount(t *testing.T) {
	from := rows{accounts: []lookup.Account{{Key: "1", ID: 1, Status: lookup.StatusOK}}, err: lookup.ErrUnreadable}
	snaps, err := fromStore(from, nobody)(t.Context())
	if err != nil || len(snaps) != 2 || len(snaps[0].Problems) != 1 || snaps[1].Account.ID != 1 {
		t.Errorf("%+v, %v", snaps, err)
	}
	if _, err := fromStore(rows{err: errors.New("broken")}, nobody)(t.Context()); err == nil {
		t.Error("a store that cannot be read at all is no error")
	}
}
