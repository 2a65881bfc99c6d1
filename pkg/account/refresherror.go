package account

import (
	"errors"
	"time"
)

// RefreshError says that a token could not be refreshed. The access token may work all the same, until OwnerRez
// refuses it.
type RefreshError struct {
	Reconnect bool      // OwnerRez accepts no refresh token of the account: the host has to connect it again
	Expiry    time.Time // when the access token ends, and with it what is left of the connection; zero if not known
	Next      time.Time // no refresh is tried before; zero if there is nothing to try
	Err       error     // the cause

	of string // the digest of the connection
}

// Error says what happened and what comes next.
func (e *RefreshError) Error() string {
	text := "the account's token could not be refreshed"
	if e.Reconnect {
		text = "the account's token can no longer be refreshed, and the host has to connect the account again"
		if !e.Expiry.IsZero() {
			text += " (the token ends " + e.Expiry.UTC().Format(time.RFC3339) + ")"
		}
	} else if !e.Next.IsZero() {
		text += " (it is tried again after " + e.Next.UTC().Format(time.RFC3339) + ")"
	}
	return text + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *RefreshError) Unwrap() error { return e.Err }

var (
	errNoRefreshToken = errors.New("OwnerRez gave no refresh token")
	errRefused        = errors.New("OwnerRez accepted its refresh token no more")
	errOtherAccount   = errors.New("OwnerRez answered with the token of another account")
	errLate           = errors.New("the process stood still for too long")
	errContended      = errors.New("others changed the secret all the time")
	errWaits          = errors.New("an earlier refresh failed or was not answered, or one is under way")
)
