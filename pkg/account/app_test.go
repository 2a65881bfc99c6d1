package account_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
)

const appName = "the app's secret"

// appWorld is an app whose secret can be filled.
func appWorld(t *testing.T) (app *account.AppSecret, fill func(string), clock *time.Time) {
	t.Helper()
	v := &safeVault{safe: newSafe()}
	v.create(appName, nil)
	now := time.Date(2026, 11, 25, 6, 0, 0, 0, time.UTC)
	app = &account.AppSecret{Vault: v, Name: appName, AppName: "My App", AppVersion: "1.0", Now: func() time.Time { return now }}
	fill = func(value string) { v.create(appName, []byte(value)) }
	return app, fill, &now
}

func TestAppSecret(t *testing.T) {
	app, fill, now := appWorld(t)
	if _, err := app.App(t.Context()); !errors.Is(err, account.ErrNoApp) {
		t.Errorf("without a value: %v", err)
	}
	fill("\ufeff" + `{"client_id":" c_51234234 ","client_secret":"s_test","webhook_user":"hook","webhook_password":"hookpass"}` + "\n")
	if _, err := app.App(t.Context()); !errors.Is(err, account.ErrNoApp) {
		t.Errorf("read again too early: %v", err)
	}
	*now = now.Add(5 * time.Minute)
	got, err := app.App(t.Context())
	if err != nil || got.App.UserAgent() != "My App/1.0 (c_51234234)" || got.ClientSecret != "s_test" || got.RedirectURL != "" {
		t.Errorf("%v, %v", got, err)
	}
	fill(`{}`)
	if _, err := app.App(t.Context()); err != nil {
		t.Errorf("read again too early: %v", err)
	}
	*now = now.Add(5 * time.Minute)
	if got, err := app.App(t.Context()); !errors.Is(err, account.ErrNoApp) || got.ClientSecret != "" {
		t.Errorf("emptied: %v", err)
	}
}

func TestAppSecretMalformed(t *testing.T) {
	app, fill, now := appWorld(t)
	for value, says := range map[string]string{
		"s_test":           "no JSON object",
		`["c_1","s_test"]`: "no JSON object",
		`null`:             "no JSON object",
		`{"client_id":"c_1","client_secret":"s_test","x":1}`:                  "nothing else",
		`{"client_id":"c_1","client_secret":"s_test"} {}`:                     "nothing else",
		`{"client_id":"c_1"}`:                                                 "secret",
		`{"client_secret":"s_test"}`:                                          "client id",
		`{"client_id":"s_test","client_secret":"c_1"}`:                        "c_",
		`{"client_id":"c_1","client_secret":"s_te st"}`:                       "spaces",
		`{"client_id":"c_1","client_secret":"s_test","webhook_user":"u"}`:     "only one",
		`{"client_id":"c_1","client_secret":"s_test","webhook_password":"u"}`: "only one",
	} {
		fill(value)
		*now = now.Add(5 * time.Minute)
		_, err := app.App(t.Context())
		wrong := (*account.MalformedError)(nil)
		if !errors.As(err, &wrong) || !strings.Contains(wrong.Why, says) || wrong.Example != account.AppExample || !strings.Contains(err.Error(), "OAuth app") {
			t.Errorf("%s: %v", value, err)
		}
		if strings.Contains(fmt.Sprintf("%v %+v", err, app), "s_te") {
			t.Errorf("%s: shown in %v, or in %+v", value, err, app)
		}
	}
}

// Printed, logged or encoded in whatever way it shows no secret.
func TestAppSecretShowsNoSecret(t *testing.T) {
	app, fill, _ := appWorld(t)
	fill(`{"client_id":"c_1","client_secret":"s_canary","webhook_user":"hook","webhook_password":"s_canary"}`)
	got, err := app.App(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	app.Vault = nil // a vault in memory shows what it holds
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "value", app)
	encoded, _ := json.Marshal(app)
	text := fmt.Sprintf("%v %+v %#v %s %q %d %v", app, app, app, app, app, app, got) + log.String() + string(encoded)
	if strings.Contains(text, "canary") || !strings.Contains(text, appName) {
		t.Error(text)
	}
	inside := reflect.ValueOf(app).Elem() // the struct itself, as part of another one
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "value", inside)
	if text := fmt.Sprintf("%v %+v %#v", inside, inside, inside) + log.String(); strings.Contains(text, "canary") {
		t.Error(text)
	}
}

// A vault that fails says nothing of the app.
func TestAppSecretVaultFails(t *testing.T) {
	app, fill, _ := appWorld(t)
	fill(`{"client_id":"c_1","client_secret":"s_test"}`)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := app.App(ctx); !errors.Is(err, account.ErrVault) || errors.Is(err, vault.ErrNotFound) {
		t.Errorf("%v", err)
	}
	if _, err := app.App(t.Context()); err != nil {
		t.Errorf("and then: %v", err)
	}
}
