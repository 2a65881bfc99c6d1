package availability

import (
	"cmp"
	"fmt"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// View is the moment at which a calendar is shown, and what is known of its age.
type View struct {
	Now        time.Time
	AsOf       time.Time     // when the read began on which the record rests; zero if there was none
	StaleAfter time.Duration // the age above which free is not believed any more
	Window     Range         // the nights that are looked up, by the property's own today
}

// Show returns the calendar as it may be shown at v: one Night for each of the nights [from, to), in order.
// It is the stored calendar, and on top of that unknown are:
//
//   - the nights outside v.Window, whatever the record holds;
//   - all nights, if there was no read at all;
//   - the nights of a lapsed hold, unless a stay that has not lapsed takes them: the hold may have been
//     renewed or become a booking. It is not listed in Also either;
//   - free nights, if the last read is older than v.StaleAfter. Taken nights stay taken.
//
// Every unknown night has a Reason in plain English. Nights share their Also lists: do not change them.
// There are no nights if from is no date.
func (r Record) Show(v View, from, to ownerrez.Date) []Night {
	if from.IsZero() || !from.Before(to) {
		return nil
	}
	begin := earlier(later(from, v.Window.From), to)
	end := later(earlier(to, v.Window.To), begin)
	nights := make([]Night, 0, from.DaysUntil(to))
	nights = appendNights(nights, v.outside(), from, begin)
	if reason := r.unread(v); reason != "" {
		nights = appendNights(nights, Night{State: Unknown, Reason: reason}, begin, end)
	} else {
		for s := range r.sweep(begin, end) {
			nights = appendNights(nights, r.night(s, v), s.from, s.to)
		}
	}
	return appendNights(nights, v.outside(), end, to)
}

// unread says why all nights of the window are unknown; it is empty if they are not.
func (r *Record) unread(v View) string {
	switch {
	case r.Gone:
		return "gone: the property is inactive, or OwnerRez has it no more"
	case v.AsOf.IsZero():
		return reasonNever
	}
	return r.unknown()
}

// outside is a night that is not looked up.
func (v View) outside() Night {
	return Night{State: Unknown, Reason: fmt.Sprintf("not looked up: outside the nights that are looked up (%s through %s)",
		v.Window.From, v.Window.To.AddDays(-1))}
}

// night is a night of the stretch s, without its date.
func (r *Record) night(s stretch, v View) Night {
	var n Night
	for _, stay := range s.stays {
		switch {
		case stay.Cause == doubted:
			n.Reason = cmp.Or(n.Reason, r.Doubts[stay.Booking].Why)
		case stay.Lapsed(v.Now):
			n.Reason = "a hold lapsed, OwnerRez has not been asked yet"
		case n.State != Taken:
			n.State, n.Cause, n.Booking, n.Until = Taken, stay.Cause, stay.Booking, stay.until()
		default:
			n.Also = append(n.Also, Also{stay.Cause, stay.Booking})
		}
	}
	age := v.Now.Sub(v.AsOf)
	switch {
	case n.State == Taken:
		n.Reason = ""
	case len(s.stays) > 0: // a lapsed hold or a doubt
	case age > v.StaleAfter:
		n.Reason = "last read " + Age(age) + " ago, which is too long to call it free"
	default:
		n.State = Free
	}
	return n
}

// appendNights appends n once for each of the nights [from, to).
func appendNights(nights []Night, n Night, from, to ownerrez.Date) []Night {
	for n.Date = from; n.Date.Before(to); n.Date = n.Date.AddDays(1) {
		nights = append(nights, n)
	}
	return nights
}

// Age says in plain English how long d is, for texts such as "last read 3 hours ago". It rounds down.
func Age(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "less than a minute"
	case d < 2*time.Minute:
		return "1 minute"
	case d < 2*time.Hour:
		return fmt.Sprintf("%d minutes", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d hours", d/time.Hour)
	}
	return fmt.Sprintf("%d days", d/(24*time.Hour))
}
