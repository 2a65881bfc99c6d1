package ownerrez

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"sync/atomic"
	"testing"
	"time"
)

// Where the wall clock went on without the timers, as on a machine that slept, a request whose permit died
// does not leave either: not over a new connection, nor over one that is kept.
func TestConnectionOfADeadPermitStaysSilent(t *testing.T) {
	var arrived atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrived.Add(1)
		_, _ = io.WriteString(w, "{}")
	}))
	defer srv.Close()
	c, err := newCore(PAT("ada@example.com", "pt_test"), []Option{WithAPIURL(srv.URL)})
	if err != nil {
		t.Fatal(err)
	}
	send := func(dies time.Time) (*permit, error) {
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		p := &permit{dies: dies, cancel: cancel}
		req, err := c.wire(httptrace.WithClientTrace(ctx, p.trace()), encode(request{method: "GET", base: c.api}))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.http.Do(req)
		if err != nil {
			return p, noAnswer(ctx, err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		return p, resp.Body.Close()
	}
	const rounds = 200 // net/http's writing and a cancel race: often enough for either to win
	for range rounds {
		for _, left := range []time.Duration{-time.Minute, time.Minute, time.Minute, -time.Minute} {
			p, err := send(time.Now().Add(left))
			if dead := left < 0; p.unused() != dead || errors.Is(err, errPermitDied) != dead {
				t.Fatalf("with %s left: %v", left, err)
			}
		}
	}
	time.Sleep(20 * time.Millisecond)
	if got := arrived.Load(); got != 2*rounds {
		t.Errorf("%d requests arrived, of %d with a living permit", got, 2*rounds)
	}
}
