package sqs_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/awstest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/queue"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/queue/sqs"
)

// printable are the characters of which groups and ids may consist.
const printable = `!"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\]^_` + "`abcdefghijklmnopqrstuvwxyz{|}~"

// wire is a transport that keeps the requests and answers them.
type wire struct {
	answer func(r *http.Request, n int) (*http.Response, error) // n counts from 1; nil: all goes well

	mu   sync.Mutex
	sent []map[string]any
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	var input map[string]any
	if err := json.NewDecoder(r.Body).Decode(&input); err != nil {
		return nil, err
	}
	w.mu.Lock()
	w.sent = append(w.sent, input)
	n := len(w.sent)
	w.mu.Unlock()
	if w.answer != nil {
		if resp, err := w.answer(r, n); resp != nil || err != nil {
			return resp, err
		}
	}
	body, _ := input["MessageBody"].(string)
	sum := md5.Sum([]byte(body))
	return respond(http.StatusOK, fmt.Sprintf(`{"MessageId":"1","MD5OfMessageBody":%q}`, hex.EncodeToString(sum[:]))), nil
}

func respond(status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, Body: io.NopCloser(strings.NewReader(body)),
	}
}

// offline returns a queue whose requests go to w.
func offline(w *wire) *sqs.Queue {
	conf := aws.Config{Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}
	return sqs.New(awstest.WithTransport(conf, w), "https://sqs.us-east-1.amazonaws.com/123456789012/wake-ups.fifo")
}

// silence keeps what is logged on purpose out of the test's output, and returns it.
func silence(t *testing.T) *bytes.Buffer {
	t.Helper()
	var out bytes.Buffer
	old := slog.Default()
	slog.SetDefault(slog.New(slog.NewJSONHandler(&out, nil)))
	t.Cleanup(func() { slog.SetDefault(old) })
	return &out
}

// roundTrip sends a body and hands what was sent to the handler. It returns what SQS and the handler got.
func roundTrip(t *testing.T, body []byte) (sent string, got []byte) {
	t.Helper()
	w := &wire{}
	q := offline(w)
	mustSend(t, q, queue.Message{Group: "123456", ID: "1", Body: body})
	sent = w.sent[0]["MessageBody"].(string)
	f := q.LambdaHandler(func(_ context.Context, m queue.Message) error {
		got = m.Body
		return nil
	})
	answer, err := f(t.Context(), events.SQSEvent{Records: []events.SQSMessage{record("123456", "1", 1, sent)}})
	if err != nil || len(answer.BatchItemFailures) > 0 {
		t.Fatalf("the function failed: %v, %v", answer, err)
	}
	return sent, got
}

func TestBody(t *testing.T) {
	for _, text := range []string{
		`{"version":1,"key":"123456","reason":"tick"}`, "x", "base64", " \t\r\n", "Zürich 東京 🏔", "\uFFFD", "\uE000\u007F\u0085",
	} {
		if sent, _ := roundTrip(t, []byte(text)); sent != text {
			t.Errorf("%q was sent as %q", text, sent)
		}
	}
	for _, odd := range []string{"", "\x00", "a\x1fb", "\xff", "\uFFFE", "\uFFFF", "\xed\xa0\x80", "base64:", "base64:eA=="} {
		if sent, _ := roundTrip(t, []byte(odd)); !strings.HasPrefix(sent, "base64:") || sent == odd {
			t.Errorf("%q was sent as %q", odd, sent)
		}
	}
}

// Every body arrives as it was sent, in characters that SQS takes.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{"", "{}", "\x00\xff", "base64:", "\uFFFE", "base64:!"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		sent, got := roundTrip(t, body)
		if !bytes.Equal(got, body) {
			t.Errorf("%q arrived as %q", body, got)
		}
		if sent == "" || !utf8.ValidString(sent) {
			t.Errorf("%q was sent", sent)
		}
		for _, c := range sent {
			ok := c == 0x9 || c == 0xA || c == 0xD || c >= 0x20 && c <= 0xD7FF || c >= 0xE000 && c <= 0xFFFD || c >= 0x10000
			if !ok {
				t.Errorf("%q was sent", sent)
			}
		}
	})
}

// What SQS would refuse or change is refused before it is sent.
func TestRefused(t *testing.T) {
	long := strings.Repeat("x", 129)
	for name, m := range map[string]queue.Message{
		"no group":        {ID: "1"},
		"no id":           {Group: "1"},
		"a space":         {Group: "a b", ID: "1"},
		"a newline":       {Group: "1", ID: "a\n"},
		"not ASCII":       {Group: "Zürich", ID: "1"},
		"a control":       {Group: "1", ID: "\x7f"},
		"a long group":    {Group: long, ID: "1"},
		"a long id":       {Group: "1", ID: long},
		"a long text":     {Group: "1", ID: "1", Body: bytes.Repeat([]byte("x"), 256<<10+1)},
		"many odd bytes":  {Group: "1", ID: "1", Body: make([]byte, 192<<10)},
		"characters, not": {Group: "1", ID: "1", Body: bytes.Repeat([]byte("é"), 128<<10+1)},
	} {
		w := &wire{}
		if err := offline(w).Send(t.Context(), m); err == nil || len(w.sent) > 0 {
			t.Errorf("%s: Send: %v after %d requests, want an error without one", name, err, len(w.sent))
		}
	}
}

func TestSendFails(t *testing.T) {
	for name, test := range map[string]struct {
		answer func(*http.Request, int) (*http.Response, error)
		is     error
		says   string
	}{
		"no connection": {func(*http.Request, int) (*http.Response, error) { return nil, awstest.ErrCut }, awstest.ErrCut, "did not answer"},
		"no permission": {func(*http.Request, int) (*http.Response, error) {
			return respond(http.StatusForbidden, `{"__type":"com.amazon.coral.service#AccessDeniedException","message":"User: x is not authorized to perform: sqs:SendMessage"}`), nil
		}, nil, "the policy of the function's role"},
		"no queue": {func(*http.Request, int) (*http.Response, error) {
			return respond(http.StatusBadRequest, `{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"The specified queue does not exist."}`), nil
		}, nil, "QUEUE_URL"},
		"something else": {func(*http.Request, int) (*http.Response, error) {
			return respond(http.StatusBadRequest, `{"__type":"com.amazonaws.sqs#UnsupportedOperation","message":"Nope."}`), nil
		}, nil, "UnsupportedOperation"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				err := offline(&wire{answer: test.answer}).Send(t.Context(), queue.Message{Group: "1", ID: "wake-1", Body: []byte("secret")})
				if err == nil || test.is != nil && !errors.Is(err, test.is) {
					t.Fatalf("Send: %v, want %v", err, test.is)
				}
				text := err.Error()
				if !strings.Contains(text, test.says) || !strings.Contains(text, "wake-1") {
					t.Errorf("%s, which does not say %q", text, test.says)
				}
				if strings.Contains(text, "://") || strings.Contains(text, "secret") {
					t.Errorf("%s, which has the URL or the body in it", text)
				}
			})
		})
	}
}

// An attempt that gets no answer ends after some seconds and is made again; the context ends all of them.
func TestNoAnswer(t *testing.T) {
	hang := func(r *http.Request) error {
		<-r.Context().Done()
		return r.Context().Err()
	}
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(r *http.Request, n int) (*http.Response, error) {
			if n == 1 {
				return nil, hang(r)
			}
			return nil, nil
		}}
		began := time.Now()
		mustSend(t, offline(w), queue.Message{Group: "1", ID: "1", Body: []byte("{}")})
		if took := time.Since(began); len(w.sent) != 2 || took < 5*time.Second || took > 10*time.Second {
			t.Errorf("%d requests in %s, want two, the first for 5s", len(w.sent), took)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(r *http.Request, _ int) (*http.Response, error) { return nil, hang(r) }}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		err := offline(w).Send(ctx, queue.Message{Group: "1", ID: "1", Body: []byte("{}")})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("Send: %v after %s, want the context's error when it ends", err, time.Since(began))
		}
	})
}
