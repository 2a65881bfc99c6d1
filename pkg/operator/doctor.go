package operator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
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
	Behind  string        `json:"behind,omitempty"` // how old what is known is, such as "2 hours"; empty if it is as recent as it should be
	Problem string        `json:"problem"`
	Next    string        `json:"next"`
}

// Doctor lists all that is not as it should be: which account is behind, why, and what to do. Of what is well it says
// nothing.
func (d Desk) Doctor(ctx context.Context) ([]Finding, error) {
	found := []Finding{}
	rows, unread := d.Store.Accounts(ctx)
	requests, unasked := d.Store.Requests(ctx)
	standings, unlisted := d.List(ctx)
	for _, err := range []error{unread, unasked, unlisted} {
		if err != nil && !errors.Is(err, lookup.ErrUnreadable) {
			return nil, err
		}
	}
	if err := errors.Join(unread, unasked); err != nil {
		found = append(found, Finding{Problem: err.Error(), Next: "Run the release that wrote it, or restore it from a backup."})
	}
	now := d.now()
	found = append(found, d.asleep(rows, now)...)
	for _, st := range standings {
		if st.Account == 0 {
			found = append(found, d.unknownCredential(st))
		}
	}
	slices.SortStableFunc(rows, func(a, b lookup.Account) int { return cmp.Compare(a.ID, b.ID) })
	for _, row := range rows {
		if row.Key != lookup.AccountKey(row.ID) {
			continue
		}
		if f, wrong := d.finding(row, now); wrong {
			found = append(found, f)
		}
		unpublished, err := d.unpublished(ctx, row, now)
		if err != nil {
			return nil, err
		}
		found = append(found, unpublished...)
	}
	return append(found, d.waiting(rows, requests, now)...), nil
}

// asleep says that no lookup runs at all.
func (d Desk) asleep(rows []lookup.Account, now time.Time) []Finding {
	var last time.Time
	due := false
	for _, row := range rows {
		account := row.Key == lookup.AccountKey(row.ID)
		due = due || account && row.Status != lookup.StatusLeft && !row.Due.After(now)
		if row.RunBegan.After(last) {
			last = row.RunBegan
		}
	}
	if !due || last.IsZero() || now.Sub(last) < 3*d.Settings.LookupEvery() {
		return nil
	}
	return []Finding{{
		Problem: "No lookup has begun for " + availability.Age(now.Sub(last)) + ", although accounts are due.",
		Next: d.here(`Start "ownerrez serve": nothing is looked up while it does not run.`,
			"See that the schedule is on, and that the queue's messages reach the lookups: that their log has lines, and that nothing lies in the dead-letter queue."),
	}}
}

// unknownCredential is about a configured credential whose account is not known.
func (d Desk) unknownCredential(st lookup.Standing) Finding {
	return Finding{
		Status:  st.Status,
		Problem: cmp.Or(st.Problem, "OwnerRez was not asked yet whose a configured token is."),
		Next:    cmp.Or(st.Next, d.here(`Start "ownerrez serve": it asks.`, "Wait a minute. If it stays, see that the schedule is on, and what the log of the lookups says.")),
	}
}

// unpublished says that events of an account are not published, though there was time for it.
func (d Desk) unpublished(ctx context.Context, row lookup.Account, now time.Time) ([]Finding, error) {
	if row.Published >= row.Seq {
		return nil, nil
	}
	f := Finding{
		Account: row.ID, Ref: row.Ref, Status: row.Status,
		Problem: fmt.Sprintf("%d of its events are not published.", row.Seq-row.Published),
		Next:    d.here(`Start "ownerrez serve": it publishes them.`, "See what the log of the lookups says of publishing; each lookup goes on with them."),
	}
	events, err := d.Store.Events(ctx, row.ID, row.Published, 1, now)
	switch {
	case errors.Is(err, lookup.ErrUnreadable):
		f.Problem += " " + err.Error() + "."
		f.Next = "Run the release that wrote it, or restore it from a backup."
		return []Finding{f}, nil
	case err != nil:
		return nil, err
	case len(events) == 0: // they have expired
		return nil, nil
	}
	age := now.Sub(events[0].Expires.Add(-lookup.EventsKept))
	if age <= overdue {
		return nil, nil
	}
	f.Behind = availability.Age(age)
	return []Finding{f}, nil
}

// waiting lists what lanes were asked to do and have not done.
func (d Desk) waiting(rows []lookup.Account, requests []lookup.Request, now time.Time) []Finding {
	var found []Finding
	for _, r := range requests {
		age := now.Sub(r.At)
		if age <= overdue {
			continue
		}
		f := Finding{Account: r.Account, Ref: r.Ref, Next: d.seeLookups()}
		if i := slices.IndexFunc(rows, func(row lookup.Account) bool { return row.Key == lookup.AccountKey(r.Account) }); i >= 0 {
			f.Ref, f.Status = cmp.Or(r.Ref, rows[i].Ref), rows[i].Status
		}
		what := "Its host connected it "
		if r.Leave {
			what = "It was to be disconnected "
		}
		f.Problem = what + availability.Age(age) + " ago, and its lookups have not seen to it."
		found = append(found, f)
	}
	return found
}
