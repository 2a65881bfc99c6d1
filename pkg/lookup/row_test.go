package lookup

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// A booking that has left nights of a property that is not ours leaves no record of it behind.
func TestLeftPropertyOfOthers(t *testing.T) {
	row := Account{ID: 7, Properties: map[int64]PropertyState{1: {}}}
	r := newRun(&row, Settings{}, time.Unix(1e9, 0).UTC())
	r.ledger = newLedger([]availability.Record{{Property: 1, Known: true}})
	first := ownerrez.NewDate(2026, time.December, 1)
	nights := availability.Range{From: first, To: first.AddDays(2)}
	r.torn = []stretch{{1, nights}, {7777, nights}}
	r.doubtDepartures()
	if len(r.ledger.records) != 1 || len(r.ledger.record(1).Doubts) != 1 || len(r.wanted) != 1 {
		t.Errorf("%+v, %v", r.ledger.all(), r.wanted)
	}
}

// The account's row does not grow without end. Forgotten is of which least is known.
func TestRowIsBounded(t *testing.T) {
	now := time.Unix(1e9, 0).UTC()
	row := Account{ID: 7, Status: StatusOK, Suspects: map[int64]Suspect{}, Properties: map[int64]PropertyState{}}
	r := newRun(&row, Settings{}, now)
	for i := range int64(1200) {
		row.Properties[i+1] = PropertyState{Baseline: now}
		r.fail(i+1, errShare)
	}
	for i := range int64(4000) {
		row.Suspects[10_000+i] = Suspect{Property: 1, Kept: now}
		row.Suspects[20_000+i] = Suspect{Property: 1, NotFound: now.Add(time.Duration(-i) * time.Minute)}
	}
	r.finish()
	data, err := json.Marshal(row)
	if err != nil || len(data) > engineItem {
		t.Errorf("the row has %d bytes, %v", len(data), err)
	}
	kept, unproven := 0, 0
	for _, s := range row.Suspects {
		if s.NotFound.IsZero() {
			kept++
		} else {
			unproven++
		}
	}
	if unproven < 500 || kept > 0 || row.Suspects[23_999].NotFound.IsZero() {
		t.Errorf("%d unproven and %d kept suspects are remembered", unproven, kept)
	}
	if len(row.Problems) != 100 || !strings.Contains(row.Problems[99].Message, "1100 more") {
		t.Errorf("%d problems: %v", len(row.Problems), row.Problems[99])
	}
}

// A booking that a run left in two records, since it was cut short between two commits, leaves the one where it is
// not any more as soon as its row is seen.
func TestBookingInTwoRecords(t *testing.T) {
	stay := availability.Stay{Booking: 1, Arrival: day, Departure: day.AddDays(2), Cause: availability.CauseBooking}
	with := func(property int64) availability.Record {
		return availability.Record{Property: property, Known: true, Stays: []availability.Stay{stay}}
	}
	for _, home := range []int64{10, 20, 30} {
		l := newLedger([]availability.Record{with(10), with(20), with(30)})
		l.apply(availability.Reading{Booking: 1, Property: home, Stay: stay, Occupies: true})
		for _, property := range []int64{10, 20, 30} {
			if stays := len(l.record(property).Stays); (stays == 1) != (property == home) {
				t.Errorf("at home in %d, property %d has %d stays", home, property, stays)
			}
		}
		l = newLedger([]availability.Record{with(10), with(20), with(30)})
		l.remove(1)
		for _, rec := range l.all() {
			if len(rec.Stays) != 0 {
				t.Errorf("after it is gone, property %d has it", rec.Property)
			}
		}
	}
}

// A lapse that a run has left does not make its account due at once, again and again.
func TestNextDue(t *testing.T) {
	now := time.Unix(1e9, 0).UTC()
	for _, test := range []struct {
		lapse, want time.Duration // after the last run began
		failures    int
	}{
		{-time.Minute, 5 * time.Minute, 0}, {0, 5 * time.Minute, 0}, {time.Minute, time.Minute, 0},
		{10 * time.Minute, 5 * time.Minute, 0}, {time.Minute, 5 * time.Minute, 1},
	} {
		a := Account{RunBegan: now, Due: now.Add(5 * time.Minute), NextLapse: now.Add(test.lapse), Failures: test.failures}
		if got := a.nextDue(); !got.Equal(now.Add(test.want)) {
			t.Errorf("with a lapse after %s and %d failures it is due after %s", test.lapse, test.failures, got.Sub(now))
		}
	}
}
