package ownerrez

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
)

// readOne fetches the row with that id from below route. What is not a JSON object with that id is not it.
func readOne[T any](ctx context.Context, c *core, route string, id int64, idOf func(*T) int64) (*T, error) {
	r := request{method: http.MethodGet, base: c.api, route: route + "/{id}", path: route + "/" + strconv.FormatInt(id, 10)}
	if id < 1 {
		return nil, &Error{Method: r.method, Route: r.route, Err: fmt.Errorf("%w: an id is a positive number", ErrInvalid)}
	}
	return do(ctx, c, r, func(a *attempt) (*T, error) {
		row := decodeRow[T](a.body)
		if got := idOf(&row); got != id {
			return nil, fmt.Errorf("%w: it is not the row that was asked for", ErrUnreadable)
		}
		return &row, nil
	})
}

// The rows inside other rows are read and written like those.

// MarshalJSON writes the fields that are not zero, and Extra.
func (p BookingProperty) MarshalJSON() ([]byte, error) { return marshalRow(p) }

// UnmarshalJSON reads leniently: it fails for invalid JSON only.
func (p *BookingProperty) UnmarshalJSON(data []byte) error { return unmarshalRow(p, data) }

// MarshalJSON writes the fields that are not zero, and Extra.
func (g BookingGuest) MarshalJSON() ([]byte, error) { return marshalRow(g) }

// UnmarshalJSON reads leniently: it fails for invalid JSON only.
func (g *BookingGuest) UnmarshalJSON(data []byte) error { return unmarshalRow(g, data) }

// MarshalJSON writes the fields that are not zero, and Extra.
func (c Charge) MarshalJSON() ([]byte, error) { return marshalRow(c) }

// UnmarshalJSON reads leniently: it fails for invalid JSON only.
func (c *Charge) UnmarshalJSON(data []byte) error { return unmarshalRow(c, data) }

// MarshalJSON writes the fields that are not zero, and Extra.
func (d DoorCode) MarshalJSON() ([]byte, error) { return marshalRow(d) }

// UnmarshalJSON reads leniently: it fails for invalid JSON only.
func (d *DoorCode) UnmarshalJSON(data []byte) error { return unmarshalRow(d, data) }

// MarshalJSON writes the fields that are not zero, and Extra.
func (f Field) MarshalJSON() ([]byte, error) { return marshalRow(f) }

// UnmarshalJSON reads leniently: it fails for invalid JSON only.
func (f *Field) UnmarshalJSON(data []byte) error { return unmarshalRow(f, data) }

// MarshalJSON writes the fields that are not zero, and Extra.
func (a Address) MarshalJSON() ([]byte, error) { return marshalRow(a) }

// UnmarshalJSON reads leniently: it fails for invalid JSON only.
func (a *Address) UnmarshalJSON(data []byte) error { return unmarshalRow(a, data) }
