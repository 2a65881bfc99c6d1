package functions_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/awstest"
)

// imageVariable names the environment variable that holds the image in which functions are invoked. Its containers
// must reach the AWS of awstest.EndpointVariable under that URL.
const imageVariable = "OWNERREZ_TEST_LAMBDA_IMAGE"

// TestLocalInvoke invokes each function with each event, as `sam local invoke -e events/X.json` does, on an empty
// stack, and compares the answer with events/X.want.json: its exit code says nothing.
func TestLocalInvoke(t *testing.T) {
	image := os.Getenv(imageVariable)
	if image == "" {
		t.Skipf("needs a container engine, and in %s the image of the Lambda runtime", imageVariable)
	}
	l := newLocal(t, image)
	events, err := filepath.Glob("../events/*.json")
	if err != nil {
		t.Fatal(err)
	}
	tried := map[string]bool{}
	for _, event := range events {
		if strings.HasSuffix(event, ".want.json") {
			continue
		}
		name := strings.TrimSuffix(filepath.Base(event), ".json")
		function, _, _ := strings.Cut(name, "-")
		tried[function] = true
		t.Run(name, func(t *testing.T) { l.check(t, function, event) })
	}
	for function := range deployed {
		if !tried[function] {
			t.Errorf("there is no event of %s", function)
		}
	}
}

// local is a build of the stack, and the empty resources with which its functions are invoked.
type local struct {
	template, image, variables string
}

func newLocal(t *testing.T, image string) local {
	t.Helper()
	l := local{image: "ownerrez-local-invoke", variables: filepath.Join(t.TempDir(), "env.json")}
	build := filepath.Join(t.TempDir(), "build")
	sam(t, "build", "--build-dir", build, "--parameter-overrides", "Architecture="+architecture())
	l.template = filepath.Join(build, "template.yaml")
	endpoint := os.Getenv(awstest.EndpointVariable)
	dockerfile := "FROM " + image + "\nENV AWS_ENDPOINT_URL=" + endpoint + "\n"
	docker := exec.Command("docker", "build", "-t", l.image, "-")
	docker.Stdin = strings.NewReader(dockerfile)
	docker.Env = append(os.Environ(), "DOCKER_BUILDKIT=0")
	if out, err := docker.CombinedOutput(); err != nil {
		t.Fatalf("making an image that finds the emulator: %v\n%s", err, out)
	}
	parameters, err := json.Marshal(map[string]any{"Parameters": resources(t)})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(l.variables, parameters, 0o600); err != nil {
		t.Fatal(err)
	}
	return l
}

// resources makes what the template would, and returns the variables that name it.
func resources(t *testing.T) map[string]string {
	t.Helper()
	conf := awstest.Config(t)
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	name := "local-" + strings.ToLower(t.Name())
	key := func(name string, kind dynamotypes.KeyType) dynamotypes.KeySchemaElement {
		return dynamotypes.KeySchemaElement{AttributeName: aws.String(name), KeyType: kind}
	}
	text := func(name string) dynamotypes.AttributeDefinition {
		return dynamotypes.AttributeDefinition{AttributeName: aws.String(name), AttributeType: dynamotypes.ScalarAttributeTypeS}
	}
	_, err := dynamodb.NewFromConfig(conf).CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: dynamotypes.BillingModePayPerRequest,
		KeySchema:            []dynamotypes.KeySchemaElement{key("pk", dynamotypes.KeyTypeHash), key("sk", dynamotypes.KeyTypeRange)},
		AttributeDefinitions: []dynamotypes.AttributeDefinition{text("pk"), text("sk")},
	})
	must(err)
	queue, err := sqs.NewFromConfig(conf).CreateQueue(ctx, &sqs.CreateQueueInput{
		QueueName: aws.String(name + ".fifo"), Attributes: map[string]string{"FifoQueue": "true"},
	})
	must(err)
	_, err = eventbridge.NewFromConfig(conf).CreateEventBus(ctx, &eventbridge.CreateEventBusInput{Name: &name})
	must(err)
	secrets, arns := secretsmanager.NewFromConfig(conf), map[string]string{}
	for _, which := range []string{"-token", "-app", "-key"} {
		secret, err := secrets.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: aws.String(name + which)})
		must(err)
		arns[which] = *secret.ARN
	}
	return map[string]string{
		"TABLE_NAME": name, "QUEUE_URL": *queue.QueueUrl, "EVENT_BUS_NAME": name, "PERSONAL_TOKEN_SECRET_ARN": arns["-token"],
		"OAUTH_APP_SECRET_ARN": arns["-app"], "WEBHOOK_KEY_SECRET_ARN": arns["-key"],
		"ACCOUNT_SECRET_PREFIX": name + "/account/", "SECRET_TAG": name, "PUBLIC_URL": "https://example.execute-api.us-east-1.amazonaws.com",
	}
}

// check invokes a function with an event.
func (l local) check(t *testing.T, function, event string) {
	t.Helper()
	out := sam(t, "local", "invoke", strings.ToUpper(function[:1])+function[1:], "--event", event, "--template", l.template,
		"--parameter-overrides", "Architecture="+architecture(), "--env-vars", l.variables,
		"--skip-pull-image", "--invoke-image", l.image)
	want, err := os.ReadFile(strings.TrimSuffix(event, ".json") + ".want.json")
	if err != nil {
		t.Fatalf("there is nothing to compare the answer with (%v); it is\n%s", err, out)
	}
	if diff := cmp.Diff(parse(t, want), parse(t, out)); diff != "" {
		t.Errorf("the answer is not what %s wants (-want +got)\n%s", filepath.Base(event), diff)
	}
}

// parse reads JSON, also that in the body of an answer over HTTP. Of a page only the heading counts, and not how it
// looks; of what is random or tells the time only that it is there.
func parse(t *testing.T, text []byte) any {
	t.Helper()
	text = inviteCode.ReplaceAll(text, []byte("invite=…"))
	text = expiry.ReplaceAll(text, []byte(`"expires":"…"`))
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("no JSON: %v\n%s", err, text)
	}
	answer, _ := v.(map[string]any)
	headers, _ := answer["headers"].(map[string]any)
	if policy, ok := headers["Content-Security-Policy"].(string); ok {
		headers["Content-Security-Policy"] = styleHash.ReplaceAllString(policy, "sha256-…")
	}
	kind, _ := headers["Content-Type"].(string)
	switch body, _ := answer["body"].(string); {
	case body == "" || strings.HasPrefix(kind, "text/plain"):
	case strings.HasPrefix(kind, "text/html"):
		if heading := pageHeading.FindStringSubmatch(body); heading != nil {
			answer["body"] = heading[1]
		}
	default:
		answer["body"] = parse(t, []byte(body))
	}
	return v
}

var (
	styleHash   = regexp.MustCompile(`sha256-[A-Za-z0-9+/=]+`)
	inviteCode  = regexp.MustCompile(`invite=[A-Z2-7]{26}`)
	expiry      = regexp.MustCompile(`"expires": ?"[^"]*"`)
	pageHeading = regexp.MustCompile(`<h1[^>]*>([^<]*)</h1>`)
)

// sam runs the SAM CLI, and returns what it prints.
func sam(t *testing.T, args ...string) []byte {
	t.Helper()
	command := exec.Command("sam", args...)
	command.Dir = ".."
	if i := len(args); i > 3 && args[1] == "invoke" {
		command.Dir = "."
	}
	ours := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "AWS_") })
	command.Env = append(ours, "SAM_CLI_TELEMETRY=0", "CGO_ENABLED=0", "GOFLAGS=-tags=lambda.norpc",
		"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_DEFAULT_REGION=us-east-1",
		"AWS_ENDPOINT_URL="+os.Getenv(awstest.EndpointVariable))
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("sam %s: %v\n%s%s", strings.Join(args[:2], " "), err, out, stderr.Bytes())
	}
	return out
}

// architecture is this machine's, as Lambda calls it.
func architecture() string {
	if runtime.GOARCH == "amd64" {
		return "x86_64"
	}
	return runtime.GOARCH
}
