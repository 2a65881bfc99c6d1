package secretsmanager

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssecrets "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go/middleware"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
)

// The days that AWS keeps a deleted secret.
const (
	minRecoveryDays = 7
	maxRecoveryDays = 30
)

// description is what the console shows of secrets that are made here.
const description = "Made by ownerrez-lambda, which keeps it up to date."

// Create implements vault.Maker. The name is no ARN.
func (v *Vault) Create(ctx context.Context, name string, value []byte) (version string, err error) {
	version, err = v.create(ctx, name, value)
	if err != nil {
		return "", fmt.Errorf("creating secret %s: %w", name, err)
	}
	return version, nil
}

// create looks for a secret of that name only when it was refused: a policy that goes by tags has no tags to go by
// where there is no secret, so that reading one is denied.
func (v *Vault) create(ctx context.Context, name string, value []byte) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if err := vault.Check(value); err != nil {
		return "", err
	}
	version := newVersion("")
	in := &awssecrets.CreateSecretInput{Name: &name, ClientRequestToken: &version, Description: aws.String(description)}
	in.SecretString, in.SecretBinary = fields(value)
	for key, tag := range v.tags {
		in.Tags = append(in.Tags, types.Tag{Key: aws.String(key), Value: aws.String(tag)})
	}
	var attempts atomic.Int64
	out, err := v.client.CreateSecret(ctx, in, counted(&attempts))
	if err == nil {
		return cmp.Or(aws.ToString(out.VersionId), version), nil // not all engines tell it to one who asks twice
	}
	err = explain(ctx, "CreateSecret", err)
	if !errors.Is(err, vault.ErrConflict) && !errors.Is(err, errState) {
		return "", err
	}
	return v.taken(ctx, name, value, attempts.Load() > 1, err)
}

// taken tells why a secret could not be created with a value. If the SDK asked again it may be by its own first
// attempt: AWS knows the version's id, and does not refuse what it has done. There is an emulator that takes no ids,
// where the value tells.
func (v *Vault) taken(ctx context.Context, name string, value []byte, again bool, refused error) (version string, err error) {
	current, err := v.read(ctx, name, labelCurrent)
	switch {
	case err == nil && again && bytes.Equal(current.Value, value):
		return current.Version, nil
	case err == nil:
		return "", errTaken
	case errors.Is(err, vault.ErrNotFound) && !errors.Is(err, vault.ErrDeleted): // it has no value
		return "", refused
	}
	return "", err
}

// counted has the attempts of a call counted.
func counted(attempts *atomic.Int64) func(*awssecrets.Options) {
	count := middleware.FinalizeMiddlewareFunc("CountAttempts", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
		attempts.Add(1)
		return next.HandleFinalize(ctx, in)
	})
	return awssecrets.WithAPIOptions(func(stack *middleware.Stack) error {
		return stack.Finalize.Insert(count, "Retry", middleware.After)
	})
}

// Delete implements vault.Maker. AWS keeps the secret, and its name, for the days of WithRecoveryDays.
func (v *Vault) Delete(ctx context.Context, name string) error {
	err := v.remove(ctx, name)
	if err != nil {
		return fmt.Errorf("deleting secret %s: %w", name, err)
	}
	return nil
}

func (v *Vault) remove(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if v.recoveryDays < minRecoveryDays || v.recoveryDays > maxRecoveryDays {
		return fmt.Errorf("it would be kept for %d days, and AWS takes %d to %d: set another recovery window", v.recoveryDays, minRecoveryDays, maxRecoveryDays)
	}
	_, err := v.client.DeleteSecret(ctx, &awssecrets.DeleteSecretInput{SecretId: &name, RecoveryWindowInDays: aws.Int64(int64(v.recoveryDays))})
	if err == nil {
		return nil
	}
	err = explain(ctx, "DeleteSecret", err)
	if errors.Is(err, vault.ErrNotFound) {
		return nil
	}
	return v.unless(ctx, name, err, true)
}

// Restore implements vault.Maker.
func (v *Vault) Restore(ctx context.Context, name string) error {
	err := v.restore(ctx, name)
	if err != nil {
		return fmt.Errorf("restoring secret %s: %w", name, err)
	}
	return nil
}

func (v *Vault) restore(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	_, err := v.client.RestoreSecret(ctx, &awssecrets.RestoreSecretInput{SecretId: &name})
	if err == nil {
		return nil
	}
	return v.unless(ctx, name, explain(ctx, "RestoreSecret", err), false)
}

// unless returns the error of a change, unless that was refused as the secret is deleted already, or not deleted,
// as it was to become: reading it tells.
func (v *Vault) unless(ctx context.Context, name string, err error, deleted bool) error {
	if !errors.Is(err, errState) {
		return err
	}
	_, readErr := v.read(ctx, name, labelCurrent)
	switch {
	case readErr != nil && !errors.Is(readErr, vault.ErrNotFound):
		return readErr
	case errors.Is(readErr, vault.ErrDeleted) == deleted:
		return nil
	}
	return err
}
