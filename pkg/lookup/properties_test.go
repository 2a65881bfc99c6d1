package lookup_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

func TestOnePropertyThatFails(t *testing.T) {
	for _, fault := range []ownerreztest.Action{
		ownerreztest.Status(400), ownerreztest.Status(403), ownerreztest.Status(404), ownerreztest.Status(405),
		ownerreztest.Status(500), ownerreztest.Status(503), ownerreztest.HTML(200), ownerreztest.Reset(),
		ownerreztest.BreakHalfway(),
	} {
		t.Run(fault.String(), func(t *testing.T) {
			inHouse(t, smallWorld, func(t *testing.T, h *house) {
				h.book(4401, 60, 3)
				h.server.Fault(ownerreztest.Fault{Match: func(r *http.Request) bool {
					return ownerreztest.MatchProperty(4402)(r) && ownerreztest.MatchBookings(r)
				}, Times: -1, Do: fault})
				for range 8 {
					wait(15 * time.Minute)
					h.lookup()
				}
				snap := h.snapshot()
				if age := time.Since(snap.AsOf(4401)); age > 20*time.Minute {
					t.Errorf("the good property is %s old", age)
				}
				if age := time.Since(snap.AsOf(4402)); age < 90*time.Minute {
					t.Errorf("the bad property claims to be only %s old", age)
				}
				if !slices.ContainsFunc(snap.Problems, func(p lookup.Problem) bool { return p.Property == 4402 }) ||
					slices.ContainsFunc(snap.Problems, func(p lookup.Problem) bool { return p.Property == 4401 }) {
					t.Errorf("problems: %v", snap.Problems)
				}
				h.server.ClearFaults()
				h.settle(2)
				var late []string
				for _, e := range h.heard.events {
					if len(e.Properties) > 0 {
						late = append(late, string(e.Was)+">"+string(e.Now))
					}
				}
				if want := []string{"ok>late", "late>ok"}; !slices.Equal(late, want) {
					t.Errorf("told of the property: %v, want %v", late, want)
				}
			})
		})
	}
}

func TestPropertyGoesAndReturns(t *testing.T) {
	inHouse(t, smallWorld, func(t *testing.T, h *house) {
		h.change(func() { h.server.SetPropertyActive(testAccount, 4402, false) })
		wait(7 * time.Hour)
		h.lookup()
		snap := h.snapshot()
		today := ownerrez.DateOf(time.Now())
		for _, night := range snap.Show(h.job.Settings, time.Now(), 4402, today, today.AddDays(30)) {
			if night.State != availability.Unknown {
				t.Fatalf("the night of %s is %s at a property that is not active", night.Date, night.State)
			}
		}
		requests := h.server.Count()
		wait(15 * time.Minute)
		h.lookup()
		for _, r := range h.server.Requests()[requests:] {
			if strings.Contains(r.Query, "4402") {
				t.Errorf("it is still asked for: %s", r.Query)
			}
		}
		h.book(4402, 300, 4)
		h.change(func() { h.server.SetPropertyActive(testAccount, 4402, true) })
		wait(7 * time.Hour)
		h.settle(2)
	})
}

func TestEmptyListOfPropertiesIsNotBelieved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, ownerreztest.Quirks{})
		smallWorld(h)
		list := func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/properties") }
		h.server.Fault(ownerreztest.Fault{Match: list, Times: 2, Do: ownerreztest.EmptyPage()})
		out := h.lookup()
		if out.Status != lookup.StatusNew || len(out.Problems) != 1 || !out.AsOf.IsZero() {
			t.Errorf("it says %s as of %s, %v", out.Status, out.AsOf, out.Problems)
		}
		snap := lookup.Once(t.Context(), h.credential(h.server.HTTPClient(t)), h.job.Settings, lookup.Question{
			From: ownerrez.DateOf(time.Now()), To: ownerrez.DateOf(time.Now()).AddDays(7), Now: time.Now(),
		})
		if len(snap.Problems) != 1 {
			t.Errorf("a single lookup says %v", snap.Problems)
		}
		h.settle(2)
	})
}

// A row that says not even whose it is casts doubt on its property only: on nights that no stay takes.
func TestRowThatCannotBeRead(t *testing.T) {
	inHouse(t, smallWorld, func(t *testing.T, h *house) {
		bad := h.bookings()[1] // of 4402
		h.server.Fault(ownerreztest.Fault{Times: -1, Do: ownerreztest.EditRows("garbage", func(rows []any) []any {
			for i, row := range rows {
				if row, ok := row.(map[string]any); ok && row["id"] == json.Number(strconv.FormatInt(bad, 10)) {
					rows[i] = map[string]any{"id": "?", "arrival": 7}
				}
			}
			return rows
		})})
		wait(15 * time.Minute)
		h.lookup()
		snap := h.snapshot()
		today := ownerrez.DateOf(time.Now())
		free := map[int64]int{}
		for _, p := range []int64{4401, 4402, 4403} {
			for _, night := range snap.Show(h.job.Settings, time.Now(), p, today, today.AddDays(100)) {
				if night.State == availability.Free {
					free[p]++
				}
			}
		}
		if free[4402] != 0 || free[4401] == 0 || free[4403] == 0 {
			t.Errorf("nights that are shown free: %v", free)
		}
		if !slices.ContainsFunc(snap.Problems, func(p lookup.Problem) bool { return p.Property == 4402 }) {
			t.Errorf("problems: %v", snap.Problems)
		}
		h.server.ClearFaults()
		h.settle(1)
	})
}

// A stay whose row is listed but cannot be read is not gone, whatever is answered for its id.
func TestListedRowThatIsNotFoundByID(t *testing.T) {
	inHouse(t, smallWorld, func(t *testing.T, h *house) {
		bad := h.bookings()[1] // of 4402
		h.server.Fault(ownerreztest.Fault{Match: ownerreztest.MatchBookings, Times: -1, Do: ownerreztest.EditRows("no dates", func(rows []any) []any {
			for _, row := range rows {
				if row, ok := row.(map[string]any); ok && row["id"] == json.Number(strconv.FormatInt(bad, 10)) {
					row["arrival"] = "soon"
				}
			}
			return rows
		})})
		h.server.Fault(ownerreztest.Fault{Match: ownerreztest.MatchBooking(bad), Times: -1, Do: ownerreztest.Status(404)})
		wait(15 * time.Minute)
		h.lookup()
		rec, _ := h.snapshot().Record(4402)
		if _, kept := rec.Find(bad); !kept || len(rec.Doubts) != 1 {
			t.Errorf("the stay is kept: %v, doubts: %v", kept, rec.Doubts)
		}
		h.server.ClearFaults()
		h.settle(1)
	})
}
