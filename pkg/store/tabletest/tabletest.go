// Package tabletest checks that a store.Table keeps to its contract. Every engine runs it.
package tabletest

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
)

// Run checks the table that open returns, in subtests of t. It is called once for each of them, and may
// return the same table each time, also one that holds other items: every subtest has partitions of its own.
func Run(t *testing.T, open func(t *testing.T) store.Table) {
	tests := []struct {
		name string
		test func(*testing.T, store.Table)
	}{
		{"conditions", testConditions},
		{"conditions of deletes", testDeletes},
		{"what is read", testRead},
		{"data is any bytes", testData},
		{"data is copied", testCopies},
		{"limits of an item", testItemLimits},
		{"invalid writes", testInvalid},
		{"expiry", testExpiry},
		{"transaction", testTransact},
		{"transaction that fails", testTransactFails},
		{"limits of a transaction", testTransactLimits},
		{"query", testQuery},
		{"query of nothing", testQueryNothing},
		{"query orders by bytes", testQueryOrder},
		{"query of much", testQueryMuch},
		{"partitions are apart", testPartitions},
		{"ended context", testContext},
		{"counter", testCounter},
		{"transfers", testTransfers},
		{"transactions beside readers", testReaders},
		{"one of many makes it", testRace},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, open(t)) })
	}
}

// partition is one that no other test uses.
func partition() string { return "TEST#" + rand.Text() }

// newKey is a key in a partition that no other test uses.
func newKey() store.Key { return store.Key{Partition: partition(), Sort: "item"} }

func text(key store.Key, data string, c store.Condition) store.Write {
	return store.Write{Key: key, Data: []byte(data), If: c}
}

func put(t *testing.T, table store.Table, w store.Write) {
	t.Helper()
	if err := table.Put(t.Context(), w); err != nil {
		t.Fatalf("Put(%s): %v", w.Key, err)
	}
}

func transact(t *testing.T, table store.Table, writes ...store.Write) {
	t.Helper()
	if err := table.Transact(t.Context(), writes); err != nil {
		t.Fatalf("Transact of %d writes: %v", len(writes), err)
	}
}

func query(t *testing.T, table store.Table, partition string, r store.Range) []store.Item {
	t.Helper()
	items, err := table.Query(t.Context(), partition, r)
	if err != nil {
		t.Fatalf("Query(%q, %+v): %v", partition, r, err)
	}
	return items
}

// wantError checks that a write or read fails as it must.
func wantError(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got error %v, want %v", what, err, want)
	}
}

// wantItem checks what is stored under a key.
func wantItem(t *testing.T, table store.Table, key store.Key, data string, version int64) {
	t.Helper()
	item, err := table.Get(t.Context(), key)
	if err != nil {
		t.Errorf("Get(%s): %v", key, err)
		return
	}
	if item.Key != key || string(item.Data) != data || item.Version != version || !item.Expires.IsZero() {
		t.Errorf("Get(%s) = key %s, data %.40q, version %d, expires %v; want data %.40q, version %d, no expiry",
			key, item.Key, item.Data, item.Version, item.Expires, data, version)
	}
}

func wantNone(t *testing.T, table store.Table, key store.Key) {
	t.Helper()
	item, err := table.Get(t.Context(), key)
	if !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Get(%s) = %.40q, %v; want %v", key, item.Data, err, store.ErrNotFound)
	}
	if items := query(t, table, key.Partition, store.Range{Prefix: key.Sort}); len(items) != 0 {
		t.Errorf("Query finds %d items under %s that Get does not", len(items), key)
	}
}

// wantSorts checks which items a query returned, in which order.
func wantSorts(t *testing.T, what string, items []store.Item, want ...string) {
	t.Helper()
	var got []string
	for _, item := range items {
		got = append(got, item.Key.Sort)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s: got sort keys %q, want %q", what, got, want)
	}
}

func testContext(t *testing.T, table store.Table) {
	key := newKey()
	put(t, table, text(key, "before", store.Absent()))
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	for ctx, want := range map[context.Context]error{canceled: context.Canceled, late: context.DeadlineExceeded} {
		_, err := table.Get(ctx, key)
		wantError(t, "Get", err, want)
		_, err = table.Query(ctx, key.Partition, store.Range{})
		wantError(t, "Query", err, want)
		wantError(t, "Put", table.Put(ctx, text(key, "after", store.Always())), want)
		wantError(t, "Transact", table.Transact(ctx, []store.Write{text(key, "after", store.Always())}), want)
		wantError(t, "Transact of nothing", table.Transact(ctx, nil), want)
	}
	wantItem(t, table, key, "before", 1)
}
