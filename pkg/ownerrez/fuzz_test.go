package ownerrez

import (
	"bytes"
	"encoding/json"
	"math/big"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"
)

func FuzzParseDate(f *testing.F) {
	for _, s := range []string{"2026-11-06", "2026-11-06T00:00:00", "2026-11-06T23:59:59.9Z", "0001-01-01", "9999-12-31", "2028-02-29", "2026-11-06 x", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDate(s)
		if err != nil {
			if !d.IsZero() || len(err.Error()) > 400 {
				t.Fatalf("%q: %v, %v", s, d, err)
			}
			return
		}
		if d.IsZero() || d.String() != s[:10] || NewDate(d.YearMonthDay()) != d || DateOf(d.In(time.UTC)) != d {
			t.Fatalf("%q is %v", s, d)
		}
		if again, err := ParseDate(d.String()); err != nil || again != d {
			t.Fatalf("%q came back as %v, %v", s, again, err)
		}
	})
}

func FuzzRetryAfter(f *testing.F) {
	now := time.Date(2026, 11, 6, 12, 0, 0, 0, time.UTC)
	for _, s := range []string{"0", "120", " 7 ", "-1", "1e9", "99999999999999999999", now.Add(time.Hour).Format(http.TimeFormat), "Friday, 06-Nov-26 13:00:00 GMT"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		wait := parseRetryAfter(s, now)
		if wait < 0 || wait > maxRetryAfter {
			t.Fatalf("%q: %s", s, wait)
		}
		digits := strings.TrimSpace(s)
		if n, ok := new(big.Int).SetString(digits, 10); ok && isDigits(digits) {
			want := maxRetryAfter
			if n.IsInt64() && n.Int64() < int64(maxRetryAfter/time.Second) {
				want = time.Duration(n.Int64()) * time.Second
			}
			if wait != want {
				t.Fatalf("%q: %s, want %s", s, wait, want)
			}
		}
		if p := (RetryPolicy{}).withDefaults(); p.wait(1, &Error{StatusCode: 503, RetryAfter: wait}) > p.MaxWait {
			t.Fatalf("%q is waited for too long", s)
		}
	})
}

func FuzzDecimal(f *testing.F) {
	for _, s := range []string{"0", "-0.00", "1250.50", "1e3", "25E-4", "9223372036854775807", "-9.223372036854775808", "1e18", "1e-99", ".5", "01"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDecimal(s)
		isNumber := json.Valid([]byte(s)) && len(s) > 0 && strings.Trim(s, "0123456789+-.eE") == ""
		if err != nil {
			return
		}
		if !isNumber {
			t.Fatalf("%q is no JSON number, and is %v", s, d)
		}
		if exact, ok := new(big.Rat).SetString(s); !ok || d.Rat().Cmp(exact) != 0 {
			t.Fatalf("%q is %v", s, d)
		}
		again, err := ParseDecimal(d.String())
		if err != nil || again != d || !json.Valid([]byte(d.String())) || d.IsZero() != (d.Rat().Sign() == 0) {
			t.Fatalf("%q is %v, and %v when read again: %v", s, d, again, err)
		}
		if other, err := ParseDecimal(d.Rat().FloatString(maxScale)); err != nil || other != d {
			t.Fatalf("%q is %v, and %v when written at length", s, d, other)
		}
	})
}

// Whatever the link: the request that follows goes to the list's own address.
func FuzzNextLink(f *testing.F) {
	for _, s := range []string{
		"/v2/bookings?offset=1", "https://api.ownerrez.com/v2/bookings?offset=1", "//evil.example/v2/bookings", `/\evil.example/v2/bookings`,
		"https://api.ownerrez.com@evil.example/v2/bookings", "?offset=1", "bookings?a=b&a=c", "https:v2/bookings", "/v2/bookings?offset=%00", "HTTPS://API.OWNERREZ.COM:443/V2/BOOKINGS",
	} {
		f.Add(s)
	}
	api := &url.URL{Scheme: "https", Host: "api.ownerrez.com", Path: "/base"}
	f.Fuzz(func(t *testing.T, link string) {
		l, err := newListing(bookingsRoute, url.Values{"property_ids": {"1"}}, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		w := newWalk(api, l, 10)
		more, err := w.on(link, 0, 1, -1)
		switch {
		case err != nil && more, link != "" && err == nil && !more, link == "" && more:
			t.Fatalf("%q: %t, %v", link, more, err)
		case err != nil && strings.Contains(err.Error(), link) && len(link) > 4:
			t.Fatalf("the error shows the link: %v", err)
		case !more:
			return
		}
		sent, err := url.Parse(encode(request{base: api, path: w.route, query: w.query.Encode()}).url)
		if err != nil || sent.Scheme != "https" || sent.Host != "api.ownerrez.com" || sent.Path != "/base/v2/bookings" || sent.User != nil || sent.Fragment != "" {
			t.Fatalf("%q leads to %v, %v", link, sent, err)
		}
		if again, err := w.on(link, 0, 1, -1); err == nil || again {
			t.Fatalf("%q was followed twice", link)
		}
	})
}

// The page decoder against encoding/json: they agree on what a page is and which rows it has, no value gets
// lost, and a row that is written reads as the same row.
func FuzzPage(f *testing.F) {
	for _, s := range []string{
		`{"items":[{"id":1,"arrival":"2026-11-06","x":{"y":[1,2]}}],"limit":100,"offset":0,"count":1,"next_page_url":null}`,
		`{"limit":20,"offset":0}`, `{"items":null}`, `{"items":[null,7,"x",[],{"id":"x"}]}`, `{"items":{}}`, `{"items":[{"title":"a\"]}\\","\u0069d":5}]}`,
		`{"code":429,"error":"Rate limit exceeded."}`, ` [ ] `, `{"items":[{"charges":[{"amount":1.5},{"amount":"x"}],"guest":{"id":{}},"tags":"a","total_paid":"1.50","updated_utc":"2026-01-01T00:00:00"}]}`,
		`{"items":[{"a":1,"a":2,"":3}],"items":[]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if !json.Valid(body) {
			for range members(body) { // must not panic
			}
			for range elements(body) {
			}
			return
		}
		var keys map[string]json.RawMessage
		isObject := json.Unmarshal(body, &keys) == nil && keys != nil
		p := Page[Booking]{Count: -1}
		if err := p.decode(body); err != nil {
			return
		}
		if !isObject {
			t.Fatalf("%s was read as a page", body)
		}
		if _, ok := keys[""]; !ok && bytes.Contains(body, []byte(`\`)) {
			return // keys and values with escapes may stand for each other; encoding/json decides
		}
		var rows []json.RawMessage
		_ = json.Unmarshal(keys["items"], &rows)
		if len(rows) != len(p.Items) {
			t.Fatalf("%s has %d rows, not %d", body, len(rows), len(p.Items))
		}
		for i, raw := range rows {
			checkRow(t, raw, p.Items[i])
		}
	})
}

func checkRow(t *testing.T, raw []byte, row Booking) {
	t.Helper()
	var direct Booking
	if err := json.Unmarshal(raw, &direct); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(row)
	if err != nil {
		t.Fatalf("%s cannot be written: %v", raw, err)
	}
	var again Booking
	if err = json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	text2, err := json.Marshal(again)
	if err != nil || !bytes.Equal(text, text2) {
		t.Fatalf("%s was written as\n%s and then\n%s, %v", raw, text, text2, err)
	}
	if !reflect.DeepEqual(direct, row) {
		t.Fatalf("%s is %+v on its own and %+v in its page", raw, direct, row)
	}
	var keys map[string]any
	if json.Unmarshal(raw, &keys) != nil {
		return
	}
	var written map[string]any
	if err := json.Unmarshal(text, &written); err != nil {
		t.Fatal(err)
	}
	known := fieldsOf(reflect.TypeFor[Booking]()).byKey
	for key, value := range keys {
		if _, ok := known[key]; ok {
			continue
		}
		if !reflect.DeepEqual(written[key], value) {
			t.Fatalf("%q = %v was written as %v", key, value, written[key])
		}
	}
}
