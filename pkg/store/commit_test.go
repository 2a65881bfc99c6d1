package store_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
)

func known(property int64, name string) availability.Record {
	return availability.Record{Property: property, Name: name, Known: true}
}

func changed(account, seq int64) lookup.Event {
	return lookup.Event{Kind: lookup.AvailabilityChanged, Version: 1, Account: account, Seq: seq, Expires: now.Add(lookup.EventsKept)}
}

// everything is all that is stored of an account, in one comparable text.
func everything(t *testing.T, table store.Table, account string) string {
	t.Helper()
	var all strings.Builder
	for _, partition := range []string{"ACCOUNTS", "A#" + account} {
		items, err := table.Query(t.Context(), partition, store.Range{})
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range items {
			all.WriteString(item.Key.String() + " " + string(item.Data) + "\n")
		}
	}
	return all.String()
}

func TestCommit(t *testing.T) {
	s, _ := newStore(t)
	first := row(7, 0)
	commit(t, s, lookup.Commit{
		Account: 7, Rows: []lookup.Account{first, {Key: lookup.CredentialKey("f1"), ID: 7}},
		Records: []availability.Record{known(1, "old"), known(2, "stays")}, Events: []lookup.Event{changed(7, 1), changed(7, 2)},
	})
	second := row(7, 1)
	second.Name = "renamed"
	commit(t, s, lookup.Commit{
		Account: 7, Rows: []lookup.Account{second},
		Records: []availability.Record{known(1, "new")}, Events: []lookup.Event{changed(7, 3)},
	})
	got, err := s.Account(t.Context(), "7")
	if err != nil || got.Version != 2 || got.Name != "renamed" {
		t.Errorf("Account = version %d, name %q, %v", got.Version, got.Name, err)
	}
	records, err := s.Records(t.Context(), 7)
	if err != nil || len(records) != 2 || records[0].Name != "new" || records[1].Name != "stays" {
		t.Errorf("Records = %+v, %v", records, err)
	}
	events, err := s.Events(t.Context(), 7, 0, 10, now)
	if err != nil || len(events) != 3 {
		t.Errorf("Events = %d events, %v; want 3", len(events), err)
	}
}

// TestCommitConflict changes nothing at all where one condition fails.
func TestCommitConflict(t *testing.T) {
	s, table := newStore(t)
	commit(t, s, lookup.Commit{
		Account: 7, Rows: []lookup.Account{row(7, 0), {Key: "credential:f1"}},
		Records: []availability.Record{known(1, "old")}, Events: []lookup.Event{changed(7, 1)},
	})
	commit(t, s, lookup.Commit{Account: 7, Rows: []lookup.Account{row(7, 1)}})
	before := everything(t, table, "7")
	credential := lookup.Account{Key: "credential:f1"}
	for name, c := range map[string]lookup.Commit{
		"row is new":             {Rows: []lookup.Account{row(7, 0)}},
		"row of an older run":    {Rows: []lookup.Account{row(7, 1)}},
		"row of a later run":     {Rows: []lookup.Account{row(7, 3)}},
		"row that is not there":  {Rows: []lookup.Account{row(7, 2), row(8, 1)}},
		"credential's row moved": {Rows: []lookup.Account{row(7, 2), credential}},
		"seq is taken":           {Rows: []lookup.Account{row(7, 2)}, Events: []lookup.Event{changed(7, 2), changed(7, 1)}},
	} {
		c.Account = 7
		c.Records = append(c.Records, known(1, "new"), known(2, "new"))
		if err := s.Commit(t.Context(), c); !errors.Is(err, lookup.ErrConflict) {
			t.Errorf("%s: %v, want %v", name, err, lookup.ErrConflict)
		}
		if after := everything(t, table, "7"); after != before {
			t.Errorf("%s: something was written:\n%s", name, after)
		}
	}
}

// TestCommitRefused refuses what no store may take, and leaves all as it was.
func TestCommitRefused(t *testing.T) {
	s, table := newStore(t)
	rows := []lookup.Account{row(7, 0)}
	manyRecords := make([]availability.Record, lookup.MaxCommit+1)
	for i := range manyRecords {
		manyRecords[i] = known(int64(i+1), "")
	}
	var manyEvents []lookup.Event
	for i := range store.MaxTransact {
		manyEvents = append(manyEvents, changed(7, int64(i+1)))
	}
	huge := changed(7, 1)
	huge.Reason = strings.Repeat("x", store.MaxData)
	for name, tt := range map[string]struct {
		c    lookup.Commit
		want error
	}{
		"too many records":     {lookup.Commit{Account: 7, Rows: rows, Records: manyRecords}, store.ErrTooLarge},
		"too many writes":      {lookup.Commit{Account: 7, Rows: rows, Events: manyEvents}, store.ErrTooLarge},
		"huge event":           {lookup.Commit{Account: 7, Rows: rows, Events: []lookup.Event{huge}}, store.ErrTooLarge},
		"two rows of a key":    {lookup.Commit{Account: 7, Rows: []lookup.Account{rows[0], rows[0]}}, store.ErrInvalid},
		"two records":          {lookup.Commit{Account: 7, Rows: rows, Records: []availability.Record{known(1, ""), known(1, "")}}, store.ErrInvalid},
		"records without row":  {lookup.Commit{Account: 7, Records: manyRecords[:1]}, nil},
		"events without row":   {lookup.Commit{Account: 7, Events: manyEvents[:1]}, nil},
		"another account's":    {lookup.Commit{Account: 7, Rows: []lookup.Account{row(8, 0)}, Records: manyRecords[:1]}, nil},
		"credential's row":     {lookup.Commit{Account: 7, Rows: []lookup.Account{{Key: "credential:7"}}, Records: manyRecords[:1]}, nil},
		"event of another one": {lookup.Commit{Account: 7, Rows: rows, Events: []lookup.Event{changed(8, 1)}}, nil},
		"event without seq":    {lookup.Commit{Account: 7, Rows: rows, Events: []lookup.Event{changed(7, 0)}}, nil},
		"row without key":      {lookup.Commit{Rows: []lookup.Account{{ID: 7}}}, nil},
		"row with a note's":    {lookup.Commit{Rows: []lookup.Account{{Key: "7#queued"}}}, nil},
	} {
		err := s.Commit(t.Context(), tt.c)
		if err == nil || errors.Is(err, lookup.ErrConflict) || tt.want != nil && !errors.Is(err, tt.want) {
			t.Errorf("%s: %v; want %v", name, err, tt.want)
		}
		if after := everything(t, table, "7") + everything(t, table, "8"); after != "" {
			t.Fatalf("%s: something was written:\n%s", name, after)
		}
	}
	commit(t, s, lookup.Commit{Account: 7, Rows: rows, Records: manyRecords[:lookup.MaxCommit], Events: manyEvents[:lookup.MaxCommit]})
}

// TestCommitRace has several runs commit on the same row: one makes each step, and the events have no gaps.
func TestCommitRace(t *testing.T) {
	s, _ := newStore(t)
	const runs, steps = 8, 5
	commit(t, s, lookup.Commit{Rows: []lookup.Account{row(7, 0)}})
	for step := range steps {
		var made atomic.Int32
		var wg sync.WaitGroup
		for range runs {
			wg.Go(func() {
				next := row(7, int64(step+1))
				next.Seq = int64(step + 1)
				err := s.Commit(t.Context(), lookup.Commit{Account: 7, Rows: []lookup.Account{next}, Events: []lookup.Event{changed(7, next.Seq)}})
				switch {
				case err == nil:
					made.Add(1)
				case !errors.Is(err, lookup.ErrConflict):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if made.Load() != 1 {
			t.Fatalf("step %d: %d runs committed, want 1", step, made.Load())
		}
	}
	events, err := s.Events(t.Context(), 7, 0, 100, now)
	var seqs []int64
	for _, e := range events {
		seqs = append(seqs, e.Seq)
	}
	if err != nil || !slices.Equal(seqs, []int64{1, 2, 3, 4, 5}) {
		t.Errorf("Events: %v, %v", seqs, err)
	}
}
