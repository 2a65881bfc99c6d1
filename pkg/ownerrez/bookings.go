package ownerrez

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// BookingStatus is the state of a booking. More may come; text that is no constant here is kept as it is.
type BookingStatus string

// The known statuses.
const (
	StatusActive   BookingStatus = "active"
	StatusPending  BookingStatus = "pending"
	StatusCanceled BookingStatus = "canceled"
)

// BookingType is the kind of a booking. More may come; text that is no constant here is kept as it is.
type BookingType string

// The known types.
const (
	TypeBooking            BookingType = "booking"
	TypeBlock              BookingType = "block"
	TypeQuoteHold          BookingType = "quote_hold"          // holds the dates of a quote
	TypeLinkedAvailability BookingType = "linked_availability" // mirrors another property's stay
	TypeOwner              BookingType = "owner"               // the owner's own stay
)

// Booking is a booking, a block or a hold: OwnerRez keeps them in one list, and one may become another under
// the same id. What OwnerRez leaves out is zero here. A field whose value was of another kind than documented
// is zero too, and the value is in Extra.
type Booking struct {
	ID                            int64                      `json:"id"`
	Type                          BookingType                `json:"type"`
	Status                        BookingStatus              `json:"status"`
	IsBlock                       bool                       `json:"is_block"`
	PropertyID                    int64                      `json:"property_id"`
	Property                      BookingProperty            `json:"property"`
	GuestID                       int64                      `json:"guest_id"` // 0 for blocks
	Guest                         BookingGuest               `json:"guest"`    // with IncludeGuest
	OwnerID                       int64                      `json:"owner_id"`
	QuoteID                       int64                      `json:"quote_id"`
	Arrival                       Date                       `json:"arrival"`      // the first night, where the property stands
	Departure                     Date                       `json:"departure"`    // the day after the last night
	CheckIn                       string                     `json:"check_in"`     // HH:mm, where the property stands
	CheckInEnd                    string                     `json:"check_in_end"` // HH:mm
	CheckOut                      string                     `json:"check_out"`    // HH:mm
	CleaningDate                  Date                       `json:"cleaning_date"`
	Adults                        int                        `json:"adults"`
	Children                      int                        `json:"children"`
	Infants                       int                        `json:"infants"`
	Pets                          int                        `json:"pets"`
	BookedUTC                     time.Time                  `json:"booked_utc"`
	CreatedUTC                    time.Time                  `json:"created_utc"`
	UpdatedUTC                    time.Time                  `json:"updated_utc"`
	CanceledUTC                   time.Time                  `json:"canceled_utc"`
	PendingUntilUTC               time.Time                  `json:"pending_until_utc"` // when a hold lapses
	Title                         string                     `json:"title"`             // mostly of blocks
	Notes                         string                     `json:"notes"`
	ListingSite                   string                     `json:"listing_site"` // such as Airbnb
	PlatformReservationNumber     string                     `json:"platform_reservation_number"`
	PlatformEmailAddress          string                     `json:"platform_email_address"`
	CurrencyCode                  string                     `json:"currency_code"`
	TotalAmount                   Decimal                    `json:"total_amount"` // in CurrencyCode, as all amounts
	TotalPaid                     Decimal                    `json:"total_paid"`
	TotalOwed                     Decimal                    `json:"total_owed"`
	TotalRefunded                 Decimal                    `json:"total_refunded"`
	TotalHostFees                 Decimal                    `json:"total_host_fees"`
	Charges                       []Charge                   `json:"charges"`    // with IncludeCharges
	DoorCodes                     []DoorCode                 `json:"door_codes"` // with IncludeDoorCodes
	Tags                          []string                   `json:"tags"`       // names, with IncludeTags
	Fields                        []Field                    `json:"fields"`     // with IncludeFields
	CancellationPolicyID          int64                      `json:"cancellation_policy_id"`
	CancellationPolicyDescription string                     `json:"cancellation_policy_description"`
	ThreadIDs                     []int64                    `json:"thread_ids"` // of messages
	FormKey                       string                     `json:"form_key"`   // keep it secret
	HasProblem                    bool                       `json:"has_problem"`
	Extra                         map[string]json.RawMessage `json:"-"` // all that no field takes, by key
}

// BookingProperty is what a booking tells of its property.
type BookingProperty struct {
	ID           int64                      `json:"id"`
	Name         string                     `json:"name"`
	ExternalName string                     `json:"external_name"`
	InternalCode string                     `json:"internal_code"`
	PublicURL    string                     `json:"public_url"`
	Extra        map[string]json.RawMessage `json:"-"`
}

// BookingGuest is what a booking tells of its guest.
type BookingGuest struct {
	ID        int64                      `json:"id"`
	FirstName string                     `json:"first_name"`
	LastName  string                     `json:"last_name"`
	Extra     map[string]json.RawMessage `json:"-"`
}

// Charge is one line of a booking's price.
type Charge struct {
	Type                   string                     `json:"type"` // such as rent, surcharge, tax
	Category               string                     `json:"category"`
	Description            string                     `json:"description"`
	Amount                 Decimal                    `json:"amount"`
	Rate                   Decimal                    `json:"rate"`
	RateIsPercent          bool                       `json:"rate_is_percent"`
	Position               int                        `json:"position"`
	IsTaxable              bool                       `json:"is_taxable"`
	IsChannelManaged       bool                       `json:"is_channel_managed"`
	IsCommissionAll        bool                       `json:"is_commission_all"`
	IsExpenseAll           bool                       `json:"is_expense_all"`
	CommissionAmount       Decimal                    `json:"commission_amount"`
	OwnerAmount            Decimal                    `json:"owner_amount"`
	OwnerCommissionPercent Decimal                    `json:"owner_commission_percent"`
	SurchargeID            int64                      `json:"surcharge_id"`
	TaxID                  int64                      `json:"tax_id"`
	ExpenseID              int64                      `json:"expense_id"`
	Extra                  map[string]json.RawMessage `json:"-"`
}

// DoorCode opens a door during a stay. Keep it secret.
type DoorCode struct {
	Code      string                     `json:"code"`
	LockNames []string                   `json:"lock_names"`
	Extra     map[string]json.RawMessage `json:"-"`
}

// Field is a custom field's value.
type Field struct {
	Code  string                     `json:"code"`
	Value json.RawMessage            `json:"value"`
	Extra map[string]json.RawMessage `json:"-"`
}

// BookingQuery chooses bookings. OwnerRez wants PropertyIDs or Since; everything else is optional.
type BookingQuery struct {
	PropertyIDs []int64
	Since       time.Time     // created or changed since, canceled ones too; never shows what was deleted
	From        Date          // departs on or after it, where the property stands
	To          Date          // arrives on or before it: with From, bookings that touch the time between
	Status      BookingStatus // empty: any
	Limit       int           // rows per page; 0 means 100, the most that OwnerRez documents
	Offset      int           // rows to skip

	IncludeGuest, IncludeCharges, IncludeDoorCodes, IncludeTags, IncludeFields, IncludeCancellationPolicy, IncludeAgreements bool
}

const bookingsRoute = "/v2/bookings"

func (q BookingQuery) listing() (listing, error) {
	v := make(url.Values)
	if len(q.PropertyIDs) > 0 {
		v.Set("property_ids", joinIDs(q.PropertyIDs))
	}
	if !q.Since.IsZero() {
		v.Set("since_utc", q.Since.UTC().Format("2006-01-02T15:04:05Z"))
	}
	if q.From != (Date{}) {
		v.Set("from", q.From.String())
	}
	if q.To != (Date{}) {
		v.Set("to", q.To.String())
	}
	if q.Status != "" {
		v.Set("status", string(q.Status))
	}
	flag(v, "include_guest", q.IncludeGuest)
	flag(v, "include_charges", q.IncludeCharges)
	flag(v, "include_door_codes", q.IncludeDoorCodes)
	flag(v, "include_tags", q.IncludeTags)
	flag(v, "include_fields", q.IncludeFields)
	flag(v, "include_cancellation_policy", q.IncludeCancellationPolicy)
	flag(v, "include_agreements", q.IncludeAgreements)
	l, err := newListing(bookingsRoute, v, q.Limit, q.Offset)
	if err == nil && len(q.PropertyIDs) == 0 && q.Since.IsZero() {
		err = l.failed(fmt.Errorf("%w: bookings are listed by PropertyIDs or Since; set one of them", ErrInvalid))
	}
	return l, err
}

func joinIDs(ids []int64) string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = strconv.FormatInt(id, 10)
	}
	return strings.Join(texts, ",")
}

// flag adds a boolean parameter where it is true; false is the API's default.
func flag(v url.Values, name string, on bool) {
	if on {
		v.Set(name, "true")
	}
}

// BookingsService reads bookings, blocks and holds.
type BookingsService struct{ core *core }

// List returns one page of the bookings that q chooses.
//
// GET /v2/bookings
func (s *BookingsService) List(ctx context.Context, q BookingQuery) (*Page[Booking], error) {
	l, err := q.listing()
	if err != nil {
		return nil, err
	}
	return readPage[Booking](ctx, s.core, l)
}

// All yields all bookings that q chooses, page by page, each id once. A list that cannot be read whole ends
// with ErrIncomplete. Nothing is sent before the sequence is ranged over; ranging again asks again.
//
// GET /v2/bookings
func (s *BookingsService) All(ctx context.Context, q BookingQuery) iter.Seq2[Booking, error] {
	l, err := q.listing()
	if err != nil {
		return failing[Booking](err)
	}
	return readAll(ctx, s.core, l, func(b Booking) int64 { return b.ID })
}

// Get returns the booking with that id, a canceled one too. An answer that is not that booking is
// ErrUnreadable.
//
// GET /v2/bookings/{id}
func (s *BookingsService) Get(ctx context.Context, id int64) (*Booking, error) {
	return readOne(ctx, s.core, bookingsRoute, id, func(b *Booking) int64 { return b.ID })
}

// MarshalJSON writes the fields that are not zero, and Extra.
func (b Booking) MarshalJSON() ([]byte, error) { return marshalRow(b) }

// UnmarshalJSON reads a booking leniently: it fails for invalid JSON only.
func (b *Booking) UnmarshalJSON(data []byte) error { return unmarshalRow(b, data) }
