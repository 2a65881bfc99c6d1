package secretsmanager

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
)

// script is a connection on which AWS answers as it says: requests, in turn, with the code of an error, or with a
// body. The emulators answer some of these requests in other ways than AWS.
type script struct {
	answers []answer
	asked   []map[string]any // what the requests hold
}

// answer is AWS's to a request for an action.
type answer struct{ action, code, body string }

// RoundTrip implements http.RoundTripper.
func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	_, action, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var in map[string]any
	if err = json.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	n := len(s.asked)
	s.asked = append(s.asked, in)
	if n >= len(s.answers) || s.answers[n].action != action {
		return nil, errors.New("unexpected request: " + action)
	}
	status, text := http.StatusOK, s.answers[n].body
	if code := s.answers[n].code; code != "" {
		status, text = http.StatusBadRequest, `{"__type":"`+code+`","message":"why"}`
		if code == "InternalServiceError" {
			status = http.StatusInternalServerError
		}
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(text)), Request: r}, nil
}

// scripted runs do on a vault whose requests are answered as s says, and checks that all of them were asked for.
func scripted(t *testing.T, s *script, do func(t *testing.T, v *Vault), opts ...Option) {
	t.Helper()
	t.Setenv("AWS_CA_BUNDLE", "")
	synctest.Test(t, func(t *testing.T) {
		do(t, New(aws.Config{
			Region:      "us-east-1",
			HTTPClient:  &http.Client{Transport: s},
			Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		}, opts...))
	})
	if len(s.asked) != len(s.answers) {
		t.Errorf("%d requests, want %d", len(s.asked), len(s.answers))
	}
}

const (
	create  = "CreateSecret"
	get     = "GetSecretValue"
	remove  = "DeleteSecret"
	restore = "RestoreSecret"

	exists = "ResourceExistsException"
	state  = "InvalidRequestException"
	gone   = "ResourceNotFoundException"
	denied = "AccessDeniedException"
	broken = "InternalServiceError"
	limit  = "LimitExceededException" // the SDK asks again

	ours   = `{"VersionId":"ours","SecretString":"value"}`
	theirs = `{"VersionId":"theirs","SecretString":"other"}`
	empty  = `{"VersionId":"empty"}`
)

// TestCreateRefused has AWS refuse to create a secret, and tells what may then be read.
func TestCreateRefused(t *testing.T) {
	for what, test := range map[string]struct {
		answers []answer
		want    []error
		not     []error
		says    string
		version string
	}{
		"deleted":                    {[]answer{{create, state, ""}, {get, state, ""}}, []error{vault.ErrDeleted, vault.ErrNotFound}, []error{vault.ErrConflict}, "restore-secret", ""},
		"deleted, as emulators":      {[]answer{{create, exists, ""}, {get, state, ""}}, []error{vault.ErrDeleted}, []error{vault.ErrConflict}, "restore-secret", ""},
		"restored meanwhile":         {[]answer{{create, state, ""}, {get, "", theirs}}, []error{vault.ErrConflict}, []error{vault.ErrNotFound, errState}, "exists", ""},
		"being deleted":              {[]answer{{create, state, ""}, {get, gone, ""}}, []error{errState}, []error{vault.ErrConflict, vault.ErrNotFound}, "try again", ""},
		"taken":                      {[]answer{{create, exists, ""}, {get, "", theirs}}, []error{vault.ErrConflict}, []error{vault.ErrNotFound}, "exists", ""},
		"taken by the same value":    {[]answer{{create, exists, ""}, {get, "", ours}}, []error{vault.ErrConflict}, nil, "exists", ""},
		"taken, without a value":     {[]answer{{create, exists, ""}, {get, gone, ""}}, []error{vault.ErrConflict}, []error{vault.ErrNotFound}, "exists", ""},
		"taken, with an empty value": {[]answer{{create, exists, ""}, {get, "", empty}}, []error{vault.ErrConflict}, []error{vault.ErrNotFound}, "exists", ""},
		"taken, and not to be read":  {[]answer{{create, exists, ""}, {get, denied, ""}}, nil, []error{vault.ErrConflict, vault.ErrNotFound}, "allow secretsmanager:GetSecretValue", ""},
		"denied":                     {[]answer{{create, denied, ""}}, nil, []error{vault.ErrConflict, vault.ErrNotFound}, "secretsmanager:CreateSecret and secretsmanager:TagResource", ""},
		"too many":                   {[]answer{{create, limit, ""}, {create, limit, ""}, {create, limit, ""}}, nil, []error{vault.ErrConflict}, "quota", ""},
		"asked twice":                {[]answer{{create, broken, ""}, {create, "", `{"VersionId":"ours"}`}}, nil, nil, "", "ours"},
		"asked twice, refused":       {[]answer{{create, broken, ""}, {create, exists, ""}, {get, "", ours}}, nil, nil, "", "ours"},
		"asked twice, taken":         {[]answer{{create, broken, ""}, {create, exists, ""}, {get, "", theirs}}, []error{vault.ErrConflict}, nil, "exists", ""},
		"asked twice, deleted":       {[]answer{{create, broken, ""}, {create, state, ""}, {get, state, ""}}, []error{vault.ErrDeleted}, nil, "restore-secret", ""},
	} {
		t.Run(what, func(t *testing.T) {
			s := &script{answers: test.answers}
			scripted(t, s, func(t *testing.T, v *Vault) {
				version, err := v.Create(t.Context(), "name", []byte("value"))
				if version != test.version || (err == nil) != (test.version != "") {
					t.Fatalf("Create: version %q, error %v", version, err)
				}
				wantErrors(t, err, test.want, test.not, test.says)
			})
			if id := s.asked[0]["ClientRequestToken"]; len(s.asked) > 1 && test.answers[1].action == create && (id == nil || id != s.asked[1]["ClientRequestToken"]) {
				t.Errorf("the second attempt makes version %v, the first one %v", s.asked[1]["ClientRequestToken"], id)
			}
		})
	}
}

func wantErrors(t *testing.T, err error, want, not []error, says string) {
	t.Helper()
	for _, e := range want {
		if !errors.Is(err, e) {
			t.Errorf("error %v, want %v", err, e)
		}
	}
	for _, e := range not {
		if errors.Is(err, e) {
			t.Errorf("error %v, and not %v", err, e)
		}
	}
	if err != nil && !strings.Contains(err.Error(), says) {
		t.Errorf("error %v; want it to say %q", err, says)
	}
}

// TestEndRefused has AWS refuse to delete a secret, or to restore it.
func TestEndRefused(t *testing.T) {
	for what, test := range map[string]struct {
		answers []answer
		fails   bool
		want    []error
		says    string
	}{
		"deleted already":                   {[]answer{{remove, state, ""}, {get, state, ""}}, false, nil, ""},
		"nothing to delete":                 {[]answer{{remove, gone, ""}}, false, nil, ""},
		"has replicas":                      {[]answer{{remove, state, ""}, {get, "", theirs}}, true, []error{errState}, "replicas"},
		"has replicas and no value":         {[]answer{{remove, state, ""}, {get, gone, ""}}, true, []error{errState}, "replicas"},
		"may not be deleted":                {[]answer{{remove, denied, ""}}, true, nil, "allow secretsmanager:DeleteSecret"},
		"deleted, and not to be read":       {[]answer{{remove, state, ""}, {get, denied, ""}}, true, nil, "allow secretsmanager:GetSecretValue"},
		"not deleted":                       {[]answer{{restore, state, ""}, {get, "", theirs}}, false, nil, ""},
		"not deleted and no value":          {[]answer{{restore, state, ""}, {get, gone, ""}}, false, nil, ""},
		"nothing to restore":                {[]answer{{restore, gone, ""}}, true, []error{vault.ErrNotFound}, "no such secret"},
		"deleted for good soon":             {[]answer{{restore, state, ""}, {get, state, ""}}, true, []error{errState}, "try again"},
		"may not be restored":               {[]answer{{restore, denied, ""}}, true, nil, "allow secretsmanager:RestoreSecret"},
		"restored, and not to be read":      {[]answer{{restore, state, ""}, {get, denied, ""}}, true, nil, "allow secretsmanager:GetSecretValue"},
		"AWS restores what is not deleted":  {[]answer{{restore, "", "{}"}}, false, nil, ""},
		"asked twice, and deleted by then":  {[]answer{{remove, broken, ""}, {remove, state, ""}, {get, state, ""}}, false, nil, ""},
		"asked twice, and restored by then": {[]answer{{restore, broken, ""}, {restore, state, ""}, {get, "", theirs}}, false, nil, ""},
	} {
		t.Run(what, func(t *testing.T) {
			scripted(t, &script{answers: test.answers}, func(t *testing.T, v *Vault) {
				end := v.Delete
				if test.answers[0].action == restore {
					end = v.Restore
				}
				err := end(t.Context(), "name")
				if (err != nil) != test.fails {
					t.Fatalf("error %v", err)
				}
				wantErrors(t, err, test.want, nil, test.says)
			})
		})
	}
}

// TestRecoveryDays looks at for how long AWS is to keep what is deleted.
func TestRecoveryDays(t *testing.T) {
	for days, opts := range map[float64][]Option{30: nil, 7: {WithRecoveryDays(7)}} {
		s := &script{answers: []answer{{remove, "", "{}"}}}
		scripted(t, s, func(t *testing.T, v *Vault) {
			if err := v.Delete(t.Context(), "name"); err != nil {
				t.Fatal(err)
			}
		}, opts...)
		if got := s.asked[0]; got["RecoveryWindowInDays"] != days || got["SecretId"] != "name" || got["ForceDeleteWithoutRecovery"] != nil {
			t.Errorf("the request is %v, want one for %v days", got, days)
		}
	}
	for _, days := range []int{-1, 0, 6, 31} {
		scripted(t, &script{}, func(t *testing.T, v *Vault) {
			if err := v.Delete(t.Context(), "name"); err == nil || !strings.Contains(err.Error(), "7 to 30") {
				t.Errorf("Delete with %d days: %v", days, err)
			}
		}, WithRecoveryDays(days))
	}
}
