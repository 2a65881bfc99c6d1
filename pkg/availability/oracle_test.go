package availability_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// The oracle says the same as the package, from the words of the design and night by night. It sorts nothing,
// sweeps nothing and knows no stretches; where the package is quick, it is obvious.

// said is what is said of one night.
type said struct {
	State   availability.State
	Cause   availability.Cause
	Booking int64
	Reason  string
}

func on(night, from, to ownerrez.Date) bool { return night.Compare(from) >= 0 && night.Compare(to) < 0 }

// takers are the stays of r that lie on the night, the strongest first: by cause, then by
// booking.
func takers(r availability.Record, night ownerrez.Date) []availability.Stay {
	var all []availability.Stay
	for _, s := range r.Stays {
		if !on(night, s.Arrival, s.Departure) {
			continue
		}
		before := 0
		for _, other := range all {
			if other.Cause < s.Cause || other.Cause == s.Cause && other.Booking < s.Booking {
				before++
			}
		}
		all = slices.Insert(all, before, s)
	}
	return all
}

// doubtOn is the reason of the first doubt on the night.
func doubtOn(r availability.Record, night ownerrez.Date) (why string, found bool) {
	for _, d := range r.Doubts {
		if on(night, d.From, d.To) {
			return d.Why, true
		}
	}
	return "", false
}

func oracleStored(r availability.Record, night ownerrez.Date) said {
	if r.Gone {
		return said{Reason: "gone"}
	}
	if !r.Known {
		return said{Reason: "never read: no lookup of this property has been complete yet"}
	}
	if all := takers(r, night); len(all) > 0 {
		return said{State: availability.Taken, Cause: all[0].Cause, Booking: all[0].Booking}
	}
	if why, found := doubtOn(r, night); found {
		return said{Reason: why}
	}
	return said{State: availability.Free}
}

func oracleShow(r availability.Record, v availability.View, night ownerrez.Date) availability.Night {
	unknown := func(reason string) availability.Night { return availability.Night{Date: night, Reason: reason} }
	if night.Before(v.Window.From) || !night.Before(v.Window.To) {
		last := v.Window.To.AddDays(-1)
		return unknown("not looked up: outside the nights that are looked up (" + v.Window.From.String() + " through " + last.String() + ")")
	}
	if r.Gone {
		return unknown("gone: the property is inactive, or OwnerRez has it no more")
	}
	if v.AsOf.IsZero() || !r.Known {
		return unknown("never read: no lookup of this property has been complete yet")
	}
	var holds bool
	n := availability.Night{Date: night}
	for _, s := range takers(r, night) {
		if s.Until != 0 && !time.Unix(s.Until, 0).After(v.Now) {
			holds = true
			continue
		}
		if n.State == availability.Taken {
			n.Also = append(n.Also, availability.Also{Cause: s.Cause, Booking: s.Booking})
			continue
		}
		n.State, n.Cause, n.Booking = availability.Taken, s.Cause, s.Booking
		if s.Until != 0 {
			n.Until = time.Unix(s.Until, 0).UTC()
		}
	}
	if n.State == availability.Taken {
		return n
	}
	if holds {
		return unknown("a hold lapsed, OwnerRez has not been asked yet")
	}
	if why, found := doubtOn(r, night); found {
		return unknown(why)
	}
	if age := v.Now.Sub(v.AsOf); age > v.StaleAfter {
		return unknown(fmt.Sprintf("last read %s ago, which is too long to call it free", availability.Age(age)))
	}
	n.State = availability.Free
	return n
}

// changed is what a change says of one night.
type changed struct {
	Was availability.State
	Now said
}

// oracleDiff is what Diff has to say of a night, and false if it has to be silent.
func oracleDiff(was, now availability.Record, window availability.Range, night ownerrez.Date) (changed, bool) {
	w, n := oracleStored(was, night), oracleStored(now, night)
	c := changed{Was: w.State, Now: n}
	wasKnown, nowKnown := was.Known && !was.Gone, now.Known && !now.Gone
	switch {
	case night.Before(window.From), !wasKnown && !nowKnown:
		return changed{}, false
	case wasKnown && nowKnown:
		return c, w.State != n.State || w.Cause != n.Cause || w.Booking != n.Booking
	case night.Before(window.To):
		return c, true
	}
	_, doubtWas := doubtOn(was, night)
	_, doubtNow := doubtOn(now, night)
	return c, doubtWas || doubtNow || len(takers(was, night)) > 0 || len(takers(now, night)) > 0
}
