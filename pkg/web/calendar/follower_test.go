package calendar

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// follower is a reader who keeps a calendar by what the API says alone: a snapshot, and then the changes after it.
type follower struct {
	*history
	seq    int64
	nights map[int64][]cell // by property, from the night of from on; nil before the first snapshot
}

// cell is what a follower knows of a night. The zero cell is unknown.
type cell struct {
	state   availability.State
	cause   string
	booking int64
	// moment is true if the night was shown unknown because of the moment: of its age, a lapsed hold, the window, or
	// because the first read of its property is not stored to its end. No change tells when that is over.
	moment bool
}

// step reads something: a snapshot, where there is none yet or now and then, else changes.
func (f *follower) step() {
	if f.nights == nil || f.rng.IntN(5) == 0 {
		f.snapshot()
		return
	}
	f.catchUp()
}

// get asks a new instance, and returns the status.
func (f *follower) get(target string, answer any) int {
	w := request(f.t, f.api(), http.MethodGet, target)
	if w.Code != http.StatusOK {
		return w.Code
	}
	if err := json.Unmarshal(w.Body.Bytes(), answer); err != nil {
		f.t.Fatalf("GET %s: %v", target, err)
	}
	return w.Code
}

// snapshot reads the calendar of all properties, page by page. It goes on from the smallest seq.
func (f *follower) snapshot() {
	target := fmt.Sprintf("/v1/calendar?account=123456&from=%s&to=%s", f.from, f.to)
	if ids := f.properties(); f.rng.IntN(4) == 0 && len(ids) > 0 {
		target += "&property=" + join(ids)
	}
	nights := map[int64][]cell{}
	smallest := int64(-1)
	for target != "" {
		var page Document
		if status := f.get(target, &page); status == http.StatusNotFound && smallest < 0 {
			return // not connected yet
		} else if status != http.StatusOK {
			f.t.Fatalf("GET %s: %d", target, status)
		}
		for _, p := range page.Properties {
			if nights[p.ID] != nil {
				f.t.Fatalf("property %d comes twice", p.ID)
			}
			nights[p.ID] = cellsOf(p)
		}
		if smallest < 0 || *page.Seq < smallest {
			smallest = *page.Seq
		}
		target = page.Next
	}
	f.seq, f.nights = smallest, nights
}

// properties asks which properties the account has.
func (f *follower) properties() (ids []int64) {
	var answer Accounts
	if status := f.get("/v1/accounts", &answer); status != http.StatusOK {
		f.t.Fatalf("GET /v1/accounts: %d", status)
	}
	for _, a := range answer.Accounts {
		for _, p := range a.Properties {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

func cellsOf(p Property) (cells []cell) {
	for _, n := range p.Nights {
		c := cell{state: n.State, cause: n.Cause.String(), booking: n.Booking}
		for _, reason := range []string{"not looked up", "a hold lapsed", "last read", "never read"} {
			c.moment = c.moment || strings.HasPrefix(n.Reason, reason)
		}
		cells = append(cells, c)
	}
	return cells
}

// catchUp reads the changes after seq, page by page, to the last.
func (f *follower) catchUp() {
	target := fmt.Sprintf("/v1/changes?account=123456&after=%d&limit=%d", f.seq, 1+f.rng.IntN(12))
	for target != "" {
		var page Changes
		if status := f.get(target, &page); status != http.StatusOK {
			f.t.Fatalf("GET %s: %d", target, status)
		}
		for _, c := range page.Changes {
			if f.seq++; c.Detail.Seq != f.seq {
				f.t.Fatalf("GET %s: change %d comes where %d is due", target, c.Detail.Seq, f.seq)
			}
			if c.Kind == lookup.AvailabilityChanged {
				f.apply(c.Detail)
			}
		}
		if target = page.Next; target == "" && page.Seq != f.seq {
			f.t.Fatalf("there are no more changes after %d, and the account is at %d", f.seq, page.Seq)
		}
	}
}

// apply makes the calendar say what an event says. Of a property that is new to the reader, the first event names
// every night of the window, and the nights that no event names are free.
func (f *follower) apply(e lookup.Event) {
	cells := f.nights[e.Property]
	if cells == nil {
		cells = make([]cell, f.from.DaysUntil(f.to))
		for i := range cells {
			cells[i].state = availability.Free
		}
		f.nights[e.Property] = cells
	}
	for _, c := range e.Changes {
		f.changed++
		begin, end := max(f.from.DaysUntil(c.From), 0), min(f.from.DaysUntil(c.To), len(cells))
		for i := begin; i < end; i++ {
			cells[i] = cell{cause: c.Cause, booking: c.Booking}
			if err := cells[i].state.UnmarshalText([]byte(c.Now)); err != nil {
				f.t.Fatal(err)
			}
		}
	}
}

// compare fails unless both calendars say the same, but for what the moment made of one of them.
func (f *follower) compare(next *follower) {
	f.t.Helper()
	if f.seq != next.seq {
		f.t.Fatalf("the follower is at change %d, the next snapshot at %d", f.seq, next.seq)
	}
	all := slices.Concat(slices.Collect(maps.Keys(f.nights)), slices.Collect(maps.Keys(next.nights)))
	slices.Sort(all)
	lapsed := f.lapsedHolds()
	for _, id := range slices.Compact(all) {
		for i := range f.from.DaysUntil(f.to) {
			var got, want cell // a property that is not shown is unknown
			if cells := f.nights[id]; cells != nil {
				got = cells[i]
			}
			if cells := next.nights[id]; cells != nil {
				want = cells[i]
			}
			if got.moment || want.moment || lapsed[place{id, f.from.AddDays(i)}] {
				f.skipped++
				continue
			}
			if f.compared++; got != want {
				f.t.Fatalf("property %d, night of %s: the snapshot and its changes say %+v, the next snapshot %+v (change %d)",
					id, f.from.AddDays(i), got, want, f.seq)
			}
		}
	}
}

// place is a night of a property.
type place struct {
	property int64
	night    ownerrez.Date
}

// lapsedHolds are the nights on which a lapsed hold lies: what they show, too, depends on the moment.
func (f *follower) lapsedHolds() map[place]bool {
	f.t.Helper()
	records, err := f.store.Records(f.t.Context(), 123456)
	if err != nil {
		f.t.Fatal(err)
	}
	nights := map[place]bool{}
	for _, rec := range records {
		for _, stay := range rec.Stays {
			for night := stay.Arrival; stay.Lapsed(time.Now()) && night.Before(stay.Departure); night = night.AddDays(1) {
				nights[place{rec.Property, night}] = true
			}
		}
	}
	return nights
}
