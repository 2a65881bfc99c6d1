package sqs_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/queue"
)

// record is a message as Lambda hands it on.
func record(group, id string, received int, body string) events.SQSMessage {
	return events.SQSMessage{
		MessageId: "message-" + id, ReceiptHandle: "receipt-" + id, Body: body, EventSource: "aws:sqs",
		Attributes: map[string]string{
			"MessageGroupId": group, "MessageDeduplicationId": id, "ApproximateReceiveCount": fmt.Sprint(received),
		},
	}
}

func failing(context.Context, queue.Message) error { return errors.New("failed on purpose") }

// The more often a message failed, the longer it stays hidden.
func TestDelay(t *testing.T) {
	silence(t)
	for received, want := range map[int]float64{0: 5, 1: 5, 2: 10, 3: 20, 4: 40, 5: 60, 6: 60, 100: 60, 1 << 40: 60} {
		w := &wire{}
		answer, err := offline(w).LambdaHandler(failing)(t.Context(), events.SQSEvent{
			Records: []events.SQSMessage{record("123456", "1", received, "{}")},
		})
		if err != nil || !slices.Equal(answer.BatchItemFailures, []events.SQSBatchItemFailure{{ItemIdentifier: "message-1"}}) {
			t.Fatalf("answered %v, %v", answer, err)
		}
		if len(w.sent) != 1 || w.sent[0]["VisibilityTimeout"] != want || w.sent[0]["ReceiptHandle"] != "receipt-1" ||
			!strings.HasSuffix(fmt.Sprint(w.sent[0]["QueueUrl"]), "/wake-ups.fifo") {
			t.Errorf("received %d times: sent %v, want it hidden for %v s", received, w.sent, want)
		}
	}
}

// The handler gets what was sent, and Lambda is told that all went well.
func TestHandled(t *testing.T) {
	w := &wire{}
	var got []queue.Message
	f := offline(w).LambdaHandler(func(_ context.Context, m queue.Message) error {
		got = append(got, m)
		return nil
	})
	bare := record("credential:9f86d081", "2", 1, "typed by hand")
	delete(bare.Attributes, "MessageDeduplicationId")
	answer, err := f(t.Context(), events.SQSEvent{Records: []events.SQSMessage{record("123456", "1", 1, "base64:AAE="), bare}})
	if err != nil || len(w.sent) != 0 {
		t.Errorf("%v, and %d requests", err, len(w.sent))
	}
	if text, err := json.Marshal(answer); err != nil || string(text) != `{"batchItemFailures":[]}` {
		t.Errorf("answered %s, %v", text, err)
	}
	want := []queue.Message{
		{Group: "123456", ID: "1", Body: []byte{0, 1}},
		{Group: "credential:9f86d081", ID: "message-2", Body: []byte("typed by hand")},
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("handled %v, want %v", got, want)
	}
}

// What cannot be read goes back as what fails does, and the handler is not called.
func TestUnreadable(t *testing.T) {
	for name, broken := range map[string]events.SQSMessage{
		"no group":      record("", "1", 3, "{}"),
		"no base64":     record("123456", "1", 3, "base64:?"),
		"no attributes": {MessageId: "message-1", ReceiptHandle: "receipt-1", Body: "{}"},
	} {
		logged := silence(t)
		w := &wire{}
		f := offline(w).LambdaHandler(func(_ context.Context, m queue.Message) error {
			t.Errorf("%s: message %s was handled", name, m.ID)
			return nil
		})
		answer, err := f(t.Context(), events.SQSEvent{Records: []events.SQSMessage{broken}})
		if err != nil || len(answer.BatchItemFailures) != 1 || answer.BatchItemFailures[0].ItemIdentifier != "message-1" {
			t.Errorf("%s: answered %v, %v", name, answer, err)
		}
		if len(w.sent) != 1 || logged.Len() == 0 {
			t.Errorf("%s: %d requests, logged %s", name, len(w.sent), logged)
		}
	}
}

// A failure is logged once, with what is needed to find it, and without the body; that it could not be hidden is
// one more line, and all.
func TestLog(t *testing.T) {
	logged := silence(t)
	w := &wire{answer: func(*http.Request, int) (*http.Response, error) {
		return respond(http.StatusForbidden, `{"__type":"com.amazon.coral.service#AccessDeniedException","message":"no"}`), nil
	}}
	answer, err := offline(w).LambdaHandler(failing)(t.Context(), events.SQSEvent{
		Records: []events.SQSMessage{record("123456", "wake-1", 4, "base64:c2VjcmV0")},
	})
	if err != nil || len(answer.BatchItemFailures) != 1 {
		t.Errorf("answered %v, %v", answer, err)
	}
	lines := strings.Split(strings.TrimSpace(logged.String()), "\n")
	if len(lines) != 2 {
		t.Fatalf("logged %d lines, want 2:\n%s", len(lines), logged)
	}
	var line struct {
		Level, Group, Error string
		Message             string `json:"message_id"`
		Received            int
	}
	if err := json.Unmarshal([]byte(lines[0]), &line); err != nil {
		t.Fatal(err)
	}
	if line.Level != "ERROR" || line.Group != "123456" || line.Message != "wake-1" || line.Received != 4 || line.Error != "failed on purpose" {
		t.Errorf("logged %s", lines[0])
	}
	if !strings.Contains(lines[1], "wake-1") || !strings.Contains(lines[1], "the policy of the function's role") {
		t.Errorf("logged %s", lines[1])
	}
	for _, private := range []string{"secret", "c2VjcmV0", "receipt-", "://"} {
		if strings.Contains(logged.String(), private) {
			t.Errorf("%q was logged:\n%s", private, logged)
		}
	}
}

// A panic ends the function, and so the sandbox: Lambda reports it.
func TestPanic(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("the panic was caught")
		}
	}()
	f := offline(&wire{}).LambdaHandler(func(context.Context, queue.Message) error { panic("on purpose") })
	_, _ = f(t.Context(), events.SQSEvent{Records: []events.SQSMessage{record("123456", "1", 1, "{}")}})
}
