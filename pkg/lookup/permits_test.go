package lookup_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/budget"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
)

// Where there are fewer permits than accounts that are due, those go first that are due the longest. Who got no
// permit keeps its place.
func TestMostOverdueGoesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newTown(t, ownerreztest.Quirks{})
		for id := range int64(3) {
			c.account(1+id, 1, 2)
			c.live(7*time.Minute, func() bool { return c.true(1 + id) })
		}
		cells := c.store.Store.(*store.Store)
		c.job.Window = budget.NewWindow(cells, "full", budget.PerFive(30))
		use := func(n int) {
			for range n {
				if err := c.job.Window.Take(t.Context(), budget.People); err != nil {
					t.Fatal(err)
				}
			}
		}
		use(27) // of 27 that scheduled lookups may use
		time.Sleep(16 * time.Minute)
		use(27)
		before := c.refresh(2)
		out, err := c.job.Run(t.Context(), lookup.Wake{Key: lookup.AccountKey(2)})
		if err != nil || out.Failed || out.Requests != 0 || !strings.Contains(out.Problems[0].Message, "budget") {
			t.Errorf("without a permit: %+v, %v", out, err)
		}
		if after := c.refresh(2); !after.Due.Equal(before.Due) || after.Failures != 0 {
			t.Errorf("due %s after %d failures, was due %s", after.Due, after.Failures, before.Due)
		}
		woken := func() (keys []string) {
			err := c.job.Tick(t.Context(), func(_ context.Context, w lookup.Wake) error { keys = append(keys, w.Key); return nil })
			if err != nil {
				t.Error(err)
			}
			return keys
		}
		if keys := woken(); len(keys) != 0 {
			t.Errorf("without a permit %v are woken", keys)
		}
		time.Sleep(6 * time.Minute)
		use(25)
		if keys := woken(); !slices.Equal(keys, []string{"1", "2"}) {
			t.Errorf("with two permits %v are woken", keys)
		}
	})
}

// refresh reads an account's row.
func (c *town) refresh(id int64) lookup.Account {
	c.t.Helper()
	row, err := c.store.Account(c.t.Context(), lookup.AccountKey(id))
	if err != nil {
		c.t.Fatal(err)
	}
	return row
}

// A run that got some permits, and not enough for anything, goes on in five minutes.
func TestRunThatGetsTooFewPermits(t *testing.T) {
	inHouse(t, largeWorld, func(t *testing.T, h *house) {
		h.job.Window = budget.NewWindow(h.store, "test", budget.PerFive(30))
		for range 25 {
			if err := h.job.Window.Take(t.Context(), budget.People); err != nil {
				t.Fatal(err)
			}
		}
		h.server.SetQuirks(ownerreztest.Quirks{MaxLimit: 20})
		out := h.run(true)
		row := h.snapshot().Account
		if due := time.Until(row.Due); out.Failed || row.Failures != 0 || out.Requests != 2 || due > 5*time.Minute || due < 4*time.Minute {
			t.Errorf("%+v; %d failures, due in %s", out, row.Failures, due)
		}
		wait(6 * time.Minute)
		h.settle(2)
	})
}
