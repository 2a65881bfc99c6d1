package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/budget"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store/embedded"
)

var now = time.Date(2026, 11, 23, 20, 0, 0, 0, time.UTC)

// minutes after now, with a fraction of a second that must survive.
func at(minutes int) time.Time {
	return now.Add(time.Duration(minutes)*time.Minute + 123456789)
}

func newStore(t *testing.T) (*store.Store, store.Table) {
	t.Helper()
	db, err := embedded.Open(filepath.Join(t.TempDir(), "data.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return store.New(db), db
}

func commit(t *testing.T, s *store.Store, c lookup.Commit) {
	t.Helper()
	if err := s.Commit(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

func row(id, version int64) lookup.Account {
	return lookup.Account{Key: lookup.AccountKey(id), Version: version, ID: id, Status: lookup.StatusOK}
}

func date(s string) ownerrez.Date {
	d, err := ownerrez.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

// dates compares dates by what they are, not by how.
var dates = cmp.Comparer(func(a, b ownerrez.Date) bool { return a == b })

// fill sets everything that can be set in a value, each to something else, so that a round trip tests fields
// that nobody had in mind.
func fill(t *testing.T, v reflect.Value, n *int) {
	t.Helper()
	*n++
	switch p := v.Addr().Interface().(type) {
	case *time.Time:
		*p = at(*n)
		return
	case *ownerrez.Date:
		*p = date("2026-12-02").AddDays(*n)
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("Ångström & Söhne <\"%d\"'>", *n))
	case reflect.Int, reflect.Int64:
		v.SetInt(1<<30 + int64(*n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Struct:
		for _, field := range v.Fields() {
			if field.CanSet() {
				fill(t, field, n)
			}
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(t, v.Index(i), n)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range 2 {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(t, key, n)
			fill(t, value, n)
			v.SetMapIndex(key, value)
		}
	default:
		t.Fatalf("%s: teach this test to fill a %s", v.Type(), v.Kind())
	}
}

func filled[T any](t *testing.T) T {
	var v T
	n := 0
	fill(t, reflect.ValueOf(&v).Elem(), &n)
	return v
}

func TestAccountRoundTrip(t *testing.T) {
	s, _ := newStore(t)
	want := filled[lookup.Account](t)
	want.Key, want.Version = "123456", 0
	minimal := lookup.Account{Key: lookup.CredentialKey("f1")}
	commit(t, s, lookup.Commit{Rows: []lookup.Account{want, minimal}})

	want.Version, minimal.Version = 1, 1
	got, err := s.Account(t.Context(), want.Key)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("Account (-want +got), %v:\n%s", err, diff)
	}
	all, err := s.Accounts(t.Context())
	if diff := cmp.Diff([]lookup.Account{want, minimal}, all); diff != "" || err != nil {
		t.Errorf("Accounts (-want +got), %v:\n%s", err, diff)
	}
	if loc := got.AsOf.Location(); loc != time.UTC {
		t.Errorf("times come back in %v, want UTC", loc)
	}
}

func TestEventRoundTrip(t *testing.T) {
	s, _ := newStore(t)
	full := filled[lookup.Event](t)
	full.Account, full.Seq, full.Expires = 123456, 1, now.Add(lookup.EventsKept)
	minimal := lookup.Event{Kind: lookup.AccountChanged, Account: 123456, Seq: 2}
	commit(t, s, lookup.Commit{Account: 123456, Rows: []lookup.Account{row(123456, 0)}, Events: []lookup.Event{full, minimal}})
	got, err := s.Events(t.Context(), 123456, 0, 10, now)
	if diff := cmp.Diff([]lookup.Event{full, minimal}, got, dates); diff != "" || err != nil {
		t.Errorf("Events (-want +got), %v:\n%s", err, diff)
	}
}

func TestRecordRoundTrip(t *testing.T) {
	s, _ := newStore(t)
	var want []availability.Record
	for _, property := range []int64{9, 10, 99, 100, 4401} { // in the order of numbers, not of their digits
		want = append(want, availability.Record{
			Property: property, Name: "Pine Cabin", Zone: "America/Chicago", Known: true,
			Stays: []availability.Stay{
				{Booking: 1, Arrival: date("2026-12-02"), Departure: date("2026-12-05"), Cause: availability.CauseBooking},
				{Booking: 2, Arrival: date("2026-12-05"), Departure: date("2026-12-06"), Cause: availability.CauseHold, Until: now.Unix()},
			},
			Doubts: []availability.Doubt{{Booking: 3, From: date("2027-01-01"), To: date("2027-01-02"), Why: "no dates"}},
		})
	}
	commit(t, s, lookup.Commit{Account: 7, Rows: []lookup.Account{row(7, 0)}, Records: want})
	commit(t, s, lookup.Commit{Account: 70, Rows: []lookup.Account{row(70, 0)}, Records: want[:1]})
	got, err := s.Records(t.Context(), 7)
	if diff := cmp.Diff(want, got, dates); diff != "" || err != nil {
		t.Errorf("Records (-want +got), %v:\n%s", err, diff)
	}
	if got, err := s.Records(t.Context(), 8); len(got) != 0 || err != nil {
		t.Errorf("Records of an account without any: %v, %v", got, err)
	}
}

func TestAccountMissing(t *testing.T) {
	s, _ := newStore(t)
	if _, err := s.Account(t.Context(), "1"); !errors.Is(err, lookup.ErrNotFound) {
		t.Errorf("Account: %v, want %v", err, lookup.ErrNotFound)
	}
	if all, err := s.Accounts(t.Context()); len(all) != 0 || err != nil {
		t.Errorf("Accounts: %v, %v; want none", all, err)
	}
}

// TestKey has several ask first at once, and one that comes when it was made already.
func TestKey(t *testing.T) {
	s, _ := newStore(t)
	keys := make([][]byte, 8)
	var wg sync.WaitGroup
	for i := range keys {
		wg.Go(func() {
			var err error
			if keys[i], err = s.Key(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	last, err := s.Key(t.Context())
	if err != nil || len(last) != 32 || bytes.Equal(last, make([]byte, 32)) {
		t.Errorf("Key = %x, %v; want 32 random bytes", last, err)
	}
	for i, key := range keys {
		if !bytes.Equal(key, last) {
			t.Errorf("caller %d got another key", i)
		}
	}
	other, _ := newStore(t)
	if key, err := other.Key(t.Context()); err != nil || bytes.Equal(key, last) {
		t.Errorf("another table has the same key (%v)", err)
	}
}

func TestKeyUnreadable(t *testing.T) {
	for _, data := range [][]byte{nil, {1}, bytes.Repeat([]byte{2}, 33), append([]byte{1}, make([]byte, 33)...)} {
		s, table := newStore(t)
		at := store.Key{Partition: "META", Sort: "KEY"}
		if err := table.Put(t.Context(), store.Write{Key: at, Data: data, If: store.Absent()}); err != nil {
			t.Fatal(err)
		}
		if key, err := s.Key(t.Context()); !errors.Is(err, lookup.ErrUnreadable) || key != nil {
			t.Errorf("data %x: Key = %x, %v; want %v", data, key, err, lookup.ErrUnreadable)
		}
	}
}

func TestCells(t *testing.T) {
	s, table := newStore(t)
	ctx := t.Context()
	want := func(data string, version int64) {
		t.Helper()
		got, v, err := s.Cell(ctx, "BUDGET#here")
		if string(got) != data || v != version || err != nil {
			t.Errorf("Cell = %q, %d, %v; want %q, %d", got, v, err, data, version)
		}
	}
	set := func(data string, version int64) error {
		return s.SetCell(ctx, "BUDGET#here", []byte(data), version, now.Add(time.Hour))
	}
	want("", 0)
	if err := set("x", 1); !errors.Is(err, budget.ErrConflict) {
		t.Errorf("SetCell of one that does not exist at version 1: %v", err)
	}
	for v, data := range []string{"a\x00\xff", "", "c"} {
		if err := set(data, int64(v)); err != nil {
			t.Fatal(err)
		}
		want(data, int64(v+1))
		for _, other := range []int{0, v, v + 2} {
			if err := set("z", int64(other)); !errors.Is(err, budget.ErrConflict) {
				t.Errorf("SetCell at version %d of %d: %v, want %v", other, v+1, err, budget.ErrConflict)
			}
		}
		want(data, int64(v+1))
	}
	item, err := table.Get(ctx, store.Key{Partition: "BUDGET#here", Sort: "CELL"})
	if err != nil || item.Expires != now.Add(time.Hour) {
		t.Errorf("the cell expires %v, %v", item.Expires, err)
	}
	if data, v, err := s.Cell(ctx, "PAT#here"); data != nil || v != 0 || err != nil {
		t.Errorf("another cell = %q, %d, %v", data, v, err)
	}
}

// broken is a table whose every call fails.
type broken struct{ err error }

func (b broken) Get(context.Context, store.Key) (store.Item, error) { return store.Item{}, b.err }
func (b broken) Put(context.Context, store.Write) error             { return b.err }
func (b broken) Transact(context.Context, []store.Write) error      { return b.err }
func (b broken) Query(context.Context, string, store.Range) ([]store.Item, error) {
	return nil, b.err
}

// TestTableFails has a failure of the engine reach the caller as what it is, not as something that is not there.
func TestTableFails(t *testing.T) {
	failure := errors.New("disk on fire")
	s := store.New(broken{failure})
	ctx := t.Context()
	for i, call := range []func() error{
		func() error { _, err := s.Accounts(ctx); return err },
		func() error { _, err := s.Account(ctx, "1"); return err },
		func() error { _, err := s.Records(ctx, 1); return err },
		func() error { _, err := s.Events(ctx, 1, 0, 10, now); return err },
		func() error { _, err := s.MarkQueued(ctx, "1", now, now); return err },
		func() error { _, err := s.Key(ctx); return err },
		func() error { _, _, err := s.Cell(ctx, "BUDGET#x"); return err },
		func() error { return s.SetCell(ctx, "BUDGET#x", nil, 0, time.Time{}) },
		func() error { return s.Commit(ctx, lookup.Commit{Rows: []lookup.Account{row(1, 0)}}) },
		func() error { return s.Ask(ctx, lookup.Request{Account: 1, At: now}) },
		func() error { _, err := s.Request(ctx, 1); return err },
		func() error { _, err := s.Requests(ctx); return err },
		func() error { return s.Done(ctx, lookup.Request{Account: 1, Version: 1}) },
		func() error { _, _, err := s.Note(ctx, "STATE#x"); return err },
		func() error { return s.SetNote(ctx, "STATE#x", nil, 0, now) },
	} {
		if err := call(); !errors.Is(err, failure) || err.Error() == failure.Error() {
			t.Errorf("call %d: %v; want %v behind words that say what was done", i, err, failure)
		}
	}
}
