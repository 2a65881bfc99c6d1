package ownerrez_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// What cannot be reached is not sent; what breaks afterwards may have been.
func TestUnreachable(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	half := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, `{"id":123456`)
	}
	reset := func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_ = conn.(*net.TCPConn).SetLinger(0)
			_ = conn.Close()
		}
	}
	for name, test := range map[string]struct {
		url  string
		sent bool
	}{
		"nobody listens": {closed.URL, false},
		"no such host":   {"https://ownerrez.invalid", false},
		"half an answer": {serve(t, half), true},
		"a reset":        {serve(t, reset), true},
	} {
		var seen exchanges
		c := client(t, test.url, ownerrez.WithObserver(seen.observe))
		_, err := c.Users.Me(t.Context())
		wantKinds(t, err, ownerrez.ErrUnreachable)
		if x := seen.all()[0]; x.Sent != test.sent || x.Status != 0 || !errors.Is(x.Err, ownerrez.ErrUnreachable) {
			t.Errorf("%s: %+v", name, x)
		}
	}
}

// Without a permit nothing is sent, nothing is retried, and the limiter's own error is found.
func TestRefusingLimiter(t *testing.T) {
	full := errors.New("the window is full")
	var seen exchanges
	c := client(t, serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a request without a permit") }),
		ownerrez.WithLimiter(limiterFunc(func(context.Context) error { return fmt.Errorf("no: %w", full) })), ownerrez.WithObserver(seen.observe), ownerrez.WithRetry(ownerrez.RetryPolicy{}))
	_, err := c.Users.Me(t.Context())
	if !errors.Is(err, full) || detail(t, err).Attempts != 1 {
		t.Errorf("%v", err)
	}
	wantKinds(t, err)
	if x := seen.all(); len(x) != 1 || x[0].Sent || x[0].Status != 0 || !errors.Is(x[0].Err, full) {
		t.Errorf("%+v", x)
	}
}

// Ctrl-C in a read that hangs, before the answer and in the midst of it, ends the call at once.
func TestCancelInAHangingRead(t *testing.T) {
	for name, begin := range map[string]string{"no answer": "", "half an answer": `{"items":[`} {
		ctx, cancel := context.WithCancel(t.Context())
		release := make(chan struct{})
		var canceled time.Time
		c := client(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
			if begin != "" {
				_, _ = io.WriteString(w, begin)
				w.(http.Flusher).Flush()
			}
			time.AfterFunc(50*time.Millisecond, func() { canceled = time.Now(); cancel() })
			<-release
		}), ownerrez.WithRetry(ownerrez.RetryPolicy{}))
		_, err := ownerrez.Collect(c.Bookings.All(ctx, byProperty))
		took := time.Since(canceled)
		close(release)
		wantKinds(t, err, context.Canceled)
		if took > time.Second {
			t.Errorf("%s: %s after the cancel", name, took)
		}
	}
}

// A deadline of the caller is told from a server that takes too long.
func TestTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, `{"id":`)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}
		opt, transport := servePipes(t, hang)
		c := client(t, "http://127.0.0.1:1", opt)
		begin := time.Now()
		_, err := c.Users.Me(t.Context())
		wantKinds(t, err, ownerrez.ErrUnreachable)
		if took := time.Since(begin); took != 30*time.Second {
			t.Errorf("it took %s", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		_, err = c.Users.Me(ctx)
		wantKinds(t, err, context.DeadlineExceeded)
		if took := time.Since(begin); took != 40*time.Second {
			t.Errorf("it took %s", took)
		}
		slow := client(t, "http://127.0.0.1:1", ownerrez.WithHTTPClient(&http.Client{Transport: transport, Timeout: 90 * time.Second}))
		begin = time.Now()
		_, err = slow.Users.Me(t.Context())
		wantKinds(t, err, ownerrez.ErrUnreachable)
		if took := time.Since(begin); took != 90*time.Second {
			t.Errorf("with a timeout of the caller's it took %s", took)
		}
	})
}

// A redirect is an error, and its target is never asked.
func TestRedirectsAreNotFollowed(t *testing.T) {
	target := serve(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("%s %s with %v", r.Method, r.URL, r.Header) })
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, to := range []string{target + "/v2/users/me", "/elsewhere"} {
			var permits counter
			follow := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return nil }}
			c := client(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Location", to)
				w.WriteHeader(status)
			}), ownerrez.WithHTTPClient(follow), ownerrez.WithLimiter(&permits), ownerrez.WithRetry(ownerrez.RetryPolicy{}))
			_, err := c.Users.Me(t.Context())
			wantKinds(t, err, ownerrez.ErrUnreadable)
			if e := detail(t, err); e.StatusCode != status || permits.take() != 1 {
				t.Errorf("%d: %+v", status, e)
			}
			if follow.CheckRedirect(nil, nil) != nil || follow.Timeout != 0 || follow.Transport != nil {
				t.Error("the caller's http.Client was changed")
			}
		}
	}
}

// A hostile next link gets nothing at all, let alone the Authorization.
func TestForeignHostGetsNothing(t *testing.T) {
	foreign := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s with %v", r.URL, r.Header)
	}))
	defer foreign.Close()
	c := client(t, serve(t, answering(200, `{"items":[{"id":1}],"next_page_url":"`+foreign.URL+`/v2/bookings?offset=1"}`)))
	_, err := ownerrez.Collect(c.Bookings.All(t.Context(), byProperty))
	wantKinds(t, err, ownerrez.ErrIncomplete)
}
