package embedded_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store/embedded"
)

func TestPurge(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data.db")
	db := mustOpen(t, path)
	now := time.Date(2026, 11, 23, 20, 0, 0, 0, time.UTC)
	const old = 1203 // several transactions
	var writes []store.Write
	for i := range old {
		writes = append(writes, store.Write{Key: key(fmt.Sprintf("old %04d", i)), Expires: now.Add(-time.Duration(i+1) * time.Second), If: store.Absent()})
		if len(writes) == store.MaxTransact || i == old-1 {
			if err := db.Transact(t.Context(), writes); err != nil {
				t.Fatal(err)
			}
			writes = nil
		}
	}
	kept := map[string]time.Time{"for ever": {}, "until now": now, "for a while": now.Add(time.Second), "for a year": now.AddDate(1, 0, 0)}
	for sort, expires := range kept {
		if err := db.Put(t.Context(), store.Write{Key: key(sort), Expires: expires, If: store.Absent()}); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []int{old, 0} {
		if n, err := db.Purge(t.Context(), now); n != want || err != nil {
			t.Errorf("Purge = %d, %v; want %d", n, err, want)
		}
	}
	items, err := db.Query(t.Context(), "P", store.Range{})
	if err != nil || len(items) != len(kept) {
		t.Errorf("after Purge: %d items, %v; want %d", len(items), err, len(kept))
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := embedded.Each(path).Purge(t.Context(), now.AddDate(2, 0, 0)); n != 3 || err != nil {
		t.Errorf("Purge of a shared file = %d, %v; want 3", n, err)
	}
}
