package webhook_test

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/web/webhook"
)

// TestBodies posts what OwnerRez posts, and what it does not.
func TestBodies(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40)
	wake := func(booking int64, revoked bool) *lookup.Wake {
		return &lookup.Wake{Key: "123456", Reason: lookup.ReasonWebhook, Booking: booking, Revoked: revoked}
	}
	for name, test := range map[string]struct {
		body string
		want int
		wake *lookup.Wake
		what webhook.Outcome
	}{
		"update":            {booking, 200, wake(900101, false), webhook.Queued},
		"create":            {`{"user_id":123456,"action":"entity_create","entity_type":"booking","entity_id":7}`, 200, wake(7, false), webhook.Queued},
		"insert":            {`{"user_id":123456,"action":"entity_insert","entity_type":"booking","entity_id":7}`, 200, wake(7, false), webhook.Queued},
		"delete":            {`{"user_id":123456,"action":"entity_delete","entity_type":"booking","entity_id":7}`, 200, wake(7, false), webhook.Queued},
		"in other letters":  {`{"user_id":"123456","action":"EntityDelete","entity_type":"Booking","entity_id":"7"}`, 200, wake(7, false), webhook.Queued},
		"id in the entity":  {`{"user_id":123456,"action":"entity_update","entity_type":"booking","entity":{"id":7}}`, 200, wake(7, false), webhook.Queued},
		"no entity":         {`{"user_id":123456,"action":"entity_delete","entity_type":"booking","entity_id":7,"entity":null}`, 200, wake(7, false), webhook.Queued},
		"a list for entity": {`{"user_id":123456,"action":"entity_update","entity_type":"booking","entity_id":7,"entity":[{"id":8}]}`, 200, wake(7, false), webhook.Queued},
		"a byte order mark": {"\ufeff" + booking, 200, wake(900101, false), webhook.Queued},
		"revoked":           {`{"id":1,"user_id":123456,"action":"application_authorization_revoked","entity_type":"api_application","entity_id":55}`, 200, wake(0, true), webhook.Queued},
		"a test":            {`{"user_id":123456,"action":"webhook_test","entity_type":"api_application"}`, 200, nil, webhook.Tested},
		"a test of nobody":  {`{"action":"webhook_test","entity_type":"api_application"}`, 200, nil, webhook.Tested},
		"a guest":           {`{"user_id":123456,"action":"entity_update","entity_type":"guest","entity_id":7}`, 200, nil, webhook.Ignored},
		"an unknown type":   {`{"user_id":123456,"action":"entity_update","entity_type":"treehouse","entity_id":7}`, 200, nil, webhook.Ignored},
		"an unknown action": {`{"user_id":123456,"action":"entity_sung_to","entity_type":"booking","entity_id":7}`, 200, nil, webhook.Ignored},
		"no action":         {`{"user_id":123456}`, 400, nil, webhook.Invalid},
		"no booking":        {`{"user_id":123456,"action":"entity_update","entity_type":"booking"}`, 400, nil, webhook.Invalid},
		"no JSON":           {`hello`, 400, nil, webhook.Invalid},
		"nothing":           {``, 400, nil, webhook.Invalid},
		"a list":            {`[` + booking + `]`, 400, nil, webhook.Invalid},
		"a mark alone":      {"\ufeff", 400, nil, webhook.Invalid},
		"half":              {booking[:60], 400, nil, webhook.Invalid},
		"two of them":       {booking + booking, 400, nil, webhook.Invalid},
		"a key twice":       {`{"user_id":123456,"user_id":654321,"action":"entity_update","entity_type":"booking","entity_id":7}`, 400, nil, webhook.Invalid},
		"a key twice, deep": {`{"user_id":123456,"action":"entity_update","entity_type":"booking","entity":{"id":7,"ID":8}}`, 400, nil, webhook.Invalid},
		"nested deep":       {`{"user_id":123456,"action":"entity_update","entity_type":"booking","entity_id":7,"entity":` + deep + `}`, 400, nil, webhook.Invalid},
		"other kinds":       {`{"user_id":123456,"action":5,"entity_type":"booking","entity_id":7}`, 400, nil, webhook.Invalid},
		"large":             {`{"x":"` + strings.Repeat("x", 300_000) + `"}`, 413, nil, webhook.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			for _, door := range []struct {
				at     string
				change func(*http.Request)
			}{{own("key", 123456), nil}, {webhook.Path, basic("hook", "pass:word")}} {
				d := newDesk(t)
				got := d.post(door.at, test.body, door.change)
				if got.Code != test.want || len(d.counted) != 1 || d.counted[0] != test.what {
					t.Errorf("%s: %d %s, counted: %v", door.at, got.Code, got.Body, d.counted)
				}
				var woken *lookup.Wake
				if len(d.woken) > 0 {
					woken = &d.woken[0]
					woken.Sent = time.Time{}
				}
				if diff := cmp.Diff(test.wake, woken); diff != "" {
					t.Errorf("woken (-want +got)\n%s", diff)
				}
			}
		})
	}
}

func TestMediaTypes(t *testing.T) {
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write([]byte(booking))
	_ = z.Close()
	for name, change := range map[string]func(*http.Request){
		"text":       func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") },
		"none":       func(r *http.Request) { r.Header.Del("Content-Type") },
		"form":       func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") },
		"compressed": func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip") },
	} {
		d := newDesk(t)
		body := booking
		if name == "compressed" {
			body = zipped.String()
		}
		if got := d.post(own("key", 123456), body, change); got.Code != 415 || len(d.woken) > 0 {
			t.Errorf("%s: %d %s", name, got.Code, got.Body)
		}
	}
}

// FuzzBody posts anything at all: an answer comes, and a wake-up only of the account that was let in.
func FuzzBody(f *testing.F) {
	f.Add(booking)
	f.Add(`{"user_id":123456,"action":"entity_delete","entity_type":"booking","entity_id":1e3}`)
	f.Add(`{"user_id":"x"}`)
	f.Fuzz(func(t *testing.T, body string) {
		d := newDesk(t)
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, own("key", 123456), strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		d.handler.ServeHTTP(w, r)
		for _, wake := range d.woken {
			if wake.Key != "123456" || wake.Booking < 0 || w.Code != 200 {
				t.Errorf("%+v, %d", wake, w.Code)
			}
		}
		if w.Code >= 500 {
			t.Errorf("%d", w.Code)
		}
	})
}
