// Package vaulttest checks that a vault.Vault, and a vault.Maker, keep to their contracts. Every engine runs it.
package vaulttest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
)

// Engine is a vault and what its tests need beside it.
type Engine struct {
	Vault vault.Vault
	// Create makes a secret with a name of its own, and with a first value as a person would fill it in; without
	// one if value is nil.
	Create func(t *testing.T, value []byte) (name string)
	// Interrupt does what a Replace does that is interrupted after it wrote its value down. It is nil for an
	// engine that replaces in one step, on which no value ever waits.
	Interrupt func(t *testing.T, name, old string, value []byte)
}

// Run checks the engine that open returns, in subtests of t. It is called once for each of them, and may return
// the same one each time.
func Run(t *testing.T, open func(t *testing.T) Engine) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, Engine)
	}{
		{"what is read", testGet},
		{"nothing to read", testGetNothing},
		{"replace", testReplace},
		{"replace is a compare-and-set", testCompare},
		{"the first value", testFirst},
		{"replace makes no secret", testReplaceMissing},
		{"values are any bytes", testBytes},
		{"values no engine takes", testInvalid},
		{"secrets are apart", testApart},
		{"ended context", testContext},
		{"nothing to adopt", testAdoptNothing},
		{"one of many replaces a version", testRace},
		{"one of many writes the first value", testRaceFirst},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, watched(t, open(t))) })
	}
	for _, test := range []struct {
		name string
		run  func(*testing.T, Engine)
	}{
		{"adopt", testAdopt},
		{"adopt a first value", testAdoptFirst},
		{"adopt what replaces another version", testAdoptStale},
		{"a replacement goes before what waits", testReplaceBefore},
		{"an outdated replacement leaves what waits", testReplaceOutdated},
		{"many adopt", testAdoptRace},
		{"many adopt while one replaces", testAdoptReplaceRace},
	} {
		t.Run(test.name, func(t *testing.T) {
			if e := open(t); e.Interrupt != nil {
				test.run(t, watched(t, e))
			}
		})
	}
}

// newValue is a value that was in no vault before.
func newValue() []byte { return []byte(canary + `{"token":"pt_test ` + rand.Text() + `"}`) }

func mustGet(t *testing.T, v vault.Vault, name string) vault.Secret {
	t.Helper()
	secret, err := v.Get(t.Context(), name)
	if err != nil {
		t.Fatalf("Get: %v", err)
	}
	return secret
}

func mustReplace(t *testing.T, v vault.Vault, name, old string, value []byte) (version string) {
	t.Helper()
	version, err := v.Replace(t.Context(), name, old, value)
	if err != nil {
		t.Fatalf("Replace: %v", err)
	}
	if version == "" || version == old {
		t.Fatalf("Replace returned version %q in place of %q, want a new one", version, old)
	}
	return version
}

// wantCurrent checks what is current.
func wantCurrent(t *testing.T, v vault.Vault, name, version string, value []byte) {
	t.Helper()
	secret := mustGet(t, v, name)
	if secret.Version != version {
		t.Errorf("version %q is current, want %q", secret.Version, version)
	}
	if !bytes.Equal(secret.Value, value) {
		t.Errorf("the current value is %.60q (%d bytes), want %.60q (%d bytes)", secret.Value, len(secret.Value), value, len(value))
	}
}

// wantError checks that a call fails as it must.
func wantError(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got error %v, want %v", what, err, want)
	}
}

func testGet(t *testing.T, e Engine) {
	value := newValue()
	name := e.Create(t, value)
	secret := mustGet(t, e.Vault, name)
	if secret.Version == "" {
		t.Error("the version is empty")
	}
	wantCurrent(t, e.Vault, name, secret.Version, value)
	clear(secret.Value)
	wantCurrent(t, e.Vault, name, secret.Version, value)
	if text := fmt.Sprintf("%v %+v %#v %s %q %x", secret, secret, secret, secret, secret, secret); leaks(text) {
		t.Errorf("a printed secret shows its value: %s", text)
	}
}

func testGetNothing(t *testing.T, e Engine) {
	for what, name := range map[string]string{
		"that does not exist": "missing-" + rand.Text(),
		"without a value":     e.Create(t, nil),
	} {
		secret, err := e.Vault.Get(t.Context(), name)
		wantError(t, "Get of a secret "+what, err, vault.ErrNotFound)
		if secret.Version != "" || secret.Value != nil {
			t.Errorf("Get of a secret %s returned something", what)
		}
	}
}

func testReplace(t *testing.T, e Engine) {
	value := newValue()
	name := e.Create(t, value)
	current := mustGet(t, e.Vault, name).Version
	seen := map[string]bool{current: true}
	for i := range 5 {
		if i != 3 { // once the value stays the same, which is a version all the same
			value = newValue()
		}
		given := bytes.Clone(value)
		current = mustReplace(t, e.Vault, name, current, given)
		clear(given)
		wantCurrent(t, e.Vault, name, current, value)
		if seen[current] {
			t.Errorf("version %q comes twice", current)
		}
		seen[current] = true
	}
}

func testCompare(t *testing.T, e Engine) {
	name := e.Create(t, newValue())
	first := mustGet(t, e.Vault, name).Version
	value := newValue()
	second := mustReplace(t, e.Vault, name, first, value)
	for what, old := range map[string]string{"an old version": first, "no version": "", "an unknown version": rand.Text() + rand.Text()} {
		version, err := e.Vault.Replace(t.Context(), name, old, newValue())
		wantError(t, "Replace of "+what, err, vault.ErrConflict)
		if version != "" {
			t.Errorf("Replace of %s returned version %q beside an error", what, version)
		}
		wantCurrent(t, e.Vault, name, second, value)
	}
	value = newValue()
	third := mustReplace(t, e.Vault, name, second, value)
	wantCurrent(t, e.Vault, name, third, value)
}

func testFirst(t *testing.T, e Engine) {
	name := e.Create(t, nil)
	_, err := e.Vault.Replace(t.Context(), name, rand.Text()+rand.Text(), newValue())
	wantError(t, "Replace of a version of a secret without a value", err, vault.ErrNotFound)
	value := newValue()
	first := mustReplace(t, e.Vault, name, "", value)
	wantCurrent(t, e.Vault, name, first, value)
	_, err = e.Vault.Replace(t.Context(), name, "", newValue())
	wantError(t, "Replace of no version of a secret with a value", err, vault.ErrConflict)
	wantCurrent(t, e.Vault, name, first, value)
	value = newValue()
	second := mustReplace(t, e.Vault, name, first, value)
	wantCurrent(t, e.Vault, name, second, value)
}

func testReplaceMissing(t *testing.T, e Engine) {
	e.Create(t, newValue()) // another one
	name := "missing-" + rand.Text()
	for _, old := range []string{"", rand.Text() + rand.Text()} {
		_, err := e.Vault.Replace(t.Context(), name, old, newValue())
		wantError(t, "Replace of a secret that does not exist", err, vault.ErrNotFound)
		_, err = e.Vault.Get(t.Context(), name)
		wantError(t, "Get after it", err, vault.ErrNotFound)
	}
}

func testApart(t *testing.T, e Engine) {
	values := [][]byte{newValue(), newValue()}
	names := []string{e.Create(t, values[0]), e.Create(t, values[1])}
	versions := []string{mustGet(t, e.Vault, names[0]).Version, mustGet(t, e.Vault, names[1]).Version}
	_, err := e.Vault.Replace(t.Context(), names[0], versions[1], newValue())
	wantError(t, "Replace of another secret's version", err, vault.ErrConflict)
	values[0] = newValue()
	versions[0] = mustReplace(t, e.Vault, names[0], versions[0], values[0])
	for i, name := range names {
		wantCurrent(t, e.Vault, name, versions[i], values[i])
	}
}

func testContext(t *testing.T, e Engine) {
	value := newValue()
	name := e.Create(t, value)
	version := mustGet(t, e.Vault, name).Version
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	for ctx, want := range map[context.Context]error{canceled: context.Canceled, late: context.DeadlineExceeded} {
		_, err := e.Vault.Get(ctx, name)
		wantError(t, "Get", err, want)
		_, err = e.Vault.Replace(ctx, name, version, newValue())
		wantError(t, "Replace", err, want)
		_, err = e.Vault.Replace(ctx, name, version, nil)
		wantError(t, "Replace by an empty value", err, want)
		_, err = e.Vault.Adopt(ctx, name, version)
		wantError(t, "Adopt", err, want)
	}
	_, err := e.Vault.Adopt(t.Context(), name, version)
	wantError(t, "Adopt after Replace with ended contexts", err, vault.ErrNotFound)
	wantCurrent(t, e.Vault, name, version, value)
}
