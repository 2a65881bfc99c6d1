package eventbridge_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awseventbridge "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/awstest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/publish/eventbridge"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/publish/publishtest"
)

// bus is a bus of the AWS that the tests run against, with a rule that sends its events to a queue.
type bus struct {
	name  string
	sqs   *sqs.Client
	queue *string
}

// newBus makes a bus. Its queue is FIFO, so that its messages come in the order in which they came in.
func newBus(t *testing.T, conf aws.Config) *bus {
	t.Helper()
	conf = awstest.WithTransport(conf, newAtOnce())
	b := &bus{name: "test-" + rand.Text(), sqs: sqs.NewFromConfig(conf)}
	events := awseventbridge.NewFromConfig(conf)
	arn := b.makeQueue(t)
	_, err := events.CreateEventBus(t.Context(), &awseventbridge.CreateEventBusInput{Name: &b.name})
	must(t, err)
	ours := aws.String("ours")
	_, err = events.PutRule(t.Context(), &awseventbridge.PutRuleInput{
		Name: ours, EventBusName: &b.name, EventPattern: aws.String(`{"source":["ownerrez-lambda"]}`),
	})
	must(t, err)
	_, err = events.PutTargets(t.Context(), &awseventbridge.PutTargetsInput{
		Rule: ours, EventBusName: &b.name,
		Targets: []types.Target{{Id: ours, Arn: &arn, SqsParameters: &types.SqsParameters{MessageGroupId: aws.String("all")}}},
	})
	must(t, err)
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		_, err := events.RemoveTargets(ctx, &awseventbridge.RemoveTargetsInput{Rule: ours, EventBusName: &b.name, Ids: []string{"ours"}})
		must(t, err)
		_, err = events.DeleteRule(ctx, &awseventbridge.DeleteRuleInput{Name: ours, EventBusName: &b.name})
		must(t, err)
		_, err = events.DeleteEventBus(ctx, &awseventbridge.DeleteEventBusInput{Name: &b.name})
		must(t, err)
	})
	return b
}

// makeQueue makes the queue, to which rules may send, and returns its ARN.
func (b *bus) makeQueue(t *testing.T) string {
	t.Helper()
	out, err := b.sqs.CreateQueue(t.Context(), &sqs.CreateQueueInput{
		QueueName: aws.String(b.name + ".fifo"),
		Attributes: map[string]string{
			"FifoQueue": "true", "ContentBasedDeduplication": "true", "VisibilityTimeout": "600",
			"Policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"*"}]}`,
		},
	})
	must(t, err)
	b.queue = out.QueueUrl
	t.Cleanup(func() {
		_, failed := b.sqs.DeleteQueue(context.WithoutCancel(t.Context()), &sqs.DeleteQueueInput{QueueUrl: b.queue})
		must(t, failed)
	})
	attributes, err := b.sqs.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: b.queue, AttributeNames: []sqstypes.QueueAttributeName{"QueueArn"},
	})
	must(t, err)
	return attributes.Attributes["QueueArn"]
}

// read is a publishtest.Reader. EventBridge itself promises no order; the emulators keep it.
func (b *bus) read(t *testing.T, n int) (all []publishtest.Published) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); len(all) < n && time.Now().Before(deadline); {
		all = append(all, b.take(t, min(n-len(all), 10))...)
	}
	if len(all) < n {
		t.Fatalf("%d of %d events came within a minute", len(all), n)
	}
	return all
}

func (b *bus) take(t *testing.T, most int) (all []publishtest.Published) {
	t.Helper()
	out, err := b.sqs.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: b.queue, MaxNumberOfMessages: int32(most), WaitTimeSeconds: 1})
	must(t, err)
	for _, m := range out.Messages {
		var p publishtest.Published
		if err := json.Unmarshal([]byte(*m.Body), &p); err != nil {
			t.Fatalf("%v in %s", err, *m.Body)
		}
		all = append(all, p)
		_, err := b.sqs.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: b.queue, ReceiptHandle: m.ReceiptHandle})
		must(t, err)
	}
	return all
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// atOnce reads an answer before it hands it on. The SDK closes the request's body in between, and if net/http is
// not done with that it drops the connection: then the answer is lost, the SDK asks again, and an event comes twice
// or a received message stays hidden.
type atOnce struct{ next http.RoundTripper }

func newAtOnce() atOnce { return atOnce{http.DefaultTransport.(*http.Transport).Clone()} }

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

func TestConformance(t *testing.T) {
	conf := awstest.WithTransport(awstest.Config(t), newAtOnce()) // each event is to come once
	publishtest.Run(t, func(t *testing.T) (lookup.Publisher, publishtest.Reader) {
		b := newBus(t, conf)
		return eventbridge.New(conf, b.name), b.read
	})
}

// Whichever request is cut, before it is sent or after it was answered, each event comes, in order: the one whose
// answer was lost twice.
func TestCut(t *testing.T) {
	conf := awstest.Config(t)
	const n = 3
	for name, cutAt := range map[string]func(int) *awstest.Cut{"before": awstest.CutBefore, "after": awstest.CutAfter} {
		for at := range n + 1 {
			b := newBus(t, conf)
			cut := cutAt(at)
			p := eventbridge.New(awstest.WithTransport(conf, cut), b.name)
			for seq := range int64(n) {
				must(t, p.Publish(t.Context(), event(seq+1)))
			}
			var came []int64
			for deadline := time.Now().Add(time.Minute); !slices.Contains(came, n) && time.Now().Before(deadline); {
				for _, e := range b.take(t, 10) {
					var detail struct{ Seq int64 }
					must(t, json.Unmarshal(e.Detail, &detail))
					came = append(came, detail.Seq)
				}
			}
			if got := slices.Compact(came); !slices.Equal(got, []int64{1, 2, 3}) {
				t.Errorf("cut %s request %d: %v came", name, at, got)
			}
			if want := n + min(at, 1); cut.Requests() < want {
				t.Errorf("cut %s request %d: %d requests, want %d at least", name, at, cut.Requests(), want)
			}
		}
	}
}
