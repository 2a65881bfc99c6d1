package functions_test

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// The accounts at the fake OwnerRez.
const (
	stackHost  int64 = 123456
	stackOther int64 = 654321
	stackThird int64 = 777777
)

// stackHostKey and stackOtherKey are their lanes.
const stackHostKey, stackOtherKey = "123456", "654321"

var stackEmails = map[int64]string{
	stackHost: "host@example.com", stackOther: "other@example.com", stackThird: "third@example.com",
}

// stackWorld is a fake OwnerRez with three accounts and bookings of every kind, some of which share nights.
func stackWorld() *ownerreztest.Server {
	server := ownerreztest.New()
	for id, email := range stackEmails {
		server.AddAccount(ownerreztest.Account{
			ID: id, Email: email, Name: "Somebody", TimeZone: "America/Chicago", PAT: "pt_test" + email[:4] + "1",
		})
	}
	for id, p := range map[int64][]ownerreztest.Property{
		stackHost: {
			{ID: 4401, Name: "Pine Cabin", TimeZone: "America/Chicago"},
			{ID: 4402, Name: "Lake House", TimeZone: "Pacific/Auckland"},
			{ID: 4403, Name: "Loft"},
		},
		stackOther: {{ID: 5501, Name: "Barn", TimeZone: "Europe/Zurich"}},
		stackThird: {{ID: 6601, Name: "Mill"}},
	} {
		for _, property := range p {
			server.AddProperty(id, property)
			stackFurnish(server, id, property.ID)
		}
	}
	return server
}

// stackFurnish puts a dozen stays on a property, the same ones each time.
func stackFurnish(server *ownerreztest.Server, account, property int64) {
	kinds := []ownerreztest.Booking{
		{}, {Type: "block", IsBlock: true}, {Type: "owner"}, {Status: "pending"}, {Status: "canceled"}, {},
		{Type: "quote_hold", PendingUntilUTC: time.Now().Add(48 * time.Hour)}, {Type: "linked_availability"}, {Type: "treehouse"},
	}
	random := rand.New(rand.NewPCG(1, uint64(property)))
	day := stackToday().AddDays(-50)
	for i := range 24 {
		day = day.AddDays(random.IntN(40))
		b := kinds[i%len(kinds)]
		b.PropertyID, b.Arrival, b.Departure = property, day, day.AddDays(1+random.IntN(12))
		server.Put(account, b)
		if random.IntN(3) > 0 {
			day = b.Departure // else the next one may share its nights
		}
	}
}

func stackToday() ownerrez.Date { return ownerrez.Today(time.Now(), time.UTC) }

// stackNight is a night as a person compares it.
type stackNight struct {
	State, Cause string
	Booking      int64
}

// stackCalendar is what is known of an account's nights, by property and date.
type stackCalendar map[int64]map[ownerrez.Date]stackNight

// stackCauses are the causes, the strongest first, by what OwnerRez calls them.
var stackCauses = []struct {
	cause string
	is    func(ownerreztest.Booking) bool
}{
	{"booking", func(b ownerreztest.Booking) bool { return b.Type == "booking" && b.Status != "pending" }},
	{"owner", func(b ownerreztest.Booking) bool { return b.Type == "owner" }},
	{"pending", func(b ownerreztest.Booking) bool { return b.Status == "pending" && b.PendingUntilUTC.IsZero() }},
	{"hold", func(b ownerreztest.Booking) bool { return b.Type == "quote_hold" }},
	{"block", func(b ownerreztest.Booking) bool { return b.Type == "block" }},
	{"linked", func(b ownerreztest.Booking) bool { return b.Type == "linked_availability" }},
	{"other", func(ownerreztest.Booking) bool { return true }},
}

// truth is what an account's nights [from, to) are at the fake OwnerRez. Of several stays of the strongest cause the
// one is taken that was there first.
func (s *stack) truth(account int64, from, to ownerrez.Date) stackCalendar {
	calendar := stackCalendar{}
	bookings := s.server.Bookings(account)
	slices.SortStableFunc(bookings, func(a, b ownerreztest.Booking) int {
		return cmp.Or(cmp.Compare(stackRank(a), stackRank(b)), cmp.Compare(a.ID, b.ID))
	})
	for _, p := range s.server.Properties(account) {
		calendar[p.ID] = map[ownerrez.Date]stackNight{}
		for d := from; d.Compare(to) < 0; d = d.AddDays(1) {
			night := stackNight{State: "free"}
			i := slices.IndexFunc(bookings, func(b ownerreztest.Booking) bool {
				return b.PropertyID == p.ID && b.Status != "canceled" && b.Arrival.Compare(d) <= 0 && d.Compare(b.Departure) < 0
			})
			if i >= 0 {
				night = stackNight{"taken", stackCauses[stackRank(bookings[i])].cause, bookings[i].ID}
			}
			calendar[p.ID][d] = night
		}
	}
	return calendar
}

// stackRank is the index of a booking's cause.
func stackRank(b ownerreztest.Booking) int {
	for i, c := range stackCauses {
		if c.is(b) {
			return i
		}
	}
	return len(stackCauses)
}

// requestsSince lists what the fake OwnerRez was asked since it had been asked n times.
func (s *stack) requestsSince(n int) []ownerreztest.Request { return s.server.Requests()[n:] }

// replaceToken lets OwnerRez accept another personal token of the account, and no longer the one before.
func (s *stack) replaceToken(account int64, token string) {
	s.server.AddAccount(ownerreztest.Account{
		ID: account, Email: stackEmails[account], Name: "Somebody", TimeZone: "America/Chicago", PAT: token,
	})
}

// freeFrom is a night, from a day on, on which a stay of some nights at a property of the first account finds room.
func (s *stack) freeFrom(t *testing.T, property int64, from ownerrez.Date, nights int) ownerrez.Date {
	t.Helper()
	for d := from; d.Compare(from.AddDays(400)) < 0; d = d.AddDays(1) {
		free := true
		for i := range nights {
			free = free && !s.server.Taken(stackHost, property, d.AddDays(i))
		}
		if free {
			return d
		}
	}
	t.Fatalf("property %d has no %d free nights in a row", property, nights)
	return ownerrez.Date{}
}
