package ownerreztest

import "time"

// Quirks chooses between the ways in which OwnerRez is said to behave: its documents, its own code and those
// who measured disagree, and a good client works with all of them. The zero Quirks is what is documented or
// seen most often.
type Quirks struct {
	// Paging.

	DefaultLimit        int       // rows on a page when no limit is asked for; 0: 20
	MaxLimit            int       // the most rows on a page; 0: 100
	RejectLimitAboveMax bool      // a larger limit is refused with 400, instead of being cut to the maximum
	Link                LinkStyle // how next_page_url is written
	LastLink            LastLink  // what next_page_url is on the last page
	OmitItemsWhenEmpty  bool      // an empty page has no items at all, instead of an empty list
	CountOnBookings     bool      // bookings tell a count too, as properties do
	NoCountOnProperties bool      // properties tell no count
	Order               Order     // in which order bookings are listed
	OrderSeed           uint64    // makes OrderRandom another one

	// Which bookings are listed.

	SinceIsCreation        bool // since_utc means created since, instead of created or changed since
	SinceExclusive         bool // since_utc leaves out what changed in exactly that second
	FromIsArrival          bool // from means arrives on or after, instead of departs on or after
	IgnoreFromTo           bool // from and to have no effect
	IgnorePropertyIDs      bool // property_ids has no effect, but still satisfies the rule that it or since_utc is there
	HideCanceled           bool // canceled rows come only with since_utc or when their status is asked for
	UnknownPropertyStatus  int  // the status for a property_ids with a property that is not the account's; 0: it is ignored
	InactivePropertyStatus int  // the same for inactive properties
	IgnoreUnknownParameter bool // a parameter that does not exist is ignored, instead of answered with 405
	MaxQuery               int  // a query longer than this many bytes is answered with 414; 0: none is

	// How rows and errors are written.

	ZonelessTimes     bool   // times come without "Z", still in UTC
	DatesWithTime     bool   // dates come as 2026-11-06T00:00:00
	UserNameKey       string // the key of the name in users/me; "": "name"
	CategoriesInItems bool   // the categories of webhooks come as the first row of a list
	MessagesAsString  bool   // an error's messages is one text instead of a list
	CodeAsNumber      bool   // an error's code is its status as a number instead of a word
	OldErrors         bool   // errors have no code and no doc_url, as in 2024

	// Who may call, and how often.

	PATAsUserName      bool          // the token is the Basic user name with a blank password, instead of e-mail and token
	UserAgentStatus    int           // the answer to a missing User-Agent; 0: 403
	PATLimitStatus     int           // the answer to a third account's personal token in 24 h; 0: 403
	PATLimitOff        bool          // personal tokens of any number of accounts are welcome
	RateLimitOff       bool          // no limit of 300 requests in five minutes
	RefusedCount       bool          // requests answered with 429 count against the limit too
	RateLimitInWords   bool          // 429 comes in the shape of other errors, with the code "rate_limited"
	RateLimitRetryTime time.Duration // 429 says Retry-After; 0: it does not, as today
	PATWebhookStatus   int           // the answer to a personal token that asks for webhook subscriptions; 0: 403

	// OAuth.

	TokensExpireIn      time.Duration // how long new access tokens live; 0: for ever, and there are no refresh tokens
	ExpiresAt           bool          // the reply says expires_at, a time, instead of expires_in, seconds
	RefreshRotates      bool          // a refresh gives a new refresh token and ends the old one
	RefreshNeedsBasic   bool          // a refresh without the app's id and secret is refused
	RefuseRedirectURI   bool          // an exchange that sends redirect_uri is answered with 403
	RevokeEndsAllTokens bool          // revoking one token ends all that the user gave the app
	OnlyScope           string        // the scope that new tokens have; "": "full"

	// Hosts and connections.

	TokenHost              string // the only Host that exchanges, refreshes and revokes tokens; "": any
	AppHost                string // the Host of the web application, which then has no /v2, and no other host its pages; "": any
	CloseReusedConnections bool   // the second request on a connection gets no answer: it is closed (by Start and HTTPClient only)
}

// LinkStyle is how next_page_url is written while there are more rows.
type LinkStyle int

// The styles of next_page_url.
const (
	LinkAbsolute LinkStyle = iota // with scheme and host
	LinkRelative                  // from the root: "/base/v2/bookings?…"
	LinkNever                     // there is none: only count tells that there is more
)

// LastLink is what next_page_url is on the last page.
type LastLink int

// The ways to say that there is no next page.
const (
	LastLinkAbsent LastLink = iota // no such key
	LastLinkNull                   // null
	LastLinkEmpty                  // ""
)

// Order is the order in which bookings are listed. OwnerRez documents none.
type Order int

// The orders.
const (
	OrderByID        Order = iota // the smallest id first
	OrderByUpdate                 // by updated_utc: a change moves its row to the end
	OrderNewestFirst              // the largest id first: a new row moves all others
	OrderShuffled                 // arbitrary, but always the same
	OrderRandom                   // another one for every request, so that pages do not fit together
)
