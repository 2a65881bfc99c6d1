package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
)

// maxPersonal is how many accounts' personal tokens one address may use in 24 hours
// (https://www.ownerrez.com/support/articles/api-authentication).
const maxPersonal = 2

// rereadEvery is how old what was read from a vault may be.
const rereadEvery = 5 * time.Minute

// PersonalExample is what a secret with a personal token holds.
const PersonalExample = `{"email":"you@example.com","token":"pt_…"}`

// Personal is a Source of the personal tokens that a secret holds: an object with e-mail and token, or a list of at
// most two of them; an empty object, an empty list and a secret without a value are none. It is safe for concurrent
// use.
type Personal struct {
	Vault   vault.Vault
	Name    string                                // of the secret
	Key     func(context.Context) ([]byte, error) // keys the fingerprints
	Options []ownerrez.Option                     // for clients of these credentials
	Now     func() time.Time                      // nil means time.Now

	mu    sync.Mutex // held while the secret is read: one at a time is enough
	creds []Credential
	wrong error     // a *MalformedError, if the secret was filled in a wrong way
	read  time.Time // when the secret was read last; zero: never, or it is to be read again
}

// Credentials implements Source. What it returns was read at most five minutes ago, and after the last Forget.
// A secret that was filled in a wrong way is a *MalformedError.
func (p *Personal) Credentials(ctx context.Context) ([]Credential, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if age := now.Sub(p.read); !p.read.IsZero() && age >= 0 && age < rereadEvery {
		return p.creds, p.wrong
	}
	creds, err := p.reread(ctx)
	if err != nil && !errors.As(err, new(*MalformedError)) {
		return nil, err
	}
	p.creds, p.wrong, p.read = creds, err, now
	return creds, err
}

// reread reads the secret.
func (p *Personal) reread(ctx context.Context) ([]Credential, error) {
	secret, err := p.Vault.Get(ctx, p.Name)
	if err != nil && !errors.Is(err, vault.ErrNotFound) {
		return nil, fmt.Errorf("reading the personal token: %w", err)
	}
	tokens, err := parsePersonal(secret.Value)
	if err != nil {
		return nil, err
	}
	return p.credentials(ctx, tokens)
}

// Forget lets the secret be read again when it is needed next.
func (p *Personal) Forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.read = time.Time{}
}

// ObserveRefusal lets the secret be read again after OwnerRez refused a token. It is made for
// ownerrez.WithObserver.
func (p *Personal) ObserveRefusal(_ context.Context, e ownerrez.Exchange) {
	if e.Status == 401 {
		p.Forget()
	}
}

func (p *Personal) credentials(ctx context.Context, tokens []personalToken) ([]Credential, error) {
	if len(tokens) == 0 {
		return nil, nil
	}
	key, err := p.Key(ctx)
	if err != nil {
		return nil, err
	}
	creds := make([]Credential, 0, len(tokens))
	for i, t := range tokens {
		cred := Credential{
			Fingerprint: Fingerprint(key, t.Email, t.Token),
			PATUser:     Fingerprint(key, strings.ToLower(t.Email)),
			Auth:        ownerrez.PAT(t.Email, t.Token),
			Options:     p.Options,
		}
		if _, err := cred.Open(); err != nil {
			return nil, malformed("has an entry that cannot be used (number %d): %w", i+1, err)
		}
		creds = append(creds, cred)
	}
	return creds, nil
}

func (p *Personal) now() time.Time {
	if p.Now == nil {
		return time.Now()
	}
	return p.Now()
}

// personalToken is one entry of the secret.
type personalToken struct {
	Email string `json:"email"`
	Token string `json:"token"`
}

// parsePersonal reads the secret's value. No error tells anything of it.
func parsePersonal(value []byte) ([]personalToken, error) {
	text := trimSecret(value)
	var entries []json.RawMessage
	switch {
	case len(text) == 0:
		return nil, nil
	case text[0] == '{':
		entries = []json.RawMessage{text}
	case json.Unmarshal(text, &entries) != nil:
		return nil, malformed("is neither a JSON object nor a list of them")
	}
	var tokens []personalToken
	for i, entry := range entries {
		var t personalToken
		if !decodeStrictly(entry, &t) {
			return nil, malformed("has an entry (number %d) that is no JSON object with email and token, and nothing else", i+1)
		}
		t.Email, t.Token = strings.TrimSpace(t.Email), strings.TrimSpace(t.Token)
		switch {
		case t == personalToken{}:
			continue
		case t.Email == "" || t.Token == "":
			return nil, malformed("has an entry (number %d) without an email or without a token", i+1)
		}
		tokens = append(tokens, t)
	}
	if len(tokens) > maxPersonal {
		return nil, malformed("holds %d accounts; OwnerRez lets one address use personal tokens of %d in 24 hours", len(tokens), maxPersonal)
	}
	return tokens, nil
}

func malformed(format string, args ...any) error {
	return &MalformedError{
		Secret: "personal token", Why: fmt.Errorf(format, args...).Error(),
		Example: PersonalExample + ", or with a list of at most two of these",
	}
}
