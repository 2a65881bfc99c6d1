// Package awscall is what calls of AWS services share.
package awscall

import (
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// AttemptTimeout ends an attempt whose connection died without a word, as it may while a function's sandbox is
// frozen. The SDK makes three attempts.
const AttemptTimeout = 5 * time.Second

// Limited returns a copy of a configuration's HTTP client that gives each attempt AttemptTimeout. A client of a kind
// that cannot be given one is returned as it is.
func Limited(client aws.HTTPClient) aws.HTTPClient {
	switch c := client.(type) {
	case *awshttp.BuildableClient:
		return c.WithTimeout(AttemptTimeout)
	case *http.Client:
		limited := *c
		limited.Timeout = AttemptTimeout
		return &limited
	}
	return client
}
