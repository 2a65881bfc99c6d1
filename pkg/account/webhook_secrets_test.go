package account_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
)

// pastVault is a vault that knows what each secret held before.
type pastVault struct {
	*safeVault
	before map[string]string
	reads  int
	broken bool
}

func (h *pastVault) Get(ctx context.Context, name string) (vault.Secret, error) {
	h.reads++
	if h.broken {
		return vault.Secret{}, errCut
	}
	return h.safeVault.Get(ctx, name)
}

func (h *pastVault) Previous(_ context.Context, name string) (vault.Secret, error) {
	if value, ok := h.before[name]; ok {
		return vault.Secret{Version: "before", Value: []byte(value)}, nil
	}
	return vault.Secret{}, vault.ErrNotFound
}

// Current and previous credentials let webhooks in; they are read every five minutes, and again when asked.
func TestWebhookSecrets(t *testing.T) {
	h := &pastVault{safeVault: &safeVault{safe: newSafe()}, before: map[string]string{}}
	now := time.Date(2026, 11, 25, 6, 0, 0, 0, time.UTC)
	s := &account.WebhookSecrets{Vault: h, Key: "key", App: "app", Now: func() time.Time { return now }}
	read := func(again bool) string {
		t.Helper()
		c, err := s.Credentials(t.Context(), again)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, key := range c.Keys {
			all = append(all, string(key))
		}
		for _, pair := range c.Pairs {
			all = append(all, pair.User+":"+pair.Password)
		}
		return strings.Join(all, " ")
	}
	if got := read(false); got != "" {
		t.Errorf("nothing is configured: %s", got)
	}
	if _, err := s.CurrentKey(t.Context()); !errors.Is(err, vault.ErrNotFound) {
		t.Errorf("%v", err)
	}
	h.create("key", []byte("k2"))
	h.before["key"] = "k1"
	h.create("app", []byte(`{"client_id":"c_1","client_secret":"s_test","webhook_user":"u2","webhook_password":"p2"}`))
	h.before["app"] = `{"client_id":"c_1","client_secret":"s_test","webhook_user":" u1 ","webhook_password":"p1"}`
	if got := read(false); got != "" {
		t.Errorf("read again too early: %s", got)
	}
	if got := read(true); got != "k2 k1 u2:p2 u1:p1" {
		t.Errorf("%s", got)
	}
	if key, err := s.CurrentKey(t.Context()); err != nil || string(key) != "k2" {
		t.Errorf("%s, %v", key, err)
	}
	h.create("app", []byte(`{"webhook_user":"u3"}`)) // filled in a wrong way, it lets nobody in, and is told
	h.before["app"] = `{"client_id":"c_1","client_secret":"s_test","webhook_user":"u2","webhook_password":"p2"}`
	if c, err := s.Credentials(t.Context(), true); err != nil || len(c.Pairs) != 1 || c.Pairs[0].User != "u2" || !isMalformed(c.Wrong) {
		t.Errorf("%v, %v", c.Wrong, err)
	}
	h.create("app", []byte(`{"client_id":"c_1","client_secret":"s_test"}`))
	h.before["app"] = `{"webhook_user":"u3"}` // what was wrong before no longer counts
	now = now.Add(5 * time.Minute)
	if got := read(false); got != "k2 k1" {
		t.Errorf("%s", got)
	}
	if c, err := s.Credentials(t.Context(), false); err != nil || c.Wrong != nil {
		t.Errorf("%v, %v", c.Wrong, err)
	}
	h.broken = true
	if _, err := s.Credentials(t.Context(), true); !errors.Is(err, account.ErrVault) {
		t.Errorf("%v", err)
	}
	if got := read(false); got != "k2 k1" { // what was read before still counts
		t.Errorf("%s", got)
	}
}

func isMalformed(err error) bool { _, ok := errors.AsType[*account.MalformedError](err); return ok }

// Whatever is printed of them shows nothing.
func TestWebhookCredentialsShowNothing(t *testing.T) {
	c := account.WebhookCredentials{Keys: [][]byte{[]byte("canary")}, Pairs: []account.WebhookPair{{User: "canary", Password: "canary"}}}
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	s := &account.WebhookSecrets{Vault: &pastVault{}, Key: "key"}
	all := fmt.Sprintf("%v %+v %#v %s %v %+v %s %s %v", c, c, c, c, c.Pairs[0], &c, text, c.LogValue(), s)
	if strings.Contains(all, "canary") || strings.Contains(all, "99 97 110") {
		t.Errorf("%s", all)
	}
}
