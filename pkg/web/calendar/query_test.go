package calendar

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// badQueries are questions that are none, and words of the answers to them.
var badQueries = map[string][]string{
	"/v1/calendar": {"account is missing", "from is missing", "to is missing"},
	"/v1/calendar?account=x&from=tomorrow&to=2026-12-03&propertys=1": {`account is "x"`, `from is "tomorrow"`, `no parameter "propertys"`, "account, property, from, to, after"},
	aCalendar + "&account=123456&from=2026-12-01":                    {"account is given 2 times", "from is given 2 times"},
	aCalendar + "&property=4401,x,,0,-5":                             {`"x" is no property id`, `"" is no property id`, `"0" is no`, `"-5" is no`},
	aCalendar + "&property=9223372036854775808":                      {`"9223372036854775808" is no property id`},
	aCalendar + "&property=" + strings.Repeat("long", 50):            {`"` + strings.Repeat("long", 10) + `"`},
	aCalendar + "&property=":                                         {`"" is no property id`},
	aCalendar + "&property=4401&after=4400":                          {"after goes on with all"},
	aCalendar + "&after=-1":                                          {`after is "-1"`, "from 0 on"},
	aCalendar + "&after=":                                            {`after is ""`},
	aCalendar + "&limit=5":                                           {`no parameter "limit"`},
	aCalendar + "&" + strings.Repeat("long", 50) + "=1":              {`"` + strings.Repeat("long", 10) + `"`},
	aCalendar + "&a=%zz":                                             {"%XX"},
	aCalendar + ";b=1":                                               {"%XX"},
	aCalendar + "&a=1&b=1&c=1&d=1&e=1&f=1&g=1":                       {`"e"`, "2 more things are wrong"},
	"/v1/calendar?account=0&from=2026-12-03&to=2026-12-03":           {`account is "0"`, "from 1 on", "2026-12-03 does not come after 2026-12-03"},
	"/v1/calendar?account=1&from=2026-12-03&to=2026-12-01":           {"does not come after"},
	"/v1/calendar?account=1&from=2026-01-01&to=2027-01-03":           {"367 nights", "at most 366"},
	"/v1/calendar?account=1&from=2026-12-01T00:00:00&to=2026-12-03":  {`from is "2026-12-01T00:00:00"`},
	"/v1/calendar?account=1&from=2026-02-30&to=2026-12-03":           {`from is "2026-02-30"`},
	"/v1/calendar?account=1&from=0000-01-01&to=26-12-03":             {`from is "0000-01-01"`, `to is "26-12-03"`},
	"/v1/calendar?account=%2B5&from=2026-12-01&to=2026-12-03":        {`account is "+5"`},
	"/v1/calendar?account=9223372036854775808&from=2026-12-01&to=x":  {`account is "9223372036854775808"`},
	"/v1/changes": {"account is missing"},
	"/v1/changes?account=123456&after=x&limit=0":           {`after is "x"`, `limit is "0"`, "from 1 to 100"},
	"/v1/changes?account=123456&limit=101":                 {`limit is "101"`},
	"/v1/changes?account=123456&limit=1&limit=2&from=2026": {"limit is given 2 times", `no parameter "from"`},
	"/v1/accounts?account=1&limit=1e2":                     {`no parameter "account"`, `limit is "1e2"`},
	"/v1/accounts?after=1&after=2":                         {"after is given 2 times"},
}

func TestAPIBadQueries(t *testing.T) {
	h := stock(t)
	for target, words := range badQueries {
		message, next := refusal(t, h, target, http.StatusBadRequest)
		for _, word := range words {
			if !strings.Contains(message, word) {
				t.Errorf("GET %s: %q does not say %q", target, message, word)
			}
		}
		if path, _, _ := strings.Cut(target, "?"); !strings.Contains(next, path+"?") || len(message) > 1000 || strings.Contains(message, strings.Repeat("long", 11)) {
			t.Errorf("GET %s: %q %q", target, message, next)
		}
	}
}

// The example in each refusal is a question that is one.
func TestAPIExamplesWork(t *testing.T) {
	h := stock(t)
	for _, path := range []string{accountsPath, calendarPath, changesPath} {
		_, next := refusal(t, h, path+"?x=1", http.StatusBadRequest)
		example, ok := strings.CutPrefix(next, "Ask as in ")
		example, _, _ = strings.Cut(strings.TrimSuffix(example, "."), ",")
		if w := request(t, h, http.MethodGet, example); !ok || w.Code != 200 {
			t.Errorf("%q: %d %s", example, w.Code, w.Body)
		}
	}
}

func TestAPIGoodQueries(t *testing.T) {
	h := stock(t)
	for target, want := range map[string]string{
		aCalendar:                       "[4401 4402 4403]",
		aCalendar + "&property=orp4402": "[4402]",
		aCalendar + "&property=%204401": "[4401]",
		aCalendar + "&property=4403&property=4401,4403,4402":         "[4403 4401 4402]",
		aCalendar + "&after=4401":                                    "[4402 4403]",
		aCalendar + "&after=4403":                                    "[]",
		aCalendar + "&after=0":                                       "[4401 4402 4403]",
		"/v1/calendar?account=123456&from=2026-01-01&to=2027-01-02":  "[4401 4402 4403]",
		"/v1/calendar?account=0123456&from=0001-01-01&to=0001-01-02": "[4401 4402 4403]",
		"/v1/calendar?account=123456&from=9998-12-31&to=9999-12-31":  "[4401 4402 4403]",
	} {
		var ids []int64
		for _, p := range read[Document](t, h, target).Properties {
			ids = append(ids, p.ID)
		}
		if got := fmt.Sprint(ids); got != want {
			t.Errorf("GET %s shows %s, want %s", target, got, want)
		}
	}
}

// FuzzAPI asks anything: nothing breaks, and every answer is one of those that are documented.
func FuzzAPI(f *testing.F) {
	for target := range badQueries {
		path, query, _ := strings.Cut(target, "?")
		f.Add("GET", path, query, "")
	}
	f.Add("HEAD", "/v1/calendar", "account=123456&from=2026-12-01&to=2026-12-03&property=4401,4402", "*")
	f.Add("GET", "/v1/changes", "account=123456&after=3&limit=2", `W/"x", "y"`)
	f.Add("GET", "/v1/changes", "account=123456&after=99", "")
	f.Add("POST", "/v1/accounts", "after=0&limit=1", "")
	h := stock(f)
	f.Fuzz(func(t *testing.T, method, path, query, match string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.Method, r.URL.Path, r.URL.RawQuery = method, path, query
		r.Header.Set("If-None-Match", match)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		body := w.Body.Bytes()
		if !slices.Contains([]int{200, 304, 400, 404, 405, 410}, w.Code) {
			t.Fatalf("%d %s", w.Code, body)
		}
		if quiet := method == http.MethodHead || w.Code == http.StatusNotModified; quiet != (len(body) == 0) || !quiet && !json.Valid(body) {
			t.Fatalf("%d %s", w.Code, body)
		}
		if w.Code >= 400 && len(body) > 5000 {
			t.Fatalf("a refusal of %d bytes", len(body))
		}
		if w.Code == http.StatusOK && len(body) > 0 {
			follow(t, h, body)
		}
	})
}

// follow asks for the next page of an answer, which must be there.
func follow(t *testing.T, h http.Handler, body []byte) {
	t.Helper()
	var answer struct{ Next string }
	if err := json.NewDecoder(bytes.NewReader(body)).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	if answer.Next != "" {
		if w := request(t, h, http.MethodGet, answer.Next); w.Code != http.StatusOK {
			t.Fatalf("the next page %s: %d %s", answer.Next, w.Code, w.Body)
		}
	}
}
