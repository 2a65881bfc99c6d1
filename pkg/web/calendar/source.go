package calendar

import (
	"context"
	"errors"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
)

// source is where the page takes what it shows: what is known of every account, in the order in which to show them.
// An account whose id is not known yet has its Problems only. It is asked for every page, by many at once.
type source func(ctx context.Context) ([]lookup.Snapshot, error)

// fromStore is a source of all accounts of a store that have not left, and of those credentials among configured
// whose account could not be learned.
func fromStore(from lookup.Store, configured account.Source) source {
	return func(ctx context.Context) ([]lookup.Snapshot, error) {
		creds, err := configured(ctx)
		if err != nil {
			return nil, err
		}
		current := map[string]bool{} // a credential that was replaced has a row too
		for _, cred := range creds {
			current[lookup.CredentialKey(cred.Fingerprint)] = true
		}
		rows, err := from.Accounts(ctx)
		if err != nil && !errors.Is(err, lookup.ErrUnreadable) {
			return nil, err
		}
		var out []lookup.Snapshot
		if err != nil { // the others can be shown all the same
			out = append(out, lookup.Snapshot{Problems: []lookup.Problem{unreadableAccount()}})
		}
		for _, row := range rows {
			switch {
			case row.ID == 0 && current[row.Key] && len(row.Problems) > 0:
				out = append(out, lookup.Snapshot{Account: row, Problems: row.Problems})
			case shown(row):
				snap, err := lookup.Load(ctx, from, row.ID)
				if err != nil {
					return nil, err
				}
				out = append(out, snap)
			}
		}
		return out, nil
	}
}
