package calendar

import (
	"context"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
)

// Source is where the page takes what it shows. It is asked for every page, by many at once.
type Source interface {
	// Snapshots returns what is known of every account, in the order in which to show them. An account
	// whose id is not known yet has its Problems only.
	Snapshots(ctx context.Context) ([]lookup.Snapshot, error)
}

// FromStore is a Source of all accounts of a store that have not left, and of those credentials among
// configured whose account could not be learned.
func FromStore(store lookup.Store, configured account.Source) Source {
	return stored{store, configured}
}

type stored struct {
	store      lookup.Store
	configured account.Source
}

func (s stored) Snapshots(ctx context.Context) ([]lookup.Snapshot, error) {
	creds, err := s.configured(ctx)
	if err != nil {
		return nil, err
	}
	current := map[string]bool{} // a credential that was replaced has a row too
	for _, cred := range creds {
		current[lookup.CredentialKey(cred.Fingerprint)] = true
	}
	rows, err := s.store.Accounts(ctx)
	if err != nil && rows == nil {
		return nil, err
	}
	var out []lookup.Snapshot
	if err != nil { // the others can be shown all the same
		out = append(out, lookup.Snapshot{Problems: []lookup.Problem{{
			Message: "What is kept of an account cannot be read: it is damaged, or of a newer release.",
			Next:    "Use that release, or begin with a new data file.",
		}}})
	}
	for _, row := range rows {
		switch {
		case row.ID == 0 && current[row.Key] && len(row.Problems) > 0:
			out = append(out, lookup.Snapshot{Account: row, Problems: row.Problems})
		case row.ID != 0 && row.Key == lookup.AccountKey(row.ID) && row.Status != lookup.StatusLeft:
			snap, err := lookup.Load(ctx, s.store, row.ID)
			if err != nil {
				return nil, err
			}
			out = append(out, snap)
		}
	}
	return out, nil
}
