package ownerreztest_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// TestRowFaults: the exact shapes of those that look like good answers.
func TestRowFaults(t *testing.T) {
	const url = "http://ownerrez.test/base"
	byName := map[string]ownerreztest.Action{}
	for _, a := range ownerreztest.AllFaults() {
		byName[a.String()] = a
	}
	counted := ownerreztest.Quirks{CountOnBookings: true}
	for _, test := range []struct {
		name   string
		quirks ownerreztest.Quirks
		ids    []int64 // of 900100 + n
		count  any
		link   any
		byID   int
	}{
		{"first row dropped", ownerreztest.Quirks{}, []int64{2, 3}, nil, nil, 404},
		{"first row dropped", counted, []int64{2, 3}, 2.0, nil, 404},
		{"first row dropped, count tells", ownerreztest.Quirks{}, []int64{2, 3}, 3.0, nil, 404},
		{"rows dropped", ownerreztest.Quirks{}, []int64{2}, nil, nil, 404},
		{"rows dropped, count tells", counted, []int64{2}, 3.0, nil, 404},
		{"all rows dropped", counted, []int64{}, 0.0, nil, 404},
		{"empty page", counted, []int64{}, nil, nil, 200},
		{"row repeated", counted, []int64{1, 1, 2, 3}, 4.0, nil, 200},
		{"page cut and closed", counted, []int64{1}, nil, nil, 200},
		{"row without id", ownerreztest.Quirks{}, []int64{-900100, 2, 3}, nil, nil, 200},
		{"row with id 0", ownerreztest.Quirks{}, []int64{-900100, 2, 3}, nil, nil, 200},
		{"row without dates", ownerreztest.Quirks{}, []int64{1, 2, 3}, nil, nil, 200},
		{"next link to another host", ownerreztest.Quirks{}, []int64{1, 2, 3}, nil, "http://elsewhere.example/base/v2/bookings?limit=3&offset=3&property_ids=4401", 200},
		{"next link with another scheme", ownerreztest.Quirks{}, []int64{1, 2, 3}, nil, "https://ownerrez.test/base/v2/bookings?limit=3&offset=3&property_ids=4401", 200},
		{"next link to the same page", ownerreztest.Quirks{}, []int64{1, 2, 3}, nil, url + "/v2/bookings?property_ids=4401&limit=3", 200},
	} {
		list, one := faultAnswer(t, byName[test.name], test.quirks)
		ids := list.ids(t)
		for i := range ids {
			ids[i] -= 900100
		}
		page := list.object(t)
		if diff := cmp.Diff(test.ids, ids); diff != "" || page["count"] != test.count || page["next_page_url"] != test.link || one.status != test.byID {
			t.Errorf("%s: by id %d, list %s", test.name, one.status, list.body)
		}
	}
}

// TestWrongTypes: no value keeps its type.
func TestWrongTypes(t *testing.T) {
	_, good := faultAnswer(t, ownerreztest.Before(func() {}), ownerreztest.Quirks{})
	for _, a := range ownerreztest.AllFaults() {
		if a.String() != "row of wrong types" {
			continue
		}
		_, bad := faultAnswer(t, a, ownerreztest.Quirks{})
		want, got := good.object(t), bad.object(t)
		for key, value := range want {
			before, after := jsonType(value), jsonType(got[key])
			if before == after || after == "null" {
				t.Errorf("%s: %s became %s", key, before, after)
			}
		}
	}
}

func jsonType(value any) string {
	switch value.(type) {
	case string:
		return "string"
	case float64:
		return "number"
	case bool:
		return "bool"
	case nil:
		return "null"
	case []any:
		return "list"
	}
	return "object"
}

// TestEndlessLinks lead on and on, with rows on every page, without another fault.
func TestEndlessLinks(t *testing.T) {
	s := newServer()
	stay(s, 4401, 1, 2)
	c := call(t, s)
	s.Fault(ownerreztest.Fault{Do: ownerreztest.NextLinkEndless()})
	link, seen := c.base+"/v2/bookings?property_ids=4401&limit=1", map[string]bool{}
	for range 50 {
		r := c.do("GET", link)
		link, _ = r.object(t)["next_page_url"].(string)
		if len(r.ids(t)) != 1 || seen[link] || link == "" {
			t.Fatalf("after %d pages: %s", len(seen), r.body)
		}
		seen[link] = true
	}
}

// TestTwoFaultsTell: of faults of which each tells of itself, two together tell too: the answer is no list that looks whole
// and lacks rows.
func TestTwoFaultsTell(t *testing.T) { synctest.Test(t, twoFaultsTell) }

func twoFaultsTell(t *testing.T) {
	telling := ownerreztest.TellingFaults()
	s := newServer()
	for range 3 {
		stay(s, 4401, 1, 3)
	}
	c := call(t, s)
	c.client.Timeout = time.Minute
	for _, first := range telling {
		for _, second := range telling {
			s.Fault(ownerreztest.Fault{Do: first})
			s.Fault(ownerreztest.Fault{Do: second})
			r := c.get("/v2/bookings?property_ids=4401")
			s.ClearFaults()
			var page struct {
				Items []any   `json:"items"`
				Limit *int    `json:"limit"`
				Count int     `json:"count"`
				Next  *string `json:"next_page_url"`
			}
			if r.err != nil || r.status != http.StatusOK || json.Unmarshal([]byte(r.body), &page) != nil || page.Limit == nil {
				continue
			}
			if len(page.Items) < 3 && page.Count < 3 && page.Next == nil {
				t.Errorf("%s, then %s: %s", first, second, r.body)
			}
		}
	}
}
