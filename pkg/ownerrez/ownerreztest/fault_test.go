package ownerreztest_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// TestWhichRequestsAreHit: the n-th, the matching ones, once, often or always.
func TestWhichRequestsAreHit(t *testing.T) {
	for name, test := range map[string]struct {
		fault ownerreztest.Fault
		want  string // a letter per request: . good, X hit
	}{
		"the next":              {ownerreztest.Fault{}, "X......."},
		"the third":             {ownerreztest.Fault{N: 3}, "..X....."},
		"from the third, twice": {ownerreztest.Fault{N: 3, Times: 2}, "..XX...."},
		"always":                {ownerreztest.Fault{Times: -1}, "XXXXXXXX"},
		"from the third on":     {ownerreztest.Fault{N: 3, Times: -1}, "..XXXXXX"},
		"a property":            {ownerreztest.Fault{Match: ownerreztest.MatchProperty(4402), Times: -1}, ".X.X.X.X"},
		"its third":             {ownerreztest.Fault{Match: ownerreztest.MatchProperty(4402), N: 3}, ".....X.."},
		"lists":                 {ownerreztest.Fault{Match: ownerreztest.MatchBookings, Times: 9}, "XX..XX.."},
		"by id":                 {ownerreztest.Fault{Match: ownerreztest.MatchByID, Times: -1}, "..XX..XX"},
		"a booking":             {ownerreztest.Fault{Match: ownerreztest.MatchBooking(900101), Times: -1}, "..X...X."},
		"a path":                {ownerreztest.Fault{Match: ownerreztest.MatchPath("/v2/properties/4402")}, "...X...."},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer()
			stay(s, 4401, 1, 2)
			c := call(t, s)
			test.fault.Do = ownerreztest.Status(503)
			s.Fault(test.fault)
			got := ""
			for range 2 {
				for _, path := range []string{"/v2/bookings?property_ids=4401", "/v2/bookings?property_ids=1,4402", "/v2/bookings/900101", "/v2/properties/4402"} {
					got += map[int]string{200: ".", 503: "X"}[c.get(path).status]
				}
			}
			if got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
			s.Fault(ownerreztest.Fault{Times: -1, Do: ownerreztest.Status(500)})
			s.ClearFaults()
			if r := c.get("/v2/users/me"); r.status != 200 {
				t.Errorf("cleared: %d", r.status)
			}
		})
	}
}

// TestTransportFaults: what the caller sees of those that are not JSON.
func TestTransportFaults(t *testing.T) {
	s := newServer()
	for range 5 {
		stay(s, 4401, 1, 2)
	}
	doors := map[string]caller{
		"memory": call(t, s),
		"socket": {t: t, client: &http.Client{Transport: &http.Transport{}}, base: s.Start(t), prep: asPAT},
	}
	const path = "/v2/bookings?property_ids=4401"
	for door, c := range doors {
		good := c.get(path).body
		hit := func(a ownerreztest.Action, timeout time.Duration) reply {
			s.Fault(ownerreztest.Fault{Do: a, Times: -1}) // net/http may ask again
			defer s.ClearFaults()
			c.client.Timeout = timeout
			defer func() { c.client.Timeout = 0 }()
			return c.get(path)
		}
		if r := hit(ownerreztest.Hang(), 50*time.Millisecond); !timedOut(r.err) || r.status != 0 {
			t.Errorf("%s hang: %+v", door, r)
		}
		if r := hit(ownerreztest.HangHalfway(), 500*time.Millisecond); !timedOut(r.err) || r.status != 200 || len(r.body) == 0 || len(r.body) >= len(good) {
			t.Errorf("%s hang half-way: %+v", door, r)
		}
		if r := hit(ownerreztest.Reset(), 0); r.err == nil || timedOut(r.err) || r.status != 0 || (door == "socket" && !errors.Is(r.err, syscall.ECONNRESET)) {
			t.Errorf("%s reset: %+v", door, r)
		}
		if r := hit(ownerreztest.LoseAnswer(), 0); r.err == nil || r.status != 0 {
			t.Errorf("%s lost: %+v", door, r)
		}
		if r := hit(ownerreztest.BreakHalfway(), 0); !errors.Is(r.err, io.ErrUnexpectedEOF) || r.status != 200 || r.body != good[:len(good)/2] {
			t.Errorf("%s break half-way: %+v", door, r)
		}
		if r := hit(ownerreztest.HTML(200), 0); r.status != 200 || !strings.Contains(r.body, "<html>") || !strings.HasPrefix(r.header.Get("Content-Type"), "text/html") {
			t.Errorf("%s HTML: %+v", door, r)
		}
		if r := hit(ownerreztest.Empty(200), 0); r.status != 200 || r.body != "" || r.err != nil {
			t.Errorf("%s empty: %+v", door, r)
		}
		if r := hit(ownerreztest.Redirect(302, "http://elsewhere.example/x"), 0); r.status != 302 || r.header.Get("Location") != "http://elsewhere.example/x" {
			t.Errorf("%s redirect: %+v", door, r)
		}
		if r := hit(ownerreztest.Pad(1000), 0); len(r.body) != len(good)+1000 || !json.Valid([]byte(r.body)) {
			t.Errorf("%s padded: %d bytes", door, len(r.body))
		}
		if r := c.get(path); r.status != 200 || r.body != good {
			t.Errorf("%s afterwards: %+v", door, r)
		}
	}
}

func timedOut(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout()
}

// TestStatusBodies are those of OwnerRez.
func TestStatusBodies(t *testing.T) {
	s := newServer()
	c := call(t, s)
	body := func(code int, path string) string {
		s.Fault(ownerreztest.Fault{Do: ownerreztest.Status(code)})
		r := c.get(path)
		if r.status != code {
			t.Errorf("status %d, want %d", r.status, code)
		}
		return r.body
	}
	if got, real := body(404, "/v2/bookings/5"), c.get("/v2/bookings/5").body; got != real {
		t.Errorf("a wrong 404 %s\ndiffers from a true one %s", got, real)
	}
	if got, real := body(404, "/v2/properties/5"), c.get("/v2/properties/5").body; got != real {
		t.Errorf("a wrong 404 %s\ndiffers from a true one %s", got, real)
	}
	for code, want := range map[int]string{429: `"code":429`, 405: "UnsupportedApiVersion", 503: `"status_code":503`, 402: `"status_code":402`, 418: `"status_code":418`, 204: ""} {
		if got := body(code, "/v2/users/me"); !strings.Contains(got, want) {
			t.Errorf("%d: %s", code, got)
		}
	}
	s.Fault(ownerreztest.Fault{Do: ownerreztest.Header("Retry-After", "7")})
	if r := c.get("/v2/users/me"); r.header.Get("Retry-After") != "7" || r.status != 200 {
		t.Errorf("header: %d %v", r.status, r.header)
	}
}

// faultAnswer is what a fault makes of a list of three and of one record.
func faultAnswer(t *testing.T, a ownerreztest.Action, q ownerreztest.Quirks) (list, one reply) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(ownerreztest.WithClock(func() time.Time { return noon }), ownerreztest.WithQuirks(q))
		for range 3 {
			stay(s, 4401, 1, 3)
		}
		c := call(t, s)
		c.client.Timeout = time.Minute
		s.Fault(ownerreztest.Fault{Do: a, Times: -1})
		list, one = c.get("/v2/bookings?property_ids=4401&limit=3"), c.get("/v2/bookings/900101")
	})
	return list, one
}

// TestAllFaultsDiffer: every ready-made fault has its own name and a word about it, and changes the answers to
// lists or to records by id; its answers are no accidents: those of two servers are the same.
func TestAllFaultsDiffer(t *testing.T) {
	goodList, goodOne := faultAnswer(t, ownerreztest.Before(func() {}), ownerreztest.Quirks{})
	seen := map[string]bool{}
	for _, a := range ownerreztest.AllFaults() {
		if seen[a.String()] || a.String() == "" || a.Doc() == "" {
			t.Errorf("%q: its name comes twice, or it has no doc", a)
		}
		seen[a.String()] = true
		list, one := faultAnswer(t, a, ownerreztest.Quirks{})
		if list.err == nil && list.status == 200 && list.body == goodList.body && one.err == nil && one.body == goodOne.body {
			t.Errorf("%s changes nothing", a)
		}
		if list.err != nil || strings.HasPrefix(a.String(), "redirect") {
			continue
		}
		again, _ := faultAnswer(t, a, ownerreztest.Quirks{})
		if again.body != list.body || again.status != list.status {
			t.Errorf("%s is not repeatable", a)
		}
	}
	for _, code := range []string{"400", "401", "402", "403", "404", "405", "408", "409", "414", "422", "429", "500", "502", "503", "504"} {
		if !seen["status "+code] {
			t.Errorf("there is no status %s", code)
		}
	}
}

// TestBeforeAndAfter change the world around an answer.
func TestBeforeAndAfter(t *testing.T) {
	s := newServer()
	first := stay(s, 4401, 1, 2)
	c := call(t, s)
	s.Fault(ownerreztest.Fault{Do: ownerreztest.Before(func() { stay(s, 4401, 3, 4) })})
	s.Fault(ownerreztest.Fault{Do: ownerreztest.After(func() { s.Delete(acct, first) })})
	if got := c.get("/v2/bookings?property_ids=4401").ids(t); !cmp.Equal(got, []int64{900101, 900102}) {
		t.Errorf("first answer: %v", got)
	}
	if got := c.get("/v2/bookings?property_ids=4401").ids(t); !cmp.Equal(got, []int64{900102}) {
		t.Errorf("second answer: %v", got)
	}
	if r := s.Requests()[0]; r.Faults != "before, after" {
		t.Errorf("logged %q", r.Faults)
	}
}

// TestFaultsTogether: edits add up, and rows can be chosen by id.
func TestFaultsTogether(t *testing.T) {
	s := newServer()
	for range 4 {
		stay(s, 4401, 1, 2)
	}
	c := call(t, s)
	isID := func(n int64) func(int64) bool { return func(id int64) bool { return id == n } }
	s.Fault(ownerreztest.Fault{Do: ownerreztest.DropRows(isID(900102)), Times: -1})
	s.Fault(ownerreztest.Fault{Do: ownerreztest.DropRowsCounted(isID(900103))})
	s.Fault(ownerreztest.Fault{Do: ownerreztest.Edit("limit", func(v any) any { v.(map[string]any)["limit"] = 1; return v })})
	r := c.get("/v2/bookings?property_ids=4401")
	if page := r.object(t); !cmp.Equal(r.ids(t), []int64{900101, 900104}) || page["count"] != 4.0 || page["limit"] != 1.0 {
		t.Error(r.body)
	}
	if got := c.get("/v2/bookings/900102").status; got != 404 {
		t.Errorf("dropped, by id: %d", got)
	}
	if got := c.get("/v2/bookings/900103").status; got != 200 {
		t.Errorf("not dropped, by id: %d", got)
	}
	if got := c.get("/v2/users/me").status; got != 200 {
		t.Errorf("no row: %d", got)
	}
}

// TestHalfOfNothing: half of an answer without a body, or of none, is no answer.
func TestHalfOfNothing(t *testing.T) {
	s := newServer()
	c := call(t, s)
	c.client.Timeout = 50 * time.Millisecond
	for _, half := range []ownerreztest.Action{ownerreztest.HangHalfway(), ownerreztest.BreakHalfway()} {
		for _, other := range []ownerreztest.Action{ownerreztest.Redirect(307, ""), ownerreztest.Empty(200), ownerreztest.LoseAnswer()} {
			s.Fault(ownerreztest.Fault{Do: other, Times: -1})
			s.Fault(ownerreztest.Fault{Do: half, Times: -1})
			if r := c.get("/v2/users/me"); r.err == nil || r.status != 0 || timedOut(r.err) != (half.String() == "hang half-way") {
				t.Errorf("%s, %s: %+v", other, half, r)
			}
			s.ClearFaults()
		}
	}
}

// TestAsAccount answers with another account's rows.
func TestAsAccount(t *testing.T) {
	s := newServer()
	s.AddAccount(ownerreztest.Account{ID: 8, Email: "b@example.com"})
	s.Put(8, ownerreztest.Booking{ID: 5, PropertyID: 1, Arrival: day(1), Departure: day(2)})
	c := call(t, s)
	s.Fault(ownerreztest.Fault{Do: ownerreztest.AsAccount(8)})
	if me := c.get("/v2/users/me").object(t); me["id"] != 8.0 {
		t.Error(me)
	}
	if me := c.get("/v2/users/me").object(t); me["id"] != 7.0 {
		t.Error(me)
	}
}

// TestMatchMayAskTheServer: a Match function and a mutation may call it.
func TestMatchMayAskTheServer(t *testing.T) {
	s := newServer()
	c := call(t, s)
	s.Fault(ownerreztest.Fault{
		Match: func(*http.Request) bool { return s.Count() == 2 },
		Do:    ownerreztest.Before(func() { s.ClearFaults(); s.Fault(ownerreztest.Fault{N: 1, Do: ownerreztest.Status(500)}) }),
	})
	for i, want := range []int{200, 200, 500, 200} {
		if r := c.get("/v2/users/me"); r.status != want {
			t.Errorf("request %d: %d, want %d", i+1, r.status, want)
		}
	}
}
