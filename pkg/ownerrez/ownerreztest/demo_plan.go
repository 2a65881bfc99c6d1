package ownerreztest

import (
	"fmt"
	"maps"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// plan makes the lives of Demo's bookings from a seed. Time is cut into weeks per property. Nights 0 to 4 of a
// week belong to the stays that are planned long before, nights 5 and 6 to those that come and go every few
// minutes, so that two stays never share a night. In a full week one stay has all seven nights.
type plan struct{ seed int64 }

const (
	week      = 7
	planFirst = 59 // weeks before this one in which stays may still be listed
	planLast  = 53 // weeks after this one in which stays may already be booked
	keepDays  = 400
)

var demoEpoch = time.Date(1990, time.January, 1, 0, 0, 0, 0, time.UTC)

// What the random numbers of a plan are for: each has its own.
const (
	forKind int64 = iota
	forLead
	forClock
	forNights
	forShift
	forGuest
	forSite
	forCancel
	forPrice
	forEvent
)

// lives are all lives that may have a row at now, and more.
func (l *liveWorld) lives(now time.Time) []life {
	first, last := weekOf(now)-planFirst, weekOf(now)+planLast
	maps.DeleteFunc(l.weeks, func(w int64, _ []life) bool { return w < first || w > last })
	var all []life
	for w := first; w <= last; w++ {
		if _, made := l.weeks[w]; !made {
			for property := range int64(len(demoOffsets)) {
				l.weeks[w] = append(l.weeks[w], l.planned(property, w)...)
			}
		}
		all = append(all, l.weeks[w]...)
	}
	return append(all, l.events(now)...)
}

// demoOffsets are the days by which the weeks of each property begin later. The last two share theirs: they
// are linked.
var demoOffsets = [...]int{0, 1, 2, 3, 3}

const (
	linkSource int64 = 3 // Harbor Loft
	linkTarget int64 = 4 // Garden Studio, which is a part of it
)

func propertyID(property int64) int64 { return 4401 + property }

// weekOf is the number of the week that t lies in.
func weekOf(t time.Time) int64 { return floorDiv(t.Unix()-demoEpoch.Unix(), week*86400) }

// night is a night of a property's week.
func night(property, w int64, n int) ownerrez.Date {
	return ownerrez.DateOf(demoEpoch).AddDays(int(w)*week + demoOffsets[property] + n)
}

// full reports whether one stay has the whole week.
func (p plan) full(property, w int64) bool {
	if linked(property, w) {
		property = linkSource
	}
	return w%2 == 0 && p.pick(property, w, forKind, 100) >= 94
}

// linked reports whether the property is taken in this week where the one that it is a part of is.
func linked(property, w int64) bool { return property == linkTarget && w%3 == 0 }

// pick is a random number below n.
func (p plan) pick(property, w, purpose int64, n int) int {
	return int(hash(p.seed, property, w, purpose) % uint64(n))
}

// planned are the lives of a property's week that are planned long before.
func (p plan) planned(property, w int64) []life {
	if linked(property, w) {
		return p.linkedLives(w)
	}
	one := p.stay(property, w, 0)
	switch kind := p.pick(property, w, forKind, 100); {
	case kind < 18:
		return nil
	case kind < 58:
		return []life{one.booked()}
	case kind < 70:
		two := p.stay(property, w, 1)
		one.from, one.nights, two.from, two.nights = 0, 2, 2, 3
		return []life{one.booked(), two.booked()}
	case kind < 76:
		again := p.stay(property, w, 1)
		again.from, again.nights, again.lead = one.from, one.nights, one.lead/3
		return []life{one.canceledAfter(one.lead / 2), again.booked()}
	case kind < 81:
		return []life{one.canceledAfter(one.lead / 2)}
	case kind < 87:
		return []life{one.blocked()}
	case kind < 90:
		return []life{one.byOwner()}
	case kind < 94:
		return []life{one.pendingFirst()}
	}
	if p.full(property, w) {
		one.from, one.nights = 0, week
	}
	return []life{one.booked()}
}

// linkedLives mirror the stays of the property that the linked one is a part of.
func (p plan) linkedLives(w int64) []life {
	lives := p.planned(linkSource, w)
	for i := range lives {
		for j := range lives[i].versions {
			b := &lives[i].versions[j].Booking
			*b = Booking{
				ID: plannedID(linkTarget, w, i), PropertyID: propertyID(linkTarget), Type: "linked_availability",
				Status: b.Status, IsBlock: true, Arrival: b.Arrival, Departure: b.Departure, CanceledUTC: b.CanceledUTC,
				Title: "Linked to Harbor Loft",
			}
		}
	}
	return lives
}

// stay is what the stays of a week are made from.
type stay struct {
	plan
	property, w  int64
	item         int // which stay of the week
	from, nights int
	lead         int // days between booking and arrival
}

func (p plan) stay(property, w int64, item int) stay {
	s := stay{plan: p, property: property, w: w, item: item}
	s.nights = 2 + s.random(forNights, 4)
	s.from = s.random(forShift, 6-s.nights)
	lead := s.random(forLead, 1000) // most book late, some early
	s.lead = 3 + lead*lead*320/1_000_000
	return s
}

// random is a random number below n of this stay's own.
func (s stay) random(purpose int64, n int) int {
	return s.pick(s.property+int64(s.item)*100, s.w, purpose, n)
}

func plannedID(property, w int64, item int) int64 {
	return 900_000 + (w*int64(len(demoOffsets))+property)*4 + int64(item)
}

// booking is the stay as a guest's booking.
func (s stay) booking() Booking {
	arrival := night(s.property, s.w, s.from)
	b := Booking{
		ID: plannedID(s.property, s.w, s.item), PropertyID: propertyID(s.property), Type: "booking", Status: "active",
		Arrival: arrival, Departure: arrival.AddDays(s.nights),
	}
	s.guest(&b, s.random(forGuest, 10_000))
	return b
}

// before is the time about days before the arrival, at the stay's own time of day.
func (s stay) before(days int) time.Time {
	day := night(s.property, s.w, s.from).AddDays(-days).In(time.UTC)
	return day.Add(time.Duration(s.random(forClock, 86400)) * time.Second)
}

// life makes versions a life that ends long after the stay.
func (s stay) life(versions ...version) life {
	last := night(s.property, s.w, s.from+s.nights).AddDays(keepDays)
	return life{versions: versions, gone: last.In(time.UTC)}
}

func (s stay) booked() life { return s.life(version{s.before(s.lead), s.booking()}) }

// canceledAfter is a booking that was canceled some days after it was made.
func (s stay) canceledAfter(days int) life {
	made, gone := version{s.before(s.lead), s.booking()}, version{s.before(s.lead - days), s.booking()}
	gone.at = gone.at.Add(-time.Minute) // before the same minute's next booking
	gone.Status, gone.CanceledUTC = "canceled", gone.at
	return s.life(made, gone)
}

// pendingFirst is a booking that its host confirmed two days later.
func (s stay) pendingFirst() life {
	asked, confirmed := version{s.before(s.lead), s.booking()}, version{s.before(s.lead - 2), s.booking()}
	asked.Status = "pending"
	return s.life(asked, confirmed)
}

func (s stay) blocked() life {
	titles := [...]string{"Floor repair", "Painting", "Chimney sweep", "Deep cleaning", "New kitchen"}
	b := s.booking()
	b = Booking{
		ID: b.ID, PropertyID: b.PropertyID, Type: "block", Status: "active", IsBlock: true,
		Arrival: b.Arrival, Departure: b.Departure, Title: titles[s.random(forGuest, len(titles))],
	}
	return s.life(version{s.before(s.lead), b})
}

func (s stay) byOwner() life {
	b := s.booking()
	b.Type, b.GuestFirst, b.GuestLast, b.GuestID, b.ListingSite, b.Raw = "owner", "Olive", "Owner", 70_000, "", nil
	return s.life(version{s.before(s.lead), b})
}

// guest gives a booking an invented guest, a site and a price.
func (p plan) guest(b *Booking, n int) {
	first := [...]string{"Ada", "Ben", "Cleo", "Dora", "Emil", "Fay", "Gus", "Hana", "Ivo", "June", "Kofi", "Lena", "Milo", "Nora"}
	last := [...]string{"Example", "Sample", "Placeholder", "Specimen", "Template", "Fiction", "Invented", "Madeup", "Pretend"}
	sites := [...]string{"Airbnb", "Vrbo", "Booking.com", ""}
	b.GuestID = 71_000 + int64(n)
	b.GuestFirst, b.GuestLast = first[n%len(first)], last[n/len(first)%len(last)]
	b.ListingSite = sites[n%len(sites)]
	nights := b.Arrival.DaysUntil(b.Departure)
	b.Raw = map[string]any{"currency_code": "USD", "total_amount": float64(nights*(140+n%160)) + 0.5, "adults": 1 + n%4}
	if b.ListingSite != "" {
		b.Raw["platform_reservation_number"] = fmt.Sprintf("EX-%06d", b.ID%1_000_000)
	}
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
