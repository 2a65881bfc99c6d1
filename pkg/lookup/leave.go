package lookup

import (
	"context"
	"errors"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/budget"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
)

// leave is a run of an account that is to be disconnected: the subscriptions to its webhooks end, its token is revoked
// and deleted. Each step can be taken again, and after one that fails the next run begins anew. Nothing is looked up
// meanwhile. What is stored of the account stays, for the case that it comes back.
func (j *Job) leave(ctx context.Context, was Account, request Request, now time.Time) (Outcome, error) {
	row := was.clone()
	row.RunBegan = now
	cred, stored, wrong := j.connection(ctx, was, request)
	if own := ownTrouble(wrong); own != nil {
		return Outcome{Key: was.Key}, own
	}
	if was.Leaving != nil && cred.Fingerprint != "" && cred.Fingerprint != was.Leaving.Connection {
		row.Leaving, row.Connected = nil, true // the host has connected it again meanwhile
		row.Subscriptions.Checked = time.Time{}
		return j.lookup(ctx, was, row, now, false)
	}
	if was.Leaving == nil && (was.Status == StatusLeft || was.Version == 0) && !stored && wrong == nil { // nothing is here
		return idle(was), j.Store.Done(ctx, request)
	}
	if was.Leaving == nil {
		if row.ID == 0 { // a token was stored, and its lane did not come to it
			row.ID, row.StatusSince = request.Account, now
		}
		row.Leaving, row.Failures = &Departure{At: request.At, By: request.By, Connection: cred.Fingerprint}, 0
		if err := j.Store.Commit(ctx, Commit{Rows: []Account{row}}); err != nil {
			return Outcome{Key: was.Key}, err
		}
		row.Version++
	}
	if request.Leave {
		if err := j.Store.Done(ctx, request); err != nil {
			return Outcome{Key: was.Key}, err
		}
	}
	m := &meter{level: budget.Polls}
	if wrong == nil && stored {
		wrong = j.giveUp(ctx, row, cred, m)
	}
	return j.concludeLeave(ctx, row, m, now, wrong)
}

// connection is the connection that an account would give up, and whether anything is stored of it: without a Fingerprint
// that is nothing that can be used.
func (j *Job) connection(ctx context.Context, row Account, request Request) (cred account.Credential, stored bool, err error) {
	if j.Connections == nil {
		return account.Credential{}, false, nil
	}
	id := max(row.ID, request.Account)
	j.Connections.Forget(ctx, id)
	cred, err = j.Connections.Credential(ctx, id)
	switch {
	case errors.Is(err, vault.ErrNotFound):
		return account.Credential{}, false, nil
	case errors.As(err, new(*account.UnreadableTokenError)):
		return account.Credential{}, true, nil
	case err != nil && !misconfigured(err):
		return account.Credential{}, false, &ownError{err}
	}
	return cred, true, err
}

// giveUp takes the steps. Where OwnerRez does not let us in, twice, it has ended what there was.
func (j *Job) giveUp(ctx context.Context, row Account, cred account.Credential, m *meter) error {
	if cred.Fingerprint != "" {
		err := prepare(ctx, cred, j.options(m)...)
		if err == nil {
			err = j.unsubscribe(ctx, row, cred, m)
			if notLetIn(err) {
				err = j.unsubscribe(ctx, row, cred, m)
			}
		}
		if err != nil && !notLetIn(err) {
			return err
		}
		if err := j.Connections.Revoke(ctx, row.ID, j.options(m)...); err != nil {
			return err
		}
	}
	if err := j.Connections.Delete(ctx, row.ID); err != nil {
		return &ownError{err}
	}
	return nil
}

func notLetIn(err error) bool {
	return errors.Is(err, ownerrez.ErrUnauthorized) || errors.Is(err, ownerrez.ErrForbidden)
}

// unsubscribe ends our subscriptions to the account's webhooks, and nobody else's.
func (j *Job) unsubscribe(ctx context.Context, row Account, cred account.Credential, m *meter) error {
	base := nowhere
	if j.Webhooks != nil {
		base = j.Webhooks.Base
	} else if len(row.Subscriptions.IDs) == 0 {
		return nil
	}
	r := newRun(&row, j.Settings, row.RunBegan)
	r.meter = m
	var err error
	if r.client, err = cred.Open(j.options(m)...); err != nil {
		return err
	}
	return r.endSubscriptions(ctx, base)
}

// concludeLeave stores how far the account has come in leaving, and tells that it has left.
func (j *Job) concludeLeave(ctx context.Context, row Account, m *meter, now time.Time, err error) (Outcome, error) {
	if own := ownTrouble(err); own != nil {
		return Outcome{Key: row.Key}, own
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), toStore)
	defer cancel()
	if err != nil {
		if !errors.Is(err, budget.ErrNoPermit) && !errors.Is(err, context.Canceled) {
			row.Failures++
		}
		row.Due = now.Add(backoff(time.Minute, row.Failures, time.Hour))
		row.Problems = []Problem{leavingProblem(err)}
		out := idle(row)
		out.Kind, out.Requests, out.Failed = "leave", m.requests(), row.Failures > 0
		return out, j.Store.Commit(ctx, Commit{Rows: []Account{row}})
	}
	gone := *row.Leaving
	commit := Commit{Account: row.ID}
	if row.Status != StatusLeft { // else that was told, and its host connected it and changed their mind
		row.Seq++
		commit.Events = []Event{row.number(Event{
			Kind: AccountChanged, At: now, Was: row.Status, Now: StatusLeft, AsOf: row.AsOf,
			Reason: "The account was disconnected by the " + gone.By + ".", Next: "To look it up again, let its host connect it again.",
		}, row.Seq, now)}
	}
	row.Left, row.Leaving = &gone, nil
	row.Connected, row.Connection, row.Credential, row.ConnectedAt = false, "", "", time.Time{}
	row.Status, row.StatusSince = StatusLeft, now
	row.Failures, row.RefusedAt, row.Problems, row.LateSaid = 0, time.Time{}, nil, nil
	row.Noted, row.NotedMany, row.Subscriptions, row.Silence = nil, false, Subscriptions{}, Silence{}
	commit.Rows = []Account{row}
	if err := j.Store.Commit(ctx, commit); err != nil {
		return Outcome{Key: row.Key}, err
	}
	row.Version++
	out := idle(row)
	out.Kind, out.Requests, out.Left = "leave", m.requests(), row.Left
	var failed error
	out.Unpublished, failed = j.publish(ctx, row)
	return out, failed
}

// leavingProblem says why an account could not be disconnected yet.
func leavingProblem(err error) Problem {
	message, next := Explain(err)
	if errors.Is(err, ownerrez.ErrUnauthorized) { // the account's own token is not asked for: it is the app's
		message, next = "OwnerRez does not accept the OAuth app's credentials.", "Check the client id and secret of the app."
	}
	return Problem{Message: "The account is being disconnected. " + message, Next: next + " Until then nothing is looked up, and it is tried again."}
}
