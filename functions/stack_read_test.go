package functions_test

import (
	"fmt"
	"maps"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// stackPage is an answer of /v1/calendar.
type stackPage struct {
	Account    int64         `json:"account"`
	Seq        int64         `json:"seq"`
	From       ownerrez.Date `json:"from"`
	To         ownerrez.Date `json:"to"`
	Complete   bool          `json:"complete"`
	Properties []struct {
		ID     int64     `json:"id"`
		AsOf   time.Time `json:"as_of"`
		Nights []struct {
			Date    ownerrez.Date `json:"date"`
			State   string        `json:"state"`
			Cause   string        `json:"cause"`
			Booking int64         `json:"booking_id"`
		} `json:"nights"`
	} `json:"properties"`
	Problems []lookup.Problem `json:"problems"`
	Next     string           `json:"next"`
}

// get asks the stack's API as somebody who may, and reads the answer.
func (s *stack) get(t *testing.T, target string, into any) {
	t.Helper()
	got := s.api(t, s.conf, target, nil)
	if got.status != http.StatusOK {
		t.Fatalf("GET %s: status %d: %s", target, got.status, got.body)
	}
	stackParse(t, got.body, into)
}

// snapshot reads an account's nights [from, to), in pages, and the seq to go on from.
func (s *stack) snapshot(t *testing.T, account int64, from, to ownerrez.Date) (nights stackCalendar, seq int64) {
	t.Helper()
	nights, seq = stackCalendar{}, -1
	const most = 366 // nights of one question
	for begin := from; begin.Compare(to) < 0; begin = begin.AddDays(most) {
		end := begin.AddDays(min(most, begin.DaysUntil(to)))
		for target := fmt.Sprintf("/v1/calendar?account=%d&from=%s&to=%s", account, begin, end); target != ""; {
			var page stackPage
			s.get(t, target, &page)
			if page.Account != account || page.From != begin || page.To != end {
				t.Fatalf("GET %s is about account %d, %s to %s", target, page.Account, page.From, page.To)
			}
			if seq < 0 || page.Seq < seq {
				seq = page.Seq
			}
			page.into(t, nights)
			target = page.Next
		}
	}
	return nights, seq
}

// into notes the page's nights.
func (p stackPage) into(t *testing.T, nights stackCalendar) {
	t.Helper()
	for _, property := range p.Properties {
		if nights[property.ID] == nil {
			nights[property.ID] = map[ownerrez.Date]stackNight{}
		}
		for i, n := range property.Nights {
			if n.Date != p.From.AddDays(i) {
				t.Fatalf("property %d: night %d is %s", property.ID, i, n.Date)
			}
			nights[property.ID][n.Date] = stackNight{n.State, n.Cause, n.Booking}
		}
	}
}

// stackWindow are the nights that are looked up in whatever zone.
func stackWindow() (from, to ownerrez.Date) {
	today := stackToday()
	return today.AddDays(-lookup.WindowPast + 1), today.AddDays(lookup.WindowAhead - 1)
}

// equalsTruth compares all nights of an account with those at the fake OwnerRez, and returns its seq.
func (s *stack) equalsTruth(t *testing.T, account int64) int64 {
	t.Helper()
	from, to := stackWindow()
	got, seq := s.snapshot(t, account, from, to)
	if diff := cmp.Diff(s.truth(account, from, to), got); diff != "" {
		t.Fatalf("account %d: the calendar is not what OwnerRez has (-want +got)\n%s", account, diff)
	}
	return seq
}

// apply changes the nights as an event tells.
func (c stackCalendar) apply(t *testing.T, e lookup.Event) {
	t.Helper()
	for _, change := range e.Changes {
		for d := change.From; d.Compare(change.To) < 0; d = d.AddDays(1) {
			night, shown := c[e.Property][d]
			if !shown {
				continue
			}
			if night.State != change.Was {
				t.Errorf("event %d says that %d was %s on %s; it was %s", e.Seq, e.Property, change.Was, d, night.State)
			}
			c[e.Property][d] = stackNight{change.Now, change.Cause, change.Booking}
		}
	}
}

func (c stackCalendar) clone() stackCalendar {
	copied := stackCalendar{}
	for p, nights := range c {
		copied[p] = maps.Clone(nights)
	}
	return copied
}

// stackAccounts is an answer of /v1/accounts.
type stackAccounts struct {
	Accounts []struct {
		lookup.Standing
		ValidUntil time.Time `json:"valid_until"`
		Seq        int64     `json:"seq"`
		Properties []struct {
			ID int64 `json:"id"`
		} `json:"properties"`
	} `json:"accounts"`
}
