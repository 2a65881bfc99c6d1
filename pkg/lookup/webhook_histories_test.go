package lookup_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/web/webhook"
)

var (
	webhookHistories  = flag.Int("webhook-histories", 60, "how many seeded histories of webhooks to live through")
	theWebhookHistory = flag.String("webhook-history", "", "the one history of webhooks to live through, as a failing test tells it")
)

// postOffice is what lies between OwnerRez and an account's lane: the door of webhooks, and a queue that may do all that
// a queue may do.
type postOffice struct {
	*guest
	door   http.Handler
	queue  []lookup.Wake
	broken bool // the queue takes nothing in
}

func newPostOffice(g *guest) *postOffice {
	o := &postOffice{guest: g}
	o.door = webhook.Handler(webhook.Options{
		Credentials: func(context.Context, bool) (account.WebhookCredentials, error) {
			return account.WebhookCredentials{Keys: [][]byte{[]byte("hook key")}}, nil
		},
		Wake: func(_ context.Context, w lookup.Wake) error {
			if o.broken {
				return errors.New("no queue")
			}
			o.queue = append(o.queue, w)
			return nil
		},
	})
	return o
}

// RoundTrip brings OwnerRez's posts to the door.
func (o *postOffice) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	in := httptest.NewRequestWithContext(r.Context(), r.Method, strings.TrimPrefix(r.URL.String(), "https://hooks.example.com"), r.Body)
	in.Header = r.Header
	o.door.ServeHTTP(w, in)
	return w.Result(), nil
}

// drain lets the lane do what lies in the queue. Where the lane fails, the message comes again.
func (o *postOffice) drain() {
	o.t.Helper()
	for tries := 0; len(o.queue) > 0 && tries < 50; tries++ {
		out, err := o.job.Run(o.t.Context(), o.queue[0])
		if err != nil {
			wait(5 * time.Second)
			continue
		}
		if o.queue = o.queue[1:]; out.Wake != nil {
			o.queue = append(o.queue, *out.Wake)
		}
	}
	for _, night := range o.falselyFree(o.snapshot()) {
		o.t.Errorf("false free: %s", night)
	}
}

// ticks does what ticks wake.
func (o *postOffice) ticks() {
	o.t.Helper()
	err := o.job.Tick(o.t.Context(), func(_ context.Context, w lookup.Wake) error {
		o.queue = append(o.queue, w)
		return nil
	})
	if err != nil {
		o.t.Fatal(err)
	}
	o.drain()
}

// webhookRounds is of how many rounds a history consists: in each something changes, and something breaks.
const webhookRounds = 12

// TestWebhooksEndToEnd lives through seeded histories: bookings change, OwnerRez posts, and posts, messages and answers
// are lost, doubled, late, out of order or forged; processes die, OwnerRez fails, ticks come in between. No night is shown
// free that is taken, every change is published once and in order, and one lookup after the last fault the calendar is the
// truth. Of the first history that fails, the least that fails is told.
func TestWebhooksEndToEnd(t *testing.T) {
	if *theWebhookHistory != "" {
		var h hookHistory
		if err := json.Unmarshal([]byte(*theWebhookHistory), &h); err != nil {
			t.Fatal(err)
		}
		h.live(t)
		return
	}
	for seed := range uint64(*webhookHistories) {
		h := hookHistory{Seed: seed}
		for round := range webhookRounds {
			h.Rounds = append(h.Rounds, round)
		}
		if !h.live(t) {
			least, _ := json.Marshal(h.least(t))
			t.Fatalf("the least of it that fails: go test ./pkg/lookup -run TestWebhooksEndToEnd -webhook-history '%s'", least)
		}
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

func (h hookHistory) liveWithWebhooks(t *testing.T) {
	large := h.Seed%3 == 0
	g := newGuest(t, ownerreztest.Quirks{RateLimitOff: true})
	if large {
		bigWorld(g.house)
	}
	g.arrive("")
	g.wakeFor(lookup.ReasonConnected)
	g.settle(4)
	o := newPostOffice(g)
	client := &http.Client{Transport: o}
	g.server.TakeWebhooks() // those of the beginning
	for _, i := range h.Rounds {
		o.round(rand.New(rand.NewPCG(h.Seed, uint64(i))), client)
	}
	g.server.ClearFaults()
	if large { // a delete of which no webhook came is found by a full read
		wait(24 * time.Hour)
	}
	for range 8 { // failures are followed by waits
		wait(15*time.Minute + time.Second)
		g.server.Deliver(t.Context(), client)
		o.ticks()
	}
	g.check()
	if wrong := g.differences(); len(wrong) > 0 {
		t.Errorf("%d nights differ from the truth: %s", len(wrong), wrong[0])
	}
	if row := g.snapshot().Account; len(row.Noted) > 0 || row.NotedMany || row.Published != row.Seq {
		t.Errorf("left to be done: %v, %v, %d of %d published", row.Noted, row.NotedMany, row.Published, row.Seq)
	}
}

// round is some minutes in which bookings change, OwnerRez posts, and things go wrong.
func (o *postOffice) round(random *rand.Rand, client *http.Client) {
	for range random.IntN(3) {
		o.changeAnything(random)
		wait(time.Duration(random.IntN(20)) * time.Second)
	}
	o.misfortune(random)
	o.carry(random, client)
	wait(time.Duration(random.IntN(300)) * time.Second)
	if random.IntN(3) > 0 {
		o.ticks()
	}
	o.job.Store, o.broken = o.store, false
	if random.IntN(3) == 0 {
		o.server.ClearFaults()
	}
}

// changeAnything changes something at OwnerRez, but for one booking: of an account without any, nothing proves for a day
// that others are gone.
func (g *guest) changeAnything(random *rand.Rand) {
	g.change(func() {
		ids := g.bookings()[1:]
		day := ownerrez.DateOf(time.Now().UTC()).AddDays(random.IntN(600) - 10)
		if len(ids) == 0 || random.IntN(4) == 0 {
			g.server.Put(testAccount, ownerreztest.Booking{PropertyID: 4401, Arrival: day, Departure: day.AddDays(1 + random.IntN(6))})
			return
		}
		id := ids[random.IntN(len(ids))]
		switch random.IntN(5) {
		case 0:
			g.server.Delete(testAccount, id)
		case 1:
			g.server.Cancel(testAccount, id)
		case 2: // there and back again
			g.server.Update(testAccount, id, func(b *ownerreztest.Booking) { b.Departure = b.Departure.AddDays(3) })
			g.server.Update(testAccount, id, func(b *ownerreztest.Booking) { b.Departure = b.Departure.AddDays(-3) })
		default:
			g.server.Update(testAccount, id, func(b *ownerreztest.Booking) { b.Arrival, b.Departure = day, day.AddDays(1+random.IntN(9)) })
		}
	})
}

// misfortune breaks something.
func (o *postOffice) misfortune(random *rand.Rand) {
	switch random.IntN(8) {
	case 0:
		all := ownerreztest.AllFaults()
		o.server.Fault(ownerreztest.Fault{N: 1 + random.IntN(4), Match: ownerreztest.MatchByID, Do: all[random.IntN(len(all))]})
	case 1:
		o.server.Fault(ownerreztest.Fault{N: 1 + random.IntN(3), Do: ownerreztest.Status([]int{500, 429, 401, 503}[random.IntN(4)])})
	case 2:
		o.broken = true
	case 3:
		o.job.Store = &dying{Store: o.store, step: random.IntN(8), lost: random.IntN(2) == 0}
	}
}

// carry brings OwnerRez's posts to the lane, more or less.
func (o *postOffice) carry(random *rand.Rand, client *http.Client) {
	if random.IntN(4) == 0 { // in OwnerRez's own way
		o.server.Deliver(o.t.Context(), client)
		o.drain()
		return
	}
	due := o.server.TakeWebhooks()
	random.Shuffle(len(due), func(i, j int) { due[i], due[j] = due[j], due[i] })
	for _, h := range due {
		for range []int{0, 1, 1, 1, 2}[random.IntN(5)] { // lost, or doubled
			if r, err := h.Post(o.t.Context()); err == nil {
				resp, err := client.Do(r)
				if err == nil {
					_ = resp.Body.Close()
				}
			}
		}
	}
	if random.IntN(4) == 0 && len(due) > 0 { // by somebody who knows the address
		id := o.bookings()
		if len(id) > 0 {
			o.queue = append(o.queue, lookup.Wake{Key: "123456", Reason: lookup.ReasonWebhook, Booking: id[random.IntN(len(id))], Revoked: random.IntN(3) == 0, Sent: time.Now()})
		}
	}
	o.drain()
}
