package file_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault/file"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault/vaulttest"
)

func mustOpen(t *testing.T, path string) *file.Vault {
	t.Helper()
	v, err := file.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func mustCreate(t *testing.T, v *file.Vault, name string, value []byte) (version string) {
	t.Helper()
	version, err := v.Create(t.Context(), name, value)
	if err != nil {
		t.Fatal(err)
	}
	return version
}

func wantValue(t *testing.T, v vault.Vault, name, version, value string) {
	t.Helper()
	got, err := v.Get(t.Context(), name)
	if err != nil || got.Version != version || string(got.Value) != value {
		t.Errorf("Get: %q at version %q, %v; want %q at version %q", got.Value, got.Version, err, value, version)
	}
}

func engine(v vault.Vault, first *file.Vault) vaulttest.Engine {
	return vaulttest.Engine{Vault: v, Create: func(t *testing.T, value []byte) (name string) {
		name = "test/" + rand.Text()
		mustCreate(t, first, name, value)
		return name
	}}
}

func TestVault(t *testing.T) {
	vaulttest.Run(t, func(t *testing.T) vaulttest.Engine {
		v := mustOpen(t, filepath.Join(t.TempDir(), "secrets.json"))
		return engine(v, v)
	})
}

// turns is two vaults on one file, which calls use in turns.
type turns struct {
	vaults [2]*file.Vault
	calls  atomic.Int64
}

func (p *turns) next() *file.Vault { return p.vaults[p.calls.Add(1)%2] }

func (p *turns) Get(ctx context.Context, name string) (vault.Secret, error) {
	return p.next().Get(ctx, name)
}

func (p *turns) Replace(ctx context.Context, name, old string, value []byte) (string, error) {
	return p.next().Replace(ctx, name, old, value)
}

func (p *turns) Adopt(ctx context.Context, name, old string) (vault.Secret, error) {
	return p.next().Adopt(ctx, name, old)
}

func (p *turns) Create(ctx context.Context, name string, value []byte) (string, error) {
	return p.next().Create(ctx, name, value)
}

func (p *turns) Delete(ctx context.Context, name string) error {
	return p.next().Delete(ctx, name)
}

func (p *turns) Restore(ctx context.Context, name string) error {
	return p.next().Restore(ctx, name)
}

func TestTwoVaults(t *testing.T) {
	vaulttest.Run(t, func(t *testing.T) vaulttest.Engine {
		path := filepath.Join(t.TempDir(), "secrets.json")
		both := [2]*file.Vault{mustOpen(t, path), mustOpen(t, path)}
		return engine(&turns{vaults: both}, both[0])
	})
}

func TestCreate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b", "secrets.json")
	v := mustOpen(t, path)
	if _, err := os.Stat(filepath.Dir(path)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Open made something: %v", err)
	}
	if _, err := v.Get(t.Context(), "one"); !errors.Is(err, vault.ErrNotFound) {
		t.Errorf("Get from no file: %v", err)
	}
	one := mustCreate(t, v, "one", []byte("first"))
	for _, value := range [][]byte{[]byte("other"), nil} {
		if _, err := v.Create(t.Context(), "one", value); !errors.Is(err, vault.ErrConflict) {
			t.Errorf("Create of a secret that exists: %v", err)
		}
	}
	for _, value := range [][]byte{{}, make([]byte, vault.MaxValue+1)} {
		if _, err := v.Create(t.Context(), "bad", value); !errors.Is(err, vault.ErrInvalid) {
			t.Errorf("Create with %d bytes: %v", len(value), err)
		}
	}
	for _, name := range []string{"", "\xff"} {
		if _, err := v.Create(t.Context(), name, []byte("value")); err == nil {
			t.Errorf("Create of %q: no error", name)
		}
	}
	mustCreate(t, v, "bad", nil) // nothing is there yet
	two := mustCreate(t, v, "konto/zwei ☃", []byte("second"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := v.Create(ctx, "three", []byte("third")); !errors.Is(err, context.Canceled) {
		t.Errorf("Create with an ended context: %v", err)
	}
	again := mustOpen(t, path)
	wantValue(t, again, "one", one, "first")
	wantValue(t, again, "konto/zwei ☃", two, "second")
	if _, err := again.Get(t.Context(), "three"); !errors.Is(err, vault.ErrNotFound) {
		t.Errorf("Get of what was not created: %v", err)
	}
}

// TestFormat reads a file as it was written once.
func TestFormat(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secrets.json")
	written := `{
  "format": 1,
  "secrets": {
    "empty": {},
    "one": {
      "version": "VERSION",
      "value": "` + base64.StdEncoding.EncodeToString([]byte("the value")) + `"
    }
  }
}
`
	if err := os.WriteFile(path, []byte(written), 0o600); err != nil {
		t.Fatal(err)
	}
	v := mustOpen(t, path)
	wantValue(t, v, "one", "VERSION", "the value")
	if _, err := v.Create(t.Context(), "two", nil); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Replace(written, "    }\n  }", "    },\n    \"two\": {}\n  }", 1); string(got) != want {
		t.Errorf("the file is\n%s\nwant\n%s", got, want)
	}
}

func TestModes(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no permission bits")
	}
	path := filepath.Join(t.TempDir(), "folder", "secrets.json")
	v := mustOpen(t, path)
	version := mustCreate(t, v, "one", []byte("value"))
	for name, want := range map[string]os.FileMode{path: 0o600, path + ".lock": 0o600, filepath.Dir(path): 0o700} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", name, got, want)
		}
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620, 0o602, 0o601, 0o666} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, open := file.Open(path)
		_, get := v.Get(t.Context(), "one")
		_, replace := v.Replace(t.Context(), "one", version, []byte("other"))
		_, create := v.Create(t.Context(), "two", []byte("other"))
		for what, err := range map[string]error{"Open": open, "Get": get, "Replace": replace, "Create": create} {
			if !errors.Is(err, file.ErrUnusable) || !strings.Contains(err.Error(), "chmod 600 "+path) {
				t.Errorf("%s of a file with mode %o: %v", what, mode, err)
			}
		}
	}
	for _, mode := range []os.FileMode{0o400, 0o600} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		wantValue(t, mustOpen(t, path), "one", version, "value")
	}
}

// TestLink has a link lead to the file: a change must not put a file in the link's place.
func TestLink(t *testing.T) {
	folder := t.TempDir()
	target, link := filepath.Join(folder, "target.json"), filepath.Join(t.TempDir(), "link.json")
	version := mustCreate(t, mustOpen(t, target), "one", []byte("first"))
	if err := os.Symlink(target, link); err != nil {
		t.Skip("no links here: ", err)
	}
	version, err := mustOpen(t, link).Replace(t.Context(), "one", version, []byte("second"))
	if err != nil {
		t.Fatal(err)
	}
	wantValue(t, mustOpen(t, target), "one", version, "second")
	wantValue(t, mustOpen(t, link), "one", version, "second")
}
