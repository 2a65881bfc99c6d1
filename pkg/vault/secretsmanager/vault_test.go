package secretsmanager_test

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssecrets "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/awstest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault/secretsmanager"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault/vaulttest"
)

func TestVault(t *testing.T) {
	conf := awstest.Config(t)
	vaulttest.Run(t, func(*testing.T) vaulttest.Engine {
		return vaulttest.Engine{
			Vault:     secretsmanager.New(conf),
			Create:    func(t *testing.T, value []byte) string { return create(t, conf, value) },
			Interrupt: func(t *testing.T, name, old string, value []byte) { interrupt(t, conf, name, old, value) },
		}
	})
}

// api is Secrets Manager as others use it.
func api(conf aws.Config) *awssecrets.Client {
	return awssecrets.NewFromConfig(onWire(conf, &wire{}, 3))
}

// create makes a secret as an operator does: by a template, then in the console. It returns its ARN.
func create(t *testing.T, conf aws.Config, value []byte) (arn string) {
	t.Helper()
	client := api(conf)
	name := "test/" + rand.Text()
	out, err := client.CreateSecret(t.Context(), &awssecrets.CreateSecretInput{Name: &name})
	if err != nil {
		t.Fatalf("CreateSecret: %v", err)
	}
	t.Cleanup(func() {
		_, _ = client.DeleteSecret(context.Background(), &awssecrets.DeleteSecretInput{SecretId: &name, ForceDeleteWithoutRecovery: aws.Bool(true)})
	})
	if value != nil {
		fill(t, conf, *out.ARN, value)
	}
	return *out.ARN
}

// fill makes a value current as the console does.
func fill(t *testing.T, conf aws.Config, arn string, value []byte) (version string) {
	t.Helper()
	in := &awssecrets.PutSecretValueInput{SecretId: &arn}
	if utf8.Valid(value) {
		in.SecretString = aws.String(string(value))
	} else {
		in.SecretBinary = value
	}
	out, err := api(conf).PutSecretValue(t.Context(), in)
	if err != nil {
		t.Fatalf("PutSecretValue: %v", err)
	}
	return *out.VersionId
}

// interrupt does a Replace that does not come to moving a label.
func interrupt(t *testing.T, conf aws.Config, arn, old string, value []byte) {
	t.Helper()
	v := secretsmanager.New(onWire(conf, &wire{before: func(action string) error {
		if action == actionMove {
			return awstest.ErrCut
		}
		return nil
	}}, 1))
	_, err := v.Replace(t.Context(), arn, old, value)
	switch {
	case old == "" && err == nil: // the first value is current by being put
	case !errors.Is(err, awstest.ErrCut):
		t.Fatalf("a Replace that was interrupted: %v", err)
	}
}

func newValue() []byte { return []byte("vault-canary {" + rand.Text() + "}") }

func mustGet(t *testing.T, v vault.Vault, name string) vault.Secret {
	t.Helper()
	secret, err := v.Get(t.Context(), name)
	if err != nil {
		t.Fatalf("Get: %v", err)
	}
	return secret
}
