package ownerreztest

import (
	"fmt"
	"time"
)

// What the world of Demo is entered with.
const (
	DemoAccount      int64 = 123456
	DemoEmail              = "demo@example.com"
	DemoPAT                = "pt_testdemo"
	DemoAccessToken        = "at_testdemo"
	DemoClientID           = "c_testdemo"
	DemoClientSecret       = "s_testdemo"
)

// Demo makes a server with a world to look at: one account with five properties in three time zones, about a
// year of bookings behind and ahead of today, blocks, holds, owner's stays, cancellations and linked
// availability, and every few minutes something happens in it: a booking comes, a hold becomes a booking or
// lapses, a stay is moved or canceled. It answers below the root, unless WithBasePath says otherwise.
//
// The world is a function of the seed and of the time that now tells (nil is time.Now), and of nothing else:
// two servers show the same rows at the same instant, whatever they were asked before, so that one that is
// started again goes on where the last one was. What Put adds stays until the server ends; changes to the
// world's own rows may be undone when it moves on. Requests keeps the last 1,000 requests only.
func Demo(seed int64, now func() time.Time, opts ...Option) *Server {
	if now == nil {
		now = time.Now
	}
	s := New(append([]Option{WithClock(now), WithBasePath("")}, opts...)...)
	s.maxLog = 1000
	s.lastID = 50_000_000 // above all ids of the world
	s.AddAccount(Account{
		ID: DemoAccount, Email: DemoEmail, Name: "Demo Stays", TimeZone: "America/Chicago",
		PAT: DemoPAT, AccessToken: DemoAccessToken,
	})
	s.AddApp(App{ClientID: DemoClientID, ClientSecret: DemoClientSecret, Name: "Demo App", RedirectURL: "http://127.0.0.1:8080/oauth/callback"})
	for _, p := range demoProperties() {
		s.AddProperty(DemoAccount, p)
	}
	s.accounts[DemoAccount].live = &liveWorld{plan: plan{seed}, weeks: map[int64][]life{}}
	return s
}

func demoProperties() []Property {
	property := func(id int64, name, code, zone, kind string, bedrooms int) Property {
		return Property{
			ID: id, Name: name, InternalCode: code, TimeZone: zone,
			Key: fmt.Sprintf("00000000-0000-4000-8000-%012d", id),
			Raw: map[string]any{"property_type": kind, "bedrooms": bedrooms, "check_in": "16:00", "check_out": "10:00"},
		}
	}
	return []Property{
		property(4401, "Pine Cabin", "PINE", "America/Chicago", "house", 3),
		property(4402, "Lakeside A-Frame", "LAKE", "America/Chicago", "cottage", 2),
		property(4403, "Palm House", "PALM", "Pacific/Honolulu", "house", 4),
		property(4404, "Harbor Loft", "HARB", "Pacific/Auckland", "apartment", 2),
		property(4405, "Garden Studio", "GARD", "Pacific/Auckland", "studio", 1),
	}
}

// liveWorld are rows that follow the clock.
type liveWorld struct {
	plan
	weeks       map[int64][]life // what is planned, by week; it never changes
	from, until time.Time        // the rows are those of [from, until); zero: not made yet
}

// life is a booking from its first version to its end.
type life struct {
	versions []version // by time
	gone     time.Time // when it is deleted for good
}

// version is a booking as it is from a time on.
type version struct {
	at time.Time
	Booking
}

// at is the booking at a time; false: it is not there.
func (l life) at(now time.Time) (Booking, bool) {
	if !now.Before(l.gone) || now.Before(l.versions[0].at) {
		return Booking{}, false
	}
	last := l.versions[0]
	for _, v := range l.versions {
		if !now.Before(v.at) {
			last = v
		}
	}
	b := last.Booking
	b.CreatedUTC, b.UpdatedUTC = l.versions[0].at, last.at
	return b, true
}

// narrow makes [from, until) the time around now in which the life does not change.
func (l life) narrow(now time.Time, from, until *time.Time) {
	turn := func(t time.Time) {
		if t.After(now) && (until.IsZero() || t.Before(*until)) {
			*until = t
		}
		if !t.After(now) && t.After(*from) {
			*from = t
		}
	}
	for _, v := range l.versions {
		turn(v.at)
	}
	turn(l.gone)
}

// follow brings the rows that follow the clock to now. The server is locked.
func (s *Server) follow(now time.Time) {
	for _, acc := range s.accounts {
		if w := acc.live; w != nil && (now.Before(w.from) || !now.Before(w.until)) {
			acc.move(w, now)
		}
	}
}

// move replaces the account's rows that follow the clock by those of now.
func (acc *account) move(w *liveWorld, now time.Time) {
	w.from, w.until = time.Time{}, time.Time{}
	current := map[int64]Booking{}
	for _, l := range w.lives(now) {
		l.narrow(now, &w.from, &w.until)
		if b, ok := l.at(now); ok {
			current[b.ID] = b
		}
	}
	for id, r := range acc.rows {
		b, still := current[id]
		if r.live && (!still || !b.UpdatedUTC.Equal(r.UpdatedUTC)) {
			delete(acc.rows, id)
		}
	}
	for id, b := range current {
		if acc.rows[id] == nil {
			acc.put(b, now)
			acc.rows[id].live = true
		}
	}
	acc.forget()
}
