package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
)

// ErrNoApp says that no OAuth app is configured.
var ErrNoApp = errors.New("no OAuth app is configured")

// AppExample is what the secret of an OAuth app holds.
const AppExample = `{"client_id":"c_…","client_secret":"s_…"}`

// AppSecret is an OAuth app whose id and secret lie in a secret: an object with client_id and client_secret, and where
// OwnerRez calls the app's webhook with webhook_user and webhook_password. An empty object and a secret without a value
// are no app. Its fields are set once, before use; it is safe for concurrent use.
type AppSecret struct {
	Vault      vault.Vault
	Name       string           // of the secret
	AppName    string           // how the app names itself to OwnerRez, such as "My Awesome App"
	AppVersion string           // such as "1.0"
	Now        func() time.Time // nil means time.Now

	mu    sync.Mutex            // held while the secret is read: one at a time is enough
	app   *ownerrez.OAuthConfig // a pointer, so that nothing that prints the struct itself shows the secret
	wrong error                 // ErrNoApp or a *MalformedError
	read  time.Time             // when the secret was read last; zero: never
}

// App returns the app, without a RedirectURL. It was read at most five minutes ago. It returns ErrNoApp if there is none, a
// *MalformedError if the secret was filled in a wrong way, and ErrVault if it cannot be read.
func (s *AppSecret) App(ctx context.Context) (ownerrez.OAuthConfig, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now
	if s.Now != nil {
		now = s.Now
	}
	if age := now().Sub(s.read); !s.read.IsZero() && age >= 0 && age < rereadEvery {
		return *s.app, s.wrong
	}
	secret, err := s.Vault.Get(ctx, s.Name)
	if err != nil && !errors.Is(err, vault.ErrNotFound) {
		return ownerrez.OAuthConfig{}, fmt.Errorf("reading the OAuth app: %w: %w", ErrVault, err)
	}
	app, wrong := s.parse(secret.Value)
	s.app, s.wrong, s.read = &app, wrong, now()
	return app, wrong
}

// parse reads the secret's value. No error tells anything of it.
func (s *AppSecret) parse(value []byte) (ownerrez.OAuthConfig, error) {
	filled, why := parseApp(value)
	switch {
	case why != "":
		return ownerrez.OAuthConfig{}, malformedApp(why)
	case filled == appDocument{}:
		return ownerrez.OAuthConfig{}, ErrNoApp
	}
	app := ownerrez.OAuthConfig{
		App: ownerrez.App{Name: s.AppName, Version: s.AppVersion, ClientID: filled.ClientID}, ClientSecret: filled.ClientSecret,
	}
	if _, err := ownerrez.NewAuthorizer(app); err != nil {
		return ownerrez.OAuthConfig{}, malformedApp("cannot be used: " + strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return app, nil
}

// appDocument is how an app's secret is filled.
type appDocument struct {
	ClientID        string `json:"client_id"`
	ClientSecret    string `json:"client_secret"`
	WebhookUser     string `json:"webhook_user"`
	WebhookPassword string `json:"webhook_password"`
}

// parseApp reads what an app's secret holds, and says what is wrong with it without telling anything of it. One that is
// empty is no app.
func parseApp(value []byte) (filled appDocument, why string) {
	text := trimSecret(value)
	if len(text) == 0 {
		return filled, ""
	}
	if text[0] != '{' || !decodeStrictly(text, &filled) {
		return appDocument{}, "is no JSON object with client_id and client_secret (and webhook_user and webhook_password), and nothing else"
	}
	for _, field := range []*string{&filled.ClientID, &filled.ClientSecret, &filled.WebhookUser, &filled.WebhookPassword} {
		*field = strings.TrimSpace(*field)
	}
	if (filled.WebhookUser == "") != (filled.WebhookPassword == "") {
		return appDocument{}, "has only one of webhook_user and webhook_password"
	}
	return filled, ""
}

func malformedApp(why string) error {
	return &MalformedError{Secret: "OAuth app", Why: why, Example: AppExample} //nolint:gosec // the words are no secret
}

// Format names the secret, whatever the verb.
func (s *AppSecret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.title()) }

// LogValue gives a structured logger the secret's name.
func (s *AppSecret) LogValue() slog.Value { return slog.StringValue(s.title()) }

// MarshalJSON gives the secret's name.
func (s *AppSecret) MarshalJSON() ([]byte, error) { return json.Marshal(s.title()) }

func (s *AppSecret) title() string { return "account.AppSecret(" + s.Name + ", hidden)" }
