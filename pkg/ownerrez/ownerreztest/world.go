package ownerreztest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// Account is an OwnerRez user.
type Account struct {
	ID          int64
	Email       string
	Name        string
	TimeZone    string // IANA name; "" leaves it out of users/me
	PAT         string // the personal access token, "pt_…"; "": none
	AccessToken string // an OAuth access token that never expires, "at_…"; "": none. More come by the OAuth pages
	Refuse      string // why every call is refused with 403: "ip_blocked", "account_locked", "account_closed"; "": it is not
}

// Property is a property of an account.
type Property struct {
	ID           int64 // 0: AddProperty gives one
	Key          string
	Name         string
	ExternalName string
	InternalCode string
	TimeZone     string // IANA name; "" leaves it out, as OwnerRez does for some
	Inactive     bool
	Snoozed      bool
	Raw          map[string]any // added to the JSON, or replacing what is there; a nil value removes its key
}

// Booking is a booking, block or hold.
type Booking struct {
	ID              int64 // 0: Put gives one
	PropertyID      int64
	GuestID         int64
	Type            string // "" becomes "booking", or "block" with IsBlock
	Status          string // "" becomes "active"
	IsBlock         bool
	Arrival         ownerrez.Date // the first night
	Departure       ownerrez.Date // the day after the last one
	CreatedUTC      time.Time
	UpdatedUTC      time.Time
	CanceledUTC     time.Time
	PendingUntilUTC time.Time
	Title           string
	GuestFirst      string
	GuestLast       string
	ListingSite     string

	// Raw is added to the JSON, or replaces what is there; a nil value removes its key. The keys charges,
	// door_codes, tags, fields, agreements and cancellation_policy_description are sent only to those who
	// ask for them (include_charges and so on). Filters and the truth (Taken) look at the fields above only.
	Raw map[string]any
}

// canceled reports whether b occupies nothing any more.
func (b *Booking) canceled() bool { return strings.EqualFold(b.Status, "canceled") }

// account is an Account with what belongs to it.
type account struct {
	Account
	properties map[int64]Property
	rows       map[int64]*row
	ordered    []*row           // rows in the order that the list shows; nil: to be sorted
	order      Order            // the order in which they are
	perID      map[int64][]*row // rows by property, as ordered; built with it
	live       *liveWorld       // rows that follow the clock; nil: none
}

// row is a booking as it lies in the world.
type row struct {
	Booking
	live    bool                // it follows the clock
	encoded map[includes][]byte // its JSON, made when first asked for
}

// AddAccount adds an account, or replaces the one with its ID and keeps its properties, bookings and OAuth
// tokens.
func (s *Server) AddAccount(a Account) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keepSecrets(a.PAT, a.AccessToken)
	if known := s.accounts[a.ID]; known != nil {
		known.Account = a
		return
	}
	s.accounts[a.ID] = &account{Account: a, properties: map[int64]Property{}, rows: map[int64]*row{}}
}

// AddProperty adds a property to an account, or replaces the one with its ID, and returns its ID. Like all
// methods that change an account it panics if there is no such account.
func (s *Server) AddProperty(accountID int64, p Property) int64 {
	acc, unlock := s.open(accountID)
	defer unlock()
	if p.ID == 0 {
		p.ID = 4401
		for acc.properties[p.ID].ID != 0 {
			p.ID++
		}
	}
	p.Raw = maps.Clone(p.Raw)
	acc.properties[p.ID] = p
	acc.rewrite()
	return p.ID
}

// RemoveProperty removes a property: the list is without it, and asked for by id it is not found. Its bookings
// stay, so that a list by since_utc may still name it; Delete them too if they shall go.
func (s *Server) RemoveProperty(accountID, id int64) {
	acc, unlock := s.open(accountID)
	defer unlock()
	delete(acc.properties, id)
	acc.rewrite()
}

// SetPropertyActive makes a property active or inactive, and reports whether there is one.
func (s *Server) SetPropertyActive(accountID, id int64, active bool) bool {
	acc, unlock := s.open(accountID)
	defer unlock()
	p, ok := acc.properties[id]
	if ok {
		p.Inactive = !active
		acc.properties[id] = p
	}
	return ok
}

// Put creates a booking, or replaces the one with its ID, and returns its ID. Times that are not given are the
// server's now (created_utc of a booking that is replaced is kept): a copy of an existing booking that is put
// back with its old UpdatedUTC is a change that since_utc does not show. Use Update to change one properly.
func (s *Server) Put(accountID int64, b Booking) int64 {
	acc, unlock := s.open(accountID)
	defer unlock()
	if b.ID == 0 {
		b.ID = s.lastID + 1
	}
	s.lastID = max(s.lastID, b.ID)
	old := acc.rows[b.ID]
	if b.CreatedUTC.IsZero() && old != nil {
		b.CreatedUTC = old.CreatedUTC
	}
	acc.put(b, s.now())
	if old == nil {
		s.tell(acc, "entity_create", b.ID)
	} else {
		s.tell(acc, "entity_update", b.ID, changedIn(old.copy(), b)...)
	}
	return b.ID
}

// Update changes a booking in place and sets its UpdatedUTC to the server's now, unless change sets it. It
// reports whether there is such a booking. The function must not call the server.
func (s *Server) Update(accountID, id int64, change func(*Booking)) bool {
	acc, unlock := s.open(accountID)
	defer unlock()
	old := acc.rows[id]
	if old == nil {
		return false
	}
	b := old.copy()
	b.UpdatedUTC = s.now()
	change(&b)
	b.ID = id
	acc.put(b, s.now())
	s.tell(acc, "entity_update", id, changedIn(old.copy(), b)...)
	return true
}

// Cancel cancels a booking, as OwnerRez does: its row stays and can still be read. It reports whether there
// is one.
func (s *Server) Cancel(accountID, id int64) bool {
	now := s.now()
	return s.Update(accountID, id, func(b *Booking) { b.Status, b.CanceledUTC = "canceled", now })
}

// Delete deletes a booking for good: no list shows it again, by id it is not found, and since_utc never tells.
// It reports whether there was one.
func (s *Server) Delete(accountID, id int64) bool {
	acc, unlock := s.open(accountID)
	defer unlock()
	if acc.rows[id] == nil {
		return false
	}
	delete(acc.rows, id)
	acc.forget()
	s.tell(acc, "entity_delete", id)
	return true
}

// Bookings returns the bookings of an account as they are now, by ID: the truth, whatever faults and quirks
// answer. It is a copy.
func (s *Server) Bookings(accountID int64) []Booking {
	acc, unlock := s.open(accountID)
	defer unlock()
	all := make([]Booking, 0, len(acc.rows))
	for _, row := range acc.rows {
		all = append(all, row.copy())
	}
	slices.SortFunc(all, func(a, b Booking) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// Properties returns the properties of an account, by ID. It is a copy.
func (s *Server) Properties(accountID int64) []Property {
	acc, unlock := s.open(accountID)
	defer unlock()
	all := acc.sortedProperties()
	for i := range all {
		all[i].Raw = maps.Clone(all[i].Raw)
	}
	return all
}

// Taken reports whether a night of a property is taken: whether a booking, block or hold that is not canceled
// has its arrival on or before the night and its departure after it. It is the truth, whatever faults and
// quirks answer.
func (s *Server) Taken(accountID, property int64, night ownerrez.Date) bool {
	acc, unlock := s.open(accountID)
	defer unlock()
	acc.sort(s.quirks.Order)
	for _, b := range acc.perID[property] {
		if !b.canceled() && b.Arrival.Compare(night) <= 0 && night.Before(b.Departure) {
			return true
		}
	}
	return false
}

// open locks the server, lets the account follow the clock, and returns it.
func (s *Server) open(id int64) (acc *account, unlock func()) {
	s.mu.Lock()
	acc = s.accounts[id]
	if acc == nil {
		s.mu.Unlock()
		panic(fmt.Sprintf("ownerreztest: there is no account %d: call AddAccount first", id))
	}
	s.follow(s.now())
	return acc, s.mu.Unlock
}
