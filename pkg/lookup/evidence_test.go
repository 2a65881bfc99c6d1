package lookup_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// A list that lacks a stay that we know and one that we do not: the first proves it incomplete, so the second's
// nights are not shown free as of a time when they were taken.
func TestListThatGlitches(t *testing.T) {
	inHouse(t, smallWorld, func(t *testing.T, h *house) {
		known := h.bookings()[1]
		fresh := h.book(4401, 200, 5)
		wait(15 * time.Minute)
		h.server.Fault(ownerreztest.Fault{Match: ownerreztest.MatchBookings, Times: 3,
			Do: ownerreztest.DropRows(func(id int64) bool { return id == known || id == fresh })})
		before := h.snapshot().AsOf(4401)
		h.lookup() // check fails on a false free
		if after := h.snapshot().AsOf(4401); !after.Equal(before) {
			t.Errorf("as_of moved from %s to %s by a list proven incomplete", before, after)
		}
		for range 2 {
			wait(15 * time.Minute)
			h.lookup()
		}
		h.settle(1)
	})
}

// A token that leads into another account shows nothing of this one: nothing of it may be freed, mixed up or sent for.
func TestTokenOfAnotherAccount(t *testing.T) {
	other := func(h *house) {
		h.server.AddProperty(otherAccount, ownerreztest.Property{ID: 9901, Name: "Not ours", TimeZone: "America/Chicago"})
		h.server.Put(otherAccount, ownerreztest.Booking{PropertyID: 9901, Arrival: ownerrez.NewDate(2000, 3, 1), Departure: ownerrez.NewDate(2000, 3, 4)})
	}
	t.Run("configured", func(t *testing.T) {
		inHouse(t, smallWorld, func(t *testing.T, h *house) {
			other(h)
			h.token = "pt_testother"
			requests := h.server.Count()
			wait(15 * time.Minute)
			out := h.lookup()
			if h.server.Count() != requests {
				t.Errorf("%d requests were sent with a credential that is not known to be this account's", h.server.Count()-requests)
			}
			if len(out.Problems) != 1 || !strings.Contains(out.Problems[0].Message, "No configured token") {
				t.Errorf("it says %v", out.Problems)
			}
			h.token = "pt_testhost"
			h.settle(1)
		})
	})
	t.Run("answers", func(t *testing.T) { // the same token is answered as the other account's, for two days
		inHouse(t, smallWorld, func(t *testing.T, h *house) {
			other(h)
			h.server.Fault(ownerreztest.Fault{Times: -1, Do: ownerreztest.AsAccount(otherAccount)})
			for range 200 {
				wait(15 * time.Minute)
				h.lookup()
			}
			snap := h.snapshot()
			if _, mixed := snap.Record(9901); mixed {
				t.Error("the other account's property was taken for this one's")
			}
			for _, rec := range snap.Records {
				if rec.Property != 4403 && len(rec.Stays) == 0 {
					t.Errorf("property %d lost its stays", rec.Property)
				}
			}
			h.server.ClearFaults()
			h.settle(8)
		})
	})
}

func TestManyStaysDeletedAtOnce(t *testing.T) {
	for name, leave := range map[string]int{"some left": 5, "none left": 0} {
		t.Run(name, func(t *testing.T) {
			inHouse(t, func(h *house) {
				h.property(4401, "America/Chicago")
				h.property(4402, "America/Chicago")
				h.book(4402, 3, 2)
				for i := range 200 + leave {
					h.book(4401, 3*i-20, 2)
				}
			}, func(t *testing.T, h *house) {
				if leave == 0 {
					h.change(func() { h.server.Delete(testAccount, h.bookings()[0]) }) // 4402's: nothing at all is left
				}
				h.change(func() {
					for _, id := range h.bookings()[:200-min(leave, 1)+min(leave, 1)] {
						h.server.Delete(testAccount, id)
					}
				})
				for i := range 15 { // 20 a run, every five minutes
					wait(5 * time.Minute)
					h.lookup()
					if leave > 0 && len(h.differences()) == 0 {
						t.Logf("equals the truth after %d lookups", i+1)
						return
					}
				}
				if leave > 0 {
					t.Errorf("%d nights still differ", len(h.differences()))
				}
				// Nothing is left that could prove a 404 right: only after 24 hours of the same answers.
				if n := len(h.differences()); n < 100 {
					t.Errorf("only %d nights still differ: they were freed without proof", n)
				}
				for range 24*4 + 15 {
					wait(15 * time.Minute)
					h.lookup()
				}
				if diff := h.differences(); len(diff) > 0 {
					t.Errorf("after a day %d nights still differ: %s", len(diff), diff[0])
				}
			})
		})
	}
}

// OwnerRez that finds no booking by its id proves nothing by it.
func TestByIDAnswersNothing(t *testing.T) {
	inHouse(t, smallWorld, func(t *testing.T, h *house) {
		gone := h.bookings()[0]
		h.change(func() { h.server.Delete(testAccount, gone) })
		h.server.Fault(ownerreztest.Fault{Match: ownerreztest.MatchByID, Times: -1, Do: ownerreztest.Status(404)})
		for range 120 {
			wait(15 * time.Minute)
			h.lookup()
		}
		rec, _ := h.snapshot().Record(4401)
		if _, kept := rec.Find(gone); !kept {
			t.Error("a stay was freed although no booking is found by its id")
		}
		h.server.ClearFaults()
		h.settle(4)
	})
}

func TestFirstReadThatAnswersEmptyForOneProperty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, ownerreztest.Quirks{})
		smallWorld(h)
		var hidden []int64
		for _, b := range h.server.Bookings(testAccount) {
			if b.PropertyID == 4402 {
				hidden = append(hidden, b.ID)
			}
		}
		h.server.Fault(ownerreztest.Fault{Match: ownerreztest.MatchBookings, Do: ownerreztest.DropRows(func(id int64) bool {
			return slices.Contains(hidden, id)
		})})
		wait(time.Minute)
		h.lookup()
		if asOf := h.snapshot().AsOf(4402); !asOf.IsZero() {
			t.Errorf("as_of is %s after a first read that lacked all stays", asOf)
		}
		if asOf := h.snapshot().AsOf(4401); !asOf.IsZero() {
			t.Errorf("as_of of the other property is %s, although it rests on the same incomplete answer", asOf)
		}
		h.settle(2)
	})
}

// Pages that are shuffled anew for each of them, of a list that cannot be asked for in smaller parts, cannot be
// put together: the property stays unknown, and says so.
func TestPagesThatNeverFit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, ownerreztest.Quirks{MaxLimit: 20, IgnoreFromTo: true, Order: ownerreztest.OrderRandom})
		h.property(4401, "America/Chicago")
		for i := range 60 {
			h.book(4401, 5*i, 3)
		}
		for range 5 {
			wait(15 * time.Minute)
			h.lookup()
		}
		snap := h.snapshot()
		if !snap.AsOf(4401).IsZero() || len(snap.Problems) == 0 {
			t.Errorf("as of %s, problems %v", snap.AsOf(4401), snap.Problems)
		}
	})
}

// Where a list can only be read page by page, a row that moves to the end while it is read moves another one to a
// page that was read already: whoever reads once never sees that one.
func TestRowsThatShiftBetweenPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, ownerreztest.Quirks{MaxLimit: 20, IgnoreFromTo: true, Order: ownerreztest.OrderByUpdate})
		h.property(4401, "America/Chicago")
		for i := range 60 {
			h.book(4401, 5*i, 3)
			wait(time.Second)
		}
		ids, turn := h.bookings(), 0
		h.server.Fault(ownerreztest.Fault{
			Match: func(r *http.Request) bool { return r.URL.Query().Get("offset") == "20" }, Times: -1,
			Do: ownerreztest.Before(func() {
				h.change(func() {
					h.server.Update(testAccount, ids[turn], func(b *ownerreztest.Booking) { b.Title = "changed" })
				})
				turn++
			}),
		})
		wait(time.Minute)
		h.lookup() // check fails on a false free
		if asOf := h.snapshot().AsOf(4401); !asOf.IsZero() || turn == 0 {
			t.Errorf("as of %s, of pages that did not fit together (%d times a row moved)", asOf, turn)
		}
		h.server.ClearFaults()
		h.settle(2)
	})
}

// A list that always lacks one stay makes its property unknown, not the whole account for ever.
func TestListThatAlwaysLacksAStay(t *testing.T) {
	inHouse(t, smallWorld, func(t *testing.T, h *house) {
		known := h.bookings()[1] // of 4402
		h.server.Fault(ownerreztest.Fault{Match: ownerreztest.MatchBookings, Times: -1, Do: ownerreztest.DropRows(func(id int64) bool { return id == known })})
		for range 8 {
			wait(15 * time.Minute)
			h.lookup()
		}
		snap := h.snapshot()
		if age := time.Since(snap.AsOf(4401)); age > 20*time.Minute {
			t.Errorf("a property that has nothing to do with it is %s old", age)
		}
		if age := time.Since(snap.AsOf(4402)); age < 2*time.Hour {
			t.Errorf("the property of the stay claims to be only %s old", age)
		}
		h.server.ClearFaults()
		h.settle(1)
	})
}

// A page that claims to hold one row at most, and holds more, is no reason to ask for each night.
func TestAbsurdPageSize(t *testing.T) {
	inHouse(t, smallWorld, func(t *testing.T, h *house) {
		h.server.Fault(ownerreztest.Fault{Times: -1, Do: ownerreztest.Edit("limit of 1", func(value any) any {
			if page, ok := value.(map[string]any); ok && page["items"] != nil {
				page["limit"] = 1
			}
			return value
		})})
		wait(15 * time.Minute)
		if out := h.run(true); out.Requests > 15 {
			t.Errorf("%d requests were sent", out.Requests)
		}
		h.server.ClearFaults()
		h.settle(2)
	})
}

// Where from filters by arrival, a read lacks every stay that arrived before it begins. The first such stay that is
// found by its id tells; then reads reach further back.
func TestFromThatFiltersByArrival(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, ownerreztest.Quirks{FromIsArrival: true})
		for p := range int64(45) {
			h.property(4401+p, "America/Chicago")
			h.book(4401+p, -40, 60)
		}
		h.book(4401, -440, 460) // longer than any read reaches back, when it begins the day after tomorrow
		wait(time.Minute)
		h.lookup()
		h.book(4403, -35, 7) // the next read does not show it
		wait(2 * 24 * time.Hour)
		h.lookup() // check fails on a false free
		h.settle(2)
		requests := 0
		for range 8 {
			wait(15 * time.Minute)
			out := h.lookup()
			if requests += out.Requests; len(out.Problems) > 0 || len(h.differences()) > 0 {
				t.Errorf("it says %v, %d nights differ", out.Problems, len(h.differences()))
			}
		}
		if requests > 8+1 {
			t.Errorf("8 quiet lookups sent %d requests", requests)
		}
		gone := h.bookings()[7]
		h.change(func() { h.server.Delete(testAccount, gone) })
		h.settle(1)
	})
}
