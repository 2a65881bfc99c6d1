package calendar

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
)

// fixed is a source of always the same.
func fixed(err error, snaps ...lookup.Snapshot) source {
	return func(context.Context) ([]lookup.Snapshot, error) { return snaps, err }
}

func get(t *testing.T, opts Options, target string, snaps ...lookup.Snapshot) *httptest.ResponseRecorder {
	t.Helper()
	if opts.Now == nil {
		opts.Now = func() time.Time { return now }
	}
	opts.OnError = func(err error) { t.Error(err) }
	w := httptest.NewRecorder()
	pageHandler(fixed(nil, snaps...), opts).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil))
	if w.Code != http.StatusOK {
		t.Fatalf("GET %s: %d %s", target, w.Code, w.Body)
	}
	return w
}

// element is an element of a parsed page.
type element struct {
	tag  string
	attr map[string]string
	text string // of it and all within it
}

func (e element) class(name string) bool {
	return strings.Contains(" "+e.attr["class"]+" ", " "+name+" ")
}

// elements parses a page, in the order in which its elements end; those that HTML leaves unended are ended.
func elements(t *testing.T, body string) []element {
	t.Helper()
	dec := xml.NewDecoder(strings.NewReader(body))
	dec.Strict, dec.AutoClose, dec.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var out, open []element
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			e := element{tag: token.Name.Local, attr: map[string]string{}}
			for _, a := range token.Attr {
				e.attr[a.Name.Local] = a.Value
			}
			open = append(open, e)
		case xml.CharData:
			for i := range open {
				open[i].text += string(token)
			}
		case xml.EndElement:
			out = append(out, open[len(open)-1])
			open = open[:len(open)-1]
		}
	}
}

func TestPageIsSelfContained(t *testing.T) {
	w := get(t, Options{Demo: true}, "/", snapshot(t))
	ids, targets := map[string]bool{}, map[string]bool{}
	allowed := " html head meta title style body header h1 p time a strong section ul li span main h2 nav article h3 div table caption thead tr th tbody td button i details summary "
	for _, e := range elements(t, w.Body.String()) {
		if !strings.Contains(allowed, " "+e.tag+" ") {
			t.Errorf("<%s> on the page", e.tag)
		}
		for name, value := range e.attr {
			if strings.HasPrefix(name, "on") || name == "style" || name == "src" || (name == "href" && value[0] != '#' && value[0] != '/') {
				t.Errorf("<%s %s=%q>", e.tag, name, value)
			}
		}
		if id := e.attr["id"]; id != "" {
			if ids[id] {
				t.Errorf("two elements have the id %s", id)
			}
			ids[id] = true
		}
		if target := e.attr["popovertarget"]; target != "" {
			targets[target] = true
		}
		if e.tag == "style" {
			sum := sha256.Sum256([]byte(e.text))
			hash := "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
			if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, hash) || !strings.Contains(csp, "default-src 'none'") {
				t.Errorf("the policy %q does not allow the style, %s", csp, hash)
			}
		}
	}
	for target := range targets {
		if !ids[target] {
			t.Errorf("a button opens %s, which is not there", target)
		}
	}
	for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// Every night from today on is there, each says what it is in text, and its looks agree.
func TestPageNights(t *testing.T) {
	snap := snapshot(t)
	w := get(t, Options{}, "/", snap)
	var cells []element
	for _, e := range elements(t, w.Body.String()) {
		if e.tag == "td" && e.text != "" && !e.class("past") {
			cells = append(cells, e)
		}
	}
	// By name: Cedar Loft, Pine Cabin, Surf Shack. All three have the same today and months.
	first, end := date(t, "2026-11-23"), date(t, "2027-12-01")
	if want := 3 * first.DaysUntil(end); len(cells) != want {
		t.Fatalf("%d nights, want %d", len(cells), want)
	}
	order := []int64{4402, 4401, 4403}
	for i, cell := range cells {
		property, d := order[i/first.DaysUntil(end)], first.AddDays(i%first.DaysUntil(end))
		n := newNight(snap.Show(lookup.Settings{}, now, property, d, d.AddDays(1))[0])
		_, _, number := d.YearMonthDay()
		want := fmt.Sprintf("%d %s", number, n.State)
		text := strings.ToLower(cell.text)
		if !strings.HasPrefix(text, want) || !cell.class(n.State.String()) {
			t.Fatalf("%d on %s: %q with class %q, want %q", property, d, cell.text, cell.attr["class"], want)
		}
		if n.State == availability.Taken && (!strings.Contains(text, fmt.Sprint(n.Booking)) || !cell.class(n.Cause.String())) {
			t.Errorf("%d on %s: %q with class %q does not say why", property, d, cell.text, cell.attr["class"])
		}
		if n.State == availability.Unknown && !strings.Contains(cell.text, n.Reason) {
			t.Errorf("%d on %s: %q does not say why", property, d, cell.text)
		}
	}
}

// The Tab key reaches each stretch once, not each night.
func TestPageTabStops(t *testing.T) {
	w := get(t, Options{}, "/", snapshot(t))
	stops := map[string]int{}
	for _, e := range elements(t, w.Body.String()) {
		if e.tag == "button" {
			stops[e.attr["popovertarget"]] += 0
			if e.attr["tabindex"] == "" {
				stops[e.attr["popovertarget"]]++
			}
		}
	}
	if len(stops) < 6 {
		t.Fatalf("only %d stretches", len(stops))
	}
	for target, n := range stops {
		if n != 1 {
			t.Errorf("%s has %d tab stops", target, n)
		}
	}
}

func TestPageTodayIsThePropertysOwn(t *testing.T) {
	snap := snapshot(t)
	snap.Records[0].Zone, snap.Records[1].Zone = "Pacific/Auckland", "Pacific/Honolulu" // Pine Cabin, Cedar Loft
	at := time.Date(2026, 11, 30, 11, 30, 0, 0, time.UTC)                               // 00:30 on 1 December, 01:30 on 30 November
	w := get(t, Options{Now: func() time.Time { return at }}, "/", snap)
	var todays, captions []string
	for _, e := range elements(t, w.Body.String()) {
		if e.tag == "td" && e.class("today") {
			todays = append(todays, strings.Fields(e.text)[0])
		}
		if e.tag == "caption" {
			captions = append(captions, e.text)
		}
	}
	if got := strings.Join(todays, " "); got != "30 1 30" {
		t.Errorf("today is %s, want 30 (Honolulu), 1 (Auckland), 30 (Honolulu)", got)
	}
	if captions[0] != "November 2026" || captions[13] != "December 2026" {
		t.Errorf("the first months are %s and %s", captions[0], captions[13])
	}
}

func TestPageSays(t *testing.T) {
	evil := snapshot(t)
	evil.Records[1].Name = `<script>alert("1")</script>`
	waiting := lookup.Snapshot{Account: lookup.Account{ID: 7, Key: "7", Version: 1, Status: lookup.StatusNew}}
	refused := lookup.Snapshot{Account: lookup.Account{Key: "credential:ab", Version: 1}, Problems: []lookup.Problem{{Message: "OwnerRez does not accept the token.", Next: "Make a new one."}}}
	troubled := snapshot(t)
	troubled.Problems = []lookup.Problem{{Property: 4402, Message: "Its list could not be read whole.", Next: "Wait."}}
	troubled.Account.AsOf = now.Add(-3 * time.Hour)
	noZone := snapshot(t)
	noZone.Account.Zone = ""
	tests := []struct {
		name    string
		opts    Options
		target  string
		snap    lookup.Snapshot
		has     []string
		without []string
	}{
		{"age and meaning", Options{}, "/", snapshot(t), []string{
			"5 minutes ago", `datetime="2026-11-23T20:00:00Z"`, "Mon 23 Nov 2026, 14:00 (America/Chicago), 20:00 UTC", FreeMeans,
			"Never read", "Sold House", `content="60"`, "Lakeview Cabins (account 123456)",
		}, []string{"invented", "may be a day off"}},
		{"no reload when asked", Options{}, "/?refresh=off", snapshot(t), nil, []string{`http-equiv="refresh"`}},
		{"demo", Options{Demo: true}, "/", snapshot(t), []string{"invented"}, nil},
		{"no zone", Options{}, "/", noZone, []string{"may be a day off"}, nil},
		{"names are text", Options{}, "/", evil, []string{"&lt;script&gt;"}, []string{"<script"}},
		{"first lookup", Options{}, "/", waiting, []string{"first lookup is under way", "Account 7"}, []string{"Never read"}},
		{"wrong token", Options{}, "/", refused, []string{"does not accept the token.", "Make a new one."}, []string{"under way"}},
		{"trouble and age", Options{}, "/", troubled, []string{"could not be read whole.", `class="old"`, "3 hours ago"}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			body := get(t, test.opts, test.target, test.snap).Body.String()
			for _, want := range test.has {
				if !strings.Contains(body, want) && !strings.Contains(body, strings.ReplaceAll(want, "'", "&#39;")) {
					t.Errorf("%q does not stand on the page", want)
				}
			}
			for _, not := range test.without {
				if strings.Contains(body, not) {
					t.Errorf("%q stands on the page", not)
				}
			}
		})
	}
}

func TestHandlerRefuses(t *testing.T) {
	h := pageHandler(fixed(nil, snapshot(t)), Options{})
	for _, test := range []struct {
		method, path string
		want         int
	}{
		{"GET", "/", 200}, {"HEAD", "/", 200}, {"POST", "/", 405}, {"DELETE", "/", 405}, {"GET", "/favicon.ico", 404}, {"GET", "/page.css", 404}, {"POST", "/x", 404},
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), test.method, test.path, nil))
		if w.Code != test.want || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s %s: %d %v, want %d", test.method, test.path, w.Code, w.Header(), test.want)
		}
	}
}

func TestHandlerTellsItsOwnTroubleToTheOperatorOnly(t *testing.T) {
	var told error
	h := pageHandler(fixed(errors.New("calendar.db: the file is broken")), Options{OnError: func(err error) { told = err }})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "calendar.db") || told == nil {
		t.Errorf("%d %q, and the operator was told %v", w.Code, w.Body, told)
	}
}
