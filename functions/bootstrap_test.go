package functions_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// deployed lists the functions, and what each must be told by its environment.
var deployed = map[string][]string{
	"schedule": {"TABLE_NAME", "QUEUE_URL", "PERSONAL_TOKEN_SECRET_ARN"},
	"lookup": {
		"TABLE_NAME", "QUEUE_URL", "EVENT_BUS_NAME", "PERSONAL_TOKEN_SECRET_ARN", "OAUTH_APP_SECRET_ARN", "ACCOUNT_SECRET_PREFIX", "SECRET_TAG",
	},
	"calendar":  {"TABLE_NAME"},
	"authorize": {"TABLE_NAME", "QUEUE_URL", "OAUTH_APP_SECRET_ARN", "PUBLIC_URL"},
	"callback":  {"TABLE_NAME", "QUEUE_URL", "OAUTH_APP_SECRET_ARN", "PUBLIC_URL", "ACCOUNT_SECRET_PREFIX", "SECRET_TAG"},
	"webhook":   {"QUEUE_URL", "OAUTH_APP_SECRET_ARN", "WEBHOOK_KEY_SECRET_ARN"},
	"accounts":  {"TABLE_NAME", "QUEUE_URL", "PERSONAL_TOKEN_SECRET_ARN"},
}

// bootstrap builds a function as SAM does, once for all tests.
func bootstrap(t testing.TB, name string) string {
	t.Helper()
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(path, name)
}

var built = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(scratch, "bin")
	args := []string{"build", "-tags", "lambda.norpc", "-trimpath", "-o", dir + "/"}
	for name := range deployed {
		args = append(args, "./"+name)
	}
	build := exec.Command("go", args...)
	build.Env = append(build.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the functions: %w\n%s", err, out)
	}
	return dir, nil
})

// answer is how a function answered an invocation.
type answer struct {
	failed bool
	body   string
}

// message is the error's text, if it failed with one of a type.
func (a answer) message(t *testing.T) (errorType, text string) {
	t.Helper()
	var e struct{ ErrorType, ErrorMessage string }
	if err := json.Unmarshal([]byte(a.body), &e); err != nil || !a.failed {
		t.Fatalf("no error was reported: %+v", a)
	}
	return e.ErrorType, e.ErrorMessage
}

// start runs a bootstrap until the test ends, and returns what invokes it.
func start(t testing.TB, name string, env ...string) (invoke func(event string) answer, log *syncBuffer) {
	t.Helper()
	s := launch(t, name, env...)
	t.Cleanup(s.end)
	return s.invoke, s.log
}

// sandbox is a bootstrap that runs.
type sandbox struct {
	invoke  func(event string) answer
	log     *syncBuffer
	command *exec.Cmd
	end     func()
}

// launch runs a bootstrap under a stub of the Runtime API (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html)
// with no other environment than env.
func launch(t testing.TB, name string, env ...string) *sandbox {
	t.Helper()
	events, answers := make(chan string), make(chan answer)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, r *http.Request) {
		select {
		case event := <-events:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
			w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(time.Minute).UnixMilli()))
			w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:"+name)
			_, _ = io.WriteString(w, event)
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/{how}", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusAccepted)
		answers <- answer{failed: r.PathValue("how") == "error", body: string(body)}
	})
	api := httptest.NewServer(mux)
	ctx, stop := context.WithCancel(context.Background())
	log := &syncBuffer{}
	command := exec.CommandContext(ctx, bootstrap(t, name))
	command.Env = append(env, "AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(api.URL, "http://"))
	command.Stdout, command.Stderr = log, log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	end := func() {
		stop()
		_ = command.Wait() // killed
		api.CloseClientConnections()
		api.Close()
	}
	invoke := func(event string) answer {
		t.Helper()
		patience := time.After(20 * time.Second)
		select {
		case events <- event:
		case <-patience:
			t.Fatalf("%s did not ask for an invocation; its log:\n%s", name, log)
		}
		select {
		case a := <-answers:
			return a
		case <-patience:
			t.Fatalf("%s did not answer; its log:\n%s", name, log)
		}
		return answer{}
	}
	return &sandbox{invoke, log, command, end}
}

// syncBuffer collects what a process prints.
type syncBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// Whoever invokes a function that was not configured is told of everything that is missing, at once, each time.
func TestBootstrapUnconfigured(t *testing.T) {
	for name, variables := range deployed {
		t.Run(name, func(t *testing.T) {
			invoke, log := start(t, name)
			for range 2 {
				errorType, text := invoke(`{}`).message(t)
				if errorType != "ConfigurationError" {
					t.Errorf("error type %q", errorType)
				}
				for _, v := range variables {
					if !strings.Contains(text, v+": must be set to ") {
						t.Errorf("%s is not named in:\n%s", v, text)
					}
				}
				if lines := strings.Count(text, "\n"); lines != len(variables) {
					t.Errorf("%d problems, want %d:\n%s", lines, len(variables), text)
				}
			}
			if !strings.Contains(log.String(), "requestId=8476a536") {
				t.Errorf("the log does not name the invocation:\n%s", log)
			}
		})
	}
}

// What is malformed is told beside what is missing, without the values of what may be secret.
func TestBootstrapMisconfigured(t *testing.T) {
	invoke, _ := start(t, "lookup", "TABLE_NAME=t", "QUEUE_URL=not a url", "OWNERREZ_API_URL=http://example.com",
		"OWNERREZ_APP_URL=ftp://example.com", "OWNERREZ_LOOKUP_EVERY=often", "OWNERREZ_STALE_AFTER=1m",
		"OWNERREZ_REQUESTS_PER_5_MINUTES=301", "OWNERREZ_TIME_ZONE=Mars/Base", "OWNERREZ_APP_NAME=a\tb")
	_, text := invoke(`{}`).message(t)
	for _, want := range []string{
		"QUEUE_URL: ", "EVENT_BUS_NAME: ", "PERSONAL_TOKEN_SECRET_ARN: ", "OWNERREZ_API_URL: ", "OWNERREZ_APP_URL: ", "OWNERREZ_LOOKUP_EVERY: ",
		"OWNERREZ_STALE_AFTER: stale after 1m0s", "OWNERREZ_REQUESTS_PER_5_MINUTES: ", "OWNERREZ_TIME_ZONE: ", "OWNERREZ_APP_NAME: ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in:\n%s", want, text)
		}
	}
}

// So is what is wrong with the ways of connecting accounts.
func TestBootstrapMisconfiguredConnect(t *testing.T) {
	invoke, _ := start(t, "callback", "TABLE_NAME=t", "QUEUE_URL=https://sqs.us-east-1.amazonaws.com/1/q", "OAUTH_APP_SECRET_ARN=a",
		"PUBLIC_URL=https://x.example.com", "ACCOUNT_SECRET_PREFIX=p/", "SECRET_TAG=s", "SECRET_RECOVERY_DAYS=6", "CONNECT_MODE=maybe",
		"OWNERREZ_REQUESTS_PER_5_MINUTES=0")
	_, text := invoke(`{}`).message(t)
	for _, want := range []string{"SECRET_RECOVERY_DAYS: must be a number from 7 to 30", `CONNECT_MODE: "maybe"`, "OWNERREZ_REQUESTS_PER_5_MINUTES: "} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in:\n%s", want, text)
		}
	}
}

// A bootstrap needs nothing of the system that Lambda's runtime does not have.
func TestBootstrapIsStatic(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("looks at ELF files, which are built on Linux only")
	}
	for name := range deployed {
		out, err := exec.Command("go", "version", "-m", bootstrap(t, name)).CombinedOutput()
		if err != nil || !bytes.Contains(out, []byte("CGO_ENABLED=0")) || !bytes.Contains(out, []byte("-tags=lambda.norpc")) {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}
