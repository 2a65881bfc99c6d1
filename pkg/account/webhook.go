package account

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
)

// webhookContext keeps the key's use for webhooks apart from any other.
const webhookContext = "ownerrez-lambda webhook of account "

// WebhookURL is where OwnerRez is to post what happens in an account: base, the account's number, and a code that only
// who knows the key can make. OwnerRez signs nothing, so that the URL is what lets it in: it is a secret.
func WebhookURL(base string, key []byte, id int64) string {
	return base + strconv.FormatInt(id, 10) + "/" + webhookCode(key, id)
}

// IsWebhookCode reports whether a code is the account's, by one of the keys. It takes the same time whatever is wrong.
func IsWebhookCode(keys [][]byte, id int64, code string) bool {
	ok := false
	for _, key := range keys {
		ok = hmac.Equal([]byte(webhookCode(key, id)), []byte(code)) || ok
	}
	return ok
}

func webhookCode(key []byte, id int64) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(webhookContext + strconv.FormatInt(id, 10)))
	return hex.EncodeToString(mac.Sum(nil)[:20])
}

// WebhookCredentials let OwnerRez's webhooks in: those of now, and those before, since OwnerRez may not know the newest
// yet. Printed, logged or made JSON of, they show nothing.
type WebhookCredentials struct {
	Keys  [][]byte      // make the accounts' codes
	Pairs []WebhookPair // of the app's own address; none: it is closed
	Wrong error         // nil, or a *MalformedError: the app's secret was filled in a wrong way, so that one pair may be missing
}

// WebhookPair is a user and a password.
type WebhookPair struct{ User, Password string }

// Format shows nothing, whatever the verb.
func (WebhookPair) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "account.WebhookPair(hidden)")
}

// Format shows nothing, whatever the verb.
func (WebhookCredentials) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "account.WebhookCredentials(hidden)")
}

// LogValue shows nothing.
func (c WebhookCredentials) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(c)) }

// MarshalJSON shows nothing.
func (c WebhookCredentials) MarshalJSON() ([]byte, error) { return json.Marshal(fmt.Sprint(c)) }

// WebhookSecrets are the secrets by which webhooks are let in: one that holds a key, and the one of the OAuth app, which
// may hold a user and a password. Its fields are set once, before use; it is safe for concurrent use.
type WebhookSecrets struct {
	Vault vault.History
	Key   string           // the name of the key's secret
	App   string           // the name of the app's secret, see AppSecret; empty: there is none
	Now   func() time.Time // nil means time.Now

	mu    sync.Mutex // held while secrets are read: one at a time is enough
	known WebhookCredentials
	read  time.Time // when they were read last
}

// Credentials are what the secrets hold. They were read at most five minutes ago, and just now with again. It returns
// ErrVault if a secret cannot be read.
func (s *WebhookSecrets) Credentials(ctx context.Context, again bool) (WebhookCredentials, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now
	if s.Now != nil {
		now = s.Now
	}
	if age := now().Sub(s.read); !again && !s.read.IsZero() && age >= 0 && age < rereadEvery {
		return s.known, nil
	}
	var known WebhookCredentials
	keys, err := s.values(ctx, s.Key)
	if err != nil {
		return WebhookCredentials{}, err
	}
	known.Keys = keys
	apps, err := s.values(ctx, s.App)
	if err != nil {
		return WebhookCredentials{}, err
	}
	for i, value := range apps {
		switch filled, why := parseApp(value); {
		case why != "" && i == 0:
			known.Wrong = malformedApp(why)
		case filled.WebhookUser != "":
			known.Pairs = append(known.Pairs, WebhookPair{filled.WebhookUser, filled.WebhookPassword})
		}
	}
	s.known, s.read = known, now()
	return known, nil
}

// CurrentKey is the key that makes the addresses of accounts. It returns vault.ErrNotFound if there is none.
func (s *WebhookSecrets) CurrentKey(ctx context.Context) ([]byte, error) {
	known, err := s.Credentials(ctx, false)
	if err != nil {
		return nil, err
	}
	if len(known.Keys) == 0 {
		return nil, fmt.Errorf("the key of webhooks: %w", vault.ErrNotFound)
	}
	return known.Keys[0], nil
}

// values are what a secret holds and held before, the former first.
func (s *WebhookSecrets) values(ctx context.Context, name string) (values [][]byte, err error) {
	if name == "" {
		return nil, nil
	}
	for _, get := range []func(context.Context, string) (vault.Secret, error){s.Vault.Get, s.Vault.Previous} {
		secret, err := get(ctx, name)
		switch {
		case errors.Is(err, vault.ErrNotFound):
		case err != nil:
			return nil, fmt.Errorf("reading the credentials of webhooks: %w: %w", ErrVault, err)
		default:
			values = append(values, secret.Value)
		}
	}
	return values, nil
}

// Format names the secrets, whatever the verb.
func (s *WebhookSecrets) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "account.WebhookSecrets("+s.Key+", hidden)")
}
