package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store/embedded"
)

func key(sort string) store.Key { return store.Key{Partition: "P", Sort: sort} }

func TestOpenKeepsToTheUser(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no permission bits")
	}
	path := filepath.Join(t.TempDir(), "a", "b", "data.db")
	mustOpen(t, path)
	for name, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700, filepath.Dir(filepath.Dir(path)): 0o700} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", name, got, want)
		}
	}
}

func TestReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data.db")
	for i := range 5 {
		db, err := embedded.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		item, err := db.Get(t.Context(), key("n"))
		if i > 0 && (err != nil || string(item.Data) != fmt.Sprint(i-1) || item.Version != int64(i)) {
			t.Errorf("opening %d: %q at version %d, %v", i, item.Data, item.Version, err)
		}
		if err := db.Put(t.Context(), store.Write{Key: key("n"), Data: fmt.Append(nil, i), If: store.AtVersion(int64(i))}); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestOpenInUse(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data.db")
	mustOpen(t, path)
	began := time.Now()
	_, err := embedded.Open(path)
	if took := time.Since(began); took < 900*time.Millisecond || took > 2*time.Second {
		t.Errorf("the second Open took %v, want a second", took)
	}
	if !errors.Is(err, embedded.ErrInUse) || !strings.Contains(err.Error(), path) {
		t.Errorf("the second Open: %v; want ErrInUse and the file's name", err)
	}
}

func TestOpenWaits(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data.db")
	first, err := embedded.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(200*time.Millisecond, func() { _ = first.Close() })
	mustOpen(t, path)
}

func TestEachInUse(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "budget.db")
	db := mustOpen(t, path)
	shared := embedded.Each(path)

	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := shared.Get(ctx, key("n")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Get past its deadline: %v", err)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("Get returned %v after its deadline", took-100*time.Millisecond)
	}

	began = time.Now()
	_, err := shared.Query(t.Context(), "P", store.Range{})
	if took := time.Since(began); took < 4900*time.Millisecond || took > 7*time.Second {
		t.Errorf("Query gave up after %v, want 5 s", took)
	}
	if !errors.Is(err, embedded.ErrInUse) || !strings.Contains(err.Error(), path) {
		t.Errorf("Query: %v; want ErrInUse and the file's name", err)
	}

	time.AfterFunc(300*time.Millisecond, func() { _ = db.Close() })
	if err := shared.Put(t.Context(), store.Write{Key: key("n"), If: store.Absent()}); err != nil {
		t.Errorf("Put while the other one lets go: %v", err)
	}
}

func TestClosed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data.db")
	db := mustOpen(t, path)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Get(t.Context(), key("n")); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("Get of a closed file: %v", err)
	}
	if err := db.Put(t.Context(), store.Write{Key: key("n"), If: store.Always()}); err == nil {
		t.Error("Put in a closed file: no error")
	}
}

func TestUnreachable(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{folder, filepath.Join(file, "data.db"), filepath.Join(file, "b", "data.db")} {
		if _, err := embedded.Open(path); err == nil || !strings.Contains(err.Error(), file) && !strings.Contains(err.Error(), path) {
			t.Errorf("Open(%s): %v; want an error that names it", path, err)
		}
	}
}
