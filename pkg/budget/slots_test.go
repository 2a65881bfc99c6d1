package budget_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/budget"
)

const slotTime = 25 * time.Hour

func takeSlot(t *testing.T, s *budget.Slots, user string) (release func(context.Context) error) {
	t.Helper()
	release, err := s.Take(t.Context(), user)
	if err != nil {
		t.Fatalf("user %s: %v", user, err)
	}
	return release
}

func refuseSlot(t *testing.T, s *budget.Slots, user string, until time.Time) {
	t.Helper()
	release, err := s.Take(t.Context(), user)
	refused, ok := errors.AsType[*budget.NoSlotError](err)
	if !ok || !errors.Is(err, budget.ErrNoSlot) || release != nil {
		t.Fatalf("user %s: %v, want a refusal", user, err)
	}
	if d := refused.Until.Sub(until).Abs(); d > 2*time.Millisecond {
		t.Errorf("user %s is refused until %s, want %s", user, refused.Until.UTC(), until.UTC())
	}
	if !strings.Contains(err.Error(), until.UTC().Format("2006-01-02 15:04 UTC")) {
		t.Errorf("%q does not say until when", err)
	}
}

func TestSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cells := &memory{}
		s, other := budget.NewSlots(cells, "x"), budget.NewSlots(cells, "x")
		began := time.Now()
		takeSlot(t, s, "ann")
		time.Sleep(time.Hour)
		takeSlot(t, other, "bob")
		refuseSlot(t, s, "cid", began.Add(slotTime))
		takeSlot(t, budget.NewSlots(cells, "another address"), "cid")

		time.Sleep(20 * time.Hour)
		takeSlot(t, other, "ann") // renews: now bob's is the older one
		refuseSlot(t, s, "cid", began.Add(time.Hour+slotTime))
		time.Sleep(time.Until(began.Add(time.Hour + slotTime - time.Millisecond)))
		refuseSlot(t, s, "cid", began.Add(time.Hour+slotTime))
		time.Sleep(time.Millisecond)
		takeSlot(t, s, "cid")
		refuseSlot(t, s, "bob", began.Add(21*time.Hour+slotTime))
		if release := takeSlot(t, s, ""); release(t.Context()) != nil {
			t.Error("an OAuth token has nothing to release")
		}
	})
}

func TestSlotRelease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := budget.NewSlots(&memory{}, "x")
		began := time.Now()
		takeSlot(t, s, "ann")
		release := takeSlot(t, s, "bob")
		refuseSlot(t, s, "cid", began.Add(slotTime))
		for range 2 {
			if err := release(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		fresh := takeSlot(t, s, "cid")
		refuseSlot(t, s, "bob", began.Add(slotTime))

		renewed := takeSlot(t, s, "cid") // another run uses the slot: the first can no longer give it back
		for _, release := range []func(context.Context) error{fresh, renewed, takeSlot(t, s, "ann")} {
			if err := release(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		refuseSlot(t, s, "bob", began.Add(slotTime))
	})
}

func TestSlotsUnreadable(t *testing.T) {
	for name, data := range map[string][]byte{
		"empty": nil, "of a later format": {2}, "cut short": {1, 0, 10, 18, 'x'}, "of a nameless user": {1, 0, 10, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cells := &memory{}
				cells.put("PAT#x", data)
				s := budget.NewSlots(cells, "x")
				until := time.Now().Add(slotTime)
				for range 2 {
					refuseSlot(t, s, "ann", until)
					time.Sleep(time.Hour)
				}
				if _, err := s.Take(t.Context(), "ann"); !strings.Contains(err.Error(), "could not be read") {
					t.Errorf("%q does not say why", err)
				}
				time.Sleep(time.Until(until))
				takeSlot(t, s, "ann")
			})
		})
	}
}

// A clock that was years ahead and is set right does not keep others out for years.
func TestSlotsClockJumpsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ahead := 10 * 365 * 24 * time.Hour
		s := budget.NewSlots(&memory{}, "x", budget.Clock(func() time.Time { return time.Now().Add(ahead) }))
		takeSlot(t, s, "ann")
		takeSlot(t, s, "bob")
		ahead = 0
		until := time.Now().Add(slotTime)
		refuseSlot(t, s, "cid", until)
		time.Sleep(time.Hour)
		refuseSlot(t, s, "cid", until)
		time.Sleep(time.Until(until))
		takeSlot(t, s, "cid")
	})
}

func TestSlotsStoreInTrouble(t *testing.T) {
	full := errors.New("disk full")
	s := budget.NewSlots(&broken{set: full}, "x")
	if release, err := s.Take(t.Context(), "ann"); !errors.Is(err, full) || errors.Is(err, budget.ErrNoSlot) || release != nil {
		t.Errorf("Take: %v, want the store's error", err)
	}
	s = budget.NewSlots(&broken{set: budget.ErrConflict}, "x")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Take(ctx, "ann"); !errors.Is(err, context.Canceled) {
		t.Errorf("Take when the time is up: %v", err)
	}
}

// Only hashes come into the cell: an e-mail would stay there.
func TestSlotsRefuseEMails(t *testing.T) {
	cells := &memory{}
	for _, user := range []string{"ann@example.com", strings.Repeat("x", 300)} {
		if _, err := budget.NewSlots(cells, "x").Take(t.Context(), user); err == nil || strings.Contains(err.Error(), user) {
			t.Errorf("Take(%q): %v", user, err)
		}
	}
	if cells.writes != 0 {
		t.Error("something was written")
	}
}
