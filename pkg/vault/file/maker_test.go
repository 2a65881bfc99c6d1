package file_test

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault/file"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault/vaulttest"
)

func maker(v vault.Maker, first *file.Vault) vaulttest.Maker {
	return vaulttest.Maker{
		Maker: v,
		Name:  func(*testing.T) string { return "test/" + rand.Text() },
		Empty: func(t *testing.T, name string) { mustCreate(t, first, name, nil) },
	}
}

func TestMaker(t *testing.T) {
	vaulttest.TestMaker(t, func(t *testing.T) vaulttest.Maker {
		v := mustOpen(t, filepath.Join(t.TempDir(), "secrets.json"))
		return maker(v, v)
	})
}

func TestTwoMakers(t *testing.T) {
	vaulttest.TestMaker(t, func(t *testing.T) vaulttest.Maker {
		path := filepath.Join(t.TempDir(), "secrets.json")
		both := [2]*file.Vault{mustOpen(t, path), mustOpen(t, path)}
		return maker(&turns{vaults: both}, both[0])
	})
}

// TestDelete looks at the file: of a deleted secret nothing is left in it, and deleting nothing does not write it.
func TestDelete(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secrets.json")
	v := mustOpen(t, path)
	mustCreate(t, v, "one", []byte("value"))
	two := mustCreate(t, v, "two", []byte("value"))
	if err := v.Delete(t.Context(), "one"); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err = v.Delete(t.Context(), "one"); err != nil {
		t.Errorf("Delete once more: %v", err)
	}
	if after, statErr := os.Stat(path); statErr != nil || !os.SameFile(before, after) {
		t.Errorf("the file was written for nothing, %v", statErr)
	}
	if data, readErr := os.ReadFile(path); readErr != nil || strings.Contains(string(data), `"one"`) {
		t.Errorf("the file is\n%s\n%v", data, readErr)
	}
	wantValue(t, mustOpen(t, path), "two", two, "value")
	if err = v.Delete(t.Context(), "two"); err != nil {
		t.Fatal(err)
	}
	if _, err = mustOpen(t, path).Get(t.Context(), "two"); !errors.Is(err, vault.ErrNotFound) {
		t.Errorf("Get: %v, want %v", err, vault.ErrNotFound)
	}
}

// TestDeleteUnusable leaves a file alone that is damaged.
func TestDeleteUnusable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secrets.json")
	v := mustOpen(t, path)
	mustCreate(t, v, "one", []byte("value"))
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{"Delete": v.Delete(t.Context(), "one"), "Restore": v.Restore(t.Context(), "one")} {
		if !errors.Is(err, file.ErrUnusable) || errors.Is(err, vault.ErrNotFound) {
			t.Errorf("%s: %v, want %v", what, err, file.ErrUnusable)
		}
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != "{" {
		t.Errorf("the file is %q, %v", data, err)
	}
}
