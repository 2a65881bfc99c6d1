package ownerreztest

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// App is an OAuth app as its maker registered it with OwnerRez.
type App struct {
	ClientID     string // "c_…"
	ClientSecret string // "s_…"
	Name         string // shown to the host who is asked for consent
	RedirectURL  string // where the host's browser returns to; requests must name the same, to the letter

	// Where the app wants to be told what happens in all accounts that let it in; empty: nowhere.
	WebhookURL, WebhookUser, WebhookPassword string
}

// tokenKind is what a token is good for.
type tokenKind string

const (
	accessToken       tokenKind = "at"
	refreshToken      tokenKind = "rt"
	authorizationCode tokenKind = "tc"
)

// codeLife is how long an authorization code can be exchanged.
const codeLife = 10 * time.Minute

// token is an access token, a refresh token or an authorization code.
type token struct {
	kind     tokenKind
	account  int64
	client   string
	redirect string    // of a code
	expires  time.Time // zero: never
	ended    bool      // revoked or used up
}

// valid reports whether the token can be used.
func (t *token) valid(now time.Time) bool {
	return !t.ended && (t.expires.IsZero() || now.Before(t.expires))
}

// AddApp registers an OAuth app, or replaces the one with its client id.
func (s *Server) AddApp(app App) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apps[app.ClientID] = app
	s.keepSecrets(app.ClientSecret)
}

// RevokeAccess ends all OAuth tokens of an account, as the host can do it in OwnerRez: from then on they are
// answered with 401.
func (s *Server) RevokeAccess(accountID int64) {
	acc, unlock := s.open(accountID)
	defer unlock()
	s.tellApps(acc, map[string]any{
		"user_id": acc.ID, "action": "application_authorization_revoked", "entity_type": "api_application", "entity_id": 55,
	})
	acc.AccessToken = ""
	for _, t := range s.tokens {
		if t.account == accountID {
			t.ended = true
		}
	}
}

// Secrets returns every personal token, access token, refresh token, code, client secret and webhook URL that the
// server has known so far, for tests that make sure that none of them is found where it does not belong.
func (s *Server) Secrets() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.secrets))
}

// keepSecrets remembers texts that must not be found anywhere. The server is locked.
func (s *Server) keepSecrets(texts ...string) {
	for _, text := range texts {
		if text != "" {
			s.secrets[text] = true
		}
	}
}

// issue makes a token. The server is locked.
func (s *Server) issue(t token) string {
	s.issued++
	text := fmt.Sprintf("%s_fake%04d", t.kind, s.issued)
	s.tokens[text] = &t
	s.keepSecrets(text)
	return text
}
