package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
)

// The formats of rows and of notes: JSON of a lookup.Account, and of a queuedNote.
const (
	rowFormat    = 1
	queuedFormat = 1
)

const (
	accountsPartition = "ACCOUNTS"
	queuedSuffix      = "#queued"
)

// queuedKept is how long a note of a wake-up is of interest: any wake-up is done or lost by then.
const queuedKept = 24 * time.Hour

// queuedNote says when a wake-up was sent last.
type queuedNote struct {
	At time.Time
}

func rowKey(key string) Key    { return Key{Partition: accountsPartition, Sort: key} }
func queuedKey(key string) Key { return Key{Partition: accountsPartition, Sort: key + queuedSuffix} }

// Accounts implements lookup.Store. A row that cannot be read does not hide the others: they are returned
// beside an error that joins one lookup.ErrUnreadable for each such row. Beside any other error there are none.
func (s *Store) Accounts(ctx context.Context) ([]lookup.Account, error) {
	items, err := s.table.Query(ctx, accountsPartition, Range{})
	if err != nil {
		return nil, fmt.Errorf("reading the accounts: %w", err)
	}
	items = slices.DeleteFunc(items, func(i Item) bool { return strings.HasSuffix(i.Key.Sort, queuedSuffix) })
	return parseAll(items, parseRow)
}

// parseAll parses items. One that cannot be read does not hide the others: its error is joined to theirs.
func parseAll[T any](items []Item, parse func(Item) (T, error)) (all []T, err error) {
	var errs []error
	for _, item := range items {
		one, err := parse(item)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		all = append(all, one)
	}
	return all, errors.Join(errs...)
}

// Account implements lookup.Store. A row that cannot be read is lookup.ErrUnreadable.
func (s *Store) Account(ctx context.Context, key string) (lookup.Account, error) {
	item, err := s.table.Get(ctx, rowKey(key))
	if errors.Is(err, ErrNotFound) {
		return lookup.Account{}, lookup.ErrNotFound
	}
	if err != nil {
		return lookup.Account{}, fmt.Errorf("reading account %s: %w", key, err)
	}
	return parseRow(item)
}

// MarkQueued implements lookup.Store. It reports false, too, if another one notes a wake-up at the same time.
func (s *Store) MarkQueued(ctx context.Context, key string, now, since time.Time) (bool, error) {
	at := queuedKey(key)
	item, err := s.table.Get(ctx, at)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return false, fmt.Errorf("the wake-ups of account %s: %w", key, err)
	}
	var note queuedNote // one that cannot be read is none: a wake-up too many does no harm
	if err == nil && unseal("", queuedFormat, item.Data, &note) == nil && note.At.After(since) {
		return false, nil
	}
	data, err := seal(queuedFormat, queuedNote{At: now.UTC()})
	if err == nil {
		err = s.table.Put(ctx, Write{Key: at, Data: data, Expires: now.Add(queuedKept), If: AtVersion(item.Version)})
	}
	switch {
	case errors.Is(err, ErrConflict):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("the wake-ups of account %s: %w", key, err)
	}
	return true, nil
}

func rowWrite(row lookup.Account) (Write, error) {
	if row.Key == "" || strings.HasSuffix(row.Key, queuedSuffix) {
		return Write{}, fmt.Errorf("a row cannot have the key %q", row.Key)
	}
	data, err := seal(rowFormat, row)
	return Write{Key: rowKey(row.Key), Data: data, If: AtVersion(row.Version)}, err
}

func parseRow(item Item) (lookup.Account, error) {
	var row lookup.Account
	if err := unseal("the row of account "+item.Key.Sort, rowFormat, item.Data, &row); err != nil {
		return lookup.Account{}, err
	}
	row.Key, row.Version = item.Key.Sort, item.Version
	return row, nil
}
