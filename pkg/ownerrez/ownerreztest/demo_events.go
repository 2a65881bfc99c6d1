package ownerreztest

import (
	"fmt"
	"time"
)

// What happens every few minutes. Time is cut into slots; in each begins the story of one booking, in the
// reserved nights of some week ahead, and it is over (canceled and deleted for good) hours later. The n-th
// story takes the n-th place of a round of places, and no story lives as long as a round takes: so each has
// its nights for itself.
const (
	eventSlot = 3 * time.Minute
	eventLife = 7 * time.Hour // longer than any story

	eventFirst = 2  // stories begin so many weeks ahead
	eventWeeks = 40 // and have so many weeks; with five properties a round takes 10 hours

	moveEvery = 20 // every so many slots a booking that moves to another property
	moveFirst = 43 // behind the stories' weeks, with one between
	moveWeeks = 8  // a round takes 8 hours, or 7 where the week turns

	dailyWeek = 52 // once a day a hold that lasts until the next one has come
	dailyLife = 4 * 24 * time.Hour
)

// events are the lives of all stories that may have a row at now, and more.
func (p plan) events(now time.Time) []life {
	var all []life
	for k := slotOf(now.Add(-eventLife), eventSlot); k <= slotOf(now, eventSlot); k++ {
		if l, ok := p.event(k); ok {
			all = append(all, l)
		}
	}
	for d := slotOf(now.Add(-dailyLife), 24*time.Hour); d <= slotOf(now, 24*time.Hour); d++ {
		all = append(all, p.daily(d))
	}
	return all
}

func slotOf(t time.Time, slot time.Duration) int64 {
	return floorDiv(t.Unix()-demoEpoch.Unix(), int64(slot/time.Second))
}

// story is what a life is made from.
type story struct {
	plan
	id, property int64
	w            int64
	begin        time.Time
}

// minutes is a random time between two numbers of minutes, of the story's own.
func (s story) minutes(purpose int64, from, to int) time.Duration {
	seconds := from*60 + s.pick(-1, s.id, purpose, (to-from)*60)
	return time.Duration(seconds) * time.Second
}

// event is the story that begins in slot k; false: its week is full.
func (p plan) event(k int64) (life, bool) {
	start := demoEpoch.Add(time.Duration(k) * eventSlot)
	s := story{plan: p, id: 5_000_000 + k}
	s.begin = start.Add(time.Duration(s.pick(-1, s.id, forClock, int(eventSlot/time.Second))) * time.Second)
	if mod(k, moveEvery) == moveEvery-1 {
		m := floorDiv(k, moveEvery)
		s.property, s.w = mod(m, 4), weekOf(start)+moveFirst+mod(m, moveWeeks)
		return s.movesHouse(), !p.full(s.property, s.w) && !p.full(s.property+1, s.w)
	}
	s.property, s.w = mod(k, 5), weekOf(start)+eventFirst+mod(floorDiv(k, 5), eventWeeks)
	return s.tell(), !p.full(s.property, s.w)
}

// tell chooses what happens.
func (s story) tell() life {
	switch kind := s.pick(-1, s.id, forKind, 100); {
	case kind < 40:
		return s.ending(version{s.begin, s.booking(5, 1+kind%2)})
	case kind < 65:
		return s.holdIsBooked()
	case kind < 80:
		return s.holdLapses()
	case kind < 92:
		return s.movesDates()
	}
	return s.blockIsBooked()
}

// booking is the story's booking from a night of its week on.
func (s story) booking(first, nights int) Booking {
	arrival := night(s.property, s.w, first)
	b := Booking{
		ID: s.id, PropertyID: propertyID(s.property), Type: "booking", Status: "active",
		Arrival: arrival, Departure: arrival.AddDays(nights),
	}
	s.guest(&b, s.pick(-1, s.id, forGuest, 10_000))
	return b
}

// hold is the same nights without a guest.
func (s story) hold(kind, title string) Booking {
	b := s.booking(5, 2)
	return Booking{
		ID: b.ID, PropertyID: b.PropertyID, Type: kind, Status: "pending", IsBlock: true,
		Arrival: b.Arrival, Departure: b.Departure, Title: title,
	}
}

// ending lets the last version be canceled some hours later, and deleted after that.
func (s story) ending(versions ...version) life {
	last := versions[len(versions)-1]
	last.at = last.at.Add(s.minutes(forCancel, 60, 200))
	last.Status, last.CanceledUTC = "canceled", last.at
	return life{versions: append(versions, last), gone: last.at.Add(s.minutes(forEvent, 60, 150))}
}

func (s story) holdIsBooked() life {
	hold := s.hold("quote_hold", "Quote hold")
	hold.PendingUntilUTC = s.begin.Add(s.minutes(forLead, 20, 60))
	return s.ending(version{s.begin, hold}, version{s.begin.Add(s.minutes(forShift, 4, 18)), s.booking(5, 2)})
}

// holdLapses is deleted a little after it lapsed.
func (s story) holdLapses() life {
	hold := s.hold("quote_hold", "Quote hold")
	hold.PendingUntilUTC = s.begin.Add(s.minutes(forLead, 6, 25))
	return life{versions: []version{{s.begin, hold}}, gone: hold.PendingUntilUTC.Add(s.minutes(forShift, 1, 9))}
}

// movesDates arrives and departs a day later, or stays a day longer.
func (s story) movesDates() life {
	moved := s.booking(6, 1)
	if s.pick(-1, s.id, forNights, 2) == 0 {
		moved = s.booking(5, 2)
	}
	return s.ending(version{s.begin, s.booking(5, 1)}, version{s.begin.Add(s.minutes(forShift, 5, 50)), moved})
}

// blockIsBooked is a block for two minutes, as a channel makes it, and then a booking.
func (s story) blockIsBooked() life {
	block := s.hold("block", fmt.Sprintf("Hold for EX%04d", s.id%10_000))
	return s.ending(version{s.begin, block}, version{s.begin.Add(2 * time.Minute), s.booking(5, 2)})
}

// movesHouse moves to the next property, on the night that both have reserved.
func (s story) movesHouse() life {
	first := s.booking(6, 1)
	second := first
	second.PropertyID = propertyID(s.property + 1)
	return s.ending(version{s.begin, first}, version{s.begin.Add(s.minutes(forShift, 10, 50)), second})
}

// daily is a hold that lasts for more than a day; then it lapses or, every other day, becomes a booking.
func (p plan) daily(d int64) life {
	day := demoEpoch.Add(time.Duration(d) * 24 * time.Hour)
	s := story{plan: p, id: 3_000_000 + d, property: mod(d, 5), w: weekOf(day) + dailyWeek}
	if p.full(s.property, s.w) {
		s.w++ // the week after a full one never is
	}
	s.begin = day.Add(s.minutes(forClock, 0, 120))
	hold := s.hold("quote_hold", "Quote hold")
	hold.PendingUntilUTC = day.Add(30 * time.Hour)
	if mod(d, 2) == 0 {
		return life{versions: []version{{s.begin, hold}}, gone: hold.PendingUntilUTC.Add(7 * time.Minute)}
	}
	return s.ending(version{s.begin, hold}, version{day.Add(29 * time.Hour), s.booking(5, 2)})
}

func mod(a, b int64) int64 { return a - floorDiv(a, b)*b }
