package tabletest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
)

func testTransact(t *testing.T, table store.Table) {
	p, other := partition(), partition()
	key := func(sort string) store.Key { return store.Key{Partition: p, Sort: sort} }
	put(t, table, text(key("replaced"), "old", store.Absent()))
	put(t, table, text(key("deleted"), "old", store.Absent()))
	transact(t, table,
		text(key("made"), "new", store.Absent()),
		text(key("replaced"), "new", store.AtVersion(1)),
		store.Write{Key: key("deleted"), Delete: true, If: store.AtVersion(1)},
		text(key("any"), "new", store.Always()),
		text(store.Key{Partition: other, Sort: "made"}, "new", store.Absent()),
		store.Write{Key: key("never there"), Delete: true, If: store.Absent()},
	)
	wantItem(t, table, key("made"), "new", 1)
	wantItem(t, table, key("replaced"), "new", 2)
	wantNone(t, table, key("deleted"))
	wantItem(t, table, key("any"), "new", 0)
	wantItem(t, table, store.Key{Partition: other, Sort: "made"}, "new", 1)
	wantSorts(t, "after a transaction", query(t, table, p, store.Range{}), "any", "made", "replaced")
	transact(t, table) // of nothing
}

// testTransactFails puts the write that fails at the beginning, in the middle and at the end.
func testTransactFails(t *testing.T, table store.Table) {
	for at := range 3 {
		p := partition()
		key := func(sort string) store.Key { return store.Key{Partition: p, Sort: sort} }
		put(t, table, text(key("stays"), "old", store.Absent()))
		put(t, table, text(key("changed"), "old", store.Absent()))
		writes := []store.Write{
			text(key("made"), "new", store.Absent()),
			{Key: key("stays"), Delete: true, If: store.Always()},
		}
		writes = slices.Insert(writes, at, text(key("changed"), "new", store.AtVersion(2)))
		wantError(t, fmt.Sprintf("condition %d fails", at), table.Transact(t.Context(), writes), store.ErrConflict)
		wantNone(t, table, key("made"))
		wantItem(t, table, key("stays"), "old", 1)
		wantItem(t, table, key("changed"), "old", 1)
	}
}

func testTransactLimits(t *testing.T, table store.Table) {
	p := partition()
	var writes []store.Write
	for i := range store.MaxTransact {
		writes = append(writes, text(store.Key{Partition: p, Sort: fmt.Sprintf("%03d", i)}, "x", store.Absent()))
	}
	key := func(sort string) store.Key { return store.Key{Partition: p, Sort: sort} }
	one := text(key("one more"), "x", store.Absent())
	tooMany := append(slices.Clone(writes), one)
	wantError(t, "one write too many", table.Transact(t.Context(), tooMany), store.ErrTooLarge)
	wantSorts(t, "after it", query(t, table, p, store.Range{}))

	transact(t, table, writes...)
	if n := len(query(t, table, p, store.Range{})); n != store.MaxTransact {
		t.Errorf("after %d writes: %d items", store.MaxTransact, n)
	}

	twice := []store.Write{one, text(key("other"), "x", store.Absent()), text(key("one more"), "y", store.Always())}
	wantError(t, "a key twice", table.Transact(t.Context(), twice), store.ErrInvalid)
	twice[2] = store.Write{Key: one.Key, Delete: true, If: store.Always()}
	wantError(t, "a key put and deleted", table.Transact(t.Context(), twice), store.ErrInvalid)

	big := one
	big.Data = bytes.Repeat([]byte("x"), store.MaxData+1)
	wantError(t, "an item too big", table.Transact(t.Context(), []store.Write{twice[1], big}), store.ErrTooLarge)
	wantNone(t, table, key("one more"))
	wantNone(t, table, key("other"))

	testTransactData(t, table)
}

// testTransactData fills a transaction to the last byte.
func testTransactData(t *testing.T, table store.Table) {
	p := partition()
	var writes []store.Write
	for left := store.MaxTransactData; left > 0; left -= store.MaxData {
		data := bytes.Repeat([]byte{byte(len(writes))}, min(left, store.MaxData))
		writes = append(writes, store.Write{Key: store.Key{Partition: p, Sort: fmt.Sprintf("%03d", len(writes))}, Data: data, If: store.Absent()})
	}
	tooMuch := append(slices.Clone(writes), text(store.Key{Partition: p, Sort: "more"}, "x", store.Absent()))
	wantError(t, "one byte too much", table.Transact(t.Context(), tooMuch), store.ErrTooLarge)
	wantSorts(t, "after it", query(t, table, p, store.Range{}))
	transact(t, table, writes...)
	for i, item := range query(t, table, p, store.Range{}) {
		if !bytes.Equal(item.Data, writes[i].Data) {
			t.Errorf("item %d of a full transaction is not what was written", i)
		}
	}
}

func testQuery(t *testing.T, table store.Table) {
	p := partition()
	for _, sort := range []string{"C#2", "P#10", "A", "C#1", "C#3", "C", "D#1", "C#10"} {
		put(t, table, text(store.Key{Partition: p, Sort: sort}, "data of "+sort, store.Absent()))
	}
	for _, tt := range []struct {
		r    store.Range
		want []string
	}{
		{store.Range{}, []string{"A", "C", "C#1", "C#10", "C#2", "C#3", "D#1", "P#10"}},
		{store.Range{Prefix: "C#"}, []string{"C#1", "C#10", "C#2", "C#3"}},
		{store.Range{Prefix: "C"}, []string{"C", "C#1", "C#10", "C#2", "C#3"}},
		{store.Range{Prefix: "C#1"}, []string{"C#1", "C#10"}},
		{store.Range{Prefix: "X"}, nil},
		{store.Range{Prefix: "P#100"}, nil},
		{store.Range{After: "C#1"}, []string{"C#10", "C#2", "C#3", "D#1", "P#10"}},
		{store.Range{After: "C#15"}, []string{"C#2", "C#3", "D#1", "P#10"}}, // no such item
		{store.Range{After: "P#10"}, nil},
		{store.Range{After: "Z"}, nil},
		{store.Range{Prefix: "C#", After: "C#10"}, []string{"C#2", "C#3"}},
		{store.Range{Prefix: "C#", After: "C#3"}, nil},
		{store.Range{Prefix: "C#", After: "A"}, []string{"C#1", "C#10", "C#2", "C#3"}},
		{store.Range{Prefix: "C#", After: "D"}, nil},
		{store.Range{Prefix: "C#", After: "C#"}, []string{"C#1", "C#10", "C#2", "C#3"}},
		{store.Range{Limit: 2}, []string{"A", "C"}},
		{store.Range{Limit: 100}, []string{"A", "C", "C#1", "C#10", "C#2", "C#3", "D#1", "P#10"}},
		{store.Range{Prefix: "C#", Limit: 4}, []string{"C#1", "C#10", "C#2", "C#3"}},
		{store.Range{Prefix: "C#", After: "C#1", Limit: 2}, []string{"C#10", "C#2"}},
		{store.Range{Prefix: "C#", After: "C#1", Limit: -1}, []string{"C#10", "C#2", "C#3"}},
	} {
		items := query(t, table, p, tt.r)
		wantSorts(t, fmt.Sprintf("%+v", tt.r), items, tt.want...)
		for _, item := range items {
			if string(item.Data) != "data of "+item.Key.Sort || item.Key.Partition != p || item.Version != 1 {
				t.Errorf("%+v: wrong item %+v", tt.r, item)
			}
		}
	}
}

func testQueryNothing(t *testing.T, table store.Table) {
	p := partition()
	for _, r := range []store.Range{{}, {Prefix: "x"}, {After: "x"}, {Limit: 1}} {
		wantSorts(t, "a partition that never was", query(t, table, p, r))
	}
	key := store.Key{Partition: p, Sort: "x"}
	put(t, table, text(key, "", store.Absent()))
	put(t, table, store.Write{Key: key, Delete: true, If: store.Always()})
	wantSorts(t, "a partition that is empty again", query(t, table, p, store.Range{}))
}

func testQueryOrder(t *testing.T, table store.Table) {
	p := partition()
	sorts := []string{"!", "#", "0", "00", "1", "10", "9", "A", "Z", "a", "a b", "ab", "b", "~", "ä", "é", "е", "日本", "\U0001F600"}
	want := slices.Sorted(slices.Values(sorts))
	for i := range sorts { // neither ascending nor descending
		sort := sorts[i*7%len(sorts)]
		put(t, table, text(store.Key{Partition: p, Sort: sort}, "", store.Absent()))
	}
	wantSorts(t, "all", query(t, table, p, store.Range{}), want...)
	for i, sort := range want {
		wantSorts(t, "after "+sort, query(t, table, p, store.Range{After: sort}), want[i+1:]...)
	}
}

// testQueryMuch reads more than an engine returns at once.
func testQueryMuch(t *testing.T, table store.Table) {
	p := partition()
	const n = 20
	var want []string
	for i := range n {
		sort := fmt.Sprintf("%02d", i)
		want = append(want, sort)
		put(t, table, text(store.Key{Partition: p, Sort: sort}, strings.Repeat(sort, 100_000), store.Absent()))
	}
	items := query(t, table, p, store.Range{})
	wantSorts(t, "4 MB", items, want...)
	for _, item := range items {
		if string(item.Data) != strings.Repeat(item.Key.Sort, 100_000) {
			t.Errorf("item %s is not what was put", item.Key.Sort)
		}
	}
	wantSorts(t, "4 MB, 15 items", query(t, table, p, store.Range{Limit: 15}), want[:15]...)
}

func testPartitions(t *testing.T, table store.Table) {
	p := partition()
	keys := []store.Key{ // alike when glued together
		{Partition: p, Sort: "ab"}, {Partition: p + "a", Sort: "b"}, {Partition: p + "ab", Sort: "ab"},
		{Partition: p + "#", Sort: "a"}, {Partition: p, Sort: "#a"}, {Partition: p + "/a", Sort: "b"}, {Partition: p, Sort: "/a/b"},
	}
	for _, key := range keys {
		put(t, table, text(key, key.String(), store.Absent()))
	}
	for _, key := range keys {
		wantItem(t, table, key, key.String(), 1)
		for _, item := range query(t, table, key.Partition, store.Range{}) {
			if item.Key.Partition != key.Partition || string(item.Data) != item.Key.String() {
				t.Errorf("Query(%s) returns %s of another partition", key.Partition, item.Key)
			}
		}
	}
	wantSorts(t, "first partition", query(t, table, p, store.Range{}), "#a", "/a/b", "ab")
	wantSorts(t, "second partition", query(t, table, p+"a", store.Range{}), "b")
}
