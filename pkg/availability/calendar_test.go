package availability_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

func free(from, to int) availability.Span {
	return availability.Span{From: day(from), To: day(to), State: availability.Free}
}

func taken(from, to int, cause availability.Cause, booking int64) availability.Span {
	return availability.Span{From: day(from), To: day(to), State: availability.Taken, Cause: cause, Booking: booking}
}

func unknown(from, to int, reason string) availability.Span {
	return availability.Span{From: day(from), To: day(to), Reason: reason}
}

func TestStored(t *testing.T) {
	const (
		booking, hold, block, linked = availability.CauseBooking, availability.CauseHold, availability.CauseBlock, availability.CauseLinked
		never                        = "never read: no lookup of this property has been complete yet"
	)
	type spans = []availability.Span
	tests := map[string]struct {
		record availability.Record
		doubts []availability.Doubt
		want   spans
	}{
		"nothing": {known(), nil, spans{free(1, 20)}},
		"the night of the departure is free": {
			known(stay(1, 5, 8, booking)), nil, spans{free(1, 5), taken(5, 8, booking, 1), free(8, 20)}},
		"two guests in a row": {
			known(stay(1, 5, 8, booking), stay(2, 8, 9, booking)), nil,
			spans{free(1, 5), taken(5, 8, booking, 1), taken(8, 9, booking, 2), free(9, 20)}},
		"over both edges": {
			known(stay(1, -40, 3, booking), stay(2, 18, 90, block)), nil,
			spans{taken(1, 3, booking, 1), free(3, 18), taken(18, 20, block, 2)}},
		"up to the edges": {
			known(stay(1, -3, 1, booking), stay(2, 20, 22, booking)), nil, spans{free(1, 20)}},
		"over all": {known(stay(1, -40, 90, linked)), nil, spans{taken(1, 20, linked, 1)}},
		"a stronger one inside": {
			known(stay(1, 5, 12, block), stay(2, 7, 9, booking)), nil,
			spans{free(1, 5), taken(5, 7, block, 1), taken(7, 9, booking, 2), taken(9, 12, block, 1), free(12, 20)}},
		"a weaker one inside does not cut": {
			known(stay(2, 5, 12, booking), stay(1, 7, 9, block)), nil,
			spans{free(1, 5), taken(5, 12, booking, 2), free(12, 20)}},
		"the same cause: the smaller booking": {
			known(stay(7, 5, 9, booking), stay(3, 7, 12, booking)), nil,
			spans{free(1, 5), taken(5, 7, booking, 7), taken(7, 12, booking, 3), free(12, 20)}},
		"a lapsed hold is stored as it was": {
			known(lapsed(1, 5, 8)), nil, spans{free(1, 5), taken(5, 8, hold, 1), free(8, 20)}},
		"a doubt, with and without an id": {
			known(), []availability.Doubt{{Booking: 3, From: day(2), To: day(4), Why: "a"}, {From: day(6), To: day(7), Why: "b"}},
			spans{free(1, 2), unknown(2, 4, "a"), free(4, 6), unknown(6, 7, "b"), free(7, 20)}},
		"a stay over a doubt": {
			known(stay(1, 4, 6, linked)), []availability.Doubt{{From: day(2), To: day(8), Why: "a"}},
			spans{free(1, 2), unknown(2, 4, "a"), taken(4, 6, linked, 1), unknown(6, 8, "a"), free(8, 20)}},
		"doubts that overlap: the earlier one's reason": {
			known(), []availability.Doubt{{From: day(4), To: day(8), Why: "b"}, {From: day(2), To: day(5), Why: "a"}},
			spans{free(1, 2), unknown(2, 5, "a"), unknown(5, 8, "b"), free(8, 20)}},
		"not read yet": {
			availability.Record{Stays: []availability.Stay{stay(1, 5, 8, booking)}}, nil, spans{unknown(1, 20, never)}},
		"gone": {
			availability.Record{Known: true, Gone: true, Stays: []availability.Stay{stay(1, 5, 8, booking)}}, nil, spans{unknown(1, 20, "gone")}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for _, d := range test.doubts {
				test.record.AddDoubt(d)
			}
			if diff := cmp.Diff(test.want, test.record.Stored(day(1), day(20)), dates); diff != "" {
				t.Errorf("stored (-want +got):\n%s", diff)
			}
		})
	}
}

// lapsed is a hold whose time was over an hour ago.
func lapsed(booking int64, arrival, departure int) availability.Stay {
	s := stay(booking, arrival, departure, availability.CauseHold)
	s.Until = now().Unix() - 3600
	return s
}

func TestNoNightsNoSpans(t *testing.T) {
	for _, r := range []availability.Record{{}, known(), known(stay(1, 1, 9, availability.CauseBooking))} {
		if got := r.Stored(day(5), day(5)); len(got) > 0 {
			t.Errorf("no nights give %v", got)
		}
		if got := r.Stored(day(5), day(3)); len(got) > 0 {
			t.Errorf("less than no nights give %v", got)
		}
	}
}

// A record that was put together by hand, in any order, with any doubt, calls no night free that is taken or
// doubted, and is itself not touched.
func TestUnorderedRecordsAreNotFree(t *testing.T) {
	eachCase(t, func(t *testing.T, g *generator) {
		r := g.record()
		r.Known, r.Gone = true, false
		if g.chance(50) {
			r.Doubts = append(r.Doubts, availability.Doubt{From: g.night(), To: g.night()})
		}
		g.Shuffle(len(r.Stays), func(i, j int) { r.Stays[i], r.Stays[j] = r.Stays[j], r.Stays[i] })
		before := r.Clone()
		v := g.view()
		for _, n := range r.Show(v, today(), today().AddDays(span)) {
			if want := oracleShow(r, v, n.Date).State; n.State != want {
				t.Fatalf("%v: %v is %v, want %v", g, n.Date, n.State, want)
			}
		}
		for _, s := range r.Stored(today(), today().AddDays(span)) {
			for d := s.From; d.Before(s.To); d = d.AddDays(1) {
				if want := oracleStored(r, d); want.State != s.State || want.Booking != s.Booking {
					t.Fatalf("%v: %v is %v, want %v", g, d, s, want)
				}
			}
		}
		if !slices.Equal(r.Stays, before.Stays) {
			t.Fatalf("%v: the calendar sorted the record's own stays", g)
		}
	})
}

func TestRangeContains(t *testing.T) {
	r := availability.Range{From: day(3), To: day(5)}
	for night, want := range map[ownerrez.Date]bool{day(2): false, day(3): true, day(4): true, day(5): false, {}: false} {
		if r.Contains(night) != want {
			t.Errorf("contains %v: %v, want %v", night, !want, want)
		}
	}
}
