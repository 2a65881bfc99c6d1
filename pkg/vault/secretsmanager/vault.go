package secretsmanager

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssecrets "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/awscall"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
)

// The labels of versions. AWSPENDING belongs to the rotation that AWS offers.
const (
	labelCurrent  = "AWSCURRENT"
	labelPrevious = "AWSPREVIOUS"
	labelPending  = "PENDING"
)

// maxVersions is about how many versions AWS keeps of a secret.
const maxVersions = 100

// Vault makes, fills, reads and deletes secrets. It is safe for concurrent use.
type Vault struct {
	client       *awssecrets.Client
	tags         map[string]string
	recoveryDays int
}

var _ vault.Maker = (*Vault)(nil)

// Option changes how secrets are made and deleted.
type Option func(*Vault)

// WithTags has Create tag the secrets that it makes. The tags are copied.
func WithTags(tags map[string]string) Option {
	return func(v *Vault) { v.tags = maps.Clone(tags) }
}

// WithRecoveryDays has deleted secrets be kept for so many days, during which Restore takes the deletion back; AWS
// takes 7 to 30. Without it they are 30.
func WithRecoveryDays(days int) Option {
	return func(v *Vault) { v.recoveryDays = days }
}

// New returns the secrets of the account and region that conf leads to. It sends nothing.
func New(conf aws.Config, opts ...Option) *Vault {
	client := awssecrets.NewFromConfig(conf, func(o *awssecrets.Options) { o.HTTPClient = awscall.Limited(o.HTTPClient) })
	v := &Vault{client: client, recoveryDays: maxRecoveryDays}
	for _, opt := range opts {
		opt(v)
	}
	return v
}

// Get implements vault.Vault.
func (v *Vault) Get(ctx context.Context, name string) (vault.Secret, error) {
	secret, err := v.read(ctx, name, labelCurrent)
	if err == nil && len(secret.Value) == 0 {
		err = vault.ErrNotFound
	}
	if err != nil {
		return vault.Secret{}, fmt.Errorf("reading secret %s: %w", name, err)
	}
	return secret, nil
}

// Previous implements vault.History: it is what AWS labels AWSPREVIOUS.
func (v *Vault) Previous(ctx context.Context, name string) (vault.Secret, error) {
	secret, err := v.read(ctx, name, labelPrevious)
	if err == nil && len(secret.Value) == 0 {
		err = vault.ErrNotFound
	}
	if err != nil {
		return vault.Secret{}, fmt.Errorf("reading what secret %s held before: %w", name, err)
	}
	return secret, nil
}

// Replace implements vault.Vault. AWS advises against more than one in ten minutes over a long time.
func (v *Vault) Replace(ctx context.Context, name, old string, value []byte) (string, error) {
	version, err := v.replace(ctx, name, old, value)
	if err != nil {
		return "", fmt.Errorf("replacing secret %s: %w", name, err)
	}
	return version, nil
}

func (v *Vault) replace(ctx context.Context, name, old string, value []byte) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if err := vault.Check(value); err != nil {
		return "", err
	}
	from, err := v.expect(ctx, name, old)
	if err != nil {
		return "", err
	}
	version := newVersion(old)
	current, err := v.put(ctx, name, version, value)
	if err != nil || current {
		return version, err
	}
	return version, v.promote(ctx, name, from, old, version)
}

// Adopt implements vault.Vault.
func (v *Vault) Adopt(ctx context.Context, name, old string) (vault.Secret, error) {
	secret, err := v.adopt(ctx, name, old)
	if err != nil {
		return vault.Secret{}, fmt.Errorf("finishing the replacement of secret %s: %w", name, err)
	}
	return secret, nil
}

// adopt takes PENDING from versions that replace another one than old, and looks on: they cannot become current any
// more, and without a label AWS can delete them. On AWS, where a label is on one version, that is one round at most;
// there is an emulator that leaves PENDING on all versions that ever had it.
func (v *Vault) adopt(ctx context.Context, name, old string) (vault.Secret, error) {
	for range maxVersions {
		waiting, pendingErr := v.read(ctx, name, labelPending)
		if pendingErr != nil && !errors.Is(pendingErr, vault.ErrNotFound) {
			return vault.Secret{}, pendingErr
		}
		from, err := v.expect(ctx, name, old) // read later, so that what PENDING is on was written no later than this
		switch {
		case err != nil:
			return vault.Secret{}, err
		case pendingErr != nil:
			return vault.Secret{}, fmt.Errorf("no value is waiting: %w", vault.ErrNotFound)
		case replaces(waiting.Version, old):
			return waiting, v.promote(ctx, name, from, old, waiting.Version)
		}
		err = v.move(ctx, name, labelPending, waiting.Version, "")
		if err != nil && !errors.Is(err, errRefused) { // refused: it is not there any more
			return vault.Secret{}, err
		}
	}
	return vault.Secret{}, fmt.Errorf("label %s is on too many versions: remove it from all of them", labelPending)
}

// expect returns the version that AWSCURRENT must leave when old is replaced, none if there is none; or
// vault.ErrConflict if it is not on old.
func (v *Vault) expect(ctx context.Context, name, old string) (from string, err error) {
	current, err := v.read(ctx, name, labelCurrent)
	empty := errors.Is(err, vault.ErrNotFound) || err == nil && len(current.Value) == 0
	switch {
	case errors.Is(err, vault.ErrDeleted):
		return "", err
	case empty && old == "":
		return current.Version, nil // of a secret that does not exist too: putting the value will tell
	case err != nil:
		return "", err
	case empty:
		return "", vault.ErrNotFound
	case current.Version == old || replaces(old, current.Version): // the latter is an answer from before
		return old, nil
	}
	return "", vault.ErrConflict
}

// promote moves AWSCURRENT from one version to version, which replaces old.
func (v *Vault) promote(ctx context.Context, name, from, old, version string) error {
	err := v.move(ctx, name, labelCurrent, from, version)
	if err == nil {
		return nil
	}
	current, readErr := v.read(ctx, name, labelCurrent)
	switch {
	case readErr != nil || current.Version == from: // it waits
		return err
	case current.Version == version || replaces(current.Version, version):
		return nil
	case replaces(current.Version, old):
		return vault.ErrConflict
	}
	return fmt.Errorf("version %s is current, and whether this one was before cannot be told: read the secret again: %w", current.Version, err)
}
