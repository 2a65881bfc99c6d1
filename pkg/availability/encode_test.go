package availability_test

import (
	"bytes"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// records are records with something special to store.
func records() map[string]availability.Record {
	first, last := ownerrez.NewDate(1, time.January, 1), ownerrez.NewDate(9999, time.December, 31)
	extremes := availability.Record{Property: math.MinInt64, Name: "Grüße, 山 \x00\xff", Zone: "Pacific/Auckland", Gone: true}
	extremes.Put(availability.Stay{Booking: math.MaxInt64, Arrival: first, Departure: last, Cause: availability.CauseHold, Until: math.MinInt64})
	extremes.Put(availability.Stay{Booking: math.MinInt64, Arrival: first, Departure: last, Cause: availability.CauseOther, Until: math.MaxInt64})
	extremes.Put(availability.Stay{Booking: 1, Arrival: last.AddDays(-1), Departure: last, Cause: availability.CauseBooking})
	extremes.AddDoubt(availability.Doubt{})
	extremes.AddDoubt(availability.Doubt{Booking: -1, From: day(1), To: day(2), Why: "a"})
	small := known(stay(900101, 1, 5, availability.CauseBooking))
	small.AddDoubt(availability.Doubt{Booking: 900102, From: day(9), To: day(11), Why: "the row has no property"})
	return map[string]availability.Record{"zero": {}, "small": small, "extremes": extremes, "busy": busy(100)}
}

func roundTrip(t *testing.T, r availability.Record) []byte {
	t.Helper()
	data := availability.AppendRecord(nil, r)
	got, err := availability.ParseRecord(data)
	if err != nil || !got.Equal(r) {
		t.Fatalf("read back with error %v (-want +got):\n%s", err, cmp.Diff(r, got, dates))
	}
	return data
}

func TestRecordsAreReadBack(t *testing.T) {
	for name, r := range records() {
		t.Run(name, func(t *testing.T) {
			data := roundTrip(t, r)
			if got := availability.AppendRecord([]byte("before"), r); string(got) != "before"+string(data) {
				t.Error("AppendRecord does not append")
			}
		})
	}
	eachCase(t, func(t *testing.T, g *generator) { roundTrip(t, g.record()) })
}

// The form is stored: who changes it by mistake loses what users have.
func TestStoredFormStays(t *testing.T) {
	hold := stay(3, 1, 3, availability.CauseHold)
	hold.Until = 1_800_000_000
	r := known(stay(900101, 1, 5, availability.CauseBooking), hold)
	r.Name, r.Zone = "Pine", "UTC"
	r.AddDoubt(availability.Doubt{Booking: 9, From: day(9), To: day(11), Why: "a"})
	want := strings.ReplaceAll("01 01 e244 0450696e65 03555443 02 dea95a 04 84 06 80c8ceb40d 00 08 01 8af06d 01 eea95a 04 12 0161", " ", "")
	if got := hex.EncodeToString(availability.AppendRecord(nil, r)); got != want {
		t.Errorf("stored as\n%s, want\n%s", got, want)
	}
}

func TestRecordOf3000StaysIsSmall(t *testing.T) {
	if n := len(availability.AppendRecord(nil, busy(3000))); n > 50_000 {
		t.Errorf("3,000 stays take %d bytes", n)
	}
}

func TestDamagedRecordsAreRefused(t *testing.T) {
	for name, r := range records() {
		data := availability.AppendRecord(nil, r)
		for n := range data {
			if got, err := availability.ParseRecord(data[:n]); err == nil {
				t.Errorf("%s: the first %d bytes were read as %v", name, n, got)
			}
		}
		if _, err := availability.ParseRecord(append(data, 0)); err == nil {
			t.Errorf("%s: garbage at the end was accepted", name)
		}
	}
	small := availability.AppendRecord(nil, known(stay(1, 1, 5, availability.CauseBooking)))
	for name, change := range map[string]func([]byte) []byte{
		"another format":    func(b []byte) []byte { b[0]++; return b },
		"a flag of its own": func(b []byte) []byte { b[1] |= 4; return b },
		"a stay too many":   func(b []byte) []byte { b[6]++; return b },
		"no nights":         func(b []byte) []byte { b[10] = 0; return b },
		"no cause":          func(b []byte) []byte { b[11] = 0; return b },
		"a new cause":       func(b []byte) []byte { b[11] = 8; return b },
		"an until of 0":     func(b []byte) []byte { b[11] |= 0x80; return slices.Insert(b, 13, 0) },
		"an early arrival":  func(b []byte) []byte { return slices.Replace(b, 7, 10, 0) },
		"a late departure":  func(b []byte) []byte { return slices.Replace(b, 10, 11, 0x80, 0x80, 0x80, 0x04) },
		"a number too long": func(b []byte) []byte { return append(b[:len(b)-1], 0x80, 0) },
		"a huge number":     func(b []byte) []byte { return append(b[:len(b)-1], bytes.Repeat([]byte{0xff}, 11)...) },
		"many stays":        func(b []byte) []byte { return append(b[:6], 0xff, 0xff, 0xff, 0xff, 0x0f) },
	} {
		data := change(bytes.Clone(small))
		if got, err := availability.ParseRecord(data); err == nil {
			t.Errorf("%s: %x was read as %v", name, data, got)
		} else if !got.Equal(availability.Record{}) {
			t.Errorf("%s: a record beside an error: %v", name, got)
		}
	}
}

// A record whose stays lost their order would make a calendar that is wrong.
func TestRecordsOutOfOrderAreRefused(t *testing.T) {
	a, b := stay(1, 1, 5, availability.CauseBooking), stay(2, 1, 5, availability.CauseBooking)
	for _, stays := range [][]availability.Stay{{b, a}, {a, a}, {stay(1, 7, 9, availability.CauseBlock), b}} {
		data := availability.AppendRecord(nil, availability.Record{Stays: stays})
		if got, err := availability.ParseRecord(data); err == nil {
			t.Errorf("%v was read as %v", stays, got)
		}
	}
}

func FuzzParseRecord(f *testing.F) {
	for _, r := range records() {
		data := availability.AppendRecord(nil, r)
		f.Add(data)
		f.Add(data[:len(data)/2])
		f.Add(append(data, 1))
	}
	f.Add([]byte{})
	f.Add([]byte{2, 0})
	f.Add([]byte{1, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := availability.ParseRecord(data)
		if err != nil {
			return
		}
		if again := availability.AppendRecord(nil, r); !bytes.Equal(again, data) {
			t.Fatalf("%x is written again as %x", data, again)
		}
		for _, s := range r.Stored(day(-100), day(100)) { // what was read makes a calendar
			if want := oracleStored(r, s.From); want != (said{s.State, s.Cause, s.Booking, s.Reason}) {
				t.Fatalf("%x: %v, want %v", data, s, want)
			}
		}
	})
}

func FuzzAppendRecord(f *testing.F) {
	f.Add(uint64(1), int64(4401), "Pine Cabin", "America/Chicago", "why", true, int64(900101), int64(0))
	f.Add(uint64(2), int64(-1), "", "", "", false, int64(math.MinInt64), int64(math.MaxInt64))
	f.Fuzz(func(t *testing.T, seed uint64, property int64, name, zone, why string, known bool, booking, until int64) {
		g := &generator{rand.New(rand.NewPCG(seed, 0)), seed}
		r := g.record()
		r.Property, r.Name, r.Zone, r.Known = property, name, zone, known
		s := g.stay()
		s.Booking, s.Until = booking, until
		r.Put(s)
		r.AddDoubt(availability.Doubt{Booking: booking, From: g.night(), To: g.night(), Why: why})
		roundTrip(t, r)
	})
}
