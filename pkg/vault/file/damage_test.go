package file_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault/file"
)

// wantUnusable checks that the file is refused by every call, stays as it is, and that no error quotes it.
func wantUnusable(t *testing.T, path string, v *file.Vault, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	_, open := file.Open(path)
	_, get := v.Get(t.Context(), "one")
	_, replace := v.Replace(t.Context(), "one", "", []byte("other"))
	_, create := v.Create(t.Context(), "two", []byte("other"))
	_, adopt := v.Adopt(t.Context(), "one", "")
	for what, err := range map[string]error{"Open": open, "Get": get, "Replace": replace, "Create": create, "Adopt": adopt} {
		if !errors.Is(err, file.ErrUnusable) || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s of %.60q: %v; want an error that names the file", what, content, err)
		}
	}
	now, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(now, content) {
		t.Errorf("the file was %.60q and is %.60q, %v", content, now, err)
	}
}

// TestCutFile cuts the file at every length.
func TestCutFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secrets.json")
	v := mustOpen(t, path)
	version := mustCreate(t, v, "one", []byte("value"))
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(whole) - 1 { // the last byte ends the line
		wantUnusable(t, path, v, whole[:n])
	}
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	wantValue(t, v, "one", version, "value")
}

func TestDamagedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secrets.json")
	v := mustOpen(t, path)
	for _, content := range []string{
		"", "\n", "null", "{}", "[]", "canary", `"canary"`, "\x00\x00\x00\x00",
		`{"format":1}`, `{"format":1,"secrets":null}`, `{"secrets":{}}`,
		`{"format":2,"secrets":{}}`, `{"format":1,"secrets":{},"more":{}}`,
		`{"format":1,"secrets":{}}{"format":1,"secrets":{}}`, `{"format":1,"secrets":{}} canary`,
		`{"format":1,"secrets":{},"canary":1}`,
		`{"format":1,"secrets":{"one":{"version":"V"}}}`,
		`{"format":1,"secrets":{"canary":{"value":"YQ=="}}}`,
		`{"format":1,"secrets":{"one":{"version":"V","value":"canary!"}}}`,
		`{"format":1,"secrets":{"one":{"version":"V","value":"YQ==","canary":"x"}}}`,
		`{"format":1,"secrets":{"one":"canary"}}`,
		`{"format":1,"secrets":{"one":{"version":"V","value":"` + strings.Repeat("YWFh", 22000) + `"}}}`,
	} {
		wantUnusable(t, path, v, []byte(content))
	}
}

func TestUnreachable(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "folder")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	plain := filepath.Join(folder, "plain")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := file.Open(folder); !errors.Is(err, file.ErrUnusable) || !strings.Contains(err.Error(), folder+": ") {
		t.Errorf("Open of a folder: %v", err)
	}
	for _, path := range []string{filepath.Join(plain, "secrets.json"), filepath.Join(plain, "b", "secrets.json")} {
		v, err := file.Open(path)
		if err == nil {
			_, err = v.Create(t.Context(), "one", []byte("value"))
		}
		if err == nil || !strings.Contains(err.Error(), plain) {
			t.Errorf("a file in a file: %v; want an error that names it", err)
		}
	}
}

// TestNoRoom fails in the middle of a change.
func TestNoRoom(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secrets.json")
	v := mustOpen(t, path)
	version := mustCreate(t, v, "one", []byte("value"))
	if err := os.MkdirAll(filepath.Join(path+".new", "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Replace(t.Context(), "one", version, []byte("other")); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("Replace that cannot write: %v", err)
	}
	wantValue(t, v, "one", version, "value")
}
