package operator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
)

// overdue is how long what is done in a moment may take.
const overdue = 10 * time.Minute

// Finding is something that is not as it should be, and what to do about it.
type Finding struct {
	Account int64         `json:"account,omitempty"` // 0: it is about no single account
	Ref     string        `json:"ref,omitempty"`
	Status  lookup.Status `json:"status,omitempty"`
	Behind  string        `json:"behind,omitempty"` // how old what is known is, such as "2 h"; empty if nothing is, or if it is about something else
	Problem string        `json:"problem"`
	Next    string        `json:"next"`
}

// Doctor lists all that is not as it should be: which account is behind, why, and what to do. Of what is well it says
// nothing.
func (d Desk) Doctor(ctx context.Context) ([]Finding, error) {
	found := []Finding{}
	rows, unread := d.Store.Accounts(ctx)
	if unread != nil && !errors.Is(unread, lookup.ErrUnreadable) {
		return nil, unread
	}
	if unread != nil {
		found = append(found, Finding{Problem: unread.Error(), Next: "Run the release that wrote it, or restore it from a backup."})
	}
	found = append(found, d.asleep(rows)...)
	standings, err := d.List(ctx)
	if err != nil && !errors.Is(err, lookup.ErrUnreadable) {
		return nil, err
	}
	for _, st := range standings {
		if f, wrong := d.finding(st); wrong {
			found = append(found, f)
		}
	}
	now := d.now()
	for _, row := range rows {
		if row.Published < row.Seq && now.Sub(row.RunBegan) > overdue {
			found = append(found, Finding{
				Account: row.ID, Ref: row.Ref, Status: row.Status,
				Problem: fmt.Sprintf("%d of its events are not published.", row.Seq-row.Published),
				Next:    "See what the log of the lookups says of publishing; the next lookup goes on with them.",
			})
		}
	}
	waiting, err := d.waiting(ctx)
	return append(found, waiting...), err
}

// finding is what is wrong with an account, if anything is.
func (d Desk) finding(st lookup.Standing) (Finding, bool) {
	f := Finding{Account: st.Account, Ref: st.Ref, Status: st.Status, Problem: st.Problem, Next: st.Next}
	if !st.AsOf.IsZero() {
		f.Behind = availability.Age(d.now().Sub(st.AsOf))
	}
	switch st.Status {
	case lookup.StatusOK:
		return f, st.Problem != ""
	case lookup.StatusNew:
		f.Problem = cmp.Or(f.Problem, "It was never read.")
		f.Next = cmp.Or(f.Next, "Wait a minute; if it stays, see that lookups run.")
	}
	f.Problem = cmp.Or(f.Problem, "It is "+string(st.Status)+".")
	f.Next = cmp.Or(f.Next, "See what the log of the lookups says.")
	return f, true
}

// asleep says that no lookup runs at all.
func (d Desk) asleep(rows []lookup.Account) []Finding {
	var last time.Time
	waiting := false
	for _, row := range rows {
		if row.Status == lookup.StatusLeft || row.Key != lookup.AccountKey(row.ID) {
			continue
		}
		waiting = waiting || !row.Due.After(d.now())
		if row.RunBegan.After(last) {
			last = row.RunBegan
		}
	}
	if !waiting || last.IsZero() || d.now().Sub(last) < 3*d.Settings.LookupEvery() {
		return nil
	}
	return []Finding{{
		Problem: "No lookup has begun for " + availability.Age(d.now().Sub(last)) + ", although accounts are due.",
		Next:    "See that the schedule is on, and that the queue's messages reach the lookups: that their log has lines, and that nothing lies in the dead-letter queue.",
	}}
}

// waiting lists what lanes were asked to do and have not done.
func (d Desk) waiting(ctx context.Context) ([]Finding, error) {
	requests, err := d.Store.Requests(ctx)
	if err != nil && !errors.Is(err, lookup.ErrUnreadable) {
		return nil, err
	}
	var found []Finding
	for _, r := range requests {
		age := d.now().Sub(r.At)
		if age < overdue {
			continue
		}
		what := "Its host connected it "
		if r.Leave {
			what = "It was to be disconnected "
		}
		found = append(found, Finding{
			Account: r.Account, Ref: r.Ref, Problem: what + availability.Age(age) + " ago, and its lookups have not seen to it.",
			Next: "See that the schedule is on, and what the log of the lookups says of the account.",
		})
	}
	return found, nil
}
