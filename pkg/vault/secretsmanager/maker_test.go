package secretsmanager_test

import (
	"context"
	"crypto/rand"
	"maps"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssecrets "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/awstest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault/secretsmanager"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault/vaulttest"
)

func TestMaker(t *testing.T) {
	conf := awstest.Config(t)
	vaulttest.TestMaker(t, func(*testing.T) vaulttest.Maker {
		return vaulttest.Maker{
			Maker:    secretsmanager.New(conf),
			Name:     func(t *testing.T) string { return unused(t, conf) },
			Empty:    func(t *testing.T, name string) { createEmpty(t, conf, name) },
			Restores: true,
		}
	})
}

// unused returns a name that no secret has, and has one of it removed after the test.
func unused(t *testing.T, conf aws.Config) (name string) {
	t.Helper()
	name = "test/" + rand.Text()
	t.Cleanup(func() {
		_, _ = api(conf).DeleteSecret(context.Background(), &awssecrets.DeleteSecretInput{SecretId: &name, ForceDeleteWithoutRecovery: aws.Bool(true)})
	})
	return name
}

func createEmpty(t *testing.T, conf aws.Config, name string) {
	t.Helper()
	if _, err := api(conf).CreateSecret(t.Context(), &awssecrets.CreateSecretInput{Name: &name}); err != nil {
		t.Fatalf("CreateSecret: %v", err)
	}
}

// TestTags looks at what a secret is made with.
func TestTags(t *testing.T) {
	conf := awstest.Config(t)
	tags := map[string]string{"ownerrez-lambda": "the-stack", "empty": ""}
	want := maps.Clone(tags)
	v := secretsmanager.New(conf, secretsmanager.WithTags(tags))
	tags["ownerrez-lambda"] = "another" // the vault's are its own
	name := unused(t, conf)
	if _, err := v.Create(t.Context(), name, newValue()); err != nil {
		t.Fatal(err)
	}
	made := describe(t, conf, name)
	got := map[string]string{}
	for _, tag := range made.Tags {
		got[*tag.Key] = aws.ToString(tag.Value)
	}
	if !maps.Equal(got, want) || aws.ToString(made.Description) == "" {
		t.Errorf("the secret has tags %v and description %q, want %v and one", got, aws.ToString(made.Description), want)
	}
}
