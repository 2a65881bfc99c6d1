package ownerrez

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// script is a transport that gives one answer after the other, the last one for ever, and notes when.
type script struct {
	answers []any // a status, or an error
	header  http.Header
	at      []time.Time
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	s.at = append(s.at, time.Now())
	answer := s.answers[min(len(s.at), len(s.answers))-1]
	if err, ok := answer.(error); ok {
		return nil, err
	}
	return &http.Response{StatusCode: answer.(int), Header: s.header, Body: io.NopCloser(strings.NewReader("{}")), Request: r}, nil
}

// run makes one call through the script, with the method given.
func (s *script) run(ctx context.Context, t *testing.T, method string, opts ...Option) error {
	t.Helper()
	c, err := newCore(PAT("ada@example.com", "pt_test"), append(opts, WithHTTPClient(&http.Client{Transport: s})))
	if err != nil {
		t.Fatal(err)
	}
	r := request{method: method, base: c.api, route: "/v2/things", path: "/v2/things", payload: map[string]string{"POST": "{}", "PATCH": "{}", "PUT": "{}"}[method]}
	_, err = do(ctx, c, r, func(*attempt) (int, error) { return 0, nil })
	return err
}

// The table of RetryPolicy's comment, for every method and kind of failure.
func TestWhatIsRetried(t *testing.T) {
	reset := &url.Error{Op: "Get", URL: "https://x", Err: io.ErrUnexpectedEOF}
	tests := []struct {
		failure        any
		safe, write    int // how many requests are sent
		writesRepeated int // with RetryPolicy.Writes
	}{
		{429, 4, 4, 4},
		{500, 4, 1, 4},
		{502, 4, 1, 4},
		{503, 4, 1, 4},
		{reset, 4, 1, 4},
		{501, 1, 1, 1},
		{400, 1, 1, 1},
		{401, 1, 1, 1},
		{403, 1, 1, 1},
		{404, 1, 1, 1},
		{405, 1, 1, 1},
		{409, 1, 1, 1},
		{422, 1, 1, 1},
		{302, 1, 1, 1},
		{200, 1, 1, 1},
	}
	for _, test := range tests {
		for method, want := range map[string]int{"GET": test.safe, "PUT": test.safe, "DELETE": test.safe, "POST": test.write, "PATCH": test.write} {
			synctest.Test(t, func(t *testing.T) {
				s := &script{answers: []any{test.failure}}
				err := s.run(t.Context(), t, method)
				if len(s.at) != want {
					t.Errorf("%s, %v: %d requests, want %d", method, test.failure, len(s.at), want)
				}
				if e, ok := errors.AsType[*Error](err); ok && (e.Attempts != want || e.Method != method) {
					t.Errorf("%s, %v: %+v", method, test.failure, e)
				}
				s = &script{answers: []any{test.failure}}
				_ = s.run(t.Context(), t, method, WithRetry(RetryPolicy{Writes: true}))
				if most := max(want, test.writesRepeated); len(s.at) != most {
					t.Errorf("%s, %v, with Writes: %d requests, want %d", method, test.failure, len(s.at), most)
				}
				s = &script{answers: []any{test.failure}}
				_ = s.run(t.Context(), t, method, WithRetry(NoRetry()))
				if len(s.at) != 1 {
					t.Errorf("%s, %v, NoRetry: %d requests", method, test.failure, len(s.at))
				}
			})
		}
	}
}

func TestRetryEndsWithTheFirstGoodAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []any{503, 429, 200}}
		if err := s.run(t.Context(), t, "GET"); err != nil || len(s.at) != 3 {
			t.Errorf("%d requests, %v", len(s.at), err)
		}
		// The first DELETE did it, and only its answer was lost.
		s = &script{answers: []any{503, 404}}
		if err := s.run(t.Context(), t, "DELETE"); err != nil || len(s.at) != 2 {
			t.Errorf("%d requests, %v", len(s.at), err)
		}
		s = &script{answers: []any{404}}
		if err := s.run(t.Context(), t, "DELETE"); !errors.Is(err, ErrNotFound) {
			t.Errorf("a DELETE of nothing: %v", err)
		}
	})
}

// The waits between attempts lie in their bounds, over many draws, and reach most of them.
func TestBackoff(t *testing.T) {
	type bounds struct{ least, most time.Duration }
	for failure, want := range map[int][]bounds{
		500: {{500 * time.Millisecond, 1500 * time.Millisecond}, {500 * time.Millisecond, 2500 * time.Millisecond}, {500 * time.Millisecond, 4500 * time.Millisecond}},
		429: {{5 * time.Second, 15 * time.Second}, {5 * time.Second, 25 * time.Second}, {5 * time.Second, 45 * time.Second}},
	} {
		var shortest, longest time.Duration
		synctest.Test(t, func(t *testing.T) {
			for range 200 {
				s := &script{answers: []any{failure}}
				_ = s.run(t.Context(), t, "GET")
				for i, b := range want {
					wait := s.at[i+1].Sub(s.at[i])
					if wait < b.least || wait > b.most {
						t.Fatalf("%d: wait %d is %s", failure, i+1, wait)
					}
				}
				first := s.at[1].Sub(s.at[0])
				if shortest == 0 || first < shortest {
					shortest = first
				}
				longest = max(longest, first)
			}
		})
		if spread := want[0].most - want[0].least; longest-shortest < spread*9/10 {
			t.Errorf("%d: first waits are between %s and %s only", failure, shortest, longest)
		}
	}
	for number := range 100 {
		p := RetryPolicy{MaxWait: time.Minute}.withDefaults()
		if wait := p.wait(number+1, &Error{StatusCode: 429}); wait < 5*time.Second || wait > time.Minute {
			t.Errorf("attempt %d: %s", number+1, wait)
		}
		p = RetryPolicy{MinWait: 1 << 62, MaxWait: 1<<63 - 1}.withDefaults()
		if wait := p.wait(number+1, &Error{StatusCode: 500}); wait < 1<<62 {
			t.Errorf("attempt %d: %s", number+1, wait)
		}
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"90":       90 * time.Second,
		"31536000": 5 * time.Minute, // a year is cut
		time.Date(2000, 1, 1, 0, 0, 42, 0, time.UTC).Format(http.TimeFormat): 42 * time.Second, // bubbles begin in 2000
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &script{answers: []any{503, 200}, header: http.Header{"Retry-After": {header}}}
			if err := s.run(t.Context(), t, "GET"); err != nil {
				t.Fatal(err)
			}
			if wait := s.at[1].Sub(s.at[0]); wait != want {
				t.Errorf("%s: waited %s", header, wait)
			}
		})
	}
}

// A wait that would end after the deadline is not begun: the error comes at once, and is the API's.
func TestNoWaitPastTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		s := &script{answers: []any{429}, header: http.Header{"Retry-After": {"61"}}}
		err := s.run(ctx, t, "GET")
		if !errors.Is(err, ErrRateLimited) || errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != 0 || len(s.at) != 1 {
			t.Errorf("after %s and %d requests: %v", time.Since(begin), len(s.at), err)
		}
		if e, _ := errors.AsType[*Error](err); e.RetryAfter != 61*time.Second {
			t.Errorf("RetryAfter is %s", e.RetryAfter)
		}
		s = &script{answers: []any{429, 200}, header: http.Header{"Retry-After": {"59"}}}
		if err := s.run(ctx, t, "GET"); err != nil || time.Since(begin) != 59*time.Second {
			t.Errorf("after %s: %v", time.Since(begin), err)
		}
	})
}

// A cancel ends the wait at once; both what the API said and the cancel are found.
func TestCancelEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		begin := time.Now()
		time.AfterFunc(2*time.Second, cancel)
		var seen []Exchange
		s := &script{answers: []any{429}}
		err := s.run(ctx, t, "GET", WithObserver(func(_ context.Context, x Exchange) { seen = append(seen, x) }))
		if !errors.Is(err, ErrRateLimited) || !errors.Is(err, context.Canceled) || time.Since(begin) != 2*time.Second {
			t.Errorf("after %s: %v", time.Since(begin), err)
		}
		if len(seen) != 1 || errors.Is(seen[0].Err, context.Canceled) {
			t.Errorf("an error that an observer holds was changed: %+v", seen)
		}
	})
}

func TestRetryPolicyIsChecked(t *testing.T) {
	for _, p := range []RetryPolicy{{Attempts: -1}, {MinWait: -1}, {MaxWait: -1}} {
		if _, err := New(PAT("ada@example.com", "pt_test"), WithRetry(p)); err == nil {
			t.Errorf("%+v was accepted", p)
		}
	}
	if p := (RetryPolicy{}).withDefaults(); p != (RetryPolicy{4, 500 * time.Millisecond, 5 * time.Minute, false}) {
		t.Errorf("%+v", p)
	}
}
