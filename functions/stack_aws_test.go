package functions_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
)

// stack is a deployed stack, and the fake OwnerRez that it looks at.
type stack struct {
	sam    *stackSAM
	conf   aws.Config
	name   string
	server *ownerreztest.Server
	fake   string // the server's URL

	outputs   map[string]string
	resources []stackResource
	store     *store.Store // over the stack's table

	sqs     *sqs.Client
	dynamo  *dynamodb.Client
	secrets *secretsmanager.Client
	bus     *eventbridge.Client

	inbox  string // the URL of a queue to which a rule sends the stack's events
	events map[int64][]stackEvent
	tokens []string // all that were ever in the secrets, and what else lets somebody in

	host *stackBrowser // of the host who has connected stackHost; nil: nobody has

	mu   sync.Mutex
	seen bytes.Buffer // whatever the stack answered, sent or published
}

// stackResource is what a stack consists of.
type stackResource struct {
	LogicalResourceId, PhysicalResourceId, ResourceType string //nolint:revive // as CloudFormation spells it
}

// physical is the name that CloudFormation gave to a function.
func (s *stack) physical(t *testing.T, logical string) string {
	t.Helper()
	i := slices.IndexFunc(s.resources, func(r stackResource) bool {
		return r.ResourceType == "AWS::Lambda::Function" && r.LogicalResourceId == logical
	})
	if i < 0 {
		t.Fatalf("the stack has no function %s: %v", logical, s.resources)
	}
	return s.resources[i].PhysicalResourceId
}

// stackAnswer is an HTTP answer.
type stackAnswer struct {
	status int
	header http.Header
	body   []byte
}

// do sends a request to AWS, signed by conf's credentials, if it has any.
func (s *stack) do(t *testing.T, conf aws.Config, service string, req *http.Request, body []byte) stackAnswer {
	t.Helper()
	if conf.Credentials != nil {
		creds, err := conf.Credentials.Retrieve(req.Context())
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(body)
		err = v4.NewSigner().SignHTTP(req.Context(), creds, req, hex.EncodeToString(sum[:]), service, conf.Region, time.Now())
		if err != nil {
			t.Fatal(err)
		}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("%s: %v", service, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s: %v", service, err)
	}
	return stackAnswer{resp.StatusCode, resp.Header, answer}
}

// request makes a request to AWS.
func (s *stack) request(t *testing.T, method, path string, header map[string]string, body []byte) *http.Request {
	t.Helper()
	ctx := context.WithoutCancel(t.Context()) // stacks are removed when it has ended
	req, err := http.NewRequestWithContext(ctx, method, s.sam.endpoint+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for key, value := range header {
		req.Header.Set(key, value)
	}
	return req
}

// must makes anything but success the end of the test.
func (a stackAnswer) must(t *testing.T, what string) []byte {
	t.Helper()
	if a.status/100 != 2 {
		t.Fatalf("%s: status %d: %s", what, a.status, a.body)
	}
	return a.body
}

// query calls one of AWS's older APIs, which answer in XML.
func (s *stack) query(t *testing.T, service, version string, form url.Values, into any) {
	t.Helper()
	form.Set("Version", version)
	body := []byte(form.Encode())
	req := s.request(t, http.MethodPost, "/", map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, body)
	answer := s.do(t, s.conf, service, req, body).must(t, form.Get("Action"))
	if into == nil {
		return
	}
	if err := xml.Unmarshal(answer, into); err != nil {
		t.Fatalf("%s: %v: %s", form.Get("Action"), err, answer)
	}
}

// configuration is what Lambda knows of a function.
type stackConfiguration struct {
	Role          string
	LoggingConfig struct{ LogFormat, LogGroup string }
	Environment   struct{ Variables map[string]string }
}

// configuration reads a function's configuration.
func (s *stack) configuration(t *testing.T, name string) (config stackConfiguration) {
	t.Helper()
	s.configurationAPI(t, http.MethodGet, name, nil, &config)
	return config
}

// setEnvironment changes a function's environment. Lambda begins with new sandboxes then.
func (s *stack) setEnvironment(t *testing.T, name string, variables map[string]string) {
	t.Helper()
	s.configurationAPI(t, http.MethodPut, name, map[string]any{"Environment": map[string]any{"Variables": variables}}, nil)
}

func (s *stack) configurationAPI(t *testing.T, method, name string, in, into any) {
	t.Helper()
	path := "/2015-03-31/functions/" + s.physical(t, name) + "/configuration"
	var body []byte
	if in != nil {
		body = stackJSON(t, in)
	}
	req := s.request(t, method, path, map[string]string{"Content-Type": "application/json"}, body)
	answer := s.do(t, s.conf, "lambda", req, body).must(t, method+" "+path)
	if into != nil {
		stackParse(t, answer, into)
	}
}

// target calls one of AWS's APIs whose operation is named by a header.
func (s *stack) target(t *testing.T, service, operation string, in, into any) {
	t.Helper()
	body := stackJSON(t, in)
	req := s.request(t, http.MethodPost, "/", map[string]string{
		"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": operation,
	}, body)
	stackParse(t, s.do(t, s.conf, service, req, body).must(t, operation), into)
}

func stackJSON(t *testing.T, v any) []byte {
	t.Helper()
	body, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func stackParse(t *testing.T, text []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
}

// show keeps what the stack let somebody see, to look for tokens in it.
func (s *stack) show(text ...[]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, part := range text {
		s.seen.Write(part)
		s.seen.WriteByte('\n')
	}
}

// hide keeps what nobody is to be let see.
func (s *stack) hide(secrets ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens = append(s.tokens, secrets...)
}

// within waits until done says that it is so, and fails after a while. done returns "" or what is still amiss.
func stackWithin(t *testing.T, limit time.Duration, what string, done func() string) {
	t.Helper()
	for end := time.Now().Add(limit); ; time.Sleep(50 * time.Millisecond) {
		amiss := done()
		if amiss == "" {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s: not within %s: %s", what, limit, amiss)
		}
	}
}

// invoke invokes a function, and returns its answer and the error that it ended with, if it did.
func (s *stack) invoke(t *testing.T, name, event string) (answer []byte, failed string) {
	t.Helper()
	answer, failed = s.invokeUnseen(t, name, event)
	s.show(answer, []byte(failed))
	return answer, failed
}

// invokeUnseen is invoke where the answer holds what lets somebody in.
func (s *stack) invokeUnseen(t *testing.T, name, event string) (answer []byte, failed string) {
	t.Helper()
	at := "/2015-03-31/functions/" + s.physical(t, name) + "/invocations"
	req := s.request(t, http.MethodPost, at, map[string]string{"Content-Type": "application/json"}, []byte(event))
	got := s.do(t, s.conf, "lambda", req, []byte(event))
	body := got.must(t, "invoking "+name)
	if got.header.Get("X-Amz-Function-Error") != "" {
		return nil, string(body)
	}
	return body, ""
}

// api asks the stack's HTTP API, as somebody whose credentials conf holds; nil Credentials sign nothing.
func (s *stack) api(t *testing.T, conf aws.Config, target string, header map[string]string) stackAnswer {
	t.Helper()
	req := s.request(t, http.MethodGet, target, header, nil)
	req.Host = s.apiID(t) + ".execute-api.localhost" // the emulator is the same address for all APIs
	got := s.do(t, conf, "execute-api", req, nil)
	s.show(got.body)
	return got
}

// apiID is the first part of the API's host name.
func (s *stack) apiID(t *testing.T) string {
	t.Helper()
	u, err := url.Parse(s.outputs["ApiUrl"])
	if err != nil {
		t.Fatal(err)
	}
	id, _, _ := strings.Cut(u.Host, ".")
	return id
}
