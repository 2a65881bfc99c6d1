package ownerrez_test

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// idsOf reads a whole list.
func idsOf(seq func(func(ownerrez.Booking, error) bool)) ([]int64, error) {
	var ids []int64
	for b, err := range seq {
		if err != nil {
			return ids, err
		}
		ids = append(ids, b.ID)
	}
	return ids, nil
}

// paged serves total bookings, limit at a time, each page as shape writes it from what comes next:
// the offset behind the page, or 0 at the end.
func paged(total int, shape func(r *http.Request, rows string, limit, offset, next int) string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		limit, _ := strconv.Atoi(cmp.Or(r.FormValue("limit"), "20"))
		offset, _ := strconv.Atoi(r.FormValue("offset"))
		end := min(offset+limit, total)
		next := 0
		if end < total {
			next = end
		}
		_, _ = io.WriteString(w, shape(r, bookings(offset+1, end), limit, offset, next))
	}
}

// withLink is a page whose next link is made by link, or `null`-like where there is none.
func withLink(end string, link func(r *http.Request, query string) string) func(*http.Request, string, int, int, int) string {
	return func(r *http.Request, rows string, limit, offset, next int) string {
		page := fmt.Sprintf(`{"items":[%s],"limit":%d,"offset":%d`, rows, limit, offset)
		if next == 0 {
			return page + end + "}"
		}
		q := r.URL.Query()
		q.Set("offset", strconv.Itoa(next))
		return page + `,"next_page_url":"` + link(r, q.Encode()) + `"}`
	}
}

// All documented ways to lead from page to page, and some more, give the whole list.
func TestAllFollowsPages(t *testing.T) {
	absolute := func(path string) func(*http.Request, string) string {
		return func(r *http.Request, q string) string { return "http://" + r.Host + path + "?" + q }
	}
	relative := func(path string) func(*http.Request, string) string {
		return func(_ *http.Request, q string) string { return path + "?" + q }
	}
	const null, empty, absent = `,"next_page_url":null`, `,"next_page_url":""`, ""
	counted := func(_ *http.Request, rows string, limit, offset, _ int) string {
		return fmt.Sprintf(`{"items":[%s],"limit":%d,"offset":%d,"count":23}`, rows, limit, offset)
	}
	tests := map[string]func(*http.Request, string, int, int, int) string{
		"absolute, with the base path":    withLink(null, absolute("/base/v2/bookings")),
		"absolute, without the base path": withLink(empty, absolute("/v2/bookings")),
		"relative to the root":            withLink(absent, relative("/v2/bookings")),
		"relative, with the base path":    withLink(null, relative("/base/v2/bookings")),
		"relative to the base path":       withLink(null, relative("v2/bookings")),
		"relative to the list":            withLink(null, relative("bookings")),
		"a query only":                    withLink(null, relative("")),
		"without a scheme":                withLink(null, func(r *http.Request, q string) string { return "//" + r.Host + "/v2/bookings?" + q }),
		"other case, slash at the end":    withLink(null, func(r *http.Request, q string) string { return "HTTP://" + r.Host + "/V2/Bookings/?" + q }),
		"count only":                      counted,
		"count as text": func(r *http.Request, rows string, l, o, n int) string {
			return strings.Replace(counted(r, rows, l, o, n), `"count":23`, `"count":"23"`, 1)
		},
		"count only, and a null link": func(r *http.Request, rows string, l, o, n int) string {
			return strings.Replace(counted(r, rows, l, o, n), "{", `{"next_page_url":null,`, 1)
		},
		"count without limit and offset": func(_ *http.Request, rows string, _, _, _ int) string {
			return fmt.Sprintf(`{"items":[%s],"count":23}`, rows)
		},
	}
	var want []int64
	for id := range int64(23) {
		want = append(want, id+1)
	}
	for name, shape := range tests {
		t.Run(name, func(t *testing.T) {
			var paths []string
			server := paged(23, shape)
			c := client(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
				paths = append(paths, r.URL.Path+"?"+r.URL.RawQuery)
				server(w, r)
			}))
			got, err := idsOf(c.Bookings.All(t.Context(), ownerrez.BookingQuery{PropertyIDs: []int64{4401}, Limit: 7}))
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("%v, %v", got, err)
			}
			if len(paths) != 4 || paths[0] != "/v2/bookings?limit=7&property_ids=4401" || paths[3] != "/v2/bookings?limit=7&offset=21&property_ids=4401" {
				t.Errorf("requests: %q", paths)
			}
		})
	}
}

// Whatever makes a list doubtful is an error: a short list is never returned as the whole one.
func TestAllRefusesDoubtfulLists(t *testing.T) {
	link := func(to string) string {
		return `{"items":[{"id":1}],"limit":100,"offset":0,"next_page_url":"` + to + `"}`
	}
	next := func(second string) []string { return []string{link("/v2/bookings?offset=1"), second} }
	tests := map[string][]string{
		"the page itself":                      {link("/v2/bookings?property_ids=4401&limit=100")},
		"a circle":                             next(link("/v2/bookings?limit=100&property_ids=4401")),
		"for ever the same":                    next(link("/v2/bookings?offset=1")),
		"a linked page is empty":               next(`{"items":[],"limit":100,"offset":1}`),
		"a linked page lacks items":            next(`{"limit":100,"offset":1,"next_page_url":null}`),
		"a linked page is empty and links":     append(next(`{"items":null,"limit":100,"offset":1,"next_page_url":"/v2/bookings?offset=2"}`), `{"items":[{"id":2}]}`),
		"a linked page is empty, count":        next(`{"items":[],"limit":100,"offset":1,"count":2}`),
		"the count leads to an empty page":     {`{"items":[{"id":1}],"limit":100,"offset":0,"count":2}`, `{"items":[],"limit":100,"offset":1}`},
		"empty in spite of its count":          {`{"limit":100,"offset":0,"count":3}`},
		"the offset is ignored":                {`{"items":[{"id":1}],"limit":100,"offset":0,"count":2}`},
		"a row came twice, another not at all": {`{"items":[{"id":1},{"id":2}],"offset":0,"count":4}`, `{"items":[{"id":2},{"id":3}],"offset":2,"count":4}`},
	}
	for name, pages := range tests {
		t.Run(name, func(t *testing.T) {
			n := 0
			c := client(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
				page := pages[min(n, len(pages)-1)]
				n++
				_, _ = io.WriteString(w, page)
			}))
			rows, err := ownerrez.Collect(c.Bookings.All(t.Context(), byProperty))
			wantKinds(t, err, ownerrez.ErrIncomplete)
			if rows != nil || detail(t, err).Route != "/v2/bookings" || n > 3 {
				t.Errorf("%v and %v after %d requests", rows, err, n)
			}
		})
	}
}

// A link that leads away is not followed, though the list would seem whole if it were.
func TestAllRefusesHostileLinks(t *testing.T) {
	for _, link := range []string{
		"http://evil.example/v2/bookings?offset=1", "//evil.example/v2/bookings?offset=1", "http://127.0.0.1:1/v2/bookings?offset=1",
		"https://HOST/v2/bookings?offset=1", "http://user:pass@HOST/v2/bookings?offset=1", "//user@HOST/v2/bookings?offset=1", "http://HOST@evil.example/v2/bookings?offset=1",
		`/\\evil.example/v2?offset=1`, "http://[::1/v2", "mailto:x", `/v2/bookings?offset=1\n`, "/v2/bookings?offset=%zz",
		"/v2/properties?offset=1", "/v2/bookings/7?offset=1", "/v2/mybookings?offset=1",
	} {
		n := 0
		c := client(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
			if n++; n > 1 {
				_, _ = io.WriteString(w, `{"items":[{"id":2}]}`)
				return
			}
			_, _ = io.WriteString(w, `{"items":[{"id":1}],"next_page_url":"`+strings.ReplaceAll(link, "HOST", r.Host)+`"}`)
		}))
		rows, err := ownerrez.Collect(c.Bookings.All(t.Context(), byProperty))
		wantKinds(t, err, ownerrez.ErrIncomplete)
		if rows != nil || n != 1 {
			t.Errorf("%s: %v and %v after %d requests", link, rows, err, n)
		}
	}
}

func TestAllRefusesWhatIsNoPage(t *testing.T) {
	for name, body := range map[string]string{
		"no key of a page":      `{"next_page_url":"/v2/bookings?offset=1"}`,
		"another object":        `{"id":1}`,
		"an array":              `[{"id":1}]`,
		"items is an object":    `{"items":{"id":1},"limit":100}`,
		"items is a text":       `{"items":"none","limit":100}`,
		"items is false":        `{"items":false}`,
		"the link is a number":  `{"items":[],"next_page_url":5}`,
		"the link is an object": `{"items":[{"id":1}],"next_page_url":{"href":"/v2/bookings?offset=1"}}`,
		"count is an object":    `{"items":[],"count":{}}`,
		"offset is a text":      `{"items":[],"offset":"none"}`,
		"limit is true":         `{"items":[],"limit":true}`,
	} {
		c := client(t, serve(t, answering(200, body)))
		page, err := c.Bookings.List(t.Context(), byProperty)
		if page != nil || !errors.Is(err, ownerrez.ErrUnreadable) {
			t.Errorf("%s: %v, %v", name, page, err)
		}
	}
}

// The empty and sparse answers that are whole lists.
func TestPagesThatAreWhole(t *testing.T) {
	for body, want := range map[string]string{
		`{"limit":20,"offset":0}`:             "[] 20 0 -1 false",
		`{"items":[]}`:                        "[] 100 0 -1 false",
		`{"items":null,"next_page_url":null}`: "[] 100 0 -1 false",
		`{"count":0}`:                         "[] 100 0 0 false",
		`{"items":[{"id":1}],"limit":1,"offset":0,"count":1}`:                "[1] 1 0 1 false",
		`{"items":[{"id":1}],"limit":null,"offset":null,"count":-1}`:         "[1] 100 0 -1 false",
		`{"items":[{"id":1},{"id":2}],"count":3}`:                            "[1 2] 100 0 3 true",
		`{"items":[{"id":1}],"limit":1,"next_page_url":"http://elsewhere/"}`: "[1] 1 0 -1 true",
		`{"items":[],"limit":1,"next_page_url":"/v2/bookings?offset=1"}`:     "[] 1 0 -1 true",
		`{"items":[{"id":9},7,null,{"id":"x"},{}],"new":{"items":[1]}}`:      "[9 0 0 0 0] 100 0 -1 false",
		` { "items" : [ { "id" : 1 } , { "id" : 2 } ] , "limit" : 2 } `:      "[1 2] 2 0 -1 false",
		`{"next_page_url":"","items":[{"title":"]}\"{[\\","id":1}]}`:         "[1] 100 0 -1 false",
	} {
		at := time.Date(2026, 11, 6, 12, 0, 0, 0, time.UTC)
		c := client(t, serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", at.Format(http.TimeFormat))
			_, _ = io.WriteString(w, body)
		}))
		p, err := c.Bookings.List(t.Context(), byProperty)
		if err != nil {
			t.Errorf("%s: %v", body, err)
			continue
		}
		ids := make([]int64, len(p.Items))
		for i, b := range p.Items {
			ids[i] = b.ID
		}
		if got := fmt.Sprint(ids, p.Limit, p.Offset, p.Count, p.More()); got != want || !p.Date.Equal(at) {
			t.Errorf("%s: %s at %s, want %s", body, got, p.Date, want)
		}
	}
}

// Rows without an id are all kept, others once; a last page that is empty is no trouble if none is missing.
func TestAllDeduplicates(t *testing.T) {
	pages := map[string]string{
		"":  `{"items":[{"id":1},{"id":2},{},{}],"next_page_url":"/v2/bookings?offset=4"}`,
		"4": `{"items":[{"id":2},{"id":3},{},{"id":1}],"next_page_url":"/v2/bookings?offset=8"}`,
		"8": `{"items":[],"count":6}`,
	}
	c := client(t, serve(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, pages[r.FormValue("offset")]) }))
	got, err := idsOf(c.Bookings.All(t.Context(), byProperty))
	if want := []int64{1, 2, 0, 0, 3, 0}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestAllBeginsAtAnOffset(t *testing.T) {
	c := client(t, serve(t, paged(23, func(_ *http.Request, rows string, limit, offset, _ int) string {
		return fmt.Sprintf(`{"items":[%s],"count":23}`, rows)
	})))
	got, err := idsOf(c.Bookings.All(t.Context(), ownerrez.BookingQuery{PropertyIDs: []int64{1}, Limit: 5, Offset: 12}))
	if err != nil || len(got) != 11 || got[0] != 13 {
		t.Errorf("%v, %v", got, err)
	}
}
