package secretsmanager

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/awscall"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
)

func TestVersionNamesPredecessor(t *testing.T) {
	shape := regexp.MustCompile(`^[0-9a-f]{64}$`) // AWS takes 32 to 64 characters
	seen := map[string]bool{}
	olds := []string{"", "EXAMPLE1-90ab-cdef-fedc-ba987EXAMPLE", newVersion("")}
	for _, old := range olds {
		for range 100 {
			version := newVersion(old)
			if !shape.MatchString(version) || seen[version] {
				t.Fatalf("version %q comes twice, or has another shape", version)
			}
			seen[version] = true
			for _, other := range olds {
				if replaces(version, other) != (other == old) {
					t.Errorf("version %q of predecessor %q: replaces(%q) = %t", version, old, other, other != old)
				}
			}
		}
	}
	// What versions are called must stay, as those that a former release wrote may wait.
	if written := "00112233445566778899aabbccddeeff" + "9c1f3816ef46321c58112be714aa6a32"; !replaces(written, "EXAMPLE1-90ab-cdef-fedc-ba987EXAMPLE") {
		t.Error("a version that was written before is not known any more")
	}
	if fingerprint := newVersion("a")[half:]; replaces(fingerprint, "a") || replaces("0"+newVersion("a"), "a") {
		t.Error("an id of another length counts as ours")
	}
}

func TestExplain(t *testing.T) {
	const value = "canary"
	api := func(code string) error {
		return &smithy.OperationError{ServiceID: "Secrets Manager", OperationName: "X", Err: &smithy.GenericAPIError{Code: code, Message: value}}
	}
	for _, test := range []struct {
		err  error
		is   error
		says string
	}{
		{api("ResourceNotFoundException"), vault.ErrNotFound, ""},
		{api("InvalidRequestException"), vault.ErrNotFound, "restore-secret"},
		{api("InvalidParameterException"), errRefused, ""},
		{api("ExpiredTokenException"), nil, "log in"},
		{api("DecryptionFailure"), nil, "KMS"},
		{api("LimitExceededException"), nil, "too many versions"},
		{api("ValidationException"), nil, "PutSecretValue: Secrets Manager answered ValidationException"},
		{fmt.Errorf("sent: %w", &url.Error{Op: "Post", URL: "https://" + value, Err: io.ErrUnexpectedEOF}), io.ErrUnexpectedEOF, "no answer"},
		{&smithy.DeserializationError{Err: errors.New(value), Snapshot: []byte(value)}, nil, "makes no sense"},
		{errors.New("no region"), nil, "no region"},
	} {
		got := explain(t.Context(), "PutSecretValue", test.err)
		if test.is != nil && !errors.Is(got, test.is) || !strings.Contains(got.Error(), test.says) || strings.Contains(got.Error(), value) {
			t.Errorf("explain(%v) = %v; want it to say %q", test.err, got, test.says)
		}
	}
	if got := explain(t.Context(), "GetSecretValue", api("InvalidRequestException")); !errors.Is(got, vault.ErrDeleted) || strings.Contains(got.Error(), value) {
		t.Errorf("reading what is deleted: %v, want %v", got, vault.ErrDeleted)
	}
	if got := explain(t.Context(), "PutSecretValue", api("InvalidRequestException")); errors.Is(got, vault.ErrDeleted) {
		t.Errorf("replacing what may be managed by another service: %v, which says that it is deleted", got)
	}
	denied := explain(t.Context(), "PutSecretValue", &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "User: arn:aws:sts::123456789012:assumed-role/Lookup/x is not authorized"})
	for _, says := range []string{"assumed-role/Lookup", "allow secretsmanager:PutSecretValue", "kms:"} {
		if !strings.Contains(denied.Error(), says) {
			t.Errorf("access denied: %v; want it to say %q", denied, says)
		}
	}
}

// silent is a connection that died while the sandbox was frozen: nothing answers.
type silent struct{ requests int }

func (s *silent) RoundTrip(r *http.Request) (*http.Response, error) {
	s.requests++
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestNoAnswer(t *testing.T) {
	t.Setenv("AWS_CA_BUNDLE", "")
	synctest.Test(t, func(t *testing.T) {
		connection := &silent{}
		v := New(aws.Config{
			Region:      "us-east-1",
			HTTPClient:  &http.Client{Transport: connection},
			Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		})
		began := time.Now()
		_, err := v.Get(t.Context(), "name")
		if took := time.Since(began); connection.requests != 3 || took < 3*awscall.AttemptTimeout || took > 2*time.Minute {
			t.Errorf("%d attempts in %v, want 3 of %v and short waits", connection.requests, took, awscall.AttemptTimeout)
		}
		if err == nil || errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "within 5s") {
			t.Errorf("Get: %v; want that nothing answered, and no end of the caller's context", err)
		}

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = v.Get(ctx, "name")
		if want := "reading secret name: context deadline exceeded"; !errors.Is(err, context.DeadlineExceeded) || err.Error() != want {
			t.Errorf("Get past its deadline: %v; want %s", err, want)
		}
	})
}

func TestLimited(t *testing.T) {
	sdk := awshttp.NewBuildableClient()
	if got := awscall.Limited(sdk).(*awshttp.BuildableClient).GetTimeout(); got != awscall.AttemptTimeout || sdk.GetTimeout() != 0 {
		t.Errorf("the SDK's own client: timeout %v, and the given one's became %v", got, sdk.GetTimeout())
	}
	given := &http.Client{}
	if got := awscall.Limited(given).(*http.Client).Timeout; got != awscall.AttemptTimeout || given.Timeout != 0 {
		t.Errorf("a client: timeout %v, and the given one's became %v", got, given.Timeout)
	}
}
