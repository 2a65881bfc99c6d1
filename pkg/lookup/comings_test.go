package lookup_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
)

var comings = flag.Uint64("comings", 60, "how many seeded histories of hosts who come and go to live through")

// TestComingsAndGoings lives through seeded histories: a host connects the account, leaves, connects it again and takes its
// authorization back at OwnerRez, the operator disconnects it, callbacks die half-way, wake-ups are lost, the vault, our store
// and OwnerRez fail, bookings change. Meanwhile nothing is shown free that is taken; at last, the last word counts: the
// account is connected, read and subscribed to, or nothing is left of it.
func TestComingsAndGoings(t *testing.T) {
	for i := range *comings {
		seed := *firstSeed + i
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				random := rand.New(rand.NewPCG(seed, 3))
				o := newPostOffice(newGuest(t, ownerreztest.Quirks{RateLimitOff: true}))
				o.property(4402, "Pacific/Auckland")
				for range 4 + random.IntN(12) {
					o.comeOrGo(random)
				}
				o.lastWord(random)
			})
		})
	}
}

// comeOrGo is some minutes in which somebody may want something, and something may break.
func (o *postOffice) comeOrGo(random *rand.Rand) {
	o.breakSomething(random)
	switch random.IntN(8) {
	case 0, 1, 2:
		o.connectAlmost(random)
	case 3, 4:
		o.say(lookup.Request{Leave: true, By: lookup.ByHost}, random.IntN(3) > 0)
	case 5:
		o.server.RevokeAccess(testAccount)
		o.revoked = true
		if random.IntN(2) == 0 {
			o.queue = append(o.queue, lookup.Wake{Key: lookup.AccountKey(testAccount), Reason: lookup.ReasonWebhook, Revoked: true, Sent: time.Now()})
		}
	case 6:
		o.changeAnything(random)
	}
	if random.IntN(3) > 0 {
		o.server.Deliver(o.t.Context(), o.client)
		o.drain()
	}
	wait(time.Duration(random.IntN(600)) * time.Second)
	if random.IntN(3) > 0 {
		o.ticks()
	}
	o.mend()
	if random.IntN(6) == 0 {
		wait(time.Duration(random.IntN(8)) * time.Hour)
	}
	o.ticks()
}

// connectAlmost is a host who connects the account, and what may come between or be missing at its end.
func (o *postOffice) connectAlmost(random *rand.Rand) {
	o.say(lookup.Request{Ref: fmt.Sprint("ref-", random.IntN(3)), By: lookup.ByHost}, false)
	if random.IntN(5) == 0 {
		o.drain()
	}
	if random.IntN(4) == 0 { // somebody asks meanwhile that it be left
		o.say(lookup.Request{Leave: true, By: lookup.ByOperator}, true)
		o.drain()
	}
	o.server.ClearFaults() // the browser goes its own way
	token := o.grant(testAccount)
	if random.IntN(6) == 0 { // the callback dies
		return
	}
	wait(time.Duration(random.IntN(20)) * time.Second)
	if _, err := o.connections.Keep(o.t.Context(), token, time.Now()); err != nil {
		return
	}
	o.token = token.AccessToken
	if o.revoked = false; random.IntN(4) > 0 {
		o.queue = append(o.queue, lookup.Wake{Key: lookup.AccountKey(testAccount), Reason: lookup.ReasonConnected, Sent: time.Now()})
	}
}

// say asks the account's lane for something, and wakes it or not.
func (o *postOffice) say(r lookup.Request, woken bool) {
	o.ask(r)
	if woken {
		reason := lookup.ReasonConnected
		if r.Leave {
			reason = lookup.ReasonLeave
		}
		o.queue = append(o.queue, lookup.Wake{Key: lookup.AccountKey(testAccount), Reason: reason, Sent: time.Now()})
	}
}

func (o *postOffice) breakSomething(random *rand.Rand) {
	switch random.IntN(8) {
	case 0:
		o.vault.fail = errors.New("the vault deletes nothing")
	case 1:
		o.vault.full = errors.New("the vault keeps nothing")
	case 2:
		o.job.Store = &dying{Store: o.store, step: random.IntN(8), lost: random.IntN(2) == 0}
	case 3, 4:
		o.server.Fault(ownerreztest.Fault{N: 1 + random.IntN(8), Do: ownerreztest.Status([]int{500, 429, 401, 403}[random.IntN(4)])})
	}
}

func (o *postOffice) mend() {
	o.vault.fail, o.vault.full, o.job.Store = nil, nil, o.store
	o.server.ClearFaults()
}

// lastWord is that of the host, when all is well again: the account is connected, or left.
func (o *postOffice) lastWord(random *rand.Rand) {
	o.t.Helper()
	o.mend()
	o.endHolds()
	stays := random.IntN(2) == 0
	if stays {
		o.say(lookup.Request{Ref: "last", By: lookup.ByHost}, false)
		if _, err := o.connections.Keep(o.t.Context(), o.grant(testAccount), time.Now()); err != nil {
			o.t.Fatal(err)
		}
	} else {
		o.say(lookup.Request{Leave: true, By: lookup.ByHost}, false)
	}
	for range 6 { // failures are followed by waits, of an hour at most
		wait(20 * time.Minute)
		o.ticks()
	}
	if row := o.snapshot().Account; row.Published != row.Seq || len(o.requests()) > 0 || row.Leaving != nil {
		o.t.Errorf("left to be done: %d of %d published, %+v, %+v", row.Published, row.Seq, o.requests(), row.Leaving)
	}
	o.heard.compare(o.t, o.snapshot())
	if stays {
		o.wantConnected()
	} else {
		o.wantGone()
	}
}

func (o *postOffice) wantConnected() {
	o.t.Helper()
	if row := o.snapshot().Account; row.Status != lookup.StatusOK || !row.Connected || row.Ref != "last" || row.Left != nil {
		o.t.Errorf("the row is %+v", row)
	}
	o.wantSubscribed()
	if diff := o.differences(); len(diff) > 0 {
		o.t.Errorf("%d nights differ from the truth: %s", len(diff), diff[0])
	}
}

func (o *postOffice) wantGone() {
	o.t.Helper()
	if row := o.snapshot().Account; row.Version > 0 && (row.Status != lookup.StatusLeft || row.Connected) {
		o.t.Errorf("the row is %+v", row)
	}
	if _, err := o.vault.Get(o.t.Context(), "account/123456"); !errors.Is(err, vault.ErrDeleted) && !errors.Is(err, vault.ErrNotFound) {
		o.t.Errorf("the secret: %v", err)
	}
	if o.token != "" {
		o.wantEnded(o.token)
	}
	for _, s := range o.server.Subscriptions(testAccount) {
		if o.revoked { // OwnerRez no longer lets us in: what is there is its own matter
			break
		}
		if strings.HasPrefix(s.URL, hooks) {
			o.t.Errorf("still subscribed: %s", s.URL)
		}
	}
}
