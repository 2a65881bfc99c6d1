package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
)

// eventFormat is the format of events: JSON of an eventBody. When an event expires, its item does.
const eventFormat = 1

const eventPrefix = "C#"

// eventBody is an event as it is stored.
type eventBody struct {
	Kind   string
	Detail lookup.Event
}

// eventSort writes the number in as many digits as the largest one has, so that the keys are in its order.
func eventSort(seq int64) string { return fmt.Sprintf("%s%019d", eventPrefix, seq) }

// Events implements lookup.Store. An event that cannot be read ends the list before it; where it would be the
// first of the list, it is an error (lookup.ErrUnreadable) that names its seq. Who goes on from the last event of a
// list thus never misses one.
func (s *Store) Events(ctx context.Context, account, after int64, limit int, now time.Time) ([]lookup.Event, error) {
	var events []lookup.Event
	from := eventSort(max(after, 0))
	for len(events) < limit {
		want := limit - len(events)
		items, err := s.table.Query(ctx, accountPartition(account), Range{Prefix: eventPrefix, After: from, Limit: want})
		if err != nil {
			return nil, fmt.Errorf("reading the events of account %d: %w", account, err)
		}
		for _, item := range items {
			from = item.Key.Sort
			if !item.Expires.IsZero() && item.Expires.Before(now) {
				continue
			}
			e, err := parseEvent(account, item)
			if err != nil && len(events) > 0 {
				return events, nil
			}
			if err != nil {
				return nil, err
			}
			events = append(events, e)
		}
		if len(items) < want {
			break
		}
	}
	return events, nil
}

// eventWrite writes an event on condition that its number is new.
func eventWrite(account int64, e lookup.Event) (Write, error) {
	if e.Account != account || e.Seq <= 0 {
		return Write{}, fmt.Errorf("event %d of account %d is not one of this account", e.Seq, e.Account)
	}
	data, err := seal(eventFormat, eventBody{Kind: e.Kind, Detail: e})
	key := Key{Partition: accountPartition(account), Sort: eventSort(e.Seq)}
	return Write{Key: key, Data: data, Expires: e.Expires, If: Absent()}, err
}

func parseEvent(account int64, item Item) (lookup.Event, error) {
	number := strings.TrimPrefix(item.Key.Sort, eventPrefix)
	what := fmt.Sprintf("event %s of account %d", strings.TrimLeft(number, "0"), account)
	var body eventBody
	if err := unseal(what, eventFormat, item.Data, &body); err != nil {
		return lookup.Event{}, err
	}
	seq, err := strconv.ParseInt(number, 10, 64)
	if err != nil || body.Detail.Seq != seq || body.Detail.Account != account {
		return lookup.Event{}, unreadable(what, eventFormat, item.Data, err)
	}
	e := body.Detail
	e.Kind, e.Expires = body.Kind, item.Expires
	return e, nil
}
