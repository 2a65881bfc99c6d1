package ownerreztest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// inbox is a subscriber.
type inbox struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	posts  []posted
}

type posted struct {
	path, user, password string
	body                 struct {
		ID         string
		UserID     int64  `json:"user_id"`
		Action     string `json:"action"`
		EntityType string `json:"entity_type"`
		EntityID   int64  `json:"entity_id"`
		Categories []string
	}
}

func newInbox(t *testing.T) *inbox {
	t.Helper()
	in := &inbox{status: 200}
	in.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in.mu.Lock()
		defer in.mu.Unlock()
		p := posted{path: r.URL.Path}
		p.user, p.password, _ = r.BasicAuth()
		body, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(body, &p.body); err != nil || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
			t.Errorf("%v: %s", err, body)
		}
		in.posts = append(in.posts, p)
		w.WriteHeader(in.status)
	}))
	t.Cleanup(in.Close)
	return in
}

// hooked is an account that lets an app in, which has subscribed to what happens there, by a clock that the test moves.
func hooked(t *testing.T, in *inbox, categories ...string) (server *ownerreztest.Server, client *ownerrez.Client, now *time.Time) {
	t.Helper()
	clock := time.Date(2026, 11, 25, 6, 0, 0, 0, time.UTC)
	now = &clock
	server = ownerreztest.New(ownerreztest.WithClock(func() time.Time { return clock }))
	server.AddAccount(ownerreztest.Account{ID: 1, Email: "host@example.com"})
	server.AddProperty(1, ownerreztest.Property{ID: 4401})
	server.AddApp(ownerreztest.App{
		ClientID: "c_1", ClientSecret: "s_test", RedirectURL: "https://app.example.com/cb",
		WebhookURL: in.URL + "/app", WebhookUser: "hook", WebhookPassword: "pass",
	})
	options := []ownerrez.Option{
		ownerrez.WithAPIURL(server.URL()), ownerrez.WithAppURL(server.URL()), ownerrez.WithAllowHTTPHost("ownerrez.test"), ownerrez.WithHTTPClient(server.HTTPClient(t)),
	}
	app := ownerrez.App{Name: "App", Version: "1", ClientID: "c_1"}
	a, err := ownerrez.NewAuthorizer(ownerrez.OAuthConfig{App: app, ClientSecret: "s_test", RedirectURL: "https://app.example.com/cb"}, options...)
	if err != nil {
		t.Fatal(err)
	}
	back, err := server.Allow(a.AuthCodeURL("state"), 1)
	if err != nil {
		t.Fatal(err)
	}
	u, _ := url.Parse(back)
	token, err := a.Exchange(t.Context(), u.Query().Get("code"))
	if err != nil {
		t.Fatal(err)
	}
	if client, err = ownerrez.New(ownerrez.OAuth(app, ownerrez.StaticToken(token.AccessToken)), options...); err != nil {
		t.Fatal(err)
	}
	for i, action := range []ownerrez.WebhookAction{ownerrez.WebhookCreate, ownerrez.WebhookUpdate, ownerrez.WebhookDelete} {
		w := ownerrez.WebhookSubscription{Type: ownerrez.WebhookBooking, Action: action, WebhookURL: in.URL + "/own"}
		if i < len(categories) {
			w.Category = categories[i]
		}
		if _, err = client.WebhookSubscriptions.Create(t.Context(), w); err != nil {
			t.Fatal(err)
		}
	}
	return server, client, now
}

func booking(day int) ownerreztest.Booking {
	arrival := ownerrez.NewDate(2026, time.December, day)
	return ownerreztest.Booking{PropertyID: 4401, Arrival: arrival, Departure: arrival.AddDays(2)}
}

func TestWebhooksTellWhatHappens(t *testing.T) {
	in := newInbox(t)
	server, _, _ := hooked(t, in)
	id := server.Put(1, booking(1))
	server.Update(1, id, func(b *ownerreztest.Booking) { b.Departure = b.Departure.AddDays(1) })
	server.Cancel(1, id)
	server.Delete(1, id)
	server.RevokeAccess(1)
	if taken := server.Deliver(t.Context(), http.DefaultClient); taken != 9 {
		t.Errorf("%d were taken in", taken)
	}
	var own, app []string
	for _, p := range in.posts {
		if p.body.UserID != 1 || (p.body.EntityType == "booking") != (p.body.EntityID == id) {
			t.Errorf("%+v", p)
		}
		if p.path == "/own" {
			own = append(own, p.body.Action)
		} else if app = append(app, p.body.Action); p.user != "hook" || p.password != "pass" {
			t.Errorf("%+v", p)
		}
	}
	want := []string{"entity_create", "entity_update", "entity_update", "entity_delete"}
	if !slices.Equal(own, want) || !slices.Equal(app, append(want, "application_authorization_revoked")) {
		t.Errorf("%v, %v", own, app)
	}
}

func TestWebhooksAreFiltered(t *testing.T) {
	in := newInbox(t)
	server, _, _ := hooked(t, in, "", "dates")
	id := server.Put(1, booking(1))
	server.TakeWebhooks()
	server.Update(1, id, func(b *ownerreztest.Booking) { b.Title = "changed" })
	server.Update(1, id, func(b *ownerreztest.Booking) { b.Departure = b.Departure.AddDays(1) })
	own := 0
	for _, h := range server.TakeWebhooks() {
		if h.Subscription != 0 {
			own++
		}
	}
	if own != 1 {
		t.Errorf("%d updates of dates", own)
	}
}

// What fails comes again, ten times over some six hours, and then no more.
func TestWebhooksComeAgain(t *testing.T) {
	in := newInbox(t)
	server, _, now := hooked(t, in)
	in.status = 503
	began := *now
	server.Put(1, booking(1))
	var last time.Duration
	for range 24 * 60 {
		before := len(in.posts)
		server.Deliver(t.Context(), http.DefaultClient)
		if len(in.posts) > before {
			last = now.Sub(began)
		}
		*now = now.Add(time.Minute)
	}
	if n := len(in.posts); n != 22 || last < 5*time.Hour || last > 7*time.Hour {
		t.Errorf("%d posts to two addresses, the last after %s", n, last)
	}
}

// Subscribers that never take anything in are given up; silence is not seen in the list.
func TestWebhooksFallSilent(t *testing.T) {
	in := newInbox(t)
	server, _, now := hooked(t, in)
	in.status = 500
	for day := range 12 {
		server.Put(1, booking(1+2*day))
		for range 10 * 60 {
			server.Deliver(t.Context(), http.DefaultClient)
			*now = now.Add(time.Minute)
		}
	}
	if n := len(in.posts); n != 220 {
		t.Errorf("%d posts for 12 changes", n)
	}
	in.status = 200
	server.Put(1, booking(30))
	if taken := server.Deliver(t.Context(), http.DefaultClient); taken > 0 {
		t.Errorf("%d after it was given up", taken)
	}

	other := newInbox(t)
	server, client, _ := hooked(t, other)
	server.SilenceWebhooks(1)
	server.Put(1, booking(1))
	server.Deliver(t.Context(), http.DefaultClient)
	rows, err := ownerrez.Collect(client.WebhookSubscriptions.All(t.Context(), ownerrez.WebhookSubscriptionQuery{}))
	if err != nil || len(rows) != 3 || slices.ContainsFunc(other.posts, func(p posted) bool { return p.path == "/own" }) {
		t.Errorf("%d subscriptions, %v, %+v", len(rows), err, other.posts)
	}
	w := ownerrez.WebhookSubscription{Type: ownerrez.WebhookBooking, Action: ownerrez.WebhookCreate, WebhookURL: other.URL + "/anew"}
	if _, err := client.WebhookSubscriptions.Create(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	server.Put(1, booking(5))
	server.Deliver(t.Context(), http.DefaultClient)
	if !slices.ContainsFunc(other.posts, func(p posted) bool { return p.path == "/anew" }) {
		t.Error("the new subscription is silent")
	}
}
