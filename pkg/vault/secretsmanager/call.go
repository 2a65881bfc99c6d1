package secretsmanager

import (
	"context"
	"slices"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssecrets "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
)

// read returns the version with a label. There are engines on which a secret without a value has a version, which
// then has no value.
func (v *Vault) read(ctx context.Context, name, label string) (vault.Secret, error) {
	if err := ctx.Err(); err != nil {
		return vault.Secret{}, err
	}
	out, err := v.client.GetSecretValue(ctx, &awssecrets.GetSecretValueInput{SecretId: &name, VersionStage: &label})
	if err != nil {
		return vault.Secret{}, explain(ctx, "GetSecretValue", err)
	}
	secret := vault.Secret{Version: aws.ToString(out.VersionId), Value: out.SecretBinary}
	if out.SecretString != nil {
		secret.Value = []byte(*out.SecretString)
	}
	return secret, nil
}

// put writes a version under PENDING, and reports whether it became current by that, as a secret's first one does.
// The SDK may ask twice: AWS makes one version of an id.
func (v *Vault) put(ctx context.Context, name, version string, value []byte) (current bool, err error) {
	in := &awssecrets.PutSecretValueInput{SecretId: &name, ClientRequestToken: &version, VersionStages: []string{labelPending}}
	in.SecretString, in.SecretBinary = fields(value)
	out, err := v.client.PutSecretValue(ctx, in)
	if err != nil {
		return false, explain(ctx, "PutSecretValue", err)
	}
	return slices.Contains(out.VersionStages, labelCurrent), nil
}

// move takes a label from a version and puts it on another one; either may be none. It is refused unless the label
// is on from.
func (v *Vault) move(ctx context.Context, name, label, from, to string) error {
	in := &awssecrets.UpdateSecretVersionStageInput{SecretId: &name, VersionStage: &label}
	if from != "" {
		in.RemoveFromVersionId = &from
	}
	if to != "" {
		in.MoveToVersionId = &to
	}
	if _, err := v.client.UpdateSecretVersionStage(ctx, in); err != nil {
		return explain(ctx, "UpdateSecretVersionStage", err)
	}
	return nil
}

// fields is where a request has a value: what the console can show is text.
func fields(value []byte) (text *string, binary []byte) {
	if isText(value) {
		return aws.String(string(value)), nil
	}
	return nil, value
}

// isText reports whether the console can show and keep a value: UTF-8, and of control characters only those that
// lay out text.
func isText(value []byte) bool {
	for _, c := range value {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0x7f {
			return false
		}
	}
	return utf8.Valid(value)
}
