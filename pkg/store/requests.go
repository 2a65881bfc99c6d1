package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
)

// requestFormat is the format of requests: JSON of a lookup.Request.
const requestFormat = 1

// requestsPartition holds them all, and most of the time nothing: to look for them costs little.
const requestsPartition = "ASKED"

// requestKept is how long a request waits for its lane.
const requestKept = 30 * 24 * time.Hour

// maxRaces is how often others may write an item between our read and our write.
const maxRaces = 10

func requestKey(account int64) Key {
	return Key{Partition: requestsPartition, Sort: lookup.AccountKey(account)}
}

// Ask implements lookup.Store.
func (s *Store) Ask(ctx context.Context, r lookup.Request) error {
	data, err := seal(requestFormat, r)
	at := requestKey(r.Account)
	err = errors.Join(err, ctx.Err())
	for race := 0; err == nil && race < maxRaces; race++ {
		var item Item
		if item, err = s.table.Get(ctx, at); errors.Is(err, ErrNotFound) {
			item, err = Item{}, nil
		}
		if err != nil {
			break
		}
		err = s.table.Put(ctx, Write{Key: at, Data: data, Expires: r.At.Add(requestKept), If: AtVersion(item.Version)})
		if err == nil {
			return nil
		}
		if errors.Is(err, ErrConflict) && race < maxRaces-1 {
			err = nil
		}
	}
	return fmt.Errorf("asking the lane of account %d: %w", r.Account, err)
}

// Requests implements lookup.Store.
func (s *Store) Requests(ctx context.Context) ([]lookup.Request, error) {
	items, err := s.table.Query(ctx, requestsPartition, Range{})
	if err != nil {
		return nil, fmt.Errorf("reading what lanes are asked to do: %w", err)
	}
	return parseAll(items, parseRequest)
}

// Request implements lookup.Store.
func (s *Store) Request(ctx context.Context, account int64) (lookup.Request, error) {
	item, err := s.table.Get(ctx, requestKey(account))
	if errors.Is(err, ErrNotFound) {
		return lookup.Request{}, lookup.ErrNotFound
	}
	if err != nil {
		return lookup.Request{}, fmt.Errorf("reading what the lane of account %d is asked to do: %w", account, err)
	}
	return parseRequest(item)
}

// Done implements lookup.Store.
func (s *Store) Done(ctx context.Context, r lookup.Request) error {
	err := s.table.Put(ctx, Write{Key: requestKey(r.Account), Delete: true, If: AtVersion(r.Version)})
	if err != nil && !errors.Is(err, ErrConflict) {
		return fmt.Errorf("noting that account %d was seen to: %w", r.Account, err)
	}
	return nil
}

func parseRequest(item Item) (lookup.Request, error) {
	var r lookup.Request
	what := "what the lane of account " + item.Key.Sort + " is asked to do"
	if err := unseal(what, requestFormat, item.Data, &r); err != nil {
		return r, err
	}
	if lookup.AccountKey(r.Account) != strings.TrimSpace(item.Key.Sort) {
		return r, unreadable(what, requestFormat, item.Data, nil)
	}
	r.Version = item.Version
	return r, nil
}
