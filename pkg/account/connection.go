package account

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// connectionFormat is the number of how a Connection is written.
const connectionFormat = 1

// Connection is what an account's secret holds: the token that a host gave when connecting the account, or the last
// one that it was refreshed to. Printed, logged or made JSON of, it shows no secret; Encode writes all of it.
type Connection struct {
	// ID is random and stays the same when the token is refreshed: only a host who connects makes another one.
	ID string
	// Token is the token. Its UserDisplayName is not kept.
	Token ownerrez.Token
	// Obtained is when the token was asked for: two thirds of its life count from then.
	Obtained time.Time

	refresh *claim // a refresh of the token that was begun, nil if none was
}

// NewConnection is for a token that a host just gave, asked for at that time.
func NewConnection(token ownerrez.Token, obtained time.Time) Connection {
	return Connection{ID: rand.Text(), Token: token, Obtained: obtained.UTC().Round(0)}
}

// UnreadableTokenError says that an account's secret holds nothing that this release can use: it was filled by hand,
// damaged, or written by a newer release. It is left as it is. The error tells nothing of the secret.
type UnreadableTokenError struct{ Why string }

// Error says what is wrong with the secret.
func (e *UnreadableTokenError) Error() string { return "the secret of the account's token " + e.Why }

// document is how a Connection is written.
type document struct {
	Format   int       `json:"format"`
	ID       string    `json:"connection"`
	UserID   int64     `json:"user_id"`
	Access   string    `json:"access_token"`
	Refresh  string    `json:"refresh_token,omitempty"`
	Expiry   time.Time `json:"expires_at,omitzero"`
	Obtained time.Time `json:"obtained_at"`
	Scope    string    `json:"scope,omitempty"`
	Claim    *claim    `json:"refresh,omitempty"`
}

// Encode writes all of c, for a vault and nothing else. It returns an error for a connection that ParseConnection
// would not read.
func (c Connection) Encode() ([]byte, error) {
	d := document{
		Format: connectionFormat, ID: c.ID, UserID: c.Token.UserID, Access: c.Token.AccessToken, Refresh: c.Token.RefreshToken,
		Expiry: c.Token.Expiry, Obtained: c.Obtained, Scope: c.Token.Scope, Claim: c.refresh,
	}
	if err := d.check(); err != nil {
		return nil, err
	}
	return json.Marshal(d) //nolint:gosec // it goes into a vault, and nowhere else
}

// ParseConnection reads what Encode writes. Anything else is an *UnreadableTokenError.
func ParseConnection(value []byte) (Connection, error) {
	var version struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(value, &version); err == nil && version.Format > connectionFormat {
		return Connection{}, unreadable("was written by a newer release (format %d): deploy that again", version.Format)
	}
	var d document
	in := json.NewDecoder(bytes.NewReader(value))
	in.DisallowUnknownFields()
	err := in.Decode(&d)
	if err == nil {
		_, err = in.Token()
	}
	if err != io.EOF {
		return Connection{}, unreadable("holds no token, or is damaged: let the host connect the account again")
	}
	if err := d.check(); err != nil {
		return Connection{}, err
	}
	token := ownerrez.Token{AccessToken: d.Access, RefreshToken: d.Refresh, Expiry: d.Expiry, Scope: d.Scope, UserID: d.UserID}
	return Connection{ID: d.ID, Token: token, Obtained: d.Obtained, refresh: d.Claim}, nil
}

func (d document) check() error {
	switch {
	case d.Format != connectionFormat:
		return unreadable("has no format number")
	case d.ID == "" || d.UserID <= 0 || d.Obtained.IsZero():
		return unreadable("does not say whose token it is, or since when it is there")
	case !strings.HasPrefix(d.Access, "at_"):
		return unreadable("holds no access token (at_…)")
	case d.Claim != nil && (d.Claim.ID == "" || d.Claim.Tries < 1 || d.Claim.Began.IsZero()):
		return unreadable("has a damaged note of a refresh")
	}
	return nil
}

func unreadable(format string, args ...any) error {
	return &UnreadableTokenError{Why: fmt.Sprintf(format, args...)}
}

// refreshAt is when the token is to be refreshed: at two thirds of its life, and not within the first minutes; zero
// if only a 401 tells.
func (c Connection) refreshAt() time.Time {
	if c.Token.RefreshToken == "" || c.Token.Expiry.IsZero() {
		return time.Time{}
	}
	life := c.Token.Expiry.Sub(c.Obtained)
	return c.Obtained.Add(max(life/3*2, retryRefresh))
}

// digest tells connections apart without revealing them, whatever is noted of a refresh.
func (c Connection) digest() string {
	return Fingerprint(nil, c.ID, c.Token.AccessToken, c.Token.RefreshToken, c.Obtained.UTC().Format(time.RFC3339Nano))
}

// sameToken reports whether both hold one token, whatever is noted of a refresh.
func (c Connection) sameToken(other Connection) bool { return c.digest() == other.digest() }

// String describes c without its secrets.
func (c Connection) String() string { return "account.Connection(" + c.Token.String() + ")" }

// Format writes String, whatever the verb.
func (c Connection) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// LogValue gives a structured logger String.
func (c Connection) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalJSON gives String: who means to store c calls Encode.
func (c Connection) MarshalJSON() ([]byte, error) { return json.Marshal(c.String()) }
