package ownerrez

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
)

// Property is a place that is rented out. What OwnerRez leaves out is zero here. A field whose value was of
// another kind than documented is zero too, and the value is in Extra.
type Property struct {
	ID                   int64                      `json:"id"`
	Key                  string                     `json:"key"` // a GUID
	Name                 string                     `json:"name"`
	ExternalName         string                     `json:"external_name"`
	InternalCode         string                     `json:"internal_code"`
	Active               Opt[bool]                  `json:"active"` // not said is not false
	IsSnoozed            bool                       `json:"is_snoozed"`
	OwnerID              int64                      `json:"owner_id"`
	PropertyType         string                     `json:"property_type"` // such as house
	Bedrooms             int                        `json:"bedrooms"`
	Bathrooms            Decimal                    `json:"bathrooms"`
	BathroomsFull        int                        `json:"bathrooms_full"`
	BathroomsHalf        int                        `json:"bathrooms_half"`
	MaxGuests            int                        `json:"max_guests"`
	MaxAdults            int                        `json:"max_adults"`
	MaxChildren          int                        `json:"max_children"`
	MaxPets              int                        `json:"max_pets"`
	CheckIn              string                     `json:"check_in"`     // HH:mm, where the property stands
	CheckInEnd           string                     `json:"check_in_end"` // HH:mm
	CheckOut             string                     `json:"check_out"`    // HH:mm
	CurrencyCode         string                     `json:"currency_code"`
	TimeZone             string                     `json:"time_zone"` // an IANA name; some properties have none
	Latitude             Decimal                    `json:"latitude"`
	Longitude            Decimal                    `json:"longitude"`
	LivingArea           Decimal                    `json:"living_area"` // in LivingAreaType
	LivingAreaType       string                     `json:"living_area_type"`
	DisplayOrder         int                        `json:"display_order"`
	ExternalDisplayOrder int                        `json:"external_display_order"`
	PublicURL            string                     `json:"public_url"`
	ThumbnailURL         string                     `json:"thumbnail_url"`
	ThumbnailURLMedium   string                     `json:"thumbnail_url_medium"`
	ThumbnailURLLarge    string                     `json:"thumbnail_url_large"`
	Address              Address                    `json:"address"`
	ListingNumbers       map[string]string          `json:"listing_numbers"` // by listing site, with IncludeListingNumbers
	Tags                 []string                   `json:"tags"`            // with IncludeTags
	Fields               []Field                    `json:"fields"`          // with IncludeFields
	Extra                map[string]json.RawMessage `json:"-"`               // all that no field takes, by key
}

// Address is where something is. State and Country may be codes or names.
type Address struct {
	ID         int64                      `json:"id"`
	Street1    string                     `json:"street1"`
	Street2    string                     `json:"street2"`
	City       string                     `json:"city"`
	State      string                     `json:"state"`
	Province   string                     `json:"province"`
	PostalCode string                     `json:"postal_code"`
	Country    string                     `json:"country"`
	IsDefault  bool                       `json:"is_default"`
	Type       string                     `json:"type"`
	Extra      map[string]json.RawMessage `json:"-"`
}

// PropertyLookup is a property as the app's older interface lists it.
type PropertyLookup struct {
	ID           int64                      `json:"Id"`
	Key          string                     `json:"Key"`
	Name         string                     `json:"Name"`
	ExternalName string                     `json:"ExternalName"`
	InternalCode string                     `json:"InternalCode"`
	Extra        map[string]json.RawMessage `json:"-"`
}

// PropertyQuery chooses properties; the zero PropertyQuery chooses all.
type PropertyQuery struct {
	Active Opt[bool] // only those that are, or are not, active
	Limit  int       // rows per page; 0 means 100, the most that OwnerRez documents
	Offset int       // rows to skip

	IncludeTags, IncludeFields, IncludeListingNumbers bool
}

const (
	propertiesRoute = "/v2/properties"
	lookupRoute     = "/api/properties/lookup"
)

func (q PropertyQuery) listing() (listing, error) {
	v := make(url.Values)
	if active, ok := q.Active.Get(); ok {
		v.Set("active", strconv.FormatBool(active))
	}
	flag(v, "include_tags", q.IncludeTags)
	flag(v, "include_fields", q.IncludeFields)
	flag(v, "include_listing_numbers", q.IncludeListingNumbers)
	return newListing(propertiesRoute, v, q.Limit, q.Offset)
}

// PropertiesService reads properties.
type PropertiesService struct{ core *core }

// List returns one page of the properties that q chooses.
//
// GET /v2/properties
func (s *PropertiesService) List(ctx context.Context, q PropertyQuery) (*Page[Property], error) {
	l, err := q.listing()
	if err != nil {
		return nil, err
	}
	return readPage[Property](ctx, s.core, l)
}

// All yields all properties that q chooses, page by page, each id once. A list that cannot be read whole ends
// with ErrIncomplete. Nothing is sent before the sequence is ranged over; ranging again asks again.
//
// GET /v2/properties
func (s *PropertiesService) All(ctx context.Context, q PropertyQuery) iter.Seq2[Property, error] {
	l, err := q.listing()
	if err != nil {
		return failing[Property](err)
	}
	return readAll(ctx, s.core, l, func(p Property) int64 { return p.ID })
}

// Get returns the property with that id. An answer that is not that property is ErrUnreadable.
//
// GET /v2/properties/{id}
func (s *PropertiesService) Get(ctx context.Context, id int64) (*Property, error) {
	return readOne(ctx, s.core, propertiesRoute, id, func(p *Property) int64 { return p.ID })
}

// Lookup lists all properties by the app's older interface, in one answer. It is the call that OwnerRez shows
// on its page about authentication: https://www.ownerrez.com/support/articles/api-authentication.
//
// GET {app}/api/properties/lookup
func (s *PropertiesService) Lookup(ctx context.Context) ([]PropertyLookup, error) {
	r := request{method: http.MethodGet, base: s.core.app, route: lookupRoute, path: lookupRoute, contentType: "application/json"}
	return do(ctx, s.core, r, func(a *attempt) ([]PropertyLookup, error) {
		if !isArray(a.body) {
			return nil, fmt.Errorf("%w: it is not a list of properties", ErrUnreadable)
		}
		return decodeRows[PropertyLookup](a.body), nil
	})
}

// MarshalJSON writes the fields that are not zero, and Extra.
func (p Property) MarshalJSON() ([]byte, error) { return marshalRow(p) }

// UnmarshalJSON reads a property leniently: it fails for invalid JSON only.
func (p *Property) UnmarshalJSON(data []byte) error { return unmarshalRow(p, data) }

// MarshalJSON writes the fields that are not zero, and Extra.
func (p PropertyLookup) MarshalJSON() ([]byte, error) { return marshalRow(p) }

// UnmarshalJSON reads a property leniently: it fails for invalid JSON only.
func (p *PropertyLookup) UnmarshalJSON(data []byte) error { return unmarshalRow(p, data) }
