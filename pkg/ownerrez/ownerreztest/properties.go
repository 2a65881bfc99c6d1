package ownerreztest

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"
)

// propertyParameters are the parameters that properties know. Only active, limit and offset have an effect.
var propertyParameters = []string{
	"active", "payment_method_id", "include_tags", "include_fields", "include_listing_numbers",
	"availability_start_date", "availability_end_date", "limit", "offset", endlessParameter,
}

// listProperties answers GET /v2/properties: active and inactive ones, unless active says which. The server
// is locked.
func (s *Server) listProperties(c *call, acc *account) answer {
	active := strings.ToLower(c.query.Get("active"))
	if active != "" && active != "true" && active != "false" {
		return s.quirks.invalid("active must be true or false.")
	}
	var rows []Property
	for _, p := range acc.sortedProperties() {
		if active == "" || (active == "true") != p.Inactive {
			rows = append(rows, p)
		}
	}
	return s.page(c, len(rows), !s.quirks.NoCountOnProperties, func(i int) []byte { return encode(rows[i].object()) })
}

// property answers GET /v2/properties/{id}. The server is locked.
func (s *Server) property(acc *account, id string) answer {
	n, _ := strconv.ParseInt(id, 10, 64)
	p, ok := acc.properties[n]
	if !ok {
		return s.quirks.notFound("Property", id)
	}
	return jsonAnswer(http.StatusOK, p.object())
}

// object is the property with its keys; what is not set is left out.
func (p Property) object() map[string]any {
	o := sparse{
		"id": p.ID, "key": p.Key, "name": p.Name, "external_name": p.ExternalName,
		"internal_code": p.InternalCode, "time_zone": p.TimeZone, "active": !p.Inactive,
	}.clean()
	if p.Snoozed {
		o["is_snoozed"] = true
	}
	override(o, p.Raw)
	return o
}

// lookup answers the web application's GET /api/properties/lookup: a list without pages, in its own spelling.
func lookup(acc *account) answer {
	rows := []any{}
	for _, p := range acc.sortedProperties() {
		rows = append(rows, sparse{
			"Id": p.ID, "Key": p.Key, "Name": p.Name, "ExternalName": p.ExternalName, "InternalCode": p.InternalCode,
		}.clean())
	}
	return jsonAnswer(http.StatusOK, rows)
}

// me answers GET /v2/users/me. The server is locked.
func (s *Server) me(acc *account) answer {
	return jsonAnswer(http.StatusOK, sparse{
		"id": acc.ID, "email": acc.Email, cmp.Or(s.quirks.UserNameKey, "name"): acc.Name, "time_zone": acc.TimeZone,
	}.clean())
}
