package availability

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// The stored form of a record, format 1. Numbers are varints as in encoding/binary, the signed ones with a
// sign (zigzag); each in its shortest form, so that a record has one form only.
//
//	byte     format
//	byte     known (1), gone (2)
//	signed   property
//	text     name, zone: length and bytes
//	unsigned number of stays; each:
//	           signed  arrival, in days after the arrival before it
//	           signed  nights
//	           byte    cause; 128 is added if an until follows
//	           signed  booking
//	           signed  until
//	unsigned number of doubts; each:
//	           signed  from, in days after the from before it
//	           signed  nights
//	           signed  booking
//	           text    why
//
// The first arrival and the first from are counted from "no date": the first of all days is 1.
const (
	recordFormat = 1
	flagKnown    = 1
	flagGone     = 2
	flagUntil    = 0x80
	minItem      = 4 // bytes that a stay or doubt needs at least
)

// AppendRecord appends the stored form of r to dst: about 10 bytes for each stay. ParseRecord reads it, if r
// is as its methods keep it (each stay and doubt has nights, in order, each stay a cause).
func AppendRecord(dst []byte, r Record) []byte {
	var flags byte
	if r.Known {
		flags |= flagKnown
	}
	if r.Gone {
		flags |= flagGone
	}
	dst = append(dst, recordFormat, flags)
	dst = binary.AppendVarint(dst, r.Property)
	dst = appendText(appendText(dst, r.Name), r.Zone)
	dst = binary.AppendUvarint(dst, uint64(len(r.Stays)))
	var day ownerrez.Date
	for _, s := range r.Stays {
		dst = appendStay(dst, s, day)
		day = s.Arrival
	}
	dst = binary.AppendUvarint(dst, uint64(len(r.Doubts)))
	day = ownerrez.Date{}
	for _, d := range r.Doubts {
		dst = appendNightsOf(dst, day, d.From, d.To)
		dst = appendText(binary.AppendVarint(dst, d.Booking), d.Why)
		day = d.From
	}
	return dst
}

func appendStay(dst []byte, s Stay, day ownerrez.Date) []byte {
	dst = appendNightsOf(dst, day, s.Arrival, s.Departure)
	if s.Until == 0 {
		return binary.AppendVarint(append(dst, byte(s.Cause)), s.Booking)
	}
	dst = binary.AppendVarint(append(dst, byte(s.Cause)|flagUntil), s.Booking)
	return binary.AppendVarint(dst, s.Until)
}

// appendNightsOf appends the nights [from, to), of which from is day or later.
func appendNightsOf(dst []byte, day, from, to ownerrez.Date) []byte {
	dst = binary.AppendVarint(dst, int64(day.DaysUntil(from)))
	return binary.AppendVarint(dst, int64(from.DaysUntil(to)))
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// ParseRecord reads what AppendRecord wrote, and nothing else: what it accepts, AppendRecord writes again
// byte for byte. Of any other data it returns an error and no record; the property must then be read in full.
func ParseRecord(data []byte) (Record, error) {
	if len(data) > 0 && data[0] != recordFormat {
		return Record{}, fmt.Errorf("this stored record has format %d and only format %d can be read here; "+
			"a full read of the property replaces it", data[0], recordFormat)
	}
	p := parser{data: data}
	r := p.record()
	if p.failed || len(p.data) > 0 {
		return Record{}, errDamaged
	}
	return r, nil
}

var errDamaged = errors.New("this stored record is damaged; a full read of the property replaces it")

// parser takes a record apart from the front. After a failure it returns zeros.
type parser struct {
	data   []byte
	failed bool
}

func (p *parser) record() Record {
	p.octet() // the format
	flags := p.octet()
	p.check(flags <= flagKnown|flagGone)
	r := Record{Known: flags&flagKnown != 0, Gone: flags&flagGone != 0, Property: p.signed(), Name: p.text(), Zone: p.text()}
	r.Stays = list(p, p.stay, compareStays)
	r.Doubts = list(p, p.doubt, compareDoubts)
	return r
}

// list reads a number of items and as many items, each of which must come after the one before it.
func list[T any](p *parser, item func(before T) T, order func(a, b T) int) []T {
	n := p.unsigned()
	p.check(n <= uint64(len(p.data)/minItem))
	if p.failed || n == 0 {
		return nil
	}
	items := make([]T, 0, n)
	var last T
	for range n {
		next := item(last)
		p.check(len(items) == 0 || order(last, next) < 0)
		if p.failed {
			return nil
		}
		items, last = append(items, next), next
	}
	return items
}

func (p *parser) stay(last Stay) Stay {
	var s Stay
	s.Arrival, s.Departure = p.nights(last.Arrival)
	cause := p.octet()
	s.Cause = Cause(cause &^ flagUntil)
	p.check(s.Cause != NoCause && s.Cause <= CauseOther)
	s.Booking = p.signed()
	if cause&flagUntil != 0 {
		s.Until = p.signed()
		p.check(s.Until != 0)
	}
	return s
}

func (p *parser) doubt(last Doubt) Doubt {
	var d Doubt
	d.From, d.To = p.nights(last.From)
	d.Booking, d.Why = p.signed(), p.text()
	return d
}

// nights reads nights that begin on the day day or later. There is at least one.
func (p *parser) nights(day ownerrez.Date) (from, to ownerrez.Date) {
	from = p.daysAfter(day)
	to = p.daysAfter(from)
	p.check(from.Before(to))
	return from, to
}

// daysAfter reads a number of days, and returns the day so many days after day. It is always a date.
func (p *parser) daysAfter(day ownerrez.Date) ownerrez.Date {
	n := p.signed()
	if day.IsZero() {
		day, n = firstDay(), n-1
	}
	p.check(n >= 0 && n <= int64(day.DaysUntil(lastDay())))
	if p.failed {
		return ownerrez.Date{}
	}
	return day.AddDays(int(n))
}

func (p *parser) check(ok bool) {
	if !ok {
		p.failed = true
	}
}

// take returns the next n bytes, or nil if there are fewer.
func (p *parser) take(n uint64) []byte {
	p.check(n <= uint64(len(p.data)))
	if p.failed {
		return nil
	}
	taken := p.data[:n]
	p.data = p.data[n:]
	return taken
}

func (p *parser) octet() byte {
	if b := p.take(1); len(b) == 1 {
		return b[0]
	}
	return 0
}

func (p *parser) text() string { return string(p.take(p.unsigned())) }

// unsigned reads a varint in its shortest form: one whose last byte is 0 would do without it.
func (p *parser) unsigned() uint64 {
	v, n := binary.Uvarint(p.data)
	p.check(n == 1 || n > 1 && p.data[n-1] != 0)
	p.take(uint64(max(n, 0)))
	if p.failed {
		return 0
	}
	return v
}

// signed reads a varint with a sign (zigzag).
func (p *parser) signed() int64 {
	v := p.unsigned()
	return int64(v>>1) ^ -int64(v&1)
}
