package ownerreztest

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// bookingParameters are the parameters that bookings know.
var bookingParameters = []string{
	"property_ids", "since_utc", "status", "from", "to", "limit", "offset", endlessParameter,
	"include_guest", "include_charges", "include_door_codes", "include_tags", "include_fields",
	"include_cancellation_policy", "include_agreements",
}

// bookingFilter is what a list of bookings asks for.
type bookingFilter struct {
	properties []int64 // empty: all
	since      time.Time
	status     string // lower case; "": all
	from, to   ownerrez.Date
	asked      includes
}

// listBookings answers GET /v2/bookings. The server is locked.
func (s *Server) listBookings(c *call, acc *account) answer {
	q := s.quirks
	f, err := parseFilter(c.query)
	if err != nil {
		return q.invalid("%v.", err)
	}
	if len(f.properties) == 0 && f.since.IsZero() {
		return q.invalid("Either property_ids or since_utc is required.")
	}
	if status, what := q.refusesProperties(acc, f.properties); status != 0 {
		return q.failure(status, codes[status], what)
	}
	rows := s.matching(acc, f)
	return s.page(c, len(rows), q.CountOnBookings, func(i int) []byte { return rows[i].json(acc, q, f.asked) })
}

// matching is the rows that a filter shows, in the order of the list.
func (s *Server) matching(acc *account, f bookingFilter) []*row {
	acc.sort(s.quirks.Order)
	candidates := acc.ordered
	if len(f.properties) == 1 && !s.quirks.IgnorePropertyIDs {
		candidates = acc.perID[f.properties[0]]
	}
	var rows []*row
	for _, r := range candidates {
		if f.shows(&r.Booking, s.quirks) {
			rows = append(rows, r)
		}
	}
	if s.quirks.Order == OrderRandom {
		random := rand.New(rand.NewPCG(s.quirks.OrderSeed, uint64(s.count))) //nolint:gosec // repeatable on purpose
		random.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	}
	return rows
}

// shows reports whether the list has the booking.
func (f bookingFilter) shows(b *Booking, q Quirks) bool {
	if len(f.properties) > 0 && !q.IgnorePropertyIDs && !slices.Contains(f.properties, b.PropertyID) {
		return false
	}
	if f.status != "" && !strings.EqualFold(b.Status, f.status) {
		return false
	}
	if q.HideCanceled && b.canceled() && f.since.IsZero() && f.status == "" {
		return false
	}
	return f.showsSince(b, q) && f.showsDates(b, q)
}

// showsSince is the part of shows about since_utc.
func (f bookingFilter) showsSince(b *Booking, q Quirks) bool {
	if f.since.IsZero() {
		return true
	}
	changed := b.UpdatedUTC
	if q.SinceIsCreation {
		changed = b.CreatedUTC
	}
	return changed.After(f.since) || (!q.SinceExclusive && changed.Equal(f.since))
}

// showsDates is the part of shows about from and to: departs on or after, arrives on or before.
func (f bookingFilter) showsDates(b *Booking, q Quirks) bool {
	if q.IgnoreFromTo {
		return true
	}
	begin := b.Departure
	if q.FromIsArrival {
		begin = b.Arrival
	}
	return (f.from.IsZero() || !begin.Before(f.from)) && (f.to.IsZero() || !b.Arrival.After(f.to))
}

// refusesProperties says why a list of property ids is refused; status 0: it is not.
func (q Quirks) refusesProperties(acc *account, ids []int64) (status int, what string) {
	for _, id := range ids {
		p, ok := acc.properties[id]
		switch {
		case !ok && q.UnknownPropertyStatus != 0:
			return q.UnknownPropertyStatus, fmt.Sprintf("Property %d not found.", id)
		case p.Inactive && q.InactivePropertyStatus != 0:
			return q.InactivePropertyStatus, fmt.Sprintf("Property %d is not active.", id)
		}
	}
	return 0, ""
}

// booking answers GET /v2/bookings/{id}. The server is locked.
func (s *Server) booking(c *call, acc *account, id string) answer {
	f, err := parseFilter(c.query)
	if err != nil {
		return s.quirks.invalid("%v.", err)
	}
	n, _ := strconv.ParseInt(id, 10, 64)
	r := acc.rows[n]
	if r == nil {
		return s.quirks.notFound("Booking", id)
	}
	return textAnswer(http.StatusOK, jsonType, r.json(acc, s.quirks, f.asked))
}

// parseFilter reads the parameters, and is strict about them.
func parseFilter(query url.Values) (f bookingFilter, err error) {
	if f.properties, err = parseIDs(query.Get("property_ids")); err != nil {
		return f, err
	}
	if text := query.Get("since_utc"); text != "" {
		if f.since, err = parseTime(text); err != nil {
			return f, err
		}
	}
	f.status = strings.ToLower(query.Get("status"))
	if !slices.Contains([]string{"", "active", "pending", "canceled"}, f.status) {
		return f, fmt.Errorf("status must be Active, Pending or Canceled")
	}
	for name, date := range map[string]*ownerrez.Date{"from": &f.from, "to": &f.to} {
		if text := query.Get(name); text != "" {
			if *date, err = ownerrez.ParseDate(text); err != nil || len(text) != len(time.DateOnly) {
				return f, fmt.Errorf("%s must be a date like 2006-01-02", name)
			}
		}
	}
	f.asked, err = parseIncludes(query)
	return f, err
}

// parseIDs reads "1,2,3".
func parseIDs(text string) (ids []int64, err error) {
	if text == "" {
		return nil, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		id, err := strconv.ParseInt(strings.TrimSpace(part), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("property_ids must be numbers separated by commas")
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// parseTime reads a time; without a zone it is UTC.
func parseTime(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("since_utc must be a time like 2006-01-02T15:04:05Z")
}

// parseIncludes reads the include_ parameters.
func parseIncludes(query url.Values) (asked includes, err error) {
	for i, optional := range optionalKeys {
		switch strings.ToLower(query.Get(optional.parameter)) {
		case "true":
			asked |= 1 << i
		case "", "false":
		default:
			return 0, fmt.Errorf("%s must be true or false", optional.parameter)
		}
	}
	return asked, nil
}
