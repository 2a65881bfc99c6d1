package lookup

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/budget"
)

// forgetQueued is how long a wake-up that was sent may be under way. One that is older is taken for lost.
const forgetQueued = 10 * time.Minute

// Tick wakes the accounts and credentials that are due, and first those whose lanes are asked to do something: the
// most overdue first, as many as the budget has room for. A wake-up that send fails to send is sent again by a later
// tick. Credentials that are configured in a wrong way wake nobody, and stop nobody: see Standings for what they are
// told of.
func (j *Job) Tick(ctx context.Context, send func(context.Context, Wake) error) error {
	rows, unreadable := j.Store.Accounts(ctx)
	if unreadable != nil && rows == nil {
		return unreadable
	}
	creds, wrong := j.Credentials(ctx)
	if wrong != nil && !misconfigured(wrong) {
		return wrong
	}
	requests, unreadableToo := j.Store.Requests(ctx)
	known := map[string]bool{}
	for _, row := range rows {
		known[row.Key] = true
	}
	meet := func(key string) {
		if !known[key] {
			known[key], rows = true, append(rows, Account{Key: key}) // a new one: due since ever
		}
	}
	configured, reasons := map[string]bool{}, map[string]string{}
	for _, cred := range creds {
		key := CredentialKey(cred.Fingerprint)
		configured[key] = true
		meet(key)
	}
	for _, r := range requests {
		reasons[AccountKey(r.Account)] = r.reason()
		meet(AccountKey(r.Account))
	}
	now := j.now()
	due := slices.DeleteFunc(rows, func(a Account) bool {
		switch {
		case reasons[a.Key] != "":
			return false
		case isCredential(a.Key):
			return a.ID != 0 || !configured[a.Key] || a.Due.After(now)
		}
		return (a.Status == StatusLeft || a.nextDue().After(now)) && a.Published == a.Seq
	})
	slices.SortStableFunc(due, func(a, b Account) int {
		asked := func(a Account) int { return len(reasons[a.Key]) }
		return cmp.Or(-cmp.Compare(min(asked(a), 1), min(asked(b), 1)), a.nextDue().Compare(b.nextDue()), cmp.Compare(a.Key, b.Key))
	})
	room, err := j.room(ctx, len(due))
	if err != nil {
		return err
	}
	errs := []error{unreadable, unreadableToo} // one account's trouble is not the others'
	for _, a := range due[:room] {
		errs = append(errs, j.wake(ctx, a, cmp.Or(reasons[a.Key], ReasonTick), now, send))
	}
	return errors.Join(errs...)
}

// room is how many of n accounts the budget has room for now.
func (j *Job) room(ctx context.Context, n int) (int, error) {
	if j.Window == nil || n == 0 {
		return n, nil
	}
	room, err := j.Window.Room(ctx, budget.Polls)
	return min(max(room, 0), n), err
}

func (j *Job) wake(ctx context.Context, a Account, reason string, now time.Time, send func(context.Context, Wake) error) error {
	since := now.Add(-forgetQueued)
	if a.RunBegan.After(since) {
		since = a.RunBegan
	}
	first, err := j.Store.MarkQueued(ctx, a.Key, now, since)
	if err != nil || !first {
		return err
	}
	return send(ctx, Wake{Key: a.Key, Reason: reason, Sent: now})
}

// nextDue is when the account wants to be looked up: when it is due, or a hold lapses. A lapse that the last run
// has left is no reason to hurry: it had something else to ask.
func (a *Account) nextDue() time.Time {
	if a.NextLapse.After(a.RunBegan) && a.NextLapse.Before(a.Due) && a.Failures == 0 {
		return a.NextLapse
	}
	return a.Due
}
