package ownerrez_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

func TestParseDate(t *testing.T) {
	for text, want := range map[string]ownerrez.Date{
		"2026-11-06":                ownerrez.NewDate(2026, 11, 6),
		"2026-11-06T00:00:00":       ownerrez.NewDate(2026, 11, 6),
		"2026-11-06T23:30:00Z":      ownerrez.NewDate(2026, 11, 6),
		"2026-11-06T23:30:00-10:00": ownerrez.NewDate(2026, 11, 6),
		"2026-11-06 00:00":          ownerrez.NewDate(2026, 11, 6),
		"2028-02-29":                ownerrez.NewDate(2028, 2, 29),
		"0001-01-01":                ownerrez.NewDate(1, 1, 1),
		"9999-12-31":                ownerrez.NewDate(9999, 12, 31),
	} {
		if got, err := ownerrez.ParseDate(text); err != nil || got != want {
			t.Errorf("ParseDate(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "2026", "2026-02-30", "2027-02-29", "2026-13-01", "0000-01-01", "11/06/2026", "2026-11-06x", "2026-11-06Tnoon", "20261106", "2026-1-6", "-2026-11-06", "２026-11-06"} {
		if got, err := ownerrez.ParseDate(text); err == nil || !got.IsZero() {
			t.Errorf("ParseDate(%q) = %v, nil; want an error", text, got)
		}
	}
}

// The days since the first one are compared with what package time counts.
func TestDateArithmetic(t *testing.T) {
	first := ownerrez.NewDate(1, 1, 1)
	at := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	for days := 0; at.Year() < 10000; days += 97 {
		at = time.Date(1, 1, 1+days, 0, 0, 0, 0, time.UTC)
		if at.Year() > 9999 {
			break
		}
		d := ownerrez.DateOf(at)
		y, m, day := d.YearMonthDay()
		if d != first.AddDays(days) || first.DaysUntil(d) != days || d.String() != at.Format(time.DateOnly) || d.Weekday() != at.Weekday() || y != at.Year() || m != at.Month() || day != at.Day() {
			t.Fatalf("day %d: %v, package time says %v", days, d, at)
		}
	}
	last := ownerrez.NewDate(9999, 12, 31)
	if got := last.AddDays(1); got != last {
		t.Errorf("a day after the last one is %v", got)
	}
	if got := first.AddDays(-1 << 40); got != first {
		t.Errorf("long before the first day is %v", got)
	}
	if none := (ownerrez.Date{}); none.AddDays(5) != none || none.String() != "" || !none.Before(first) || first.Compare(none) != 1 {
		t.Error("no date must stay no date, and come before all days")
	}
	if y, m, d := (ownerrez.Date{}).YearMonthDay(); y != 0 || m != 0 || d != 0 {
		t.Error("no date has parts")
	}
	if first.Compare(last) != -1 || first.Compare(first) != 0 || !last.After(first) || first.After(first) || first.Before(first) {
		t.Error("days are in a wrong order")
	}
	if got := ownerrez.NewDate(10000, 1, 1); !got.IsZero() {
		t.Errorf("year 10000 is %v", got)
	}
}

// Around midnight, and where a clock change skips it.
func TestDateInZones(t *testing.T) {
	at := time.Date(2026, 11, 7, 10, 15, 0, 0, time.UTC)
	for zone, want := range map[string]string{"Pacific/Honolulu": "2026-11-07", "Pacific/Auckland": "2026-11-07", "UTC": "2026-11-07"} {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		if got := ownerrez.Today(at, loc).String(); got != want {
			t.Errorf("%s: %s, want %s", zone, got, want)
		}
	}
	honolulu, _ := time.LoadLocation("Pacific/Honolulu")
	if got := ownerrez.Today(at.Add(-15*time.Minute-time.Nanosecond), honolulu).String(); got != "2026-11-06" {
		t.Errorf("one instant before midnight in Honolulu is %s", got)
	}
}

// A day begins where it is not the day before any more, whatever the clocks do.
func TestDateIn(t *testing.T) {
	for _, zone := range []string{
		"America/Santiago", // skips midnight in September
		"America/Havana",   // has two midnights in November
		"America/Toronto",  // went from 23:30 to 00:30 in 1919
		"Asia/Beirut", "Africa/Cairo", "Pacific/Auckland", "Pacific/Honolulu", "America/St_Johns", "Australia/Lord_Howe", "UTC",
	} {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		for d := ownerrez.NewDate(1915, 1, 1); d.Before(ownerrez.NewDate(2030, 1, 1)); d = d.AddDays(1) {
			begin := d.In(loc)
			if ownerrez.DateOf(begin) != d || ownerrez.DateOf(begin.Add(-time.Nanosecond)) != d.AddDays(-1) || ownerrez.DateOf(begin.Add(-time.Hour)) == d {
				t.Errorf("%s: %v begins at %v", zone, d, begin)
			}
		}
	}
}

func TestDateJSON(t *testing.T) {
	type row struct {
		Day  ownerrez.Date            `json:"day"`
		By   map[ownerrez.Date]string `json:"by"`
		None ownerrez.Date            `json:"none"`
	}
	in := row{Day: ownerrez.NewDate(2026, 11, 6), By: map[ownerrez.Date]string{ownerrez.NewDate(2026, 1, 2): "x"}}
	text, err := json.Marshal(in)
	if err != nil || string(text) != `{"day":"2026-11-06","by":{"2026-01-02":"x"},"none":null}` {
		t.Fatalf("%s, %v", text, err)
	}
	var out row
	if err := json.Unmarshal(text, &out); err != nil || out.Day != in.Day || len(out.By) != 1 || !out.None.IsZero() {
		t.Fatalf("%+v, %v", out, err)
	}
	if err := json.Unmarshal([]byte(`{"day":"soon"}`), &out); err == nil {
		t.Error("an unreadable date was accepted")
	}
}
