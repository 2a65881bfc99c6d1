package dynamo_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/awstest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
)

// The items that each case of a write begins with, in a partition of its own: "two" at version 2, "any" at 0.
func prepare(t *testing.T, table store.Table, partition string) {
	t.Helper()
	for _, w := range []store.Write{
		{Key: store.Key{Partition: partition, Sort: "two"}, Data: []byte("one"), If: store.Absent()},
		{Key: store.Key{Partition: partition, Sort: "two"}, Data: []byte("old"), If: store.AtVersion(1)},
		{Key: store.Key{Partition: partition, Sort: "any"}, Data: []byte("old"), If: store.Always()},
	} {
		if err := table.Put(t.Context(), w); err != nil {
			t.Fatal(err)
		}
	}
}

const prepared = "any=old@0 two=old@2"

// state is all that a partition holds, in one line.
func state(t *testing.T, table store.Table, partition string) string {
	t.Helper()
	items, err := table.Query(t.Context(), partition, store.Range{})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, item := range items {
		all = append(all, fmt.Sprintf("%s=%s@%d", item.Key.Sort, item.Data, item.Version))
	}
	return strings.Join(all, " ")
}

// writeCase is a write, and what the partition holds when it was done once.
type writeCase struct {
	name   string
	writes []store.Write // their keys' partition is filled in
	after  string        // empty: a condition does not hold
}

func writeCases() []writeCase {
	put := func(sort string, c store.Condition) store.Write {
		return store.Write{Key: store.Key{Sort: sort}, Data: []byte("new"), If: c}
	}
	remove := func(sort string, c store.Condition) store.Write {
		return store.Write{Key: store.Key{Sort: sort}, Delete: true, If: c}
	}
	type writes = []store.Write
	return []writeCase{
		{"put of a new item", writes{put("new", store.Absent())}, "any=old@0 new=new@1 two=old@2"},
		{"put at a version", writes{put("two", store.AtVersion(2))}, "any=old@0 two=new@3"},
		{"put always", writes{put("two", store.Always())}, "any=old@0 two=new@0"},
		{"put always of a new item", writes{put("new", store.Always())}, "any=old@0 new=new@0 two=old@2"},
		{"put of what exists", writes{put("two", store.Absent())}, ""},
		{"put at an old version", writes{put("two", store.AtVersion(1))}, ""},
		{"put at a version of nothing", writes{put("new", store.AtVersion(1))}, ""},
		{"delete at a version", writes{remove("two", store.AtVersion(2))}, "any=old@0"},
		{"delete always", writes{remove("any", store.Always())}, "two=old@2"},
		{"delete of nothing", writes{remove("new", store.Absent())}, prepared},
		{"delete at an old version", writes{remove("two", store.AtVersion(1))}, ""},
		{"delete at a version of nothing", writes{remove("new", store.AtVersion(1))}, ""},
		{"transaction", writes{put("new", store.Absent()), put("two", store.AtVersion(2)), remove("any", store.Always())}, "new=new@1 two=new@3"},
		{"transaction that fails", writes{put("new", store.Absent()), put("two", store.AtVersion(3)), remove("any", store.Always())}, ""},
	}
}

// isConditionalPut reports whether the write is one that does without a transaction.
func (tt writeCase) isConditionalPut() bool {
	w := tt.writes[0]
	_, always := w.If.Version()
	return len(tt.writes) == 1 && !w.Delete && !always
}

// TestWriteAtEveryFault cuts each request of each write, before it is sent and after it was answered.
func TestWriteAtEveryFault(t *testing.T) {
	e := start(t)
	for _, tt := range writeCases() {
		t.Run(tt.name, func(t *testing.T) {
			if !tt.isConditionalPut() {
				e.needTokens(t)
			}
			if requests := tt.try(t, e, awstest.CutBefore(0)); requests != 1 {
				t.Errorf("%d requests without a fault, want 1", requests)
			}
			everyFault(t, func(t *testing.T, cut *awstest.Cut) { tt.try(t, e, cut) })
		})
	}
}

// everyFault calls try with the first request cut, then the second, until there is none left to cut.
func everyFault(t *testing.T, try func(t *testing.T, cut *awstest.Cut)) {
	t.Helper()
	for name, makeCut := range map[string]func(int) *awstest.Cut{"before": awstest.CutBefore, "after": awstest.CutAfter} {
		for n := 1; ; n++ {
			cut := makeCut(n)
			t.Run(fmt.Sprintf("cut %s request %d", name, n), func(t *testing.T) { try(t, cut) })
			if cut.Requests() < n {
				break
			}
		}
	}
}

// try does the write through a cut, checks what comes of it, and returns how many requests it took.
func (tt writeCase) try(t *testing.T, e engine, cut *awstest.Cut) int {
	t.Helper()
	partition := newPartition()
	prepare(t, e.table(), partition)
	writes := slices.Clone(tt.writes)
	for i := range writes {
		writes[i].Key.Partition = partition
	}
	err := e.through(cut).Transact(t.Context(), writes)
	got := state(t, e.table(), partition)
	switch {
	case tt.after != "" && (err != nil || got != tt.after):
		t.Errorf("%v, and then there is %q; want no error and %q", err, got, tt.after)
	case tt.after == "" && (err == nil || got != prepared):
		t.Errorf("%v, and then there is %q; want an error and %q", err, got, prepared)
	case tt.after == "" && cut.Requests() == 1 && !errors.Is(err, store.ErrConflict):
		t.Errorf("%v; want %v", err, store.ErrConflict)
	}
	return cut.Requests()
}

// TestReadAtEveryFault cuts each request of a read. A read is as right as without it.
func TestReadAtEveryFault(t *testing.T) {
	e := start(t)
	key := store.Key{Partition: newPartition(), Sort: "0"}
	for i := range 7 { // three pages
		w := store.Write{Key: key, Data: make([]byte, store.MaxData), If: store.Absent()}
		w.Key.Sort = fmt.Sprint(i)
		if err := e.table().Put(t.Context(), w); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("Get", func(t *testing.T) {
		everyFault(t, func(t *testing.T, cut *awstest.Cut) {
			item, err := e.through(cut).Get(t.Context(), key)
			if err != nil || item.Key != key || len(item.Data) != store.MaxData {
				t.Errorf("item %s with %d bytes, %v", item.Key, len(item.Data), err)
			}
		})
	})
	t.Run("Query", func(t *testing.T) {
		everyFault(t, func(t *testing.T, cut *awstest.Cut) {
			items, err := e.through(cut).Query(t.Context(), key.Partition, store.Range{})
			var sorts string
			for _, item := range items {
				sorts += item.Key.Sort
			}
			if err != nil || sorts != "0123456" {
				t.Errorf("items %q, %v", sorts, err)
			}
			if cut.Requests() < 3 {
				t.Errorf("%d requests: too few pages to prove anything", cut.Requests())
			}
		})
	})
}

// TestReplacedAfterALostAnswer has another one write over a put whose answer was lost. It was done, so that it is no
// conflict; and that nobody can tell, so that it is no success.
func TestReplacedAfterALostAnswer(t *testing.T) {
	e := start(t)
	key := store.Key{Partition: newPartition(), Sort: "x"}
	transport := &lose{next: e.transport, then: func() {
		other := store.Write{Key: key, Data: []byte("other"), If: store.AtVersion(1)}
		if err := e.table().Put(context.Background(), other); err != nil {
			t.Error(err)
		}
	}}
	err := e.through(transport).Put(t.Context(), store.Write{Key: key, Data: []byte("mine"), If: store.Absent()})
	if err == nil || errors.Is(err, store.ErrConflict) {
		t.Errorf("got error %v, want one that is no conflict", err)
	}
	if got := state(t, e.table(), key.Partition); got != "x=other@2" {
		t.Errorf("there is %s", got)
	}
}

// TestOtherTransactionAfterALostAnswer is the same with writes that go through a transaction: the token tells.
func TestOtherTransactionAfterALostAnswer(t *testing.T) {
	e := start(t)
	e.needTokens(t)
	key := store.Key{Partition: newPartition(), Sort: "x"}
	put := func(data string, c store.Condition) store.Write {
		return store.Write{Key: key, Data: []byte(data), If: c}
	}
	for name, w := range map[string]store.Write{
		"delete at a version": {Key: key, Delete: true, If: store.AtVersion(1)},
		"delete always":       {Key: key, Delete: true, If: store.Always()},
		"put always":          put("mine", store.Always()),
	} {
		for _, before := range []store.Write{{Key: key, Delete: true, If: store.Always()}, put("old", store.Absent())} {
			if err := e.table().Put(t.Context(), before); err != nil {
				t.Fatal(err)
			}
		}
		transport := &lose{next: e.transport, then: func() {
			if err := e.table().Put(context.Background(), put("other", store.Always())); err != nil {
				t.Error(err)
			}
		}}
		err := e.through(transport).Put(t.Context(), w)
		if got := state(t, e.table(), key.Partition); err != nil || got != "x=other@0" {
			t.Errorf("%s: %v, and then there is %s; want no error and x=other@0", name, err, got)
		}
	}
}
