package operator_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/operator"
)

// well makes the account of newDesk one that is as it should be.
func well(row *lookup.Account) {
	row.Problems, row.Published = nil, row.Seq
	row.Properties = map[int64]lookup.PropertyState{4401: {Baseline: row.AsOf}}
}

// patient is a case of TestDoctor.
type patient struct {
	change func(*lookup.Account)
	ask    *lookup.Request
	event  time.Duration // the age of an event that is not published; 0: there is none
	want   []string      // of each finding, what it says
}

// TestDoctor looks at accounts that are well, and at those that are not.
func TestDoctor(t *testing.T) {
	since := func(age time.Duration) time.Time { return now.Add(-age) }
	problem := lookup.Problem{Message: "OwnerRez is in trouble.", Next: "Wait."}
	for name, test := range map[string]patient{
		"well": {},
		"a problem of a property": {change: func(row *lookup.Account) {
			row.Problems = []lookup.Problem{{Property: 4401, Message: "A booking is odd.", Next: "Look."}}
		}, want: []string{`"status":"ok","problem":"Property 4401: A booking is odd.","next":"Look."`}},
		"a late property": {change: func(row *lookup.Account) {
			row.Properties[4401] = lookup.PropertyState{Mark: &lookup.Mark{AsOf: since(2 * time.Hour), Why: "It was refused."}}
			row.Properties[4402] = lookup.PropertyState{Mark: &lookup.Mark{AsOf: since(3 * time.Hour), Why: "It was too large."}}
			row.Problems = []lookup.Problem{{Property: 4401, Message: "It was refused.", Next: "Look."}}
		}, want: []string{`"behind":"3 hours","problem":"Property 4402 is late. It was too large. 2 of its properties are late.","next":"Nothing`}},
		"a property that waits for its turn": {change: func(row *lookup.Account) {
			row.Properties[4401] = lookup.PropertyState{Mark: &lookup.Mark{AsOf: since(time.Hour), Why: "It was refused."}}
		}},
		"a late property that is gone": {change: func(row *lookup.Account) {
			row.Properties[4401] = lookup.PropertyState{Gone: true, Mark: &lookup.Mark{AsOf: since(2 * time.Hour), Why: "It was refused."}}
		}},
		"late": {change: func(row *lookup.Account) {
			row.AsOf, row.RunBegan, row.Due = since(2*time.Hour), since(20*time.Minute), now.Add(time.Minute)
		}, want: []string{`"status":"late","behind":"2 hours","problem":"The last good lookup is 2 hours old."`}},
		"asleep": {change: func(row *lookup.Account) {
			row.AsOf, row.RunBegan, row.Due = since(3*time.Hour), since(2*time.Hour), since(time.Hour)
		}, want: []string{`{"problem":"No lookup has begun for 2 hours`, `"behind":"3 hours"`}},
		"awake": {change: func(row *lookup.Account) {
			row.AsOf, row.RunBegan, row.Due = since(50*time.Minute), since(44*time.Minute), since(time.Minute)
		}},
		"nothing is due": {change: func(row *lookup.Account) {
			row.AsOf, row.RunBegan, row.Due = since(50*time.Minute), since(50*time.Minute), now.Add(time.Hour)
		}},
		"reconnect": {change: func(row *lookup.Account) {
			row.Status, row.Problems = lookup.StatusReconnect, []lookup.Problem{problem}
		}, want: []string{`"status":"reconnect","behind":"5 minutes","problem":"OwnerRez is in trouble.","next":"Wait."`}},
		"refused": {change: func(row *lookup.Account) { row.Status = lookup.StatusRefused }, want: []string{`"problem":"It is refused.","next":"See`}},
		"never read": {change: func(row *lookup.Account) {
			row.Status, row.AsOf, row.StatusSince = lookup.StatusNew, time.Time{}, since(11*time.Minute)
		}, want: []string{`"status":"new","problem":"It was never read."`}},
		"connected a moment ago": {change: func(row *lookup.Account) {
			row.Status, row.AsOf, row.StatusSince = lookup.StatusNew, time.Time{}, since(10*time.Minute)
		}},
		"connected a moment ago, and refused": {change: func(row *lookup.Account) {
			row.Status, row.AsOf, row.StatusSince = lookup.StatusNew, time.Time{}, since(time.Minute)
			row.Failures, row.Problems = 1, []lookup.Problem{problem}
		}, want: []string{"OwnerRez is in trouble."}},
		"has left": {change: func(row *lookup.Account) {
			row.Status, row.AsOf, row.Due = lookup.StatusLeft, since(48*time.Hour), since(48*time.Hour)
		}},
		"leaves":                    {change: leaves(since(10*time.Minute), 0)},
		"leaves, without an end":    {change: leaves(since(time.Hour), 0), want: []string{`"problem":"It was to be disconnected 60 minutes ago, and that does not end."`}},
		"cannot leave":              {change: leaves(since(time.Minute), 1), want: []string{"OwnerRez is in trouble."}},
		"an unpublished event":      {event: 11 * time.Minute, want: []string{`"behind":"11 minutes","problem":"1 of its events are not published."`}},
		"a new event":               {event: 9 * time.Minute},
		"events that have expired":  {change: func(row *lookup.Account) { row.Seq += 5 }},
		"a request":                 {ask: &lookup.Request{Account: 123456, At: since(10 * time.Minute)}},
		"a request that waits":      {ask: &lookup.Request{Account: 123456, Leave: true, At: since(time.Hour)}, want: []string{`"status":"ok","problem":"It was to be disconnected 60 minutes ago`}},
		"a host that waits":         {ask: &lookup.Request{Account: 123456, At: since(time.Hour)}, want: []string{`"problem":"Its host connected it 60 minutes ago`}},
		"an unknown host who waits": {ask: &lookup.Request{Account: 7, Ref: "desk", At: since(time.Hour)}, want: []string{`{"account":7,"ref":"desk","problem":"Its host connected it 60 minutes ago`}},
	} {
		t.Run(name, func(t *testing.T) { test.see(t) })
	}
}

func leaves(at time.Time, failures int) func(*lookup.Account) {
	return func(row *lookup.Account) {
		row.Leaving, row.Failures = &lookup.Departure{At: at, By: lookup.ByHost}, failures
		row.Problems = []lookup.Problem{{Message: "OwnerRez is in trouble.", Next: "Wait."}} // of the last lookup, where none failed
		row.Due = now.Add(time.Minute)
	}
}

// see has the doctor see the patient.
func (p patient) see(t *testing.T) {
	t.Helper()
	d := newDesk(t)
	row, err := d.Store.Account(t.Context(), "123456")
	if err != nil {
		t.Fatal(err)
	}
	well(&row)
	row.Ref = "desk"
	if p.change != nil {
		p.change(&row)
	}
	commit := lookup.Commit{Account: row.ID}
	if p.event > 0 {
		row.Seq++
		commit.Events = []lookup.Event{{
			Kind: lookup.AccountChanged, Version: 1, Account: row.ID, Seq: row.Seq, Expires: now.Add(lookup.EventsKept - p.event),
		}}
	}
	commit.Rows = []lookup.Account{row}
	if err = d.Store.Commit(t.Context(), commit); err == nil && p.ask != nil {
		err = d.Store.Ask(t.Context(), *p.ask)
	}
	if err != nil {
		t.Fatal(err)
	}
	findings(t, d, p.want)
}

// findings fails unless the doctor finds exactly what is wanted.
func findings(t *testing.T, d operator.Desk, want []string) {
	t.Helper()
	answer, err := d.Handle(t.Context(), operator.Command{Command: "doctor"})
	if err != nil {
		t.Fatal(err)
	}
	found, ok := answer.([]operator.Finding)
	if all, _ := json.Marshal(answer); !ok || found == nil || len(found) != len(want) {
		t.Fatalf("%s; want %d findings", all, len(want))
	}
	for i, says := range want {
		text, err := json.Marshal(found[i])
		if err != nil || !strings.Contains(string(text), says) || found[i].Next == "" {
			t.Errorf("%s; want %s", text, says)
		}
		if found[i].Account != 0 && found[i].Ref != "desk" {
			t.Errorf("without the reference: %s", text)
		}
	}
}

// A credential whose account OwnerRez has not named is found, and so is one that cannot be read.
func TestDoctorUnknownCredential(t *testing.T) {
	d := newDesk(t)
	change(t, d, well)
	d.Credentials = func(context.Context) ([]account.Credential, error) {
		return []account.Credential{{Fingerprint: "x"}}, nil
	}
	findings(t, d, []string{`{"status":"new","problem":"OwnerRez was not asked yet whose a configured token is."`})
	row := lookup.Account{Key: lookup.CredentialKey("x"), Status: lookup.StatusLate, Problems: []lookup.Problem{{Message: "OwnerRez does not accept the token.", Next: "Check it."}}}
	if err := d.Store.Commit(t.Context(), lookup.Commit{Rows: []lookup.Account{row}}); err != nil {
		t.Fatal(err)
	}
	findings(t, d, []string{`{"status":"late","problem":"OwnerRez does not accept the token.","next":"Check it."}`})
	d.Credentials = func(context.Context) ([]account.Credential, error) {
		return nil, &account.MalformedError{Secret: "personal token", Why: "is no JSON", Example: "…"}
	}
	findings(t, d, []string{"The secret of the personal token is no JSON."})
}
