package calendar

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
)

const aCalendar = "/v1/calendar?account=123456&from=2026-12-01&to=2026-12-03"

func TestAPIDocuments(t *testing.T) {
	h := stock(t)
	for target, want := range map[string]string{
		aCalendar + "&property=4402": `{"account":123456,"seq":17,"from":"2026-12-01","to":"2026-12-03","complete":true,"properties":[
			{"id":4402,"name":"Cedar Loft","time_zone":"America/New_York","as_of":"2026-11-23T20:00:00Z","free":true,"nights":[
				{"date":"2026-12-01","state":"free"},{"date":"2026-12-02","state":"free"}]}],"problems":[]}`,
		"/v1/accounts": `{"accounts":[{"account":123456,"status":"ok","as_of":"2026-11-23T20:00:00.3Z","valid_until":"2026-11-23T21:00:00.3Z",
			"seq":17,"time_zone":"America/New_York","properties":[
				{"id":4401,"as_of":"2026-11-23T20:00:00.3Z","valid_until":"2026-11-23T21:00:00.3Z"},
				{"id":4402,"as_of":"2026-11-23T20:00:00.3Z","valid_until":"2026-11-23T21:00:00.3Z"},
				{"id":4403}]}]}`,
		"/v1/changes?account=123456&after=15&limit=1": `{"account":123456,"after":15,"seq":17,"changes":[
			{"detail-type":"AvailabilityChanged","detail":{"version":1,"account":123456,"seq":16,"property":4401,
				"as_of":"2026-11-23T19:05:00Z","valid_until":"2026-11-23T20:05:00Z","changes":[
				{"from":"2026-12-17","to":"2026-12-18","was":"free","now":"taken","cause":"booking","booking_id":900101}]}}],
			"next":"/v1/changes?account=123456&after=16&limit=1"}`,
		"/v1/changes?account=123456&after=17": `{"account":123456,"after":17,"seq":17,"changes":[]}`,
	} {
		w := request(t, h, http.MethodGet, target)
		if diff := cmp.Diff(generic(t, []byte(want)), generic(t, w.Body.Bytes())); w.Code != http.StatusOK || diff != "" {
			t.Errorf("GET %s: %d (-want +got)\n%s", target, w.Code, diff)
		}
	}
}

// What is shown is the Document that the command line prints.
func TestAPICalendarIsTheDocument(t *testing.T) {
	snap := snapshot(t)
	snap.Problems = []lookup.Problem{{Property: 4401, Message: "4401's trouble & more.", Next: "Wait."}, {Property: 4402, Message: "4402's.", Next: "Wait."}}
	st := store.New(openTable(t))
	keep(t, st, snap)
	for target, q := range map[string]lookup.Question{
		"":                             ask(t, "2026-12-01", "2026-12-10"),
		"&property=4402,ORP4401":       ask(t, "2026-12-01", "2026-12-10", 4402, 4401),
		"&property=99":                 ask(t, "2026-12-01", "2026-12-10", 99),
		"&property=4401&property=4404": ask(t, "2026-12-01", "2026-12-10", 4401, 4404),
	} {
		loaded, err := lookup.Load(t.Context(), st, 123456)
		if err != nil {
			t.Fatal(err)
		}
		want, err := json.Marshal(NewDocument(loaded, lookup.Settings{}, q))
		if err != nil {
			t.Fatal(err)
		}
		w := request(t, API(st, options(t)), http.MethodGet, "/v1/calendar?account=123456&from=2026-12-01&to=2026-12-10"+target)
		if diff := cmp.Diff(generic(t, want), generic(t, w.Body.Bytes())); diff != "" {
			t.Errorf("%s: (-document +answer)\n%s", target, diff)
		}
		if strings.Contains(w.Body.String(), `\u0026`) {
			t.Errorf("%s: escaped for HTML: %s", target, w.Body)
		}
	}
}

func TestAPIHeaders(t *testing.T) {
	h := stock(t)
	for _, target := range []string{aCalendar, "/v1/accounts", "/v1/changes?account=123456", "/v1/changes", "/v1/nothing"} {
		w := request(t, h, http.MethodGet, target)
		for name, want := range map[string]string{
			"Content-Type": "application/json; charset=utf-8", "X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "same-origin",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("GET %s: %s is %q, want %q", target, name, got, want)
			}
		}
		head := request(t, h, http.MethodHead, target)
		if diff := cmp.Diff(w.Header(), head.Header()); diff != "" || head.Code != w.Code || head.Body.Len() > 0 {
			t.Errorf("HEAD %s: %d with %d bytes (-GET +HEAD)\n%s", target, head.Code, head.Body.Len(), diff)
		}
	}
}

func TestAPIETag(t *testing.T) {
	h := stock(t)
	w := request(t, h, http.MethodGet, aCalendar)
	tag := w.Header().Get("ETag")
	if len(tag) < 10 || tag[0] != '"' || w.Header().Get("Cache-Control") != "private, no-cache" {
		t.Fatalf("%v", w.Header())
	}
	if other := request(t, h, http.MethodGet, aCalendar+"&property=4402").Header().Get("ETag"); other == tag {
		t.Error("another body has the same ETag")
	}
	inner := strings.Trim(tag, `"`)
	for header, want := range map[string]int{
		tag: 304, "W/" + tag: 304, "*": 304, `"other", ` + tag: 304, `"other",W/` + tag + `, "last"`: 304, " " + tag + "\t": 304,
		`"other"`: 200, inner: 200, `"` + inner[1:] + `"`: 200, `W/"other"`: 200, "": 200, `"*"`: 200,
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			w := request(t, h, method, aCalendar, "If-None-Match", header)
			if w.Code != want || w.Header().Get("ETag") != tag || (want == 304 && w.Body.Len() > 0) {
				t.Errorf("%s with If-None-Match %s: %d with %d bytes, want %d", method, header, w.Code, w.Body.Len(), want)
			}
		}
	}
	if w := request(t, h, http.MethodGet, aCalendar, "If-None-Match", `"other"`, "If-None-Match", tag); w.Code != 304 {
		t.Errorf("two headers: %d", w.Code)
	}
	refusal := request(t, h, http.MethodGet, "/v1/changes?account=1", "If-None-Match", "*")
	if refusal.Code != 404 {
		t.Errorf("what is not there is not modified: %d", refusal.Code)
	}
}

func TestAPIRoutes(t *testing.T) {
	h := stock(t)
	for _, test := range []struct {
		method, target string
		want           int
	}{
		{"GET", "/v1/accounts", 200}, {"HEAD", "/v1/accounts", 200}, {"POST", "/v1/accounts", 405}, {"DELETE", aCalendar, 405},
		{"PUT", "/v1/changes?account=123456", 405}, {"OPTIONS", "/v1/accounts", 405}, {"GET", "/", 404}, {"GET", "/v1", 404}, {"GET", "/v1/", 404},
		{"GET", "/v1/accounts/", 404}, {"GET", "/v1/accounts/123456", 404}, {"GET", "/V1/accounts", 404}, {"GET", "//v1/accounts", 404}, {"POST", "/v1/x", 404},
		{"GET", "/v1/x/../accounts", 404}, {"GET", "/v2/accounts", 404},
	} {
		w := request(t, h, test.method, test.target)
		if w.Code != test.want || !json.Valid(w.Body.Bytes()) && test.method != "HEAD" {
			t.Errorf("%s %s: %d %s, want %d", test.method, test.target, w.Code, w.Body, test.want)
		}
		if allow := w.Header().Get("Allow"); (allow == "GET, HEAD") != (w.Code == 405) {
			t.Errorf("%s %s: Allow is %q", test.method, test.target, allow)
		}
	}
}

// brokenStore fails, and says what no reader may see.
type brokenStore struct{ lookup.Store }

var errBroken = errors.New("table secret-name: access denied")

func (brokenStore) Accounts(context.Context) ([]lookup.Account, error) { return nil, errBroken }
func (brokenStore) Account(context.Context, string) (lookup.Account, error) {
	return lookup.Account{}, errBroken
}

// halfBroken fails once the account's row is read.
type halfBroken struct{ lookup.Store }

func (halfBroken) Records(context.Context, int64) ([]availability.Record, error) {
	return nil, errBroken
}
func (halfBroken) Events(context.Context, int64, int64, int, time.Time) ([]lookup.Event, error) {
	return nil, errBroken
}

func TestAPITellsItsOwnTroubleToTheOperatorOnly(t *testing.T) {
	st := store.New(openTable(t))
	keep(t, st, snapshot(t))
	targets := []string{aCalendar, "/v1/changes?account=123456", "/v1/accounts"}
	for i, target := range append(targets, targets[:2]...) {
		var told []error
		opts := options(t)
		opts.OnError = func(err error) { told = append(told, err) }
		h := API(brokenStore{}, opts)
		if i >= len(targets) {
			h = API(halfBroken{st}, opts)
		}
		message, next := refusal(t, h, target, http.StatusInternalServerError)
		if len(told) != 1 || !errors.Is(told[0], errBroken) || strings.Contains(message+next, "secret") {
			t.Errorf("GET %s: the reader is told %q %q, and the operator %v", target, message, next, told)
		}
	}
}

func TestAPINoSuchAccount(t *testing.T) {
	st := store.New(openTable(t))
	keep(t, st, lookup.Snapshot{Account: lookup.Account{Key: "7", ID: 7, Status: lookup.StatusLeft, Seq: 1}}, lookup.Event{
		Kind: lookup.AccountChanged, Account: 7, Seq: 1, Was: lookup.StatusOK, Now: lookup.StatusLeft, Expires: now.Add(time.Hour),
	})
	h := API(st, options(t))
	for _, target := range []string{aCalendar, "/v1/changes?account=123456", strings.Replace(aCalendar, "123456", "7", 1)} {
		if message, next := refusal(t, h, target, http.StatusNotFound); !strings.Contains(message, "no account") || !strings.Contains(next, "/v1/accounts") {
			t.Errorf("GET %s: %q %q", target, message, next)
		}
	}
	if got := read[Changes](t, h, "/v1/changes?account=7"); len(got.Changes) != 1 || got.Changes[0].Detail.Now != lookup.StatusLeft {
		t.Errorf("that an account has left cannot be read: %+v", got)
	}
}

// The laptop's handler has both, from one store.
func TestHandlerServesThePageAndTheAPI(t *testing.T) {
	st := store.New(openTable(t))
	keep(t, st, snapshot(t))
	h := Handler(st, nobody, options(t))
	page := request(t, h, http.MethodGet, "/")
	if page.Code != 200 || !strings.Contains(page.Body.String(), "Pine Cabin") || page.Header().Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("the page: %d %v", page.Code, page.Header())
	}
	links := 0
	for _, e := range elements(t, page.Body.String()) {
		if link := e.attr["href"]; strings.HasPrefix(link, "/v1/") {
			links++
			if doc := read[Document](t, h, link); len(doc.Properties) != 3 || len(doc.Properties[0].Nights) != 366 || doc.From.String() != "2026-11-23" {
				t.Errorf("the page's link %s leads to %d properties from %s on", link, len(doc.Properties), doc.From)
			}
		}
	}
	if links != 1 {
		t.Errorf("%d links to the API on the page", links)
	}
	for target, want := range map[string]string{"/v1/nothing": "application/json; charset=utf-8", "/nothing": "text/plain; charset=utf-8"} {
		if w := request(t, h, http.MethodGet, target); w.Code != 404 || w.Header().Get("Content-Type") != want {
			t.Errorf("GET %s: %d %v", target, w.Code, w.Header())
		}
	}
}
