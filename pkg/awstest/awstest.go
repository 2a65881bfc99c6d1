// Package awstest connects the tests of AWS adapters to an AWS, or to what stands in for it, that the environment
// names, and cuts their requests short on purpose. Without one the tests are skipped.
package awstest

import (
	"net/http"
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// EndpointVariable names the environment variable that holds the URL of the AWS to test against.
const EndpointVariable = "OWNERREZ_TEST_AWS_ENDPOINT"

// Config returns a configuration that leads to the AWS that the environment names, as its root user, and skips
// the test if it names none. Requests go out as the SDK sends them, retries included.
func Config(t testing.TB) aws.Config {
	t.Helper()
	endpoint := os.Getenv(EndpointVariable)
	if endpoint == "" {
		t.Skipf("needs an AWS to test against: start an emulator and set %s to its URL", EndpointVariable)
	}
	t.Setenv("AWS_CA_BUNDLE", "") // it would have the SDK replace its transport
	conf, err := config.LoadDefaultConfig(t.Context(),
		config.WithRegion("us-east-1"),
		config.WithBaseEndpoint(endpoint),
		config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("test", "test", "")),
	)
	if err != nil {
		t.Fatalf("configuring AWS: %v", err)
	}
	return conf
}

// WithTransport returns a copy of conf whose requests go through transport.
func WithTransport(conf aws.Config, transport http.RoundTripper) aws.Config {
	conf = conf.Copy()
	conf.HTTPClient = &http.Client{Transport: transport}
	return conf
}
