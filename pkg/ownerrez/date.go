package ownerrez

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Date is a day of the calendar without a time zone, as OwnerRez uses for arrivals, departures and nights:
// the day as it is called where the property stands. The zero Date is "no date". Dates compare with == and
// work as map keys; the years 1 to 9999 fit.
type Date struct {
	n int32 // days since 0000-12-31, so that 0001-01-01 is 1 and the zero value is no date
}

// dateEpoch is the day before the first one, in days before the Unix epoch.
const dateEpoch = 719163

const maxDate = 3652059 // 9999-12-31

// NewDate returns the day that year, month and day name. Values out of range are normalized as time.Date
// does it: October 32 is November 1. A day outside the years 1 to 9999 is no date.
func NewDate(year int, month time.Month, day int) Date {
	return DateOf(time.Date(year, month, day, 0, 0, 0, 0, time.UTC))
}

// DateOf returns the day of t in t's own location.
func DateOf(t time.Time) Date {
	_, offset := t.Zone()
	days := floorDiv(t.Unix()+int64(offset), 86400) + dateEpoch
	if days < 1 || days > maxDate {
		return Date{}
	}
	return Date{int32(days)}
}

// Today returns the day that now is where loc is.
func Today(now time.Time, loc *time.Location) Date { return DateOf(now.In(loc)) }

// ParseDate reads "2006-01-02", and tolerates a time of day behind it ("2026-11-06T00:00:00", as the API's
// calendar sends), which is dropped, whatever zone it names: OwnerRez means the day as written.
func ParseDate(s string) (Date, error) {
	day, rest := s, ""
	if len(s) > 10 {
		day, rest = s[:10], s[10:]
	}
	t, err := time.Parse(time.DateOnly, day)
	if err != nil || !isTimeOfDay(rest) || t.Year() < 1 {
		return Date{}, fmt.Errorf("%q is not a date; write it as 2006-01-02", shorten(s, 40))
	}
	return DateOf(t), nil
}

// isTimeOfDay reports whether s is what may stand behind a date: nothing, or roughly a time.
func isTimeOfDay(s string) bool {
	if s == "" {
		return true
	}
	if (s[0] != 'T' && s[0] != ' ') || len(s) > 30 {
		return false
	}
	return strings.Trim(s[1:], "0123456789:.+-Z ") == ""
}

// IsZero reports whether d is no date.
func (d Date) IsZero() bool { return d.n == 0 }

// AddDays returns the day n days after d (before d, if n is negative). No date stays no date; a day beyond
// the years 1 to 9999 becomes the first or the last one there is.
func (d Date) AddDays(n int) Date {
	if d.n == 0 {
		return d
	}
	return Date{int32(min(max(int64(d.n)+int64(n), 1), maxDate))}
}

// DaysUntil returns how many days later than d the day other is: the nights of a stay from d to other.
func (d Date) DaysUntil(other Date) int { return int(other.n) - int(d.n) }

// Compare is -1 if d is before other, 0 if they are the same day, and 1 if d is after other. No date comes first.
func (d Date) Compare(other Date) int {
	switch {
	case d.n < other.n:
		return -1
	case d.n > other.n:
		return 1
	}
	return 0
}

// Before reports whether d is an earlier day than other.
func (d Date) Before(other Date) bool { return d.n < other.n }

// After reports whether d is a later day than other.
func (d Date) After(other Date) bool { return d.n > other.n }

// In returns the beginning of the day d where loc is: midnight, the first of two where the clock is set back
// over it, and the first instant of the day where a clock change skips it.
func (d Date) In(loc *time.Location) time.Time {
	t := d.utc()
	midnight := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, loc)
	since, until := midnight.ZoneBounds()
	if DateOf(midnight) != d {
		return until // read by the clock from before the change
	}
	if since.IsZero() || DateOf(since) != d {
		return midnight
	}
	before := since.Add(-time.Nanosecond)
	if DateOf(before) != d {
		return since
	}
	_, offset := before.Zone()
	return t.Add(-time.Duration(offset) * time.Second).In(loc)
}

// Weekday returns the day of the week.
func (d Date) Weekday() time.Weekday { return d.utc().Weekday() }

// YearMonthDay returns the parts of d; all are 0 if d is no date.
func (d Date) YearMonthDay() (int, time.Month, int) {
	if d.n == 0 {
		return 0, 0, 0
	}
	return d.utc().Date()
}

// String writes d as "2006-01-02", and no date as "".
func (d Date) String() string {
	if d.n == 0 {
		return ""
	}
	return d.utc().Format(time.DateOnly)
}

// MarshalText writes d as String does.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what ParseDate reads; an empty text is no date.
func (d *Date) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*d = Date{}
		return nil
	}
	parsed, err := ParseDate(string(text))
	if err == nil {
		*d = parsed
	}
	return err
}

// MarshalJSON writes a JSON string, and null for no date.
func (d Date) MarshalJSON() ([]byte, error) {
	if d.n == 0 {
		return []byte("null"), nil
	}
	return json.Marshal(d.String())
}

func (d Date) utc() time.Time {
	return time.Unix((int64(d.n)-dateEpoch)*86400, 0).UTC()
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// shorten cuts s to at most n bytes, at a rune's beginning, and shows that it did.
func shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n] + "…"
}
