package ownerrez

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"
)

// Token is an OAuth token of one account, and what came with it. Printing a Token, with whatever verb or
// logger, does not show its secrets; encoding it as JSON does, so that it can be stored.
type Token struct {
	AccessToken     string    // at_…
	RefreshToken    string    // empty if there was none
	Expiry          time.Time // when AccessToken ends; zero if OwnerRez named no time
	Scope           string    // such as "full" or "read"
	UserID          int64     // the account that the token belongs to
	UserDisplayName string    // the account's name for people
}

// String describes t without its secrets.
func (t Token) String() string {
	expiry := "no known expiry"
	if !t.Expiry.IsZero() {
		expiry = "expires " + t.Expiry.UTC().Format(time.RFC3339)
	}
	return fmt.Sprintf("ownerrez.Token(user %d, %s, secrets hidden)", t.UserID, expiry)
}

// GoString is String.
func (t Token) GoString() string { return t.String() }

// Format writes String, whatever the verb.
func (t Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, t.String()) }

// LogValue gives a structured logger String.
func (t Token) LogValue() slog.Value { return slog.StringValue(t.String()) }

// TokenSource gives the token to use right now. Token is called for every attempt, so a source should keep
// its token and refresh it when due. Its error is returned to the caller of the API, wrapped; it must not hold
// secrets. A TokenSource must be safe for concurrent use.
type TokenSource interface {
	Token(ctx context.Context) (Token, error)
}

// Invalidator is a TokenSource that wants to know which token a 401 refused. It should not give that token
// again if it can get another one; where it has another one already, there is nothing to do.
type Invalidator interface {
	Invalidate(ctx context.Context, refused Token)
}

// StaticToken returns a source of one token that never changes.
func StaticToken(accessToken string) TokenSource {
	return &staticToken{Token{AccessToken: accessToken}}
}

type staticToken struct{ token Token }

func (s *staticToken) Token(context.Context) (Token, error) { return s.token, nil }

func (s *staticToken) Format(f fmt.State, verb rune) { s.token.Format(f, verb) }
