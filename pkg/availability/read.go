package availability

import (
	"cmp"
	"strings"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// Reading is what a row of OwnerRez means for a calendar.
type Reading struct {
	Booking  int64 // the booking's id; 0 if the row has no usable one
	Property int64 // the property's id; 0 if the row has no usable one
	Stay     Stay  // to be kept, if Occupies
	Occupies bool  // false: it takes no night (canceled, or no night between arrival and departure), or see Why

	// Why is empty, or says that the row cannot be used, though it may well take nights: a plain sentence
	// without anything that the row held. From and To are then its nights, or no dates if those are not usable.
	Why      string
	From, To ownerrez.Date
}

// Read says what b means for the calendar of its property. Every status but canceled takes the nights from
// arrival to departure, the known and the unknown ones.
func Read(b ownerrez.Booking) Reading {
	r := Reading{Booking: max(0, b.ID), Property: max(0, cmp.Or(b.PropertyID, b.Property.ID))}
	if usable(b.Arrival, b.Departure) {
		r.From, r.To = b.Arrival, b.Departure
	}
	if isStatus(b, ownerrez.StatusCanceled) || !r.From.IsZero() && r.From == r.To {
		return r
	}
	r.Why = r.missing()
	if r.Why != "" {
		return r
	}
	r.Occupies = true
	r.Stay = Stay{Booking: r.Booking, Arrival: r.From, Departure: r.To, Cause: cause(b)}
	if r.Stay.Cause == CauseHold && !b.PendingUntilUTC.IsZero() {
		r.Stay.Until = b.PendingUntilUTC.Unix()
	}
	return r
}

// Doubt is what a row that cannot be used leaves behind: a doubt about its own nights, or about all of the
// nights given, if the row has none that are usable.
func (r Reading) Doubt(all Range) Doubt {
	if r.From.Before(r.To) {
		all = Range{r.From, r.To}
	}
	return Doubt{Booking: r.Booking, From: all.From, To: all.To, Why: r.Why}
}

// cause is the table from OwnerRez's types and statuses to causes: the first line that fits.
func cause(b ownerrez.Booking) Cause {
	pending := isStatus(b, ownerrez.StatusPending)
	switch {
	case isType(b, ownerrez.TypeQuoteHold), pending && !b.PendingUntilUTC.IsZero():
		return CauseHold
	case pending:
		return CausePending
	case isType(b, ownerrez.TypeOwner):
		return CauseOwner
	case isType(b, ownerrez.TypeLinkedAvailability):
		return CauseLinked
	case isType(b, ownerrez.TypeBlock), b.IsBlock:
		return CauseBlock
	case isType(b, ownerrez.TypeBooking):
		return CauseBooking
	}
	return CauseOther
}

// OwnerRez takes its words in any case, so it may well send them so.
func isType(b ownerrez.Booking, t ownerrez.BookingType) bool {
	return strings.EqualFold(string(b.Type), string(t))
}

func isStatus(b ownerrez.Booking, s ownerrez.BookingStatus) bool {
	return strings.EqualFold(string(b.Status), string(s))
}

// usable reports whether the dates can be those of a stay. Days before 1970 are what programs write for no
// date, such as 0001-01-01.
func usable(arrival, departure ownerrez.Date) bool {
	return !arrival.Before(ownerrez.NewDate(1970, time.January, 1)) && !departure.Before(arrival)
}

// missing says what the row lacks; it is empty if that is nothing.
func (r Reading) missing() string {
	var lacks []string
	if r.Booking == 0 {
		lacks = append(lacks, "without an id")
	}
	if r.Property == 0 {
		lacks = append(lacks, "without a property")
	}
	if r.From.IsZero() {
		lacks = append(lacks, "without usable dates")
	}
	if len(lacks) == 0 {
		return ""
	}
	return "OwnerRez listed a booking " + strings.Join(lacks, " and ")
}
