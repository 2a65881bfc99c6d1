package dynamo_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store/dynamo"
)

// answer is what comes of a request.
type answer func(sent request) (*http.Response, error)

// request is what was sent.
type request struct {
	http      *http.Request
	operation string
	fields    map[string]any
}

// script is a transport that gives these answers, one after the other, the last one for ever. For what no engine does
// when asked to.
type script struct {
	t       *testing.T
	answers []answer
	sent    []request
}

// scripted returns a table behind a script.
func scripted(t *testing.T, answers ...answer) (*dynamo.Table, *script) {
	t.Helper()
	s := &script{t: t, answers: answers}
	return dynamo.New(aws.Config{
		Region:       "us-east-1",
		BaseEndpoint: aws.String("http://endpoint.invalid"),
		Credentials:  credentials.NewStaticCredentialsProvider("test", "test", ""),
		HTTPClient:   &http.Client{Transport: s},
	}, "bookings"), s
}

// RoundTrip implements http.RoundTripper.
func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	sent := request{http: r, operation: operation}
	if err := json.Unmarshal(body, &sent.fields); err != nil {
		s.t.Errorf("a request that is no JSON: %v", err)
	}
	s.sent = append(s.sent, sent)
	return s.answers[min(len(s.sent), len(s.answers))-1](sent)
}

// operations returns what was asked for, in order.
func (s *script) operations() string {
	var all []string
	for _, r := range s.sent {
		all = append(all, r.operation)
	}
	return strings.Join(all, " ")
}

// says answers with a status and a body.
func says(status int, body string) answer {
	return func(request) (*http.Response, error) {
		w := httptest.NewRecorder()
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.Header().Set("X-Amzn-Requestid", "R7")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
		return w.Result(), nil
	}
}

func ok() answer { return says(http.StatusOK, "{}") }

// refuses answers with an error of DynamoDB whose message quotes what was sent, as some do.
func refuses(code string) answer { return fails(http.StatusBadRequest, code, "about "+secret) }

func fails(status int, code, message string) answer {
	return says(status, fmt.Sprintf(`{"__type":"com.amazonaws.dynamodb.v20120810#%s","message":%q,"Message":%q}`, code, message, message))
}

// cancels answers that a transaction was canceled, for a reason for each write.
func cancels(codes ...string) answer {
	var reasons []string
	for _, code := range codes {
		reasons = append(reasons, fmt.Sprintf(`{"Code":%q,"Message":"about %s"}`, code, secret))
	}
	return says(http.StatusBadRequest, fmt.Sprintf(
		`{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","Message":"about %s","CancellationReasons":[%s]}`,
		secret, strings.Join(reasons, ",")))
}

// loses loses the answer.
func loses() answer {
	return func(request) (*http.Response, error) { return nil, errors.New("the line went dead") }
}

// hangs gives no answer, for as long as somebody waits for it.
func hangs() answer {
	return func(sent request) (*http.Response, error) {
		<-sent.http.Context().Done()
		return nil, sent.http.Context().Err()
	}
}

// breaksOff gives half of an answer.
func breaksOff() answer {
	return func(request) (*http.Response, error) {
		resp, _ := says(http.StatusOK, "")(request{})
		resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"Item"`), failing{io.ErrUnexpectedEOF}))
		return resp, nil
	}
}

type failing struct{ err error }

// Read implements io.Reader.
func (f failing) Read([]byte) (int, error) { return 0, f.err }

// secret is in all data that the scripted tests write.
const secret = "SECRETDATA"

func onePut() store.Write {
	return store.Write{Key: store.Key{Partition: "P", Sort: "S"}, Data: []byte(secret), If: store.AtVersion(3)}
}

func twoWrites() []store.Write {
	other := store.Write{Key: store.Key{Partition: "P", Sort: "T"}, Delete: true, If: store.AtVersion(1)}
	return []store.Write{onePut(), other}
}
