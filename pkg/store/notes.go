package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/connect"
)

var _ connect.Notes = (*Store)(nil)

// noteKey gives each note a partition of its own. What is in a note, its format too, is package connect's.
func noteKey(key string) Key { return Key{Partition: key, Sort: "NOTE"} }

// Note implements connect.Notes.
func (s *Store) Note(ctx context.Context, key string) (data []byte, version int64, err error) {
	item, err := s.table.Get(ctx, noteKey(key))
	if errors.Is(err, ErrNotFound) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("reading a note: %w", err)
	}
	return item.Data, item.Version, nil
}

// SetNote implements connect.Notes.
func (s *Store) SetNote(ctx context.Context, key string, data []byte, version int64, expires time.Time) error {
	err := s.table.Put(ctx, Write{Key: noteKey(key), Data: data, Expires: expires, If: AtVersion(version)})
	if errors.Is(err, ErrConflict) {
		return connect.ErrConflict
	}
	if err != nil {
		return fmt.Errorf("writing a note: %w", err)
	}
	return nil
}
