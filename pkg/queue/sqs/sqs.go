// Package sqs is a queue in Amazon SQS: a FIFO queue with a message group for each group. AWS Lambda takes the
// messages out and hands them to the function that LambdaHandler makes.
package sqs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/awscall"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/queue"
)

const (
	maxBody = 256 << 10 // bytes, as sent: what every queue takes. Those made since August 2025 take four times as much
	maxID   = 128       // characters of a group or an id
)

// Queue sends to an SQS FIFO queue, and handles what Lambda takes out of it. It is safe for concurrent use.
type Queue struct {
	client *awssqs.Client
	url    string
}

var _ queue.Sender = (*Queue)(nil)

// New returns the FIFO queue with a URL. It sends nothing.
func New(conf aws.Config, queueURL string) *Queue {
	client := awssqs.NewFromConfig(conf, func(o *awssqs.Options) { o.HTTPClient = awscall.Limited(o.HTTPClient) })
	return &Queue{client: client, url: queueURL}
}

// Connect opens a connection to SQS, if none is open, so that the first message need not wait for one. What it asks is
// not signed and needs no permission; SQS refuses it, and that is no error.
func (q *Queue) Connect(ctx context.Context) error {
	opts := q.client.Options()
	where := awssqs.EndpointParameters{Region: &opts.Region, Endpoint: opts.BaseEndpoint}.WithDefaults()
	endpoint, err := opts.EndpointResolverV2.ResolveEndpoint(ctx, where)
	if err != nil {
		return fmt.Errorf("connecting to SQS: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint.URI.String(), http.NoBody)
	if err != nil {
		return fmt.Errorf("connecting to SQS: %w", err)
	}
	resp, err := opts.HTTPClient.Do(r)
	if err != nil {
		return fmt.Errorf("connecting to SQS: %w", err)
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body) // else the connection cannot be used again
	return err
}

// Send puts a message into the queue; this needs the permission sqs:SendMessage. When an answer is lost the SDK
// sends the message again, and SQS drops the second one, as it does within five minutes with any message whose ID
// it has seen. Group and ID must be 1 to 128 letters, digits and punctuation marks of ASCII, the body at most
// 256 KiB, of which a body that is not text fills only three quarters.
func (q *Queue) Send(ctx context.Context, m queue.Message) error {
	body := encode(m.Body)
	err := check(m, body)
	if err == nil {
		_, err = q.client.SendMessage(ctx, &awssqs.SendMessageInput{
			QueueUrl: &q.url, MessageBody: &body, MessageGroupId: &m.Group, MessageDeduplicationId: &m.ID,
		})
	}
	if err != nil {
		return fmt.Errorf("sending message %q of group %q: %w", m.ID, m.Group, explain(err))
	}
	return nil
}

// check tells what SQS would refuse, or take and not give back as it was.
func check(m queue.Message, body string) error {
	if !valid(m.Group) || !valid(m.ID) {
		return fmt.Errorf("its group or its id is not what SQS takes: 1 to %d letters, digits and punctuation marks of ASCII", maxID)
	}
	if len(body) > maxBody {
		return fmt.Errorf("its body has %d bytes as SQS stores it, at most %d fit; send less, or the name of where it is kept", len(body), maxBody)
	}
	return nil
}

func valid(id string) bool {
	for _, c := range []byte(id) {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return id != "" && len(id) <= maxID
}

// explain adds what to do about the SDK's error, and leaves the request's URL out of it.
func explain(err error) error {
	if failed, ok := errors.AsType[*url.Error](err); ok {
		return fmt.Errorf("SQS did not answer: %w", failed.Err)
	}
	refused, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return err
	}
	switch refused.ErrorCode() {
	case "AccessDenied", "AccessDeniedException":
		return fmt.Errorf("%w; allow it in the policy of the function's role", err)
	case "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue":
		return fmt.Errorf("%w; deploy the stack again, or correct QUEUE_URL", err)
	}
	return err
}
