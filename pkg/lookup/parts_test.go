package lookup_test

import (
	"context"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// stepping is a store that compares after every commit what is stored with what the events say that are stored.
type stepping struct {
	lookup.Store
	house   *house
	reader  *listener
	commits int
}

func (s *stepping) Commit(ctx context.Context, c lookup.Commit) error {
	if err := s.Store.Commit(ctx, c); err != nil || c.Account == 0 {
		return err
	}
	s.commits++
	snap, err := lookup.Load(ctx, s.Store, testAccount)
	if err != nil {
		return err
	}
	events, err := s.Events(ctx, testAccount, s.reader.seq, math.MaxInt32, time.Now())
	if err != nil {
		return err
	}
	for _, e := range events {
		if err := s.reader.Publish(ctx, e); err != nil {
			return err
		}
	}
	s.reader.compare(s.house.t, snap)
	return nil
}

func (h *house) step() *stepping {
	s := &stepping{Store: h.store, house: h, reader: newListener(h.t)}
	h.job.Store = s
	return s
}

// far adds stays of one night each, every other night, the first so many days from today.
func (h *house) far(property int64, from, n int) {
	h.change(func() {
		first := ownerrez.DateOf(time.Now()).AddDays(from)
		for i := range n {
			h.server.Put(testAccount, ownerreztest.Booking{PropertyID: property, Arrival: first.AddDays(2 * i), Departure: first.AddDays(2*i + 1)})
		}
	})
}

// What becomes of a property with thousands of stays is told in several events, in the same commit as its record.
func TestChangesInSeveralEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, ownerreztest.Quirks{RateLimitOff: true})
		steps := h.step()
		smallWorld(h)
		h.far(4401, 300, 2400)
		h.lookup()
		h.settle(2)
		h.expectParts(t, 3, 4401)
		h.change(func() {
			for i, id := range h.bookings() {
				if i%2 == 0 {
					h.server.Update(testAccount, id, func(b *ownerreztest.Booking) { b.Type = "owner" })
				}
			}
		})
		h.settle(2)
		h.expectParts(t, 2, 4401)
		h.change(func() { h.server.SetPropertyActive(testAccount, 4401, false) })
		h.run(true)
		h.expectParts(t, 3, 4401)
		if reason := h.heard.events[len(h.heard.events)-1].Changes[0].Reason; reason != "gone" {
			t.Errorf("the property that is gone is told as %q", reason)
		}
		h.change(func() { h.server.SetPropertyActive(testAccount, 4401, true) })
		h.run(true)
		h.expectParts(t, 3, 4401)
		if steps.commits < 5 {
			t.Errorf("only %d commits were checked", steps.commits)
		}
	})
}

// expectParts fails unless the last events about a property are so many, as one run told them.
func (h *house) expectParts(t *testing.T, n int, property int64) {
	t.Helper()
	var told []lookup.Event
	for _, e := range h.heard.events {
		if e.Property == property {
			told = append(told, e)
		}
	}
	if len(told) < n {
		t.Fatalf("only %d events were published", len(told))
	}
	parts := told[len(told)-n:]
	for i, e := range parts {
		if len(e.Changes) > 1000 || e.More != (i < n-1) || e.Seq != parts[0].Seq+int64(i) || !e.AsOf.Equal(parts[0].AsOf) {
			t.Errorf("event %d: %d changes as of %s, more: %v", e.Seq, len(e.Changes), e.AsOf, e.More)
		}
	}
	if len(told) > n && told[len(told)-n-1].More {
		t.Errorf("property %d was told in more than %d events", property, n)
	}
}

// A property that is too large to be stored is unknown and says so, and the others of its account are read as ever.
// When it has become smaller, it is read too.
func TestPropertyTooLargeForTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, ownerreztest.Quirks{})
		h.step()
		smallWorld(h)
		h.settle(2)
		large := func(name string) {
			h.server.AddProperty(testAccount, ownerreztest.Property{ID: 4402, Name: name, TimeZone: "Pacific/Auckland"})
		}
		large(strings.Repeat("n", 400<<10))
		requests := 0
		for range 12 {
			h.book(4401, 200, 1)
			wait(7 * time.Hour)
			requests += h.lookup().Requests
		}
		snap := h.snapshot()
		if age := time.Since(snap.AsOf(4401)); age > time.Minute {
			t.Errorf("another property is %s old", age)
		}
		if age := time.Since(snap.AsOf(4402)); age < 24*time.Hour {
			t.Errorf("the property itself claims to be only %s old", age)
		}
		if len(snap.Problems) != 1 || snap.Problems[0].Property != 4402 || !strings.Contains(snap.Problems[0].Message, "stored") {
			t.Errorf("it says %v", snap.Problems)
		}
		wait(15 * time.Minute) // it is not read again so soon
		if out := h.lookup(); out.Requests != 1 || len(out.Problems) != 1 || out.Failed {
			t.Errorf("15 minutes later: %+v", out)
		}
		if requests > 12*4 {
			t.Errorf("%d requests were sent", requests)
		}
		large("small again")
		wait(25 * time.Hour)
		h.settle(2)
	})
}

// Stays for thirty years ahead are stored and told, all at once.
func TestStaysFarAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, ownerreztest.Quirks{RateLimitOff: true})
		h.step()
		smallWorld(h)
		h.far(4402, 300, 5_500)
		h.lookup()
		h.settle(2)
		h.expectParts(t, 6, 4402)
	})
}

// Where a run needs several commits, each of them leaves a calendar that is what the events say, also if bookings
// move from one property to another.
func TestEveryCommitIsWhatTheEventsSay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, ownerreztest.Quirks{RateLimitOff: true})
		steps := h.step()
		for p := range int64(60) {
			h.rows(4401+p, 3)
		}
		h.lookup()
		h.settle(1)
		first := steps.commits
		h.change(func() {
			for i, id := range h.bookings() {
				h.server.Update(testAccount, id, func(b *ownerreztest.Booking) { b.PropertyID = 4401 + int64(7*i%60) })
			}
		})
		h.settle(1)
		if first < 4 || steps.commits < first+3 {
			t.Errorf("%d commits for the first read, %d for the moves", first, steps.commits-first)
		}
	})
}
