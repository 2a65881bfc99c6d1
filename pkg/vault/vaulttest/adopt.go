package vaulttest

import (
	"bytes"
	"crypto/rand"
	"testing"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
)

func mustAdopt(t *testing.T, v vault.Vault, name, old string, value []byte) (version string) {
	t.Helper()
	secret, err := v.Adopt(t.Context(), name, old)
	if err != nil {
		t.Fatalf("Adopt: %v", err)
	}
	if secret.Version == "" || secret.Version == old || !bytes.Equal(secret.Value, value) {
		t.Fatalf("Adopt returned %q at version %q, want %q at a new version", secret.Value, secret.Version, value)
	}
	return secret.Version
}

// wantNothingWaits checks that there is nothing to adopt in place of the current version.
func wantNothingWaits(t *testing.T, v vault.Vault, name, current string) {
	t.Helper()
	_, err := v.Adopt(t.Context(), name, current)
	wantError(t, "Adopt of what does not wait", err, vault.ErrNotFound)
}

func testAdoptNothing(t *testing.T, e Engine) {
	value := newValue()
	name := e.Create(t, value)
	first := mustGet(t, e.Vault, name).Version
	wantNothingWaits(t, e.Vault, name, first)
	value = newValue()
	second := mustReplace(t, e.Vault, name, first, value)
	wantNothingWaits(t, e.Vault, name, second)
	for what, old := range map[string]string{"an old version": first, "no version": "", "an unknown version": rand.Text() + rand.Text()} {
		_, err := e.Vault.Adopt(t.Context(), name, old)
		wantError(t, "Adopt in place of "+what, err, vault.ErrConflict)
	}
	wantCurrent(t, e.Vault, name, second, value)
	for what, nothing := range map[string]string{"that does not exist": "missing-" + rand.Text(), "without a value": e.Create(t, nil)} {
		for _, old := range []string{"", second} {
			_, err := e.Vault.Adopt(t.Context(), nothing, old)
			wantError(t, "Adopt of a secret "+what, err, vault.ErrNotFound)
		}
	}
}

func testAdopt(t *testing.T, e Engine) {
	first := newValue()
	name := e.Create(t, first)
	version := mustGet(t, e.Vault, name).Version
	for range 3 {
		value := newValue()
		e.Interrupt(t, name, version, value)
		wantCurrent(t, e.Vault, name, version, first)
		for what, old := range map[string]string{"no version": "", "an unknown version": rand.Text() + rand.Text()} {
			_, err := e.Vault.Adopt(t.Context(), name, old)
			wantError(t, "Adopt in place of "+what, err, vault.ErrConflict)
		}
		wantCurrent(t, e.Vault, name, version, first)
		before := version
		version = mustAdopt(t, e.Vault, name, before, value)
		wantCurrent(t, e.Vault, name, version, value)
		_, err := e.Vault.Adopt(t.Context(), name, before)
		wantError(t, "Adopt once more", err, vault.ErrConflict)
		wantNothingWaits(t, e.Vault, name, version)

		first = newValue()
		version = mustReplace(t, e.Vault, name, version, first)
		wantNothingWaits(t, e.Vault, name, version)
		wantCurrent(t, e.Vault, name, version, first)
	}
}

// testAdoptFirst interrupts the writing of a first value. There are engines on which it is current at once.
func testAdoptFirst(t *testing.T, e Engine) {
	name := e.Create(t, nil)
	value := newValue()
	e.Interrupt(t, name, "", value)
	if _, err := e.Vault.Get(t.Context(), name); err != nil {
		wantError(t, "Get", err, vault.ErrNotFound)
		mustAdopt(t, e.Vault, name, "", value)
	}
	version := mustGet(t, e.Vault, name).Version
	wantCurrent(t, e.Vault, name, version, value)
	wantNothingWaits(t, e.Vault, name, version)
}

// testAdoptStale leaves a value behind that waits to replace a version which another value has replaced.
func testAdoptStale(t *testing.T, e Engine) {
	name := e.Create(t, newValue())
	version := mustGet(t, e.Vault, name).Version
	for range 3 {
		e.Interrupt(t, name, version, newValue())
		e.Interrupt(t, name, version, newValue())
		value := newValue()
		version = mustReplace(t, e.Vault, name, version, value)
		wantNothingWaits(t, e.Vault, name, version)
		wantCurrent(t, e.Vault, name, version, value)

		value = newValue()
		version = mustReplace(t, e.Vault, name, version, value)
		wantNothingWaits(t, e.Vault, name, version)
		wantCurrent(t, e.Vault, name, version, value)

		e.Interrupt(t, name, version, value)
		version = mustAdopt(t, e.Vault, name, version, value)
		wantCurrent(t, e.Vault, name, version, value)
	}
}

func testReplaceBefore(t *testing.T, e Engine) {
	name := e.Create(t, newValue())
	first := mustGet(t, e.Vault, name).Version
	e.Interrupt(t, name, first, newValue())
	value := newValue()
	second := mustReplace(t, e.Vault, name, first, value)
	_, err := e.Vault.Adopt(t.Context(), name, first)
	wantError(t, "Adopt in place of what was replaced meanwhile", err, vault.ErrConflict)
	wantCurrent(t, e.Vault, name, second, value)
}

// testReplaceOutdated has a writer that does not know what is current come across a value that waits.
func testReplaceOutdated(t *testing.T, e Engine) {
	name := e.Create(t, newValue())
	first := mustGet(t, e.Vault, name).Version
	second := mustReplace(t, e.Vault, name, first, newValue())
	value := newValue()
	e.Interrupt(t, name, second, value)
	for _, old := range []string{first, ""} {
		_, err := e.Vault.Replace(t.Context(), name, old, newValue())
		wantError(t, "Replace of an old version", err, vault.ErrConflict)
	}
	third := mustAdopt(t, e.Vault, name, second, value)
	wantCurrent(t, e.Vault, name, third, value)
}
