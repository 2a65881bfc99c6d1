package vaulttest

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
)

// canary begins the values of the tests. It is of 15 bytes, so that all base64 of a value begins with its base64.
const canary = "vault-canary-1 "

// leaks reports whether a text shows a value.
func leaks(text string) bool {
	text = strings.ToLower(text)
	for _, form := range []string{
		strings.TrimSpace(canary),
		base64.StdEncoding.EncodeToString([]byte(canary)),
		hex.EncodeToString([]byte(canary)),
		strings.Trim(fmt.Sprintf("%d", []byte(canary)), "[]"),
	} {
		if strings.Contains(text, strings.ToLower(form)) {
			return true
		}
	}
	return false
}

// watched is the engine, whose errors are searched for values.
func watched(t *testing.T, e Engine) Engine {
	e.Vault = watch{t, e.Vault}
	return e
}

type watch struct {
	t     *testing.T
	vault vault.Vault
}

func (w watch) Get(ctx context.Context, name string) (vault.Secret, error) {
	secret, err := w.vault.Get(ctx, name)
	w.check(err)
	return secret, err
}

func (w watch) Replace(ctx context.Context, name, old string, value []byte) (string, error) {
	version, err := w.vault.Replace(ctx, name, old, value)
	w.check(err)
	return version, err
}

func (w watch) Adopt(ctx context.Context, name, old string) (vault.Secret, error) {
	secret, err := w.vault.Adopt(ctx, name, old)
	w.check(err)
	return secret, err
}

// makerWatch is a vault that makes secrets, whose errors are searched for values.
type makerWatch struct {
	watch
	maker vault.Maker
}

func (w makerWatch) Create(ctx context.Context, name string, value []byte) (string, error) {
	version, err := w.maker.Create(ctx, name, value)
	w.check(err)
	return version, err
}

func (w makerWatch) Delete(ctx context.Context, name string) error {
	err := w.maker.Delete(ctx, name)
	w.check(err)
	return err
}

func (w makerWatch) Restore(ctx context.Context, name string) error {
	err := w.maker.Restore(ctx, name)
	w.check(err)
	return err
}

// check searches an error and all that it wraps.
func (w watch) check(err error) {
	w.t.Helper()
	if err == nil {
		return
	}
	if text := fmt.Sprintf("%v\n%+v\n%#v\n%q", err, err, err, err); leaks(text) {
		w.t.Errorf("an error shows a value: %s", text)
	}
	switch wrapper := err.(type) { //nolint:errorlint // each error of the tree is looked at by itself
	case interface{ Unwrap() error }:
		w.check(wrapper.Unwrap())
	case interface{ Unwrap() []error }:
		for _, wrapped := range wrapper.Unwrap() {
			w.check(wrapped)
		}
	}
}
