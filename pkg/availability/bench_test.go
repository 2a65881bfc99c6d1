package availability_test

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// busy returns a record of n stays of 1 to 14 nights, each beginning up to 9 nights after the one before, so
// that many of them share nights.
func busy(n int) availability.Record {
	g := rand.New(rand.NewPCG(1, 2))
	r := availability.Record{Property: 4401, Name: "Pine Cabin", Zone: "America/Chicago", Known: true}
	arrival := today().AddDays(-30)
	for i := range n {
		arrival = arrival.AddDays(g.IntN(10))
		s := availability.Stay{Booking: 900_000 + int64(i*7), Arrival: arrival, Departure: arrival.AddDays(1 + g.IntN(14)), Cause: availability.Cause(1 + g.IntN(7))}
		if s.Cause == availability.CauseHold {
			s.Until = now().Unix() + int64(g.IntN(2e6)) - 1e6
		}
		r.Put(s)
	}
	return r
}

// timed is a stay or a merged stretch as it is written where days are times.
type timed struct {
	from, to time.Time
	cause    availability.Cause
	booking  int64
}

// timedNight is one night of one stay.
type timedNight struct {
	night   time.Time
	cause   availability.Cause
	booking int64
}

func (n timedNight) stronger(o timedNight) bool {
	return n.cause < o.cause || n.cause == o.cause && n.booking < o.booking
}

func timeStays(r availability.Record) []timed {
	var all []timed
	for _, s := range r.Stays {
		all = append(all, timed{s.Arrival.In(time.UTC), s.Departure.In(time.UTC), s.Cause, s.Booking})
	}
	return all
}

// mergeArray merges stays by an array of all their nights.
func mergeArray(stays []timed) []timed {
	var nights []timedNight
	for _, s := range stays {
		for night := s.from; night.Before(s.to); night = night.AddDate(0, 0, 1) {
			nights = append(nights, timedNight{night, s.cause, s.booking})
		}
	}
	slices.SortFunc(nights, func(a, b timedNight) int {
		return cmp.Or(a.night.Compare(b.night), cmp.Compare(a.cause, b.cause), cmp.Compare(a.booking, b.booking))
	})
	nights = slices.CompactFunc(nights, func(a, b timedNight) bool { return a.night.Equal(b.night) })
	return mergeNights(nights)
}

// mergeMap merges stays by a map of all their nights.
func mergeMap(stays []timed) []timed {
	strongest := make(map[time.Time]timedNight)
	for _, s := range stays {
		for night := s.from; night.Before(s.to); night = night.AddDate(0, 0, 1) {
			n := timedNight{night, s.cause, s.booking}
			if old, found := strongest[night]; !found || n.stronger(old) {
				strongest[night] = n
			}
		}
	}
	nights := slices.SortedFunc(maps.Values(strongest), func(a, b timedNight) int { return a.night.Compare(b.night) })
	return mergeNights(nights)
}

func mergeNights(nights []timedNight) []timed {
	var merged []timed
	for _, n := range nights {
		i := len(merged) - 1
		if i < 0 || !merged[i].to.Equal(n.night) || merged[i].cause != n.cause || merged[i].booking != n.booking {
			merged = append(merged, timed{from: n.night, cause: n.cause, booking: n.booking})
			i++
		}
		merged[i].to = n.night.AddDate(0, 0, 1)
	}
	return merged
}

// bounds are the nights that the record's stays lie in.
func bounds(r availability.Record) (from, to ownerrez.Date) {
	for _, s := range r.Stays {
		if s.Departure.After(to) {
			to = s.Departure
		}
	}
	return r.Stays[0].Arrival, to
}

// otherWays are what the sweep is measured by.
var otherWays = []struct {
	name  string
	merge func([]timed) []timed
}{{"array", mergeArray}, {"map", mergeMap}}

// What the merges are compared by has to be the same.
func TestMergesAgree(t *testing.T) {
	r := busy(1000)
	from, to := bounds(r)
	var want []timed
	for _, s := range r.Stored(from, to) {
		if s.State == availability.Taken {
			want = append(want, timed{s.From.In(time.UTC), s.To.In(time.UTC), s.Cause, s.Booking})
		}
	}
	for _, way := range otherWays {
		if got := way.merge(timeStays(r)); !slices.Equal(got, want) {
			t.Errorf("the merge by %s of nights has %d stretches, want %d", way.name, len(got), len(want))
		}
	}
}

// BenchmarkMerge merges 1,000 stays with cause and id: as the stored calendar does, and by an array and a map
// of time.Time nights. There "times-faster" is how much faster the stored calendar was, timed in turns with it.
func BenchmarkMerge(b *testing.B) {
	r := busy(1000)
	from, to := bounds(r)
	stays := timeStays(r)
	b.Run("stored", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r.Stored(from, to)
		}
	})
	for _, way := range otherWays {
		b.Run(way.name, func(b *testing.B) {
			b.ReportAllocs()
			var ours time.Duration
			for b.Loop() {
				way.merge(stays)
				b.StopTimer()
				began := time.Now()
				r.Stored(from, to)
				ours += time.Since(began)
				b.StartTimer()
			}
			b.ReportMetric(float64(b.Elapsed())/float64(ours), "times-faster")
		})
	}
}

func BenchmarkShow731Nights(b *testing.B) {
	r := busy(200)
	v := availability.View{Now: now(), AsOf: now(), StaleAfter: time.Hour}
	v.Window = availability.Range{From: today().AddDays(-30), To: today().AddDays(730)}
	b.ReportAllocs()
	for b.Loop() {
		r.Show(v, today(), today().AddDays(731))
	}
}

func BenchmarkDiff(b *testing.B) {
	was := busy(1000)
	now := was.Clone()
	now.Remove(now.Stays[500].Booking)
	window := availability.Range{From: today().AddDays(-30), To: today().AddDays(730)}
	b.ReportAllocs()
	for b.Loop() {
		availability.Diff(was, now, window)
	}
}

func BenchmarkEqual(b *testing.B) {
	r := busy(3000)
	same := r.Clone()
	b.ReportAllocs()
	for b.Loop() {
		r.Equal(same)
	}
}

func BenchmarkRecordBytes(b *testing.B) {
	r := busy(3000)
	data := availability.AppendRecord(nil, r)
	b.Run("append", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			data = availability.AppendRecord(data[:0], r)
		}
	})
	b.Run("parse", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := availability.ParseRecord(data); err != nil {
				b.Fatal(err)
			}
		}
	})
}
