package calendar

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
)

// estate is an account of many properties: 101, 102 and so on, each read and without a stay.
func estate(properties int) lookup.Snapshot {
	asOf := now.Add(-5 * time.Minute)
	snap := lookup.Snapshot{Account: lookup.Account{
		Key: "123456", ID: 123456, Status: lookup.StatusOK, AsOf: asOf, Listed: asOf, Seq: 1, Properties: map[int64]lookup.PropertyState{},
	}}
	for i := range properties {
		id := int64(101 + i)
		snap.Account.Properties[id] = lookup.PropertyState{Baseline: asOf}
		snap.Records = append(snap.Records, availability.Record{Property: id, Known: true, Name: fmt.Sprintf("House %d", id)})
	}
	return snap
}

// pagesOf follows the next links of a calendar, over the handlers in turn, and returns the pages. It calls between
// before each but the first.
func pagesOf(t testing.TB, target string, between func(), handlers ...http.Handler) (pages []Document) {
	t.Helper()
	for target != "" {
		if len(pages) > manyPages {
			t.Fatalf("the pages of %.100s have no end", target)
		}
		page := read[Document](t, handlers[len(pages)%len(handlers)], target)
		if len(page.Properties) > maxProperties {
			t.Errorf("%d properties on a page", len(page.Properties))
		}
		if next, err := url.Parse(page.Next); err != nil || next.IsAbs() || next.Host != "" {
			t.Errorf("next is %q", page.Next)
		}
		if pages, target = append(pages, page), page.Next; target != "" {
			between()
		}
	}
	return pages
}

func idsOf(pages []Document) (ids []int64) {
	for _, page := range pages {
		for _, p := range page.Properties {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

func nothing() {}

// manyPages are more than any test has.
const manyPages = 300

// narrow is the API with pages that have room for nothing.
func narrow(t testing.TB, st lookup.Store) http.Handler {
	t.Helper()
	a := newAPI(st, options(t))
	a.pages.bytes = 1
	return a
}

// However large one thing is, each page has one at least: nobody who follows the links is stuck.
func TestPagesGoOn(t *testing.T) {
	st := store.New(openTable(t))
	snap := estate(5)
	snap.Account.Seq = 5
	keep(t, st, snap, events(t, 1, 5)...)
	keepAccount(t, st, 7, nil)
	h := narrow(t, st)
	for _, query := range []string{"", "&property=103,101,105,104,102"} {
		if pages := pagesOf(t, aCalendar+query, nothing, h); len(pages) != 5 || len(idsOf(pages)) != 5 {
			t.Errorf("%q: %d pages show %v", query, len(pages), idsOf(pages))
		}
	}
	if ids, pages := accountPages(t, "/v1/accounts", nothing, h); pages != 2 || fmt.Sprint(ids) != "[7 123456]" {
		t.Errorf("%d pages show the accounts %v", pages, ids)
	}
	var got []string
	for target := "/v1/changes?account=123456"; target != "" && len(got) < 10; {
		page := read[Changes](t, h, target)
		got, target = append(got, seqs(page)), page.Next
	}
	if strings.Join(got, "|") != "1 …|2 …|3 …|4 …|5" {
		t.Errorf("changes: %v", got)
	}
}

func TestCalendarPages(t *testing.T) {
	st := store.New(openTable(t))
	keep(t, st, estate(120))
	one, other := API(st, options(t)), API(st, options(t)) // as after a restart
	var all, some []int64
	for id := int64(101); id <= 220; id++ {
		all = append(all, id)
	}
	some = append(some, all...)
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
	for _, test := range []struct {
		query string
		want  []int64
		pages int
	}{
		{"", all, 3},
		{"&after=150", all[50:], 2},
		{"&after=170", all[70:], 1},
		{"&property=" + join(some), some, 3},
		{"&property=" + join(some[:100]), some[:100], 2},
		{"&property=" + join(some[:50]) + "&property=" + join(some[:50]), some[:50], 1},
	} {
		pages := pagesOf(t, "/v1/calendar?account=123456&from=2026-12-01&to=2026-12-03"+test.query, nothing, one, other)
		if got := idsOf(pages); !slices.Equal(got, test.want) || len(pages) != test.pages {
			t.Errorf("%.60s: %d pages show %v\nwant %d pages of %v", test.query, len(pages), got, test.pages, test.want)
		}
		for _, page := range pages {
			if !page.Complete || page.From.String() != "2026-12-01" || page.To.String() != "2026-12-03" || *page.Seq != 1 {
				t.Errorf("%.60s: %+v", test.query, page)
			}
		}
	}
}

func join(ids []int64) string {
	return strings.ReplaceAll(strings.Trim(fmt.Sprint(ids), "[]"), " ", ",")
}

// Exactly 50 are one page; 500 may be named, and 501 may not.
func TestCalendarPageBounds(t *testing.T) {
	st := store.New(openTable(t))
	keep(t, st, estate(50))
	h := API(st, options(t))
	if page := read[Document](t, h, aCalendar); len(page.Properties) != 50 || page.Next != "" {
		t.Errorf("%d properties, next is %q", len(page.Properties), page.Next)
	}
	var ids []int64
	for id := int64(1); id <= 500; id++ {
		ids = append(ids, id)
	}
	if got := idsOf(pagesOf(t, aCalendar+"&property="+join(ids), nothing, h)); !slices.Equal(got, ids) {
		t.Errorf("%v", got)
	}
	if got := idsOf(pagesOf(t, aCalendar+"&property="+join(ids[:300])+"&property="+join(ids[:300]), nothing, h)); !slices.Equal(got, ids[:300]) {
		t.Errorf("named twice: %v", got)
	}
	if message, _ := refusal(t, h, aCalendar+"&property=501,"+join(ids), 400); message != "Ask for at most 500 properties at once." {
		t.Errorf("%q", message)
	}
}

// Each page tells the problems of its own properties, and those of the account.
func TestCalendarPageProblems(t *testing.T) {
	snap := estate(60)
	snap.Records[55].Known = false // 156
	snap.Problems = []lookup.Problem{
		{Property: 102, Message: "102's trouble.", Next: "Wait."}, {Property: 155, Message: "155's trouble.", Next: "Wait."},
		{Property: 99, Message: "99's trouble.", Next: "Wait."},
	}
	st := store.New(openTable(t))
	keep(t, st, snap)
	said := func(h http.Handler) (out []string) {
		for _, page := range pagesOf(t, aCalendar, nothing, h) {
			var of []int64
			for _, p := range page.Problems {
				of = append(of, p.Property)
			}
			out = append(out, fmt.Sprint(page.Complete, of))
		}
		return out
	}
	if got := fmt.Sprint(said(API(st, options(t)))); got != "[false [102] false [155 156]]" {
		t.Error(got)
	}
	if got := said(narrow(t, st)); len(got) != 60 || got[0] != "true []" || got[1] != "false [102]" || got[54] != "false [155]" || got[55] != "false [156]" {
		t.Errorf("pages of one property each: %v", got)
	}
	snap.Problems = []lookup.Problem{{Message: "OwnerRez could not be reached.", Next: "Wait."}, {Property: 102, Message: "102's trouble.", Next: "Wait."}}
	keep(t, st, snap)
	if got := fmt.Sprint(said(API(st, options(t)))); got != "[false [0 102] false [0]]" {
		t.Error(got)
	}
}

// What appears, vanishes or is gone between two pages makes no other property be skipped or come twice.
func TestCalendarPagesWhilePropertiesChange(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	for range 30 {
		snap := estate(130)
		st := store.New(openTable(t))
		keep(t, st, snap)
		var changed []int64
		pages := pagesOf(t, aCalendar, func() {
			for range 1 + rng.IntN(8) {
				i := rng.IntN(len(snap.Records))
				changed = append(changed, snap.Records[i].Property)
				snap.Records[i].Gone = !snap.Records[i].Gone
			}
			fresh := int64(1 + rng.IntN(300))
			changed = append(changed, fresh)
			again := lookup.Snapshot{Account: snap.Account, Records: append([]availability.Record{{Property: fresh}}, snap.Records...)}
			if i := slices.IndexFunc(snap.Records, func(r availability.Record) bool { return r.Property == fresh }); i >= 0 {
				again.Records = snap.Records
			}
			keep(t, st, again)
		}, API(st, options(t)), API(st, options(t)))
		ids := idsOf(pages)
		if !slices.IsSorted(ids) || len(slices.Compact(slices.Clone(ids))) != len(ids) {
			t.Fatalf("not in order, or not each once: %v", ids)
		}
		for id := int64(101); id <= 230; id++ {
			if !slices.Contains(ids, id) && !slices.Contains(changed, id) {
				t.Fatalf("%d, which did not change, is missing from %v (changed: %v)", id, ids, changed)
			}
		}
	}
}

// crowded is an account in which every night of every property is taken by so many stays.
func crowded(t testing.TB, properties, stays int) lookup.Snapshot {
	t.Helper()
	snap := estate(properties)
	q := ask(t, "2026-01-01", "2029-01-01")
	for i := range snap.Records {
		for s := range stays {
			snap.Records[i].Put(availability.Stay{
				Booking: int64(900_000_000_000 + 1000*i + s), Arrival: q.From, Departure: q.To, Cause: availability.CausePending,
			})
		}
	}
	return snap
}

// Pages fit what a Lambda function may answer, whatever is on them, and none is lost where they end earlier.
func TestCalendarPagesFit(t *testing.T) {
	for name, test := range map[string]struct {
		snap     lookup.Snapshot
		from, to string
		named    string
		pages    int
	}{
		"free":                 {estate(50), "2026-12-01", "2027-12-02", "", 1},
		"taken":                {crowded(t, 50, 1), "2026-12-01", "2027-12-02", "", 1},
		"outside the window":   {estate(50), "2030-12-01", "2031-12-02", "", 1},
		"shared by many stays": {crowded(t, 20, 30), "2026-12-01", "2027-12-02", "", 3},
		"absurd":               {crowded(t, 3, 500), "2026-12-01", "2027-12-02", "&property=101,102,103", 2},
	} {
		t.Run(name, func(t *testing.T) {
			st := store.New(openTable(t))
			keep(t, st, test.snap)
			h := API(st, options(t))
			target := "/v1/calendar?account=123456&from=" + test.from + "&to=" + test.to + test.named
			var got []int64
			pages := 0
			for ; target != "" && pages < manyPages; pages++ {
				w := request(t, h, http.MethodGet, target)
				var page struct {
					Properties []struct{ ID int64 }
					Next       string
				}
				if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil {
					t.Fatal(err)
				}
				for _, p := range page.Properties {
					got = append(got, p.ID)
				}
				inFunction := w.Body.Len() + bytes.Count(w.Body.Bytes(), []byte(`"`))
				if w.Body.Len() > 5<<20 || inFunction > 6_000_000 {
					t.Errorf("a page of %d bytes, %d in a function's answer", w.Body.Len(), inFunction)
				}
				t.Logf("%d properties, %d bytes, %d in a function's answer", len(page.Properties), w.Body.Len(), inFunction)
				target = page.Next
			}
			if want := len(test.snap.Records); len(got) != want || !slices.IsSorted(got) || pages != test.pages {
				t.Errorf("%d of %d properties on %d pages", len(got), want, pages)
			}
		})
	}
}
