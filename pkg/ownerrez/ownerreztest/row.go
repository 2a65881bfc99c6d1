package ownerreztest

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// includes says which of the optional keys a caller asked for, a bit each, as in optionalKeys.
type includes uint8

// optionalKeys are the keys of a booking that come only when asked for by name.
var optionalKeys = []struct{ parameter, key string }{
	{"include_guest", "guest"},
	{"include_charges", "charges"},
	{"include_door_codes", "door_codes"},
	{"include_tags", "tags"},
	{"include_fields", "fields"},
	{"include_cancellation_policy", "cancellation_policy_description"},
	{"include_agreements", "agreements"},
}

// put writes b into the account. Times that are not set become now.
func (acc *account) put(b Booking, now time.Time) {
	if b.Type == "" {
		b.Type = "booking"
		if b.IsBlock {
			b.Type = "block"
		}
	}
	b.Status = cmp.Or(b.Status, "active")
	for _, t := range []*time.Time{&b.CreatedUTC, &b.UpdatedUTC} {
		if t.IsZero() {
			*t = now
		}
	}
	for _, t := range []*time.Time{&b.CreatedUTC, &b.UpdatedUTC, &b.CanceledUTC, &b.PendingUntilUTC} {
		*t = t.UTC().Truncate(time.Second) // OwnerRez tells whole seconds
	}
	b.Raw = maps.Clone(b.Raw)
	acc.rows[b.ID] = &row{Booking: b}
	acc.forget()
}

// copy is the booking for a caller to keep.
func (r *row) copy() Booking {
	b := r.Booking
	b.Raw = maps.Clone(b.Raw)
	return b
}

// forget drops what was derived from the rows.
func (acc *account) forget() { acc.ordered, acc.perID = nil, nil }

// rewrite drops the rows' JSON, which names their properties.
func (acc *account) rewrite() {
	for _, r := range acc.rows {
		r.encoded = nil
	}
}

// sort brings the rows into order, if they are not.
func (acc *account) sort(order Order) {
	if acc.ordered != nil && acc.order == order {
		return
	}
	acc.order = order
	acc.ordered = slices.Collect(maps.Values(acc.rows))
	slices.SortFunc(acc.ordered, func(a, b *row) int {
		return cmp.Or(order.compare(a, b), cmp.Compare(a.ID, b.ID))
	})
	acc.perID = map[int64][]*row{}
	for _, r := range acc.ordered {
		acc.perID[r.PropertyID] = append(acc.perID[r.PropertyID], r)
	}
}

// compare says which of two rows the list shows first; 0: the one with the smaller id.
func (o Order) compare(a, b *row) int {
	switch o {
	case OrderByUpdate:
		return a.UpdatedUTC.Compare(b.UpdatedUTC)
	case OrderNewestFirst:
		return cmp.Compare(b.ID, a.ID)
	case OrderShuffled:
		return cmp.Compare(hash(0, a.ID), hash(0, b.ID))
	default:
		return 0
	}
}

func (acc *account) sortedProperties() []Property {
	return slices.SortedFunc(maps.Values(acc.properties), func(a, b Property) int { return cmp.Compare(a.ID, b.ID) })
}

// json is the row as the API sends it, with the optional keys in asked.
func (r *row) json(acc *account, q Quirks, asked includes) []byte {
	if q.ZonelessTimes || q.DatesWithTime {
		return encode(r.object(acc, q, asked)) // these may change at any moment: nothing is kept
	}
	if r.encoded[asked] == nil {
		if r.encoded == nil {
			r.encoded = map[includes][]byte{}
		}
		r.encoded[asked] = encode(r.object(acc, q, asked))
	}
	return r.encoded[asked]
}

// object is the row with its keys; what is not set is left out.
func (r *row) object(acc *account, q Quirks, asked includes) map[string]any {
	o := sparse{
		"id": r.ID, "property_id": r.PropertyID, "type": r.Type, "status": r.Status, "is_block": r.IsBlock,
		"arrival": q.date(r.Arrival), "departure": q.date(r.Departure),
		"created_utc": q.time(r.CreatedUTC), "updated_utc": q.time(r.UpdatedUTC),
		"canceled_utc": q.time(r.CanceledUTC), "pending_until_utc": q.time(r.PendingUntilUTC),
		"title": r.Title, "listing_site": r.ListingSite, "guest_id": r.GuestID,
	}.clean()
	if !r.IsBlock {
		if p, ok := acc.properties[r.PropertyID]; ok {
			o["property"] = sparse{"id": p.ID, "name": p.Name, "internal_code": p.InternalCode}.clean()
		}
	}
	if r.GuestFirst != "" || r.GuestLast != "" {
		o["guest"] = sparse{"id": r.GuestID, "first_name": r.GuestFirst, "last_name": r.GuestLast}.clean()
	}
	override(o, r.Raw)
	for i, optional := range optionalKeys {
		if asked&(1<<i) == 0 {
			delete(o, optional.key)
		}
	}
	return o
}

// date writes a day; "" for none.
func (q Quirks) date(d ownerrez.Date) string {
	if q.DatesWithTime && !d.IsZero() {
		return d.String() + "T00:00:00"
	}
	return d.String()
}

// time writes a time in UTC; "" for none.
func (q Quirks) time(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	text := t.Format(time.RFC3339)
	if q.ZonelessTimes {
		text = strings.TrimSuffix(text, "Z")
	}
	return text
}

// sparse is a JSON object that shall not hold empty values.
type sparse map[string]any

// clean removes empty texts and ids, as the API leaves out what is null or empty.
func (o sparse) clean() map[string]any {
	for key, value := range o {
		if value == "" || value == int64(0) {
			delete(o, key)
		}
	}
	return o
}

// override writes raw over o; a nil value removes its key.
func override(o, raw map[string]any) {
	for key, value := range raw {
		if value == nil {
			delete(o, key)
		} else {
			o[key] = value
		}
	}
}

// encode writes a value as JSON. What cannot be written is a mistake in the test's own Raw values.
func encode(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic("ownerreztest: a Raw value cannot be written as JSON: " + err.Error())
	}
	return text
}
