package vault_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
)

// TestSecretIsNotPrinted prints a secret in every way that a program may print it by mistake.
func TestSecretIsNotPrinted(t *testing.T) {
	const value = "canary in the vault"
	secret := vault.Secret{Version: "version-7", Value: []byte(value)}
	within := struct {
		Name   string
		Secret *vault.Secret
		All    []vault.Secret
	}{"name", &secret, []vault.Secret{secret}}

	var printed []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%c", "%t", "%z", "% x", "%10s"} {
		for _, v := range []any{secret, &secret, within, map[string]vault.Secret{"a": secret}} {
			printed = append(printed, fmt.Sprintf(verb, v))
		}
	}
	printed = append(printed, fmt.Sprint(secret), fmt.Sprintln(within), fmt.Errorf("failed: %v", secret).Error())
	var logged bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&logged, nil), slog.NewJSONHandler(&logged, nil)} {
		slog.New(handler).Info("secret", "secret", secret, "pointer", &secret, "within", within)
	}
	printed = append(printed, logged.String())
	encoded, err := json.Marshal(within)
	if err != nil {
		t.Fatal(err)
	}
	printed = append(printed, string(encoded))

	decimal := strings.Trim(fmt.Sprintf("%d", []byte(value)), "[]")
	for _, text := range printed {
		for _, leak := range []string{value, decimal, hex.EncodeToString([]byte(value)), fmt.Sprintf("% x", value), base64.StdEncoding.EncodeToString([]byte(value))} {
			if strings.Contains(strings.ToLower(text), strings.ToLower(leak)) {
				t.Errorf("a printed secret shows its value: %s", text)
			}
		}
	}
	if want := `"secret":"secret version version-7"`; !strings.Contains(logged.String(), want) {
		t.Errorf("a logged secret is not %s in\n%s", want, logged.String())
	}
	if got, want := fmt.Sprint(secret), `secret version "version-7"`; got != want {
		t.Errorf("a printed secret is %s, want %s", got, want)
	}
	if got, want := string(encoded), `{"Name":"name","Secret":{"version":"version-7"},"All":[{"version":"version-7"}]}`; got != want {
		t.Errorf("a secret in JSON is %s, want %s", got, want)
	}
}

func TestCheck(t *testing.T) {
	for size, valid := range map[int]bool{0: false, 1: true, vault.MaxValue: true, vault.MaxValue + 1: false} {
		err := vault.Check(make([]byte, size))
		if valid != (err == nil) || !valid && !errors.Is(err, vault.ErrInvalid) {
			t.Errorf("a value of %d bytes: %v", size, err)
		}
	}
}
