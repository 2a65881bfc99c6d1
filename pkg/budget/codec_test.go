package budget

import (
	"bytes"
	"reflect"
	"slices"
	"testing"
)

func someLedgers() []ledger {
	now := int64(1_795_000_000_000)
	full := ledger{closed: now - 5, reopens: now + 15_000, wait: 15_000, why: tooMany}
	for i := range int64(MaxPerFive) {
		full.taken = append(full.taken, now-window.Milliseconds()+i*1000)
	}
	return []ledger{
		{},
		{taken: []int64{now}},
		{taken: []int64{now, now, now + 1}},
		{closed: now, reopens: now + window.Milliseconds(), why: unreadable},
		full,
	}
}

func TestLedgerCell(t *testing.T) {
	for _, l := range someLedgers() {
		data := appendLedger(nil, l)
		got, err := parseLedger(data)
		if err != nil || !reflect.DeepEqual(got, l) {
			t.Errorf("%+v became %+v, %v", l, got, err)
		}
		if len(data) > 1000 {
			t.Errorf("%d permits take %d bytes, want at most 1000", len(l.taken), len(data))
		}
	}
}

// FuzzLedgerCell: whatever the cell holds, what is read from it is in order, holds no absurd times, and
// can be written and read again; and no bytes are needed that it does not have.
func FuzzLedgerCell(f *testing.F) {
	for _, l := range someLedgers() {
		f.Add(appendLedger(nil, l))
	}
	f.Add([]byte{1, 0, 0, 0, 0, 0x80, 0x00})
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := parseLedger(data)
		if err != nil {
			return
		}
		if !slices.IsSorted(l.taken) || len(l.taken) > len(data) || l.latest() < 0 || l.latest() > endOfTime {
			t.Fatalf("read %+v", l)
		}
		if l.reopens < l.closed || l.reopens > l.closed+window.Milliseconds() {
			t.Fatalf("closed at %d until %d", l.closed, l.reopens)
		}
		again := appendLedger(nil, l)
		if got, err := parseLedger(again); err != nil || !reflect.DeepEqual(got, l) {
			t.Fatalf("%+v became %+v, %v", l, got, err)
		}
		if _, ok := l.take(l.latest()+1, MaxPerFive); ok && l.latest() < 0 {
			t.Fatal("a permit before 1970")
		}
	})
}

func FuzzSlotsCell(f *testing.F) {
	f.Add(encodeSlots(slotCell{}))
	f.Add(encodeSlots(slotCell{reopens: 1_795_000_000_000}))
	f.Add(encodeSlots(slotCell{uses: []slotUse{{"9f86d081884c7d659a2feaa0", 1_795_000_000_000}, {"60303ae22b998861bce3b28f", 7}}}))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parseSlots(data)
		if err != nil {
			return
		}
		for _, u := range c.uses {
			if u.user == "" || len(u.user) > maxPATUser || u.last < 0 || u.last > endOfTime {
				t.Fatalf("read %+v", c)
			}
		}
		again, err := parseSlots(encodeSlots(c))
		if err != nil || !reflect.DeepEqual(again, c) {
			t.Fatalf("%+v became %+v, %v", c, again, err)
		}
		if !bytes.HasPrefix(data, []byte{slotsFormat}) {
			t.Fatal("read a format that it does not know")
		}
	})
}
