// Package connect is the way from an invitation to a connected account, and back out: the OAuth authorization-code
// grant (RFC 6749 section 4.1) with the duties of a client from RFC 9700, and leaving. It knows no HTML and no
// cookies: package web/connect shows it to hosts.
//
// Everything that lets somebody in is random, has 128 bits or more, and is kept as its hash only.
//
// OwnerRez documents no PKCE (RFC 7636), so none is sent: that a code belongs to the browser that brings it is shown by
// its one-use state and a cookie, and the app authenticates itself with its secret. What that cannot prevent is that
// somebody who has stolen a code, and is invited, connects the account that it is of, under the own invitation; an
// invitation that names its account cannot be used so.
package connect

import (
	"context"
	"errors"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// The paths, below the public URL, at which hosts arrive.
const (
	ConnectPath  = "/connect"        // ?invite=…: to OwnerRez's consent page
	ResultPath   = "/connect/result" // ?flow=…: how it ended
	LeavePath    = "/connect/leave"  // ?account=… of a connected browser, or ?invite=…
	CallbackPath = "/oauth/callback" // where OwnerRez sends the browser back to
)

// ErrConflict is returned by Notes if a note was changed meanwhile.
var ErrConflict = errors.New("the note was changed meanwhile")

// Notes keeps small pieces of data for a while. It is safe for concurrent use by several processes.
type Notes interface {
	// Note returns a note and its version; version 0: there is none. It may return one that has expired.
	Note(ctx context.Context, key string) (data []byte, version int64, err error)
	// SetNote writes a note on condition that it has the version, 0: that there is none; else ErrConflict.
	SetNote(ctx context.Context, key string, data []byte, version int64, expires time.Time) error
}

// Office connects accounts and lets them leave. Its fields are set once, before use; it is safe for concurrent use.
type Office struct {
	Notes       Notes
	Ask         func(context.Context, lookup.Request) error                   // keeps a request for the account's lane
	Wake        func(context.Context, lookup.Wake) error                      // wakes the lane
	App         func(context.Context) (ownerrez.OAuthConfig, error)           // the OAuth app, without RedirectURL
	Connections *account.Connections                                          // where tokens are kept; nil where none are exchanged
	Account     func(ctx context.Context, key string) (lookup.Account, error) // the account's row; lookup.ErrNotFound
	Requested   func(context.Context, int64) (lookup.Request, error)          // what the account's lane has yet to do; lookup.ErrNotFound. nil: the row alone tells
	PublicURL   string                                                        // https://host, without a path
	Options     []ownerrez.Option                                             // of requests to OwnerRez: where it is, the limiter, observers
	Open        bool                                                          // everybody may connect, without an invitation
	Now         func() time.Time                                              // nil means time.Now
}

// Invitation lets a host connect one account, once.
type Invitation struct {
	Account int64         // which account; 0: any. One for a named account can be used to leave, too
	Ref     string        // the operator's own reference, at most 200 characters; it is in events and answers of the API
	Return  string        // an https URL to which the last page links; may be empty
	Life    time.Duration // how long it can be used; 0 means seven days, at most 90 days
}

// Browser is what the browser that begins a flow is given to keep, in a cookie: only it can end the flow.
type Browser struct {
	Flow   string // names the flow; no secret
	Secret string
}

// Kind says how a flow ended, or how it stands.
type Kind string

// The kinds of endings. Each has a page of its own.
const (
	Connected       Kind = "connected"       // the account is connected, for the first time
	Reconnected     Kind = "reconnected"     // the account was connected before: identity, settings and history stay
	Underway        Kind = "underway"        // another request of the same flow is being answered: look again soon
	Denied          Kind = "denied"          // the host said no at OwnerRez
	Expired         Kind = "expired"         // the flow, or OwnerRez's code, is older than ten minutes, or the code was used
	OtherBrowser    Kind = "other_browser"   // the flow was begun in another browser
	WrongState      Kind = "wrong_state"     // no such flow was ever begun here, or long ago
	Trouble         Kind = "trouble"         // OwnerRez is slow or down, or refuses for now: safe to repeat
	Busy            Kind = "busy"            // our budget of requests is used up: safe to repeat in a few minutes
	NotStored       Kind = "not_stored"      // the token could not be stored, and was given up: safe to repeat
	OtherAccount    Kind = "other_account"   // another account than invited: nothing was stored or changed
	NotInvited      Kind = "not_invited"     // there is no such invitation, or none was given
	InviteUsed      Kind = "invite_used"     // the invitation was used
	InviteExpired   Kind = "invite_expired"  // the invitation is too old
	NotConfigured   Kind = "not_configured"  // the operator has not configured the OAuth app, or OwnerRez does not accept it
	Leaving         Kind = "leaving"         // the account is being disconnected
	NotKnownBrowser Kind = "unknown_browser" // this browser has not connected that account
)

// Ending is how a flow ended. It holds no secret.
type Ending struct {
	Kind    Kind      `json:"kind"`
	Account int64     `json:"account,omitempty"` // of Connected, Reconnected and Leaving
	Name    string    `json:"name,omitempty"`    // as OwnerRez calls the account; may be empty
	Return  string    `json:"return,omitempty"`  // the invitation's return address, of Connected and Reconnected
	At      time.Time `json:"at,omitzero"`
}
