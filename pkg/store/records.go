package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
)

const recordPrefix = "P#"

// accountPartition holds an account's records and events.
func accountPartition(account int64) string { return "A#" + strconv.FormatInt(account, 10) }

// Records implements lookup.Store.
func (s *Store) Records(ctx context.Context, account int64) ([]availability.Record, error) {
	items, err := s.table.Query(ctx, accountPartition(account), Range{Prefix: recordPrefix})
	if err != nil {
		return nil, fmt.Errorf("reading the records of account %d: %w", account, err)
	}
	records := make([]availability.Record, 0, len(items))
	for _, item := range items {
		property, err := strconv.ParseInt(strings.TrimPrefix(item.Key.Sort, recordPrefix), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%w: %s, which names no property: delete it", lookup.ErrUnreadable, item.Key)
		}
		records = append(records, parseRecord(property, item.Data))
	}
	slices.SortFunc(records, func(a, b availability.Record) int { return cmp.Compare(a.Property, b.Property) })
	return records, nil
}

// recordWrite needs no condition of its own: the account's row in the same transaction has one.
func recordWrite(account int64, r availability.Record) Write {
	key := Key{Partition: accountPartition(account), Sort: recordPrefix + strconv.FormatInt(r.Property, 10)}
	return Write{Key: key, Data: availability.AppendRecord(nil, r), If: Always()}
}

// parseRecord reads a record, the format of which package availability numbers. One that cannot be read is as
// if the property had never been read.
func parseRecord(property int64, data []byte) availability.Record {
	r, err := availability.ParseRecord(data)
	if err != nil || r.Property != property {
		return availability.Record{Property: property}
	}
	return r
}
