package account_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault/file"
)

// What this release cannot read is left as it is, and nothing is asked.
func TestKeeperUnreadable(t *testing.T) {
	whole := func(c account.Connection) string { value, _ := c.Encode(); return string(value) }
	for name, edit := range map[string]func(c account.Connection) string{
		"nothing": func(account.Connection) string { return "{}" },
		"text":    func(account.Connection) string { return "pt_canary" },
		"newer": func(c account.Connection) string {
			return strings.Replace(whole(c), `"format":1`, `"format":2,"x":1`, 1)
		},
		"more": func(c account.Connection) string {
			return strings.Replace(whole(c), `"format":1`, `"format":1,"x":1`, 1)
		},
		"twice":         func(c account.Connection) string { return whole(c) + whole(c) },
		"cut":           func(c account.Connection) string { text := whole(c); return text[:len(text)-9] },
		"no token":      func(c account.Connection) string { return strings.Replace(whole(c), "at_", "xx_", 1) },
		"other account": func(c account.Connection) string { return strings.Replace(whole(c), "123456", "7", 1) },
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, ownerreztest.Quirks{TokensExpireIn: month}, func(t *testing.T, w *world) {
				s := w.sandbox()
				c, _ := w.stored()
				value := edit(c)
				w.fill([]byte(value))
				time.Sleep(25 * 24 * time.Hour)
				_, err := s.keeper.Token(t.Context())
				for _, err := range []error{err, s.keeper.Prepare(t.Context()), s.call()} {
					if !errors.As(err, new(*account.UnreadableTokenError)) || strings.Contains(err.Error(), "canary") {
						t.Errorf("%v", err)
					}
					w.wantNoSecret("the error", fmt.Sprintf("%v %+v %#v", err, err, err))
				}
				w.wantAsked(0)
				if secret, err := s.vault.Get(t.Context(), secretName); err != nil || string(secret.Value) != value {
					t.Error("it was changed", err)
				}
			})
		})
	}
}

// An account that left has no token, and a grant does not bring it back.
func TestKeeperGone(t *testing.T) {
	inWorld(t, ownerreztest.Quirks{TokensExpireIn: month}, func(t *testing.T, w *world) {
		s := w.sandbox()
		time.Sleep(20 * 24 * time.Hour)
		s.road = func(do func() error) error {
			w.safe.mu.Lock()
			delete(w.safe.secrets, secretName)
			w.safe.mu.Unlock()
			return do()
		}
		_ = s.run()
		time.Sleep(5 * time.Minute)
		if err := s.run(); !errors.Is(err, vault.ErrNotFound) || !errors.Is(err, account.ErrVault) {
			t.Errorf("%v", err)
		}
	})
}

func TestKeeperFingerprint(t *testing.T) {
	inWorld(t, ownerreztest.Quirks{TokensExpireIn: month}, func(t *testing.T, w *world) {
		s := w.sandbox()
		print := func() string {
			t.Helper()
			s.keeper.Forget(t.Context())
			cred, err := s.keeper.Credential(t.Context(), []byte("key"), keeperApp)
			if err != nil || cred.PATUser != "" || cred.Prepare == nil {
				t.Fatal(err)
			}
			return cred.Fingerprint
		}
		first := print()
		time.Sleep(20 * 24 * time.Hour)
		s.mustRun()
		w.wantAsked(1)
		if print() != first {
			t.Error("a refresh changed the fingerprint")
		}
		w.store(w.connect())
		if print() == first {
			t.Error("the host connected again, and the fingerprint is the same")
		}
	})
}

// The file on a laptop does as well.
func TestKeeperWithFile(t *testing.T) {
	v, err := file.Open(filepath.Join(t.TempDir(), "secrets.json"))
	if err != nil {
		t.Fatal(err)
	}
	inWorld(t, ownerreztest.Quirks{TokensExpireIn: month, RefreshRotates: true}, func(t *testing.T, w *world) {
		c, _ := w.stored()
		value, _ := c.Encode()
		if _, err := v.Create(t.Context(), secretName, value); err != nil {
			t.Fatal(err)
		}
		keeper := account.NewKeeper(v, secretName, userID, w.authorize(w.door), nil)
		for range 3 {
			time.Sleep(20 * 24 * time.Hour)
			if err := keeper.Prepare(t.Context()); err != nil || keeper.Trouble() != nil {
				t.Fatal(err, keeper.Trouble())
			}
			token, err := keeper.Token(t.Context())
			if err != nil || !w.works(token) || !token.Expiry.Equal(time.Now().Add(month)) {
				t.Errorf("%v, %v", token, err)
			}
		}
	})
}

// No verb, logger or encoder shows a secret.
func TestKeeperHidesSecrets(t *testing.T) {
	inWorld(t, ownerreztest.Quirks{TokensExpireIn: month}, func(t *testing.T, w *world) {
		s := w.sandbox()
		w.server.Fault(ownerreztest.Fault{Match: ownerreztest.MatchPath("/oauth/access_token"), Times: -1, Do: ownerreztest.Status(503)})
		time.Sleep(20 * 24 * time.Hour)
		s.mustRun()
		c, _ := w.stored()
		cred, err := s.keeper.Credential(t.Context(), []byte("key"), keeperApp)
		if err != nil {
			t.Fatal(err)
		}
		_, bad := account.ParseConnection([]byte(c.Token.AccessToken))
		for _, value := range []any{c, &c, s.keeper, *s.keeper, cred, s.keeper.Trouble(), *s.keeper.Trouble(), bad, struct{ C account.Connection }{c}} {
			var log bytes.Buffer
			slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "value", value)
			slog.New(slog.NewTextHandler(&log, nil)).Info("x", "value", value)
			text, _ := json.Marshal(value)
			w.wantNoSecret(fmt.Sprintf("%T", value), fmt.Sprintf("%v %+v %#v %s %q %d %x", value, value, value, value, value, value, value)+log.String()+string(text))
		}
		if text := fmt.Sprint(s.keeper, c); !strings.Contains(text, "123456") {
			t.Error(text)
		}
	})
}

// A note from a clock that goes wrong does not stop refreshes.
func TestKeeperWrongClock(t *testing.T) {
	inWorld(t, ownerreztest.Quirks{TokensExpireIn: month}, func(t *testing.T, w *world) {
		s := w.sandbox()
		c, _ := w.stored()
		value, err := c.Encode()
		if err != nil {
			t.Fatal(err)
		}
		w.fill([]byte(strings.TrimSuffix(string(value), "}") + `,"refresh":{"id":"x","began":"2030-01-01T00:00:00Z","tries":1}}`))
		time.Sleep(20 * 24 * time.Hour)
		s.mustRun()
		w.wantAsked(1)
	})
}
