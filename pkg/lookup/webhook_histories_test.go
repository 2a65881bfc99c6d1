package lookup_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

var (
	webhookHistories  = flag.Uint64("webhook-histories", 60, "how many seeded histories of webhooks to live through")
	theWebhookHistory = flag.String("webhook-history", "", "the one history of webhooks to live through, as a failing test tells it")
)

// webhookRounds is of how many rounds a history consists: in each something changes, and something breaks.
const webhookRounds = 12

// TestWebhooksEndToEnd lives through seeded histories: bookings change, OwnerRez posts, and posts, messages and answers
// are lost, doubled, late, out of order or forged; processes die, OwnerRez fails or its clock is wrong, ticks come in
// between. No night is shown free that is taken, every change is published once and in order, and one lookup after the last
// fault the calendar is the truth. Of a history that fails, the least that fails is told.
func TestWebhooksEndToEnd(t *testing.T) {
	if *theWebhookHistory != "" {
		var h hookHistory
		if err := json.Unmarshal([]byte(*theWebhookHistory), &h); err != nil {
			t.Fatal(err)
		}
		h.live(t)
		return
	}
	var lived atomic.Uint64
	var failing atomic.Pointer[hookHistory]
	t.Run("all", func(t *testing.T) {
		for worker := range runtime.GOMAXPROCS(0) {
			t.Run(fmt.Sprint(worker), func(t *testing.T) {
				t.Parallel()
				for failing.Load() == nil {
					n := lived.Add(1) - 1
					if n >= *webhookHistories {
						return
					}
					h := hookHistory{Seed: *firstSeed + n}
					for round := range webhookRounds {
						h.Rounds = append(h.Rounds, round)
					}
					if !h.live(t) {
						failing.Store(&h)
					}
				}
			})
		}
	})
	if h := failing.Load(); h != nil {
		least, _ := json.Marshal(h.least(t))
		t.Fatalf("the least of it that fails: go test ./pkg/lookup -run TestWebhooksEndToEnd -webhook-history '%s'", least)
	}
}

// hookHistory is one that TestWebhooksEndToEnd lives through. What happens in a round depends on nothing but the seed and
// its number, so that a history can be shortened.
type hookHistory struct {
	Seed   uint64
	Rounds []int
}

// live lives through a history, and reports whether all went well.
func (h hookHistory) live(t *testing.T) bool {
	return t.Run(fmt.Sprint(h.Seed), func(t *testing.T) { synctest.Test(t, h.liveWithWebhooks) })
}

// least leaves out the rounds of a history without which it fails too.
func (h hookHistory) least(t *testing.T) hookHistory {
	for i := 0; i < len(h.Rounds); {
		fewer := hookHistory{h.Seed, slices.Delete(slices.Clone(h.Rounds), i, i+1)}
		if fewer.live(t) {
			i++
		} else {
			h = fewer
		}
	}
	return h
}

// round is the source of all that happens in a round.
func (h hookHistory) round(number int) *rand.Rand {
	return rand.New(rand.NewPCG(h.Seed, uint64(number)))
}

func (h hookHistory) liveWithWebhooks(t *testing.T) {
	random := h.round(-1)
	quirks := ownerreztest.Quirks{RateLimitOff: true}
	if random.IntN(2) == 0 {
		quirks = anyQuirks(random)
	}
	g := newGuest(t, quirks)
	g.skew = []time.Duration{0, 0, 0, 2 * time.Second, -2 * time.Second, 10 * time.Minute, -10 * time.Minute}[random.IntN(7)]
	t.Logf("clock off by %s, %+v", g.skew, quirks)
	large := random.IntN(3) == 0
	if large {
		bigWorld(g.house)
	} else {
		g.property(4402, "Pacific/Auckland")
		g.book(4402, 30, 3)
	}
	g.arrive("")
	g.wakeFor(lookup.ReasonConnected)
	g.settle(4)
	o := newPostOffice(g)
	o.blind = random.IntN(4) == 0
	g.server.TakeWebhooks() // those of the beginning
	for _, i := range h.Rounds {
		o.round(h.round(i))
	}
	o.end(large, random.IntN(2) == 0)
}

// end lets all faults be over, and one lookup come, maybe without webhooks that are still to come.
func (o *postOffice) end(large, told bool) {
	o.t.Helper()
	o.server.ClearFaults()
	o.endHolds()
	if large || o.blind { // a delete of which no webhook came is found by a full read, a property that a list lacked by another list
		wait(24 * time.Hour)
	}
	wait(max(15*time.Minute, time.Until(o.snapshot().Account.Due)) + time.Second) // failures are followed by waits
	if told {
		o.server.Deliver(o.t.Context(), o.client)
	}
	o.ticks()
	o.check()
	if wrong := o.differences(); len(wrong) > 0 {
		o.t.Errorf("%d nights differ from the truth: %s", len(wrong), wrong[0])
	}
	if row := o.snapshot().Account; len(row.Noted) > 0 || row.NotedMany || row.Published != row.Seq {
		o.t.Errorf("left to be done: %v, %v, %d of %d published", row.Noted, row.NotedMany, row.Published, row.Seq)
	}
}

// round is some minutes in which bookings change, OwnerRez posts, and things go wrong.
func (o *postOffice) round(random *rand.Rand) {
	for range random.IntN(3) {
		o.changeAnything(random)
		wait(time.Duration(random.IntN(20)) * time.Second)
	}
	o.misfortune(random)
	o.carry(random)
	wait(time.Duration(random.IntN(300)) * time.Second)
	if random.IntN(3) > 0 {
		o.ticks()
	}
	o.job.Store, o.job.Options, o.broken = o.store, nil, false
	if random.IntN(3) == 0 {
		o.server.ClearFaults()
	}
}

// changeAnything changes something at OwnerRez, but for one booking: of an account without any, nothing proves for a day
// that others are gone.
func (g *guest) changeAnything(random *rand.Rand) {
	g.change(func() {
		ids := g.bookings()[1:]
		property := 4401 + random.Int64N(2)
		day := ownerrez.DateOf(time.Now().UTC()).AddDays(random.IntN(600) - 10)
		if len(ids) == 0 || random.IntN(4) == 0 {
			b := ownerreztest.Booking{PropertyID: property, Arrival: day, Departure: day.AddDays(1 + random.IntN(6))}
			if random.IntN(5) == 0 {
				b.Type, b.PendingUntilUTC = "quote_hold", time.Now().Add(time.Duration(random.IntN(60))*time.Minute)
			}
			g.server.Put(testAccount, b)
			return
		}
		id := ids[random.IntN(len(ids))]
		update := func(change func(*ownerreztest.Booking)) { g.server.Update(testAccount, id, change) }
		switch random.IntN(7) {
		case 0:
			g.server.Delete(testAccount, id)
		case 1:
			g.server.Cancel(testAccount, id)
		case 2: // there and back again
			update(func(b *ownerreztest.Booking) { b.Departure = b.Departure.AddDays(3) })
			update(func(b *ownerreztest.Booking) { b.Departure = b.Departure.AddDays(-3) })
		case 3:
			update(func(b *ownerreztest.Booking) { b.PropertyID = property })
		case 4: // it moves, and another takes its nights
			g.displace(id, func(b *ownerreztest.Booking) { b.Arrival, b.Departure = day, day.AddDays(1+random.IntN(9)) })
		case 5:
			update(func(b *ownerreztest.Booking) { b.Type, b.PendingUntilUTC = "booking", time.Time{} })
		default:
			update(func(b *ownerreztest.Booking) { b.Arrival, b.Departure = day, day.AddDays(1+random.IntN(9)) })
		}
	})
}

// faults are those of which an answer itself tells that it cannot be used, in a blind history all.
func (o *postOffice) faults() []ownerreztest.Action {
	if o.blind {
		return ownerreztest.AllFaults()
	}
	return ownerreztest.TellingFaults()
}

// faultByID is one of those that answer for a booking. In a blind history, where lists may lack it, it is not said not to be
// there: two such answers are a proof.
func (o *postOffice) faultByID(random *rand.Rand) ownerreztest.Action {
	all := slices.DeleteFunc(ownerreztest.AllFaults(), func(a ownerreztest.Action) bool {
		missing := slices.Contains([]string{"status 404", "200 with not found"}, a.String()) || strings.Contains(a.String(), "dropped")
		return o.blind && missing
	})
	return all[random.IntN(len(all))]
}

// misfortune breaks something.
func (o *postOffice) misfortune(random *rand.Rand) {
	switch random.IntN(15) {
	case 0:
		o.server.Fault(ownerreztest.Fault{N: 1 + random.IntN(4), Match: ownerreztest.MatchByID, Do: o.faultByID(random)})
	case 1, 2:
		o.server.Fault(ownerreztest.Fault{N: 1 + random.IntN(3), Do: ownerreztest.Status([]int{500, 429, 401, 503}[random.IntN(4)])})
	case 3:
		o.broken = true
	case 4:
		o.job.Store = &dying{Store: o.store, step: random.IntN(8), lost: random.IntN(2) == 0}
	case 5: // they fall silent
		o.server.SilenceWebhooks(testAccount)
	case 6: // a property's list cannot be had
		o.server.Fault(ownerreztest.Fault{Times: 1 + random.IntN(5), Match: ownerreztest.MatchProperty(4401 + random.Int64N(2)), Do: ownerreztest.Status(503)})
	case 7, 14: // answers that tell that they cannot be used
		all := o.faults()
		o.server.Fault(ownerreztest.Fault{
			N: 1 + random.IntN(6), Do: all[random.IntN(len(all))], Match: func(r *http.Request) bool { return !ownerreztest.MatchByID(r) },
		})
	case 13: // the window closes
		o.job.Options = []ownerrez.Option{ownerrez.WithLimiter(closing(random.IntN(6)))}
	case 8, 9: // more changes between the answers of a lookup
		seed := random.Uint64()
		for i := range 1 + random.Uint64N(3) {
			o.server.Fault(ownerreztest.Fault{N: 1 + random.IntN(8), Do: ownerreztest.Before(func() {
				o.changeAnything(rand.New(rand.NewPCG(seed, i)))
			})})
		}
	}
}
