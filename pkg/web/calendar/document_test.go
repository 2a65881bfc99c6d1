package calendar

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

var now = time.Date(2026, 11, 23, 20, 5, 0, 0, time.UTC)

func date(t testing.TB, s string) ownerrez.Date {
	t.Helper()
	d, err := ownerrez.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// snapshot is an account that was read five minutes ago: 4401 has a booking, a block and a lapsed hold, 4402
// has no stay, 4403 was never read, and 4404 is gone.
func snapshot(t testing.TB) lookup.Snapshot {
	t.Helper()
	asOf := now.Add(-5*time.Minute + 300*time.Millisecond)
	read := lookup.PropertyState{Baseline: asOf}
	return lookup.Snapshot{
		Account: lookup.Account{
			Key: lookup.AccountKey(123456), Version: 3, ID: 123456, Name: "Lakeview Cabins", Zone: "America/New_York",
			Status: lookup.StatusOK, AsOf: asOf, Listed: asOf, Seq: 17,
			Properties: map[int64]lookup.PropertyState{4401: read, 4402: read, 4403: {}, 4404: {Gone: true}},
		},
		Records: []availability.Record{
			{Property: 4401, Name: "Pine Cabin", Zone: "America/Chicago", Known: true, Stays: []availability.Stay{
				{Booking: 900101, Arrival: date(t, "2026-12-02"), Departure: date(t, "2026-12-04"), Cause: availability.CauseBooking},
				{Booking: 900102, Arrival: date(t, "2026-12-03"), Departure: date(t, "2026-12-05"), Cause: availability.CauseBlock},
				{Booking: 900103, Arrival: date(t, "2026-12-06"), Departure: date(t, "2026-12-07"), Cause: availability.CauseHold, Until: now.Add(-time.Hour).Unix()},
				{Booking: 900104, Arrival: date(t, "2026-12-08"), Departure: date(t, "2026-12-09"), Cause: availability.CauseHold, Until: now.Add(time.Hour).Unix()},
			}},
			{Property: 4402, Name: "Cedar Loft", Known: true},
			{Property: 4403, Name: "Surf Shack", Zone: "Pacific/Honolulu"},
			{Property: 4404, Name: "Sold House", Known: true, Gone: true},
		},
	}
}

func ask(t testing.TB, from, to string, properties ...int64) lookup.Question {
	t.Helper()
	return lookup.Question{From: date(t, from), To: date(t, to), Properties: properties, Now: now}
}

func TestDocumentJSON(t *testing.T) {
	doc := NewDocument(snapshot(t), lookup.Settings{}, ask(t, "2026-12-01", "2026-12-09", 4401))
	got, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"account":123456,"seq":17,"from":"2026-12-01","to":"2026-12-09","complete":false,"properties":[
		{"id":4401,"name":"Pine Cabin","time_zone":"America/Chicago","as_of":"2026-11-23T20:00:00Z","free":false,"nights":[
			{"date":"2026-12-01","state":"free"},
			{"date":"2026-12-02","state":"taken","cause":"booking","booking_id":900101},
			{"date":"2026-12-03","state":"taken","cause":"booking","booking_id":900101,"also":[{"cause":"block","booking_id":900102}]},
			{"date":"2026-12-04","state":"taken","cause":"block","booking_id":900102},
			{"date":"2026-12-05","state":"free"},
			{"date":"2026-12-06","state":"unknown","reason":"a hold lapsed, OwnerRez has not been asked yet"},
			{"date":"2026-12-07","state":"free"},
			{"date":"2026-12-08","state":"taken","cause":"hold","booking_id":900104,"until":"2026-11-23T21:05:00Z"}
		]}],"problems":[{"property_id":4401,
			"message":"1 night is unknown: a hold lapsed, OwnerRez has not been asked yet.",
			"next":"Look it up again; if it stays, look at the property in OwnerRez."}]}`
	if diff := cmp.Diff(generic(t, []byte(want)), generic(t, got)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func generic(t *testing.T, data []byte) (v any) {
	t.Helper()
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestDocumentAnswers(t *testing.T) {
	whole := lookup.Problem{Message: "OwnerRez could not be reached.", Next: "Check the network."}
	other := lookup.Problem{Property: 4401, Message: "4401's trouble.", Next: "Wait."}
	tests := []struct {
		name     string
		change   func(*lookup.Snapshot)
		ask      lookup.Question
		ids      []int64
		free     string // per property: y(es), n(o), ?
		problems []string
	}{
		{name: "all free", ask: ask(t, "2026-12-01", "2026-12-03", 4402), ids: []int64{4402}, free: "y"},
		{name: "an id twice is one property", ask: ask(t, "2026-12-01", "2026-12-03", 4402, 4402), ids: []int64{4402}, free: "y"},
		{name: "taken and free", ask: ask(t, "2026-12-01", "2026-12-03", 4401), ids: []int64{4401}, free: "n"},
		{name: "the order of the question", ask: ask(t, "2026-12-01", "2026-12-02", 4402, 4401), ids: []int64{4402, 4401}, free: "yy"},
		{name: "free and unknown is not free", ask: ask(t, "2026-12-05", "2026-12-07", 4401), ids: []int64{4401}, free: "?", problems: []string{"a hold lapsed"}},
		{name: "never read", ask: ask(t, "2026-12-01", "2026-12-03", 4403), ids: []int64{4403}, free: "?", problems: []string{"2 nights are unknown: never read"}},
		{name: "without ids, all but the gone", ask: ask(t, "2026-12-01", "2026-12-02"), ids: []int64{4401, 4402, 4403}, free: "yy?", problems: []string{"never read"}},
		{name: "a gone one that is asked for", ask: ask(t, "2026-12-01", "2026-12-02", 4404), ids: []int64{4404}, free: "?", problems: []string{"inactive in OwnerRez, or not there"}},
		{name: "one that is not there", ask: ask(t, "2026-12-01", "2026-12-02", 99), ids: []int64{99}, free: "?", problems: []string{"no such property"}},
		{name: "outside the window", ask: ask(t, "2028-11-21", "2028-11-26", 4402), ids: []int64{4402}, free: "?", problems: []string{"4 nights lie outside"}},
		{
			name: "stale", change: func(s *lookup.Snapshot) { s.Account.AsOf = now.Add(-2 * time.Hour) },
			ask: ask(t, "2026-12-01", "2026-12-03", 4401, 4402), ids: []int64{4401, 4402}, free: "n?", problems: []string{"1 night is unknown: last read", "2 nights are unknown: last read"},
		},
		{
			name: "a problem of another property", change: func(s *lookup.Snapshot) { s.Problems = []lookup.Problem{other} },
			ask: ask(t, "2026-12-01", "2026-12-03", 4402), ids: []int64{4402}, free: "y",
		},
		{
			name: "a problem of the property", change: func(s *lookup.Snapshot) { s.Problems = []lookup.Problem{other} },
			ask: ask(t, "2026-12-01", "2026-12-07", 4401), ids: []int64{4401}, free: "n", problems: []string{"4401's trouble"},
		},
		{
			name: "a problem of the account says it once", change: func(s *lookup.Snapshot) { s.Problems = []lookup.Problem{whole} },
			ask: ask(t, "2026-12-01", "2026-12-03", 4403, 99), ids: []int64{4403, 99}, free: "??", problems: []string{"could not be reached"},
		},
		{
			name: "nothing known", change: func(s *lookup.Snapshot) { *s = lookup.Snapshot{} },
			ask: ask(t, "2026-12-01", "2026-12-03"), problems: []string{"has not been read yet"},
		},
		{
			name: "nothing known, of one property", change: func(s *lookup.Snapshot) { *s = lookup.Snapshot{} },
			ask: ask(t, "2026-12-01", "2026-12-03", 99), ids: []int64{99}, free: "?", problems: []string{"no such property"},
		},
		{
			name: "no property at all", change: func(s *lookup.Snapshot) { s.Records = nil },
			ask: ask(t, "2026-12-01", "2026-12-03"),
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			snap := snapshot(t)
			if test.change != nil {
				test.change(&snap)
			}
			doc := NewDocument(snap, lookup.Settings{}, test.ask)
			var ids []int64
			free := ""
			for _, p := range doc.Properties {
				ids = append(ids, p.ID)
				switch {
				case p.Free == nil:
					free += "?"
				case *p.Free:
					free += "y"
				default:
					free += "n"
				}
			}
			if !slices.Equal(ids, test.ids) || free != test.free {
				t.Errorf("properties %v are free %q, want %v %q", ids, free, test.ids, test.free)
			}
			if len(doc.Problems) != len(test.problems) {
				t.Fatalf("problems %+v, want %q", doc.Problems, test.problems)
			}
			for i, want := range test.problems {
				if !strings.Contains(doc.Problems[i].Message, want) || doc.Problems[i].Next == "" {
					t.Errorf("problem %+v, want %q and what to do", doc.Problems[i], want)
				}
			}
			if doc.Complete != (len(test.problems) == 0) {
				t.Errorf("complete is %v with problems %q", doc.Complete, test.problems)
			}
		})
	}
}

func TestDocumentLeavesOutWhatIsNotKnown(t *testing.T) {
	snap := snapshot(t)
	snap.Account.Version = 0 // not from a store
	snap.Account.Zone = ""
	doc := NewDocument(snap, lookup.Settings{}, ask(t, "2026-12-01", "2026-12-02", 99))
	got, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{`"seq"`, `"as_of"`, `"name"`, `"time_zone"`} {
		if strings.Contains(string(got), key) {
			t.Errorf("%s stands in %s", key, got)
		}
	}
	empty, err := json.Marshal(NewDocument(lookup.Snapshot{}, lookup.Settings{}, ask(t, "2026-12-01", "2026-12-02")))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(empty), `"properties":[]`) || strings.Contains(string(empty), `"account"`) {
		t.Errorf("an account that is not known: %s", empty)
	}
}

// Whatever is asked, the nights are those of the range, and the document is complete only if it knows them all.
func TestDocumentNightsAndComplete(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	snap := snapshot(t)
	for range 500 {
		from := date(t, "2026-10-01").AddDays(rng.IntN(900))
		q := lookup.Question{From: from, To: from.AddDays(1 + rng.IntN(60)), Now: now}
		doc := NewDocument(snap, lookup.Settings{}, q)
		known := true
		for _, p := range doc.Properties {
			for i, n := range p.Nights {
				if n.Date != q.From.AddDays(i) {
					t.Fatalf("night %d of %s to %s is %s", i, q.From, q.To, n.Date)
				}
				known = known && n.State != availability.Unknown
				if (n.State == availability.Taken) != (n.Cause != availability.NoCause && n.Booking != 0) {
					t.Fatalf("%+v", n)
				}
			}
			if len(p.Nights) != q.From.DaysUntil(q.To) {
				t.Fatalf("%d nights from %s to %s", len(p.Nights), q.From, q.To)
			}
		}
		if doc.Complete != known {
			t.Fatalf("%s to %s: complete is %v, all known is %v", q.From, q.To, doc.Complete, known)
		}
	}
}

func TestStretches(t *testing.T) {
	doc := NewDocument(snapshot(t), lookup.Settings{}, ask(t, "2026-12-01", "2026-12-11", 4401))
	var got []string
	for _, s := range doc.Properties[0].Stretches() {
		got = append(got, s.From.String()[8:]+"-"+s.To.String()[8:]+" "+s.Night.State.String()+" "+s.Night.Why(time.UTC))
	}
	want := []string{
		"01-02 free ",
		"02-03 taken booking 900101",
		"03-04 taken booking 900101; also block 900102",
		"04-05 taken block 900102",
		"05-06 free ",
		"06-07 unknown a hold lapsed, OwnerRez has not been asked yet",
		"07-08 free ",
		"08-09 taken hold 900104, until Mon 23 Nov 2026, 21:05 (UTC)",
		"09-11 free ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestStretchesKeepStaysApart(t *testing.T) {
	p := Property{}
	for i, booking := range []int64{900101, 900101, 900102} {
		p.Nights = append(p.Nights, Night{Date: date(t, "2026-12-01").AddDays(i), State: availability.Taken, Cause: availability.CauseBooking, Booking: booking})
	}
	if got := p.Stretches(); len(got) != 2 || got[0].Nights() != 2 || got[1].Night.Booking != 900102 {
		t.Errorf("%+v", got)
	}
}

func TestEveryCauseHasWords(t *testing.T) {
	for c := availability.CauseBooking; c <= availability.CauseOther; c++ {
		if why := (Night{State: availability.Taken, Cause: c, Booking: 900101}).Why(time.UTC); !strings.Contains(why, "900101") {
			t.Errorf("%v: %q", c, why)
		}
		if _, ok := causeWords[c]; !ok {
			t.Errorf("%v has no words of its own", c)
		}
	}
}
