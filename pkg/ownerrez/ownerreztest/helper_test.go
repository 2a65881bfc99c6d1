package ownerreztest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

const (
	acct     = 7
	email    = "wylie@acme.com"
	pat      = "pt_faaaast"
	bearer   = "at_foobarbaz"
	appAgent = "My Awesome App/1.0 (c_51234234)"
)

// noon is a fixed time for tests that don't let time go on.
var noon = time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC)

func newServer(opts ...ownerreztest.Option) *ownerreztest.Server {
	s := ownerreztest.New(opts...)
	s.AddAccount(ownerreztest.Account{ID: acct, Email: email, Name: "Acme Stays", TimeZone: "America/Chicago", PAT: pat, AccessToken: bearer})
	s.AddProperty(acct, ownerreztest.Property{ID: 4401, Name: "Pine Cabin", InternalCode: "PINE", TimeZone: "America/Chicago"})
	s.AddProperty(acct, ownerreztest.Property{ID: 4402, Name: "Harbor Loft"})
	return s
}

// caller makes requests as a client would.
type caller struct {
	t      testing.TB
	client *http.Client
	base   string
	prep   func(*http.Request)
}

func asPAT(r *http.Request) {
	r.SetBasicAuth(email, pat)
	r.Header.Set("User-Agent", "test/1.0")
}

func asApp(r *http.Request) {
	r.Header.Set("Authorization", "bearer "+bearer)
	r.Header.Set("User-Agent", appAgent)
}

func call(t testing.TB, s *ownerreztest.Server) caller {
	return caller{t: t, client: s.HTTPClient(t), base: s.URL(), prep: asPAT}
}

// reply is an answer, read.
type reply struct {
	status int
	header http.Header
	body   string
	err    error // of the request or the reading
}

func (c caller) get(path string) reply { return c.do(http.MethodGet, c.base+path) }

func (c caller) do(method, url string) reply {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, url, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	c.prep(req)
	return c.send(req)
}

func (c caller) send(req *http.Request) reply {
	client := *c.client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := client.Do(req)
	if err != nil {
		return reply{err: err}
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	return reply{status: res.StatusCode, header: res.Header, body: string(body), err: err}
}

// object is the body as a JSON object.
func (r reply) object(t testing.TB) map[string]any {
	t.Helper()
	var o map[string]any
	if err := json.Unmarshal([]byte(r.body), &o); err != nil || r.err != nil {
		t.Fatalf("no object: status %d, error %v, %v, body %q", r.status, r.err, err, r.body)
	}
	return o
}

// ids are the ids of a page's rows.
func (r reply) ids(t testing.TB) []int64 {
	t.Helper()
	var page struct {
		Items []struct {
			ID int64 `json:"id"`
		} `json:"items"`
	}
	if err := json.Unmarshal([]byte(r.body), &page); err != nil || r.status != 200 {
		t.Fatalf("no page: status %d, error %v, %v, body %q", r.status, r.err, err, r.body)
	}
	ids := []int64{}
	for _, row := range page.Items {
		ids = append(ids, row.ID)
	}
	return ids
}

func day(n int) ownerrez.Date { return ownerrez.NewDate(2026, time.December, n) }

// stay puts a booking for the nights [from, to) of December 2026.
func stay(s *ownerreztest.Server, property int64, from, to int) int64 {
	return s.Put(acct, ownerreztest.Booking{PropertyID: property, Arrival: day(from), Departure: day(to)})
}
