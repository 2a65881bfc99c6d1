package account

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
)

// A refresh has grantTime to be answered, counted from its note in the secret. Who finds the note of another one
// waits for claimTime, so that clocks may differ by the rest, and then asks once more. Further refreshes of the same
// token are retryRefresh and more apart.
const (
	grantTime       = time.Minute
	claimTime       = 2 * time.Minute
	retryRefresh    = 15 * time.Minute
	maxRetryRefresh = time.Hour
	storeTime       = 10 * time.Second
	maxRounds       = 4 // how often others may come between
)

// claim is written before OwnerRez is asked to refresh a token: who reads it does not ask at the same time, and
// knows after a crash that the token may have been refreshed.
type claim struct {
	ID      string    `json:"id"`                // random, of this attempt
	Began   time.Time `json:"began"`             // the attempt
	Tries   int       `json:"tries"`             // how many attempts there were for this token, with this one
	Refused bool      `json:"refused,omitempty"` // OwnerRez accepted the refresh token no more
}

// next is when the token may be tried again by somebody who does not know what became of the claim.
func (c *claim) next(now time.Time) time.Time {
	switch {
	case c == nil || c.Began.After(now.Add(claimTime)): // a clock went wrong
		return time.Time{}
	case c.Tries == 1 && !c.Refused:
		return c.Began.Add(claimTime)
	}
	return c.Began.Add(min(retryRefresh<<min(max(c.Tries-2, 0), 8), maxRetryRefresh))
}

// grant is a new token, and the connection whose token it replaces.
type grant struct{ from, to Connection }

// refresh gets another token than the current one: one that was stored meanwhile, one that waits to be adopted, or
// a new one. If it fails it returns the secret as it was read last, and why.
func (k *Keeper) refresh(ctx context.Context, current kept, refused bool) (kept, *RefreshError) {
	from := current.Connection
	var mine string // the claim of ours whose answer was lost: it is followed by one repeat
	for range maxRounds {
		var err error
		if current, err = k.adopt(ctx, current); err != nil {
			return current, k.failed(from, time.Time{}, err)
		}
		switch {
		case !current.sameToken(from):
			k.granted = nil // another one counts
			return current, nil
		case k.granted != nil:
			return k.store(ctx, current)
		}
		if failure := k.mustWait(current, mine, refused); failure != nil {
			return current, failure
		}
		owned := false
		if current, owned, err = k.claim(ctx, current); err != nil {
			return current, k.failed(from, time.Time{}, err)
		}
		if !owned {
			continue
		}
		if err = k.grant(ctx, current); err == nil {
			return k.store(ctx, current)
		}
		if !lost(err) || current.refresh.Tries > 1 || ctx.Err() != nil {
			return k.refusal(ctx, current, err)
		}
		mine = current.refresh.ID
	}
	return current, k.failed(from, time.Time{}, errContended)
}

// mustWait says why a token is not to be refreshed now; nil if it is.
func (k *Keeper) mustWait(current kept, mine string, refused bool) *RefreshError {
	note, now := current.refresh, k.clock()
	next := note.next(now)
	switch {
	case current.Token.RefreshToken == "":
		return k.over(current, time.Time{}, errNoRefreshToken)
	case note == nil || note.ID == mine:
		return nil
	case note.Refused && (!refused || now.Before(next)):
		// To show OwnerRez a refresh token that it does not accept may end the access token, so there must be nothing
		// to lose.
		return k.over(current, next, errRefused)
	case now.Before(next):
		return k.failed(current.Connection, next, errWaits)
	}
	return nil
}

// adopt makes a value current that waits to replace the current one, and returns what is current by then.
func (k *Keeper) adopt(ctx context.Context, current kept) (kept, error) {
	secret, err := k.vault.Adopt(ctx, k.name, current.version)
	switch {
	case errors.Is(err, vault.ErrConflict):
		secret, err = k.vault.Get(ctx, k.name)
	case errors.Is(err, vault.ErrNotFound):
		return current, nil
	}
	next, err := k.parse(secret, err)
	if err != nil {
		return current, err
	}
	return next, nil
}

// claim notes in the secret that its token is being refreshed. It is not owned if somebody else came first.
func (k *Keeper) claim(ctx context.Context, current kept) (next kept, owned bool, err error) {
	note := &claim{ID: rand.Text(), Began: k.clock().UTC().Round(0), Tries: 1}
	if last := current.refresh; last != nil {
		note.Tries, note.Refused = last.Tries+1, last.Refused
	}
	next = current
	next.refresh = note
	value, err := next.Encode()
	if err != nil {
		return current, false, err
	}
	version, err := k.vault.Replace(ctx, k.name, current.version, value)
	if err == nil {
		next.version = version
		return next, true, nil
	}
	next, readErr := k.load(ctx)
	switch {
	case readErr == nil && next.refresh != nil && next.refresh.ID == note.ID:
		return next, true, nil
	case readErr == nil && errors.Is(err, vault.ErrConflict):
		return next, false, nil
	}
	return current, false, fmt.Errorf("%w: %w", ErrVault, err)
}

// grant asks OwnerRez for a new token, and leaves it in k.granted.
func (k *Keeper) grant(ctx context.Context, current kept) error {
	asked := k.clock()
	left := current.refresh.Began.Add(grantTime).Sub(asked)
	if left <= 0 {
		return errLate
	}
	authorizer, err := k.open(k.run...)
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	token, err := authorizer.Refresh(limited, current.Token.RefreshToken)
	switch {
	case err != nil && limited.Err() != nil && ctx.Err() == nil:
		return fmt.Errorf("%w within %s", ownerrez.ErrUnreachable, grantTime)
	case err != nil:
		return err
	case token.UserID != 0 && token.UserID != k.userID:
		return errOtherAccount
	}
	token.UserID = k.userID
	if token.Scope == "" {
		token.Scope = current.Token.Scope
	}
	next := Connection{ID: current.ID, Token: token, Obtained: asked.UTC().Round(0)}
	if _, err := next.Encode(); err != nil {
		return fmt.Errorf("%w: %w", ownerrez.ErrUnreadable, err)
	}
	k.granted = &grant{from: current.Connection, to: next}
	return nil
}

// lost reports whether OwnerRez may have refreshed the token although there is no new one.
func lost(err error) bool {
	return errors.Is(err, ownerrez.ErrUnreachable) || errors.Is(err, ownerrez.ErrUnreadable)
}

// store puts the granted token in the place of the one that it came from. If the secret holds another one by now, a
// host connected again, or somebody else refreshed: that one counts, and ours is dropped. What cannot be stored is
// kept for the next time.
func (k *Keeper) store(ctx context.Context, current kept) (kept, *RefreshError) {
	// The token is there, and the caller may be about to end.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTime)
	defer cancel()
	from, to := k.granted.from, k.granted.to
	value, err := to.Encode()
	for round := 0; err == nil && round < maxRounds; round++ {
		version, failure := k.vault.Replace(ctx, k.name, current.version, value)
		if failure == nil {
			k.granted = nil
			return kept{to, version}, nil
		}
		var now kept
		if now, err = k.load(ctx); err == nil && now.sameToken(from) {
			now, err = k.adopt(ctx, now)
		}
		switch {
		case err != nil:
		case !now.sameToken(from):
			k.granted = nil
			return now, nil
		case round == maxRounds-1:
			err = fmt.Errorf("%w: %w", ErrVault, failure)
		default:
			current = now
		}
	}
	if errors.Is(err, vault.ErrNotFound) {
		k.granted = nil // the account left
	}
	return current, k.failed(from, time.Time{}, err)
}

// refusal is what follows a refresh that failed. If the refresh token is accepted no more, somebody else may have
// used it and stored the new one; if not, that is noted for those who come later.
func (k *Keeper) refusal(ctx context.Context, current kept, err error) (kept, *RefreshError) {
	api := (*ownerrez.Error)(nil)
	if !errors.As(err, &api) || api.Code != "invalid_grant" {
		return current, k.failed(current.Connection, current.refresh.next(k.clock()), err)
	}
	again, readErr := k.load(ctx)
	if readErr == nil && !again.sameToken(current.Connection) {
		return again, nil
	}
	marked := current
	marked.refresh = new(*current.refresh)
	marked.refresh.Refused = true
	if value, encErr := marked.Encode(); encErr == nil {
		// Without the note, a later refresh finds out once more.
		if version, noteErr := k.vault.Replace(ctx, k.name, current.version, value); noteErr == nil {
			current, current.version = marked, version
		}
	}
	return current, k.over(current, marked.refresh.next(k.clock()), err)
}

// over is for a token that only the host can replace.
func (k *Keeper) over(current kept, next time.Time, err error) *RefreshError {
	failure := k.failed(current.Connection, next, err)
	failure.Reconnect = true
	return failure
}

func (k *Keeper) failed(of Connection, next time.Time, err error) *RefreshError {
	if soonest := k.clock().Add(retryRefresh); !errors.Is(err, errWaits) && next.Before(soonest) {
		next = soonest
	}
	return &RefreshError{Expiry: of.Token.Expiry, Next: next, Err: err, of: of.digest()}
}
