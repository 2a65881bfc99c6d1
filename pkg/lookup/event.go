package lookup

import (
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// The kinds of events: the detail-type under which they are published.
const (
	AvailabilityChanged = "AvailabilityChanged"
	AccountChanged      = "AccountChanged"
)

// EventsKept is how long an event can be read again.
const EventsKept = 30 * 24 * time.Hour

// Event is a change of an account or of a property's calendar, numbered per account without gaps. Its JSON
// is the event's detail, and a contract with its readers.
//
// An event holds at most 1,000 changes, or names at most 1,000 properties, so that every bus takes it. What a run
// has to say beyond that is in the events that follow: those of one property have the same as_of, and all but the
// last of them say that there is more. They are stored at once, with the calendar: no snapshot has a seq between
// them. Only the last of a property's first events says that nights which no event named are free; the first of
// them names every night of the window.
type Event struct {
	Kind    string    `json:"-"` // AvailabilityChanged or AccountChanged
	Expires time.Time `json:"-"` // when it can no longer be read again

	Version int    `json:"version"` // of this format: 1
	Account int64  `json:"account"`
	Seq     int64  `json:"seq"`
	Ref     string `json:"ref,omitempty"` // the operator's own reference, if the account was invited with one

	// Of AvailabilityChanged.
	Property   int64     `json:"property,omitempty"`
	AsOf       time.Time `json:"as_of,omitzero"`
	ValidUntil time.Time `json:"valid_until,omitzero"`
	Changes    []Change  `json:"changes,omitempty"`
	More       bool      `json:"more,omitempty"` // the next event goes on with the property's changes of the same run

	// Of AccountChanged.
	At         time.Time `json:"at,omitzero"`
	Was        Status    `json:"was,omitempty"`
	Now        Status    `json:"now,omitempty"`
	Properties []int64   `json:"properties,omitempty"` // those that are late while the account is not
	Reason     string    `json:"reason,omitempty"`
	Next       string    `json:"next,omitempty"`
	ActBy      time.Time `json:"act_by,omitzero"`
}

// Change is a stretch of nights [From, To) that became another state, cause or booking.
type Change struct {
	From    ownerrez.Date `json:"from"`
	To      ownerrez.Date `json:"to"`
	Was     string        `json:"was"`
	Now     string        `json:"now"`
	Cause   string        `json:"cause,omitempty"`
	Booking int64         `json:"booking_id,omitempty"`
	Reason  string        `json:"reason,omitempty"`
}
