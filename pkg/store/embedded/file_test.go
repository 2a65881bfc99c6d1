package embedded_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

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

// TestUnusable opens what is no data file, or a broken one, and finds it as it was.
func TestUnusable(t *testing.T) {
	whole := wholeFile(t)
	page := os.Getpagesize()
	garbage := bytes.Repeat([]byte("garbage!"), page/8)
	foreign := filepath.Join(t.TempDir(), "foreign.db")
	makeForeign(t, foreign)
	other, err := os.ReadFile(foreign)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"a word":               []byte("hello"),
		"a text":               bytes.Repeat([]byte("Dear diary, "), 5000),
		"zeros":                make([]byte, 4*page),
		"another program's":    other,
		"one page":             whole[:page],
		"three pages":          whole[:3*page],
		"a third":              whole[:len(whole)/3],
		"an odd cut":           whole[:len(whole)*2/5+17],
		"both metas gone":      append(bytes.Repeat(garbage, 2), whole[2*page:]...),
		"all but metas gone":   append(bytes.Clone(whole[:2*page]), bytes.Repeat(garbage, len(whole)/page-2)...),
		"all but metas zeroed": append(bytes.Clone(whole[:2*page]), make([]byte, len(whole)-2*page)...),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "data.db")
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			for _, table := range []func() error{
				func() error { return openAndClose(path) },
				func() error {
					return embedded.Each(path).Put(t.Context(), store.Write{Key: key("n"), If: store.Always()})
				},
				func() error { return openAndClose(path) }, // the others let go of it
			} {
				err := table()
				if !errors.Is(err, embedded.ErrUnusable) || !strings.Contains(err.Error(), path) {
					t.Errorf("got %v; want ErrUnusable and the file's name", err)
				}
			}
			if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, content) {
				t.Errorf("the file was changed (%v)", err)
			}
		})
	}
}

func openAndClose(path string) error {
	db, err := embedded.Open(path)
	if err != nil {
		return err
	}
	return db.Close()
}

// wholeFile is the content of a data file of some hundred pages.
func wholeFile(t *testing.T) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "data.db")
	db := mustOpen(t, path)
	for i := range 40 {
		if err := db.Put(t.Context(), store.Write{Key: key(fmt.Sprint(i)), Data: bytes.Repeat([]byte{byte(i)}, i*500), If: store.Absent()}); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func makeForeign(t *testing.T, path string) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Update(func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("recipes")); return err }); err != nil {
		t.Fatal(err)
	}
}

// TestDamagedPages breaks one page after the other: whatever is read then is right, or an error that names
// the file. It never ends the program, and nothing waits for ever.
func TestDamagedPages(t *testing.T) {
	whole := wholeFile(t)
	page := os.Getpagesize()
	path := filepath.Join(t.TempDir(), "data.db")
	failed := 0
	for at := 2 * page; at < len(whole); at += page {
		content := bytes.Clone(whole)
		for i := range page / 4 { // its head and what points from it
			content[at+i] = byte(i*131 + at)
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		db, err := embedded.Open(path)
		if err != nil {
			failed++
			if !errors.Is(err, embedded.ErrUnusable) {
				t.Errorf("page %d broken: Open: %v", at/page, err)
			}
			continue
		}
		_, err = db.Query(t.Context(), "P", store.Range{})
		perr := db.Put(t.Context(), store.Write{Key: key("new"), If: store.Always()})
		for _, err := range []error{err, perr} {
			if err != nil && (!errors.Is(err, embedded.ErrUnusable) || !strings.Contains(err.Error(), path)) {
				t.Errorf("page %d broken: %v", at/page, err)
			}
		}
		if err != nil {
			failed++
		}
		if err := db.Close(); err != nil {
			t.Errorf("page %d broken: Close: %v", at/page, err)
		}
	}
	t.Logf("%d of %d broken pages were noticed", failed, len(whole)/page-2)
	if failed == 0 {
		t.Error("no broken page was noticed")
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
