package dynamo

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
)

func TestBounds(t *testing.T) {
	long := strings.Repeat("k", store.MaxKey)
	for _, tt := range []struct {
		r             store.Range
		prefix, start string
		ok            bool
	}{
		{store.Range{}, "", "", true},
		{store.Range{Limit: 3}, "", "", true},
		{store.Range{After: "C#1"}, "", "C#1", true},
		{store.Range{Prefix: "C#"}, "C#", "", true},
		{store.Range{Prefix: "C#", After: "C#1"}, "C#", "C#1", true},
		{store.Range{Prefix: "C#", After: "C#"}, "C#", "C#", true},
		{store.Range{Prefix: "C#", After: "C"}, "C#", "", true},      // before all of them
		{store.Range{Prefix: "C#", After: "B#9"}, "C#", "", true},    // before all of them
		{store.Range{Prefix: "C#", After: "D"}, "", "", false},       // behind all of them
		{store.Range{Prefix: "C#", After: "C$"}, "", "", false},      // behind all of them
		{store.Range{Prefix: "é", After: "e"}, "é", "", true},        // by bytes, not as a dictionary has it
		{store.Range{Prefix: "a", After: "\xff"}, "a", "", true},     // no text: no key begins so, and inRange drops all
		{store.Range{Prefix: "a", After: "ab\xff"}, "a", "ab", true}, // as far as it is text
		{store.Range{Prefix: "a\xc3"}, "a", "", true},                // half of an é
		{store.Range{After: long + "k"}, "", long, true},             // no key is as long
		{store.Range{After: long[1:] + "é"}, "", long[1:], true},
		{store.Range{Prefix: long}, long, "", true},
		{store.Range{Prefix: long + "k"}, "", "", false},
	} {
		prefix, start, ok := bounds(tt.r)
		if prefix != tt.prefix || start != tt.start || ok != tt.ok {
			t.Errorf("bounds(%.20q after %.20q) = %.20q, %.20q, %t; want %.20q, %.20q, %t", tt.r.Prefix, tt.r.After, prefix, start, ok, tt.prefix, tt.start, tt.ok)
		}
	}
}

// FuzzBounds checks that what DynamoDB is asked for is a query that it takes, and holds all keys of the range; and no
// others where the range is text, or a limit would count them.
func FuzzBounds(f *testing.F) {
	for _, part := range []string{"", "C#", "C", "é", "\xc3", "\xff", "\U0010FFFF", strings.Repeat("é", 520)} {
		f.Add(part, "C#1", "C#10")
		f.Add("C#", part, "C#1")
		f.Add("C#", "C#\x00", part)
	}
	f.Fuzz(func(t *testing.T, prefix, after, key string) {
		r := store.Range{Prefix: prefix, After: after}
		begins, start, ok := bounds(r)
		if start != "" && (!storable(start) || !strings.HasPrefix(start, begins)) || begins != "" && !storable(begins) {
			t.Fatalf("bounds(%q after %q) = %q, %q: no query", prefix, after, begins, start)
		}
		isText := utf8.ValidString(prefix) && utf8.ValidString(after) && len(after) <= store.MaxKey
		for _, k := range keysAround(prefix, after, key) {
			want := k > after && strings.HasPrefix(k, prefix)
			asked := ok && strings.HasPrefix(k, begins) && k > start
			if got := asked && inRange(k, r); got != want {
				t.Errorf("%q in %q after %q: %t, want %t", k, prefix, after, got, want)
			}
			if asked && !want && isText {
				t.Errorf("%q is asked for and is not in %q after %q", k, prefix, after)
			}
		}
	})
}

// keysAround are keys at the edges of a range.
func keysAround(parts ...string) []string {
	var keys []string
	for _, a := range parts {
		for _, b := range append(parts, "", "\x00", "~", "é", "\U0010FFFF") {
			key := a + b
			keys = append(keys, key, key+"\x00", strings.ToValidUTF8(key, ""), strings.ToValidUTF8(key, "\U0010FFFF"), key[:len(key)/2])
			if len(key) > store.MaxKey {
				keys = append(keys, key[:store.MaxKey], key[:store.MaxKey-1])
			}
		}
	}
	return slices.DeleteFunc(keys, func(k string) bool { return !storable(k) })
}
