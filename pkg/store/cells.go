package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/budget"
)

var _ budget.Cells = (*Store)(nil)

// cellKey gives each cell a partition of its own, as cells are written often. What is in a cell, its format
// too, is package budget's.
func cellKey(key string) Key { return Key{Partition: key, Sort: "CELL"} }

// Cell implements budget.Cells.
func (s *Store) Cell(ctx context.Context, key string) (data []byte, version int64, err error) {
	item, err := s.table.Get(ctx, cellKey(key))
	if errors.Is(err, ErrNotFound) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("reading the budget: %w", err)
	}
	return item.Data, item.Version, nil
}

// SetCell implements budget.Cells.
func (s *Store) SetCell(ctx context.Context, key string, data []byte, version int64, expires time.Time) error {
	err := s.table.Put(ctx, Write{Key: cellKey(key), Data: data, Expires: expires, If: AtVersion(version)})
	if errors.Is(err, ErrConflict) {
		return budget.ErrConflict
	}
	if err != nil {
		return fmt.Errorf("writing the budget: %w", err)
	}
	return nil
}
