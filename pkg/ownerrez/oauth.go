package ownerrez

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// OAuthConfig is what OwnerRez knows of an OAuth app. Printing it never shows its secret.
type OAuthConfig struct {
	App          App
	ClientSecret string // s_…
	RedirectURL  string // exactly as it is registered; left out if empty
	Scope        string // usually empty: what the app is registered for
}

// Format writes the app, whatever the verb.
func (c OAuthConfig) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "ownerrez.OAuthConfig("+c.App.UserAgent()+", secret hidden)")
}

// LogValue gives a structured logger the app.
func (c OAuthConfig) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(c)) }

// MarshalJSON gives the app without its secret, also to loggers that encode what it is in.
func (c OAuthConfig) MarshalJSON() ([]byte, error) { return json.Marshal(fmt.Sprint(c)) }

// Authorizer gets tokens for an OAuth app, for accounts that let it in: it sends people to AuthCodeURL, exchanges
// the code that they come back with, refreshes tokens, and ends them. It is immutable and safe for concurrent use.
type Authorizer struct{ core *core }

func (a *Authorizer) config() OAuthConfig { return a.core.auth.(*clientCredentials).config }

// NewAuthorizer makes an Authorizer. It needs no network; everything that is wrong is in the one error. The
// options are those of New: clients that share an IP address should share a Limiter.
func NewAuthorizer(config OAuthConfig, opts ...Option) (*Authorizer, error) {
	c, err := newCore(&clientCredentials{config}, opts)
	if err != nil {
		return nil, err
	}
	return &Authorizer{c}, nil
}

// AuthCodeURL is the page of OwnerRez on which people let the app into their account. They come back to
// RedirectURL with state, and a code or an error. State must be random, and tied to the browser.
func (a *Authorizer) AuthCodeURL(state string) string {
	config := a.config()
	query := url.Values{"response_type": {"code"}, "client_id": {config.App.ClientID}, "state": {state}}
	if config.RedirectURL != "" {
		query.Set("redirect_uri", config.RedirectURL)
	}
	if config.Scope != "" {
		query.Set("scope", config.Scope)
	}
	u := *a.core.app
	u.Path += "/oauth/authorize"
	u.RawQuery = query.Encode()
	return u.String()
}

// grantRoute is where tokens are made and ended.
const grantRoute = "/oauth/access_token"

// Exchange trades a code (tc_…), which lives 10 minutes and works once, for a token. A code that is refused is
// ErrInvalid, or ErrUnauthorized if the app's own credentials are.
//
// POST /oauth/access_token
func (a *Authorizer) Exchange(ctx context.Context, code string) (Token, error) {
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}}
	if redirect := a.config().RedirectURL; redirect != "" {
		form.Set("redirect_uri", redirect)
	}
	return a.grant(ctx, form, code)
}

// Refresh trades a refresh token for a new token. The result's RefreshToken is the next one to use: the new one if
// OwnerRez gave one, which may have ended the old one, else refreshToken itself. One that is refused is ErrInvalid
// with the Code "invalid_grant", or ErrUnauthorized if the app's own credentials are. Like every POST it is not
// repeated where its answer is lost: OwnerRez may have done it, and the old refresh token may work no more.
//
// That a refresh token comes with tokens that expire, and how it is used, is known from a client that OwnerRez
// publishes, not from its documents. Two refreshes of one token should never be under way at once.
//
// POST /oauth/access_token
func (a *Authorizer) Refresh(ctx context.Context, refreshToken string) (Token, error) {
	if refreshToken == "" {
		return Token{}, errors.New("there is no refresh token: the host has to connect the account again")
	}
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refreshToken}}
	t, err := a.grant(ctx, form, refreshToken)
	if err == nil && t.RefreshToken == "" {
		t.RefreshToken = refreshToken
	}
	return t, err
}

// grant asks for a token. secret is what the form holds and errors must not.
func (a *Authorizer) grant(ctx context.Context, form url.Values, secret string) (Token, error) {
	r := request{
		method: http.MethodPost, base: a.core.api, route: grantRoute, path: grantRoute,
		payload: form.Encode(), contentType: "application/x-www-form-urlencoded", secret: secret,
	}
	return do(ctx, a.core, r, func(a *attempt) (Token, error) { return parseToken(a.body, a.began) })
}

// Revoke ends an access token; it may end everything that the account has granted the app. A token that OwnerRez
// does not know any more is no error.
//
// DELETE /oauth/access_token/{token}
func (a *Authorizer) Revoke(ctx context.Context, accessToken string) error {
	if err := checkToken(accessToken, "at_", "an OAuth access token"); err != nil {
		return err
	}
	if url.PathEscape(accessToken) != accessToken {
		return errors.New("the token is none of OwnerRez's: it holds characters that tokens do not have")
	}
	r := request{
		method: http.MethodDelete, base: a.core.api, route: grantRoute + "/{token}",
		path: grantRoute + "/" + accessToken, secret: accessToken,
	}
	_, err := do(ctx, a.core, r, func(*attempt) (struct{}, error) { return struct{}{}, nil })
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// parseToken reads a reply with a token. Its life counts from when it was asked for.
func parseToken(body []byte, asked time.Time) (Token, error) {
	var t Token
	for key, value := range members(body) {
		switch string(key) {
		case "access_token":
			t.AccessToken, _ = stringOf(value)
		case "refresh_token":
			t.RefreshToken, _ = stringOf(value)
		case "scope":
			t.Scope, _ = stringOf(value)
		case "user_display_name":
			t.UserDisplayName, _ = stringOf(value)
		case "user_id":
			id, _ := intOf(value)
			t.UserID = int64(id)
		case "expires_in", "expires_at":
			expiry := parseExpiry(value, string(key) == "expires_in", asked)
			if t.Expiry.IsZero() || (!expiry.IsZero() && expiry.Before(t.Expiry)) {
				t.Expiry = expiry
			}
		}
	}
	if t.AccessToken == "" {
		return Token{}, fmt.Errorf("%w: it holds no token", ErrUnreadable)
	}
	return t, nil
}

// parseExpiry reads the end of a token: in seconds from when it was asked for, or as a time, which may be
// written in Unix seconds. It is zero for what is neither.
func parseExpiry(value []byte, relative bool, asked time.Time) time.Time {
	var seconds json.Number
	err := json.Unmarshal(value, &seconds)
	n, numErr := seconds.Float64()
	switch {
	case (err != nil || numErr != nil) && !relative:
		t, _ := readTime(value)
		return t
	case err != nil || numErr != nil || n <= 0 || n > float64(maxExpiry):
		return time.Time{}
	case relative:
		return asked.Add(time.Duration(n * float64(time.Second))).UTC().Round(0)
	}
	return time.Unix(int64(n), 0).UTC()
}

// maxExpiry is more seconds than any time that makes sense, and few enough to calculate with.
const maxExpiry = 8_000_000_000

// clientCredentials let the app itself in.
type clientCredentials struct{ config OAuthConfig }

func (c *clientCredentials) check() error {
	errs := []error{c.config.App.check(), checkToken(c.config.ClientSecret, "s_", "a client secret")}
	if c.config.RedirectURL != "" {
		if u, err := url.Parse(c.config.RedirectURL); err != nil || u.Host == "" || u.Fragment != "" || !strings.HasPrefix(u.Scheme, "http") {
			errs = append(errs, errors.New("the redirect URL must be like https://host/path"))
		}
	}
	return errors.Join(errs...)
}

func (c *clientCredentials) agent() string { return c.config.App.UserAgent() }

func (c *clientCredentials) authorize(context.Context) (string, Token, error) {
	return basic(c.config.App.ClientID, c.config.ClientSecret), Token{AccessToken: c.config.ClientSecret}, nil
}

func (c *clientCredentials) renew(context.Context, Token) (bool, error) { return false, nil }

func (c *clientCredentials) Format(f fmt.State, verb rune) { c.config.Format(f, verb) }
