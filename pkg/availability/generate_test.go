package availability_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

var (
	cases = flag.Int("cases", 20_000, "seeded cases of each property test")
	seed  = flag.Uint64("seed", 1, "seed of the first case")
)

// eachCase runs test with a generator for each seed, until one fails.
func eachCase(t *testing.T, test func(t *testing.T, g *generator)) {
	t.Helper()
	t.Parallel()
	n := *cases
	if testing.Short() {
		n = min(n, 2_000)
	}
	for s := *seed; s < *seed+uint64(n) && !t.Failed(); s++ {
		test(t, &generator{rand.New(rand.NewPCG(s, 0)), s})
	}
}

// generator makes records, changes of records and windows that are small enough for all to collide.
type generator struct {
	*rand.Rand
	seed uint64
}

// String says how to run this case alone.
func (g *generator) String() string { return fmt.Sprintf("-seed %d -cases 1", g.seed) }

const span = 60 // nights in which a case takes place

func today() ownerrez.Date { return ownerrez.NewDate(2026, time.November, 24) }
func now() time.Time       { return time.Date(2026, time.November, 24, 15, 30, 0, 0, time.UTC) }
func (g *generator) night() ownerrez.Date {
	return today().AddDays(g.IntN(span) - span/3)
}

func (g *generator) chance(percent int) bool { return g.IntN(100) < percent }

func (g *generator) stay() availability.Stay {
	s := availability.Stay{Booking: int64(1 + g.IntN(20)), Cause: availability.Cause(1 + g.IntN(7)), Arrival: g.night()}
	s.Departure = s.Arrival.AddDays(1 + g.IntN(9))
	if g.chance(5) {
		s.Departure = s.Arrival.AddDays(span)
	}
	if s.Cause == availability.CauseHold && g.chance(80) {
		s.Until = now().Unix() + int64(g.IntN(5)-2)
	}
	return s
}

func (g *generator) doubt() availability.Doubt {
	d := availability.Doubt{From: g.night(), Why: fmt.Sprintf("why %d", g.IntN(3))}
	d.To = d.From.AddDays(1 + g.IntN(9))
	if g.chance(60) {
		d.Booking = int64(1 + g.IntN(20))
	}
	return d
}

func (g *generator) record() availability.Record {
	r := availability.Record{Property: 4401, Name: "Pine Cabin", Zone: "America/Chicago", Known: g.chance(85), Gone: g.chance(10)}
	for range g.IntN(12) {
		r.Put(g.stay())
	}
	for range g.IntN(3) {
		r.AddDoubt(g.doubt())
	}
	return r
}

// edited returns r after something happened to it.
func (g *generator) edited(r availability.Record) availability.Record {
	r = r.Clone()
	for range g.IntN(4) {
		switch g.IntN(4) {
		case 0, 1:
			r.Put(g.stay())
		case 2:
			r.Remove(int64(1 + g.IntN(20)))
		case 3:
			r.AddDoubt(g.doubt())
		}
	}
	return r
}

func (g *generator) window() availability.Range {
	from := g.night()
	return availability.Range{From: from, To: from.AddDays(g.IntN(span) - 2)} // may be none, or less
}

func (g *generator) view() availability.View {
	v := availability.View{Now: now(), AsOf: now().Add(-time.Duration(g.IntN(5)) * time.Hour), StaleAfter: 2 * time.Hour, Window: g.window()}
	if g.chance(5) {
		v.AsOf = time.Time{}
	}
	return v
}

// nights yields all nights that a case can have, and some on either side.
func nights(yield func(ownerrez.Date) bool) {
	end := today().AddDays(2 * span)
	for d := today().AddDays(-span / 2); d.Before(end); d = d.AddDays(1) {
		if !yield(d) {
			return
		}
	}
}
