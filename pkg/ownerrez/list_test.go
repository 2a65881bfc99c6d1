package ownerrez_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

func TestAllHasACeiling(t *testing.T) {
	endless := paged(1000, withLink("", func(_ *http.Request, q string) string { return "?" + q }))
	for pages, want := range map[int]error{9: ownerrez.ErrIncomplete, 10: nil} {
		var permits counter
		c := client(t, serve(t, endless), ownerrez.WithMaxPages(pages), ownerrez.WithLimiter(&permits))
		_, err := idsOf(c.Bookings.All(t.Context(), byProperty))
		if !errors.Is(err, want) || permits.take() != pages {
			t.Errorf("%d pages: %v", pages, err)
		}
	}
}

// Nothing is asked for before it is needed, nor after a break, and a second range begins anew.
func TestAllIsLazy(t *testing.T) {
	var permits counter
	c := client(t, serve(t, paged(23, withLink("", func(_ *http.Request, q string) string { return "?" + q }))), ownerrez.WithLimiter(&permits))
	seq := c.Bookings.All(t.Context(), ownerrez.BookingQuery{PropertyIDs: []int64{1}, Limit: 5})
	if n := permits.take(); n != 0 {
		t.Errorf("%d requests before the range", n)
	}
	for b, err := range seq {
		if err != nil || b.ID == 5 {
			break
		}
	}
	if n := permits.take(); n != 1 {
		t.Errorf("%d requests for the first page", n)
	}
	for range 2 {
		if got, err := idsOf(seq); err != nil || len(got) != 23 || permits.take() != 5 {
			t.Errorf("%v, %v", got, err)
		}
	}
}

func TestAllYieldsOneErrorLast(t *testing.T) {
	n := 0
	c := client(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		if n++; n == 2 {
			w.WriteHeader(503)
			return
		}
		paged(23, withLink("", func(_ *http.Request, q string) string { return "?" + q }))(w, r)
	}))
	var rows, errs int
	for b, err := range c.Bookings.All(t.Context(), ownerrez.BookingQuery{PropertyIDs: []int64{1}, Limit: 5}) {
		switch {
		case err == nil && errs == 0:
			rows++
		case errors.Is(err, ownerrez.ErrServer) && b.ID == 0:
			errs++
		default:
			t.Errorf("%+v, %v", b, err)
		}
	}
	if rows != 5 || errs != 1 || n != 2 {
		t.Errorf("%d rows and %d errors of %d requests", rows, errs, n)
	}
}

// One page that is empty in spite of its count is no page.
func TestListRefusesAnEmptyPage(t *testing.T) {
	for body, want := range map[string]error{`{"limit":100,"offset":0,"count":3}`: ownerrez.ErrIncomplete, `{"items":[],"offset":3,"count":3}`: nil} {
		page, err := client(t, serve(t, answering(200, body))).Bookings.List(t.Context(), byProperty)
		if !errors.Is(err, want) || (err == nil) != (page != nil) {
			t.Errorf("%s: %v, %v", body, page, err)
		}
	}
}

// Every parameter of the queries, as it is sent.
func TestQueries(t *testing.T) {
	var got url.Values
	c := client(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.URL.Query()
		_, _ = io.WriteString(w, `{"items":[]}`)
	}))
	zone := time.FixedZone("", 3600)
	list := func(q ownerrez.BookingQuery) func(context.Context) error {
		return func(ctx context.Context) error { _, err := c.Bookings.List(ctx, q); return err }
	}
	properties := func(q ownerrez.PropertyQuery) func(context.Context) error {
		return func(ctx context.Context) error { _, err := c.Properties.List(ctx, q); return err }
	}
	tests := []struct {
		call func(context.Context) error
		want string
	}{
		{list(ownerrez.BookingQuery{PropertyIDs: []int64{1, 22}}), "limit=100&property_ids=1,22"},
		{list(ownerrez.BookingQuery{Since: time.Date(2026, 11, 6, 0, 30, 0, 999, zone)}), "limit=100&since_utc=2026-11-05T23:30:00Z"},
		{list(ownerrez.BookingQuery{
			PropertyIDs: []int64{5_000_000_000}, From: ownerrez.NewDate(2026, 11, 6), To: ownerrez.NewDate(2026, 12, 1), Status: ownerrez.StatusActive, Limit: 20, Offset: 40,
			IncludeGuest: true, IncludeCharges: true, IncludeDoorCodes: true, IncludeTags: true, IncludeFields: true, IncludeCancellationPolicy: true, IncludeAgreements: true,
		}), "from=2026-11-06&include_agreements=true&include_cancellation_policy=true&include_charges=true&include_door_codes=true&include_fields=true&include_guest=true&include_tags=true&limit=20&offset=40&property_ids=5000000000&status=active&to=2026-12-01"},
		{properties(ownerrez.PropertyQuery{}), "limit=100"},
		{properties(ownerrez.PropertyQuery{Active: ownerrez.Set(false), IncludeTags: true, IncludeFields: true, IncludeListingNumbers: true}), "active=false&include_fields=true&include_listing_numbers=true&include_tags=true&limit=100"},
	}
	for _, test := range tests {
		if err := test.call(t.Context()); err != nil {
			t.Error(err)
		}
		if text, _ := url.QueryUnescape(got.Encode()); text != test.want {
			t.Errorf("sent %s\nwant %s", text, test.want)
		}
	}
}

// Properties are listed as bookings are.
func TestPropertyLists(t *testing.T) {
	c := client(t, serve(t, paged(45, withLink(`,"next_page_url":null`, func(_ *http.Request, q string) string { return "/v2/properties?" + q }))))
	page, err := c.Properties.List(t.Context(), ownerrez.PropertyQuery{Limit: 20})
	if err != nil || len(page.Items) != 20 || !page.More() {
		t.Errorf("%+v, %v", page, err)
	}
	all, err := ownerrez.Collect(c.Properties.All(t.Context(), ownerrez.PropertyQuery{Limit: 20}))
	if err != nil || len(all) != 45 || all[44].ID != 45 {
		t.Errorf("%d rows, %v", len(all), err)
	}
	if page, err := c.Properties.List(t.Context(), ownerrez.PropertyQuery{Limit: -1}); page != nil || !errors.Is(err, ownerrez.ErrInvalid) {
		t.Errorf("%v, %v", page, err)
	}
}
