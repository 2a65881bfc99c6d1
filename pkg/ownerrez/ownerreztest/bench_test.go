package ownerreztest_test

import (
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// BenchmarkList asks a world of 1,000 bookings for a page of 100, through the in-memory door.
func BenchmarkList(b *testing.B) {
	s := newServer(ownerreztest.WithQuirks(ownerreztest.Quirks{RateLimitOff: true}))
	for i := range 1000 {
		stay(s, 4401+int64(i%2), 1+i%20, 2+i%20)
	}
	c := call(b, s)
	for b.Loop() {
		if r := c.get("/v2/bookings?property_ids=4401,4402&limit=100&offset=300&from=2026-12-01"); r.status != 200 {
			b.Fatal(r.status, r.err)
		}
	}
}

// BenchmarkListAfterChange does the same after each change of the world.
func BenchmarkListAfterChange(b *testing.B) {
	s := newServer(ownerreztest.WithQuirks(ownerreztest.Quirks{RateLimitOff: true}))
	for i := range 1000 {
		stay(s, 4401+int64(i%2), 1+i%20, 2+i%20)
	}
	c := call(b, s)
	for b.Loop() {
		s.Cancel(acct, 900500)
		if r := c.get("/v2/bookings?property_ids=4401&limit=100"); r.status != 200 {
			b.Fatal(r.status, r.err)
		}
	}
}

// BenchmarkDemo lets the world of Demo move on.
func BenchmarkDemo(b *testing.B) {
	now := noon
	s := demoAt(1, &now)
	for b.Loop() {
		now = now.Add(10 * time.Minute)
		s.Taken(ownerreztest.DemoAccount, 4401, day(1))
	}
}
