package functions_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventbridgetypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
)

// fill puts a value into the secret of the personal token, as the operator does.
func (s *stack) fill(t *testing.T, value string, tokens ...string) {
	t.Helper()
	arn := s.outputs["PersonalTokenSecretArn"]
	_, err := s.secrets.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: &arn, SecretString: &value})
	if err != nil {
		t.Fatalf("filling the secret: %v", err)
	}
	s.hide(tokens...)
}

// fillWith fills the secret with a token of each account: one object, or a list of them.
func (s *stack) fillWith(t *testing.T, tokens ...stackToken) {
	t.Helper()
	value := stackJSON(t, tokens)
	if len(tokens) == 1 {
		value = stackJSON(t, tokens[0])
	}
	for _, token := range tokens {
		s.hide(token.Token)
	}
	s.fill(t, string(value))
}

// stackToken is what the secret holds of an account.
type stackToken struct {
	Email string `json:"email"`
	Token string `json:"token"`
}

// stackTokenOf is an account's n-th token.
func stackTokenOf(account int64, n int) stackToken {
	email := stackEmails[account]
	return stackToken{email, "pt_test" + email[:4] + strconv.Itoa(n)}
}

// invokeSchedule invokes Schedule by hand, waits until all that it woke is done, and returns what it answered.
func (s *stack) invokeSchedule(t *testing.T) []lookup.Standing {
	t.Helper()
	answer, failed := s.invoke(t, "Schedule", `{}`)
	if failed != "" {
		t.Fatalf("Schedule failed: %s", failed)
	}
	var standings []lookup.Standing
	stackParse(t, answer, &standings)
	s.idle(t)
	return standings
}

// remoteInvoke is invokeSchedule by the command that users have for it.
func (s *stack) remoteInvoke(t *testing.T) []lookup.Standing {
	t.Helper()
	answer := s.sam.run(t, "remote", "invoke", "Schedule", "--stack-name", s.name)
	s.show([]byte(answer))
	var standings []lookup.Standing
	stackParse(t, []byte(answer), &standings)
	s.idle(t)
	return standings
}

// wake sends a wake-up as a user's script may.
func (s *stack) wake(t *testing.T, key string) {
	t.Helper()
	s.send(t, key, fmt.Sprintf(`{"version":1,"key":%q,"reason":"operator","sent":%q}`, key, time.Now().UTC().Format(time.RFC3339)))
}

func (s *stack) send(t *testing.T, group, body string) {
	t.Helper()
	queue := s.outputs["QueueUrl"]
	_, err := s.sqs.SendMessage(t.Context(), &sqs.SendMessageInput{
		QueueUrl: &queue, MessageBody: &body, MessageGroupId: &group, MessageDeduplicationId: new(rand.Text()),
	})
	if err != nil {
		t.Fatal(err)
	}
}

// lookUp wakes an account's lane and waits until the lookup is done.
func (s *stack) lookUp(t *testing.T, key string) {
	t.Helper()
	s.wake(t, key)
	s.idle(t)
}

// messages counts the messages in a queue, those that are being handled or hidden too.
func (s *stack) messages(t *testing.T, queue string) int {
	t.Helper()
	out, err := s.sqs.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: &queue, AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameAll},
	})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, name := range []string{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"} {
		k, err := strconv.Atoi(out.Attributes[name])
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		n += k
	}
	return n
}

// idle waits until no wake-up is left. Nothing must have gone to the dead-letter queue.
func (s *stack) idle(t *testing.T) {
	t.Helper()
	stackWithin(t, 60*time.Second, "all wake-ups are done", func() string {
		if n := s.messages(t, s.outputs["QueueUrl"]); n > 0 {
			return fmt.Sprintf("%d are left", n)
		}
		return ""
	})
	if n := s.messages(t, s.outputs["DeadLetterQueueUrl"]); n > 0 {
		t.Fatalf("%d messages are in the dead-letter queue", n)
	}
}

// row is the row of an account.
func (s *stack) row(t *testing.T, key string) lookup.Account {
	t.Helper()
	row, err := s.store.Account(t.Context(), key)
	if err != nil {
		t.Fatalf("the row %s: %v", key, err)
	}
	return row
}

// stackEvent is an event as a rule sends it to a target.
type stackEvent struct {
	Source     string       `json:"source"`
	DetailType string       `json:"detail-type"`
	Detail     lookup.Event `json:"detail"`
	raw        string       // the detail's JSON
}

// listen makes a queue, and a rule that sends all events of the stack's bus to it.
func (s *stack) listen(t *testing.T) {
	t.Helper()
	bus, rule, source := s.outputs["EventBusName"], s.name, `{"source":["ownerrez-lambda"]}`
	made, err := s.sqs.CreateQueue(t.Context(), &sqs.CreateQueueInput{
		QueueName: &rule, Attributes: map[string]string{"VisibilityTimeout": "1"}, // what an answer held that was lost comes again soon
	})
	if err != nil {
		t.Fatal(err)
	}
	s.inbox, s.events = *made.QueueUrl, map[int64][]stackEvent{}
	out, err := s.sqs.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: &s.inbox, AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameQueueArn},
	})
	if err != nil {
		t.Fatal(err)
	}
	arn := out.Attributes["QueueArn"]
	policy := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},`+
		`"Action":"sqs:SendMessage","Resource":%q}]}`, arn)
	_, err = s.sqs.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &s.inbox, Attributes: map[string]string{"Policy": policy}})
	if err == nil {
		_, err = s.bus.PutRule(t.Context(), &eventbridge.PutRuleInput{Name: &rule, EventBusName: &bus, EventPattern: &source})
	}
	if err == nil {
		_, err = s.bus.PutTargets(t.Context(), &eventbridge.PutTargetsInput{
			Rule: &rule, EventBusName: &bus, Targets: []eventbridgetypes.Target{{Id: &rule, Arn: &arn}},
		})
	}
	if err != nil {
		t.Fatalf("a rule for the stack's events: %v", err)
	}
}

// eventsAfter waits until all events of an account have arrived, and returns those that are numbered after a seq.
// The numbers must have no gap, and an event that comes twice must be the same.
func (s *stack) eventsAfter(t *testing.T, account, after int64) []stackEvent {
	t.Helper()
	stackWithin(t, 10*time.Second, "the events arrive", func() string {
		s.receive(t)
		got, row := int64(len(s.events[account])), s.row(t, lookup.AccountKey(account))
		return stackUnless(got == row.Seq, "%d of %d are there, %d are published", got, row.Seq, row.Published)
	})
	return s.events[account][after:]
}

// receive takes what has arrived.
func (s *stack) receive(t *testing.T) {
	t.Helper()
	for {
		out, err := s.sqs.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &s.inbox, MaxNumberOfMessages: 10})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Messages) == 0 {
			return
		}
		for _, m := range out.Messages {
			s.show([]byte(*m.Body))
			var e stackEvent
			stackParse(t, []byte(*m.Body), &e)
			var raw struct{ Detail json.RawMessage }
			stackParse(t, []byte(*m.Body), &raw)
			e.raw = string(raw.Detail)
			if !s.keep(t, e) {
				continue
			}
			_, err := s.sqs.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &s.inbox, ReceiptHandle: m.ReceiptHandle})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

// keep puts an event behind those before it. It reports false for one that has come before those.
func (s *stack) keep(t *testing.T, e stackEvent) bool {
	t.Helper()
	have := s.events[e.Detail.Account]
	i := slices.IndexFunc(have, func(h stackEvent) bool { return h.Detail.Seq == e.Detail.Seq })
	switch {
	case i >= 0 && have[i].raw != e.raw:
		t.Fatalf("event %d came twice, and differs:\n%s\n%s", e.Detail.Seq, have[i].raw, e.raw)
	case i < 0 && e.Detail.Seq > int64(len(have)+1):
		return false
	case i < 0:
		s.events[e.Detail.Account] = append(have, e)
	}
	if e.Source != "ownerrez-lambda" {
		t.Errorf("source %q", e.Source)
	}
	return true
}

// stackLine is a line that a function has logged.
type stackLine struct {
	fields map[string]any
	text   string
}

// logged returns what a function has logged since a time, without what Lambda itself writes.
func (s *stack) logged(t *testing.T, name string, since time.Time) []stackLine {
	t.Helper()
	var out struct{ Events []struct{ Message string } }
	s.target(t, "logs", "Logs_20140328.FilterLogEvents", map[string]any{
		"logGroupName": s.configuration(t, name).LoggingConfig.LogGroup, "startTime": since.UnixMilli(),
	}, &out)
	var lines []stackLine
	for _, e := range out.Events {
		s.show([]byte(e.Message))
		if !strings.HasPrefix(e.Message, "{") {
			continue
		}
		line := stackLine{text: e.Message}
		stackParse(t, []byte(e.Message), &line.fields)
		lines = append(lines, line)
	}
	return lines
}
