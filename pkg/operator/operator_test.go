package operator_test

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/operator"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store/embedded"
)

var now = time.Date(2026, 11, 23, 20, 5, 0, 0, time.UTC)

// newDesk is a desk with one account, read five minutes ago, of which one property is older.
func newDesk(t *testing.T) operator.Desk {
	t.Helper()
	db, err := embedded.Open(filepath.Join(t.TempDir(), "calendar.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	st := store.New(db)
	asOf := now.Add(-5 * time.Minute)
	arrival, err := ownerrez.ParseDate("2026-12-02")
	if err != nil {
		t.Fatal(err)
	}
	row := lookup.Account{
		Key: "123456", ID: 123456, Name: "Lakeview Cabins", Zone: "America/Chicago", Status: lookup.StatusOK,
		AsOf: asOf, RunBegan: asOf, Due: asOf.Add(15 * time.Minute), Seq: 3, Published: 2,
		Properties: map[int64]lookup.PropertyState{
			4402: {Baseline: asOf}, 4401: {Baseline: asOf, Mark: &lookup.Mark{AsOf: asOf.Add(-time.Hour), Why: "It could not be read."}},
			4403: {Baseline: asOf, Gone: true},
		},
		Problems: []lookup.Problem{{Property: 4401, Message: "It could not be read.", Next: "Wait."}},
	}
	err = st.Commit(t.Context(), lookup.Commit{Rows: []lookup.Account{row}, Account: 123456, Records: []availability.Record{
		{Property: 4401, Name: "Pine Cabin", Known: true, Stays: []availability.Stay{{Booking: 900101, Arrival: arrival, Departure: arrival.AddDays(2), Cause: availability.CauseBooking}}},
		{Property: 4402, Name: "Cedar Loft", Known: true},
		{Property: 4403, Name: "Sold House", Known: true, Gone: true},
	}})
	if err != nil {
		t.Fatal(err)
	}
	none := func(context.Context) ([]account.Credential, error) { return nil, nil }
	return operator.Desk{Store: st, Credentials: none, Now: func() time.Time { return now }}
}

func TestHandle(t *testing.T) {
	tests := []struct {
		name    string
		command operator.Command
		want    string // JSON
		err     string
	}{
		{name: "list", command: operator.Command{Command: "list"}, want: `[
			{"account":123456,"status":"ok","as_of":"2026-11-23T20:00:00Z","problem":"It could not be read.","next":"Wait."}]`},
		{name: "status", command: operator.Command{Command: "status", Account: 123456}, want: `{
			"account":123456,"status":"ok","as_of":"2026-11-23T20:00:00Z","problem":"It could not be read.","next":"Wait.",
			"name":"Lakeview Cabins","time_zone":"America/Chicago","due":"2026-11-23T20:15:00Z","last_run":"2026-11-23T20:00:00Z",
			"seq":3,"published":2,"properties":[
				{"id":4401,"name":"Pine Cabin","as_of":"2026-11-23T19:00:00Z","stays":1,"late":"It could not be read."},
				{"id":4402,"name":"Cedar Loft","as_of":"2026-11-23T20:00:00Z","stays":0},
				{"id":4403,"name":"Sold House","as_of":"2026-11-23T20:00:00Z","stays":0,"gone":true}],
			"problems":[{"property_id":4401,"message":"It could not be read.","next":"Wait."}]}`},
		{name: "status of nobody", command: operator.Command{Command: "status"}, err: "needs an account"},
		{name: "status of an unknown one", command: operator.Command{Command: "status", Account: 7}, err: "account 7 is not known here"},
		{name: "no command", err: `send {"command":"list"}`},
		{name: "an unknown one", command: operator.Command{Command: "purge everything"}, err: `"purge everything" is no command`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := newDesk(t).Handle(t.Context(), test.command)
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("error %v, want %q", err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			text, err := json.Marshal(got)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(generic(t, []byte(test.want)), generic(t, text)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func generic(t *testing.T, text []byte) (v any) {
	t.Helper()
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return v
}
