package availability_test

import (
	"maps"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// dates lets cmp compare dates as == does.
var dates = cmpopts.EquateComparable(ownerrez.Date{})

// The stored calendar is what the oracle says of each night, in spans as long as they can be, without a gap.
func TestStoredIsTheOracles(t *testing.T) {
	eachCase(t, func(t *testing.T, g *generator) {
		r, want := g.record(), g.window()
		at := want.From
		spans := r.Stored(want.From, want.To)
		for i, s := range spans {
			if s.From != at || !s.From.Before(s.To) {
				t.Fatalf("%v: span %v does not begin where the one before ended (%v)", g, s, at)
			}
			for at = s.From; at.Before(s.To); at = at.AddDays(1) {
				if got, want := (said{s.State, s.Cause, s.Booking, s.Reason}), oracleStored(r, at); got != want {
					t.Fatalf("%v: %v is %v, want %v, in\n%v", g, at, got, want, r)
				}
			}
			if i > 0 && sameButNights(spans[i-1], s) {
				t.Fatalf("%v: spans %v and %v should be one", g, spans[i-1], s)
			}
		}
		if at != want.To && want.From.Before(want.To) {
			t.Fatalf("%v: the calendar ends on %v, want %v", g, at, want.To)
		}
	})
}

func sameButNights(a, b availability.Span) bool {
	a.From, a.To = b.From, b.To
	return a == b
}

// The shown calendar is what the oracle says of each night.
func TestShowIsTheOracles(t *testing.T) {
	eachCase(t, func(t *testing.T, g *generator) {
		r, v, asked := g.record(), g.view(), g.window()
		var want []availability.Night
		for d := asked.From; d.Before(asked.To); d = d.AddDays(1) {
			want = append(want, oracleShow(r, v, d))
		}
		if got := r.Show(v, asked.From, asked.To); !reflect.DeepEqual(got, want) {
			t.Fatalf("%v: shown (-want +got):\n%s\nof %v\nat %v", g, cmp.Diff(want, got, dates), r, v)
		}
	})
}

// Diff says of each night what the oracle says, each night once, in order, in stretches as long as they can be.
func TestDiffIsTheOracles(t *testing.T) {
	eachCase(t, func(t *testing.T, g *generator) {
		was, window := g.record(), g.window()
		now := g.edited(was)
		if g.chance(30) {
			now = g.record()
		}
		changes := availability.Diff(was, now, window)
		got := make(map[ownerrez.Date]changed)
		for i, c := range changes {
			if !c.From.Before(c.To) || i > 0 && c.From.Before(changes[i-1].To) {
				t.Fatalf("%v: changes out of order: %v", g, changes)
			}
			if i > 0 && c.From == changes[i-1].To && onlyNightsDiffer(c, changes[i-1]) {
				t.Fatalf("%v: changes %v and %v should be one", g, changes[i-1], c)
			}
			for d := c.From; d.Before(c.To); d = d.AddDays(1) {
				got[d] = changed{c.Was, said{c.Now, c.Cause, c.Booking, c.Reason}}
			}
		}
		want := make(map[ownerrez.Date]changed)
		for d := range nights {
			if c, listed := oracleDiff(was, now, window, d); listed {
				want[d] = c
			}
		}
		if !maps.Equal(got, want) {
			t.Fatalf("%v: changes (-want +got):\n%s\nfrom %v\nto   %v\nin %v", g, cmp.Diff(want, got, dates), was, now, window)
		}
	})
}

func onlyNightsDiffer(a, b availability.Change) bool {
	a.From, a.To = b.From, b.To
	return a == b
}

// Who follows the changes of a property from its first event, and takes for free what none of them named, has
// the stored calendar after each of them: while windows move on, records are pruned, the property is gone and
// comes back.
func TestChangesAddUpToTheStoredCalendar(t *testing.T) {
	eachCase(t, func(t *testing.T, g *generator) {
		was := availability.Record{Property: 4401}
		window := g.window()
		follower := make(map[ownerrez.Date]said)
		for step := range 6 {
			now := was.Clone()
			switch {
			case was.Gone && g.chance(50): // nobody reads it
			case was.Gone: // back, by a full read
				now = g.record()
				now.Known, now.Gone = true, false
			case was.Known && g.chance(15): // gone: it keeps what it has
				now.Gone = true
			default:
				now = g.edited(was)
				now.Known = was.Known || g.chance(70)
			}
			move := g.IntN(3)
			window = availability.Range{From: window.From.AddDays(move), To: window.To.AddDays(move)}
			now.Prune(window.From)
			for _, c := range availability.Diff(was, now, window) {
				for d := c.From; d.Before(c.To); d = d.AddDays(1) {
					follower[d] = said{c.Now, c.Cause, c.Booking, ""}
				}
			}
			was = now
			if !now.Known || now.Gone {
				continue
			}
			for d := range nights {
				got, named := follower[d]
				if !named {
					got.State = availability.Free
				}
				want := oracleStored(now, d)
				want.Reason = ""
				if !d.Before(window.From) && got != want {
					t.Fatalf("%v: after step %d a follower has %v for %v, want %v, in\n%v", g, step, got, d, want, now)
				}
			}
		}
	})
}

// The edge of the window that moves over midnight, with all that is pruned then, is no change.
func TestMovingWindowChangesNothing(t *testing.T) {
	eachCase(t, func(t *testing.T, g *generator) {
		was, window := g.record(), g.window()
		was.Prune(window.From)
		now := was.Clone()
		window = availability.Range{From: window.From.AddDays(1), To: window.To.AddDays(1)}
		now.Prune(window.From)
		if changes := availability.Diff(was, now, window); len(changes) > 0 {
			t.Fatalf("%v: %v", g, changes)
		}
	})
}
