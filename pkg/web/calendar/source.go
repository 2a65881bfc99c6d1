package calendar

import (
	"context"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
)

// Source is where the page takes what it shows. It is asked for every page, by many at once.
type Source interface {
	// Snapshots returns what is known of every account, in the order in which to show them. An account
	// whose id is not known yet has its Problems only.
	Snapshots(ctx context.Context) ([]lookup.Snapshot, error)
}

// FromStore is a Source of all accounts that a store knows.
func FromStore(store lookup.Store) Source { return stored{store} }

type stored struct{ store lookup.Store }

func (s stored) Snapshots(ctx context.Context) ([]lookup.Snapshot, error) {
	rows, err := s.store.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	var out []lookup.Snapshot
	for _, row := range rows {
		switch {
		case row.ID == 0 && len(row.Problems) > 0: // a credential that nobody has named an account for
			out = append(out, lookup.Snapshot{Account: row, Problems: row.Problems})
		case row.ID != 0 && row.Key == lookup.AccountKey(row.ID):
			snap, err := lookup.Load(ctx, s.store, row.ID)
			if err != nil {
				return nil, err
			}
			out = append(out, snap)
		}
	}
	return out, nil
}
