package sqs

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/queue"
)

// How long a message stays hidden after it failed for the first time, twice as long after each further time, and
// at most. The queue's own visibility timeout must be longer than the function may live, so it is minutes.
const (
	firstDelay = 5 * time.Second
	maxDelay   = time.Minute
)

// LambdaHandler makes a Lambda function for a queue of this kind out of a handler. The event source mapping must
// have ReportBatchItemFailures among its FunctionResponseTypes: without it Lambda deletes what failed. The function
// answers so, instead of failing, because after a failure Lambda takes messages out more slowly, those of other
// groups too.
//
// A message that fails, or cannot be read, is logged and comes again in 5, 10, 20, 40, then 60 seconds, until the
// queue's redrive policy moves it to the dead-letter queue. Hiding it for so long needs the permission
// sqs:ChangeMessageVisibility; what cannot be hidden comes again after the queue's visibility timeout. Later
// messages of its group in the same batch are not handled, and come again after it. They count as received, so
// batches should have size 1. A panic of the handler is not caught.
func (q *Queue) LambdaHandler(handler queue.Handler) func(context.Context, events.SQSEvent) (events.SQSEventResponse, error) {
	return func(ctx context.Context, event events.SQSEvent) (events.SQSEventResponse, error) {
		answer := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}} // not null
		held := map[string]bool{}                                                            // the groups in which a message failed
		for _, record := range event.Records {
			group := record.Attributes["MessageGroupId"]
			if held[group] {
				q.hide(ctx, record, 0) // while the one that failed is hidden, SQS hides those after it
			} else if err := handle(ctx, handler, record); err != nil {
				received, _ := strconv.Atoi(record.Attributes["ApproximateReceiveCount"])
				slog.ErrorContext(ctx, "the message goes back into the queue",
					"group", group, "message_id", idOf(record), "received", received, "error", err.Error())
				q.hide(ctx, record, delay(received))
				held[group] = true
			} else {
				continue
			}
			answer.BatchItemFailures = append(answer.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: record.MessageId})
		}
		return answer, nil
	}
}

func handle(ctx context.Context, handler queue.Handler, record events.SQSMessage) error {
	group := record.Attributes["MessageGroupId"]
	if group == "" {
		return errors.New("the message has no group; the event source must be a FIFO queue")
	}
	body, err := decode(record.Body)
	if err != nil {
		return err
	}
	return handler(ctx, queue.Message{Group: group, ID: idOf(record), Body: body})
}

func idOf(record events.SQSMessage) string {
	return cmp.Or(record.Attributes["MessageDeduplicationId"], record.MessageId)
}

// delay is how long a message stays hidden that was received so many times.
func delay(received int) time.Duration {
	doublings := min(max(received-1, 0), 10)
	return min(firstDelay<<doublings, maxDelay)
}

// hide lets a message come again after d.
func (q *Queue) hide(ctx context.Context, record events.SQSMessage, d time.Duration) {
	_, err := q.client.ChangeMessageVisibility(ctx, &awssqs.ChangeMessageVisibilityInput{
		QueueUrl: &q.url, ReceiptHandle: &record.ReceiptHandle, VisibilityTimeout: int32(d / time.Second),
	})
	if err != nil {
		slog.ErrorContext(ctx, "the message comes again only after the queue's visibility timeout",
			"group", record.Attributes["MessageGroupId"], "message_id", idOf(record), "error", explain(err).Error())
	}
}
