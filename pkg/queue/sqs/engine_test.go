package sqs_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"maps"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/awstest"
)

// function is a Lambda function with an SQS event source.
type function func(context.Context, events.SQSEvent) (events.SQSEventResponse, error)

// engine is a FIFO queue of the AWS that the tests run against.
type engine struct {
	client    *awssqs.Client
	url       string
	receiving sync.Mutex // one at a time: moto gives messages of one group to all that wait for some
}

// newEngine makes a queue whose messages, once received, stay hidden for longer than any test waits.
func newEngine(t *testing.T, conf aws.Config, attributes map[string]string) *engine {
	t.Helper()
	client := awssqs.NewFromConfig(awstest.WithTransport(conf, atOnce{http.DefaultTransport.(*http.Transport).Clone()}))
	all := map[string]string{"FifoQueue": "true", "VisibilityTimeout": "600"}
	maps.Copy(all, attributes)
	out, err := client.CreateQueue(t.Context(), &awssqs.CreateQueueInput{
		QueueName: aws.String("test-" + rand.Text() + ".fifo"), Attributes: all,
	})
	if err != nil {
		t.Fatalf("creating a queue: %v", err)
	}
	t.Cleanup(func() {
		_, err := client.DeleteQueue(context.WithoutCancel(t.Context()), &awssqs.DeleteQueueInput{QueueUrl: out.QueueUrl})
		if err != nil {
			t.Errorf("deleting the queue: %v", err)
		}
	})
	return &engine{client: client, url: *out.QueueUrl}
}

// atOnce reads an answer before it hands it on. The SDK closes the request's body in between, and if net/http is
// not done with that it drops the connection: then the answer is lost, and the messages in it stay hidden.
type atOnce struct{ next http.RoundTripper }

func (a atOnce) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := a.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, err
}

func (e *engine) receive(ctx context.Context, most, seconds int32) ([]types.Message, error) {
	e.receiving.Lock()
	defer e.receiving.Unlock()
	out, err := e.client.ReceiveMessage(ctx, &awssqs.ReceiveMessageInput{
		QueueUrl: &e.url, MaxNumberOfMessages: most, WaitTimeSeconds: seconds,
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"},
	})
	if err != nil {
		return nil, err
	}
	return out.Messages, nil
}

func (e *engine) remove(ctx context.Context, receipt *string) error {
	_, err := e.client.DeleteMessage(ctx, &awssqs.DeleteMessageInput{QueueUrl: &e.url, ReceiptHandle: receipt})
	return err
}

// start does what Lambda does with an event source: it gives messages to the function and deletes those that it
// does not report as failed. It ends with the test.
func (e *engine) start(t *testing.T, workers int, f function) {
	t.Helper()
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for t.Context().Err() == nil {
				if _, err := e.invoke(t.Context(), 1, f); err != nil && t.Context().Err() == nil {
					t.Errorf("polling: %v", err)
					return
				}
			}
		})
	}
	t.Cleanup(all.Wait)
}

// invoke takes a batch and returns which of its messages the function reported.
func (e *engine) invoke(ctx context.Context, most int32, f function) (failed []string, err error) {
	batch, err := e.receive(ctx, most, 0)
	if err != nil {
		return nil, err
	}
	if len(batch) == 0 {
		time.Sleep(50 * time.Millisecond)
		return nil, nil
	}
	var event events.SQSEvent
	for _, m := range batch {
		event.Records = append(event.Records, events.SQSMessage{
			MessageId: *m.MessageId, ReceiptHandle: *m.ReceiptHandle, Body: *m.Body, Attributes: m.Attributes, EventSource: "aws:sqs",
		})
	}
	answer, err := f(ctx, event)
	if err != nil {
		return nil, err
	}
	for _, m := range batch {
		if slices.Contains(answer.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: *m.MessageId}) {
			failed = append(failed, m.Attributes["MessageDeduplicationId"])
		} else if err := e.remove(ctx, m.ReceiptHandle); err != nil {
			return failed, err
		}
	}
	return failed, nil
}

// drain takes all messages out of the queue and returns their ids.
func (e *engine) drain(t *testing.T) (ids []string) {
	t.Helper()
	for {
		batch, err := e.receive(t.Context(), 10, 1)
		if err != nil {
			t.Fatalf("receiving: %v", err)
		}
		for _, m := range batch {
			ids = append(ids, m.Attributes["MessageDeduplicationId"])
			if err := e.remove(t.Context(), m.ReceiptHandle); err != nil {
				t.Fatalf("deleting: %v", err)
			}
		}
		if len(batch) == 0 {
			return ids
		}
	}
}
