package availability_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
)

func TestDiff(t *testing.T) {
	const (
		booking, block       = availability.CauseBooking, availability.CauseBlock
		unknown, free, taken = availability.Unknown, availability.Free, availability.Taken
		none                 = availability.NoCause
	)
	type changes = []availability.Change
	change := func(from, to int, was, now availability.State, cause availability.Cause, booking int64, reason string) availability.Change {
		return availability.Change{From: day(from), To: day(to), Was: was, Now: now, Cause: cause, Booking: booking, Reason: reason}
	}
	gone := func(r availability.Record) availability.Record { r.Gone = true; return r }
	doubt := func(r availability.Record, booking int64, from, to int, why string) availability.Record {
		r.AddDoubt(availability.Doubt{Booking: booking, From: day(from), To: day(to), Why: why})
		return r
	}
	tests := map[string]struct {
		was, now availability.Record // the window is from 10 to 20
		want     changes
	}{
		"nothing happened": {known(stay(1, 12, 14, booking)), known(stay(1, 12, 14, booking)), nil},
		"a new booking": {known(), known(stay(1, 12, 14, booking)),
			changes{change(12, 14, free, taken, booking, 1, "")}},
		"one canceled": {known(stay(1, 12, 14, booking)), known(),
			changes{change(12, 14, taken, free, none, 0, "")}},
		"one that was moved by a night": {known(stay(1, 12, 14, booking)), known(stay(1, 13, 15, booking)),
			changes{change(12, 13, taken, free, none, 0, ""), change(14, 15, free, taken, booking, 1, "")}},
		"a hold that became a booking": {known(stay(1, 12, 14, availability.CauseHold)), known(stay(1, 12, 14, booking)),
			changes{change(12, 14, taken, taken, booking, 1, "")}},
		"a hold that was renewed": {known(lapsed(1, 12, 14)), known(stay(1, 12, 14, availability.CauseHold)), nil},
		"another booking": {known(stay(1, 12, 14, booking), stay(2, 14, 16, booking)), known(stay(3, 12, 16, booking)),
			changes{change(12, 16, taken, taken, booking, 3, "")}},
		"a block under a booking": {known(stay(1, 12, 14, booking)), known(stay(1, 12, 14, booking), stay(2, 11, 15, block)),
			changes{change(11, 12, free, taken, block, 2, ""), change(14, 15, free, taken, block, 2, "")}},
		"before the window nothing is said": {known(stay(1, 2, 5, booking), stay(2, 6, 12, booking)), known(),
			changes{change(10, 12, taken, free, none, 0, "")}},
		"beyond the window everything is": {known(stay(1, 25, 28, booking)), known(stay(2, 18, 26, block)),
			changes{change(18, 25, free, taken, block, 2, ""), change(25, 26, taken, taken, block, 2, ""), change(26, 28, taken, free, none, 0, "")}},
		"a doubt": {known(), doubt(known(), 5, 12, 25, "a"),
			changes{change(12, 25, free, unknown, none, 0, "a")}},
		"another reason is no change": {doubt(known(), 5, 12, 25, "a"), doubt(known(), 5, 12, 25, "b"), nil},
		"the first read": {availability.Record{}, doubt(known(stay(1, 8, 12, booking), stay(2, 30, 33, block)), 0, 15, 24, "a"),
			changes{change(10, 12, unknown, taken, booking, 1, ""), change(12, 15, unknown, free, none, 0, ""),
				change(15, 24, unknown, unknown, none, 0, "a"), change(30, 33, unknown, taken, block, 2, "")}},
		"gone": {known(stay(1, 8, 12, booking), stay(2, 30, 33, block)), gone(known(stay(1, 8, 12, booking), stay(2, 30, 33, block))),
			changes{change(10, 12, taken, unknown, none, 0, "gone"), change(12, 20, free, unknown, none, 0, "gone"),
				change(30, 33, taken, unknown, none, 0, "gone")}},
		"back": {gone(doubt(known(stay(1, 30, 33, block)), 0, 40, 41, "a")), known(stay(2, 12, 13, booking)),
			changes{change(10, 12, unknown, free, none, 0, ""), change(12, 13, unknown, taken, booking, 2, ""),
				change(13, 20, unknown, free, none, 0, ""), change(30, 33, unknown, free, none, 0, ""), change(40, 41, unknown, free, none, 0, "")}},
		"still gone":              {gone(known()), gone(known(stay(1, 12, 14, booking))), nil},
		"still never read":        {availability.Record{}, availability.Record{Name: "Pine"}, nil},
		"gone before it was read": {availability.Record{}, gone(availability.Record{}), nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := availability.Diff(test.was, test.now, availability.Range{From: day(10), To: day(20)})
			if diff := cmp.Diff(test.want, got, dates); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
		})
	}
}
