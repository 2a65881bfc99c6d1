package dynamo_test

import (
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
)

// TestRanges asks for ranges at random, also such as are no text, and compares what comes with what they mean.
func TestRanges(t *testing.T) {
	e := start(t)
	table := e.table()
	rng := mathrand.New(mathrand.NewPCG(5, 6))
	partition := newPartition()
	some := func(letters ...string) string {
		var s strings.Builder
		for range rng.IntN(4) {
			s.WriteString(letters[rng.IntN(len(letters))])
		}
		return s.String()
	}
	var sorts []string
	var writes []store.Write
	for range 80 {
		sort := some("a", "b", "#", "~", "é", "日", "\U0010FFFF", "\x00")
		if sort == "" || slices.Contains(sorts, sort) {
			continue
		}
		sorts = append(sorts, sort)
		writes = append(writes, store.Write{Key: store.Key{Partition: partition, Sort: sort}, If: store.Absent()})
	}
	if err := table.Transact(t.Context(), writes); err != nil {
		t.Fatal(err)
	}
	slices.Sort(sorts)
	found := 0
	for range 200 {
		r := store.Range{Prefix: some("a", "b", "é", "\xc3"), After: some("a", "b", "~", "日", "\U0010FFFF", "\xff", "\xe6"), Limit: rng.IntN(5)}
		if rng.IntN(2) == 0 {
			r.After = r.Prefix + r.After
		}
		items, err := table.Query(t.Context(), partition, r)
		if err != nil {
			t.Fatalf("%+v: %v", r, err)
		}
		var got []string
		for _, item := range items {
			got = append(got, item.Key.Sort)
		}
		want := slices.DeleteFunc(slices.Clone(sorts), func(s string) bool { return s <= r.After || !strings.HasPrefix(s, r.Prefix) })
		if r.Limit > 0 {
			want = want[:min(r.Limit, len(want))]
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q after %q, %d: got %q, want %q", r.Prefix, r.After, r.Limit, got, want)
		}
		if utf8.ValidString(r.Prefix) && r.Prefix != "" {
			found += len(got)
		}
	}
	if found < 30 {
		t.Errorf("%d items were found under prefixes: too few to prove anything", found)
	}
}
