package lookup_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/budget"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
)

// A third account's personal token is refused before any call, and used as soon as a slot is free.
func TestThirdPersonalTokenIsNotUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, ownerreztest.Quirks{})
		smallWorld(h)
		h.job.Slots = budget.NewSlots(h.store, "test")
		h.patUser = "hash-of-host"
		for _, other := range []string{"hash-of-one", "hash-of-two"} {
			if _, err := h.job.Slots.Take(t.Context(), other); err != nil {
				t.Fatal(err)
			}
		}
		out := h.lookup()
		if h.server.Count() != 0 {
			t.Errorf("%d requests were sent", h.server.Count())
		}
		if out.Status != lookup.StatusRefused || len(out.Problems) != 1 || !strings.Contains(out.Problems[0].Message, "two accounts") {
			t.Errorf("it says %s, %v", out.Status, out.Problems)
		}
		wait(26 * time.Hour)
		h.settle(2)
	})
}

// A token that is refused at its first call gives its slot back: it never counted at OwnerRez.
func TestRefusedTokenGivesItsSlotBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, ownerreztest.Quirks{})
		h.job.Slots = budget.NewSlots(h.store, "test")
		h.patUser = "hash-of-host"
		h.server.Fault(ownerreztest.Fault{Do: ownerreztest.Status(401)})
		if out := h.lookup(); out.Status != lookup.StatusLate || out.Account != 0 {
			t.Errorf("it says %+v", out)
		}
		for _, other := range []string{"hash-of-one", "hash-of-two"} {
			if _, err := h.job.Slots.Take(t.Context(), other); err != nil {
				t.Error(err)
			}
		}
	})
}

// A run that needs more than its share ends, keeps the properties that it finished, and goes on in five minutes.
func TestRunEndsWithItsShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, ownerreztest.Quirks{MaxLimit: 20})
		h.job.Share = 12
		for p := range int64(10) {
			h.property(4401+p, "America/Chicago")
		}
		h.change(func() {
			today := ownerrez.DateOf(time.Now())
			for i := range 600 {
				arrival := today.AddDays(7 * (i / 10))
				h.server.Put(testAccount, ownerreztest.Booking{PropertyID: int64(4401 + i%10), Arrival: arrival, Departure: arrival.AddDays(3)})
			}
		})
		known := 0
		for range 30 {
			wait(5 * time.Minute)
			out := h.lookup()
			if out.Requests > 12+15 { // to finish one property takes a few more
				t.Errorf("a run with a share of 12 sent %d requests", out.Requests)
			}
			was := known
			known = 0
			for _, rec := range h.snapshot().Records {
				if rec.Known {
					known++
				}
			}
			if known < was {
				t.Errorf("of %d properties that were read only %d are left", was, known)
			}
			if len(h.differences()) == 0 {
				return
			}
			if due := time.Until(h.snapshot().Account.Due); due > 5*time.Minute {
				t.Errorf("%d of 10 properties are read, the next run is due in %s", known, due)
			}
		}
		t.Errorf("after 30 runs %d of 10 properties are read: %v", known, h.snapshot().Problems)
	})
}

// A 429 closes the window for everybody: the next run sends nothing, and nothing is changed by it.
func TestRateLimitClosesTheWindow(t *testing.T) {
	inHouse(t, smallWorld, func(t *testing.T, h *house) {
		h.job.Window = budget.NewWindow(h.store, "test")
		h.server.Fault(ownerreztest.Fault{Do: ownerreztest.Status(429)})
		wait(15 * time.Minute)
		h.lookup()
		before, requests := h.snapshot(), h.server.Count()
		wait(5 * time.Second)
		out := h.lookup()
		if h.server.Count() != requests {
			t.Error("a request was sent into a closed window")
		}
		if len(out.Problems) != 1 || !strings.Contains(out.Problems[0].Message, "budget") || !h.snapshot().Account.AsOf.Equal(before.Account.AsOf) {
			t.Errorf("it says %v", out.Problems)
		}
		h.settle(2)
	})
}

// as_of is never younger than OwnerRez's own clock at the first answer says.
func TestAsOfIsTheSmallerClock(t *testing.T) {
	inHouse(t, smallWorld, func(t *testing.T, h *house) {
		wait(15 * time.Minute)
		behind := time.Now().Add(-3 * time.Minute).UTC().Truncate(time.Second)
		h.server.Fault(ownerreztest.Fault{Do: ownerreztest.Header("Date", behind.Format(http.TimeFormat))})
		h.lookup()
		if asOf := h.snapshot().AsOf(4401); !asOf.Equal(behind) {
			t.Errorf("as_of is %s, OwnerRez's clock said %s", asOf, behind)
		}
		wait(15 * time.Minute)
		ahead, now := time.Now().Add(3*time.Minute), time.Now()
		h.server.Fault(ownerreztest.Fault{Do: ownerreztest.Header("Date", ahead.UTC().Format(http.TimeFormat))})
		h.lookup()
		if asOf := h.snapshot().AsOf(4401); !asOf.Equal(now) {
			t.Errorf("as_of is %s, our clock said %s", asOf, now)
		}
	})
}

// Ticks wake who is due, once, and again if the wake-up was lost.
func TestTick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, ownerreztest.Quirks{})
		smallWorld(h)
		tick := func() (woken []string) {
			t.Helper()
			err := h.job.Tick(t.Context(), func(_ context.Context, w lookup.Wake) error {
				woken = append(woken, w.Key)
				return nil
			})
			if err != nil {
				t.Error(err)
			}
			return woken
		}
		expect := func(what string, want ...string) {
			t.Helper()
			if got := tick(); !slices.Equal(got, want) {
				t.Errorf("%s: woken were %v, want %v", what, got, want)
			}
		}
		credential, account := h.credentialKey(), lookup.AccountKey(testAccount)
		expect("a new credential", credential)
		expect("its wake-up is on its way")
		wait(time.Minute)
		h.wake(lookup.Wake{Key: credential})
		expect("the account that it leads into", account)
		wait(11 * time.Minute)
		expect("its wake-up was lost", account)
		h.lookup()
		expect("it was looked up")
		wait(15*time.Minute + time.Second)
		expect("15 minutes later", account)

		sent := time.Now()
		wait(time.Second)
		h.lookup()
		requests := h.server.Count()
		if out := h.wake(lookup.Wake{Key: account, Reason: lookup.ReasonTick, Sent: sent}); out.Kind != "none" || h.server.Count() != requests {
			t.Errorf("a tick's wake-up from before the last run was not dropped: %+v", out)
		}

		h.heard.deaf = true
		h.book(4401, 300, 2)
		wait(time.Second)
		h.run(true)
		h.heard.deaf = false
		expect("an event that was not published", account)
		h.lookup()
		if seq := h.snapshot().Account; seq.Published != seq.Seq {
			t.Errorf("published are %d of %d events", seq.Published, seq.Seq)
		}
	})
}

// A row that cannot be read stops nobody else's schedule.
func TestTickBesideAnUnreadableRow(t *testing.T) {
	inHouse(t, smallWorld, func(t *testing.T, h *house) {
		bad := store.Write{Key: store.Key{Partition: "ACCOUNTS", Sort: "777"}, Data: []byte("not a row"), If: store.Absent()}
		if err := h.table.Put(t.Context(), bad); err != nil {
			t.Fatal(err)
		}
		wait(16 * time.Minute)
		woken := 0
		err := h.job.Tick(t.Context(), func(context.Context, lookup.Wake) error { woken++; return nil })
		if woken != 1 || !errors.Is(err, lookup.ErrUnreadable) {
			t.Errorf("woken were %d, the error is %v", woken, err)
		}
	})
}
