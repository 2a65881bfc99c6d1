package secretsmanager_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssecrets "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/awstest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault/secretsmanager"
)

func describe(t *testing.T, conf aws.Config, name string) *awssecrets.DescribeSecretOutput {
	t.Helper()
	out, err := api(conf).DescribeSecret(t.Context(), &awssecrets.DescribeSecretInput{SecretId: &name})
	if err != nil {
		t.Fatalf("DescribeSecret: %v", err)
	}
	return out
}

// TestNames finds one secret by its ARN and by its name.
func TestNames(t *testing.T) {
	conf := awstest.Config(t)
	v := secretsmanager.New(conf)
	arn := create(t, conf, newValue())
	name := *describe(t, conf, arn).Name
	value := newValue()
	version, err := v.Replace(t.Context(), name, mustGet(t, v, arn).Version, value)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{arn, name} {
		if got := mustGet(t, v, id); got.Version != version || string(got.Value) != string(value) {
			t.Errorf("%s shows version %q, want %q", id, got.Version, version)
		}
	}
}

// TestLabels replaces a secret often, with interruptions: only what is current and what was before keep labels, as
// AWS never deletes what has one.
func TestLabels(t *testing.T) {
	conf := awstest.Config(t)
	v := secretsmanager.New(conf)
	name := create(t, conf, newValue())
	before, current := "", mustGet(t, v, name).Version
	for range 5 {
		interrupt(t, conf, name, current, newValue())
		version, err := v.Replace(t.Context(), name, current, newValue())
		if err != nil {
			t.Fatal(err)
		}
		before, current = current, version
	}
	if _, err := v.Adopt(t.Context(), name, current); !errors.Is(err, vault.ErrNotFound) {
		t.Errorf("Adopt: %v", err)
	}
	labels := map[string][]string{}
	for version, on := range describe(t, conf, name).VersionIdsToStages {
		if len(on) > 0 {
			labels[version] = on
		}
	}
	want := map[string][]string{current: {"AWSCURRENT"}, before: {"AWSPREVIOUS"}}
	if !maps.EqualFunc(labels, want, slices.Equal) {
		t.Errorf("labels are on %v, want %v", labels, want)
	}
}

// TestReadable looks at values as the console does.
func TestReadable(t *testing.T) {
	conf := awstest.Config(t)
	v := secretsmanager.New(conf)
	name := create(t, conf, newValue())
	for value, text := range map[string]bool{"{\n\t\"email\": \"höst@example.com\"\r\n}": true, "a\x00b": false, "\x1b[31m": false, "\xff": false} {
		if _, err := v.Replace(t.Context(), name, mustGet(t, v, name).Version, []byte(value)); err != nil {
			t.Fatal(err)
		}
		out, err := api(conf).GetSecretValue(t.Context(), &awssecrets.GetSecretValueInput{SecretId: &name, VersionStage: aws.String("AWSCURRENT")})
		if err != nil {
			t.Fatal(err)
		}
		if text && aws.ToString(out.SecretString) != value || !text && string(out.SecretBinary) != value {
			t.Errorf("%q is kept as text %q and bytes %q", value, aws.ToString(out.SecretString), out.SecretBinary)
		}
	}
}

// TestDeleted reads and replaces a secret that is scheduled for deletion.
func TestDeleted(t *testing.T) {
	conf := awstest.Config(t)
	v := secretsmanager.New(conf)
	name := create(t, conf, newValue())
	version := mustGet(t, v, name).Version
	if _, err := api(conf).DeleteSecret(t.Context(), &awssecrets.DeleteSecretInput{SecretId: &name, RecoveryWindowInDays: aws.Int64(7)}); err != nil {
		t.Fatal(err)
	}
	_, get := v.Get(t.Context(), name)
	_, replace := v.Replace(t.Context(), name, version, newValue())
	_, adopt := v.Adopt(t.Context(), name, version)
	for what, err := range map[string]error{"Get": get, "Replace": replace, "Adopt": adopt} {
		if !errors.Is(err, vault.ErrNotFound) || !errors.Is(err, vault.ErrDeleted) || !strings.Contains(err.Error(), "deletion") || !strings.Contains(err.Error(), name) {
			t.Errorf("%s of a secret that is scheduled for deletion: %v", what, err)
		}
	}
}
