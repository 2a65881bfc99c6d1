package ownerrez

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// User is an account of OwnerRez. OwnerRez's documents do not show its keys: several clients agree on id, email, a
// name and a time zone, and not on how name and time zone are called; every name that they use is understood.
type User struct {
	ID       int64                      `json:"id"`
	Email    string                     `json:"email"`
	Name     string                     `json:"name"`      // for people
	TimeZone string                     `json:"time_zone"` // an IANA name; may be empty
	Extra    map[string]json.RawMessage `json:"-"`         // all that no field takes, by key
}

// UsersService reads accounts.
type UsersService struct{ core *core }

// Me returns the account that the credentials belong to: the way to test them. An answer that names no id is
// ErrUnreadable.
//
// GET /v2/users/me
func (s *UsersService) Me(ctx context.Context) (*User, error) {
	const route = "/v2/users/me"
	r := request{method: http.MethodGet, base: s.core.api, route: route, path: route}
	return do(ctx, s.core, r, func(a *attempt) (*User, error) {
		user := decodeUser(a.body)
		if user.ID < 1 {
			return nil, fmt.Errorf("%w: it names no account", ErrUnreadable)
		}
		return &user, nil
	})
}

// decodeUser reads a user. The API's names of the keys are not documented for certain, so others than those of
// the fields count where those are missing; they stay in Extra.
func decodeUser(data []byte) User {
	u := decodeRow[User](data)
	if id, ok := intOf(u.Extra["user_id"]); ok && u.ID == 0 {
		u.ID = int64(id)
	}
	first, last := u.other("", "first_name"), u.other("", "last_name")
	u.Email = u.other(u.Email, "email_address")
	u.Name = u.other(u.Name, "display_name", "user_display_name", "full_name")
	u.TimeZone = u.other(u.TimeZone, "timezone", "time_zone_id")
	if u.Name == "" {
		u.Name = strings.TrimSpace(first + " " + last)
	}
	return u
}

// other returns value, or where that is empty the first text that one of the keys has in Extra.
func (u *User) other(value string, keys ...string) string {
	for _, key := range keys {
		if value == "" {
			value, _ = stringOf(u.Extra[key])
		}
	}
	return value
}

// MarshalJSON writes the fields that are not zero, and Extra.
func (u User) MarshalJSON() ([]byte, error) { return marshalRow(u) }

// UnmarshalJSON reads a user leniently: it fails for invalid JSON only.
func (u *User) UnmarshalJSON(data []byte) error {
	if err := unmarshalRow(u, data); err != nil {
		return err
	}
	*u = decodeUser(data)
	return nil
}
