// Package store keeps what the other packages know, in one table of any engine: which keys there are, and in
// which formats, is written here, once. Engines are in packages of their own and implement Table.
//
//	partition      sort            holds
//	ACCOUNTS       {key}           the row of an account or of a credential
//	ACCOUNTS       {key}#queued    when a wake-up for the row was sent last
//	A#{account}    P#{property}    a property's record
//	A#{account}    C#{seq}         an event, by its number in 19 digits
//	ASKED          {account}       what an account's lane is asked to do
//	META           KEY             the key of fingerprints
//	{note's key}   NOTE            what package connect keeps: states, invitations, keys of browsers
//	{cell's key}   CELL            what package budget keeps
//
// Everything begins with the number of its format. A format is read one release before it is written, so that
// the release before can take over again.
package store

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
)

// Store is a lookup.Store and a budget.Cells over a table. It is safe for concurrent use, as its table is, and
// holds nothing in memory.
type Store struct {
	table Table
}

var _ lookup.Store = (*Store)(nil)

// New returns a Store over a table.
func New(table Table) *Store { return &Store{table: table} }

// Commit implements lookup.Store. After it, the stored version of each row is one above its Version. An
// account's records and events can be committed only together with its row, which guards them. A seq is
// written once: to write another event under it is lookup.ErrConflict too. More than lookup.MaxCommit records,
// or more data than a transaction holds (ErrTooLarge), are errors that trying again does not heal.
func (s *Store) Commit(ctx context.Context, c lookup.Commit) error {
	writes, err := commitWrites(c)
	if err != nil {
		return fmt.Errorf("committing a run: %w", err)
	}
	err = s.table.Transact(ctx, writes)
	if errors.Is(err, ErrConflict) {
		return lookup.ErrConflict
	}
	if err != nil {
		return fmt.Errorf("committing a run: %w", err)
	}
	return nil
}

// commitWrites translates a commit, or says why it is none.
func commitWrites(c lookup.Commit) ([]Write, error) {
	if len(c.Records) > lookup.MaxCommit {
		return nil, fmt.Errorf("%w: %d records at once, at most %d fit", ErrTooLarge, len(c.Records), lookup.MaxCommit)
	}
	guarded := len(c.Records)+len(c.Events) == 0
	writes := make([]Write, 0, len(c.Rows)+len(c.Records)+len(c.Events))
	for _, row := range c.Rows {
		w, err := rowWrite(row)
		if err != nil {
			return nil, err
		}
		writes = append(writes, w)
		guarded = guarded || row.Key == lookup.AccountKey(c.Account)
	}
	if !guarded {
		return nil, errors.New("records and events without their account's row, which guards them")
	}
	for _, r := range c.Records {
		writes = append(writes, recordWrite(c.Account, r))
	}
	for _, e := range c.Events {
		w, err := eventWrite(c.Account, e)
		if err != nil {
			return nil, err
		}
		writes = append(writes, w)
	}
	return writes, nil
}

// keyFormat is the format of the key of fingerprints: 32 bytes.
const keyFormat = 1

// Key returns the 32 bytes that key the fingerprints of credentials: made at random by whoever asks first, and
// kept in the table from then on, so that fingerprints stay and cannot be computed without the table.
func (s *Store) Key(ctx context.Context) ([]byte, error) {
	at := Key{Partition: "META", Sort: "KEY"}
	item, err := s.table.Get(ctx, at)
	if errors.Is(err, ErrNotFound) {
		made := append([]byte{keyFormat}, make([]byte, 32)...)
		_, _ = rand.Read(made[1:]) // never fails
		err = s.table.Put(ctx, Write{Key: at, Data: made, If: Absent()})
		if err == nil || errors.Is(err, ErrConflict) { // then another one made it
			item, err = s.table.Get(ctx, at)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("the key of fingerprints: %w", err)
	}
	if len(item.Data) != 33 || item.Data[0] != keyFormat {
		return nil, unreadable("the key of fingerprints", keyFormat, item.Data, nil)
	}
	return item.Data[1:], nil
}

// seal writes a value as JSON behind the number of its format.
func seal(format byte, v any) ([]byte, error) { //nolint:unparam // formats change one by one
	data, err := json.Marshal(v)
	return append([]byte{format}, data...), err
}

// unseal reads what seal wrote. Fields that it does not know are ignored.
func unseal(what string, format byte, data []byte, v any) error { //nolint:unparam // formats change one by one
	if len(data) == 0 || data[0] != format {
		return unreadable(what, format, data, nil)
	}
	if err := json.Unmarshal(data[1:], v); err != nil {
		return unreadable(what, format, data, err)
	}
	return nil
}

func unreadable(what string, format byte, data []byte, cause error) error {
	if len(data) > 0 && data[0] != format {
		return fmt.Errorf("%w: %s has format %d, and it reads format %d: run the release that wrote it, or a newer one",
			lookup.ErrUnreadable, what, data[0], format)
	}
	err := fmt.Errorf("%w: %s is damaged: restore it from a backup", lookup.ErrUnreadable, what)
	if cause != nil {
		return fmt.Errorf("%w (%w)", err, cause)
	}
	return err
}
