package secretsmanager_test

import (
	"errors"
	"testing"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/awstest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault/secretsmanager"
)

var _ vault.History = (*secretsmanager.Vault)(nil)

// TestPrevious reads what a secret held before an operator filled it anew, and before we did.
func TestPrevious(t *testing.T) {
	conf := awstest.Config(t)
	v := secretsmanager.New(conf)
	arn := create(t, conf, []byte("first"))
	if got, err := v.Previous(t.Context(), arn); !errors.Is(err, vault.ErrNotFound) {
		t.Errorf("before it was replaced: %s, %v", got.Value, err)
	}
	if _, err := v.Previous(t.Context(), "test/none"); !errors.Is(err, vault.ErrNotFound) {
		t.Errorf("of a secret that is not there: %v", err)
	}
	second := fill(t, conf, arn, []byte("second"))
	if got, err := v.Previous(t.Context(), arn); err != nil || string(got.Value) != "first" {
		t.Errorf("%s, %v", got.Value, err)
	}
	if _, err := v.Replace(t.Context(), arn, second, []byte("third")); err != nil {
		t.Fatal(err)
	}
	if got, err := v.Previous(t.Context(), arn); err != nil || string(got.Value) != "second" {
		t.Errorf("%s, %v", got.Value, err)
	}
}
