package store_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/connect"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
)

// TestRequests asks lanes for something, and lets them do it.
func TestRequests(t *testing.T) {
	s, _ := newStore(t)
	if all, err := s.Requests(t.Context()); err != nil || len(all) > 0 {
		t.Errorf("at first: %v, %v", all, err)
	}
	if _, err := s.Request(t.Context(), 1); !errors.Is(err, lookup.ErrNotFound) {
		t.Errorf("a request of nobody: %v", err)
	}
	first := filled[lookup.Request](t)
	first.Account, first.Version = 1, 0
	ask := func(r lookup.Request) lookup.Request {
		t.Helper()
		if err := s.Ask(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		got, err := s.Request(t.Context(), r.Account)
		if err != nil {
			t.Fatal(err)
		}
		r.Version = got.Version
		if diff := cmp.Diff(r, got); diff != "" {
			t.Errorf("what was asked for (-want +got)\n%s", diff)
		}
		return got
	}
	first = ask(first)
	later := ask(lookup.Request{Account: 1, By: lookup.ByOperator, At: at(1)})
	other := ask(lookup.Request{Account: 22, Leave: true, At: at(2)})
	if err := s.Done(t.Context(), first); err != nil {
		t.Errorf("done, and asked again meanwhile: %v", err)
	}
	all, err := s.Requests(t.Context())
	if diff := cmp.Diff([]lookup.Request{later, other}, all); err != nil || diff != "" {
		t.Errorf("%v; the later request stays (-want +got)\n%s", err, diff)
	}
	for range 2 {
		if err := s.Done(t.Context(), later); err != nil {
			t.Error(err)
		}
	}
	if all, err := s.Requests(t.Context()); err != nil || len(all) != 1 || all[0].Account != 22 {
		t.Errorf("after the first is done: %v, %v", all, err)
	}
	if rows, err := s.Accounts(t.Context()); err != nil || len(rows) > 0 {
		t.Errorf("requests are no accounts: %v, %v", rows, err)
	}
}

// TestRequestRace has many ask one lane at once: the last word is one of theirs.
func TestRequestRace(t *testing.T) {
	s, _ := newStore(t)
	var askers sync.WaitGroup
	for range 8 {
		askers.Go(func() {
			if err := s.Ask(t.Context(), lookup.Request{Account: 1, Leave: true, At: now}); err != nil {
				t.Error(err)
			}
		})
	}
	askers.Wait()
	if all, err := s.Requests(t.Context()); err != nil || len(all) != 1 {
		t.Errorf("%v, %v", all, err)
	}
}

// TestRequestUnreadable is a request of a newer release: it hides no others.
func TestRequestUnreadable(t *testing.T) {
	s, table := newStore(t)
	for _, data := range [][]byte{append([]byte{9}, "{}"...), append([]byte{1}, `{"Account":7}`...), {1, '{'}, {}} {
		for _, account := range []int64{1, 2} {
			if err := s.Ask(t.Context(), lookup.Request{Account: account, At: now}); err != nil {
				t.Fatal(err)
			}
		}
		overwrite(t, table, "ASKED", "1", data)
		if _, err := s.Request(t.Context(), 1); !errors.Is(err, lookup.ErrUnreadable) {
			t.Errorf("%q: %v", data, err)
		}
		all, err := s.Requests(t.Context())
		if !errors.Is(err, lookup.ErrUnreadable) || len(all) != 1 || all[0].Account != 2 {
			t.Errorf("%q: %v, %v", data, all, err)
		}
	}
}

// TestNotes keeps a note by version.
func TestNotes(t *testing.T) {
	s, table := newStore(t)
	const key = "STATE#aa"
	if data, version, err := s.Note(t.Context(), key); err != nil || version != 0 || data != nil {
		t.Errorf("none: %q, %d, %v", data, version, err)
	}
	set := func(text string, version int64) error {
		return s.SetNote(t.Context(), key, []byte(text), version, now.Add(time.Hour))
	}
	if err := set("a", 0); err != nil {
		t.Fatal(err)
	}
	if err := set("b", 0); !errors.Is(err, connect.ErrConflict) {
		t.Errorf("made twice: %v", err)
	}
	data, version, err := s.Note(t.Context(), key)
	if err != nil || string(data) != "a" || version != 1 {
		t.Errorf("%q, %d, %v", data, version, err)
	}
	if err = set("b", 2); !errors.Is(err, connect.ErrConflict) {
		t.Errorf("of another version: %v", err)
	}
	if err = set("b", 1); err != nil {
		t.Error(err)
	}
	item, err := table.Get(t.Context(), store.Key{Partition: key, Sort: "NOTE"})
	if err != nil || string(item.Data) != "b" || !item.Expires.Equal(now.Add(time.Hour)) {
		t.Errorf("stored is %+v, %v", item, err)
	}
	failing := store.New(broken{errors.New("no table")})
	if _, _, err := failing.Note(t.Context(), key); err == nil || strings.Contains(err.Error(), key) {
		t.Errorf("an error that tells nothing of the key: %v", err)
	}
}
