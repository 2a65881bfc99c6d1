package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
)

// overwrite puts other data where something is stored, as a writer of another release would.
func overwrite(t *testing.T, table store.Table, partition, sort string, data []byte) {
	t.Helper()
	key := store.Key{Partition: partition, Sort: sort}
	item, err := table.Get(t.Context(), key)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	condition := store.AtVersion(item.Version)
	if item.Version == 0 {
		condition = store.Always()
	}
	if err := table.Put(t.Context(), store.Write{Key: key, Data: data, If: condition}); err != nil {
		t.Fatal(err)
	}
}

func seqs(events []lookup.Event) []int64 {
	var all []int64
	for _, e := range events {
		all = append(all, e.Seq)
	}
	return all
}

func TestEvents(t *testing.T) {
	s, _ := newStore(t)
	// Seven events of the account, the first three expired; and one of another account.
	r := row(7, 0)
	for seq := range int64(7) {
		e := changed(7, seq+1)
		if seq < 3 {
			e.Expires = now.Add(-time.Duration(3-seq) * time.Second)
		}
		commit(t, s, lookup.Commit{Account: 7, Rows: []lookup.Account{r}, Events: []lookup.Event{e}})
		r.Version++
	}
	commit(t, s, lookup.Commit{Account: 70, Rows: []lookup.Account{row(70, 0)}, Events: []lookup.Event{changed(70, 5)}})

	for _, tt := range []struct {
		after int64
		limit int
		now   time.Time
		want  []int64
	}{
		{0, 100, now, []int64{4, 5, 6, 7}},
		{0, 2, now, []int64{4, 5}}, // the expired ones do not count
		{0, 1, now, []int64{4}},
		{0, 4, now, []int64{4, 5, 6, 7}},
		{2, 2, now, []int64{4, 5}},
		{5, 100, now, []int64{6, 7}},
		{5, 1, now, []int64{6}},
		{7, 100, now, nil},
		{1 << 62, 100, now, nil},
		{-1, 2, now, []int64{4, 5}},
		{0, 0, now, nil},
		{0, 100, now.Add(-time.Hour), []int64{1, 2, 3, 4, 5, 6, 7}},
		{0, 100, now.Add(-time.Second), []int64{3, 4, 5, 6, 7}}, // 3 expires at this very moment
		{0, 100, now.Add(lookup.EventsKept + time.Second), nil},
	} {
		got, err := s.Events(t.Context(), 7, tt.after, tt.limit, tt.now)
		if err != nil || !slices.Equal(seqs(got), tt.want) {
			t.Errorf("Events(after %d, limit %d, %v) = %v, %v; want %v", tt.after, tt.limit, tt.now, seqs(got), err, tt.want)
		}
	}
}

// TestEventsOrder crosses the numbers where the count of digits grows.
func TestEventsOrder(t *testing.T) {
	s, _ := newStore(t)
	want := []int64{8, 9, 10, 11, 99, 100, 999_999_999_999, 1_000_000_000_000, 1<<63 - 2, 1<<63 - 1}
	c := lookup.Commit{Account: 7, Rows: []lookup.Account{row(7, 0)}}
	for i := range want {
		c.Events = append(c.Events, changed(7, want[len(want)-1-i]))
	}
	commit(t, s, c)
	var got []int64
	after := int64(0)
	for {
		page, err := s.Events(t.Context(), 7, after, 3, now)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		got = append(got, seqs(page)...)
		after = got[len(got)-1]
	}
	if !slices.Equal(got, want) {
		t.Errorf("read %v, want %v", got, want)
	}
}

// TestEventsUnreadable hands on what comes before an event that cannot be read, and never what comes after it.
func TestEventsUnreadable(t *testing.T) {
	s, table := newStore(t)
	var events []lookup.Event
	for seq := range int64(5) {
		events = append(events, changed(7, seq+1))
	}
	commit(t, s, lookup.Commit{Account: 7, Rows: []lookup.Account{row(7, 0)}, Events: events})
	item, err := table.Get(t.Context(), store.Key{Partition: "A#7", Sort: fmt.Sprintf("C#%019d", 4)})
	if err != nil {
		t.Fatal(err)
	}
	commit(t, s, lookup.Commit{Account: 8, Rows: []lookup.Account{row(8, 0)}, Events: []lookup.Event{changed(8, 3)}})
	others, err := table.Get(t.Context(), store.Key{Partition: "A#8", Sort: fmt.Sprintf("C#%019d", 3)})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"nothing":          {},
		"another account":  others.Data,
		"a format to come": {2, '{', '}'},
		"damaged":          {1, '{'},
		"another event":    item.Data,
		"no event":         {1, '{', '}'},
	} {
		overwrite(t, table, "A#7", fmt.Sprintf("C#%019d", 3), data)
		got, err := s.Events(t.Context(), 7, 0, 100, now)
		if err != nil || !slices.Equal(seqs(got), []int64{1, 2}) {
			t.Errorf("%s: Events = %v, %v; want 1 and 2", name, seqs(got), err)
		}
		got, err = s.Events(t.Context(), 7, 2, 100, now)
		if !errors.Is(err, lookup.ErrUnreadable) || !strings.Contains(err.Error(), "event 3 of account 7") || got != nil {
			t.Errorf("%s: Events = %v, %v; want an error that names event 3", name, seqs(got), err)
		}
		if got, err := s.Events(t.Context(), 7, 3, 100, now); err != nil || !slices.Equal(seqs(got), []int64{4, 5}) {
			t.Errorf("%s: Events after it = %v, %v", name, seqs(got), err)
		}
	}
}

func TestRecordUnreadable(t *testing.T) {
	s, table := newStore(t)
	whole := availability.Record{Property: 1, Name: "One", Known: true, Stays: []availability.Stay{
		{Booking: 1, Arrival: date("2026-12-02"), Departure: date("2026-12-05"), Cause: availability.CauseBooking},
	}}
	other := known(2, "Two")
	commit(t, s, lookup.Commit{Account: 7, Rows: []lookup.Account{row(7, 0)}, Records: []availability.Record{whole, other}})
	stored := availability.AppendRecord(nil, whole)
	for name, data := range map[string][]byte{
		"nothing":          {},
		"a format to come": append([]byte{200}, stored[1:]...),
		"cut":              stored[:len(stored)-1],
		"another property": availability.AppendRecord(nil, other),
		"more than it":     append(slices.Clone(stored), 0),
	} {
		overwrite(t, table, "A#7", "P#1", data)
		got, err := s.Records(t.Context(), 7)
		want := []availability.Record{{Property: 1}, other}
		if diff := cmp.Diff(want, got, dates); diff != "" || err != nil {
			t.Errorf("%s (-want +got), %v:\n%s", name, err, diff)
		}
	}
	overwrite(t, table, "A#7", "P#one", stored)
	if _, err := s.Records(t.Context(), 7); !errors.Is(err, lookup.ErrUnreadable) {
		t.Errorf("a record of no property: %v", err)
	}
}

func TestRowUnreadable(t *testing.T) {
	s, table := newStore(t)
	commit(t, s, lookup.Commit{Rows: []lookup.Account{row(1, 0), row(2, 0), row(3, 0)}})
	for name, tt := range map[string]struct {
		data   []byte
		advice string
	}{
		"nothing":          {nil, "backup"},
		"a format to come": {[]byte("\x02{}"), "release"},
		"damaged":          {[]byte("\x01{\"ID\":"), "backup"},
		"of another type":  {[]byte("\x01{\"ID\":\"2\"}"), "backup"},
	} {
		overwrite(t, table, "ACCOUNTS", "2", tt.data)
		_, err := s.Account(t.Context(), "2")
		if !errors.Is(err, lookup.ErrUnreadable) || !strings.Contains(err.Error(), "account 2") || !strings.Contains(err.Error(), tt.advice) {
			t.Errorf("%s: Account: %v; want an error that names the account and advises (%s)", name, err, tt.advice)
		}
		all, err := s.Accounts(t.Context())
		if !errors.Is(err, lookup.ErrUnreadable) || !strings.Contains(err.Error(), "account 2") {
			t.Errorf("%s: Accounts: %v; want an error that names the account", name, err)
		}
		if len(all) != 2 || all[0].ID != 1 || all[1].ID != 3 {
			t.Errorf("%s: Accounts returns %d rows; want those of 1 and 3", name, len(all))
		}
	}
}

func TestMarkQueued(t *testing.T) {
	s, table := newStore(t)
	commit(t, s, lookup.Commit{Rows: []lookup.Account{row(1, 0), row(2, 0)}})
	mark := func(key string, now, since time.Time, want bool) {
		t.Helper()
		if got, err := s.MarkQueued(t.Context(), key, now, since); got != want || err != nil {
			t.Errorf("MarkQueued(%s, %v, %v) = %v, %v; want %v", key, now, since, got, err, want)
		}
	}
	minute := func(n int) time.Time { return now.Add(time.Duration(n) * time.Minute) }
	mark("1", minute(0), minute(-5), true)
	mark("1", minute(1), minute(-4), false)
	mark("2", minute(1), minute(-4), true) // another row
	mark("1", minute(2), minute(-3), false)
	mark("1", minute(2), minute(-3), false)
	mark("1", minute(5), minute(0), true) // noted at, not after
	mark("1", minute(6), minute(1), false)
	mark("1", minute(20), minute(15), true)

	overwrite(t, table, "ACCOUNTS", "1#queued", []byte{99})
	mark("1", minute(21), minute(16), true) // what cannot be read is no note
	mark("1", minute(22), minute(17), false)

	all, err := s.Accounts(t.Context())
	if err != nil || len(all) != 2 || all[0].Version != 1 {
		t.Errorf("Accounts beside notes: %+v, %v; want the two rows, unchanged", all, err)
	}
}
