package ownerreztest

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Server is a fake OwnerRez: an http.Handler that plays both of its hosts, the API's (/v2/…, /oauth/access_token)
// and the web application's (/oauth/authorize, /api/properties/lookup). It keeps accounts, properties, bookings
// and tokens, and checks requests as OwnerRez does. Make one with New or Demo.
//
// All methods are safe for concurrent use, also while requests are being answered.
type Server struct {
	clock        func() time.Time
	basePath     string // "" or "/base"
	forwardedFor bool
	maxLog       int // how many requests Requests keeps; 0: all

	mu       sync.Mutex
	quirks   Quirks
	accounts map[int64]*account
	lastID   int64 // the last booking id given out
	apps     map[string]App
	tokens   map[string]*token // OAuth tokens and codes by their text
	secrets  map[string]bool   // every token, code and secret so far
	issued   int               // how many tokens and codes were made
	limits   map[string]*usage // by IP
	hooks    []Subscription    // by ID
	lastHook int64             // the last subscription id given out
	silent   map[int64]bool    // subscriptions to which nothing is posted any more
	posts    []Webhook         // that are still to be sent
	posted   int               // how many webhooks were made
	failing  map[string]int    // by URL: webhooks in a row that were never taken in
	log      []*Request
	count    int

	faultMu sync.Mutex
	faults  []*armed
}

// Option changes how New makes a Server.
type Option func(*Server)

// WithClock makes the server read the time from now instead of time.Now: created_utc and updated_utc, the
// Date header, the rate limit and the life of tokens follow it. Inside a testing/synctest bubble time.Now is
// virtual already, and no clock is needed.
func WithClock(now func() time.Time) Option { return func(s *Server) { s.clock = now } }

// WithBasePath sets the path below which the server answers, "/base" unless set; "" is the root. A client
// that drops its base URL's path finds nothing.
func WithBasePath(path string) Option {
	return func(s *Server) {
		if path = strings.Trim(path, "/"); path != "" {
			path = "/" + path
		}
		s.basePath = path
	}
}

// WithQuirks chooses between the ways in which OwnerRez is said to behave.
func WithQuirks(q Quirks) Option { return func(s *Server) { s.quirks = q } }

// WithForwardedFor makes the server take the caller's IP address from the first entry of X-Forwarded-For, if
// there is one, so that a test can play several addresses.
func WithForwardedFor() Option { return func(s *Server) { s.forwardedFor = true } }

// New makes a server without any account.
func New(opts ...Option) *Server {
	s := &Server{
		clock:    time.Now,
		basePath: "/base",
		accounts: map[int64]*account{},
		lastID:   900100,
		lastHook: 7000,
		apps:     map[string]App{},
		tokens:   map[string]*token{},
		secrets:  map[string]bool{},
		limits:   map[string]*usage{},
		silent:   map[int64]bool{},
		failing:  map[string]int{},
	}
	for _, opt := range opts {
		opt(s)
	}
	return s
}

// Quirks returns the quirks in force.
func (s *Server) Quirks() Quirks {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.quirks
}

// SetQuirks replaces the quirks from the next request on.
func (s *Server) SetQuirks(q Quirks) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.quirks = q
}

// now is the server's time.
func (s *Server) now() time.Time { return s.clock().UTC() }

// call is a request on its way through the server.
type call struct {
	r       *http.Request // its path is without the base path
	inside  bool          // it was below the base path
	origin  string        // scheme, host and base path, as the caller addressed them
	ip      string
	at      time.Time
	query   url.Values
	body    []byte
	form    url.Values // of a POST
	account int64      // whose token it carries; 0: nobody's
	as      int64      // the account to answer as instead; 0: its own
	log     *Request
}

// ServeHTTP answers as OwnerRez would, and as the faults say.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := s.receive(r)
	if again := reused(r); again && s.Quirks().CloseReusedConnections {
		closeConnection(w)
		return
	}
	hit := s.pick(c)
	hit.runBefore(c)
	a := s.answer(c, hit)
	hit.runAfter()
	s.note(c, a.status, hit)
	hit.send(w, c, a)
}

// receive reads the request and enters it in the log.
func (s *Server) receive(r *http.Request) *call {
	const maxBody = 1 << 20
	body, _ := io.ReadAll(io.LimitReader(r.Body, maxBody)) // a body that breaks off is judged by what came
	c := &call{r: r.Clone(r.Context()), origin: scheme(r) + "://" + r.Host + s.basePath, ip: s.addressOf(r), body: body}
	path, inside := strings.CutPrefix(r.URL.Path, s.basePath)
	c.inside = inside && strings.HasPrefix(path, "/")
	if c.inside {
		c.r.URL.Path = path
	}
	c.query = r.URL.Query()
	c.form, _ = url.ParseQuery(string(body))

	s.mu.Lock()
	defer s.mu.Unlock()
	c.at = s.now()
	c.account = s.owner(c)
	s.enter(c)
	return c
}

// answer is what c gets: the faults' answer or, without one, the world's, as the faults have changed it.
func (s *Server) answer(c *call, hit hits) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.follow(c.at)
	limited := s.overLimit(c)
	var a answer
	switch {
	case hit.replaces():
	case limited:
		a = s.quirks.rateLimited()
	default:
		a = s.process(c)
	}
	return hit.edit(s, c, a)
}

// addressOf is the caller's IP address.
func (s *Server) addressOf(r *http.Request) string {
	if s.forwardedFor {
		first, _, _ := strings.Cut(r.Header.Get("X-Forwarded-For"), ",")
		if first = strings.TrimSpace(first); first != "" {
			return first
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

func scheme(r *http.Request) string {
	if proto := r.Header.Get("X-Forwarded-Proto"); proto == "http" || proto == "https" {
		return proto
	}
	if r.TLS != nil {
		return "https"
	}
	return "http"
}
