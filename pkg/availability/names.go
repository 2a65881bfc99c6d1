package availability

import (
	"fmt"
	"strings"
)

// The names of states and causes in JSON, events and on the command line, by value.
var (
	stateNames = [...]string{Unknown: "unknown", Free: "free", Taken: "taken"}
	causeNames = [...]string{
		NoCause:      "",
		CauseBooking: "booking",
		CauseOwner:   "owner",
		CausePending: "pending",
		CauseHold:    "hold",
		CauseBlock:   "block",
		CauseLinked:  "linked",
		CauseOther:   "other",
	}
)

// String is the state's name: "unknown", "free" or "taken". A value that is no state is "unknown".
func (s State) String() string {
	if int(s) >= len(stateNames) {
		return stateNames[Unknown]
	}
	return stateNames[s]
}

// MarshalText writes the state's name. It never fails.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a state's name, and fails for any other text.
func (s *State) UnmarshalText(text []byte) error {
	for state := range State(len(stateNames)) {
		if stateNames[state] == string(text) {
			*s = state
			return nil
		}
	}
	return fmt.Errorf("%.40q is no state of a night; it is free, taken or unknown", text)
}

// String is the cause's name, such as "booking", and empty for NoCause. A value that is no cause is "other".
func (c Cause) String() string {
	if int(c) >= len(causeNames) {
		return causeNames[CauseOther]
	}
	return causeNames[c]
}

// MarshalText writes the cause's name; NoCause is an empty text. It never fails.
func (c Cause) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads a cause's name; an empty text is NoCause. It fails for any other text.
func (c *Cause) UnmarshalText(text []byte) error {
	for cause := range Cause(len(causeNames)) {
		if causeNames[cause] == string(text) {
			*c = cause
			return nil
		}
	}
	return fmt.Errorf("%.40q is no cause that takes a night; it is one of %s", text, strings.Join(causeNames[CauseBooking:], ", "))
}
