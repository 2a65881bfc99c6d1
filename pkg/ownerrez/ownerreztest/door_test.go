package ownerreztest_test

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// TestStart serves on a real socket.
func TestStart(t *testing.T) {
	s := newServer()
	c := caller{t: t, client: http.DefaultClient, base: s.Start(t), prep: asPAT}
	if !strings.HasPrefix(c.base, "http://127.0.0.1:") || !strings.HasSuffix(c.base, "/base") {
		t.Error(c.base)
	}
	if r := c.get("/v2/users/me"); r.status != 200 {
		t.Errorf("%d %v", r.status, r.err)
	}
	for range 25 {
		stay(s, 4401, 1, 2)
	}
	link, _ := c.get("/v2/bookings?property_ids=4401").object(t)["next_page_url"].(string)
	if !strings.HasPrefix(link, c.base+"/v2/bookings?") {
		t.Errorf("next link %q", link)
	}
	if ip := s.Requests()[0].IP; ip != "127.0.0.1" {
		t.Errorf("IP %q", ip)
	}
}

// TestBubble spends virtual hours with the in-memory door: the rate limit, the clock, a server that hangs.
func TestBubble(t *testing.T) {
	begin := time.Now()
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		c := call(t, s)
		start := time.Now()
		for range 8 * 60 * 2 {
			id := stay(s, 4401, 1, 2)
			r := c.get("/v2/bookings?property_ids=4401&limit=1&status=active")
			if r.status != 200 || r.header.Get("Date") != time.Now().UTC().Format(http.TimeFormat) {
				t.Fatalf("%d %v %v", r.status, r.header, r.err)
			}
			s.Delete(acct, id)
			time.Sleep(30 * time.Second)
		}
		if passed := time.Since(start); passed != 8*time.Hour {
			t.Errorf("%v passed", passed)
		}

		s.Fault(ownerreztest.Fault{Do: ownerreztest.Hang()})
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		start = time.Now()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL()+"/v2/users/me", nil)
		if err != nil {
			t.Fatal(err)
		}
		if r := c.send(req); r.err == nil || time.Since(start) != 20*time.Second {
			t.Errorf("hang: %v after %v", r.err, time.Since(start))
		}
	})
	if time.Since(begin) > 30*time.Second {
		t.Errorf("8 virtual hours took %v", time.Since(begin))
	}
}

// TestEveryFaultInBubble: no fault leaves a goroutine behind, which would make the bubble fail.
func TestEveryFaultInBubble(t *testing.T) {
	for _, action := range ownerreztest.AllFaults() {
		t.Run(action.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer()
				stay(s, 4401, 1, 2)
				c := call(t, s)
				c.client.Timeout = time.Minute
				s.Fault(ownerreztest.Fault{Do: action})
				c.get("/v2/bookings?property_ids=4401")
				if r := c.get("/v2/bookings?property_ids=4401"); r.status != 200 {
					t.Errorf("after it: %d %v", r.status, r.err)
				}
			})
		})
	}
}

// TestOpenHTTPClient is the door for programs.
func TestOpenHTTPClient(t *testing.T) {
	s := newServer()
	client, closeClient := s.OpenHTTPClient()
	c := caller{t: t, client: client, base: s.URL(), prep: asApp}
	if r := c.get("/v2/users/me"); r.status != 200 {
		t.Errorf("%d %v", r.status, r.err)
	}
	closeClient()
	if r := c.get("/v2/users/me"); r.err == nil {
		t.Error("closed, and it answers")
	}
}

// TestAnyHostLeadsToTheServer in memory, and hosts can be told apart.
func TestAnyHostLeadsToTheServer(t *testing.T) {
	s := newServer(ownerreztest.WithQuirks(ownerreztest.Quirks{AppHost: "app.test"}))
	c := call(t, s)
	for url, want := range map[string]int{
		"http://api.test/base/v2/users/me":           200,
		"http://app.test/base/v2/users/me":           404,
		"http://app.test/base/api/properties/lookup": 200,
		"http://api.test/base/api/properties/lookup": 404,
	} {
		if r := c.do("GET", url); r.status != want {
			t.Errorf("%s: %d, want %d", url, r.status, want)
		}
	}
}

// TestCloseReusedConnections: a client that asks twice on one connection loses the second request, and the
// server has seen it.
func TestCloseReusedConnections(t *testing.T) {
	s := newServer(ownerreztest.WithQuirks(ownerreztest.Quirks{CloseReusedConnections: true}))
	for name, c := range map[string]caller{
		"memory": call(t, s), "socket": {t: t, client: &http.Client{Transport: &http.Transport{}}, base: s.Start(t), prep: asPAT},
	} {
		before := s.Count()
		first, second := c.get("/v2/users/me"), c.get("/v2/users/me")
		// net/http sends a GET again by itself when a connection that it reuses breaks: three were seen.
		if first.status != 200 || second.status != 200 || s.Count()-before != 3 {
			t.Errorf("%s: %d, %d, %d requests", name, first.status, second.status, s.Count()-before)
		}
	}
}

// TestManyAtOnce reads and changes one world from many sides; it is for the race detector.
func TestManyAtOnce(t *testing.T) {
	s := newServer(ownerreztest.WithQuirks(ownerreztest.Quirks{RateLimitOff: true}))
	c := call(t, s)
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			for range 10 {
				id := stay(s, 4401, 1+i, 2+i)
				s.Fault(ownerreztest.Fault{Match: ownerreztest.MatchBooking(id), Do: ownerreztest.Before(func() { s.Cancel(acct, id) })})
				r := c.get("/v2/bookings/" + strconv.FormatInt(id, 10))
				if r.status != 200 || !strings.Contains(r.body, `"status":"canceled"`) {
					t.Errorf("%d %v %s", r.status, r.err, r.body)
				}
				if list := c.get("/v2/bookings?property_ids=4401"); list.status != 200 {
					t.Errorf("%d %v", list.status, list.err)
				}
				s.Delete(acct, id)
			}
		})
	}
	all.Wait()
	if rows, n := s.Bookings(acct), s.Count(); len(rows) != 0 || n != 400 || len(s.Requests()) != 400 {
		t.Errorf("%d rows, %d requests", len(rows), n)
	}
}
