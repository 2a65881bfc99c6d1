package calendar

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store/embedded"
)

// openTable opens a table in a file, in memory where that is possible.
func openTable(t testing.TB) store.Table {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "calendar") //nolint:usetesting // t.TempDir is on a disk
	if err != nil {
		dir = t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	db, err := embedded.Open(filepath.Join(dir, "calendar.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// keep stores an account with its records and events, over what was stored of it.
func keep(t testing.TB, st lookup.Store, snap lookup.Snapshot, events ...lookup.Event) {
	t.Helper()
	row := snap.Account
	old, err := st.Account(t.Context(), row.Key)
	if err != nil && !errors.Is(err, lookup.ErrNotFound) {
		t.Fatal(err)
	}
	row.Version, row.Problems = old.Version, snap.Problems
	records := snap.Records
	for first := true; first || len(records) > 0; first = false {
		n := min(len(records), lookup.MaxCommit)
		c := lookup.Commit{Account: row.ID, Rows: []lookup.Account{row}, Records: records[:n], Events: events}
		if err := st.Commit(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		records, events = records[n:], nil
		row.Version++
	}
}

// event is an event of account 123456, in which a night of property 4401 is taken.
func event(t testing.TB, seq int64) lookup.Event {
	t.Helper()
	night := ask(t, "2026-12-01", "2026-12-02").From.AddDays(int(seq))
	return lookup.Event{
		Kind: lookup.AvailabilityChanged, Version: 1, Account: 123456, Seq: seq, Property: 4401,
		AsOf: now.Add(-time.Hour), ValidUntil: now, Expires: now.Add(lookup.EventsKept),
		Changes: []lookup.Change{{From: night, To: night.AddDays(1), Was: "free", Now: "taken", Cause: "booking", Booking: 900101}},
	}
}

// events are the events from one number to another.
func events(t testing.TB, from, to int64) (out []lookup.Event) {
	t.Helper()
	for seq := from; seq <= to; seq++ {
		out = append(out, event(t, seq))
	}
	return out
}

// options are those of tests: the clock stands still, and trouble of our own fails the test.
func options(t testing.TB) Options {
	return Options{Now: func() time.Time { return now }, OnError: func(err error) { t.Errorf("told the operator: %v", err) }}
}

// stock is the API over a store with the account of snapshot and its 17 events.
func stock(t testing.TB) http.Handler {
	t.Helper()
	st := store.New(openTable(t))
	keep(t, st, snapshot(t), events(t, 1, 17)...)
	return API(st, options(t))
}

func request(t testing.TB, h http.Handler, method, target string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// read reads an answer, which must be a good one.
func read[T any](t testing.TB, h http.Handler, target string) (answer T) {
	t.Helper()
	w := request(t, h, http.MethodGet, target)
	if w.Code != http.StatusOK {
		t.Fatalf("GET %s: %d %s", target, w.Code, w.Body)
	}
	dec := json.NewDecoder(w.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&answer); err != nil || dec.More() {
		t.Fatalf("GET %s is not one JSON document as it is documented: %v", target, err)
	}
	return answer
}

// refusal reads an answer that is none.
func refusal(t testing.TB, h http.Handler, target string, status int) (message, next string) {
	t.Helper()
	w := request(t, h, http.MethodGet, target)
	var answer struct{ Message, Next string }
	dec := json.NewDecoder(w.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&answer); err != nil || w.Code != status || answer.Message == "" || answer.Next == "" {
		t.Errorf("GET %s: %d %+v, %v; want %d, what is wrong and what to do", target, w.Code, answer, err, status)
	}
	if w.Header().Get("ETag") != "" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("GET %s: a refusal that may be kept: %v", target, w.Header())
	}
	return answer.Message, answer.Next
}
