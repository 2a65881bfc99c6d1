package ownerrez_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// A webhook's URL, and the parts of it that must not show up anywhere.
const (
	hookPath = "/webhooks/ownerrez/7/mAc-of_it?key=s3same"
	hookURL  = "https://hooks.example.com" + hookPath
)

// hidesURL fails if the text holds the URL or what is secret in it.
func hidesURL(t *testing.T, what, text string) {
	t.Helper()
	for _, part := range []string{hookURL, hookPath, "mAc-of_it", "s3same"} {
		if strings.Contains(text, part) {
			t.Errorf("%s shows %q in %q", what, part, text)
			return
		}
	}
}

var bookingDates = ownerrez.WebhookSubscription{Type: ownerrez.WebhookBooking, Action: ownerrez.WebhookUpdate, Category: "dates", WebhookURL: hookURL}

// asApp makes a client as an OAuth app.
func asApp(t *testing.T, url string, opts ...ownerrez.Option) *ownerrez.WebhookSubscriptionsService {
	t.Helper()
	all := append([]ownerrez.Option{ownerrez.WithAPIURL(url), ownerrez.WithRetry(ownerrez.NoRetry())}, opts...)
	c, err := ownerrez.New(ownerrez.OAuth(testApp, ownerrez.StaticToken(testAT)), all...)
	if err != nil {
		t.Fatal(err)
	}
	return c.WebhookSubscriptions
}

func TestWebhookSubscriptionRow(t *testing.T) {
	everyRow[ownerrez.WebhookSubscription](t)
	text := `{"id":7001,"type":"booking","action":"entity_update","webhook_url":"https://h.example/x?a=1&b=2","category":"dates","created_utc":"2026-11-06T12:00:00Z"}`
	got := decoded[ownerrez.WebhookSubscription](t, []byte(text))
	want := ownerrez.WebhookSubscription{
		ID: 7001, Type: ownerrez.WebhookBooking, Action: ownerrez.WebhookUpdate, WebhookURL: "https://h.example/x?a=1&b=2", Category: "dates",
		Extra: map[string]json.RawMessage{"created_utc": json.RawMessage(`"2026-11-06T12:00:00Z"`)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if again := decoded[ownerrez.WebhookSubscription](t, encoded(t, got)); !reflect.DeepEqual(again, got) {
		t.Errorf("it came back as %s", encoded(t, again))
	}
}

// Every spelling that is seen reads alike, and what is new is kept.
func TestWebhookSpelling(t *testing.T) {
	for spelled, want := range map[string]string{
		"EntityUpdate": "entity_update", "entity_update": "entity_update", "ENTITY_UPDATE": "entity_update", "entityUpdate": "entity_update",
		"Booking": "booking", "ThreadMessage": "thread_message", "": "", "new kind": "new kind", "Übung": "Übung",
	} {
		got := decoded[ownerrez.WebhookSubscription](t, fmt.Appendf(nil, `{"type":%q,"action":%q}`, spelled, spelled))
		if string(got.Type) != want || string(got.Action) != want {
			t.Errorf("%q is %q, %q", spelled, got.Type, got.Action)
		}
	}
}

// What each method sends, and what it makes of the answer.
func TestWebhookRequests(t *testing.T) {
	const row = `{"id":7001,"type":"Booking","action":"EntityUpdate","webhook_url":"` + hookURL + `","category":"dates"}`
	made := bookingDates
	made.ID = 7001
	var got string
	var answer string
	status := 200
	c := asApp(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = fmt.Sprintf("%s %s %s %s", r.Method, r.URL, r.Header.Get("Content-Type"), body)
		if r.UserAgent() != testApp.UserAgent() || r.Header.Get("Authorization") != "Bearer "+testAT {
			t.Errorf("%v", r.Header)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	ctx := t.Context()
	list := func() (any, error) {
		page, err := c.List(ctx, ownerrez.WebhookSubscriptionQuery{Limit: 20, Offset: 40})
		if err != nil {
			return nil, err
		}
		return page.Items, nil
	}
	again := made
	again.Extra = map[string]json.RawMessage{"x": json.RawMessage(`1`)}
	plain := ownerrez.WebhookSubscription{Type: "new_type", Action: "new_action", WebhookURL: "http://127.0.0.1:8080/hook"}
	for _, test := range []struct {
		call   func() (any, error)
		status int
		answer string
		sent   string
		want   any
	}{
		{list, 200, `{"items":[` + row + `]}`, "GET /v2/webhooksubscriptions?limit=20&offset=40  ", []ownerrez.WebhookSubscription{made}},
		{func() (any, error) { return ownerrez.Collect(c.All(ctx, ownerrez.WebhookSubscriptionQuery{})) }, 200, `{"items":[` + row + `,` + row + `]}`,
			"GET /v2/webhooksubscriptions?limit=100  ", []ownerrez.WebhookSubscription{made}},
		{func() (any, error) { return c.Get(ctx, 7001) }, 200, row, "GET /v2/webhooksubscriptions/7001  ", &made},
		{func() (any, error) { return c.Create(ctx, bookingDates) }, 201, row,
			`POST /v2/webhooksubscriptions application/json {"type":"booking","action":"entity_update","webhook_url":"` + hookURL + `","category":"dates"}`, &made},
		{func() (any, error) { return c.Create(ctx, again) }, 200, row,
			`POST /v2/webhooksubscriptions application/json {"type":"booking","action":"entity_update","webhook_url":"` + hookURL + `","category":"dates"}`, &made},
		{func() (any, error) { return c.Create(ctx, plain) }, 200, `{"id":7002}`,
			`POST /v2/webhooksubscriptions application/json {"type":"new_type","action":"new_action","webhook_url":"http://127.0.0.1:8080/hook"}`, &ownerrez.WebhookSubscription{ID: 7002}},
		{func() (any, error) { return nil, c.Delete(ctx, 5_000_000_000) }, 204, "", "DELETE /v2/webhooksubscriptions/5000000000  ", nil},
		{func() (any, error) { return c.Categories(ctx) }, 200, `{"Booking":["dates","financial"],"contact":[]}`, "GET /v2/webhooksubscriptions/categories  ",
			map[string][]string{"booking": {"dates", "financial"}, "contact": {}}},
	} {
		status, answer = test.status, test.answer
		value, err := test.call()
		if diff := cmp.Diff(test.want, value); diff != "" || err != nil || got != test.sent {
			t.Errorf("sent %q, want %q: %v %s", got, test.sent, err, diff)
		}
	}
}

func TestWebhookCategories(t *testing.T) {
	booking := map[string][]string{"booking": {"dates"}}
	for body, want := range map[string]map[string][]string{
		`{"Booking":["dates"]}`:                                               booking,
		`{"items":[{"Booking":["dates"]}],"limit":20,"offset":0}`:             booking,
		`{"limit":20,"Items":[{"BOOKING":["dates"]},{"Booking":["photos"]}]}`: booking,
		`{"Property":["Photos"],"Booking":["dates"],"doc_url":"x"}`:           {"booking": {"dates"}, "property": {"Photos"}},
		`{"Property":["photos"],"Booking":[{"name":"dates"}]}`:                nil,
		`{"Booking":[{"name":"dates"}]}`:                                      nil,
		`{"Booking":"dates"}`:                                                 nil,
		`{}`:                                                                  nil,
		`{"items":[]}`:                                                        nil,
		`{"items":[["dates"]]}`:                                               nil,
		`["dates"]`:                                                           nil,
		`null`:                                                                nil,
		`{"items":[{"Contact":[]}],"Booking":["dates"]}`:                      {"contact": {}},
		`{"items":{"Booking":["dates"]},"next_page_url":"/v2/x","property":[]}`: nil,
	} {
		got, err := asApp(t, serve(t, answering(200, body))).Categories(t.Context())
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %v %s", body, err, diff)
		}
		if want == nil {
			wantKinds(t, err, ownerrez.ErrUnreadable)
		}
	}
}

// What is refused before it is sent.
func TestWebhooksNotSent(t *testing.T) {
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("%s %s was sent", r.Method, r.URL) })
	c := asApp(t, url)
	for what, change := range map[string]func(*ownerrez.WebhookSubscription){
		"no type":       func(w *ownerrez.WebhookSubscription) { w.Type = "" },
		"no action":     func(w *ownerrez.WebhookSubscription) { w.Action = "" },
		"no URL":        func(w *ownerrez.WebhookSubscription) { w.WebhookURL = "" },
		"plain http":    func(w *ownerrez.WebhookSubscription) { w.WebhookURL = "http://hooks.example.com" + hookPath },
		"no scheme":     func(w *ownerrez.WebhookSubscription) { w.WebhookURL = "hooks.example.com" + hookPath },
		"no host":       func(w *ownerrez.WebhookSubscription) { w.WebhookURL = "https:///" + hookPath },
		"another":       func(w *ownerrez.WebhookSubscription) { w.WebhookURL = "ftp://127.0.0.1" + hookPath },
		"a line end":    func(w *ownerrez.WebhookSubscription) { w.WebhookURL += "\n" },
		"a space":       func(w *ownerrez.WebhookSubscription) { w.WebhookURL += " x" },
		"a bad escape":  func(w *ownerrez.WebhookSubscription) { w.WebhookURL = "https://h.example/%zz/mAc-of_it" },
		"a user":        func(w *ownerrez.WebhookSubscription) { w.WebhookURL = "https://s3same@h.example/" },
		"a fragment":    func(w *ownerrez.WebhookSubscription) { w.WebhookURL += "#s3same" },
		"only a scheme": func(w *ownerrez.WebhookSubscription) { w.WebhookURL = "https:mAc-of_it" },
	} {
		want := bookingDates
		change(&want)
		got, err := c.Create(t.Context(), want)
		wantKinds(t, err, ownerrez.ErrInvalid)
		if got != nil || detail(t, err).Route != "/v2/webhooksubscriptions" || detail(t, err).Method != "POST" {
			t.Errorf("%s: %v, %v", what, got, err)
		}
		hidesURL(t, what, printed(err))
	}
	for _, id := range []int64{0, -1} {
		wantKinds(t, c.Delete(t.Context(), id), ownerrez.ErrInvalid)
		_, err := c.Get(t.Context(), id)
		wantKinds(t, err, ownerrez.ErrInvalid)
	}
	_, err := c.List(t.Context(), ownerrez.WebhookSubscriptionQuery{Limit: -1})
	wantKinds(t, err, ownerrez.ErrInvalid)

	for what, err := range everyWebhookCall(t.Context(), client(t, url).WebhookSubscriptions) {
		wantKinds(t, err, ownerrez.ErrInvalid)
		if err == nil || !strings.Contains(err.Error(), "OAuth") || !strings.HasPrefix(detail(t, err).Route, "/v2/webhooksubscriptions") {
			t.Errorf("%s with a personal token: %v", what, err)
		}
		hidesURL(t, what, printed(err))
	}
}

// everyWebhookCall is the error of every method.
func everyWebhookCall(ctx context.Context, c *ownerrez.WebhookSubscriptionsService) map[string]error {
	_, list := c.List(ctx, ownerrez.WebhookSubscriptionQuery{})
	_, all := ownerrez.Collect(c.All(ctx, ownerrez.WebhookSubscriptionQuery{}))
	_, get := c.Get(ctx, 7001)
	_, create := c.Create(ctx, bookingDates)
	_, categories := c.Categories(ctx)
	return map[string]error{"List": list, "All": all, "Get": get, "Create": create, "Delete": c.Delete(ctx, 7001), "Categories": categories}
}

// A deletion is repeated, and is done when the row is gone then; one that finds nothing at first says so.
func TestWebhookDeleteRepeats(t *testing.T) {
	for _, test := range []struct {
		statuses []int
		want     error
	}{
		{[]int{204}, nil},
		{[]int{200}, nil},
		{[]int{404}, ownerrez.ErrNotFound},
		{[]int{503, 404}, nil},
		{[]int{429, 204}, nil},
		{[]int{403}, ownerrez.ErrForbidden},
	} {
		n := 0
		c := asApp(t, serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(test.statuses[n])
			n++
		}), ownerrez.WithRetry(ownerrez.RetryPolicy{MinWait: 1}))
		err := c.Delete(t.Context(), 7001)
		if n != len(test.statuses) {
			t.Errorf("%v: %d requests", test.statuses, n)
		}
		if test.want == nil && err != nil {
			t.Errorf("%v: %v", test.statuses, err)
		} else if test.want != nil {
			wantKinds(t, err, test.want)
		}
	}
}

// A creation is never repeated where it may have been done.
func TestWebhookCreateIsNotRepeated(t *testing.T) {
	for body, status := range map[string]int{"": 503, `{"messages":["no"]}`: 400, `{"type":"booking"}`: 200, `[]`: 200, `{"id":0}`: 201, `{"id":"x"}`: 201} {
		n := 0
		c := asApp(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
			n++
			answering(status, body)(w, r)
		}), ownerrez.WithRetry(ownerrez.RetryPolicy{MinWait: 1}))
		got, err := c.Create(t.Context(), bookingDates)
		if got != nil || n != 1 {
			t.Errorf("%d %s: %v, %v after %d requests", status, body, got, err, n)
		}
		wantKinds(t, err, map[int]error{503: ownerrez.ErrServer, 400: ownerrez.ErrInvalid, 200: ownerrez.ErrUnreadable, 201: ownerrez.ErrUnreadable}[status])
	}
}
