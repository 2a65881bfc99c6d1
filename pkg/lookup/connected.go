package lookup

import (
	"context"
	"errors"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
)

// Connections reach the accounts that hosts have connected. *account.Connections is what implements it.
type Connections interface {
	// Credential returns the account's credential; vault.ErrNotFound if there is none, and vault.ErrDeleted beside it
	// if there was one that can be restored.
	Credential(ctx context.Context, id int64) (account.Credential, error)
	// Forget lets the account's credential be read anew, where it was kept for a while.
	Forget(ctx context.Context, id int64)
	// Revoke ends the account's token at OwnerRez. One that is not there, or was ended already, is no error.
	Revoke(ctx context.Context, id int64, opts ...ownerrez.Option) error
	// Delete deletes the account's token. One that is not there is no error.
	Delete(ctx context.Context, id int64) error
	// Restore takes a deletion back.
	Restore(ctx context.Context, id int64) error
}

// storedWithin is how long after its Request a host's token may take to be stored.
const storedWithin = 2 * time.Minute

// request is what the account's lane is asked to do by a wake-up, with no Account if that is nothing.
func (j *Job) request(ctx context.Context, w Wake) (Request, error) {
	if w.Reason != ReasonConnected && w.Reason != ReasonLeave {
		return Request{}, nil
	}
	id, err := parseAccountKey(w.Key)
	if err != nil {
		return Request{}, nil //nolint:nilerr // nobody asks for what has no number
	}
	r, err := j.Store.Request(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return Request{}, nil
	}
	return r, err
}

// connected is the run that follows when a host has connected the account: OwnerRez is asked whose the token is, and
// the account is looked up. An account that was connected before keeps all that it has.
func (j *Job) connected(ctx context.Context, was Account, request Request, now time.Time) (Outcome, error) {
	fingerprint, there, err := j.arrived(ctx, was, request)
	if err != nil {
		return Outcome{Key: was.Key}, err
	}
	late := now.Sub(request.At) > storedWithin
	if !there {
		if late { // whoever connected was told that nothing was stored
			err = j.Store.Done(ctx, request)
		}
		return idle(was), err
	}
	row := was.clone()
	row.ID, row.Connected, row.Left = request.Account, true, nil
	row.Subscriptions.Checked = time.Time{} // some may have ended while somebody asked to leave
	if request.Ref != "" {
		row.Ref = request.Ref
	}
	if row.Status == StatusLeft || row.Version == 0 {
		row.Status, row.StatusSince = StatusNew, now
	}
	out, err := j.lookup(ctx, was, row, now, false)
	if err == nil && (late || fingerprint != was.Connection) { // else the new token may still be on its way
		err = j.Store.Done(ctx, request)
	}
	return out, err
}

// arrived reports whether the token of a host who connected the account is there, and which connection it is. One that
// was deleted when the account left may be the one that was stored meanwhile.
func (j *Job) arrived(ctx context.Context, was Account, request Request) (fingerprint string, there bool, err error) {
	if j.Connections == nil {
		return "", false, nil
	}
	j.Connections.Forget(ctx, request.Account)
	cred, err := j.Connections.Credential(ctx, request.Account)
	restored := errors.Is(err, vault.ErrDeleted)
	if restored {
		if err = j.Connections.Restore(ctx, request.Account); err == nil {
			cred, err = j.Connections.Credential(ctx, request.Account)
		}
	}
	switch {
	case errors.Is(err, vault.ErrNotFound):
		return "", false, nil
	case err != nil && !misconfigured(err): // what is wrong with it the run will tell
		return "", false, err
	case restored && was.Left != nil && cred.Fingerprint == was.Left.Connection:
		return "", false, j.Connections.Delete(ctx, request.Account)
	}
	return cred.Fingerprint, true, nil
}

// unasked is the run that follows when a host has connected the account although nobody asks for it any more: somebody
// asked meanwhile that it be disconnected, when its token was not stored yet. there is false if no token is.
func (j *Job) unasked(ctx context.Context, was Account, w Wake, now time.Time) (out Outcome, there bool, err error) {
	id, err := parseAccountKey(w.Key)
	if err != nil {
		return Outcome{}, false, nil //nolint:nilerr // of what has no number there is none
	}
	request := Request{Account: id, By: ByHost, At: now}
	if _, there, err = j.arrived(ctx, was, request); err != nil || !there {
		return Outcome{Key: was.Key}, false, err
	}
	out, err = j.connected(ctx, was, request, now)
	return out, true, err
}

// comeBack is a run of an account that has left: with a personal token that was configured since then it is looked up
// again.
func (j *Job) comeBack(ctx context.Context, was Account, now time.Time) (Outcome, error) {
	_, err := j.personal(ctx, was)
	if own := ownTrouble(err); own != nil {
		return Outcome{Key: was.Key}, own
	}
	if err == nil {
		row := was.clone()
		row.Left, row.Status, row.StatusSince = nil, StatusNew, now
		return j.lookup(ctx, was, row, now, false)
	}
	out := idle(was)
	out.Unpublished, err = j.publish(ctx, was)
	return out, err
}
