package ownerreztest

import (
	"net/http"
	"slices"
	"strings"
)

// Fault says which requests are hit, and by what. Its zero fields mean: the next request, once.
//
//	server.Fault(ownerreztest.Fault{N: 3, Do: ownerreztest.Status(503)})             // the third request from now
//	server.Fault(ownerreztest.Fault{Match: ownerreztest.MatchProperty(4401), Times: -1,   // whatever asks for a property
//		Do: ownerreztest.Status(404)})
type Fault struct {
	N     int                      // the n-th matching request from now on, 1 for the next; 0: from the next one on
	Match func(*http.Request) bool // which requests match; nil: all. Paths come without the base path, bodies are gone
	Times int                      // how many matching requests are hit from there on; 0: one, -1: all
	Do    Action                   // what happens to them
}

// armed is a fault that waits, and what it has seen.
type armed struct {
	Fault
	seen int
}

// Fault adds a fault. Where several hit the same request, all apply in the order in which they were added;
// the last one decides how the answer is sent.
func (s *Server) Fault(f Fault) {
	s.faultMu.Lock()
	defer s.faultMu.Unlock()
	s.faults = append(s.faults, &armed{Fault: f})
}

// ClearFaults removes all faults.
func (s *Server) ClearFaults() {
	s.faultMu.Lock()
	defer s.faultMu.Unlock()
	s.faults = nil
}

// pick returns the actions that hit a request, and counts it.
func (s *Server) pick(c *call) hits {
	s.faultMu.Lock()
	faults := s.faults
	s.faultMu.Unlock()
	if len(faults) == 0 {
		return nil
	}
	matches := make([]bool, len(faults)) // asked for without the lock: Match may call the server
	for i, f := range faults {
		matches[i] = f.Match == nil || f.Match(c.r)
	}
	s.faultMu.Lock()
	defer s.faultMu.Unlock()
	var hit hits
	spent := false
	for i, f := range faults {
		if matches[i] && f.hits() {
			hit = append(hit, f.Do)
		}
		spent = spent || f.spent()
	}
	if spent { // into a new slice: others may be reading the old one
		s.faults = slices.DeleteFunc(slices.Clone(s.faults), (*armed).spent)
	}
	return hit
}

// hits counts a matching request and reports whether it is to be hit.
func (f *armed) hits() bool {
	over := f.spent()
	f.seen++
	return f.seen >= f.N && !over
}

// spent reports whether the fault has hit all that it was to hit.
func (f *armed) spent() bool {
	times := f.Times
	if times == 0 {
		times = 1
	}
	return times > 0 && f.seen >= max(f.N, 1)-1+times
}

// hits are the actions that hit one request.
type hits []Action

// String names them.
func (h hits) String() string {
	names := make([]string, len(h))
	for i, a := range h {
		names[i] = a.name
	}
	return strings.Join(names, ", ")
}

func (h hits) runBefore(c *call) {
	for _, a := range h {
		if a.before != nil {
			a.before()
		}
		if a.as != 0 {
			c.as = a.as
		}
	}
}

func (h hits) runAfter() {
	for _, a := range h {
		if a.after != nil {
			a.after()
		}
	}
}

// replaces reports whether the request is answered without being processed.
func (h hits) replaces() bool {
	for _, a := range h {
		if a.replaces {
			return true
		}
	}
	return false
}

// edit lets the actions change the answer.
func (h hits) edit(s *Server, c *call, a answer) answer {
	for _, action := range h {
		if action.edit != nil {
			a = action.edit(s.quirks, c, a)
		}
	}
	return a
}

// send sends the answer, in the last action's way.
func (h hits) send(w http.ResponseWriter, c *call, a answer) {
	for _, action := range slices.Backward(h) {
		if action.send != nil {
			action.send(w, c, a)
			return
		}
	}
	a.write(w, c.at, a.body)
}

// MatchPath matches requests by path, without the base path: "/v2/bookings", "/v2/bookings/900101".
func MatchPath(path string) func(*http.Request) bool {
	return func(r *http.Request) bool { return r.URL.Path == path }
}

// MatchBookings matches lists of bookings.
func MatchBookings(r *http.Request) bool { return r.URL.Path == bookingsPath }

// MatchByID matches reads of one booking or property.
func MatchByID(r *http.Request) bool {
	return numbered(r.URL.Path, bookingsPath) || numbered(r.URL.Path, propertiesPath)
}

// MatchProperty matches whatever names a property: lists of bookings with its id among property_ids, and the
// property itself by id.
func MatchProperty(id int64) func(*http.Request) bool {
	return func(r *http.Request) bool {
		ids, err := parseIDs(r.URL.Query().Get("property_ids"))
		named := r.URL.Path == bookingsPath && err == nil && slices.Contains(ids, id)
		return named || idOf(r, propertiesPath) == id
	}
}

// MatchBooking matches reads of one booking by its id.
func MatchBooking(id int64) func(*http.Request) bool {
	return func(r *http.Request) bool { return idOf(r, bookingsPath) == id }
}
