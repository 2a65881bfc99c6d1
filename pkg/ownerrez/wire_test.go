package ownerrez_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// closing is a server that answers the first request of each connection, and closes the connection as soon as
// it has read a second one: the case in which net/http likes to send a request again. It counts what it reads.
func closing(t *testing.T, requests *atomic.Int64) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				in := bufio.NewReader(conn)
				for n := range 2 {
					r, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					_, _ = io.Copy(io.Discard, r.Body)
					requests.Add(1)
					if n == 0 {
						_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n{\"id\":123456}")
					}
				}
			}()
		}
	}()
	return "http://" + listener.Addr().String()
}

// One permit, one send, also where net/http would repeat a request silently. (A client that sends without a
// body is repeated: the test shows that too, so that it is known to bite.)
func TestOnePermitOneSend(t *testing.T) {
	var requests atomic.Int64
	url := closing(t, &requests)
	var permits counter
	var seen exchanges
	c := client(t, url, ownerrez.WithLimiter(&permits), ownerrez.WithObserver(seen.observe), ownerrez.WithRetry(ownerrez.RetryPolicy{MinWait: 1}))
	for range 20 {
		if _, err := c.Users.Me(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	taken := permits.take()
	if got := int(requests.Load()); got != taken || taken <= 20 || len(seen.all()) != taken {
		t.Errorf("%d requests arrived for %d permits, and %d were observed", got, taken, len(seen.all()))
	}

	requests.Store(0)
	plain := &http.Client{Transport: &http.Transport{}}
	for range 2 {
		resp, err := plain.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
	if requests.Load() != 3 {
		t.Errorf("net/http sent %d requests for 2 calls: this test no longer shows what it should", requests.Load())
	}
}

// What goes over the wire: headers and no body, on one kept connection.
func TestRequestOnTheWire(t *testing.T) {
	var conns sync.Map
	c := client(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		conns.Store(r.RemoteAddr, true)
		body, _ := io.ReadAll(r.Body)
		if len(body) != 0 || r.ContentLength != 0 || r.TransferEncoding != nil || r.Header.Get("Accept") != "application/json" || !strings.HasPrefix(r.UserAgent(), "ownerrez-lambda/") {
			t.Errorf("%d bytes, length %d, %v, %v", len(body), r.ContentLength, r.TransferEncoding, r.Header)
		}
		if user, password, ok := r.BasicAuth(); !ok || user != testEmail || password != testPAT {
			t.Error("wrong credentials")
		}
		_, _ = io.WriteString(w, `{"id":123456}`)
	}))
	for range 5 {
		if _, err := c.Users.Me(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	conns.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("%d connections for 5 requests", n)
	}
}

// A permit that finds no connection within its life dies with the attempt, which is known not to be sent.
func TestPermitDiesWithoutConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dial := func(context.Context, string, string) (net.Conn, error) {
			time.Sleep(time.Minute) // net/http does not cancel a dial
			return nil, errors.New("too late to matter")
		}
		var seen exchanges
		c := client(t, "http://127.0.0.1:1", ownerrez.WithHTTPClient(&http.Client{Transport: &http.Transport{DialContext: dial}}), ownerrez.WithObserver(seen.observe))
		begin := time.Now()
		_, err := c.Users.Me(t.Context())
		wantKinds(t, err, ownerrez.ErrUnreachable)
		if took := time.Since(begin); took != ownerrez.PermitLifetime {
			t.Errorf("cut after %s", took)
		}
		time.Sleep(time.Minute) // for the dial to end
		if x := seen.all()[0]; x.Sent || x.Status != 0 || x.Duration != ownerrez.PermitLifetime {
			t.Errorf("%+v", x)
		}
	})
}

// A process that stood still between permit and connection does not send: here the clock jumps inside dial.
func TestDeadPermitIsNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var arrived atomic.Int64
		listener := newPipes()
		srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			arrived.Add(1)
			_, _ = io.WriteString(w, `{"id":123456}`)
		})}
		go func() { _ = srv.Serve(listener) }()
		var stall time.Duration
		transport := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			time.Sleep(stall)
			return listener.dial(context.WithoutCancel(ctx), network, addr)
		}}
		defer func() { transport.CloseIdleConnections(); _ = srv.Close() }()
		var seen exchanges
		c := client(t, "http://127.0.0.1:1", ownerrez.WithHTTPClient(&http.Client{Transport: transport}), ownerrez.WithObserver(seen.observe))

		stall = ownerrez.PermitLifetime - time.Millisecond
		if _, err := c.Users.Me(t.Context()); err != nil || arrived.Load() != 1 {
			t.Errorf("just in time: %v, %d arrived", err, arrived.Load())
		}
		transport.CloseIdleConnections()
		stall = 10 * time.Minute
		_, err := c.Users.Me(t.Context())
		time.Sleep(time.Hour)
		wantKinds(t, err, ownerrez.ErrUnreachable)
		if arrived.Load() != 1 || seen.all()[1].Sent {
			t.Errorf("%d arrived, %+v", arrived.Load(), seen.all()[1])
		}
	})
}

// The same where the time passes after the connection is there: while the credentials are looked up.
func TestSlowTokenSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var arrived atomic.Int64
		opt, _ := servePipes(t, func(w http.ResponseWriter, _ *http.Request) {
			arrived.Add(1)
			_, _ = io.WriteString(w, `{"id":123456}`)
		})
		var pause time.Duration
		source := sourceFunc(func(context.Context) (ownerrez.Token, error) {
			time.Sleep(pause)
			return ownerrez.Token{AccessToken: testAT}, nil
		})
		c, err := ownerrez.New(ownerrez.OAuth(testApp, source), opt, ownerrez.WithAPIURL("http://127.0.0.1:1"), ownerrez.WithRetry(ownerrez.NoRetry()))
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []int64{1, 1, 2} { // the second would go over a connection that is there already
			pause = []time.Duration{0, 6 * time.Second, 0}[i]
			if _, err := c.Users.Me(t.Context()); (err != nil) != (i == 1) || arrived.Load() != want {
				t.Errorf("call %d: %v, %d arrived", i, err, arrived.Load())
			}
		}
	})
}

// The same for a transport of which nothing is known.
func TestSlowTokenSourceAndOtherTransport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := sourceFunc(func(context.Context) (ownerrez.Token, error) {
			time.Sleep(ownerrez.PermitLifetime + 1)
			return ownerrez.Token{AccessToken: testAT}, nil
		})
		var sent []time.Time
		var seen exchanges
		c, err := ownerrez.New(ownerrez.OAuth(testApp, source), through(response200(&sent)), ownerrez.WithRetry(ownerrez.NoRetry()), ownerrez.WithObserver(seen.observe))
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Users.Me(t.Context())
		wantKinds(t, err, ownerrez.ErrUnreachable)
		if sent != nil || seen.all()[0].Sent {
			t.Errorf("sent at %v, %+v", sent, seen.all()[0])
		}
	})
}

type sourceFunc func(context.Context) (ownerrez.Token, error)

func (f sourceFunc) Token(ctx context.Context) (ownerrez.Token, error) { return f(ctx) }

type limiterFunc func(context.Context) error

func (f limiterFunc) Take(ctx context.Context) error { return f(ctx) }

// Many goroutines on one client; the server checks that each gets its own answer.
func TestConcurrentUse(t *testing.T) {
	var permits counter
	var seen exchanges
	var arrived atomic.Int64
	c := client(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		n := arrived.Add(1)
		id := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
		if n%7 == 0 {
			w.WriteHeader(503)
			return
		}
		_, _ = io.WriteString(w, `{"id":`+id+`,"title":"`+id+`"}`)
	}), ownerrez.WithLimiter(&permits), ownerrez.WithObserver(seen.observe), ownerrez.WithRetry(ownerrez.RetryPolicy{MinWait: 1, Attempts: 20}))
	var callers sync.WaitGroup
	for i := range 50 {
		callers.Go(func() {
			for j := range 10 {
				id := int64(1 + i*10 + j)
				b, err := c.Bookings.Get(t.Context(), id)
				if err != nil || b.ID != id || b.Title != strconv.FormatInt(id, 10) {
					t.Errorf("%d: %+v, %v", id, b, err)
				}
			}
		})
	}
	callers.Wait()
	if n := int(arrived.Load()); permits.take() != n || len(seen.all()) != n || n < 500 {
		t.Errorf("%d requests arrived, %d were observed", n, len(seen.all()))
	}
}

// Observers are told of every attempt, in order of their options.
func TestObservers(t *testing.T) {
	var order []string
	note := func(name string) ownerrez.Option {
		return ownerrez.WithObserver(func(_ context.Context, x ownerrez.Exchange) {
			order = append(order, fmt.Sprint(name, x.Attempt, x.Status))
		})
	}
	n := 0
	c := client(t, serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if n++; n == 1 {
			w.WriteHeader(500)
		}
		_, _ = io.WriteString(w, `{"id":123456}`)
	}), note("a"), note("b"), ownerrez.WithRetry(ownerrez.RetryPolicy{MinWait: 1}))
	if _, err := c.Users.Me(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(order, " "); got != "a1 500 b1 500 a2 200 b2 200" {
		t.Error(got)
	}
}
