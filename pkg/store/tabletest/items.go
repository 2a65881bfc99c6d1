package tabletest

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
)

func testConditions(t *testing.T, table store.Table) {
	conditions := map[string]store.Condition{
		"always": store.Always(), "absent": store.Absent(), "at 0": store.AtVersion(0),
		"at 1": store.AtVersion(1), "at 2": store.AtVersion(2), "at 3": store.AtVersion(3),
	}
	states := []struct {
		name   string
		writes []store.Condition // what leads to the state
		want   map[string]int64  // the versions after those that hold
	}{
		{"no item", nil, map[string]int64{"always": 0, "absent": 1, "at 0": 1}},
		{"version 1", []store.Condition{store.Absent()}, map[string]int64{"always": 0, "at 1": 2}},
		{"version 2", []store.Condition{store.Absent(), store.AtVersion(1)}, map[string]int64{"always": 0, "at 2": 3}},
		{"put always", []store.Condition{store.Always()}, map[string]int64{"always": 0}},
		{"put always over version 1", []store.Condition{store.Absent(), store.Always()}, map[string]int64{"always": 0}},
	}
	for _, state := range states {
		for name, c := range conditions {
			key := newKey()
			for i, w := range state.writes {
				put(t, table, text(key, fmt.Sprint("write ", i), w))
			}
			err := table.Put(t.Context(), text(key, "new", c))
			version, holds := state.want[name]
			switch {
			case holds && err != nil:
				t.Errorf("%s, %s: %v", state.name, name, err)
			case holds:
				wantItem(t, table, key, "new", version)
			default:
				wantError(t, state.name+", "+name, err, store.ErrConflict)
				wantUnchanged(t, table, key, state.writes)
			}
		}
	}
}

// wantUnchanged checks that only the writes with these conditions have been done.
func wantUnchanged(t *testing.T, table store.Table, key store.Key, writes []store.Condition) {
	t.Helper()
	if len(writes) == 0 {
		wantNone(t, table, key)
		return
	}
	last := len(writes) - 1
	wantItem(t, table, key, fmt.Sprint("write ", last), writes[last].Next())
}

func testDeletes(t *testing.T, table store.Table) {
	key := newKey()
	deletion := func(c store.Condition) store.Write { return store.Write{Key: key, Delete: true, If: c} }

	put(t, table, deletion(store.Always())) // of nothing
	wantError(t, "delete of nothing at version 1", table.Put(t.Context(), deletion(store.AtVersion(1))), store.ErrConflict)

	put(t, table, text(key, "one", store.Absent()))
	wantError(t, "delete at a version to come", table.Put(t.Context(), deletion(store.AtVersion(2))), store.ErrConflict)
	wantError(t, "delete of what must be absent", table.Put(t.Context(), deletion(store.Absent())), store.ErrConflict)
	wantItem(t, table, key, "one", 1)

	put(t, table, deletion(store.AtVersion(1)))
	wantNone(t, table, key)
	put(t, table, text(key, "two", store.Absent())) // counts from the beginning
	wantItem(t, table, key, "two", 1)
	put(t, table, deletion(store.Always()))
	wantNone(t, table, key)
}

func testRead(t *testing.T, table store.Table) {
	key := newKey()
	wantNone(t, table, key)
	for i := range 10 {
		data := fmt.Sprint("state ", i)
		put(t, table, text(key, data, store.AtVersion(int64(i))))
		wantItem(t, table, key, data, int64(i+1))
		items := query(t, table, key.Partition, store.Range{})
		if len(items) != 1 || string(items[0].Data) != data || items[0].Version != int64(i+1) || items[0].Key != key {
			t.Fatalf("Query right after a write of %q: %+v", data, items)
		}
	}
}

func testData(t *testing.T, table store.Table) {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	for name, data := range map[string]string{
		"none": "", "a zero": "\x00", "zeros": strings.Repeat("\x00", 1000), "every byte": string(every),
		"broken UTF-8": "a\xff\xfe\xc0z", "line ends": "\r\n\n\r", "JSON": `{"a":"\u0000"}`,
	} {
		key := newKey()
		put(t, table, text(key, data, store.Absent()))
		wantItem(t, table, key, data, 1)
		if items := query(t, table, key.Partition, store.Range{}); len(items) != 1 || string(items[0].Data) != data {
			t.Errorf("%s: Query returns something else than what was put", name)
		}
	}
}

func testCopies(t *testing.T, table store.Table) {
	key := newKey()
	data := []byte("as it was put")
	put(t, table, store.Write{Key: key, Data: data, If: store.Absent()})
	copy(data, "XXXXX")

	item, err := table.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	items := query(t, table, key.Partition, store.Range{})
	for _, got := range [][]byte{item.Data, items[0].Data} {
		copy(got, "YYYYY") // must neither fault nor reach the table
		_ = append(got, "YYYYY"...)
	}
	wantItem(t, table, key, "as it was put", 1)

	read, _ := table.Get(t.Context(), key)
	put(t, table, text(key, strings.Repeat("z", 5000), store.AtVersion(1)))
	if string(read.Data) != "as it was put" {
		t.Errorf("a later write changed an item that was read before: %.40q", read.Data)
	}
}

func testItemLimits(t *testing.T, table store.Table) {
	key := newKey()
	big := bytes.Repeat([]byte("0123456789abcdef"), store.MaxData/16)
	put(t, table, store.Write{Key: key, Data: big, If: store.Absent()})
	wantItem(t, table, key, string(big), 1)
	err := table.Put(t.Context(), store.Write{Key: key, Data: append(big, 'x'), If: store.AtVersion(1)})
	wantError(t, "Put of one byte too much", err, store.ErrTooLarge)
	wantItem(t, table, key, string(big), 1)

	long := store.Key{Partition: partition(), Sort: strings.Repeat("s", store.MaxKey)}
	long.Partition += strings.Repeat("p", store.MaxKey-len(long.Partition))
	put(t, table, text(long, "long key", store.Absent()))
	wantItem(t, table, long, "long key", 1)
}

func testInvalid(t *testing.T, table store.Table) {
	p := partition()
	good := store.Key{Partition: p, Sort: "good"}
	tooLong := strings.Repeat("k", store.MaxKey+1)
	for name, w := range map[string]store.Write{
		"no partition":         text(store.Key{Sort: "s"}, "", store.Always()),
		"no sort key":          text(store.Key{Partition: p}, "", store.Always()),
		"long partition":       text(store.Key{Partition: tooLong, Sort: "s"}, "", store.Always()),
		"long sort key":        text(store.Key{Partition: p, Sort: tooLong}, "", store.Always()),
		"sort key is no text":  text(store.Key{Partition: p, Sort: "\xff"}, "", store.Always()),
		"partition is no text": text(store.Key{Partition: "\xff", Sort: "s"}, "", store.Always()),
		"negative version":     text(good, "", store.AtVersion(-1)),
		"expires before 1970":  {Key: good, Expires: time.Unix(-1, 0), If: store.Always()},
		"delete without key":   {Key: store.Key{Partition: p}, Delete: true, If: store.Always()},
	} {
		wantError(t, "Put, "+name, table.Put(t.Context(), w), store.ErrInvalid)
		other := text(store.Key{Partition: p, Sort: "other"}, "", store.Always())
		wantError(t, "Transact, "+name, table.Transact(t.Context(), []store.Write{other, w}), store.ErrInvalid)
	}
	wantSorts(t, "after invalid writes", query(t, table, p, store.Range{}))
	for _, key := range []store.Key{{}, {Partition: p}, {Sort: "s"}} {
		if _, err := table.Get(t.Context(), key); err == nil {
			t.Errorf("Get(%q): no error", key)
		}
	}
}

func testExpiry(t *testing.T, table store.Table) {
	key := newKey()
	zone := time.FixedZone("east", 3600)
	expires := time.Date(2100, 5, 6, 7, 8, 9, 999_999_999, zone)
	put(t, table, store.Write{Key: key, Data: []byte("x"), Expires: expires, If: store.Absent()})
	want := time.Date(2100, 5, 6, 6, 8, 9, 0, time.UTC)
	item, err := table.Get(t.Context(), key)
	if err != nil || item.Expires != want {
		t.Errorf("Get: expires %v, %v; want %v", item.Expires, err, want)
	}
	if items := query(t, table, key.Partition, store.Range{}); len(items) != 1 || items[0].Expires != want {
		t.Errorf("Query: %+v; want one item that expires %v", items, want)
	}
	put(t, table, text(key, "x", store.AtVersion(1))) // without an expiry
	wantItem(t, table, key, "x", 2)
}
