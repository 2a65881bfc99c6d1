package webhook_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/web/webhook"
)

const booking = `{"id":"0f0f","user_id":123456,"action":"entity_update","entity_type":"booking","entity_id":900101,
	"categories":["dates"],"entity":{"id":900101,"property_id":4401,"guest":{"name":"Canary Guest"}}}`

// desk is the doors and what they let through.
type desk struct {
	t       *testing.T
	handler http.Handler
	known   account.WebhookCredentials
	fresh   *account.WebhookCredentials // what is found when they are read again
	broken  error                       // of reading credentials
	queue   func(context.Context) error
	woken   []lookup.Wake
	counted []webhook.Outcome
	reads   int
	now     time.Time
}

func newDesk(t *testing.T) *desk {
	d := &desk{t: t, now: time.Date(2026, 11, 25, 6, 0, 0, 0, time.UTC)}
	d.known = account.WebhookCredentials{Keys: [][]byte{[]byte("key"), []byte("older")}, Pairs: []account.WebhookPair{{User: "hook", Password: "pass:word"}}}
	d.handler = webhook.Handler(webhook.Options{
		Credentials: func(_ context.Context, again bool) (account.WebhookCredentials, error) {
			d.reads++
			if again && d.fresh != nil {
				d.known = *d.fresh
			}
			return d.known, d.broken
		},
		Wake: func(ctx context.Context, w lookup.Wake) error {
			if d.queue != nil {
				if err := d.queue(ctx); err != nil {
					return err
				}
			}
			d.woken = append(d.woken, w)
			return nil
		},
		Count: func(_ context.Context, what webhook.Outcome, _ int64, _ error) { d.counted = append(d.counted, what) },
		Now:   func() time.Time { return d.now },
	})
	return d
}

// own is the address of an account.
func own(key string, id int64) string { return account.WebhookURL(webhook.Path+"/", []byte(key), id) }

// post posts a body; change may change the request.
func (d *desk) post(at, body string, change func(*http.Request)) *httptest.ResponseRecorder {
	d.t.Helper()
	r := httptest.NewRequestWithContext(d.t.Context(), http.MethodPost, at, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, r)
	for _, secret := range []string{"Canary", "pass:word", "hook", "900101", "123456/"} {
		if strings.Contains(w.Body.String(), secret) {
			d.t.Errorf("the answer repeats what was sent: %s", w.Body)
		}
	}
	return w
}

func basic(user, password string) func(*http.Request) {
	return func(r *http.Request) { r.SetBasicAuth(user, password) }
}

// TestDoors tries who may come in where.
func TestDoors(t *testing.T) {
	for name, test := range map[string]struct {
		at     string
		change func(*http.Request)
		want   int
	}{
		"the account's own address": {own("key", 123456), nil, 200},
		"of the key before":         {own("older", 123456), nil, 200},
		"of another key":            {own("other", 123456), nil, 401},
		"another account's":         {own("key", 654321), nil, 401},
		"another account's code":    {strings.Replace(own("key", 654321), "654321", "123456", 1), nil, 401},
		"no number":                 {webhook.Path + "/x/y", nil, 401},
		"a negative number":         {webhook.Path + "/-123456/y", nil, 401},
		"the app's":                 {webhook.Path, basic("hook", "pass:word"), 200},
		"a wrong password":          {webhook.Path, basic("hook", "pass"), 401},
		"a wrong user":              {webhook.Path, basic("hoo", "k:pass:word"), 401},
		"an empty one":              {webhook.Path, basic("", ""), 401},
		"without":                   {webhook.Path, nil, 401},
		"by Bearer":                 {webhook.Path, func(r *http.Request) { r.Header.Set("Authorization", "Bearer hook") }, 401},
		"the account's and Basic":   {own("key", 123456), basic("who", "ever"), 200},
		"the app's pair elsewhere":  {webhook.Path + "/123456/x", basic("hook", "pass:word"), 401},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			got := d.post(test.at, booking, test.change)
			if got.Code != test.want || (len(d.woken) == 1) != (test.want == 200) {
				t.Errorf("%d %s, woken: %v", got.Code, got.Body, d.woken)
			}
			if (got.Header().Get("WWW-Authenticate") != "") != (test.want == 401) {
				t.Errorf("%v", got.Header())
			}
			if test.want == 200 {
				want := []lookup.Wake{{Key: "123456", Reason: lookup.ReasonWebhook, Booking: 900101, Sent: d.now}}
				if diff := cmp.Diff(want, d.woken); diff != "" {
					t.Errorf("woken (-want +got)\n%s", diff)
				}
			}
		})
	}
}

// A door without configured credentials stays closed.
func TestClosedDoors(t *testing.T) {
	d := newDesk(t)
	d.known = account.WebhookCredentials{Pairs: []account.WebhookPair{{}}}
	for at, change := range map[string]func(*http.Request){own("", 123456): nil, webhook.Path: basic("", "")} {
		if got := d.post(at, booking, change); got.Code != 401 {
			t.Errorf("%s: %d", at, got.Code)
		}
	}
}

// After a mismatch the credentials are read again, at most once a minute.
func TestReread(t *testing.T) {
	d := newDesk(t)
	d.fresh = &account.WebhookCredentials{Keys: [][]byte{[]byte("new")}}
	if got := d.post(own("new", 123456), booking, nil); got.Code != 200 || d.reads != 2 {
		t.Errorf("%d after %d reads", got.Code, d.reads)
	}
	before := d.reads
	for range 10 {
		d.post(own("wrong", 123456), booking, nil)
	}
	if d.reads-before != 10 {
		t.Errorf("%d reads for ten wrong ones within a minute", d.reads-before)
	}
	d.now = d.now.Add(time.Minute)
	d.post(own("wrong", 123456), booking, nil)
	if d.reads-before != 12 {
		t.Errorf("%d reads", d.reads-before)
	}
}

// At the app's door the body says whose it is; one that does not is refused, and unknown accounts are their lanes' matter.
func TestAppsDoorNeedsAnAccount(t *testing.T) {
	d := newDesk(t)
	body := `{"action":"entity_update","entity_type":"booking","entity_id":7}`
	if got := d.post(webhook.Path, body, basic("hook", "pass:word")); got.Code != 400 {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	if got := d.post(own("key", 123456), body, nil); got.Code != 401 {
		t.Errorf("%d %s", got.Code, got.Body)
	}
}

// Where the queue or the secrets are not there, OwnerRez is asked to send again; within two seconds.
func TestOwnTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		d.broken = errors.New("no vault")
		if got := d.post(own("key", 123456), booking, nil); got.Code != 503 || strings.Contains(got.Body.String(), "vault") {
			t.Errorf("%d %s", got.Code, got.Body)
		}
		d.broken = nil
		d.queue = func(context.Context) error { return errors.New("no queue") }
		if got := d.post(own("key", 123456), booking, nil); got.Code != 503 || got.Header().Get("Retry-After") == "" {
			t.Errorf("%d %s", got.Code, got.Body)
		}
		d.queue = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		began := time.Now()
		if got := d.post(own("key", 123456), booking, nil); got.Code != 503 || time.Since(began) >= 2*time.Second {
			t.Errorf("%d after %s", got.Code, time.Since(began))
		}
		d.queue = func(context.Context) error { time.Sleep(time.Second); return nil }
		if got := d.post(own("key", 123456), booking, nil); got.Code != 200 {
			t.Errorf("a slow queue: %d", got.Code)
		}
	})
}

// Where the app's secret was filled in a wrong way, OwnerRez may well be right: it is asked to send again, until somebody has
// seen to it. The pair before lets it in, and accounts' own addresses have nothing to do with it.
func TestMalformedAppSecret(t *testing.T) {
	d := newDesk(t)
	d.known.Wrong = &account.MalformedError{Secret: "OAuth app", Why: "is no JSON"}
	for _, test := range []struct {
		at     string
		change func(*http.Request)
		want   int
	}{
		{webhook.Path, basic("hook", "newer"), 503}, {webhook.Path, basic("hook", "pass:word"), 200},
		{own("key", 123456), nil, 200}, {own("wrong", 123456), nil, 401},
	} {
		if got := d.post(test.at, booking, test.change); got.Code != test.want || strings.Contains(got.Body.String(), "JSON") {
			t.Errorf("%s: %d %s, want %d", test.at, got.Code, got.Body, test.want)
		}
	}
}

// Other methods and addresses are not served.
func TestOtherRequests(t *testing.T) {
	d := newDesk(t)
	for _, target := range []string{"GET " + webhook.Path, "PUT " + own("key", 123456), "POST /webhooks", "POST " + own("key", 123456) + "/x", "POST " + webhook.Path + "/"} {
		method, at, _ := strings.Cut(target, " ")
		w := httptest.NewRecorder()
		d.handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, at, nil))
		if w.Code != 404 && w.Code != 405 {
			t.Errorf("%s: %d", target, w.Code)
		}
	}
}

// BenchmarkWarm is a request to an account's own address, beside one that is only parsed by net/http.
func BenchmarkWarm(b *testing.B) {
	handler := webhook.Handler(webhook.Options{
		Credentials: func(context.Context, bool) (account.WebhookCredentials, error) {
			return account.WebhookCredentials{Keys: [][]byte{[]byte("key")}}, nil
		},
		Wake: func(context.Context, lookup.Wake) error { return nil },
	})
	nothing := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	for name, h := range map[string]http.Handler{"webhook": handler, "nothing": nothing} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, own("key", 123456), strings.NewReader(booking))
				r.Header.Set("Content-Type", "application/json")
				w := httptest.NewRecorder()
				if h.ServeHTTP(w, r); w.Code != http.StatusOK {
					b.Fatal(w.Code)
				}
			}
		})
	}
}
