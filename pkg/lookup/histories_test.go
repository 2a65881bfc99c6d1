package lookup_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

var (
	histories = flag.Int("histories", 50, "how many seeded histories of changing accounts to live through")
	firstSeed = flag.Uint64("first-seed", 1, "the seed of the first of them")
)

// TestHistories lives through seeded histories: accounts of 250 to 1,000 bookings that change between lookups and
// between the answers of one lookup, at an OwnerRez that behaves in one of the ways it is said to behave. No night
// may be free that is taken, no event may be missing, and in the end the calendar must equal the truth.
func TestHistories(t *testing.T) {
	for i := range *histories {
		seed := *firstSeed + uint64(i)
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { newHistory(t, seed).live() })
		})
	}
}

// history is one account's story.
type history struct {
	*house
	rng        *rand.Rand
	properties []int64
	today      ownerrez.Date
}

func newHistory(t *testing.T, seed uint64) *history {
	rng := rand.New(rand.NewPCG(seed, 1))
	quirks := anyQuirks(rng)
	h := &history{house: newHouse(t, quirks), rng: rng, today: ownerrez.DateOf(time.Now())}
	t.Logf("seed %d: %+v", seed, quirks)
	zones := []string{"America/Chicago", "Pacific/Auckland", "Pacific/Honolulu", ""}
	for i := range 3 + rng.IntN(10) {
		id := int64(4401 + i)
		h.property(id, zones[rng.IntN(len(zones))])
		h.properties = append(h.properties, id)
	}
	h.change(func() {
		for range 250 + rng.IntN(751) {
			h.server.Put(testAccount, h.booking())
		}
	})
	return h
}

// anyQuirks chooses one of the ways in which OwnerRez is said to behave.
func anyQuirks(rng *rand.Rand) ownerreztest.Quirks {
	quirks := ownerreztest.Quirks{
		MaxLimit:           []int{20, 100}[rng.IntN(2)],
		Order:              []ownerreztest.Order{ownerreztest.OrderByID, ownerreztest.OrderByUpdate, ownerreztest.OrderRandom}[rng.IntN(3)],
		OrderSeed:          rng.Uint64(),
		CountOnBookings:    rng.IntN(2) == 0,
		OmitItemsWhenEmpty: rng.IntN(2) == 0,
		Link:               ownerreztest.LinkStyle(rng.IntN(2)),
		LastLink:           ownerreztest.LastLink(rng.IntN(3)),
		SinceIsCreation:    rng.IntN(4) == 0,
		SinceExclusive:     rng.IntN(2) == 0,
		FromIsArrival:      rng.IntN(4) == 0,
		IgnoreFromTo:       rng.IntN(4) == 0,
		HideCanceled:       rng.IntN(4) == 0,
		DatesWithTime:      rng.IntN(4) == 0,
		ZonelessTimes:      rng.IntN(4) == 0,
		RateLimitOff:       true,
	}
	if quirks.IgnoreFromTo && quirks.Order == ownerreztest.OrderRandom {
		// Pages of a list that is shuffled anew for each of them cannot be put together by anybody, and there is
		// nothing smaller to ask for: such a property stays unknown (TestPagesThatNeverFit).
		quirks.Order = ownerreztest.OrderShuffled
	}
	if quirks.CountOnBookings && rng.IntN(4) == 0 {
		quirks.Link = ownerreztest.LinkNever
	}
	return quirks
}

// booking makes up a booking, block or hold.
func (h *history) booking() ownerreztest.Booking {
	arrival := h.today.AddDays(h.rng.IntN(800) - 60)
	b := ownerreztest.Booking{
		PropertyID: h.properties[h.rng.IntN(len(h.properties))],
		Arrival:    arrival, Departure: arrival.AddDays(h.rng.IntN(9)),
	}
	switch h.rng.IntN(12) {
	case 0, 1:
		b.Status = "canceled"
	case 2:
		b.Type, b.IsBlock = "block", true
	case 3:
		b.Type = "owner"
	case 4:
		b.Type, b.PendingUntilUTC = "quote_hold", time.Now().Add(time.Duration(h.rng.IntN(90))*time.Minute)
	case 5:
		b.Departure = arrival.AddDays(40 + h.rng.IntN(60))
	case 6:
		b.Type = "something_new"
	}
	created := time.Now().Add(-time.Duration(h.rng.IntN(1000)) * time.Hour)
	b.CreatedUTC, b.UpdatedUTC = created, created.Add(time.Duration(h.rng.IntN(5))*time.Minute)
	return b
}

// happen makes one thing happen, as it would at OwnerRez: with the time of now.
func (h *history) happen() {
	ids := h.bookings()
	id := ids[h.rng.IntN(len(ids))]
	update := func(change func(*ownerreztest.Booking)) { h.server.Update(testAccount, id, change) }
	h.change(func() {
		switch h.rng.IntN(8) {
		case 0, 1:
			b := h.booking()
			b.CreatedUTC, b.UpdatedUTC = time.Time{}, time.Time{}
			h.server.Put(testAccount, b)
		case 2:
			h.server.Cancel(testAccount, id)
		case 3:
			h.server.Delete(testAccount, id)
		case 4:
			by := h.rng.IntN(30) - 15
			update(func(b *ownerreztest.Booking) { b.Arrival, b.Departure = b.Arrival.AddDays(by), b.Departure.AddDays(by) })
		case 5:
			to := h.properties[h.rng.IntN(len(h.properties))]
			update(func(b *ownerreztest.Booking) { b.PropertyID = to })
		case 6:
			update(func(b *ownerreztest.Booking) { b.Type, b.PendingUntilUTC = "booking", time.Time{} })
		case 7:
			by := 20 + h.rng.IntN(300)
			h.displace(id, func(b *ownerreztest.Booking) { b.Arrival, b.Departure = b.Arrival.AddDays(by), b.Departure.AddDays(by) })
		}
	})
}

func (h *history) live() {
	for range 4 + h.rng.IntN(5) {
		for range h.rng.IntN(4) {
			h.happen()
			wait(time.Duration(1+h.rng.IntN(200)) * time.Second)
		}
		if h.rng.IntN(3) > 0 { // things happen between the answers of the next lookup
			for range 1 + h.rng.IntN(4) {
				h.server.Fault(ownerreztest.Fault{N: 1 + h.rng.IntN(12), Do: ownerreztest.Before(h.happen)})
			}
		}
		wait(time.Duration(1+h.rng.IntN(20)) * time.Minute)
		h.lookup()
		h.server.ClearFaults()
	}
	wait(25 * time.Hour) // every property has a full read to come
	h.settleIn(12)
}

// settleIn looks up until the calendar equals the truth but for holds that have lapsed.
func (h *history) settleIn(most int) {
	h.t.Helper()
	h.endHolds()
	h.settle(most)
	if out := h.wake(lookup.Wake{Key: lookup.AccountKey(testAccount)}); out.Nights != 0 {
		h.t.Errorf("a quiet lookup changed %d nights", out.Nights)
	}
}
