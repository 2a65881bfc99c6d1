package functions_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	secrettypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
)

// foreignSecrets are secrets under the stack's names that another stack has made: they are left alone.
func (s *stack) foreignSecrets(t *testing.T) {
	s.tag(t, "another-stack")
	defer s.tag(t, s.name)
	s.fresher(t, "Lookup")
	if why := stackDenied(t, s.handle(t, stackHostKey, stackWake(stackHostKey))); !strings.Contains(why, "secretsmanager:GetSecretValue") {
		t.Errorf("the lane read the secret of another stack: %s", why)
	}
	was := s.secretOf(t, stackHost)
	b := s.browser(t)
	b.open(t, b.allow(t, b.consent(t, s.invite(t, stackHost, "", "")), stackHost)).is(t, http.StatusServiceUnavailable, "Your account was not connected")
	if is := s.secretOf(t, stackHost); !slices.Equal(stackVersions(was), stackVersions(is)) {
		t.Errorf("the secret of another stack was written: %v, %v", was.VersionIdsToStages, is.VersionIdsToStages)
	}
	s.tag(t, s.name)
	s.idle(t)
	s.lookUp(t, stackHostKey)
	s.statusIs(t, stackHost, lookup.StatusOK)
}

func (s *stack) tag(t *testing.T, value string) {
	t.Helper()
	_, err := s.secrets.TagResource(t.Context(), &secretsmanager.TagResourceInput{
		SecretId: new(s.secretName(stackHost)), Tags: []secrettypes.Tag{{Key: new("ownerrez-lambda"), Value: &value}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func stackVersions(secret *secretsmanager.DescribeSecretOutput) (ids []string) {
	for id := range secret.VersionIdsToStages {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}
