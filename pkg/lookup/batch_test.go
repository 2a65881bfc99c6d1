package lookup

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
)

// The limits of the engines behind us, for one account's transaction and one event: DynamoDB's and EventBridge's,
// less what the store leaves free for what an engine adds.
const (
	engineWrites = 80
	engineBytes  = 3_500_000
	engineItem   = 350 << 10
	busBytes     = 250_000
)

// anyChange makes up a stretch of nights that became something else.
func anyChange(rng *rand.Rand) availability.Change {
	from := day.AddDays(rng.IntN(100_000))
	c := availability.Change{From: from, To: from.AddDays(1), Was: availability.Unknown, Now: availability.Taken,
		Cause: availability.CauseBooking, Booking: math.MaxInt64 - rng.Int64N(1000)}
	if rng.IntN(3) == 0 {
		c.Now, c.Cause, c.Booking = availability.Unknown, availability.NoCause, 0
		c.Reason = "OwnerRez listed a booking without an id and without a property and without usable dates"
	}
	return c
}

// anyRecord makes up a record with stays that need much room.
func anyRecord(property int64, stays int) availability.Record {
	rec := availability.Record{Property: property, Known: true, Stays: make([]availability.Stay, stays)}
	for i := range rec.Stays {
		rec.Stays[i] = availability.Stay{
			Booking: math.MaxInt64 - int64(i), Arrival: day.AddDays(2 * i), Departure: day.AddDays(2*i + 1), Cause: availability.CauseBooking,
		}
	}
	return rec
}

// However much a run has to write, each transaction fits the engines, and holds all of a property's events or none.
func TestBatchesFit(t *testing.T) {
	for seed := range uint64(10) {
		rng := rand.New(rand.NewPCG(seed, 3))
		r := newRun(&Account{ID: math.MaxInt64, Status: StatusOK, AsOf: time.Unix(1e9, 0)}, Settings{}, time.Unix(1e9, 0).UTC())
		was := Account{Seq: 41, Status: StatusNew}
		var changes []change
		sizes, more := 4, rng.Int64N(40)
		switch seed % 4 {
		case 0:
			changes, more = crowded(r), 0
		case 1:
			sizes, more = 1, 40 // many small ones
		}
		for p := range more {
			c := change{record: anyRecord(p+1, rng.IntN([]int{10, 300, 3_000, 20_000}[rng.IntN(sizes)]))}
			for range rng.IntN([]int{3, 800, 5_000, 18_000}[rng.IntN(sizes)]) {
				c.changes = append(c.changes, anyChange(rng))
			}
			if c.storable() {
				changes = append(changes, c)
			}
		}
		batches := r.batches(was, changes)
		checkBatches(t, batches, changes, was.Seq)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// crowded is as many events as fit into one transaction by their size, beside thousands of properties that are late.
func crowded(r *run) (changes []change) {
	for p := range int64(MaxCommit) {
		c := change{record: anyRecord(p+1, 1), changes: make([]availability.Change, 1001)}
		for i := range c.changes {
			c.changes[i] = availability.Change{From: day.AddDays(i), To: day.AddDays(i + 1), Was: availability.Taken, Now: availability.Free}
		}
		changes = append(changes, c)
	}
	r.row.Properties = map[int64]PropertyState{}
	for p := range int64(9_500) {
		r.row.Properties[p+1] = PropertyState{Mark: &Mark{AsOf: r.now.Add(-2 * time.Hour)}}
	}
	return changes
}

func checkBatches(t *testing.T, batches []batch, changes []change, seq int64) {
	t.Helper()
	var told []Event
	written := 0
	for i, b := range batches {
		bytes := engineItem // of the account's row
		for _, rec := range b.records {
			size := len(availability.AppendRecord(nil, rec))
			if bytes += size; size > engineItem {
				t.Errorf("batch %d: a record has %d bytes", i, size)
			}
			changed := 0
			for _, e := range b.events {
				if e.Property == rec.Property {
					changed += len(e.Changes)
				}
			}
			if at := changes[written]; at.record.Property != rec.Property || changed != len(at.changes) {
				t.Errorf("batch %d: with the record of property %d go %d of its %d changes", i, rec.Property, changed, len(at.changes))
			}
			written++
		}
		for _, e := range b.events {
			size := eventSize(t, e)
			if bytes += size; size > busBytes {
				t.Errorf("batch %d: event %d has %d bytes", i, e.Seq, size)
			}
		}
		if writes := 1 + len(b.records) + len(b.events); writes > engineWrites || bytes > engineBytes || len(b.records) > MaxCommit {
			t.Errorf("batch %d: %d records, %d writes, %d bytes", i, len(b.records), writes, bytes)
		}
		told = append(told, b.events...)
	}
	if written != len(changes) {
		t.Errorf("%d of %d records are written", written, len(changes))
	}
	checkParts(t, told, seq)
}

// checkParts fails unless the events are numbered without a gap, and each property's but the last say that there is
// more.
func checkParts(t *testing.T, told []Event, seq int64) {
	t.Helper()
	for i, e := range told {
		more := i+1 < len(told) && e.Kind == AvailabilityChanged && told[i+1].Property == e.Property
		if e.Seq != seq+int64(i)+1 || len(e.Changes) > 1000 || e.More != more || more && !told[i+1].AsOf.Equal(e.AsOf) {
			t.Errorf("event %d, of property %d with %d changes, says that there is more: %v", e.Seq, e.Property, len(e.Changes), e.More)
		}
	}
}

func eventSize(t *testing.T, e Event) int {
	t.Helper()
	data, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return len(data)
}

// A property that no transaction can take stays as it was, and says so; the others go on.
func TestPropertyThatCannotBeStored(t *testing.T) {
	now := time.Unix(1e9, 0).UTC()
	for name, rec := range map[string]availability.Record{
		"stays":   anyRecord(20, 60_000),
		"changes": anyRecord(20, 26_000),
		"name":    {Property: 20, Known: true, Name: strings.Repeat("n", engineItem)},
		"doubts":  manyDoubts(20, 4_000),
	} {
		for _, before := range []PropertyState{{}, {Baseline: now.Add(-time.Hour), Rows: 3}, {Gone: true}} {
			t.Run(fmt.Sprintf("%s/%+v", name, before), func(t *testing.T) {
				stored := anyRecord(20, 3)
				stored.Known, stored.Gone = !before.Baseline.IsZero(), before.Gone
				was := Account{ID: 7, Status: StatusOK, AsOf: now.Add(-time.Hour), Properties: map[int64]PropertyState{10: before, 20: before, 30: before}}
				row := was.clone()
				r := newRun(&row, Settings{}, now)
				r.ledger = newLedger([]availability.Record{stored})
				for p, rec := range map[int64]availability.Record{10: anyRecord(10, 5), 20: rec, 30: anyRecord(30, 5)} {
					*r.ledger.record(p) = rec
					row.Properties[p] = PropertyState{Baseline: now, Rows: len(rec.Stays)}
					r.good[p] = true
				}
				changes := r.changed(was)
				r.finish()
				for _, b := range r.batches(was, changes) {
					for _, rec := range b.records {
						if rec.Property == 20 && !slices.Equal(rec.Stays, stored.Stays) {
							t.Errorf("it is written with %d stays", len(rec.Stays))
						}
					}
				}
				checkDropped(t, r, before, stored)
			})
		}
	}
}

func manyDoubts(property int64, n int) availability.Record {
	rec := availability.Record{Property: property, Known: true}
	for i := range n {
		rec.Doubts = append(rec.Doubts, availability.Doubt{Booking: int64(i + 1), From: day.AddDays(i), To: day.AddDays(i + 1), Why: strings.Repeat("w", 90)})
	}
	return rec
}

// checkDropped fails unless property 20 is what it was, and frozen, and the other two have been read.
func checkDropped(t *testing.T, r *run, before PropertyState, stored availability.Record) {
	t.Helper()
	state := r.row.Properties[20]
	if state.Gone != before.Gone || !state.Baseline.Equal(before.Baseline) || r.good[20] {
		t.Errorf("its state is %+v, was %+v", state, before)
	}
	if !before.Gone {
		frozen := time.Time{}
		if !before.Baseline.IsZero() {
			frozen = r.now.Add(-time.Hour)
		}
		if state.Mark == nil || !r.row.asOf(20, true).Equal(frozen) || slices.Contains(r.dueForFull(false), 20) {
			t.Errorf("it is as of %s, marked %+v, due: %v", r.row.asOf(20, true), state.Mark, r.dueForFull(false))
		}
	}
	if rec := r.ledger.record(20); !slices.Equal(rec.Stays, stored.Stays) || rec.Known != stored.Known || rec.Gone != stored.Gone {
		t.Errorf("its record has %d stays, had %d", len(rec.Stays), len(stored.Stays))
	}
	if len(r.problems) != 1 || r.problems[0].Property != 20 || r.problems[0].Next == "" {
		t.Errorf("it says %v", r.problems)
	}
	for _, p := range []int64{10, 30} {
		if state := r.row.Properties[p]; state.Mark != nil || !r.good[p] || !r.row.asOf(p, true).Equal(r.now) {
			t.Errorf("property %d: %+v", p, state)
		}
	}
}

// Thousands of properties that are late are told in several events; the account's row says all of them.
func TestManyLateProperties(t *testing.T) {
	now := time.Unix(1e9, 0).UTC()
	was := Account{ID: 7, Status: StatusOK, AsOf: now, Properties: map[int64]PropertyState{}}
	for p := range int64(2500) {
		was.Properties[p+1] = PropertyState{Mark: &Mark{AsOf: now.Add(-2 * time.Hour), Why: "It failed."}}
	}
	tell := func(was Account, row *Account) (events []Event) {
		r := newRun(row, Settings{}, now)
		r.problems = []Problem{{Property: 2400, Message: "It failed."}}
		batches := r.batches(was, nil)
		checkBatches(t, batches, nil, was.Seq)
		for _, b := range batches {
			events = append(events, b.events...)
		}
		return events
	}
	row := was.clone()
	late := tell(was, &row)
	if len(late) != 3 || len(late[0].Properties) != 1000 || len(late[2].Properties) != 500 || late[0].Now != StatusLate || len(row.LateSaid) != 2500 {
		t.Errorf("%d events, %d properties said", len(late), len(row.LateSaid))
	}
	was, row = row, row.clone()
	clear(row.Properties)
	healed := tell(was, &row)
	if len(healed) != 3 || len(healed[2].Properties) != 500 || healed[0].Now != StatusOK || len(row.LateSaid) != 0 {
		t.Errorf("%d events when they are read again, %d properties said", len(healed), len(row.LateSaid))
	}
}
