package lookup_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// inHouse runs a test in a bubble, with an account that was looked up and equals the truth.
func inHouse(t *testing.T, build func(h *house), test func(t *testing.T, h *house)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, ownerreztest.Quirks{})
		build(h)
		h.settle(3)
		wait(time.Minute)
		test(t, h)
	})
}

func TestQuietLookupCostsOneRequestAndWritesNoRecord(t *testing.T) {
	for name, build := range map[string]func(*house){"small": smallWorld, "large": bigWorld} {
		t.Run(name, func(t *testing.T) {
			inHouse(t, build, func(t *testing.T, h *house) {
				for range 8 {
					wait(15 * time.Minute)
					before := h.snapshot()
					requests := h.server.Count()
					out := h.lookup()
					if n := h.server.Count() - requests; n != 1 || out.Requests != 1 {
						t.Errorf("a quiet lookup sent %d requests (it says %d): %+v", n, out.Requests, h.server.Requests()[requests:])
					}
					after := h.snapshot()
					if after.Account.Version != before.Account.Version+1 || after.Account.Seq != before.Account.Seq {
						t.Errorf("a quiet lookup wrote the row %d times and %d events", after.Account.Version-before.Account.Version, after.Account.Seq-before.Account.Seq)
					}
					if !after.Account.AsOf.After(before.Account.AsOf) {
						t.Errorf("as_of did not move: %s", after.Account.AsOf)
					}
				}
			})
		})
	}
}

// bigWorld does not fit one answer of 100.
func bigWorld(h *house) {
	h.property(4401, "America/Chicago")
	h.property(4402, "Pacific/Auckland")
	h.change(func() {
		today := ownerrez.DateOf(time.Now())
		for i := range 150 {
			arrival := today.AddDays(4*i - 25)
			h.server.Put(testAccount, ownerreztest.Booking{PropertyID: 4401 + int64(i%2), Arrival: arrival, Departure: arrival.AddDays(3)})
		}
	})
	wait(time.Minute)
	h.change(func() {
		h.server.Update(testAccount, h.bookings()[3], func(b *ownerreztest.Booking) { b.Title = "changed" })
	})
	wait(time.Minute)
}

func TestFailedLookupChangesNothingStored(t *testing.T) {
	inHouse(t, smallWorld, func(t *testing.T, h *house) {
		upset(h)
		before := h.snapshot()
		h.server.Fault(ownerreztest.Fault{Times: -1, Do: ownerreztest.Status(503)})
		wait(20 * time.Minute)
		out := h.lookup()
		after := h.snapshot()
		if !slices.EqualFunc(before.Records, after.Records, availability.Record.Equal) {
			t.Error("a failed lookup changed records")
		}
		if !after.Account.AsOf.Equal(before.Account.AsOf) || !after.Account.Cursor.Equal(before.Account.Cursor) {
			t.Error("a failed lookup moved as_of or the cursor")
		}
		if len(out.Problems) == 0 || !strings.Contains(out.Problems[0].Message, "trouble answering") || out.Problems[0].Next == "" {
			t.Errorf("it says %v", out.Problems)
		}
	})
}

func TestStaleNightsBecomeUnknownAndTakenOnesStay(t *testing.T) {
	inHouse(t, smallWorld, func(t *testing.T, h *house) {
		h.server.Fault(ownerreztest.Fault{Times: -1, Do: ownerreztest.Status(500)})
		for range 5 {
			wait(15 * time.Minute)
			h.lookup()
		}
		snap := h.snapshot()
		today := ownerrez.DateOf(time.Now())
		states := map[availability.State]int{}
		for _, night := range snap.Show(h.job.Settings, time.Now(), 4401, today, today.AddDays(100)) {
			states[night.State]++
		}
		if states[availability.Free] != 0 || states[availability.Taken] != 15 || states[availability.Unknown] != 85 {
			t.Errorf("after 75 minutes without an answer: %v", states)
		}
		if snap.Account.Status != lookup.StatusLate {
			t.Errorf("status %s", snap.Account.Status)
		}
		h.server.ClearFaults()
		h.settle(1)
		kinds := []string{}
		for _, e := range h.heard.events {
			if e.Kind == lookup.AccountChanged {
				kinds = append(kinds, string(e.Was)+">"+string(e.Now))
			}
		}
		if want := []string{"new>ok", "ok>late", "late>ok"}; !slices.Equal(kinds, want) {
			t.Errorf("told %v, want %v", kinds, want)
		}
	})
}

func TestRefusedCredentialNeedsTheHostOnlyAfterAnHour(t *testing.T) {
	inHouse(t, smallWorld, func(t *testing.T, h *house) {
		h.server.Fault(ownerreztest.Fault{Times: -1, Do: ownerreztest.Status(401)})
		wait(15 * time.Minute)
		if out := h.lookup(); out.Status != lookup.StatusLate {
			t.Errorf("after one 401: %s", out.Status)
		}
		wait(30 * time.Minute)
		if out := h.lookup(); out.Status != lookup.StatusLate {
			t.Errorf("after another one 30 minutes later: %s", out.Status)
		}
		wait(31 * time.Minute)
		if out := h.lookup(); out.Status != lookup.StatusReconnect {
			t.Errorf("an hour after the first: %s", out.Status)
		}
		if last := h.heard.events[len(h.heard.events)-1]; last.Now != lookup.StatusReconnect || last.ActBy.IsZero() || last.Next == "" {
			t.Errorf("told %+v", last)
		}
		h.server.ClearFaults()
		wait(time.Hour)
		if out := h.lookup(); out.Status != lookup.StatusOK {
			t.Errorf("after one good answer: %s", out.Status)
		}
	})
}

func TestRunThatLostTheRaceIsDropped(t *testing.T) {
	inHouse(t, smallWorld, func(t *testing.T, h *house) {
		upset(h)
		wait(15 * time.Minute)
		h.server.Fault(ownerreztest.Fault{N: 1, Do: ownerreztest.Before(func() {
			h.server.ClearFaults()
			h.lookup()
		})})
		if _, err := h.job.Run(t.Context(), lookup.Wake{Key: lookup.AccountKey(testAccount)}); !errors.Is(err, lookup.ErrConflict) {
			t.Errorf("the slower run of two ended with %v", err)
		}
		h.settle(1)
	})
}

// A lookup that is interrupted is no trouble of the account: it says so, and the account is as due as before.
func TestInterruptedLookup(t *testing.T) {
	inHouse(t, smallWorld, func(t *testing.T, h *house) {
		before := h.snapshot().Account
		wait(15 * time.Minute)
		ctx, interrupt := context.WithCancel(t.Context())
		h.server.Fault(ownerreztest.Fault{Do: ownerreztest.Before(interrupt)})
		h.server.Fault(ownerreztest.Fault{Do: ownerreztest.Hang()})
		out, err := h.job.Run(ctx, lookup.Wake{Key: lookup.AccountKey(testAccount)})
		if err != nil || len(out.Problems) != 1 || !strings.Contains(out.Problems[0].Message, "interrupted") {
			t.Errorf("it ended with %v and says %v", err, out.Problems)
		}
		after := h.snapshot().Account
		if after.Failures != 0 || len(after.Problems) != 0 || !after.Due.Equal(before.Due) || !after.AsOf.Equal(before.AsOf) {
			t.Errorf("stored is %+v", after)
		}
	})
}

// A credential whose first call is interrupted is tried again at once.
func TestInterruptedConnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, ownerreztest.Quirks{})
		smallWorld(h)
		ctx, interrupt := context.WithCancel(t.Context())
		h.server.Fault(ownerreztest.Fault{Do: ownerreztest.Before(interrupt)})
		h.server.Fault(ownerreztest.Fault{Do: ownerreztest.Hang()})
		out, err := h.job.Run(ctx, lookup.Wake{Key: h.credentialKey()})
		if err != nil || len(out.Problems) != 1 || !strings.Contains(out.Problems[0].Message, "interrupted") {
			t.Errorf("it ended with %v and says %v", err, out.Problems)
		}
		woken := 0
		if err := h.job.Tick(t.Context(), func(context.Context, lookup.Wake) error { woken++; return nil }); err != nil || woken != 1 {
			t.Errorf("the next tick woke %d, %v", woken, err)
		}
	})
}
