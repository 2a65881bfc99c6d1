package lookup

import "time"

// Request is something that an account's lane is asked to do beside looking the account up: its host has connected it,
// or it is to be left. A Store keeps it until it is done, so that a lost wake-up loses nothing. A later Request takes
// the place of an earlier one that was not done yet: the last word counts.
type Request struct {
	Account int64
	Leave   bool      `json:",omitempty"` // the account is to be disconnected; else its host has connected it
	Ref     string    `json:",omitempty"` // of a connected account: the operator's own reference, if the invitation had one
	By      string    `json:",omitempty"` // who asks, for the audit: ByHost or ByOperator
	At      time.Time // when it was asked for
	Version int64     `json:"-"` // the stored request's version. The store sets it.
}

// Who asks for something.
const (
	ByHost     = "host"
	ByOperator = "operator"
)

// The reasons of wake-ups that follow a Request.
const (
	ReasonConnected = "connected" // a host has connected the account, or a credential was found to be its
	ReasonLeave     = "leave"
)

// reason is the reason of the wake-ups that follow.
func (r Request) reason() string {
	if r.Leave {
		return ReasonLeave
	}
	return ReasonConnected
}
