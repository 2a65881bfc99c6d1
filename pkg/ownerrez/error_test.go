package ownerrez_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// kinds are all Err… values, with the errors that they stand for.
var kinds = []error{
	ownerrez.ErrInvalid, ownerrez.ErrUnauthorized, ownerrez.ErrPaymentRequired, ownerrez.ErrForbidden, ownerrez.ErrNotFound,
	ownerrez.ErrMethodNotAllowed, ownerrez.ErrConflict, ownerrez.ErrRateLimited, ownerrez.ErrServer,
	ownerrez.ErrUnreadable, ownerrez.ErrIncomplete, ownerrez.ErrUnreachable, context.Canceled, context.DeadlineExceeded,
}

// wantKinds checks which of the kinds err is: exactly those.
func wantKinds(t *testing.T, err error, want ...error) {
	t.Helper()
	for _, kind := range kinds {
		if got := errors.Is(err, kind); got != slices.Contains(want, kind) {
			t.Errorf("errors.Is(%v, %v) = %t", err, kind, got)
		}
	}
	if _, ok := errors.AsType[*url.Error](err); ok {
		t.Errorf("%v holds a *url.Error", err)
	}
}

func detail(t *testing.T, err error) *ownerrez.Error {
	t.Helper()
	e, ok := errors.AsType[*ownerrez.Error](err)
	if !ok {
		t.Fatalf("%v (%T) is no *ownerrez.Error", err, err)
	}
	return e
}

const webPage = "<!DOCTYPE html><html><head><title>Sign in</title></head><body>403</body></html>"

// Every shape of error body that the API is known to send.
func TestErrorBodies(t *testing.T) {
	tests := []struct {
		name     string
		status   int
		body     string
		kind     error
		code     string
		messages []string
	}{
		{"v2", 404, `{"messages":["Expected entity Booking:Id:1 not found."],"code":"not_found","doc_url":"https://x","status":"not_found","status_code":404}`, ownerrez.ErrNotFound, "not_found", []string{"Expected entity Booking:Id:1 not found."}},
		{"v2, one message", 400, `{"messages":"The dates conflict.","code":"validation_failed","status_code":400}`, ownerrez.ErrInvalid, "validation_failed", []string{"The dates conflict."}},
		{"v2 of 2024", 404, `{"messages":["Expected entity Guest:Id:1 not found."],"status":"not_found","status_code":404}`, ownerrez.ErrNotFound, "not_found", []string{"Expected entity Guest:Id:1 not found."}},
		{"v2, several messages", 400, `{"messages":["One.","","Two.",3],"code":"validation_failed"}`, ownerrez.ErrInvalid, "validation_failed", []string{"One.", "Two."}},
		{"rate limit", 429, `{"code":429,"error":"Rate limit exceeded."}`, ownerrez.ErrRateLimited, "429", []string{"Rate limit exceeded."}},
		{"rate limit, other", 429, `{"code":"rate_limited","messages":["Slow down."]}`, ownerrez.ErrRateLimited, "rate_limited", []string{"Slow down."}},
		{"v1", 400, `{"code":11,"messages":["Arrival is required."]}`, ownerrez.ErrInvalid, "11", []string{"Arrival is required."}},
		{"code as text", 429, `{"code":"429","error":"Rate limit exceeded."}`, ownerrez.ErrRateLimited, "429", []string{"Rate limit exceeded."}},
		{"OAuth", 401, `{"error":"invalid_client","error_description":"No such client."}`, ownerrez.ErrUnauthorized, "invalid_client", []string{"No such client."}},
		{"framework", 405, `{"error":{"code":"UnsupportedApiVersion","message":"The API version is not supported.","innerError":null}}`, ownerrez.ErrMethodNotAllowed, "UnsupportedApiVersion", []string{"The API version is not supported."}},
		{"framework, flat", 405, `{"Code":"UnsupportedApiVersion","Message":"No such resource."}`, ownerrez.ErrMethodNotAllowed, "UnsupportedApiVersion", []string{"No such resource."}},
		{"web page", 403, webPage, ownerrez.ErrForbidden, "", nil},
		{"empty", 502, ``, ownerrez.ErrServer, "", nil},
		{"spaces", 503, " \n", ownerrez.ErrServer, "", nil},
		{"array", 500, `["x"]`, ownerrez.ErrServer, "", nil},
		{"text", 500, `"x"`, ownerrez.ErrServer, "", nil},
		{"null", 500, `null`, ownerrez.ErrServer, "", nil},
		{"broken", 422, `{"messages":["x`, ownerrez.ErrInvalid, "", nil},
		{"with a mark", 409, "\ufeff" + `{"messages":["x"]}`, ownerrez.ErrConflict, "", []string{"x"}},
		{"premium", 402, `{"messages":["Messaging is not enabled."],"code":"messaging_not_enabled"}`, ownerrez.ErrPaymentRequired, "messaging_not_enabled", []string{"Messaging is not enabled."}},
		{"unknown status", 418, `{}`, nil, "", nil},
		{"strange types", 400, `{"messages":{"a":1},"code":[],"error":[],"status_code":"x"}`, ownerrez.ErrInvalid, "", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := client(t, serve(t, answering(test.status, test.body)))
			_, err := c.Bookings.Get(t.Context(), 900101)
			if test.kind != nil {
				wantKinds(t, err, test.kind)
			} else {
				wantKinds(t, err)
			}
			e := detail(t, err)
			if e.StatusCode != test.status || e.Code != test.code || !slices.Equal(e.Messages, test.messages) {
				t.Errorf("got %d, %q, %q", e.StatusCode, e.Code, e.Messages)
			}
			if e.Method != "GET" || e.Route != "/v2/bookings/{id}" || e.Attempts != 1 || strings.Contains(err.Error(), "900101") {
				t.Errorf("%+v", err)
			}
		})
	}
}

func TestErrorText(t *testing.T) {
	c := client(t, serve(t, answering(404, `{"messages":["Expected entity Booking:Id:1 not found."],"code":"not_found"}`)))
	_, err := c.Bookings.Get(t.Context(), 1)
	if got, want := err.Error(), "GET /v2/bookings/{id}: 404 not found: Expected entity Booking:Id:1 not found."; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	long := strings.Repeat("ä", 1000)
	c = client(t, serve(t, answering(400, `{"messages":["`+long+`","`+long+`"],"code":"validation_failed"}`)))
	_, err = c.Bookings.Get(t.Context(), 1)
	if n := strings.Count(err.Error(), "ä"); n != 299 || len([]rune(detail(t, err).Messages[0])) != 300 {
		t.Errorf("%d characters of the message are in the text", n)
	}
	c = client(t, serve(t, answering(400, `{"messages":["one\r\ntwo\u0000\u001b[31mthree"]}`)))
	_, err = c.Bookings.Get(t.Context(), 1)
	if got := detail(t, err).Messages[0]; got != "one two [31mthree" {
		t.Errorf("%q", got)
	}
}

// An error under 200 is the error that it names, else unreadable. It is never a row or a page.
func TestErrorsUnder200(t *testing.T) {
	tests := []struct {
		body   string
		kind   error
		status int
	}{
		{`{"code":429,"error":"Rate limit exceeded."}`, ownerrez.ErrRateLimited, 429},
		{`{"code":"429","error":"Rate limit exceeded."}`, ownerrez.ErrRateLimited, 429},
		{`{"messages":["x"],"code":"not_found","status":"not_found","status_code":404}`, ownerrez.ErrNotFound, 404},
		{`{"messages":["x"],"status_code":"503"}`, ownerrez.ErrServer, 503},
		{`{"items":[{"id":1}],"limit":100,"status_code":500}`, ownerrez.ErrServer, 500},
		{`{"items":[{"id":1}],"limit":100,"error":"Something failed."}`, ownerrez.ErrUnreadable, 200},
		{`{"code":11,"messages":["x"]}`, ownerrez.ErrUnreadable, 200},
		{`{"code":"not_found"}`, ownerrez.ErrUnreadable, 200},
		{`{"error":"invalid_token","error_description":"x"}`, ownerrez.ErrUnreadable, 200},
		{`{"error":{"code":"UnsupportedApiVersion","message":"x"}}`, ownerrez.ErrUnreadable, 200},
		{`{"Message":"An error has occurred."}`, ownerrez.ErrUnreadable, 200},
		{webPage, ownerrez.ErrUnreadable, 200},
		{``, ownerrez.ErrUnreadable, 200},
		{`{"items":[{"id":1}],"limit":100`, ownerrez.ErrUnreadable, 200},
		{`{"items":[{"id":1}]} extra`, ownerrez.ErrUnreadable, 200},
		{`null`, ownerrez.ErrUnreadable, 200},
		{`"ok"`, ownerrez.ErrUnreadable, 200},
		{`[]`, ownerrez.ErrUnreadable, 200},
		{`{}`, ownerrez.ErrUnreadable, 200},
	}
	for _, test := range tests {
		var seen exchanges
		c := client(t, serve(t, answering(200, test.body)), ownerrez.WithObserver(seen.observe))
		_, listErr := c.Bookings.List(t.Context(), byProperty)
		_, getErr := c.Bookings.Get(t.Context(), 1)
		_, meErr := c.Users.Me(t.Context())
		errs := map[string]error{"List": listErr, "Get": getErr, "Me": meErr}
		if test.body != `[]` {
			_, errs["Lookup"] = c.Properties.Lookup(t.Context())
		}
		for name, err := range errs {
			if !errors.Is(err, test.kind) || detail(t, err).StatusCode != test.status {
				t.Errorf("%s of %.60s: %v", name, test.body, err)
			}
		}
		if got := seen.all()[0]; got.Status != test.status || !got.Sent {
			t.Errorf("%.60s was observed as %+v", test.body, got)
		}
	}
}

// The row that was asked for, or an error: another row could free a night that is taken.
func TestGetChecksTheID(t *testing.T) {
	for body, ok := range map[string]bool{
		`{"id":5}`: true, `{"id":6}`: false, `{"id":"5"}`: false, `{"arrival":"2026-01-01"}`: false, `[{"id":5}]`: false, `{"id":5,"code":"x","message":"y"}`: true,
	} {
		c := client(t, serve(t, answering(200, body)))
		b, err := c.Bookings.Get(t.Context(), 5)
		if ok != (err == nil) || ok != (b != nil) || (err != nil && !errors.Is(err, ownerrez.ErrUnreadable)) {
			t.Errorf("%s: %v, %v", body, b, err)
		}
		if p, err := c.Properties.Get(t.Context(), 5); ok != (err == nil) || ok != (p != nil) {
			t.Errorf("%s: %v, %v", body, p, err)
		}
	}
}

func TestTooLargeAnswers(t *testing.T) {
	large := func(status, size int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(`{"messages":["x"],"items":[],"limit":100}`))
			_, _ = w.Write(bytes.Repeat([]byte(" "), size))
		}
	}
	_, err := client(t, serve(t, large(200, 16<<20))).Bookings.List(t.Context(), byProperty)
	if wantKinds(t, err, ownerrez.ErrUnreadable); !strings.Contains(err.Error(), "too large") {
		t.Error(err)
	}
	_, err = client(t, serve(t, large(500, 1<<20))).Bookings.List(t.Context(), byProperty)
	wantKinds(t, err, ownerrez.ErrServer)
	spaces := func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"items":[],"limit":100}` + strings.Repeat(" ", 3<<20)))
	}
	if _, err = client(t, serve(t, spaces)).Bookings.List(t.Context(), byProperty); err != nil {
		t.Error(err)
	}
}

// What is wrong with the arguments is said before anything is sent.
func TestRefusedBeforeSending(t *testing.T) {
	var permits counter
	c := client(t, serve(t, answering(200, `{}`)), ownerrez.WithLimiter(&permits))
	_, err := c.Bookings.Get(t.Context(), 0)
	wantKinds(t, err, ownerrez.ErrInvalid)
	_, err = c.Properties.Get(t.Context(), -5)
	wantKinds(t, err, ownerrez.ErrInvalid)
	_, err = c.Bookings.List(t.Context(), ownerrez.BookingQuery{From: ownerrez.NewDate(2026, 1, 1)})
	wantKinds(t, err, ownerrez.ErrInvalid)
	_, err = ownerrez.Collect(c.Bookings.All(t.Context(), ownerrez.BookingQuery{}))
	wantKinds(t, err, ownerrez.ErrInvalid)
	_, err = ownerrez.Collect(c.Properties.All(t.Context(), ownerrez.PropertyQuery{Offset: -1}))
	wantKinds(t, err, ownerrez.ErrInvalid)
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = c.Users.Me(canceled)
	wantKinds(t, err, context.Canceled)
	if permits.n != 0 {
		t.Errorf("%d permits were taken", permits.n)
	}
}

func TestRetryAfterIsTold(t *testing.T) {
	at := time.Date(2026, 11, 6, 12, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"":   0,
		"30": 30 * time.Second,
		"0":  0,
		"-5": 0,
		at.Add(time.Minute).Format(http.TimeFormat): time.Minute, // by the server's own clock
		at.Add(-time.Hour).Format(http.TimeFormat):  0,
		"999999999999999999999":                     24 * time.Hour,
		"soon":                                      0,
	} {
		var seen exchanges
		c := client(t, serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", at.Format(http.TimeFormat))
			w.Header().Set("Retry-After", header)
			w.WriteHeader(429)
		}), ownerrez.WithObserver(seen.observe))
		_, err := c.Users.Me(t.Context())
		if e := detail(t, err); e.RetryAfter != want {
			t.Errorf("%q: %v", header, e.RetryAfter)
		}
		if got := seen.all()[0]; got.RetryAfter != want || !got.Date.Equal(at) || got.Status != 429 || got.Route != "/v2/users/me" || got.Attempt != 1 || !errors.Is(got.Err, ownerrez.ErrRateLimited) {
			t.Errorf("%q: %+v", header, got)
		}
	}
}
