package budget

import (
	"errors"
	"fmt"
	"time"
)

// ErrNoPermit is what every *NoPermitError is, for errors.Is.
var ErrNoPermit = errors.New("no request may be sent now")

// ErrNoSlot is what every *NoSlotError is, for errors.Is.
var ErrNoSlot = errors.New("no personal token of a further account may be used now")

// NoPermitError says that nothing may be sent now. Nothing was sent, and nothing is broken: ask again later.
type NoPermitError struct {
	Until time.Time // when to ask again, by the window's clock; others may be faster then
	Why   string    // in words for a person
	Err   error     // what went wrong, if something did
}

// Error says since what and until when nothing is sent.
func (e *NoPermitError) Error() string {
	text := fmt.Sprintf("no request may be sent before %s: %s", e.Until.UTC().Format("15:04:05 UTC"), e.Why)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Is reports whether target is ErrNoPermit.
func (e *NoPermitError) Is(target error) bool { return target == ErrNoPermit }

// Unwrap returns Err.
func (e *NoPermitError) Unwrap() error { return e.Err }

// NoSlotError says that an account's personal token must not be used from this address now.
type NoSlotError struct {
	Until time.Time // when to ask again, by the slots' clock
	Why   string    // in words for a person
	Err   error     // what went wrong, if something did
}

// Error says why the token is not used, and from when on it may be.
func (e *NoSlotError) Error() string {
	text := fmt.Sprintf("this personal token may not be used before %s: %s", e.Until.UTC().Format("2006-01-02 15:04 UTC"), e.Why)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Is reports whether target is ErrNoSlot.
func (e *NoSlotError) Is(target error) bool { return target == ErrNoSlot }

// Unwrap returns Err.
func (e *NoSlotError) Unwrap() error { return e.Err }
