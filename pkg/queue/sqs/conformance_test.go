package sqs_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/awstest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/queue"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/queue/queuetest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/queue/sqs"
)

func TestConformance(t *testing.T) {
	conf := awstest.Config(t)
	silence(t)
	queuetest.Run(t, func(t *testing.T, handler queue.Handler) queue.Sender {
		e := newEngine(t, conf, nil)
		q := sqs.New(conf, e.url)
		e.start(t, 5, q.LambdaHandler(handler))
		return q
	})
}

// A message that always fails ends in the dead-letter queue, whole, and its group goes on.
func TestDeadLetters(t *testing.T) {
	conf := awstest.Config(t)
	silence(t)
	dead := newEngine(t, conf, nil)
	main := newEngine(t, conf, map[string]string{"RedrivePolicy": redrive(t, dead, 2)})
	q := sqs.New(conf, main.url)
	handled := make(chan string, 100)
	main.start(t, 4, q.LambdaHandler(func(_ context.Context, m queue.Message) error {
		handled <- m.ID
		if m.ID == "bad" {
			return errors.New("failed on purpose")
		}
		return nil
	}))
	began := time.Now()
	for _, id := range []string{"bad", "good-1", "good-2"} {
		mustSend(t, q, queue.Message{Group: "123456", ID: id, Body: []byte("\x00" + id)})
	}
	var order []string
	for range 4 {
		select {
		case id := <-handled:
			order = append(order, id)
		case <-time.After(time.Minute):
			t.Fatalf("only %v were handled within a minute", order)
		}
	}
	if got := strings.Join(order, " "); got != "bad bad good-1 good-2" {
		t.Errorf("handled %s", got)
	}
	if took := time.Since(began); took < 14*time.Second || took > 40*time.Second {
		t.Errorf("two failures were over after %s, want waits of 5 and 10 seconds", took)
	}
	if left := main.drain(t); len(left) != 0 {
		t.Errorf("%v are left in the queue", left)
	}
	dead.start(t, 1, sqs.New(conf, dead.url).LambdaHandler(func(_ context.Context, m queue.Message) error {
		if m.Group != "123456" || string(m.Body) != "\x00bad" {
			t.Errorf("%q of group %q came to the dead-letter queue", m.Body, m.Group)
		}
		handled <- m.ID
		return nil
	}))
	select {
	case id := <-handled:
		if id != "bad" {
			t.Errorf("%s was handled, want bad in the dead-letter queue", id)
		}
	case <-time.After(time.Minute):
		t.Error("nothing came to the dead-letter queue within a minute")
	}
}

// redrive is the policy that moves messages to dead once they were received so often.
func redrive(t *testing.T, dead *engine, most int) string {
	t.Helper()
	out, err := dead.client.GetQueueAttributes(t.Context(), &awssqs.GetQueueAttributesInput{
		QueueUrl: &dead.url, AttributeNames: []types.QueueAttributeName{"QueueArn"},
	})
	if err != nil {
		t.Fatalf("reading the queue's ARN: %v", err)
	}
	policy, err := json.Marshal(map[string]any{"deadLetterTargetArn": out.Attributes["QueueArn"], "maxReceiveCount": most})
	if err != nil {
		t.Fatal(err)
	}
	return string(policy)
}

// In a batch, a failure holds up what comes after it in its group, and nothing else.
func TestBatch(t *testing.T) {
	conf := awstest.Config(t)
	silence(t)
	e := newEngine(t, conf, nil)
	q := sqs.New(conf, e.url)
	for _, id := range []string{"a1", "b1", "a2", "b2", "a3", "c1"} {
		mustSend(t, q, queue.Message{Group: id[:1], ID: id, Body: []byte(id)})
	}
	var handled []string
	trouble := errors.New("failed on purpose")
	f := q.LambdaHandler(func(_ context.Context, m queue.Message) error {
		handled = append(handled, m.ID)
		if m.ID == "a2" || m.ID == "b1" {
			return trouble
		}
		return nil
	})
	failed, err := e.invoke(t.Context(), 10, f)
	slices.Sort(failed)
	if got := strings.Join(failed, " "); err != nil || got != "a2 a3 b1 b2" {
		t.Errorf("reported %s as failed (%v), want a2 a3 b1 b2", got, err)
	}
	trouble = nil
	for deadline := time.Now().Add(time.Minute); len(handled) < 8 && time.Now().Before(deadline); {
		if failed, err := e.invoke(t.Context(), 10, f); err != nil || len(failed) > 0 {
			t.Fatalf("the second time %v failed: %v", failed, err)
		}
	}
	for group, want := range map[string]string{"a": "a1 a2 a2 a3", "b": "b1 b1 b2", "c": "c1"} {
		var got []string
		for _, id := range handled {
			if id[:1] == group {
				got = append(got, id)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("handled %v of group %s, want %s", got, group, want)
		}
	}
}

// Whichever request is cut, before it is sent or after it was answered, each message is in the queue once.
func TestSendCut(t *testing.T) {
	conf := awstest.Config(t)
	ids := []string{"first", "second", "third"}
	for name, cutAt := range map[string]func(int) *awstest.Cut{"before": awstest.CutBefore, "after": awstest.CutAfter} {
		for n := range len(ids) + 1 {
			e := newEngine(t, conf, nil)
			cut := cutAt(n)
			q := sqs.New(awstest.WithTransport(conf, cut), e.url)
			for _, id := range ids {
				mustSend(t, q, queue.Message{Group: "123456", ID: id, Body: []byte(id)})
			}
			if got := e.drain(t); !slices.Equal(got, ids) {
				t.Errorf("cut %s request %d: %v came, want %v", name, n, got, ids)
			}
			if want := len(ids) + min(n, 1); cut.Requests() < want {
				t.Errorf("cut %s request %d: %d requests, want %d at least", name, n, cut.Requests(), want)
			}
		}
	}
}

// What fits us fits the queue, and a queue that is not there is said to be missing.
func TestLimits(t *testing.T) {
	conf := awstest.Config(t)
	e := newEngine(t, conf, map[string]string{"MaximumMessageSize": "262144"})
	longest := queue.Message{Group: printable[:64] + printable[:64], ID: printable + printable[:34], Body: make([]byte, 256<<10)}
	for i := range longest.Body {
		longest.Body[i] = 'x'
	}
	q := sqs.New(conf, e.url)
	mustSend(t, q, longest)
	if got := e.drain(t); !slices.Equal(got, []string{longest.ID}) {
		t.Errorf("%d messages came, want the longest one", len(got))
	}
	gone := sqs.New(conf, e.url[:len(e.url)-len(".fifo")]+"-gone.fifo")
	err := gone.Send(t.Context(), queue.Message{Group: "1", ID: "1", Body: []byte("{}")})
	if err == nil || !strings.Contains(err.Error(), "QUEUE_URL") {
		t.Errorf("Send to a queue that does not exist: %v", err)
	}
}

func mustSend(t *testing.T, q *sqs.Queue, m queue.Message) {
	t.Helper()
	if err := q.Send(t.Context(), m); err != nil {
		t.Fatalf("Send: %v", err)
	}
}
