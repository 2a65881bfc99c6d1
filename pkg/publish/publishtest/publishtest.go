// Package publishtest checks that a publisher publishes what the contract with the events' readers says.
package publishtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// Published is an event as its readers get it.
type Published struct {
	Source     string          `json:"source"`
	DetailType string          `json:"detail-type"`
	Detail     json.RawMessage `json:"detail"`
}

// Reader returns the first n events that were published, once they are there, in the order in which they were
// published.
type Reader func(t *testing.T, n int) []Published

// Run checks a publisher. open returns a new one, and what reads what it published and nothing else.
func Run(t *testing.T, open func(t *testing.T) (lookup.Publisher, Reader)) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, lookup.Publisher, Reader)
	}{
		{"an event is what the contract says", testContract},
		{"events are in order", testOrder},
		{"an event that comes again is the same", testAgain},
		{"many publish at once", testConcurrent},
		{"an ended context publishes nothing", testEnded},
	} {
		t.Run(test.name, func(t *testing.T) {
			publisher, read := open(t)
			test.run(t, publisher, read)
		})
	}
}

func testContract(t *testing.T, publisher lookup.Publisher, read Reader) {
	all := samples()
	for _, s := range all {
		mustPublish(t, publisher, s.event)
	}
	for i, got := range read(t, len(all)) {
		if got.Source != "ownerrez-lambda" || got.DetailType != all[i].event.Kind {
			t.Errorf("source %q and detail-type %q, want ownerrez-lambda and %q", got.Source, got.DetailType, all[i].event.Kind)
		}
		if !reflect.DeepEqual(decode(t, got.Detail), decode(t, []byte(all[i].detail))) {
			t.Errorf("detail\n%s\nwant\n%s", got.Detail, all[i].detail)
		}
	}
}

func testOrder(t *testing.T, publisher lookup.Publisher, read Reader) {
	const n = 30
	for i := range n {
		e := samples()[i%2].event
		e.Seq = int64(i + 1)
		mustPublish(t, publisher, e)
	}
	for i, got := range read(t, n) {
		if seq := seqOf(t, got); seq != int64(i+1) {
			t.Errorf("event %d came as number %d", seq, i+1)
		}
	}
}

func testAgain(t *testing.T, publisher lookup.Publisher, read Reader) {
	for _, s := range samples() {
		mustPublish(t, publisher, s.event)
		mustPublish(t, publisher, s.event)
	}
	all := read(t, 2*len(samples()))
	for i := 0; i < len(all); i += 2 {
		if !bytes.Equal(all[i].Detail, all[i+1].Detail) || all[i].DetailType != all[i+1].DetailType {
			t.Errorf("the same event came as\n%s\nand as\n%s", all[i].Detail, all[i+1].Detail)
		}
	}
}

func testConcurrent(t *testing.T, publisher lookup.Publisher, read Reader) {
	const accounts, each = 8, 10
	var all sync.WaitGroup
	for range accounts {
		all.Go(func() {
			for i := range each {
				e := samples()[0].event
				e.Seq = int64(i)
				if err := publisher.Publish(t.Context(), e); err != nil {
					t.Errorf("Publish: %v", err)
				}
			}
		})
	}
	all.Wait()
	seen := map[int64]int{}
	for _, got := range read(t, accounts*each) {
		seen[seqOf(t, got)]++
	}
	for i := range int64(each) {
		if seen[i] != accounts {
			t.Errorf("%d events with seq %d, want %d", seen[i], i, accounts)
		}
	}
}

func testEnded(t *testing.T, publisher lookup.Publisher, read Reader) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := publisher.Publish(ctx, samples()[0].event); !errors.Is(err, context.Canceled) {
		t.Errorf("Publish with an ended context: %v, want context.Canceled", err)
	}
	mustPublish(t, publisher, samples()[1].event)
	if got := read(t, 1); got[0].DetailType != samples()[1].event.Kind {
		t.Errorf("%s came, whose Publish failed", got[0].DetailType)
	}
}

type sample struct {
	event  lookup.Event
	detail string // as the contract has it
}

// samples are the contract's events, and those that it only describes.
func samples() []sample {
	asOf := time.Date(2026, 11, 23, 20, 0, 0, 0, time.UTC)
	expires := asOf.Add(lookup.EventsKept)
	day := func(d int) ownerrez.Date { return ownerrez.NewDate(2026, time.December, d) }
	return []sample{{
		lookup.Event{
			Kind: lookup.AvailabilityChanged, Expires: expires, Version: 1, Account: 123456, Seq: 17,
			Property: 4401, AsOf: asOf, ValidUntil: asOf.Add(time.Hour),
			Changes: []lookup.Change{{From: day(2), To: day(5), Was: "free", Now: "taken", Cause: "booking", Booking: 900101}},
		},
		`{ "version": 1, "account": 123456, "seq": 17, "property": 4401,
		   "as_of": "2026-11-23T20:00:00Z", "valid_until": "2026-11-23T21:00:00Z",
		   "changes": [ { "from": "2026-12-02", "to": "2026-12-05", "was": "free", "now": "taken", "cause": "booking", "booking_id": 900101 } ] }`,
	}, {
		lookup.Event{
			Kind: lookup.AccountChanged, Expires: expires, Version: 1, Account: 123456, Seq: 18,
			At: asOf.Add(80 * time.Minute), Was: lookup.StatusOK, Now: lookup.StatusLate, AsOf: asOf,
			Properties: []int64{4401}, Reason: "…", Next: "wait < 5 minutes & look again",
		},
		`{ "version": 1, "account": 123456, "seq": 18, "at": "2026-11-23T21:20:00Z", "was": "ok", "now": "late",
		   "as_of": "2026-11-23T20:00:00Z", "properties": [ 4401 ], "reason": "…", "next": "wait < 5 minutes & look again" }`,
	}, {
		lookup.Event{
			Kind: lookup.AvailabilityChanged, Version: 1, Account: 9007199254740993, Seq: 19, Property: 4402, AsOf: asOf,
			Changes: []lookup.Change{
				{From: day(1), To: day(2), Was: "taken", Now: "unknown", Reason: "gone"},
				{From: day(2), To: day(3), Was: "taken", Now: "free"},
			},
		},
		`{ "version": 1, "account": 9007199254740993, "seq": 19, "property": 4402, "as_of": "2026-11-23T20:00:00Z",
		   "changes": [ { "from": "2026-12-01", "to": "2026-12-02", "was": "taken", "now": "unknown", "reason": "gone" },
		                { "from": "2026-12-02", "to": "2026-12-03", "was": "taken", "now": "free" } ] }`,
	}, {
		lookup.Event{
			Kind: lookup.AccountChanged, Version: 1, Account: 123456, Seq: 20, At: asOf,
			Was: lookup.StatusLate, Now: lookup.StatusReconnect, Reason: "refused", Next: "reconnect", ActBy: asOf.Add(time.Hour),
		},
		`{ "version": 1, "account": 123456, "seq": 20, "at": "2026-11-23T20:00:00Z", "was": "late", "now": "reconnect",
		   "reason": "refused", "next": "reconnect", "act_by": "2026-11-23T21:00:00Z" }`,
	}}
}

func mustPublish(t *testing.T, publisher lookup.Publisher, e lookup.Event) {
	t.Helper()
	if err := publisher.Publish(t.Context(), e); err != nil {
		t.Fatalf("Publish: %v", err)
	}
}

// decode reads JSON without losing digits of large ids.
func decode(t *testing.T, data []byte) (v any) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("not JSON: %v in %s", err, data)
	}
	return v
}

func seqOf(t *testing.T, p Published) int64 {
	t.Helper()
	var detail struct{ Seq int64 }
	if err := json.Unmarshal(p.Detail, &detail); err != nil {
		t.Fatalf("not JSON: %v in %s", err, p.Detail)
	}
	return detail.Seq
}
