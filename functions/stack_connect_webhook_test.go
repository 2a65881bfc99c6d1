package functions_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// webhooks has OwnerRez post what happens: its account is looked up at once, and the change is published. Nobody who
// guesses gets in, and nothing but that is done.
func (s *stack) webhooks(t *testing.T) {
	client := s.browser(t).client
	subscribed := s.server.Subscriptions(stackHost)
	if len(subscribed) != 3 || !strings.HasPrefix(subscribed[0].URL, s.public("/webhooks/ownerrez/")+stackHostKey+"/") {
		t.Fatalf("%d subscriptions", len(subscribed))
	}
	s.server.TakeWebhooks() // of what happened before
	s.idle(t)
	seq := s.row(t, stackHostKey).Seq
	day := s.freeFrom(t, 4403, stackToday().AddDays(30), 3)
	id := s.server.Put(stackHost, ownerreztest.Booking{PropertyID: 4403, Arrival: day, Departure: day.AddDays(2)})
	posts := s.server.TakeWebhooks()
	if len(posts) != 1 {
		t.Fatalf("%d posts of a new booking", len(posts))
	}
	asked := s.server.Count()
	for _, change := range []func(*http.Request){
		func(r *http.Request) { r.URL.Path += "0" },
		func(r *http.Request) { r.URL.Path = strings.Replace(r.URL.Path, stackHostKey, stackOtherKey, 1) },
		func(r *http.Request) { r.URL.Path = "/webhooks/ownerrez" },
		func(r *http.Request) { r.URL.Path = "/webhooks/ownerrez"; r.SetBasicAuth(stackHookUser, "wrong") },
	} {
		if status := s.posted(t, client, posts[0], change); status != http.StatusUnauthorized {
			t.Errorf("a wrong address: status %d", status)
		}
	}
	if s.idle(t); s.server.Count() != asked {
		t.Error("OwnerRez was asked for somebody who guesses")
	}
	for range 3 { // OwnerRez may send one more than once
		began := time.Now()
		if status := s.posted(t, client, posts[0], nil); status != http.StatusOK || time.Since(began) > 2*time.Second {
			t.Errorf("status %d after %s", status, time.Since(began))
		}
	}
	s.idle(t)
	events := s.eventsAfter(t, stackHost, seq)
	if len(events) != 1 || events[0].Detail.Property != 4403 || len(events[0].Detail.Changes) != 1 || events[0].Detail.Changes[0].Booking != id {
		t.Errorf("published: %+v", events)
	}
	s.equalsTruth(t, stackHost)
	if n := len(s.requestsSince(asked)); n > 4 {
		t.Errorf("OwnerRez was asked %d times for one webhook that came three times", n)
	}
	s.queueCut(t, client, posts[0])
}

// posted posts a webhook, changed, and returns how it was answered.
func (s *stack) posted(t *testing.T, client *http.Client, h ownerreztest.Webhook, change func(*http.Request)) int {
	t.Helper()
	r, err := h.Post(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(r)
	}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

// queueCut is a queue that takes nothing in: OwnerRez is asked to send again, in time.
func (s *stack) queueCut(t *testing.T, client *http.Client, h ownerreztest.Webhook) {
	t.Helper()
	restore := s.withoutAction(t, "Webhook", "WakeUps", "sqs:SendMessage")
	began := time.Now()
	status := s.posted(t, client, h, nil)
	restore()
	if status != http.StatusServiceUnavailable || time.Since(began) > 2*time.Second {
		t.Errorf("without a queue: status %d after %s", status, time.Since(began))
	}
	if status = s.posted(t, client, h, nil); status != http.StatusOK {
		t.Errorf("with it again: status %d", status)
	}
	s.idle(t)
	if row := s.row(t, stackHostKey); row.Status != lookup.StatusOK {
		t.Errorf("%+v", row)
	}
}
