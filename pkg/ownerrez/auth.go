package ownerrez

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode"
)

// Auth is a way to be let in: PAT or OAuth. Printing an Auth never shows its secrets.
type Auth interface {
	// check returns everything that is wrong with it, without the values.
	check() error
	// agent is the User-Agent that it requires; empty if it requires none.
	agent() string
	// authorize gives the Authorization header for one attempt, and the token in it.
	authorize(ctx context.Context) (header string, used Token, err error)
	// renew drops the token that a 401 refused, and reports whether there is another one now.
	renew(ctx context.Context, refused Token) (bool, error)
}

// PAT authorizes by a personal access token (pt_…) and the e-mail address of the account that made it, by HTTP
// Basic. It is for one's own account: OwnerRez lets one IP address use the personal tokens of at most two
// accounts in 24 hours. See https://www.ownerrez.com/support/articles/api-authentication.
func PAT(email, token string) Auth { return &pat{email, token} }

type pat struct{ email, token string }

func (p *pat) check() error {
	switch {
	case p.email == "" && p.token == "":
		return errors.New("no credentials: a personal token needs the account's e-mail address and the token (pt_…)")
	case strings.HasPrefix(p.email, "pt_") || strings.HasPrefix(p.email, "at_"):
		return errors.New("e-mail address and token are swapped: the e-mail address comes first")
	case strings.HasPrefix(p.token, "at_"):
		return errors.New("this is an OAuth token (at_…): use ownerrez.OAuth, without an e-mail address")
	}
	var errs []error
	if p.email == "" {
		errs = append(errs, errors.New("the e-mail address is empty: a personal token needs the one of its account"))
	}
	if strings.ContainsFunc(p.email, unprintable) || strings.Contains(p.email, ":") {
		errs = append(errs, errors.New("the e-mail address must not hold colons, spaces or line ends"))
	}
	return errors.Join(append(errs, checkToken(p.token, "pt_", "a personal access token"))...)
}

func (p *pat) agent() string { return "" }

func (p *pat) authorize(context.Context) (string, Token, error) {
	return basic(p.email, p.token), Token{AccessToken: p.token}, nil
}

func (p *pat) renew(context.Context, Token) (bool, error) { return false, nil }

func (p *pat) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "ownerrez.PAT(hidden)") }

// OAuth authorizes by an app's token (at_…) for an account that let the app in, as a bearer token. Every
// request names the app in its User-Agent, as OwnerRez requires.
func OAuth(app App, source TokenSource) Auth { return &oauth{app, source} }

type oauth struct {
	app    App
	source TokenSource
}

func (o *oauth) check() error {
	errs := []error{o.app.check()}
	switch source := o.source.(type) {
	case nil:
		errs = append(errs, errors.New("OAuth needs a source of tokens"))
	case *staticToken:
		errs = append(errs, checkAccessToken(source.token))
	}
	return errors.Join(errs...)
}

func (o *oauth) agent() string { return o.app.UserAgent() }

func (o *oauth) authorize(ctx context.Context) (string, Token, error) {
	token, err := o.source.Token(ctx)
	if err == nil {
		err = checkAccessToken(token)
	}
	if err != nil {
		return "", Token{}, err
	}
	return "Bearer " + token.AccessToken, token, nil
}

func (o *oauth) renew(ctx context.Context, refused Token) (bool, error) {
	if source, ok := o.source.(Invalidator); ok {
		source.Invalidate(ctx, refused)
	}
	token, err := o.source.Token(ctx)
	return err == nil && token.AccessToken != refused.AccessToken, err
}

func (o *oauth) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "ownerrez.OAuth("+o.app.UserAgent()+", hidden)")
}

func checkAccessToken(t Token) error {
	if strings.HasPrefix(t.AccessToken, "pt_") {
		return errors.New("this is a personal access token (pt_…): use ownerrez.PAT, with the account's e-mail address")
	}
	return checkToken(t.AccessToken, "at_", "an OAuth access token")
}

func checkToken(token, prefix, what string) error {
	switch {
	case token == "":
		return fmt.Errorf("the token is empty: it must be %s (%s…)", what, prefix)
	case !strings.HasPrefix(token, prefix) || len(token) == len(prefix):
		return fmt.Errorf("the token does not begin with %s, as %s does", prefix, what)
	case strings.ContainsFunc(token, unprintable):
		return errors.New("the token must not hold spaces or line ends")
	}
	return nil
}

// unprintable is what must not be in a header's value, nor in a token.
func unprintable(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// App is an OAuth app, as it is registered with OwnerRez.
type App struct {
	Name     string // such as "My Awesome App"
	Version  string // such as "1.0"
	ClientID string // c_…
}

// UserAgent is how the app names itself to OwnerRez: "My Awesome App/1.0 (c_51234234)".
func (a App) UserAgent() string {
	return fmt.Sprintf("%s/%s (%s)", a.Name, a.Version, a.ClientID)
}

// userAgentForm takes "My Awesome App/1.0 (c_51234234)" apart.
var userAgentForm = regexp.MustCompile(`^([!-'*-.0-~][ -'*-.0-~]*)/([!-'*-.0-~]+) \((c_[0-9A-Za-z_-]+)\)$`)

// ParseApp reads what UserAgent writes.
func ParseApp(userAgent string) (App, error) {
	parts := userAgentForm.FindStringSubmatch(strings.TrimSpace(userAgent))
	if parts == nil {
		return App{}, errors.New("a User-Agent for OAuth names the app, its version and its client id: My Awesome App/1.0 (c_51234234)")
	}
	return App{Name: parts[1], Version: parts[2], ClientID: parts[3]}, nil
}

func (a App) check() error {
	var errs []error
	if a.Name == "" {
		errs = append(errs, errors.New("the app has no name"))
	}
	if a.Version == "" {
		errs = append(errs, errors.New("the app has no version"))
	}
	if !strings.HasPrefix(a.ClientID, "c_") {
		errs = append(errs, errors.New("the app's client id must begin with c_"))
	}
	if parsed, err := ParseApp(a.UserAgent()); errs == nil && (err != nil || parsed != a) {
		errs = append(errs, errors.New("name, version and client id of the app must be plain text without slashes and brackets"))
	}
	return errors.Join(errs...)
}
