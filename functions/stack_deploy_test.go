package functions_test

import (
	"context"
	"crypto/rand"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/awstest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store/dynamo"
)

// stackRequired names the variable that makes it a failure, where it is set, if something is missing that the test of
// the stack needs.
const stackRequired = "OWNERREZ_TEST_REQUIRED"

// stackSAM is the command sam, as the project's users have it.
type stackSAM struct {
	command, endpoint string
	root              string // the project's folder
	built             string // where the built stack lies; the project's folder stays as it is
	arch              string // as the template names it
	deploying         sync.Mutex
	atLast            func(*stack) // removes a stack when all have ended: while one is removed the emulator loses events of others
}

// newStackSAM skips the test where something is missing.
func newStackSAM(t *testing.T) *stackSAM {
	t.Helper()
	miss := t.Skipf
	if os.Getenv(stackRequired) != "" {
		miss = t.Fatalf
	}
	endpoint := os.Getenv(awstest.EndpointVariable)
	if endpoint == "" {
		miss("needs an AWS to deploy to: start an emulator and set %s to its URL", awstest.EndpointVariable)
	}
	command, err := exec.LookPath("sam")
	if err != nil {
		miss("needs the SAM CLI: %v", err)
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	arch := map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH]
	return &stackSAM{
		command: command, endpoint: endpoint, root: root, built: filepath.Join(t.TempDir(), "build"), arch: arch,
		atLast: func(s *stack) { t.Cleanup(func() { s.remove(t) }) },
	}
}

// run runs sam in the project's folder and returns what it prints for programs.
func (sam *stackSAM) run(t *testing.T, args ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), sam.command, args...)
	command.Dir = sam.root
	command.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "AWS_") })
	command.Env = append(command.Env, "AWS_ENDPOINT_URL="+sam.endpoint, "AWS_DEFAULT_REGION=us-east-1",
		"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "SAM_CLI_TELEMETRY=0", "SAM_CLI_POLL_DELAY=1",
		"CGO_ENABLED=0", "GOFLAGS=-tags=lambda.norpc -ldflags=-s -ldflags=-w")
	var problems strings.Builder
	command.Stderr = &problems
	began := time.Now()
	out, err := command.Output()
	t.Logf("sam %s: %s", args[0], time.Since(began).Round(100*time.Millisecond))
	if err != nil {
		t.Fatalf("sam %s: %v\n%s\n%s", args[0], err, out, &problems)
	}
	return string(out)
}

func (sam *stackSAM) build(t *testing.T) {
	t.Helper()
	sam.run(t, "build", "--build-dir", sam.built, "--parameter-overrides", "Architecture="+sam.arch)
}

// deploy makes a stack of its own with a fake OwnerRez of its own.
func (sam *stackSAM) deploy(t *testing.T, conf aws.Config, parameters ...string) *stack {
	t.Helper()
	s := &stack{
		sam: sam, conf: conf, name: "stack-" + strings.ToLower(rand.Text()[:8]), server: stackWorld(),
		sqs: sqs.NewFromConfig(conf), dynamo: dynamodb.NewFromConfig(conf),
		secrets: secretsmanager.NewFromConfig(conf), bus: eventbridge.NewFromConfig(conf),
	}
	s.fake = s.server.Start(t)
	sam.atLast(s)
	s.deploy(t, parameters...)
	s.store = store.New(dynamo.New(conf, s.outputs["TableName"]))
	s.listen(t)
	return s
}

// deploy makes the stack, or makes it what other parameters say.
func (s *stack) deploy(t *testing.T, parameters ...string) {
	t.Helper()
	args := []string{
		"deploy", "--template-file", filepath.Join(s.sam.built, "template.yaml"), "--stack-name", s.name, "--resolve-s3",
		"--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset", "--no-progressbar", "--parameter-overrides",
		"Architecture=" + s.sam.arch, "OwnerRezApiUrl=" + s.fake, "OwnerRezAppUrl=" + s.fake,
	}
	func() {
		s.sam.deploying.Lock() // each would make the bucket
		defer s.sam.deploying.Unlock()
		s.sam.run(t, append(args, parameters...)...)
	}()
	s.describe(t)
}

// describe reads what the stack consists of.
func (s *stack) describe(t *testing.T) {
	t.Helper()
	var stacks struct {
		Outputs []struct{ OutputKey, OutputValue string } `xml:"DescribeStacksResult>Stacks>member>Outputs>member"`
	}
	s.query(t, "cloudformation", "2010-05-15", url.Values{"Action": {"DescribeStacks"}, "StackName": {s.name}}, &stacks)
	s.outputs = map[string]string{}
	for _, o := range stacks.Outputs {
		s.outputs[o.OutputKey] = o.OutputValue
	}
	var resources struct {
		Members []stackResource `xml:"DescribeStackResourcesResult>StackResources>member"`
	}
	s.query(t, "cloudformation", "2010-05-15", url.Values{"Action": {"DescribeStackResources"}, "StackName": {s.name}}, &resources)
	s.resources = resources.Members
	for _, key := range []string{
		"PersonalTokenSecretArn", "OAuthAppSecretArn", "ApiUrl", "EventBusName", "TableName", "QueueUrl", "DeadLetterQueueUrl",
	} {
		if s.outputs[key] == "" {
			t.Errorf("the stack has no output %s: %v", key, s.outputs)
		}
	}
	for _, name := range s.functions() {
		s.logAsJSON(t, name)
	}
}

// functions are the logical ids of the stack's functions.
func (s *stack) functions() []string {
	var names []string
	for _, r := range s.resources {
		if r.ResourceType == "AWS::Lambda::Function" {
			names = append(names, r.LogicalResourceId)
		}
	}
	slices.Sort(names)
	return names
}

// logAsJSON does what Lambda does for a function whose log is configured to be JSON, and the emulator does not.
func (s *stack) logAsJSON(t *testing.T, name string) {
	t.Helper()
	config := s.configuration(t, name)
	if config.LoggingConfig.LogFormat != "JSON" {
		t.Errorf("the log format of %s is %q; metrics are found in JSON only", name, config.LoggingConfig.LogFormat)
	}
	config.Environment.Variables["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
	s.setEnvironment(t, name, config.Environment.Variables)
}

// remove deletes the stack, and what the stack's own deletion leaves.
func (s *stack) remove(t *testing.T) {
	t.Helper()
	s.query(t, "cloudformation", "2010-05-15", url.Values{"Action": {"DeleteStack"}, "StackName": {s.name}}, nil)
	ctx := context.WithoutCancel(t.Context())
	_, _ = s.sqs.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: &s.inbox})
	_, _ = s.dynamo.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: new(s.outputs["TableName"])})
}
