package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// alike compares values as they are stored: an empty list is none.
var alike = cmp.Options{cmpopts.EquateEmpty(), cmp.Comparer(func(a, b ownerrez.Date) bool { return a == b })}

// FuzzRow reads any bytes as a row: what can be read is written and read again as the same row.
func FuzzRow(f *testing.F) {
	f.Add([]byte("\x01{}"))
	f.Add([]byte("\x01{\"ID\":1,\"Properties\":{\"4401\":{\"Rows\":3,\"Mark\":{\"Why\":\"x\"}}},\"Due\":\"2026-11-23T20:00:00Z\"}"))
	f.Add([]byte("\x02{}"))
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		row, err := parseRow(Item{Key: rowKey("1"), Version: 3, Data: data})
		if err != nil {
			if diff := cmp.Diff(lookup.Account{}, row); diff != "" {
				t.Errorf("a row beside an error: %s", diff)
			}
			return
		}
		if row.Key != "1" || row.Version != 3 {
			t.Errorf("the row has key %q and version %d", row.Key, row.Version)
		}
		w, err := rowWrite(row)
		if err != nil {
			t.Skip("a time that JSON reads but does not write")
		}
		again, err := parseRow(Item{Key: w.Key, Version: 3, Data: w.Data})
		if diff := cmp.Diff(row, again, alike); diff != "" || err != nil {
			t.Errorf("the row changed on its way (%v):\n%s", err, diff)
		}
	})
}

// FuzzEvent reads any bytes as an event: what can be read is the event of this number, written and read again
// as the same one.
func FuzzEvent(f *testing.F) {
	f.Add([]byte("\x01{\"Kind\":\"AvailabilityChanged\",\"Detail\":{\"version\":1,\"account\":7,\"seq\":3,\"property\":4401," +
		"\"changes\":[{\"from\":\"2026-12-02\",\"to\":null,\"was\":\"free\",\"now\":\"taken\",\"booking_id\":1}]}}"))
	f.Add([]byte("\x01{}"))
	f.Add([]byte("\x02{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		key := Key{Partition: accountPartition(7), Sort: eventSort(3)}
		e, err := parseEvent(7, Item{Key: key, Data: data})
		if err != nil {
			return
		}
		if e.Seq != 3 || e.Account != 7 {
			t.Errorf("event %d of account %d read as event 3 of account 7", e.Seq, e.Account)
		}
		w, err := eventWrite(7, e)
		if err != nil {
			t.Skip("a time that JSON reads but does not write")
		}
		if w.Key != key || w.If != Absent() {
			t.Errorf("written to %s on condition %+v", w.Key, w.If)
		}
		again, err := parseEvent(7, Item{Key: w.Key, Expires: w.Expires, Data: w.Data})
		if diff := cmp.Diff(e, again, alike); diff != "" || err != nil {
			t.Errorf("the event changed on its way (%v):\n%s", err, diff)
		}
	})
}

// FuzzRecord reads any bytes as a record of a property: it is one of this property, or an unknown one.
func FuzzRecord(f *testing.F) {
	f.Add(availability.AppendRecord(nil, availability.Record{Property: 4401, Name: "Pine Cabin", Known: true}))
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := parseRecord(4401, data)
		if r.Property != 4401 {
			t.Errorf("a record of property %d", r.Property)
		}
	})
}
