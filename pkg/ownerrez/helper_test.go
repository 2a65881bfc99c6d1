package ownerrez_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// Credentials of the tests, and the forms in which they must not show up anywhere.
const (
	testEmail = "ada@example.com"
	testPAT   = "pt_test"
	testAT    = "at_test"
)

var testApp = ownerrez.App{Name: "My Awesome App", Version: "1.0", ClientID: "c_51234234"}

// base is the path of the tests' servers: not "/", to catch absolute paths.
const base = "/base"

// serve starts a server below base, and returns its URL. The handler sees paths without base.
func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	srv := httptest.NewServer(http.StripPrefix(base, handler))
	t.Cleanup(srv.Close)
	return srv.URL + base
}

// client makes a client of the server at url that retries nothing, unless opts say otherwise.
func client(t *testing.T, url string, opts ...ownerrez.Option) *ownerrez.Client {
	t.Helper()
	all := append([]ownerrez.Option{ownerrez.WithAPIURL(url), ownerrez.WithAppURL(url), ownerrez.WithRetry(ownerrez.NoRetry())}, opts...)
	c, err := ownerrez.New(ownerrez.PAT(testEmail, testPAT), all...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// answering is a handler that always gives one answer.
func answering(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// trips is a transport without a network, for tests in a bubble: it answers by a function.
type trips func(*http.Request) (*http.Response, error)

func (f trips) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// through is the option that sends by f.
func through(f trips) ownerrez.Option {
	return ownerrez.WithHTTPClient(&http.Client{Transport: f})
}

// response makes an answer for trips; header holds pairs of name and value.
func response(status int, body string, header ...string) *http.Response {
	h := http.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}
}

// booking is a small row.
func booking(id int) string { return `{"id":` + strconv.Itoa(id) + `}` }

// bookings are rows with the ids [from, to].
func bookings(from, to int) string {
	var rows []string
	for id := from; id <= to; id++ {
		rows = append(rows, booking(id))
	}
	return strings.Join(rows, ",")
}

var byProperty = ownerrez.BookingQuery{PropertyIDs: []int64{4401}}

// counter is a limiter that counts permits and gives as many as asked for.
type counter struct {
	mu sync.Mutex
	n  int
}

func (c *counter) Take(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	return nil
}

// take returns the permits since the last call.
func (c *counter) take() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.n
	c.n = 0
	return n
}

// exchanges collects what an observer sees.
type exchanges struct {
	mu   sync.Mutex
	list []ownerrez.Exchange
}

func (e *exchanges) observe(_ context.Context, x ownerrez.Exchange) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = append(e.list, x)
}

func (e *exchanges) all() []ownerrez.Exchange {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]ownerrez.Exchange(nil), e.list...)
}

// pipes is a listener whose connections are net.Pipes: net/http runs over it inside a bubble.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case p.conns <- there:
		return here, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-p.done:
		return nil, net.ErrClosed
	}
}

// servePipes serves handler over pipes inside a bubble, and returns the option to use it with.
func servePipes(t *testing.T, handler http.HandlerFunc) (ownerrez.Option, *http.Transport) {
	t.Helper()
	listener := newPipes()
	srv := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	go func() { _ = srv.Serve(listener) }()
	transport := &http.Transport{DialContext: listener.dial}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = srv.Close()
	})
	return ownerrez.WithHTTPClient(&http.Client{Transport: transport}), transport
}

// response200 answers every request with an account, and notes when.
func response200(sent *[]time.Time) trips {
	return func(*http.Request) (*http.Response, error) {
		*sent = append(*sent, time.Now())
		return response(200, `{"id":123456}`), nil
	}
}
