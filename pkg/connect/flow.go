package connect

import (
	"crypto/sha256"
	"encoding/hex"
)

// Start is what begins a flow: where the browser goes, and what it keeps; or why it may not begin.
type Start struct {
	URL     string // OwnerRez's consent page; empty if Refused
	Browser Browser
	Refused Kind // NotInvited, InviteUsed, InviteExpired, NotConfigured, WrongState or OtherBrowser; empty: none
}

// Reply is what comes back from OwnerRez with the browser, and what the browser has kept of the flow.
type Reply struct {
	State, Code, Error string // the query's parameters
	Secret             string // of the Browser; empty if this one has none of this flow
}

// Ended is how a flow ended, for the browser that ended it.
type Ended struct {
	Ending
	Flow string // empty for WrongState and OtherBrowser, which end no flow
	Key  string // what a browser that connected an account keeps, to be able to leave; empty if there is none
}

// Leaver is somebody who wants to disconnect an account: a browser that connected it, or an invitation to it.
type Leaver struct {
	Account int64
	Key     string // of Ended; empty: by invitation
	Invite  string
}

// FlowOf names the flow that a state belongs to. It tells nothing of the state.
func FlowOf(state string) string { return hash(state) }

// hash is how something random is kept. It needs no key, as nobody can guess what it is of.
func hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:16])
}
