package calendar

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
)

// Changes is the answer to the question what happened to an account after an event: a part of its events, without a
// gap. Its JSON is a contract with its readers.
type Changes struct {
	Account int64    `json:"account"`
	After   int64    `json:"after"`
	Seq     int64    `json:"seq"`            // the account's last event when this was asked
	Changes []Change `json:"changes"`        // those numbered After+1, After+2 and so on
	Next    string   `json:"next,omitempty"` // path and query of the next page; empty if Changes end with Seq
}

// Change is an event, in the words in which it is published.
type Change struct {
	Kind   string       `json:"detail-type"` // lookup.AvailabilityChanged or lookup.AccountChanged
	Detail lookup.Event `json:"detail"`
}

// changes answers with Changes, also of an account that has left: that it did is one of them.
func (a *api) changes(ctx context.Context, q *query) (any, error) {
	id, after, limit := q.account(), q.after(), q.limit()
	if err := q.err(); err != nil {
		return nil, err
	}
	row, err := a.store.Account(ctx, lookup.AccountKey(id))
	if errors.Is(err, lookup.ErrNotFound) {
		return nil, noAccount(id)
	}
	if err != nil {
		return nil, err
	}
	answer := Changes{Account: id, After: after, Seq: row.Seq, Changes: []Change{}}
	switch {
	case after > row.Seq:
		return nil, snapshotFirst(id, "Change %d has not happened here: the last one is %d. What is kept may have been restored from a backup.", after, row.Seq)
	case after == row.Seq:
		return answer, nil
	}
	events, err := a.store.Events(ctx, id, after, limit, a.opts.Now())
	if errors.Is(err, lookup.ErrUnreadable) {
		a.opts.OnError(err)
		events, err = nil, nil // nobody will ever read it, and a snapshot holds what it told
	}
	if err != nil {
		return nil, err
	}
	last := answer.fill(events, room(a.pages.bytes))
	if last == after {
		return nil, snapshotFirst(id, "The changes that follow change %d are not kept any more.", after)
	}
	if last < row.Seq {
		answer.Next = fmt.Sprintf("%s?account=%d&after=%d&limit=%d", changesPath, id, last, limit)
	}
	return answer, nil
}

// fill takes the events that follow each other and that there is room for, and returns the number of the last. Events
// that were committed since Seq was read are left for later: not all of them need be visible yet.
func (c *Changes) fill(events []lookup.Event, left room) (last int64) {
	last = c.After
	for i, e := range events {
		change := Change{e.Kind, e}
		if e.Seq != last+1 || e.Seq > c.Seq || !left.take(change) && i > 0 {
			break
		}
		c.Changes = append(c.Changes, change)
		last = e.Seq
	}
	return last
}

// snapshotFirst is the answer to a question for changes that there are none of.
func snapshotFirst(account int64, format string, args ...any) error {
	next := fmt.Sprintf("Take a snapshot: %s?account=%d with from and to. Go on with the changes after its seq.", calendarPath, account)
	return failure{http.StatusGone, fmt.Sprintf(format, args...), next}
}
