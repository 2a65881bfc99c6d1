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
	alive, dead := time.Now().Add(time.Minute), time.Now().Add(-time.Minute)
	for i, dies := range []time.Time{dead, alive, dead, alive, alive, dead} {
		before := arrived.Load()
		p, err := send(dies)
		time.Sleep(20 * time.Millisecond)
		if sent := arrived.Load() - before; (sent == 1) != (dies == alive) || p.unused() != (dies == dead) || (dies == dead && !errors.Is(err, errPermitDied)) {
			t.Errorf("request %d: %d arrived, %v", i, sent, err)
		}
	}
}
