package lookup_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// subscriber is a connected account that OwnerRez posts to.
func subscriber(t *testing.T) *guest {
	t.Helper()
	g := newGuest(t, ownerreztest.Quirks{})
	g.arrive("")
	g.wakeFor(lookup.ReasonConnected)
	wait(time.Hour)
	g.lookup()
	return g
}

// change changes something at OwnerRez, and returns which booking.
func (g *guest) changeSomething(random *rand.Rand) int64 {
	day := ownerrez.DateOf(time.Now().UTC()).AddDays(random.IntN(300))
	ids := g.bookings()
	id := ids[random.IntN(len(ids))]
	g.change(func() {
		switch random.IntN(4) {
		case 0:
			id = g.server.Put(testAccount, ownerreztest.Booking{PropertyID: 4401, Arrival: day, Departure: day.AddDays(2)})
		case 1:
			if len(ids) > 3 {
				g.server.Delete(testAccount, id)
			}
		default:
			g.server.Update(testAccount, id, func(b *ownerreztest.Booking) { b.Departure = b.Arrival.AddDays(1 + random.IntN(12)) })
		}
	})
	return id
}

// A quiet year in which every webhook comes, some only after a lookup has found the change, some twice: no alarm.
func TestNoFalseAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := subscriber(t)
		random := rand.New(rand.NewPCG(1, 1))
		for range 180 { // two days each
			wait(time.Duration(random.IntN(48)) * time.Hour)
			g.lookup()
			id := g.changeSomething(random)
			if random.IntN(2) == 0 {
				g.lookup()
			}
			wait(time.Duration(random.IntN(14)) * time.Minute)
			for range 1 + random.IntN(2) {
				g.webhook(id)
			}
			if random.IntN(9) == 0 { // a hold comes and lapses, of which nothing is told
				hold := g.hold(4401, 400+random.IntN(50), time.Now().Add(time.Hour))
				g.lookup()
				wait(2 * time.Hour)
				g.change(func() { g.server.Delete(testAccount, hold) })
				g.lookup()
			}
			for range 3 {
				wait(15 * time.Minute)
				if out := g.lookup(); out.Silent {
					t.Fatalf("%s: a false alarm: %+v", time.Now(), g.snapshot().Account.Silence)
				}
			}
		}
		if missed := g.snapshot().Account.Silence.Missed; missed > 0 {
			t.Errorf("%d missed", missed)
		}
	})
}

// Webhooks fall silent: after three changes it is told, counted once, and the subscriptions are made anew, once a day at
// most. One that comes ends it.
func TestSilentWebhooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := subscriber(t)
		random := rand.New(rand.NewPCG(2, 2))
		first := g.server.Subscriptions(testAccount)
		alarms, made := 0, 0
		var last int64
		for range 40 {
			last = g.changeSomething(random)
			for range 4 {
				wait(15 * time.Minute)
				out := g.lookup()
				if out.Silent {
					alarms++
				}
			}
			now := g.server.Subscriptions(testAccount)
			if len(now) != 3 {
				t.Fatalf("%d subscriptions", len(now))
			}
			if now[0].ID != first[0].ID {
				made, first = made+1, now
			}
		}
		row := g.snapshot().Account
		if alarms != 1 || made != 2 || row.Silence.Since.IsZero() || row.Status != lookup.StatusOK {
			t.Errorf("%d alarms, made anew %d times in 40 hours, %+v", alarms, made, row.Silence)
		}
		if len(row.Problems) != 1 || !strings.Contains(row.Problems[0].Message, "webhooks") {
			t.Errorf("%+v", row.Problems)
		}
		g.webhook(last)
		wait(15 * time.Minute)
		g.lookup()
		if row = g.snapshot().Account; !row.Silence.Since.IsZero() || len(row.Problems) > 0 {
			t.Errorf("after a webhook: %+v, %+v", row.Silence, row.Problems)
		}
	})
}
