package lookup

import (
	"context"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// Snapshot is what is known of an account at one moment.
type Snapshot struct {
	Account  Account
	Records  []availability.Record // by property
	Problems []Problem
}

// Load reads what is stored of an account. The account's row is read before its records: the snapshot holds at
// least all changes up to the row's Seq. It returns ErrNotFound for an account that is not there.
func Load(ctx context.Context, store Store, account int64) (Snapshot, error) {
	row, err := store.Account(ctx, AccountKey(account))
	if err != nil {
		return Snapshot{}, err
	}
	records, err := store.Records(ctx, account)
	return Snapshot{Account: row, Records: records, Problems: row.Problems}, err
}

// Record returns the record of a property.
func (s Snapshot) Record(property int64) (availability.Record, bool) {
	for _, rec := range s.Records {
		if rec.Property == property {
			return rec, true
		}
	}
	return availability.Record{Property: property}, false
}

// AsOf is when the read began on which a property's calendar rests; zero if it was never read completely.
func (s Snapshot) AsOf(property int64) time.Time {
	rec, _ := s.Record(property)
	return s.Account.asOf(property, rec.Known)
}

// Show returns the nights [from, to) of a property as they may be shown now: a night is free only if a complete
// and recent read says so.
func (s Snapshot) Show(set Settings, now time.Time, property int64, from, to ownerrez.Date) []availability.Night {
	rec, _ := s.Record(property)
	first, last := set.Window(now, rec.Zone, s.Account.Zone)
	return rec.Show(availability.View{
		Now: now, AsOf: s.AsOf(property), StaleAfter: set.Stale(), Window: availability.Range{From: first, To: last},
	}, from, to)
}
