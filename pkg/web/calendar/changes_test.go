package calendar

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
)

// atSeq is an account whose last event has a number.
func atSeq(seq int64) lookup.Snapshot {
	return lookup.Snapshot{Account: lookup.Account{Key: "123456", ID: 123456, Status: lookup.StatusOK, AsOf: now, Seq: seq}}
}

// seqs are the numbers of the changes of an answer, and after them whether there is more.
func seqs(c Changes) string {
	var out []string
	for _, change := range c.Changes {
		out = append(out, fmt.Sprint(change.Detail.Seq))
	}
	if c.Next != "" {
		out = append(out, "…")
	}
	return strings.Join(out, " ")
}

func TestChangesPages(t *testing.T) {
	st := store.New(openTable(t))
	for first := int64(1); first <= 250; first += 50 {
		keep(t, st, atSeq(250), events(t, first, first+49)...)
	}
	handlers := []http.Handler{API(st, options(t)), API(st, options(t))} // as after a restart
	for query, pages := range map[string]int{"": 3, "&limit=100": 3, "&limit=7": 36, "&after=50": 2, "&after=150": 1, "&after=249&limit=1": 1, "&after=250": 1} {
		target, n := "/v1/changes?account=123456"+query, 0
		last := read[Changes](t, handlers[0], target).After
		for ; target != "" && n < manyPages; n++ {
			page := read[Changes](t, handlers[n%2], target)
			for _, c := range page.Changes {
				if last++; c.Detail.Seq != last || c.Kind != lookup.AvailabilityChanged {
					t.Fatalf("%s: %s %d comes where %d is due", query, c.Kind, c.Detail.Seq, last)
				}
			}
			if target = page.Next; page.Seq != 250 {
				t.Errorf("%s: seq %d", query, page.Seq)
			}
		}
		if last != 250 || n != pages {
			t.Errorf("%s: %d pages end at %d, want %d that end at 250", query, n, last, pages)
		}
	}
}

// No answer has a gap: what is missing at its begin is told, what is missing later ends it.
func TestChangesAreNeverMissedSilently(t *testing.T) {
	expired := func(e lookup.Event) lookup.Event { e.Expires = now.Add(-time.Second); return e }
	ten := events(t, 1, 10)
	aged := append([]lookup.Event{expired(event(t, 1)), expired(event(t, 2)), expired(event(t, 3))}, ten[3:]...)
	hole := append(events(t, 1, 4), append([]lookup.Event{expired(event(t, 5))}, ten[5:]...)...)
	for _, test := range []struct {
		name   string
		seq    int64 // of the account's row
		events []lookup.Event
		query  string
		want   string // or the words of a refusal
		gone   bool
	}{
		{"all", 10, ten, "", "1 2 3 4 5 6 7 8 9 10", false},
		{"none yet", 0, nil, "", "", false},
		{"nothing new", 10, ten, "&after=10", "", false},
		{"ahead", 10, ten, "&after=11", "Change 11 has not happened here: the last one is 10.", true},
		{"ahead of nothing", 0, nil, "&after=1", "Change 1 has not happened here", true},
		{"the first have expired", 10, aged, "", "that follow change 0 are not kept", true},
		{"the next has expired", 10, aged, "&after=2", "that follow change 2 are not kept", true},
		{"the oldest that is kept", 10, aged, "&after=3", "4 5 6 7 8 9 10", false},
		{"all have expired", 10, nil, "&after=9", "that follow change 9 are not kept", true},
		{"a hole ends the page", 10, hole, "", "1 2 3 4 …", false},
		{"a hole ends it before limit", 10, hole, "&after=2&limit=5", "3 4 …", false},
		{"a hole at its begin", 10, hole, "&after=4", "that follow change 4 are not kept", true},
		{"newer than the row", 8, ten, "&after=5", "6 7 8", false},
		{"newer than the row, nothing new", 8, ten, "&after=8", "", false},
		{"the last are missing", 12, ten, "&after=8", "9 10 …", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			st := store.New(openTable(t))
			keep(t, st, atSeq(test.seq), test.events...)
			h := API(st, options(t))
			target := "/v1/changes?account=123456" + test.query
			if test.gone {
				message, next := refusal(t, h, target, http.StatusGone)
				if !strings.Contains(message, test.want) || !strings.Contains(next, "/v1/calendar?account=123456 ") {
					t.Errorf("%q %q", message, next)
				}
				return
			}
			got := read[Changes](t, h, target)
			if seqs(got) != test.want || got.Seq != test.seq || got.Account != 123456 {
				t.Errorf("%s of %+v, want %s", seqs(got), got, test.want)
			}
			if more := strings.HasSuffix(test.want, "…"); more && got.Next != fmt.Sprintf("/v1/changes?account=123456&after=%d&limit=%d", got.Changes[len(got.Changes)-1].Detail.Seq, limitOf(test.query)) {
				t.Errorf("next is %q", got.Next)
			}
		})
	}
}

func limitOf(query string) int {
	if strings.Contains(query, "limit=5") {
		return 5
	}
	return 100
}

// An event that cannot be read ends a page, and is told where it would be the first; a snapshot goes on behind it.
func TestChangesUnreadable(t *testing.T) {
	table := openTable(t)
	st := store.New(table)
	keep(t, st, atSeq(10), events(t, 1, 10)...)
	damaged := store.Key{Partition: "A#123456", Sort: fmt.Sprintf("C#%019d", 5)}
	if err := table.Put(t.Context(), store.Write{Key: damaged, Data: []byte{99}, If: store.Always()}); err != nil {
		t.Fatal(err)
	}
	var told error
	opts := options(t)
	opts.OnError = func(err error) { told = err }
	h := API(st, opts)
	if got := seqs(read[Changes](t, h, "/v1/changes?account=123456&after=2")); got != "3 4 …" || told != nil {
		t.Errorf("%s, told %v", got, told)
	}
	if refusal(t, h, "/v1/changes?account=123456&after=4", http.StatusGone); !errors.Is(told, lookup.ErrUnreadable) {
		t.Errorf("told %v", told)
	}
	if got := seqs(read[Changes](t, h, "/v1/changes?account=123456&after=5")); got != "6 7 8 9 10" {
		t.Errorf("%s", got)
	}
}

// Events of the largest size make shorter pages.
func TestChangesPagesFit(t *testing.T) {
	st := store.New(openTable(t))
	for seq := int64(1); seq <= 40; seq += 10 {
		large := events(t, seq, seq+9)
		for i := range large {
			for len(large[i].Changes) < 1000 {
				c := large[i].Changes[0]
				c.Now, c.Cause, c.Booking, c.Reason = "unknown", "", 0, strings.Repeat("because ", 8)
				large[i].Changes = append(large[i].Changes, c)
			}
		}
		keep(t, st, atSeq(40), large...)
	}
	h := API(st, options(t))
	pages, last := 0, int64(0)
	for target := "/v1/changes?account=123456"; target != "" && pages < manyPages; pages++ {
		w := request(t, h, http.MethodGet, target)
		var page Changes
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || w.Body.Len() > 5<<20 {
			t.Fatalf("a page of %d bytes, %v", w.Body.Len(), err)
		}
		for _, c := range page.Changes {
			if last++; c.Detail.Seq != last || len(c.Detail.Changes) != 1000 {
				t.Fatalf("%d with %d changes comes where %d is due", c.Detail.Seq, len(c.Detail.Changes), last)
			}
		}
		t.Logf("%d changes, %d bytes", len(page.Changes), w.Body.Len())
		target = page.Next
	}
	if last != 40 || pages != 2 {
		t.Errorf("%d pages end at %d", pages, last)
	}
}
