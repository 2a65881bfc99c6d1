package lookup

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"time"
)

// Status says how an account is doing.
type Status string

// The statuses of an account.
const (
	StatusNew       Status = "new"       // connected, not read yet
	StatusOK        Status = "ok"        // read, and recent
	StatusLate      Status = "late"      // older than StaleAfter, or refused by OwnerRez for now
	StatusReconnect Status = "reconnect" // OwnerRez refuses the credential: the host must act
	StatusRefused   Status = "refused"   // a third personal-token account in 24 hours from one address: not asked
	StatusLeft      Status = "left"      // disconnected
)

// Account is an account's row: everything the job knows of an account but its calendars. Once it exists,
// only the account's lane writes it. All times are UTC.
//
// A credential has such a row too until OwnerRez has named its account, and keeps it afterwards, to say
// which account it belongs to: its Key is CredentialKey(fingerprint).
type Account struct {
	Key     string // AccountKey(ID), or CredentialKey(fingerprint)
	Version int64  `json:"-"` // the stored row's version; 0 if it is not stored yet. The store sets it.

	ID   int64  // OwnerRez's user id; 0 while a credential's account is not known
	Name string `json:",omitempty"`
	Zone string `json:",omitempty"` // the account's IANA time zone, if OwnerRez named one

	Ref string `json:",omitempty"` // the operator's own reference

	Status      Status
	StatusSince time.Time `json:",omitzero"`

	Connected     bool          `json:",omitempty"` // its host has connected it: there is a connection to look for
	Connection    string        `json:",omitempty"` // fingerprint of the connection that OwnerRez has last said is this account's
	ConnectedAt   time.Time     `json:",omitzero"`  // when it said so
	Subscriptions Subscriptions `json:",omitzero"`  // our subscriptions to its webhooks
	Silence       Silence       `json:",omitzero"`  // webhooks that did not come
	Leaving       *Departure    `json:",omitempty"` // it is being disconnected: nothing is looked up any more
	Left          *Departure    `json:",omitempty"` // it was disconnected, and has not come back

	RunBegan  time.Time `json:",omitzero"` // when the last run began
	Due       time.Time `json:",omitzero"` // when the next one is due
	AsOf      time.Time `json:",omitzero"` // the begin of the last good read; zero if there was none
	Cursor    time.Time `json:",omitzero"` // all changes until then have been seen
	NextLapse time.Time `json:",omitzero"` // when the next hold lapses

	Credential string    `json:",omitempty"` // fingerprint of the credential last used
	Failures   int       `json:",omitempty"` // runs that failed, since the last good one
	RefusedAt  time.Time `json:",omitzero"`  // the first 401 since the last good answer

	Noted     map[int64]time.Time `json:",omitempty"` // bookings that webhooks told of and that are to be settled, and since when
	NotedMany bool                `json:",omitempty"` // there were more of them: all properties are to be read in full
	HookRead  time.Time           `json:",omitzero"`  // when the account was last read for a webhook

	Listed     time.Time               `json:",omitzero"` // when the properties were listed last
	Properties map[int64]PropertyState `json:",omitempty"`
	Suspects   map[int64]Suspect       `json:",omitempty"` // by booking
	Lapsed     map[int64]Lapse         `json:",omitempty"` // by booking
	PageLimit  int                     `json:",omitempty"` // rows that one answer holds, where fewer than 100
	From       FromFilter              `json:",omitempty"` // what from filters by at this OwnerRez, as far as it has shown
	Proof      Proof                   `json:",omitzero"`
	FullUntil  time.Time               `json:",omitzero"`  // increments are not trusted until then
	Misses     int                     `json:",omitempty"` // changes that increments failed to show

	Seq       int64     `json:",omitempty"` // the account's last event
	Published int64     `json:",omitempty"` // the last event that was published
	LateSaid  []int64   `json:",omitempty"` // properties of which an event said that they are late
	Problems  []Problem `json:",omitempty"` // what is wrong now
}

// PropertyState is what the account's row knows of a property.
type PropertyState struct {
	Baseline time.Time `json:",omitzero"`  // begin of its last complete full read
	Rows     int       `json:",omitempty"` // rows of that read, canceled ones too: what the next one will cost
	Gone     bool      `json:",omitempty"` // inactive or not there: not asked for
	Doubtful bool      `json:",omitempty"` // a row of it could not be read: it is read in full again
	Wanted   bool      `json:",omitempty"` // webhooks told of more than could be noted: it is read in full again
	Mark     *Mark     `json:",omitempty"` // nil: as old as the account
}

// Mark freezes a property's age where it was, and asks for a full read.
type Mark struct {
	AsOf time.Time `json:",omitzero"` // the property's as_of while it is marked; zero if it was never read
	Why  string
	// Contradicted is since when its reads are proven incomplete, one after the other; zero if the last was not.
	Contradicted time.Time `json:",omitzero"`
	// Unfinished says that its last read took more than a run may use: others that are marked go first.
	Unfinished bool `json:",omitempty"`
	// Until is until when it is not read again, since what was read could not be stored; zero: it is read at once.
	Until time.Time `json:",omitzero"`
}

// Suspect is what is to be remembered of a stay that a complete read lacked: the stay is kept until OwnerRez, asked
// for it by id, says otherwise. One that has only to be asked for is lacked by the next read again.
type Suspect struct {
	Property int64
	NotFound time.Time `json:",omitzero"` // since when OwnerRez answers 404 for it, without a control to prove that right
	Kept     time.Time `json:",omitzero"` // when OwnerRez last said that it is there, of a stay at the edge of what is read
}

// Lapse is a lapsed hold that was asked for and is still there.
type Lapse struct {
	First time.Time // when it was asked for first
	Asked time.Time // when it was asked for last
}

// Proof says whether increments have been seen to show changes.
type Proof struct {
	Booking int64     `json:",omitempty"` // a booking that was changed after it was created: the one to ask for
	Updated time.Time `json:",omitzero"`  // when it was changed
	Shown   bool      `json:",omitempty"` // an increment since just before Updated has shown it
	Since   time.Time `json:",omitzero"`  // increments have covered everything since then, while Shown
}

// same reports whether p would be tried with the same booking as other was.
func (p Proof) same(other Proof) bool {
	return p.Booking == other.Booking && p.Updated.Equal(other.Updated)
}

// Departure is that an account leaves, or has left.
type Departure struct {
	At         time.Time // when that was asked for
	By         string    // who asked: ByHost or ByOperator
	Connection string    `json:",omitempty"` // fingerprint of the connection that ends; empty: none
}

// Problem is something that went wrong, in words for a person. It holds no token, header, body or URL.
type Problem struct {
	Property int64  `json:"property_id,omitempty"` // 0: the whole account
	Message  string `json:"message"`
	Next     string `json:"next"` // what to do about it
}

// clone returns a copy that shares no map with a.
func (a Account) clone() Account {
	a.Properties = maps.Clone(a.Properties)
	a.Suspects = maps.Clone(a.Suspects)
	a.Lapsed = maps.Clone(a.Lapsed)
	a.Noted = maps.Clone(a.Noted)
	a.Subscriptions.IDs = slices.Clone(a.Subscriptions.IDs)
	a.Silence.Unheard, a.Silence.Heard = maps.Clone(a.Silence.Unheard), maps.Clone(a.Silence.Heard)
	a.LateSaid = slices.Clone(a.LateSaid)
	a.Problems = slices.Clone(a.Problems)
	if a.Leaving != nil {
		a.Leaving = new(*a.Leaving)
	}
	if a.Left != nil {
		a.Left = new(*a.Left)
	}
	return a
}

// ErrNotFound is returned by a Store for a row that does not exist.
var ErrNotFound = errors.New("no such account")

// ErrConflict is returned by a Store when another run committed meanwhile. Nothing was written.
var ErrConflict = errors.New("another run of this account committed meanwhile")

// AccountKey is the key of an account's row.
func AccountKey(id int64) string { return strconv.FormatInt(id, 10) }

// parseAccountKey reads what AccountKey writes.
func parseAccountKey(key string) (id int64, err error) { return strconv.ParseInt(key, 10, 64) }

// CredentialKey is the key of a credential's row.
func CredentialKey(fingerprint string) string { return "credential:" + fingerprint }
