package ownerreztest_test

import (
	"fmt"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// decemberWorld has five bookings, each put a minute after the one before: 900101 to 900105.
func decemberWorld(opts ...ownerreztest.Option) *ownerreztest.Server {
	now := noon
	s := newServer(append([]ownerreztest.Option{ownerreztest.WithClock(func() time.Time { return now })}, opts...)...)
	put := func(b ownerreztest.Booking) {
		s.Put(acct, b)
		now = now.Add(time.Minute)
	}
	put(ownerreztest.Booking{PropertyID: 4401, Arrival: day(1), Departure: day(4), GuestID: 77, GuestFirst: "Ada", GuestLast: "Example"})
	put(ownerreztest.Booking{PropertyID: 4401, Arrival: day(4), Departure: day(6), IsBlock: true, Title: "Floor repair"})
	put(ownerreztest.Booking{PropertyID: 4401, Arrival: day(10), Departure: day(12)})
	put(ownerreztest.Booking{PropertyID: 4402, Arrival: day(1), Departure: day(31), Type: "quote_hold", Status: "pending", PendingUntilUTC: noon.Add(time.Hour)})
	put(ownerreztest.Booking{PropertyID: 4402, Arrival: day(20), Departure: day(22), Type: "owner"})
	s.Cancel(acct, 900103) // at noon + 5 minutes
	return s
}

// TestBookingFilters asks the same world in many ways.
func TestBookingFilters(t *testing.T) {
	since := func(minutes int) string {
		return "since_utc=" + noon.Add(time.Duration(minutes)*time.Minute).Format(time.RFC3339)
	}
	const both = "property_ids=4401,4402"
	for _, test := range []struct {
		query  string
		quirks ownerreztest.Quirks
		want   []int64 // of 900100 + n
	}{
		{both, ownerreztest.Quirks{}, []int64{1, 2, 3, 4, 5}},
		{"property_ids=4401", ownerreztest.Quirks{}, []int64{1, 2, 3}},
		{"property_ids=4401,999", ownerreztest.Quirks{}, []int64{1, 2, 3}},
		{"property_ids=999", ownerreztest.Quirks{}, []int64{}},
		{"property_ids=4402", ownerreztest.Quirks{IgnorePropertyIDs: true}, []int64{1, 2, 3, 4, 5}},
		{"since_utc=1970-01-01T00:00:00Z", ownerreztest.Quirks{}, []int64{1, 2, 3, 4, 5}},
		{since(3), ownerreztest.Quirks{}, []int64{3, 4, 5}},
		{since(3), ownerreztest.Quirks{SinceExclusive: true}, []int64{3, 5}},
		{since(3), ownerreztest.Quirks{SinceIsCreation: true}, []int64{4, 5}},
		{since(3) + "&property_ids=4402", ownerreztest.Quirks{}, []int64{4, 5}},
		{since(6), ownerreztest.Quirks{}, []int64{}},
		{both + "&status=Canceled", ownerreztest.Quirks{}, []int64{3}},
		{both + "&status=active", ownerreztest.Quirks{}, []int64{1, 2, 5}},
		{both + "&status=PENDING", ownerreztest.Quirks{}, []int64{4}},
		{both, ownerreztest.Quirks{HideCanceled: true}, []int64{1, 2, 4, 5}},
		{both + "&status=canceled", ownerreztest.Quirks{HideCanceled: true}, []int64{3}},
		{since(3), ownerreztest.Quirks{HideCanceled: true}, []int64{3, 4, 5}},
		{both + "&from=2026-12-04", ownerreztest.Quirks{}, []int64{1, 2, 3, 4, 5}}, // departs on the day itself
		{both + "&from=2026-12-05", ownerreztest.Quirks{}, []int64{2, 3, 4, 5}},
		{both + "&to=2026-12-04", ownerreztest.Quirks{}, []int64{1, 2, 4}}, // arrives on the day itself
		{both + "&to=2026-12-03", ownerreztest.Quirks{}, []int64{1, 4}},
		{both + "&from=2026-12-13&to=2026-12-19", ownerreztest.Quirks{}, []int64{4}},
		{both + "&from=2026-12-04", ownerreztest.Quirks{FromIsArrival: true}, []int64{2, 3, 5}},
		{both + "&from=2026-12-13&to=2026-12-19", ownerreztest.Quirks{IgnoreFromTo: true}, []int64{1, 2, 3, 4, 5}},
		{both, ownerreztest.Quirks{Order: ownerreztest.OrderByUpdate}, []int64{1, 2, 4, 5, 3}},
		{both, ownerreztest.Quirks{Order: ownerreztest.OrderNewestFirst}, []int64{5, 4, 3, 2, 1}},
		{both + "&color=red", ownerreztest.Quirks{IgnoreUnknownParameter: true}, []int64{1, 2, 3, 4, 5}},
	} {
		t.Run(test.query+fmt.Sprintf("%+v", test.quirks), func(t *testing.T) {
			s := decemberWorld(ownerreztest.WithQuirks(test.quirks))
			got := call(t, s).get("/v2/bookings?" + test.query).ids(t)
			for i := range got {
				got[i] -= 900100
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestBookingRefusals: what the list does not accept, it says so.
func TestBookingRefusals(t *testing.T) {
	for _, test := range []struct {
		query  string
		quirks ownerreztest.Quirks
		status int
		code   any
	}{
		{"", ownerreztest.Quirks{}, 400, "validation_failed"},
		{"from=2026-12-01&to=2026-12-05", ownerreztest.Quirks{}, 400, "validation_failed"},
		{"property_ids=", ownerreztest.Quirks{}, 400, "validation_failed"},
		{"property_ids=abc", ownerreztest.Quirks{}, 400, "validation_failed"},
		{"property_ids=4401&from=01.12.2026", ownerreztest.Quirks{}, 400, "validation_failed"},
		{"property_ids=4401&from=2026-12-01T00:00:00", ownerreztest.Quirks{}, 400, "validation_failed"},
		{"property_ids=4401&status=gone", ownerreztest.Quirks{}, 400, "validation_failed"},
		{"property_ids=4401&include_guest=yes", ownerreztest.Quirks{}, 400, "validation_failed"},
		{"since_utc=yesterday", ownerreztest.Quirks{}, 400, "validation_failed"},
		{"property_ids=4401&limit=0", ownerreztest.Quirks{}, 400, "validation_failed"},
		{"property_ids=4401&offset=-1", ownerreztest.Quirks{}, 400, "validation_failed"},
		{"property_ids=4401&limit=101", ownerreztest.Quirks{RejectLimitAboveMax: true}, 400, "validation_failed"},
		{"property_ids=4401,999", ownerreztest.Quirks{UnknownPropertyStatus: 404}, 404, "not_found"},
		{"property_ids=4401&limit=x", ownerreztest.Quirks{CodeAsNumber: true}, 400, 400.0},
		{"property_ids=4401&limit=x", ownerreztest.Quirks{OldErrors: true}, 400, nil},
	} {
		s := newServer(ownerreztest.WithQuirks(test.quirks))
		r := call(t, s).get("/v2/bookings?" + test.query)
		if r.status != test.status {
			t.Errorf("%q: status %d, want %d", test.query, r.status, test.status)
			continue
		}
		if code := r.object(t)["code"]; code != test.code {
			t.Errorf("%q: code %v, want %v", test.query, code, test.code)
		}
	}
}

// TestInactivePropertyIsRefusedByQuirk: of several, one is enough to refuse the list.
func TestInactivePropertyIsRefusedByQuirk(t *testing.T) {
	s := newServer()
	s.SetPropertyActive(acct, 4402, false)
	c := call(t, s)
	if r := c.get("/v2/bookings?property_ids=4401,4402"); r.status != 200 {
		t.Errorf("without the quirk: status %d", r.status)
	}
	s.SetQuirks(ownerreztest.Quirks{InactivePropertyStatus: 400})
	if r := c.get("/v2/bookings?property_ids=4401,4402"); r.status != 400 {
		t.Errorf("with the quirk: status %d", r.status)
	}
}

// TestLongQueryIsRefusedByQuirk with 414.
func TestLongQueryIsRefusedByQuirk(t *testing.T) {
	s := newServer(ownerreztest.WithQuirks(ownerreztest.Quirks{MaxQuery: 40}))
	c := call(t, s)
	if r := c.get("/v2/bookings?property_ids=4401"); r.status != 200 {
		t.Errorf("short: status %d", r.status)
	}
	if r := c.get("/v2/bookings?property_ids=4401&since_utc=1970-01-01T00:00:00Z"); r.status != 414 {
		t.Errorf("long: status %d", r.status)
	}
}

// TestBookingIsSparse: what is not set has no key, and what was not asked for has none either.
func TestBookingIsSparse(t *testing.T) {
	s := decemberWorld()
	s.Update(acct, 900101, func(b *ownerreztest.Booking) {
		b.Raw = map[string]any{"charges": []any{map[string]any{"type": "rent", "amount": 660}}, "adults": 2, "title": "new", "is_block": nil}
	})
	c := call(t, s)
	want := map[string]any{
		"id": 900102.0, "property_id": 4401.0, "type": "block", "status": "active", "is_block": true,
		"arrival": "2026-12-04", "departure": "2026-12-06", "title": "Floor repair",
		"created_utc": "2026-11-23T12:01:00Z", "updated_utc": "2026-11-23T12:01:00Z",
	}
	if diff := cmp.Diff(want, c.get("/v2/bookings/900102").object(t)); diff != "" {
		t.Error(diff)
	}
	want = map[string]any{
		"id": 900101.0, "property_id": 4401.0, "type": "booking", "status": "active", "guest_id": 77.0,
		"property": map[string]any{"id": 4401.0, "name": "Pine Cabin", "internal_code": "PINE"},
		"arrival":  "2026-12-01", "departure": "2026-12-04", "adults": 2.0, "title": "new",
		"created_utc": "2026-11-23T12:00:00Z", "updated_utc": "2026-11-23T12:05:00Z",
	}
	if diff := cmp.Diff(want, c.get("/v2/bookings/900101").object(t)); diff != "" {
		t.Error(diff)
	}
	all := c.get("/v2/bookings/900101?include_guest=true&include_charges=true").object(t)
	if all["guest"] == nil || all["charges"] == nil {
		t.Errorf("asked for guest and charges, got %v", all)
	}
}

// TestRowsInOtherWriting covers the quirks of times and dates.
func TestRowsInOtherWriting(t *testing.T) {
	s := decemberWorld(ownerreztest.WithQuirks(ownerreztest.Quirks{ZonelessTimes: true, DatesWithTime: true}))
	row := call(t, s).get("/v2/bookings/900103").object(t)
	if row["arrival"] != "2026-12-10T00:00:00" || row["canceled_utc"] != "2026-11-23T12:05:00" {
		t.Error(row)
	}
}

// TestPaging walks through all pages in every documented variant, and gets every row once.
func TestPaging(t *testing.T) {
	for _, q := range []ownerreztest.Quirks{
		{}, {Link: ownerreztest.LinkRelative}, {LastLink: ownerreztest.LastLinkNull}, {LastLink: ownerreztest.LastLinkEmpty},
		{Link: ownerreztest.LinkRelative, CountOnBookings: true, OmitItemsWhenEmpty: true}, {MaxLimit: 20}, {Order: ownerreztest.OrderShuffled},
	} {
		s := newServer(ownerreztest.WithQuirks(q))
		for i := range 45 {
			stay(s, 4401, 1+i%20, 2+i%20)
		}
		c := call(t, s)
		seen := map[int64]bool{}
		pages := 0
		for link := "/base/v2/bookings?property_ids=4401&limit=15"; link != ""; pages++ {
			u, err := url.Parse(s.URL() + "/v2/bookings")
			if err != nil {
				t.Fatal(err)
			}
			ref, err := url.Parse(link)
			if err != nil {
				t.Fatal(err)
			}
			r := c.do("GET", u.ResolveReference(ref).String())
			for _, id := range r.ids(t) {
				if seen[id] {
					t.Errorf("%+v: %d twice", q, id)
				}
				seen[id] = true
			}
			page := r.object(t)
			_, counted := page["count"]
			if counted != q.CountOnBookings {
				t.Errorf("%+v: count there: %v", q, counted)
			}
			link, _ = page["next_page_url"].(string)
		}
		if len(seen) != 45 || pages != 3 {
			t.Errorf("%+v: %d rows on %d pages, want 45 on 3", q, len(seen), pages)
		}
	}
}

// TestPageEnvelope: the defaults and the limits of a page.
func TestPageEnvelope(t *testing.T) {
	s := newServer()
	for range 130 {
		stay(s, 4401, 1, 2)
	}
	c := call(t, s)
	for _, test := range []struct {
		query  string
		quirks ownerreztest.Quirks
		want   map[string]any
		rows   int
	}{
		{"property_ids=4401", ownerreztest.Quirks{}, map[string]any{"limit": 20.0, "offset": 0.0, "next_page_url": s.URL() + "/v2/bookings?limit=20&offset=20&property_ids=4401"}, 20},
		{"property_ids=4401&limit=500", ownerreztest.Quirks{Link: ownerreztest.LinkNever}, map[string]any{"limit": 100.0, "offset": 0.0, "count": 130.0}, 100},
		{"property_ids=4401&limit=100&offset=100", ownerreztest.Quirks{LastLink: ownerreztest.LastLinkNull}, map[string]any{"limit": 100.0, "offset": 100.0, "next_page_url": nil}, 30},
		{"property_ids=4401&offset=100", ownerreztest.Quirks{DefaultLimit: 50, LastLink: ownerreztest.LastLinkEmpty}, map[string]any{"limit": 50.0, "offset": 100.0, "next_page_url": ""}, 30},
		{"property_ids=4402", ownerreztest.Quirks{OmitItemsWhenEmpty: true}, map[string]any{"limit": 20.0, "offset": 0.0}, 0},
		{"property_ids=4402", ownerreztest.Quirks{}, map[string]any{"limit": 20.0, "offset": 0.0, "items": []any{}}, 0},
	} {
		s.SetQuirks(test.quirks)
		r := c.get("/v2/bookings?" + test.query)
		page := r.object(t)
		if len(r.ids(t)) != test.rows {
			t.Errorf("%s: %d rows, want %d", test.query, len(r.ids(t)), test.rows)
		}
		if test.rows > 0 {
			delete(page, "items")
		}
		if diff := cmp.Diff(test.want, page); diff != "" {
			t.Errorf("%s:\n%s", test.query, diff)
		}
	}
}

// TestRandomOrderChanges from request to request, and is the same again with the same seed.
func TestRandomOrderChanges(t *testing.T) {
	orders := func(seed uint64) (all [][]int64) {
		s := newServer(ownerreztest.WithQuirks(ownerreztest.Quirks{Order: ownerreztest.OrderRandom, OrderSeed: seed}))
		for range 20 {
			stay(s, 4401, 1, 2)
		}
		c := call(t, s)
		for range 3 {
			all = append(all, c.get("/v2/bookings?property_ids=4401").ids(t))
		}
		return all
	}
	one, again, other := orders(1), orders(1), orders(2)
	if cmp.Diff(one, again) != "" || slices.Equal(one[0], one[1]) || slices.Equal(one[0], other[0]) {
		t.Error(one, again, other)
	}
}
