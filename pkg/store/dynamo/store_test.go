package dynamo_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/budget"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
)

var now = time.Date(2026, 11, 23, 20, 0, 0, 0, time.UTC)

// account is the one whose commits are tested.
const account = 123456

// largest is a commit as large as a run makes one: 25 properties, each with 40 stays and an event of 1,000 changes
// that takes 110 KB.
func largest(version, seq int64) lookup.Commit {
	key := lookup.AccountKey(account)
	c := lookup.Commit{Account: account, Rows: []lookup.Account{{Key: key, Version: version, ID: account, Seq: seq + lookup.MaxCommit}}}
	for i := range int64(lookup.MaxCommit) {
		r := availability.Record{Property: 1000 + i, Name: fmt.Sprintf("Property %d of commit %d", i, version), Known: true}
		e := lookup.Event{Kind: lookup.AvailabilityChanged, Version: 1, Account: account, Seq: seq + i + 1, Property: r.Property, Expires: now.Add(lookup.EventsKept)}
		arrival := ownerrez.NewDate(2026, time.December, 1)
		for n := range int64(1000) {
			booking := 10_000_000 + 1000*i + n
			if n < 40 {
				r.Put(availability.Stay{Booking: booking, Arrival: arrival, Departure: arrival.AddDays(1), Cause: availability.CauseBooking})
			}
			e.Changes = append(e.Changes, lookup.Change{
				From: arrival, To: arrival.AddDays(1), Was: "unknown", Now: "taken", Cause: "booking", Booking: booking,
			})
			arrival = arrival.AddDays(2)
		}
		c.Records, c.Events = append(c.Records, r), append(c.Events, e)
	}
	return c
}

// TestLargestCommits writes two of them, and reads back more than DynamoDB returns at once.
func TestLargestCommits(t *testing.T) {
	e := start(t)
	s := store.New(e.table())
	first, second := largest(0, 0), largest(1, lookup.MaxCommit)
	for _, c := range []lookup.Commit{first, second} {
		if err := s.Commit(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Commit(t.Context(), largest(1, 2*lookup.MaxCommit)); !errors.Is(err, lookup.ErrConflict) {
		t.Errorf("a commit on an old row: %v, want %v", err, lookup.ErrConflict)
	}
	records, err := s.Records(t.Context(), account)
	if err != nil || !slices.EqualFunc(records, second.Records, availability.Record.Equal) {
		t.Errorf("%d records, %v; want those of the second commit", len(records), err)
	}
	events, err := s.Events(t.Context(), account, 0, 100, now)
	if err != nil || !slices.EqualFunc(events, append(first.Events, second.Events...), sameEvent) {
		t.Errorf("%d events, %v; want those of both commits", len(events), err)
	}
	for _, tt := range []struct{ after, limit, want int64 }{{0, 50, 50}, {0, 30, 30}, {24, 10, 10}, {45, 10, 5}, {50, 10, 0}, {60, 10, 0}} {
		events, err := s.Events(t.Context(), account, tt.after, int(tt.limit), now)
		if err != nil || int64(len(events)) != tt.want {
			t.Errorf("%d events after %d, at most %d, %v; want %d", len(events), tt.after, tt.limit, err, tt.want)
		}
		for i, got := range events {
			if want := tt.after + int64(i) + 1; got.Seq != want || len(got.Changes) != 1000 {
				t.Errorf("after %d: event %d with %d changes, want event %d with 1000", tt.after, got.Seq, len(got.Changes), want)
			}
		}
	}
}

func sameEvent(a, b lookup.Event) bool {
	return a.Kind == b.Kind && a.Seq == b.Seq && a.Property == b.Property && a.Expires.Equal(b.Expires) && slices.Equal(a.Changes, b.Changes)
}

// TestManyAccounts lists more accounts than DynamoDB returns at once, with the notes of their wake-ups between them.
func TestManyAccounts(t *testing.T) {
	e := start(t)
	s := store.New(e.table())
	const n = 60
	for i := range n {
		row := lookup.Account{Key: fmt.Sprint(100 + i), ID: int64(100 + i), Name: strings.Repeat("x", 25_000)}
		if err := s.Commit(t.Context(), lookup.Commit{Rows: []lookup.Account{row}}); err != nil {
			t.Fatal(err)
		}
		if marked, err := s.MarkQueued(t.Context(), row.Key, now, now.Add(-time.Minute)); !marked || err != nil {
			t.Fatalf("MarkQueued = %t, %v", marked, err)
		}
	}
	rows, err := s.Accounts(t.Context())
	if err != nil || len(rows) != n {
		t.Fatalf("%d rows, %v; want %d", len(rows), err, n)
	}
	for i, row := range rows {
		if row.ID != int64(100+i) || len(row.Name) != 25_000 || row.Version != 1 {
			t.Errorf("row %d is of account %d, at version %d, with %d bytes of name", i, row.ID, row.Version, len(row.Name))
		}
	}
}

// TestCells has several processes increment what a cell holds.
func TestCells(t *testing.T) {
	e := start(t)
	const workers, rounds = 8, 10
	var wg sync.WaitGroup
	for range workers {
		cells := store.New(e.table())
		wg.Go(func() {
			for range rounds {
				if err := addOne(t.Context(), cells); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	data, version, err := store.New(e.table()).Cell(t.Context(), "BUDGET#test")
	if err != nil || version != workers*rounds || binary.BigEndian.Uint64(data) != workers*rounds {
		t.Errorf("the cell holds %x at version %d, %v; want %d", data, version, err, workers*rounds)
	}
}

// addOne tries until no other one came between.
func addOne(ctx context.Context, cells budget.Cells) error {
	for {
		data, version, err := cells.Cell(ctx, "BUDGET#test")
		if err != nil {
			return err
		}
		if version == 0 {
			data = make([]byte, 8)
		}
		next := binary.BigEndian.AppendUint64(nil, binary.BigEndian.Uint64(data)+1)
		err = cells.SetCell(ctx, "BUDGET#test", next, version, now.Add(time.Hour))
		if !errors.Is(err, budget.ErrConflict) {
			return err
		}
	}
}
