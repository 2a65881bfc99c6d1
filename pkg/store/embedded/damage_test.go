package embedded_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store/embedded"
)

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

// TestCutWhileOpen cuts the file under a program that has it open: a fault of memory, and yet an error.
func TestCutWhileOpen(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a file that is mapped cannot be cut")
	}
	path := filepath.Join(t.TempDir(), "data.db")
	if err := os.WriteFile(path, wholeFile(t), 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := embedded.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, int64(2*os.Getpagesize())); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time it is not even tried
		if _, err := db.Query(t.Context(), "P", store.Range{}); !errors.Is(err, embedded.ErrUnusable) || !strings.Contains(err.Error(), path) {
			t.Errorf("Query: %v; want ErrUnusable and the file's name", err)
		}
		if err := db.Put(t.Context(), store.Write{Key: key("n"), If: store.Always()}); !errors.Is(err, embedded.ErrUnusable) {
			t.Errorf("Put: %v; want ErrUnusable", err)
		}
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}
