package lookup_test

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// place is a night of a property.
type place struct {
	property int64
	night    ownerrez.Date
}

// truth remembers since when each night has been taken without a break, and which bookings have taken theirs without a break
// since we knew of it.
type truth struct {
	mu    sync.Mutex
	since map[place]time.Time
	known map[night]bool
}

// night is a booking's night.
type night struct {
	place
	booking int64
}

func newTruth() *truth { return &truth{since: map[place]time.Time{}, known: map[night]bool{}} }

func (tr *truth) update(now time.Time, bookings []ownerreztest.Booking) {
	taken, by := taken(bookings)
	maps.DeleteFunc(tr.since, func(p place, _ time.Time) bool { return !taken[p] })
	maps.DeleteFunc(tr.known, func(n night, _ bool) bool { return !by[n] })
	for p := range taken {
		if _, ok := tr.since[p]; !ok {
			tr.since[p] = now
		}
	}
}

// learn notes what we know of the truth now.
func (tr *truth) learn(snap lookup.Snapshot, bookings []ownerreztest.Booking) {
	_, by := taken(bookings)
	for _, rec := range snap.Records {
		for _, stay := range rec.Stays {
			for day := stay.Arrival; day.Before(stay.Departure); day = day.AddDays(1) {
				if n := (night{place{rec.Property, day}, stay.Booking}); by[n] {
					tr.known[n] = true
				}
			}
		}
	}
}

// taken are the nights that bookings take, and which of them by which.
func taken(bookings []ownerreztest.Booking) (nights map[place]bool, by map[night]bool) {
	nights, by = map[place]bool{}, map[night]bool{}
	for _, b := range bookings {
		for day := b.Arrival; day.Before(b.Departure) && b.Status != "canceled"; day = day.AddDays(1) {
			at := place{b.PropertyID, day}
			nights[at], by[night{at, b.ID}] = true, true
		}
	}
	return nights, by
}

// listener is a reader of the events who keeps a calendar by them alone.
type listener struct {
	t       testing.TB
	mu      sync.Mutex
	deaf    bool // Publish fails
	partial bool // it has forgotten what it heard: only the order of events is checked
	seq     int64
	nights  map[place]cell
	first   map[int64]bool // properties that had an event
	events  []lookup.Event
}

type cell struct {
	state, cause string
	booking      int64
}

func newListener(t testing.TB) *listener {
	return &listener{t: t, nights: map[place]cell{}, first: map[int64]bool{}}
}

func (l *listener) Publish(_ context.Context, e lookup.Event) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.deaf {
		return errors.New("nobody hears")
	}
	if e.Seq <= l.seq {
		return nil // twice
	}
	if e.Seq != l.seq+1 {
		l.t.Errorf("event %d came after %d", e.Seq, l.seq)
	}
	l.seq = e.Seq
	l.events = append(l.events, e)
	for _, c := range e.Changes {
		for night := c.From; night.Before(c.To); night = night.AddDays(1) {
			at := place{e.Property, night}
			if was := cmp.Or(l.nights[at].state, l.unnamed(e.Property)); was != c.Was && !l.partial {
				l.t.Errorf("event %d says that property %d's night of %s was %s; it was %s", e.Seq, e.Property, night, c.Was, was)
			}
			l.nights[at] = cell{c.Now, c.Cause, c.Booking}
		}
	}
	if e.Kind == lookup.AvailabilityChanged && !e.More { // of a property that is gone, nights that nobody named are unknown too
		l.first[e.Property] = e.Changes[0].Reason != "gone"
	}
	return nil
}

// unnamed is the state of nights that no event has named.
func (l *listener) unnamed(property int64) string {
	if l.first[property] {
		return "free"
	}
	return "unknown"
}

// compare fails unless the events add up to the stored calendar.
func (l *listener) compare(t testing.TB, snap lookup.Snapshot) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.partial {
		return
	}
	if snap.Account.Seq != l.seq {
		if !l.deaf {
			t.Errorf("the account is at event %d, published are %d", snap.Account.Seq, l.seq)
		}
		return
	}
	for _, rec := range snap.Records {
		if !rec.Known || rec.Gone {
			continue
		}
		from, to := lookup.Settings{}.Window(time.Now(), rec.Zone, snap.Account.Zone)
		for _, span := range rec.Stored(from, to.AddDays(400)) {
			want := cell{span.State.String(), span.Cause.String(), span.Booking}
			for night := span.From; night.Before(span.To); night = night.AddDays(1) {
				got, named := l.nights[place{rec.Property, night}]
				if !named {
					got = cell{state: l.unnamed(rec.Property)}
				}
				if got != want {
					t.Errorf("property %d, night of %s: the events say %v, stored is %v", rec.Property, night, got, want)
					return
				}
			}
		}
	}
}
