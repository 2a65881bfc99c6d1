package secretsmanager_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/awstest"
)

// The actions of Secrets Manager that the vault uses.
const (
	actionGet  = "GetSecretValue"
	actionPut  = "PutSecretValue"
	actionMove = "UpdateSecretVersionStage"

	actionCreate  = "CreateSecret"
	actionDelete  = "DeleteSecret"
	actionRestore = "RestoreSecret"
)

// wire is a transport on which tests come between requests. Any of its functions may be nil; an error that one
// returns is that of the connection.
type wire struct {
	before func(action string) error               // before a request is sent
	after  func(action string) error               // after it was done, before its answer is seen
	answer func(action string, body []byte) []byte // in place of the answer's body
}

// onWire returns a copy of conf whose requests pass w, each so often, without long waits in between.
func onWire(conf aws.Config, w *wire, attempts int) aws.Config {
	conf = awstest.WithTransport(conf, w)
	conf.Retryer = func() aws.Retryer {
		return retry.AddWithMaxBackoffDelay(retry.AddWithMaxAttempts(retry.NewStandard(), attempts), time.Millisecond)
	}
	return conf
}

// RoundTrip implements http.RoundTripper.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	_, action, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	// The SDK closes its body as soon as the answer begins. While the transport is still reading it, that breaks
	// the connection, and a request without a second attempt fails now and then.
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	if w.before != nil {
		if err = w.before(action); err != nil {
			return nil, err
		}
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err == nil && w.after != nil {
		err = w.after(action)
	}
	if err != nil {
		return nil, err
	}
	if w.answer != nil {
		got = w.answer(action, got)
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(got)), int64(len(got))
	return resp, nil
}

// once returns a function for a wire that does something before or after the first request of an action.
func once(action string, do func() error) func(string) error {
	done := false
	return func(a string) error {
		if done || a != action {
			return nil
		}
		done = true
		return do()
	}
}
