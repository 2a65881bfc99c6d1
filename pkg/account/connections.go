package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
)

// To store the token of a host who connects may take keepTime, and keepRounds attempts if others change the secret all
// the time, or the vault fails.
const (
	keepTime   = 10 * time.Second
	keepRounds = 20
)

var errNobody = errors.New("the token cannot be kept: OwnerRez did not say whose it is")

// Connections are the accounts that hosts have connected by OAuth: each has a secret with its token. Its fields are set
// once, before use; it is safe for concurrent use.
type Connections struct {
	Vault   vault.Maker
	Prefix  string                                              // the name of a secret is Prefix and the account's number
	App     func(context.Context) (ownerrez.OAuthConfig, error) // the app that hosts let in; see AppSecret
	Key     func(context.Context) ([]byte, error)               // keys the fingerprints
	Options []ownerrez.Option                                   // of all requests: where OwnerRez is
	Now     func() time.Time                                    // nil means time.Now

	mu      sync.Mutex
	keepers map[int64]keeper
}

// keeper is an account's Keeper, and the app that it is for: a pointer, so that nothing that prints the struct itself
// shows the app's secret.
type keeper struct {
	*Keeper
	app *ownerrez.OAuthConfig
}

// Credential is the credential of a connected account. It returns vault.ErrNotFound for one that is not connected, with
// vault.ErrDeleted beside it if it was and can be restored; ErrNoApp or a *MalformedError if there is no app to use it
// by; an *UnreadableTokenError; ErrVault for other trouble with the vault; or the context's error.
func (c *Connections) Credential(ctx context.Context, id int64) (Credential, error) {
	app, err := c.App(ctx)
	if err != nil { // which does not matter to an account that is not connected
		if _, missing := c.Vault.Get(ctx, c.name(id)); errors.Is(missing, vault.ErrNotFound) {
			return Credential{}, missing
		}
		return Credential{}, err
	}
	key, err := c.Key(ctx)
	if err != nil {
		return Credential{}, err
	}
	return c.keeper(id, app).Credential(ctx, key, app.App, c.Options...)
}

// keeper is the account's only Keeper in this process, as long as the app is the same.
func (c *Connections) keeper(id int64, app ownerrez.OAuthConfig) *Keeper {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known, ok := c.keepers[id]; ok && *known.app == app {
		return known.Keeper
	}
	open := func(options ...ownerrez.Option) (*ownerrez.Authorizer, error) { return c.authorizer(app, options) }
	made := keeper{NewKeeper(c.Vault, c.name(id), id, open, c.Now), &app}
	if c.keepers == nil {
		c.keepers = map[int64]keeper{}
	}
	c.keepers[id] = made
	return made.Keeper
}

// authorizer asks with the options of everybody and those of a run, and never twice.
func (c *Connections) authorizer(app ownerrez.OAuthConfig, options []ownerrez.Option) (*ownerrez.Authorizer, error) {
	all := append(append([]ownerrez.Option(nil), c.Options...), options...)
	return ownerrez.NewAuthorizer(app, append(all, ownerrez.WithRetry(ownerrez.NoRetry()))...)
}

// Forget lets the account's secret be read again when it is needed next.
func (c *Connections) Forget(ctx context.Context, id int64) {
	c.mu.Lock()
	known, ok := c.keepers[id]
	c.mu.Unlock()
	if ok {
		known.Forget(ctx)
	}
}

// drop lets the account's next Credential have a Keeper that knows nothing yet. Unlike Forget it does not wait for a
// refresh that is under way.
func (c *Connections) drop(id int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.keepers, id)
}

// Has reports whether a token of the account is stored.
func (c *Connections) Has(ctx context.Context, id int64) (bool, error) {
	_, err := c.Vault.Get(ctx, c.name(id))
	if errors.Is(err, vault.ErrNotFound) {
		return false, nil
	}
	return err == nil, ownVault(ctx, err)
}

// Keep stores the token that the host of an account just gave, asked for at that time, in place of any other that the
// account has; a secret that was deleted is restored. It reports whether there was one before. That the context ends
// does not stop it: the token would be lost. After an error, which is ErrVault unless the token is none that can be
// kept, it is not current as far as can be told; who wants to end it asks Has first.
func (c *Connections) Keep(ctx context.Context, token ownerrez.Token, obtained time.Time) (reconnected bool, err error) {
	if token.UserID <= 0 {
		return false, errNobody
	}
	connection := NewConnection(token, obtained)
	value, err := connection.Encode()
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTime)
	defer cancel()
	defer c.drop(token.UserID)
	name := c.name(token.UserID)
	_, err = c.Vault.Create(ctx, name, value)
	reconnected = errors.Is(err, vault.ErrConflict) || errors.Is(err, vault.ErrDeleted)
	for round := 0; err != nil; round++ {
		if round == keepRounds || ctx.Err() != nil || errors.Is(err, vault.ErrInvalid) {
			return false, fmt.Errorf("%w: %w", ErrVault, err)
		}
		var before bool
		before, err = c.put(ctx, name, connection, value)
		reconnected = reconnected || before
	}
	return reconnected, nil
}

// put is one attempt to make a connection current, whatever is there, and whatever became of an attempt before. It
// reports whether another value was there. A value that waits for Adopt is older than ours, and is not adopted.
func (c *Connections) put(ctx context.Context, name string, connection Connection, value []byte) (before bool, err error) {
	current, err := c.Vault.Get(ctx, name)
	if errors.Is(err, vault.ErrDeleted) {
		before = true
		if err = c.Vault.Restore(ctx, name); err == nil {
			current, err = c.Vault.Get(ctx, name)
		}
	}
	switch {
	case errors.Is(err, vault.ErrDeleted):
		return before, err
	case errors.Is(err, vault.ErrNotFound): // never made, deleted for good, or without a value
		if _, err = c.Vault.Create(ctx, name, value); errors.Is(err, vault.ErrConflict) {
			_, err = c.Vault.Replace(ctx, name, "", value)
		}
		return before, err
	case err != nil:
		return before, err
	}
	if stored, unreadable := ParseConnection(current.Value); unreadable == nil && stored.ID == connection.ID {
		return before, nil // by an attempt whose answer was lost; it may have been refreshed since
	}
	_, err = c.Vault.Replace(ctx, name, current.Version, value)
	return true, err
}

// Revoke ends the account's token at OwnerRez, by requests that have the options too. It is no error if there is none,
// if OwnerRez does not know it any more, or if what is stored is no token of the account.
func (c *Connections) Revoke(ctx context.Context, id int64, options ...ownerrez.Option) error {
	secret, err := c.newest(ctx, c.name(id))
	if errors.Is(err, vault.ErrNotFound) {
		return nil
	}
	if err != nil {
		return ownVault(ctx, err)
	}
	connection, err := ParseConnection(secret.Value)
	if err != nil || connection.Token.UserID != id {
		return nil //nolint:nilerr // there is nothing that would be the account's
	}
	return c.End(ctx, connection.Token, options...)
}

// newest reads a secret. Where a refresh was interrupted, the newer token is the one that works.
func (c *Connections) newest(ctx context.Context, name string) (vault.Secret, error) {
	current, err := c.Vault.Get(ctx, name)
	if err != nil {
		return vault.Secret{}, err
	}
	waiting, err := c.Vault.Adopt(ctx, name, current.Version)
	if errors.Is(err, vault.ErrNotFound) {
		return current, nil
	}
	return waiting, err
}

// End ends a token at OwnerRez, which need not be stored. It may end all that the account has granted the app.
func (c *Connections) End(ctx context.Context, token ownerrez.Token, options ...ownerrez.Option) error {
	app, err := c.App(ctx)
	if err != nil {
		return err
	}
	authorizer, err := c.authorizer(app, options)
	if err != nil {
		return err
	}
	return authorizer.Revoke(ctx, token.AccessToken)
}

// Delete deletes the account's token, which Restore may take back for a while. One that is not there is no error.
func (c *Connections) Delete(ctx context.Context, id int64) error {
	defer c.drop(id)
	return ownVault(ctx, c.Vault.Delete(ctx, c.name(id)))
}

// Restore takes a deletion back. It returns vault.ErrNotFound if there is nothing to restore.
func (c *Connections) Restore(ctx context.Context, id int64) error {
	defer c.drop(id)
	return ownVault(ctx, c.Vault.Restore(ctx, c.name(id)))
}

func (c *Connections) name(id int64) string { return c.Prefix + strconv.FormatInt(id, 10) }

// ownVault is an error of the vault as ErrVault, but for what it says of the secret or the context.
func ownVault(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil || errors.Is(err, vault.ErrNotFound) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrVault, err)
}

// Format says what c is, whatever the verb.
func (c *Connections) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.title()) }

// LogValue gives a structured logger what c is.
func (c *Connections) LogValue() slog.Value { return slog.StringValue(c.title()) }

// MarshalJSON gives what c is.
func (c *Connections) MarshalJSON() ([]byte, error) { return json.Marshal(c.title()) }

func (c *Connections) title() string { return "account.Connections(" + c.Prefix + "…, hidden)" }
