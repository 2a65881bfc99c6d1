package availability

import (
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// State is what is known of a night.
type State uint8

// The states of a night. The zero State is Unknown, so that what nobody filled in is never free.
const (
	Unknown State = iota // no complete and recent read tells
	Free                 // no stay occupies the night; that does not mean that it can be booked
	Taken                // a stay occupies the night
)

// Cause says why a night is taken, the strongest first: where several stays share a night, the smallest Cause is shown.
type Cause uint8

// The causes, from the strongest to the weakest.
const (
	NoCause      Cause = iota // the night is not taken
	CauseBooking              // a guest's booking
	CauseOwner                // the owner's own stay
	CausePending              // a booking that is not confirmed yet
	CauseHold                 // a hold, until a time
	CauseBlock                // blocked by the host
	CauseLinked               // another property that shares this one is taken
	CauseOther                // a kind or status that we do not know: taken, to be safe
)

// Stay is a booking, block or hold as it occupies nights: arrival inclusive, departure exclusive, at least one
// night. Stays compare with ==.
type Stay struct {
	Booking   int64         // OwnerRez's id of the booking
	Arrival   ownerrez.Date // the first night, where the property stands
	Departure ownerrez.Date // the day after the last night
	Cause     Cause         // never NoCause
	Until     int64         // for holds: when they lapse, in Unix seconds; 0 if no time is known
}

// Doubt is a stretch of nights of which OwnerRez said something that could not be read: nights in it are
// unknown unless a stay takes them.
type Doubt struct {
	Booking  int64         // the booking whose row could not be read; 0 if not even its id could
	From, To ownerrez.Date // the nights [From, To)
	Why      string        // a plain sentence, without anything that the row held
}

// Record is what is kept of a property: everything from which its calendar is made. It does not hold the
// calendar, nor its age (the account's row knows when it was last read). Put, Remove and AddDoubt keep the order
// of Stays and Doubts; copies share them until Clone.
type Record struct {
	Property int64
	Name     string
	Zone     string  // OwnerRez's IANA name of the time zone; empty if it named none
	Known    bool    // a complete full read has been: nights that no stay takes are free
	Gone     bool    // inactive, or not there any more: all nights are unknown, stays are what was last known
	Stays    []Stay  // by arrival, then booking; each booking once
	Doubts   []Doubt // by From, then booking; each booking that has an id once
}

// Also is a further stay on a night that a stronger one takes.
type Also struct {
	Cause   Cause
	Booking int64
}

// Night is the state of one night.
type Night struct {
	Date    ownerrez.Date
	State   State
	Cause   Cause     // NoCause unless Taken
	Booking int64     // the strongest stay's booking; 0 unless Taken
	Until   time.Time // of a hold, in UTC; zero if none
	Also    []Also    // the other stays of the night, strongest first
	Reason  string    // why it is Unknown; empty otherwise
}

// Change is a stretch of nights [From, To) whose state, cause or booking became another one, alike for all of them.
type Change struct {
	From, To ownerrez.Date
	Was, Now State
	Cause    Cause  // of Now; NoCause unless taken
	Booking  int64  // of Now; 0 unless taken
	Reason   string // why Now is unknown; empty otherwise
}
