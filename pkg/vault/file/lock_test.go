package file

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
)

// held makes a file with one secret, and holds its lock as another process would.
func held(t *testing.T) (v *Vault, lock *os.File, version string) {
	t.Helper()
	v, err := Open(filepath.Join(t.TempDir(), "secrets.json"))
	if err != nil {
		t.Fatal(err)
	}
	if version, err = v.Create(t.Context(), "one", []byte("value")); err != nil {
		t.Fatal(err)
	}
	// Not by one try: a child that another test starts has the lock too until it runs its own program.
	if lock, err = v.lock(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { lock.Close() })
	return v, lock, version
}

func TestInUse(t *testing.T) {
	t.Parallel()
	v, lock, version := held(t)
	for what, call := range map[string]func(context.Context) error{
		"Get":     func(ctx context.Context) error { _, err := v.Get(ctx, "one"); return err },
		"Replace": func(ctx context.Context) error { _, err := v.Replace(ctx, "one", version, []byte("other")); return err },
		"Create":  func(ctx context.Context) error { _, err := v.Create(ctx, "two", []byte("other")); return err },
		"Delete":  func(ctx context.Context) error { return v.Delete(ctx, "one") },
		"Restore": func(ctx context.Context) error { return v.Restore(ctx, "one") },
	} {
		began := time.Now()
		err := call(t.Context())
		if took := time.Since(began); took < lockWait || took > 2*lockWait {
			t.Errorf("%s gave up after %v, want %v", what, took, lockWait)
		}
		if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), v.path) {
			t.Errorf("%s: %v; want ErrInUse and the file's name", what, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if err := call(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s past its deadline: %v", what, err)
		}
		cancel()
	}
	time.AfterFunc(100*time.Millisecond, func() { lock.Close() })
	if _, err := v.Replace(t.Context(), "one", version, []byte("other")); err != nil {
		t.Errorf("Replace while the other one lets go: %v", err)
	}
}

// TestNoFile asks for secrets where there is no file: nothing is made, and nobody waited for.
func TestNoFile(t *testing.T) {
	folder := t.TempDir()
	v, err := Open(filepath.Join(folder, "secrets.json"))
	if err != nil {
		t.Fatal(err)
	}
	_, get := v.Get(t.Context(), "one")
	_, replace := v.Replace(t.Context(), "one", "", []byte("value"))
	_, adopt := v.Adopt(t.Context(), "one", "")
	restore := v.Restore(t.Context(), "one")
	if err = v.Delete(t.Context(), "one"); err != nil {
		t.Errorf("Delete: %v", err)
	}
	for what, err := range map[string]error{"Get": get, "Replace": replace, "Adopt": adopt, "Restore": restore} {
		if !errors.Is(err, vault.ErrNotFound) {
			t.Errorf("%s: %v, want %v", what, err, vault.ErrNotFound)
		}
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) > 0 {
		t.Errorf("the folder holds %v, %v; want nothing", entries, err)
	}
}

// TestTurn has one call at a time in this process, and ends the context of one that waits for another one.
func TestTurn(t *testing.T) {
	v, lock, _ := held(t)
	lock.Close()
	err := v.use(t.Context(), false, func() error {
		if len(v.turn) != 1 {
			t.Error("another call of this process may go on, and compete for the lock")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	v.turn <- struct{}{}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := v.Get(ctx, "one"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Get past its deadline: %v", err)
	}
	<-v.turn
	if _, err := v.Get(t.Context(), "one"); err != nil {
		t.Errorf("Get: %v", err)
	}
}
