package ownerreztest_test

import (
	"maps"
	"math/rand/v2"
	"net/http"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// diff says how two worlds differ, if they do.
func diff(want, got any) string {
	if reflect.DeepEqual(want, got) {
		return "" // much quicker than cmp
	}
	return cmp.Diff(want, got, cmp.Comparer(func(a, b ownerrez.Date) bool { return a == b }))
}

// demoAt is a demo world whose clock the test moves.
func demoAt(seed int64, now *time.Time) *ownerreztest.Server {
	return ownerreztest.Demo(seed, func() time.Time { return *now })
}

// TestDemoIsAFunctionOfTheClock: a server that lived through weeks, forwards and backwards, shows the same as
// one that starts at that instant.
func TestDemoIsAFunctionOfTheClock(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	now := noon
	old := demoAt(5, &now)
	for range 100 {
		now = noon.Add(time.Duration(random.Int64N(int64(20 * 24 * time.Hour))))
		if random.IntN(3) == 0 {
			old.Taken(ownerreztest.DemoAccount, 4401, ownerrez.DateOf(now))
		}
		fresh := demoAt(5, &now)
		if diff := diff(fresh.Bookings(ownerreztest.DemoAccount), old.Bookings(ownerreztest.DemoAccount)); diff != "" {
			t.Fatalf("at %v:\n%s", now, diff)
		}
	}
	if diff(byID(demoAt(6, &now)), byID(old)) == "" {
		t.Error("another seed shows the same world")
	}
}

// TestDemoRowsOverHTTP: two servers that were asked differently before answer alike, to the letter.
func TestDemoRowsOverHTTP(t *testing.T) {
	now := noon
	one, two := demoAt(1, &now), demoAt(1, &now)
	ask := func(s *ownerreztest.Server) string {
		c := call(t, s)
		c.prep = func(r *http.Request) {
			r.Header.Set("User-Agent", "x/1")
			r.SetBasicAuth(ownerreztest.DemoEmail, ownerreztest.DemoPAT)
		}
		return c.get("/v2/bookings?limit=100&since_utc="+now.Add(-48*time.Hour).Format(time.RFC3339)).body + c.get("/v2/properties").body
	}
	for range 50 {
		ask(one)
		now = now.Add(7 * time.Minute)
	}
	if a, b := ask(one), ask(two); a != b || len(a) < 5000 {
		t.Errorf("%s\n%s", a, b)
	}
}

// TestDemoStaysDoNotOverlap: at no time do two stays share a night, and the rows make sense.
func TestDemoStaysDoNotOverlap(t *testing.T) {
	for seed := range int64(4) {
		now := noon.AddDate(int(-10*seed), 0, 0) // down to 1996
		s := demoAt(seed, &now)
		for range 150 {
			now = now.Add(97 * time.Minute)
			type place struct {
				property int64
				night    ownerrez.Date
			}
			taken := map[place]int64{}
			for _, b := range s.Bookings(ownerreztest.DemoAccount) {
				if b.CreatedUTC.After(b.UpdatedUTC) || b.UpdatedUTC.After(now) || !b.Arrival.Before(b.Departure) || b.PropertyID < 4401 || b.PropertyID > 4405 || b.ID <= 0 {
					t.Fatalf("seed %d at %v: %+v", seed, now, b)
				}
				for night := b.Arrival; night.Before(b.Departure) && b.Status != "canceled"; night = night.AddDays(1) {
					key := place{b.PropertyID, night}
					if taken[key] != 0 {
						t.Fatalf("seed %d at %v: %d and %d share %v", seed, now, taken[key], b.ID, night)
					}
					taken[key] = b.ID
				}
			}
		}
	}
}

// TestDemoHasEverything that there is to see, at any time.
func TestDemoHasEverything(t *testing.T) {
	now := noon
	s := demoAt(1, &now)
	zones := map[string]bool{}
	for _, p := range s.Properties(ownerreztest.DemoAccount) {
		zones[p.TimeZone] = true
		if _, err := time.LoadLocation(p.TimeZone); err != nil || p.Name == "" {
			t.Errorf("%+v: %v", p, err)
		}
	}
	if len(s.Properties(ownerreztest.DemoAccount)) != 5 || len(zones) != 3 {
		t.Errorf("zones %v", zones)
	}
	for range 100 {
		now = now.Add(5*time.Hour + 13*time.Minute)
		kinds := map[string]int{}
		rows := s.Bookings(ownerreztest.DemoAccount)
		oldest := rows[0].Departure
		for _, b := range rows {
			kinds[b.Type]++
			kinds[b.Status]++
			if b.Departure.Before(oldest) {
				oldest = b.Departure
			}
			if b.Type == "quote_hold" && b.PendingUntilUTC.After(now) {
				kinds["hold that has not lapsed"]++
			}
		}
		for _, kind := range []string{"booking", "block", "quote_hold", "owner", "linked_availability", "active", "pending", "canceled", "hold that has not lapsed"} {
			if kinds[kind] == 0 {
				t.Fatalf("at %v: no %s among %v", now, kind, kinds)
			}
		}
		if days := oldest.DaysUntil(ownerrez.DateOf(now)); days < 385 || days > 400 {
			t.Fatalf("at %v: the oldest stay departed %d days ago", now, days)
		}
		if len(rows) < 300 || len(rows) > 900 {
			t.Fatalf("at %v: %d rows", now, len(rows))
		}
	}
}

// TestDemoEvents: every few minutes something happens, of every kind, and nothing that happened lately stays for ever.
func TestDemoEvents(t *testing.T) {
	now := noon
	s := demoAt(1, &now)
	before := byID(s)
	kinds, quiet, longest := map[string]int{}, 0, 0
	for range 16 * 60 {
		now = now.Add(90 * time.Second)
		after := byID(s)
		quiet++
		for id, b := range after {
			was, known := before[id]
			switch {
			case known && was.UpdatedUTC.Equal(b.UpdatedUTC):
				delete(before, id)
				continue
			case !known:
				kinds["new "+b.Type]++
			case was.Type != b.Type:
				kinds[was.Type+" becomes "+b.Type]++
			case was.Status != b.Status:
				kinds[b.Status]++
			case was.PropertyID != b.PropertyID:
				kinds["moved house"]++
			case was.Arrival != b.Arrival || was.Departure != b.Departure:
				kinds["moved dates"]++
			}
			longest, quiet = max(longest, quiet), 0
			delete(before, id)
		}
		for _, gone := range before {
			kinds["gone "+gone.Type]++
		}
		before = after
	}
	for _, kind := range []string{
		"new booking", "new quote_hold", "new block", "quote_hold becomes booking", "block becomes booking", "canceled",
		"moved house", "moved dates", "gone quote_hold", "gone booking",
	} {
		if kinds[kind] < 10 {
			t.Errorf("%q happened %d times in a day: %v", kind, kinds[kind], kinds)
		}
	}
	if longest > 6 {
		t.Errorf("nothing happened for %d times 90 seconds", longest)
	}
}

func byID(s *ownerreztest.Server) map[int64]ownerreztest.Booking {
	all := map[int64]ownerreztest.Booking{}
	for _, b := range s.Bookings(ownerreztest.DemoAccount) {
		all[b.ID] = b
	}
	return all
}

// TestDemoChangesAreToldBySince: whoever asks every quarter of an hour by since_utc, and leaves out what is
// gone, knows the world.
func TestDemoChangesAreToldBySince(t *testing.T) {
	now := noon
	s := demoAt(3, &now)
	known := byID(s)
	for range 100 {
		cursor := now.Add(-time.Second)
		now = now.Add(15 * time.Minute)
		truth := byID(s)
		for id, b := range truth {
			if !b.UpdatedUTC.Before(cursor) {
				known[id] = b
			}
		}
		maps.DeleteFunc(known, func(id int64, _ ownerreztest.Booking) bool { _, there := truth[id]; return !there })
		if diff := diff(truth, known); diff != "" {
			t.Fatalf("at %v:\n%s", now, diff)
		}
	}
}

// TestDemoKeepsWhatIsPut beside its own rows, with an id of its own.
func TestDemoKeepsWhatIsPut(t *testing.T) {
	now := noon
	s := demoAt(1, &now)
	id := s.Put(ownerreztest.DemoAccount, ownerreztest.Booking{PropertyID: 4401, Arrival: day(1), Departure: day(2)})
	now = now.Add(30 * 24 * time.Hour)
	if !slices.ContainsFunc(s.Bookings(ownerreztest.DemoAccount), func(b ownerreztest.Booking) bool { return b.ID == id }) {
		t.Error("it is gone")
	}
}

// TestDemoLogIsBounded, since it may run for months.
func TestDemoLogIsBounded(t *testing.T) {
	s := ownerreztest.Demo(1, nil, ownerreztest.WithQuirks(ownerreztest.Quirks{RateLimitOff: true}))
	c := call(t, s)
	for range 1100 {
		c.get("/v2/users/me")
	}
	if all := s.Requests(); len(all) != 1000 || all[999].N != 1100 || s.Count() != 1100 {
		t.Errorf("%d requests, %d counted", len(all), s.Count())
	}
}
