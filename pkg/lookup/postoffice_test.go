package lookup_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/budget"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/web/webhook"
)

// postOffice is what lies between OwnerRez and an account's lane: the door of webhooks, and a queue that may do all that
// a queue may do.
type postOffice struct {
	*guest
	door    http.Handler
	client  *http.Client // brings posts to the door
	late    []ownerreztest.Webhook
	queue   []lookup.Wake
	broken  bool   // the queue takes nothing in
	token   string // the last that was kept of a host who came
	revoked bool   // the host has taken the authorization back, and has not given it again
}

func newPostOffice(g *guest) *postOffice {
	o := &postOffice{guest: g}
	o.client = &http.Client{Transport: o}
	o.door = webhook.Handler(webhook.Options{
		Credentials: func(context.Context, bool) (account.WebhookCredentials, error) {
			return account.WebhookCredentials{Keys: [][]byte{[]byte("hook key")}}, nil
		},
		Wake: o.send,
	})
	return o
}

func (o *postOffice) send(_ context.Context, w lookup.Wake) error {
	if o.broken {
		return errors.New("no queue")
	}
	o.queue = append(o.queue, w)
	return nil
}

// RoundTrip brings posts to the door.
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
	snap := o.snapshot()
	wrong := o.forgotten
	if !o.blind {
		wrong = o.falselyFree
	}
	for _, night := range wrong(snap) {
		o.t.Errorf("false free: %s", night)
	}
}

// closing is a window that closes after some requests.
func closing(after int) ownerrez.Limiter {
	return permits(func() error {
		if after--; after < 0 {
			return budget.ErrNoPermit
		}
		return nil
	})
}

type permits func() error

func (p permits) Take(context.Context) error { return p() }

// ticks does what ticks wake.
func (o *postOffice) ticks() {
	o.t.Helper()
	if err := o.job.Tick(o.t.Context(), o.send); err != nil && !o.broken && o.job.Store == o.store {
		o.t.Fatal(err)
	}
	o.drain()
}

// carry brings what OwnerRez posts to the lane, more or less.
func (o *postOffice) carry(random *rand.Rand) {
	if random.IntN(4) == 0 { // in OwnerRez's own way
		o.server.Deliver(o.t.Context(), o.client)
		o.drain()
		return
	}
	due := append(o.late, o.server.TakeWebhooks()...)
	o.late = nil
	random.Shuffle(len(due), func(i, j int) { due[i], due[j] = due[j], due[i] })
	for _, h := range due {
		switch random.IntN(8) {
		case 0, 1: // lost
		case 2: // rounds later
			o.late = append(o.late, h)
		case 3: // twice
			o.post(h)
			o.post(h)
		default:
			o.post(h)
		}
	}
	if random.IntN(4) == 0 {
		o.forge(random)
	}
	if len(o.queue) > 0 && random.IntN(8) == 0 { // the queue delivers twice
		o.queue = slices.Insert(o.queue, 1, o.queue[0])
	}
	o.drain()
}

func (o *postOffice) post(h ownerreztest.Webhook) {
	o.t.Helper()
	r, err := h.Post(o.t.Context())
	if err != nil {
		o.t.Fatal(err)
	}
	resp, err := o.client.Do(r)
	if err != nil {
		o.t.Fatal(err)
	}
	_ = resp.Body.Close()
	if ok := resp.StatusCode == http.StatusOK; ok == o.broken {
		o.t.Errorf("the door answered %d; queue broken: %v", resp.StatusCode, o.broken)
	}
}

// forge posts what OwnerRez did not say, by somebody who knows the account's address.
func (o *postOffice) forge(random *rand.Rand) {
	subscribed := o.server.Subscriptions(testAccount)
	if len(subscribed) == 0 {
		return
	}
	ids := append(o.bookings(), 999_999_999)
	action := []string{"entity_create", "entity_update", "entity_delete", "application_authorization_revoked"}[random.IntN(4)]
	for range 1 + random.IntN(8) {
		body := fmt.Appendf(nil, `{"id": "0f0f0f0f-0000-4000-8000-000000000000", "user_id": %d, "action": %q, "entity_type": "booking", "entity_id": %d}`,
			testAccount, action, ids[random.IntN(len(ids))])
		o.post(ownerreztest.Webhook{URL: subscribed[0].URL, Body: body})
	}
}
