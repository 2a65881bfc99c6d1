package functions_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// empty is a stack that was just deployed: its secret has no value.
func (s *stack) empty(t *testing.T) {
	for name, event := range map[string]string{"Schedule": `{}`, "Accounts": `{"command":"list"}`} {
		answer, failed := s.invoke(t, name, event)
		if failed != "" || string(answer) != "[]" {
			t.Errorf("%s answers %s %s", name, answer, failed)
		}
	}
	if answer, failed := s.invoke(t, "Schedule", `{"tick":true}`); failed != "" || string(answer) != "null" {
		t.Errorf("a tick answers %s %s", answer, failed)
	}
	var accounts stackAccounts
	s.get(t, "/v1/accounts", &accounts)
	if accounts.Accounts == nil || len(accounts.Accounts) > 0 {
		t.Errorf("accounts: %+v", accounts)
	}
	if got := s.api(t, s.conf, "/v1/calendar?account=123456&from=2026-12-01&to=2026-12-15", nil); got.status != http.StatusNotFound {
		t.Errorf("a calendar of nobody: status %d: %s", got.status, got.body)
	}
	s.idle(t)
	if n := s.server.Count(); n > 0 {
		t.Errorf("OwnerRez was asked %d times", n)
	}
}

// firstLookup is what an operator does after the deployment: fill the secret, and check by hand.
func (s *stack) firstLookup(t *testing.T) {
	s.fillWith(t, stackTokenOf(stackHost, 1))
	if diff := cmp.Diff([]lookup.Standing{{Status: lookup.StatusNew}}, s.remoteInvoke(t)); diff != "" {
		t.Errorf("the check by hand (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]lookup.Standing{{Account: stackHost, Status: lookup.StatusOK, AsOf: s.row(t, stackHostKey).AsOf}}, s.invokeSchedule(t)); diff != "" {
		t.Errorf("the second check (-want +got)\n%s", diff)
	}
	s.recorded(t, stackHost)
	seq := s.equalsTruth(t, stackHost)
	events := s.eventsAfter(t, stackHost, 0)
	if seq != int64(len(events)) || len(events) < 4 {
		t.Errorf("seq %d, %d events: each property's, and that the account is read", seq, len(events))
	}
	s.firstEvents(t, events)
	s.etag(t)
}

// recorded compares the records in the table with the fake's bookings.
func (s *stack) recorded(t *testing.T, account int64) {
	t.Helper()
	records, err := s.store.Records(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	from, _ := stackWindow()
	want, got := map[int64]int64{}, map[int64]int64{}
	for _, b := range s.server.Bookings(account) {
		if b.Status != "canceled" && b.Departure.Compare(from) > 0 {
			want[b.ID] = b.PropertyID
		}
	}
	for _, r := range records {
		for _, stay := range r.Stays {
			if stay.Departure.Compare(from) > 0 {
				got[stay.Booking] = r.Property
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("bookings and their properties in the table (-want +got)\n%s", diff)
	}
}

// firstEvents applies the first event of each property to nights of which nothing is known.
func (s *stack) firstEvents(t *testing.T, events []stackEvent) {
	t.Helper()
	from, to := stackWindow()
	truth := s.truth(stackHost, from, to)
	nights := truth.clone()
	for p := range nights {
		for d := range nights[p] {
			nights[p][d] = stackNight{State: "unknown"}
		}
	}
	stale := max(time.Hour, 3*15*time.Minute)
	for _, e := range events {
		d := e.Detail
		if d.Version != 1 || d.Account != stackHost {
			t.Errorf("event %s", e.raw)
		}
		if e.DetailType != lookup.AvailabilityChanged {
			continue
		}
		if since := time.Since(d.AsOf); since < 0 || since > time.Minute || !d.ValidUntil.Equal(d.AsOf.Add(stale)) {
			t.Errorf("as of %s, valid until %s", d.AsOf, d.ValidUntil)
		}
		nights.apply(t, d)
	}
	if diff := cmp.Diff(truth, nights); diff != "" {
		t.Errorf("what the first events tell (-want +got)\n%s", diff)
	}
}

// etag asks twice for the same.
func (s *stack) etag(t *testing.T) {
	t.Helper()
	from := stackToday()
	target := fmt.Sprintf("/v1/calendar?account=%d&property=4401&from=%s&to=%s", stackHost, from, from.AddDays(30))
	first := s.api(t, s.conf, target, nil)
	tag := first.header.Get("ETag")
	if first.status != http.StatusOK || tag == "" {
		t.Fatalf("status %d, ETag %q: %s", first.status, tag, first.body)
	}
	if got := s.api(t, s.conf, target, map[string]string{"If-None-Match": tag}); got.status != http.StatusNotModified || len(got.body) > 0 {
		t.Errorf("asked again with the ETag: status %d: %s", got.status, got.body)
	}
	if got := s.api(t, s.conf, target, map[string]string{"If-None-Match": `"other"`}); got.status != http.StatusOK {
		t.Errorf("asked again with another ETag: status %d", got.status)
	}
}

// bookingAdded is a change, with a quiet lookup before it and after it.
func (s *stack) bookingAdded(t *testing.T) {
	before := s.row(t, stackHostKey)
	arrival := s.freeFrom(t, 4401, stackToday().AddDays(3), 4)
	for _, add := range []bool{false, true, false} {
		asked, seq := s.server.Count(), s.row(t, stackHostKey).Seq
		var id int64
		if add {
			id = s.server.Put(stackHost, ownerreztest.Booking{PropertyID: 4401, Arrival: arrival, Departure: arrival.AddDays(4)})
		}
		s.lookUp(t, stackHostKey)
		requests := s.requestsSince(asked)
		if len(requests) != 1 || requests[0].Account != stackHost || !strings.HasPrefix(requests[0].UserAgent, "stack-test/") {
			t.Errorf("add %t: OwnerRez was asked %+v", add, requests)
		}
		var changes [][]lookup.Change
		for _, e := range s.eventsAfter(t, stackHost, seq) {
			changes = append(changes, e.Detail.Changes)
		}
		var want [][]lookup.Change
		if add {
			want = [][]lookup.Change{{{From: arrival, To: arrival.AddDays(4), Was: "free", Now: "taken", Cause: "booking", Booking: id}}}
		}
		if diff := cmp.Diff(want, changes, cmpopts.EquateComparable(ownerrez.Date{})); diff != "" {
			t.Errorf("add %t: events (-want +got)\n%s", add, diff)
		}
	}
	s.equalsTruth(t, stackHost)
	if after := s.row(t, stackHostKey); after.Version != before.Version+4 { // three runs, and what one of them published
		t.Errorf("the account's row was written %d times", after.Version-before.Version)
	}
}

// twoAccounts gives the secret a list.
func (s *stack) twoAccounts(t *testing.T) {
	asked := s.server.Count()
	s.fillWith(t, stackTokenOf(stackHost, 1), stackTokenOf(stackOther, 1))
	if got := s.invokeSchedule(t); len(got) != 2 || got[0].Account != 0 || got[1].Account != stackHost {
		t.Errorf("the check by hand answers %+v", got)
	}
	s.equalsTruth(t, stackHost)
	s.equalsTruth(t, stackOther)
	s.eventsAfter(t, stackOther, 0)
	for _, r := range s.requestsSince(asked) {
		if r.Account != stackOther {
			t.Errorf("OwnerRez was asked %+v", r)
		}
	}
	var accounts stackAccounts
	s.get(t, "/v1/accounts", &accounts)
	var got [][]int64
	for _, a := range accounts.Accounts {
		ids := []int64{a.Account}
		for _, p := range a.Properties {
			ids = append(ids, p.ID)
		}
		got = append(got, ids)
		if a.Status != lookup.StatusOK || a.Problem != "" || a.ValidUntil.Before(time.Now()) {
			t.Errorf("%+v", a)
		}
	}
	if diff := cmp.Diff([][]int64{{stackHost, 4401, 4402, 4403}, {stackOther, 5501}}, got); diff != "" {
		t.Errorf("accounts and their properties (-want +got)\n%s", diff)
	}
	s.strangers(t)
}

// strangers asks for a property of an account under the other.
func (s *stack) strangers(t *testing.T) {
	t.Helper()
	from := stackToday()
	var page stackPage
	s.get(t, fmt.Sprintf("/v1/calendar?account=%d&property=4401&from=%s&to=%s", stackOther, from, from.AddDays(7)), &page)
	for _, p := range page.Properties {
		for _, n := range p.Nights {
			if n.State != availability.Unknown.String() {
				t.Errorf("account %d answers for property %d: %+v", stackOther, p.ID, n)
			}
		}
	}
	if page.Complete {
		t.Errorf("the answer about another's property calls itself complete")
	}
}

// snapshotAndChanges follows an account as a reader does: a snapshot, then the changes after it.
func (s *stack) snapshotAndChanges(t *testing.T) {
	from, to := stackWindow()
	nights, seq := s.snapshot(t, stackHost, from, to)
	first := seq
	for round := range 3 {
		s.disturb(t, round)
		s.lookUp(t, stackHostKey)
	}
	target := fmt.Sprintf("/v1/changes?account=%d&after=%d&limit=2", stackHost, seq)
	pages := 0
	for ; target != ""; pages++ {
		var page struct {
			Changes []stackEvent `json:"changes"`
			Next    string       `json:"next"`
		}
		s.get(t, target, &page)
		if len(page.Changes) > 2 {
			t.Errorf("GET %s: %d changes", target, len(page.Changes))
		}
		for _, c := range page.Changes {
			seq++
			if c.Detail.Seq != seq {
				t.Fatalf("GET %s: change %d, want %d", target, c.Detail.Seq, seq)
			}
			nights.apply(t, c.Detail)
		}
		target = page.Next
	}
	later, seqLater := s.snapshot(t, stackHost, from, to)
	if seq != seqLater || pages < 3 {
		t.Errorf("the changes end with %d, on %d pages; the snapshot is of %d", seq, pages, seqLater)
	}
	if diff := cmp.Diff(later, nights); diff != "" {
		t.Errorf("a snapshot and the changes after it are not the next snapshot (-want +got)\n%s", diff)
	}
	if len(s.eventsAfter(t, stackHost, first)) != int(seq-first) {
		t.Errorf("%d changes were published", len(s.eventsAfter(t, stackHost, first)))
	}
	s.equalsTruth(t, stackHost)
}

// disturb moves, cancels, deletes and adds bookings of the account, so that several properties change.
func (s *stack) disturb(t *testing.T, round int) {
	t.Helper()
	bookings := slices.DeleteFunc(s.server.Bookings(stackHost), func(b ownerreztest.Booking) bool {
		return b.Status == "canceled" || b.Arrival.Compare(stackToday()) <= 0
	})
	moved, canceled, deleted := bookings[round], bookings[10+round], bookings[20+round]
	s.server.Update(stackHost, moved.ID, func(b *ownerreztest.Booking) {
		b.PropertyID = 4401 + (b.PropertyID-4400)%3
		b.Departure = b.Departure.AddDays(1)
	})
	s.server.Cancel(stackHost, canceled.ID)
	s.server.Delete(stackHost, deleted.ID)
	arrival := s.freeFrom(t, 4402, stackToday().AddDays(200), 3)
	s.server.Put(stackHost, ownerreztest.Booking{PropertyID: 4402, Type: "owner", Arrival: arrival, Departure: arrival.AddDays(3)})
}
