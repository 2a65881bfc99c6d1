package lookup_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// An account that always has more to read than its share still learns what became of stays that its reads lack.
func TestSuspectsAreAskedThoughTheShareIsUsedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, ownerreztest.Quirks{MaxLimit: 20, SinceIsCreation: true})
		for p := range int64(12) {
			h.rows(4401+p, 40)
		}
		h.lookup()
		h.job.Share = 6
		ids := h.bookings()
		h.change(func() {
			for i := range 8 {
				h.server.Delete(testAccount, ids[50*i+7])
			}
		})
		for range 40 {
			wait(5 * time.Minute)
			h.lookup()
		}
		rec := 0
		for _, r := range h.snapshot().Records {
			for _, id := range ids[:400] {
				if _, kept := r.Find(id); kept {
					rec++
				}
			}
		}
		if rec != 400-8 {
			t.Errorf("%d of 400 stays are kept, 8 were deleted", rec)
		}
	})
}

// Rows that cannot be read are asked for in every run, as long as they are there; stays that a read lacked are asked
// for all the same, however far ahead they are.
func TestUnreadableRowsKeepNobodyWaiting(t *testing.T) {
	inHouse(t, smallWorld, func(t *testing.T, h *house) {
		far := h.book(4403, 300, 2)
		garbled := map[any]bool{}
		for i := range 25 {
			garbled[fmt.Sprint(h.book(4403, 2*i, 1))] = true
		}
		h.server.Fault(ownerreztest.Fault{Times: -1, Do: ownerreztest.EditRows("garbled", func(rows []any) []any {
			for _, row := range rows {
				if o, ok := row.(map[string]any); ok && garbled[fmt.Sprint(o["id"])] {
					o["arrival"] = "soon"
				}
			}
			return rows
		})})
		wait(15 * time.Minute)
		h.lookup()
		h.change(func() { h.server.Delete(testAccount, far) })
		wait(15 * time.Minute)
		h.lookup()
		rec, _ := h.snapshot().Record(4403)
		if _, kept := rec.Find(far); kept || len(rec.Doubts) != 25 {
			t.Errorf("the stay is kept: %v; %d doubts", kept, len(rec.Doubts))
		}
	})
}

// A long stay that is deleted with everything else is free a day later, as the others are.
func TestLongStayDeletedWithEverything(t *testing.T) {
	inHouse(t, func(h *house) {
		h.property(4401, "America/Chicago")
		h.book(4401, -100, 150)
		h.book(4401, 100, 3)
	}, func(t *testing.T, h *house) {
		wait(15 * time.Minute)
		h.lookup()
		h.change(func() {
			for _, id := range h.bookings() {
				h.server.Delete(testAccount, id)
			}
		})
		for range 24*4 + 2 {
			wait(15 * time.Minute)
			h.lookup()
		}
		if diff := h.differences(); len(diff) > 0 {
			t.Errorf("%d nights differ: %s", len(diff), diff[0])
		}
	})
}
