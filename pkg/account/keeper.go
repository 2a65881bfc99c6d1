package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
)

// ErrVault says that the vault could not be read or written: that is our own trouble, and says nothing of the
// account. The vault's error is wrapped too.
var ErrVault = errors.New("the vault failed")

// preparedFor is how old the secret may be, as it was read, when a run begins.
const preparedFor = time.Minute

// Keeper keeps the token of one account: it is the ownerrez.TokenSource that reads the account's secret and
// refreshes the token. The secret is read again after five minutes and after a 401. The token is refreshed by
// Prepare at two thirds of its life, and when OwnerRez refuses it with a 401; a refresh that fails never gives up a
// token that OwnerRez has not refused, and is tried again after 15 minutes or more.
//
// A Keeper is used in its account's lane. Should two processes run one lane all the same, they do not refresh at the
// same time: a refresh is noted in the secret first. Within a process it is safe for concurrent use.
type Keeper struct {
	vault  vault.Vault
	name   string // of the secret
	userID int64
	open   Authorize
	clock  func() time.Time

	turn    chan struct{}     // one at a time; it guards what follows
	run     []ownerrez.Option // of the present run of the lane
	cached  kept
	read    time.Time     // when cached was read; zero: it is to be read again
	refused string        // the access token that a 401 refused, until it was dealt with
	trouble *RefreshError // of the last refresh; nil if it went well
	granted *grant        // a token that could not be stored yet
}

// kept is a connection as the vault holds it.
type kept struct {
	Connection
	version string
}

var (
	_ ownerrez.TokenSource = (*Keeper)(nil)
	_ ownerrez.Invalidator = (*Keeper)(nil)
)

// Authorize makes an Authorizer of the app, which does not retry. The options are those of the run in which it asks.
type Authorize func(options ...ownerrez.Option) (*ownerrez.Authorizer, error)

// NewKeeper makes a Keeper of the secret with that name, which holds the token of the user. A nil now means time.Now.
func NewKeeper(v vault.Vault, name string, userID int64, open Authorize, now func() time.Time) *Keeper {
	if now == nil {
		now = time.Now
	}
	return &Keeper{vault: v, name: name, userID: userID, open: open, clock: now, turn: make(chan struct{}, 1)}
}

// Credential is the account's credential, whose client sends with the options. Its fingerprint stays the same while
// the token is refreshed, and is another one when the host connects again.
func (k *Keeper) Credential(ctx context.Context, key []byte, app ownerrez.App, options ...ownerrez.Option) (Credential, error) {
	if err := k.lock(ctx); err != nil {
		return Credential{}, err
	}
	defer k.unlock()
	current := k.cached
	if !k.fresh(rereadEvery) {
		var err error
		if current, err = k.load(ctx); err != nil {
			return Credential{}, err
		}
		k.keep(current)
	}
	return Credential{
		Fingerprint: Fingerprint(key, "oauth", strconv.FormatInt(k.userID, 10), current.ID),
		Auth:        ownerrez.OAuth(app, k),
		Options:     options,
		Prepare:     k.Prepare,
		Trouble:     k.Trouble,
	}, nil
}

// Prepare is called when a run of the lane begins, before any request: it reads the secret, and refreshes the token if
// two thirds of its life are over. With the run's options, which have its limiter and its observers, it asks OwnerRez
// now, and later in the run after a 401. A request has no time for that, since its permit is given before its token. A
// refresh that fails is no error, as the token may well work: Trouble tells of it. Errors are those of Token, except
// *RefreshError.
func (k *Keeper) Prepare(ctx context.Context, options ...ownerrez.Option) error {
	if err := k.lock(ctx); err != nil {
		return err
	}
	defer k.unlock()
	k.run = slices.Clone(options) // they are the caller's
	if k.fresh(preparedFor) && !k.due(k.cached) {
		return nil
	}
	current, err := k.reread(ctx)
	if err != nil {
		return err
	}
	if k.due(current) {
		next, failure := k.refresh(ctx, current, false)
		if failure != nil && ctx.Err() != nil {
			return ctx.Err() // which says nothing of the account
		}
		current = next
		k.note(failure)
	}
	k.keep(current)
	return nil
}

// Token implements ownerrez.TokenSource. Its errors are a *RefreshError after a 401, if there is no other token than
// the refused one; an *UnreadableTokenError; ErrVault, with vault.ErrNotFound if the account has no token; or the
// context's. After a *RefreshError the next call gives the refused token again, since a 401 may be a mistake.
func (k *Keeper) Token(ctx context.Context) (ownerrez.Token, error) {
	if err := k.lock(ctx); err != nil {
		return ownerrez.Token{}, err
	}
	defer k.unlock()
	if k.fresh(rereadEvery) {
		return k.cached.Token, nil
	}
	current, err := k.reread(ctx)
	if err != nil {
		return ownerrez.Token{}, err
	}
	refused := k.refused == current.Token.AccessToken
	k.refused = ""
	if refused {
		next, failure := k.refresh(ctx, current, true)
		if failure != nil && ctx.Err() != nil {
			return ownerrez.Token{}, ctx.Err()
		}
		k.note(failure)
		if failure != nil {
			return ownerrez.Token{}, failure
		}
		current = next
	}
	k.keep(current)
	return current.Token, nil
}

// note remembers what became of a refresh.
func (k *Keeper) note(failure *RefreshError) {
	if failure != nil && errors.Is(failure, errWaits) && k.trouble != nil && k.trouble.of == failure.of {
		failure.Reconnect, failure.Err = k.trouble.Reconnect, k.trouble.Err // which says more
	}
	k.trouble = failure
}

// Invalidate implements ownerrez.Invalidator: the next Token reads the secret, and refreshes the refused token if
// the secret has no other.
func (k *Keeper) Invalidate(ctx context.Context, refused ownerrez.Token) {
	if k.lock(ctx) != nil {
		return // whoever asked has given up
	}
	defer k.unlock()
	if k.read.IsZero() || k.cached.Token.AccessToken == refused.AccessToken {
		k.refused, k.read = refused.AccessToken, time.Time{}
	}
}

// Forget lets the secret be read again when it is needed next.
func (k *Keeper) Forget(ctx context.Context) {
	if k.lock(ctx) != nil {
		return
	}
	defer k.unlock()
	k.read = time.Time{}
}

// Trouble is what the last refresh of the present token failed with, nil if there is nothing to say. It is how a host
// can be told in time, while the token still works. It waits for a refresh that is under way.
func (k *Keeper) Trouble() *RefreshError {
	k.turn <- struct{}{}
	defer k.unlock()
	return k.trouble
}

// lock takes the turn. Whoever waits for it gives up with its context.
func (k *Keeper) lock(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case k.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (k *Keeper) unlock() { <-k.turn }

// reread reads the secret, and drops a granted token if the secret holds another one by now than it came from.
func (k *Keeper) reread(ctx context.Context) (kept, error) {
	current, err := k.load(ctx)
	if err == nil && k.granted != nil && !k.granted.from.sameToken(current.Connection) {
		k.granted = nil
	}
	return current, err
}

// load reads the secret.
func (k *Keeper) load(ctx context.Context) (kept, error) {
	secret, err := k.vault.Get(ctx, k.name)
	return k.parse(secret, err)
}

// parse reads what the vault returned.
func (k *Keeper) parse(secret vault.Secret, err error) (kept, error) {
	if err != nil {
		return kept{}, fmt.Errorf("%w: %w", ErrVault, err)
	}
	c, err := ParseConnection(secret.Value)
	if err != nil {
		return kept{}, err
	}
	if c.Token.UserID != k.userID {
		return kept{}, unreadable("belongs to account %d, and is kept as that of account %d: let the host connect again", c.Token.UserID, k.userID)
	}
	return kept{c, secret.Version}, nil
}

// keep puts what was just read or written into the cache. What troubled another token is over.
func (k *Keeper) keep(c kept) {
	k.cached, k.read = c, k.clock()
	if k.trouble != nil && k.trouble.of != c.digest() {
		k.trouble = nil
	}
}

// fresh reports whether the cache is that young.
func (k *Keeper) fresh(limit time.Duration) bool {
	age := k.clock().Sub(k.read)
	return !k.read.IsZero() && age >= 0 && age < limit
}

// due reports whether the token is to be refreshed now, though nobody refused it; or whether a new one waits to be
// stored.
func (k *Keeper) due(c kept) bool {
	now, at := k.clock(), c.refreshAt()
	if k.granted != nil {
		return true
	}
	if last := k.trouble; last != nil && last.of == c.digest() && now.Before(last.Next) {
		return false
	}
	return !at.IsZero() && !now.Before(at)
}

// Format names the account, whatever the verb.
func (k Keeper) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.title()) }

// LogValue gives a structured logger the account.
func (k Keeper) LogValue() slog.Value { return slog.StringValue(k.title()) }

// MarshalJSON gives the account.
func (k Keeper) MarshalJSON() ([]byte, error) { return json.Marshal(k.title()) }

func (k Keeper) title() string { return fmt.Sprintf("account.Keeper(account %d, hidden)", k.userID) }
