package lookup_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// slow makes every answer take so long.
func (h *house) slow(each time.Duration) {
	h.server.Fault(ownerreztest.Fault{Times: -1, Do: ownerreztest.Before(func() { time.Sleep(each) })})
}

// rows adds a property with so many stays, of which every third night is free.
func (h *house) rows(property int64, n int) {
	h.property(property, "America/Chicago")
	h.change(func() {
		today := ownerrez.DateOf(time.Now())
		for i := range n {
			h.server.Put(testAccount, ownerreztest.Booking{PropertyID: property, Arrival: today.AddDays(3 * i), Departure: today.AddDays(3*i + 2)})
		}
	})
}

// known counts the properties that have been read completely.
func (h *house) known() int {
	n := 0
	for _, rec := range h.snapshot().Records {
		if rec.Known {
			n++
		}
	}
	return n
}

// A run that needs more than its time ends, keeps the properties that it finished, and goes on in five minutes.
func TestRunEndsWithItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, ownerreztest.Quirks{MaxLimit: 20})
		for p := range int64(10) {
			h.rows(4401+p, 60)
		}
		h.lookup() // it is known whose token it is
		h.job.MaxTime = time.Minute
		h.slow(4 * time.Second)
		known := h.known()
		for range 30 {
			wait(5 * time.Minute)
			began := time.Now()
			out := h.lookup()
			if took := time.Since(began); took > 2*time.Minute { // to finish one property takes some more
				t.Errorf("a run of a minute took %s", took)
			}
			if now := h.known(); now < known {
				t.Errorf("of %d properties that were read only %d are left", known, now)
			}
			known = h.known()
			if len(h.differences()) == 0 {
				return
			}
			h.expectRest(out)
		}
		t.Errorf("after 30 runs %d of 10 properties are read: %v", known, h.snapshot().Problems)
	})
}

// expectRest fails unless the outcome and the account say that there is more to read, soon, and that nothing failed.
func (h *house) expectRest(out lookup.Outcome) {
	h.t.Helper()
	row := h.snapshot().Account
	if due := time.Until(row.Due); due > 5*time.Minute || due < 0 {
		h.t.Errorf("the next run is due in %s", due)
	}
	if row.Failures != 0 || out.Failed {
		h.t.Errorf("%d failures, failed %v: %v", row.Failures, out.Failed, row.Problems)
	}
	if len(out.Problems) == 0 {
		h.t.Error("it does not say that there is more to read")
	}
	for _, p := range out.Problems {
		if !strings.HasPrefix(p.Next, "Nothing to do") || strings.Contains(p.Message, "in time") {
			h.t.Errorf("it says %v", p)
		}
	}
}

// A run whose context has a deadline ends before it, and has stored what it has read by then. That is no trouble of
// OwnerRez's, even if nothing was read.
func TestRunEndsBeforeItsDeadline(t *testing.T) {
	for _, test := range []struct {
		limit, each time.Duration
		read        bool // whether a property can be read in this time
	}{
		{2 * time.Minute, 5 * time.Second, true},
		{20 * time.Second, time.Second, true},
		{20 * time.Second, 25 * time.Second, false},
		{time.Second, time.Minute, false}, // the client itself gives up after 30 s only
	} {
		t.Run(fmt.Sprintf("%s with %s each", test.limit, test.each), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t, ownerreztest.Quirks{MaxLimit: 20})
				h.rows(4401, 10)
				h.lookup()
				for p := range int64(30) {
					h.rows(4402+p, 30)
				}
				wait(7 * time.Hour) // until they are listed
				h.slow(test.each)
				ctx, cancel := context.WithTimeout(t.Context(), test.limit)
				defer cancel()
				began := time.Now()
				out, err := h.job.Run(ctx, lookup.Wake{Key: lookup.AccountKey(testAccount)})
				if err != nil || ctx.Err() != nil {
					t.Errorf("after %s: %v", time.Since(began), err)
				}
				h.check()
				h.expectRest(out)
				if known := h.known(); (known > 1) != test.read || known > 20 {
					t.Errorf("%d properties are read", known)
				}
				h.server.ClearFaults()
				h.settle(2)
			})
		})
	}
}

// OwnerRez that hangs is OwnerRez's trouble, while the run has time.
func TestHangingOwnerRezIsNotOurTime(t *testing.T) {
	inHouse(t, smallWorld, func(t *testing.T, h *house) {
		h.job.MaxTime = time.Minute
		h.server.Fault(ownerreztest.Fault{Times: -1, Do: ownerreztest.Hang()})
		wait(15 * time.Minute)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		out, err := h.job.Run(ctx, lookup.Wake{Key: lookup.AccountKey(testAccount)})
		if err != nil || !out.Failed || !strings.Contains(out.Problems[0].Message, "could not be reached") {
			t.Errorf("%+v, %v", out, err)
		}
	})
}

// A property that takes more time than any run has must not keep the others from being read.
func TestPropertyThatIsNeverFinished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, ownerreztest.Quirks{MaxLimit: 20, SinceIsCreation: true}) // always read in full
		h.rows(4401, 10)
		h.lookup()
		h.rows(4301, 900) // the first in every order
		for p := range int64(8) {
			h.rows(4402+p, 15)
		}
		wait(7 * time.Hour)
		h.slow(3 * time.Second)
		h.job.MaxTime = time.Minute
		for range 24 {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			out, err := h.job.Run(ctx, lookup.Wake{Key: lookup.AccountKey(testAccount)})
			cancel()
			if err != nil {
				t.Fatal(err)
			}
			h.check()
			h.expectRest(out)
			wait(max(0, time.Until(h.snapshot().Account.Due)))
		}
		snap := h.snapshot()
		for _, rec := range snap.Records {
			switch age := time.Since(snap.AsOf(rec.Property)); {
			case rec.Property == 4301 && rec.Known:
				t.Error("the large property was read: it does not test anything")
			case rec.Property != 4301 && age > 20*time.Minute:
				t.Errorf("property %d is %s old", rec.Property, age)
			}
		}
		h.server.ClearFaults()
		h.job.MaxTime = 0
		h.settle(3)
	})
}

// More changes than a run may ask for one by one are read in full, a few properties a run.
func TestMoreChangesThanTheShare(t *testing.T) {
	inHouse(t, func(h *house) {
		for p := range int64(40) {
			h.rows(4401+p, 30)
		}
		wait(time.Minute)
		h.change(func() {
			h.server.Update(testAccount, h.bookings()[3], func(b *ownerreztest.Booking) { b.Title = "changed" })
		})
		wait(time.Minute)
	}, func(t *testing.T, h *house) {
		h.job.Share = 12
		h.server.SetQuirks(ownerreztest.Quirks{MaxLimit: 20})
		h.change(func() {
			for _, id := range h.bookings() {
				h.server.Update(testAccount, id, func(b *ownerreztest.Booking) { b.Departure = b.Departure.AddDays(1) })
			}
		})
		for i := range 40 {
			wait(5 * time.Minute)
			if out := h.lookup(); out.Kind != "increment" || out.Requests > 20 {
				t.Fatalf("the lookup was %s, of %d requests", out.Kind, out.Requests)
			}
			if len(h.differences()) == 0 {
				t.Logf("equals the truth after %d lookups", i+1)
				return
			}
		}
		t.Errorf("%d nights still differ", len(h.differences()))
	})
}

// What is published in the time that a run has for it is noted, and the next run goes on there.
func TestSlowPublisher(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, ownerreztest.Quirks{})
		for p := range int64(20) {
			h.rows(4401+p, 3)
		}
		h.job.Publisher = slowPublisher{h.heard}
		began := time.Now()
		h.heard.deaf = true // there is more to come
		h.lookup()
		h.heard.deaf = false
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("it took %s", took)
		}
		for range 6 {
			before := h.snapshot().Account.Published
			wait(time.Minute)
			h.heard.partial = true // of what is stored
			if _, err := h.job.Run(t.Context(), lookup.Wake{Key: lookup.AccountKey(testAccount)}); err != nil {
				t.Fatal(err)
			}
			row := h.snapshot().Account
			if row.Published == row.Seq {
				return
			}
			if row.Published <= before {
				t.Fatalf("published are %d of %d events, as before", row.Published, row.Seq)
			}
		}
		t.Errorf("not all events were published: %+v", h.snapshot().Account)
	})
}

// slowPublisher needs a second for each event.
type slowPublisher struct{ *listener }

func (p slowPublisher) Publish(ctx context.Context, e lookup.Event) error {
	select {
	case <-time.After(time.Second):
		return p.listener.Publish(ctx, e)
	case <-ctx.Done():
		return ctx.Err()
	}
}
