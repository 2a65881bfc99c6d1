package lookup

import (
	"context"
	"errors"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
)

// way is a credential that leads into an account.
type way struct {
	account.Credential
	since     time.Time // when OwnerRez said that it does
	confirmed bool      // whether it said so
}

// enter gets the run its client. Where none may be used now, the run has ended before it began; the error is one
// of our own. A connection is used for nothing else before OwnerRez has said that it is the account's: until then an
// older way, if there is one, goes on.
func (j *Job) enter(ctx context.Context, r *run) error {
	ways, err := j.ways(ctx, *r.row)
	for i, w := range ways {
		if err = j.goIn(ctx, r, w); err == nil || w.confirmed || ownTrouble(err) != nil || ctx.Err() != nil {
			break
		}
		if i+1 < len(ways) {
			r.say(problem(0, err))
			r.ended, r.inRow = nil, 0
		}
	}
	if own := ownTrouble(err); own != nil {
		return own
	}
	r.ended = err
	return nil
}

// goIn opens one way into the account.
func (j *Job) goIn(ctx context.Context, r *run, w way) error {
	err := prepare(ctx, w.Credential, j.options(r.meter)...)
	if err == nil {
		_, err = j.takeSlot(ctx, w.Credential)
	}
	if err != nil {
		return err
	}
	r.row.Credential, r.trouble = w.Fingerprint, w.Trouble
	if r.client, err = w.Open(j.options(r.meter)...); err != nil || w.confirmed {
		return err
	}
	return r.confirm(ctx, w.Fingerprint)
}

// confirm asks OwnerRez whether a connection is this account's.
func (r *run) confirm(ctx context.Context, connection string) error {
	user, err := ask(ctx, r.reader, func(ctx context.Context) (*ownerrez.User, error) { return r.client.Users.Me(ctx) })
	switch {
	case err != nil:
		return err
	case user.ID != r.row.ID:
		return errOtherAccount
	}
	if user.Name != "" {
		r.row.Name = user.Name
	}
	if user.TimeZone != "" {
		r.row.Zone = user.TimeZone
	}
	r.row.Connection, r.row.ConnectedAt = connection, r.now
	r.row.RefusedAt = time.Time{} // it was another token that was refused
	if r.row.Status == StatusReconnect || r.row.Status == StatusRefused {
		r.row.Status = StatusLate
	}
	return nil
}

// ways lists the credentials to try, the best first: of the ways into an account the one that was confirmed last is
// the active one, and a connection that was not confirmed yet is tried before it.
func (j *Job) ways(ctx context.Context, row Account) ([]way, error) {
	var ways []way
	personal, wrong := j.personal(ctx, row)
	if own := ownTrouble(wrong); own != nil {
		return nil, own
	}
	if wrong == nil {
		ways = append(ways, personal)
	}
	if !row.Connected || j.Connections == nil {
		return ways, wrong
	}
	cred, err := j.Connections.Credential(ctx, row.ID)
	switch connected := (way{cred, row.ConnectedAt, cred.Fingerprint == row.Connection}); {
	case errors.Is(err, vault.ErrNotFound):
		err = errTokenGone
	case err != nil && !misconfigured(err):
		return nil, &ownError{err}
	case err != nil:
	case wrong != nil || !connected.confirmed:
		return append([]way{connected}, ways...), nil
	case personal.since.After(connected.since):
		return ways, nil
	default:
		return []way{connected}, nil
	}
	if wrong == nil {
		return ways, nil
	}
	return nil, err
}

// personal finds the newest configured personal token that is known to belong to the account; of one that has left
// only one that came later.
func (j *Job) personal(ctx context.Context, row Account) (way, error) {
	if j.Credentials == nil {
		return way{}, errNoCredential
	}
	creds, err := j.Credentials(ctx)
	if misconfigured(err) {
		return way{}, err
	}
	if err != nil {
		return way{}, &ownError{err}
	}
	for _, cred := range creds {
		known, err := j.Store.Account(ctx, CredentialKey(cred.Fingerprint))
		switch {
		case errors.Is(err, ErrNotFound):
		case err != nil:
			return way{}, &ownError{err}
		case known.ID == row.ID && (row.Left == nil || known.RunBegan.After(row.Left.At)):
			return way{cred, known.RunBegan, true}, nil
		}
	}
	return way{}, errNoCredential
}

// tellTrouble says in time that a token, though it works, cannot be refreshed any more, or not be stored.
func (r *run) tellTrouble() {
	if r.trouble == nil || r.ended != nil {
		return
	}
	switch t := r.trouble(); {
	case t == nil:
	case errors.Is(t, account.ErrVault):
		r.say(problem(0, t))
	case t.Reconnect && !t.Expiry.IsZero():
		r.say(Problem{
			Message: "OwnerRez will not renew the access to this account, which ends at " + t.Expiry.UTC().Format("2006-01-02 15:04 MST") + ".",
			Next:    "Let the host connect the account again before that: send an invitation to it.",
		})
	}
}

// prepare lets a credential get ready for a run, whose clients have these options. Trouble with the vault that keeps it
// is our own.
func prepare(ctx context.Context, cred account.Credential, opts ...ownerrez.Option) error {
	if cred.Prepare == nil {
		return nil
	}
	err := cred.Prepare(ctx, opts...)
	if errors.Is(err, vault.ErrNotFound) {
		return errTokenGone
	}
	if errors.Is(err, account.ErrVault) {
		return &ownError{err}
	}
	return err
}
