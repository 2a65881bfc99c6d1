package lookup

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/budget"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

func isCredential(key string) bool { return strings.HasPrefix(key, CredentialKey("")) }

// connect is a run of a credential: OwnerRez is asked whose it is, before it is used for anything else. From
// then on the credential's row names its account.
func (j *Job) connect(ctx context.Context, row Account, now time.Time) (Outcome, error) {
	row.RunBegan = now
	out := Outcome{Key: row.Key, Kind: "connect"}
	cred, err := j.byFingerprint(ctx, strings.TrimPrefix(row.Key, CredentialKey("")))
	switch {
	case misconfigured(err):
		out.Kind, out.Status, out.Problems = "none", row.Status, []Problem{problem(0, err)}
		return out, nil
	case err != nil:
		return out, err
	case cred == nil: // it was replaced meanwhile
		out.Kind = "none"
		return out, nil
	}
	m := &meter{level: budget.Polls}
	user, err := j.whoIs(ctx, *cred, m)
	if own := ownTrouble(err); own != nil {
		return out, own
	}
	out.Requests = m.requests()
	if errors.Is(err, context.Canceled) { // we were interrupted: that says nothing of the credential
		out.Status, out.Problems = row.Status, []Problem{problem(0, err)}
		return out, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err != nil {
		row.refuse(now, err, j.Settings)
		out.Status, out.Problems, out.Failed = row.Status, row.Problems, true
		return out, j.Store.Commit(ctx, Commit{Rows: []Account{row}})
	}
	out.Account, out.Status = user.ID, StatusOK
	out.Wake = &Wake{Key: AccountKey(user.ID), Reason: ReasonConnected, Sent: now}
	return out, j.register(ctx, row, user, now)
}

// register makes the credential's row name its account, and makes the account's row if there is none. A row that
// is there is left to its lane, which finds the credential by itself.
func (j *Job) register(ctx context.Context, credential Account, user *ownerrez.User, now time.Time) error {
	credential.ID, credential.Status, credential.Failures, credential.Problems = user.ID, StatusOK, 0, nil
	rows := []Account{credential}
	key := AccountKey(user.ID)
	switch _, err := j.Store.Account(ctx, key); {
	case errors.Is(err, ErrNotFound):
		rows = append(rows, Account{
			Key: key, ID: user.ID, Name: user.Name, Zone: user.TimeZone, Status: StatusNew, StatusSince: now, Due: now,
		})
	case err != nil:
		return err
	}
	return j.Store.Commit(ctx, Commit{Rows: rows, Account: user.ID})
}

// refuse notes that a credential's account could not be learned. It is tried ever more rarely.
func (a *Account) refuse(now time.Time, err error, set Settings) {
	a.Failures++
	a.Status = StatusLate
	every, limit := time.Minute, set.LookupEvery()
	switch {
	case errors.Is(err, budget.ErrNoSlot):
		a.Status, every, limit = StatusRefused, time.Hour, time.Hour
	case errors.Is(err, budget.ErrNoPermit): // nothing was asked
		limit = every
	case endsRun(err):
		every, limit = set.LookupEvery(), max(set.LookupEvery(), refusedRetry)
	}
	a.Due = now.Add(backoff(every, a.Failures, limit))
	a.Problems = []Problem{problem(0, err)}
}

// whoIs asks OwnerRez whose the credential is. A personal token takes its slot first, and gives it back if
// OwnerRez refused it, or was never asked.
func (j *Job) whoIs(ctx context.Context, cred account.Credential, m *meter) (*ownerrez.User, error) {
	if err := prepare(ctx, cred, j.options(m)...); err != nil {
		return nil, err
	}
	release, err := j.takeSlot(ctx, cred)
	if err != nil {
		return nil, err
	}
	client, err := cred.Open(j.options(m)...)
	if err != nil {
		return nil, err
	}
	user, err := client.Users.Me(ctx)
	if err == nil && user.ID <= 0 {
		err = fmt.Errorf("OwnerRez did not say which account the credential belongs to: %w", ownerrez.ErrUnreadable)
	}
	if err == nil {
		return user, nil
	}
	if m.requests() == 0 || errors.Is(err, ownerrez.ErrUnauthorized) {
		return nil, errors.Join(err, release(context.WithoutCancel(ctx)))
	}
	return nil, err
}

// takeSlot takes or renews the slot of a personal token; other credentials need none.
func (j *Job) takeSlot(ctx context.Context, cred account.Credential) (release func(context.Context) error, err error) {
	if j.Slots == nil || cred.PATUser == "" {
		return func(context.Context) error { return nil }, nil
	}
	release, err = j.Slots.Take(ctx, cred.PATUser)
	if err != nil && !errors.Is(err, budget.ErrNoSlot) {
		err = &ownError{err}
	}
	return release, err
}

// byFingerprint finds a configured credential, nil if there is none. One that is not among those that were read
// some time ago may be newer: they are read again.
func (j *Job) byFingerprint(ctx context.Context, fingerprint string) (*account.Credential, error) {
	for again := false; ; again = true {
		creds, err := j.Credentials(ctx)
		if err != nil && !misconfigured(err) {
			return nil, err
		}
		for _, cred := range creds {
			if cred.Fingerprint == fingerprint {
				return &cred, nil
			}
		}
		if again || j.Reread == nil {
			return nil, err
		}
		j.Reread()
	}
}

// replaced reports whether a credential that was configured is so no more, after the credentials were read again.
func (j *Job) replaced(ctx context.Context, fingerprint string) bool {
	if j.Reread == nil {
		return false
	}
	j.Reread()
	creds, err := j.Credentials(ctx)
	return err == nil && !slices.ContainsFunc(creds, func(c account.Credential) bool { return c.Fingerprint == fingerprint })
}

// misconfigured reports whether the error says that a credential was configured in a wrong way: somebody has to
// mend it, and to try again does not help.
func misconfigured(err error) bool {
	return errors.Is(err, account.ErrNoApp) || errors.As(err, new(*account.MalformedError)) || errors.As(err, new(*account.UnreadableTokenError))
}

// ownError is trouble of our own: with the store, or with reading the configuration. The wake-up goes back.
type ownError struct{ err error }

func (e *ownError) Error() string { return e.err.Error() }
func (e *ownError) Unwrap() error { return e.err }

func ownTrouble(err error) error {
	if own := (*ownError)(nil); errors.As(err, &own) {
		return own
	}
	return nil
}
