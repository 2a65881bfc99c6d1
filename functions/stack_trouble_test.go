package functions_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// fails looks an account up while OwnerRez does something wrong. Nothing may change but what is told of it.
func (s *stack) fails(t *testing.T, account int64, fault ownerreztest.Fault) lookup.Account {
	t.Helper()
	from, to := stackWindow()
	key := lookup.AccountKey(account)
	before, began := s.row(t, key), time.Now()
	nights, _ := s.snapshot(t, account, from, to)
	s.server.Fault(fault)
	s.lookUp(t, key)
	s.server.ClearFaults()
	row := s.row(t, key)
	if row.Failures != before.Failures+1 || !row.AsOf.Equal(before.AsOf) || len(row.Problems) == 0 || !row.Due.After(row.RunBegan) {
		t.Errorf("after %s the account's row says %+v", fault.Do, row)
	}
	after, _ := s.snapshot(t, account, from, to)
	if diff := cmp.Diff(nights, after); diff != "" {
		t.Errorf("%s changed the calendar (-want +got)\n%s", fault.Do, diff)
	}
	s.counted(t, key, began)
	return row
}

// counted looks for the line that tells of a failed lookup, and that CloudWatch counts it.
func (s *stack) counted(t *testing.T, key string, began time.Time) {
	t.Helper()
	type metrics struct {
		Aws struct {
			Timestamp         int64
			CloudWatchMetrics []struct {
				Namespace  string
				Dimensions [][]string
				Metrics    []struct{ Name, Unit string }
			}
		} `json:"_aws"`
		Key           string `json:"key"`
		Function      string
		FailedLookups *int
		Lookups       *int
	}
	var failed []metrics
	for _, line := range s.logged(t, "Lookup", began) {
		var m metrics
		stackParse(t, []byte(line.text), &m)
		if m.Key == key && m.Lookups != nil {
			failed = append(failed, m)
		}
	}
	if len(failed) != 1 {
		t.Fatalf("%d lines tell of the lookup", len(failed))
	}
	m := failed[0]
	if m.FailedLookups == nil || *m.FailedLookups != 1 || *m.Lookups != 1 || m.Function == "" {
		t.Errorf("the line counts %+v", m)
	}
	if age := time.Since(time.UnixMilli(m.Aws.Timestamp)); age < 0 || age > time.Minute || len(m.Aws.CloudWatchMetrics) != 1 {
		t.Fatalf("the line's metrics are %+v", m.Aws)
	}
	d := m.Aws.CloudWatchMetrics[0]
	if d.Namespace == "" || len(d.Dimensions) != 1 || !slices.Equal(d.Dimensions[0], []string{"Function"}) {
		t.Errorf("the metrics are counted by %+v", d)
	}
	if !slices.ContainsFunc(d.Metrics, func(m struct{ Name, Unit string }) bool { return m.Name == "FailedLookups" && m.Unit == "Count" }) {
		t.Errorf("the metrics are %+v", d.Metrics)
	}
}

// serverErrors heals when OwnerRez does.
func (s *stack) serverErrors(t *testing.T) {
	free := s.freeFrom(t, 4402, stackToday().AddDays(30), 3)
	s.server.Put(stackHost, ownerreztest.Booking{PropertyID: 4402, Arrival: free, Departure: free.AddDays(3)})
	row := s.fails(t, stackHost, ownerreztest.Fault{Times: -1, Do: ownerreztest.Status(http.StatusInternalServerError)})
	if row.Status != lookup.StatusOK || row.Due.Sub(row.RunBegan) > 2*time.Minute {
		t.Errorf("status %s, due %s after the lookup", row.Status, row.Due.Sub(row.RunBegan))
	}
	s.lookUp(t, stackHostKey)
	if row := s.row(t, stackHostKey); row.Failures != 0 || len(row.Problems) > 0 {
		t.Errorf("healed, the account's row says %+v", row)
	}
	s.equalsTruth(t, stackHost)
}

// refusedOnce is a single 401: the account is late until the next good answer.
func (s *stack) refusedOnce(t *testing.T) {
	if row := s.fails(t, stackHost, ownerreztest.Fault{Times: -1, Do: ownerreztest.Status(http.StatusUnauthorized)}); row.Status != lookup.StatusLate {
		t.Errorf("status %s", row.Status)
	}
	s.lookUp(t, stackHostKey)
	if row := s.row(t, stackHostKey); row.Status != lookup.StatusOK {
		t.Errorf("healed, the status is %s", row.Status)
	}
	s.equalsTruth(t, stackHost)
}

// poison puts a message that is no wake-up into an account's lane, and lets a good wake-up of the other account meet
// a fault of our own: a role that may not read the table. Both end in the dead-letter queue. Meanwhile OwnerRez has
// had enough of requests for a while, which is no such fault.
func (s *stack) poison(t *testing.T) {
	queue, dead := s.outputs["QueueUrl"], s.outputs["DeadLetterQueueUrl"]
	restoreTries := s.tries(t, 2)
	asked := s.server.Count()
	if row := s.fails(t, stackHost, ownerreztest.Fault{Times: -1, Do: ownerreztest.Status(http.StatusTooManyRequests)}); row.Status != lookup.StatusOK {
		t.Errorf("after 429 the status is %s", row.Status)
	}
	if n := len(s.requestsSince(asked)); n != 1 {
		t.Errorf("after 429 OwnerRez was asked %d times more", n-1)
	}
	began := time.Now()
	restoreRole := s.withoutAction(t, "Lookup", "Table", "dynamodb:GetItem")
	s.send(t, stackHostKey, "poison")
	s.wake(t, stackHostKey) // waits behind it
	s.wake(t, stackOtherKey)
	stackWithin(t, 20*time.Second, "both came back twice", func() string {
		lines := s.logged(t, "Lookup", began)
		lines = slices.DeleteFunc(lines, func(l stackLine) bool { return l.fields["received"] != float64(2) })
		return stackUnless(len(lines) == 2, "%d lines", len(lines))
	})
	restoreRole()
	stackWithin(t, 30*time.Second, "the dead-letter queue has both", func() string {
		n := s.messages(t, dead)
		return stackUnless(n == 2, "it has %d", n)
	})
	t.Logf("in the dead-letter queue after %s", time.Since(began).Round(time.Second))
	stackWithin(t, 30*time.Second, "the account goes on", func() string {
		n := s.messages(t, queue)
		return stackUnless(n == 0, "%d wake-ups are left", n)
	})
	if ran := s.row(t, stackHostKey).RunBegan; ran.Before(began.Truncate(time.Second)) {
		t.Errorf("the account's last lookup began %s before the poison", began.Sub(ran))
	}
	restoreTries()
	s.sendBack(t)
	s.idle(t)
	if ran := s.row(t, stackOtherKey).RunBegan; ran.Before(began.Truncate(time.Second)) {
		t.Error("the wake-up that was sent back was not followed")
	}
	s.lookUp(t, stackHostKey)
	s.equalsTruth(t, stackHost)
	s.equalsTruth(t, stackOther)
}

func stackUnless(ok bool, format string, args ...any) string {
	if ok {
		return ""
	}
	return fmt.Sprintf(format, args...)
}

// tries sets how often a message is tried, so that the test need not wait for all tries.
func (s *stack) tries(t *testing.T, n int) (restore func()) {
	t.Helper()
	queue := s.outputs["QueueUrl"]
	out, err := s.sqs.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: &queue, AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameRedrivePolicy},
	})
	if err != nil {
		t.Fatal(err)
	}
	was := out.Attributes["RedrivePolicy"]
	set := func(policy string) {
		t.Helper()
		_, err := s.sqs.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{
			QueueUrl: &queue, Attributes: map[string]string{"RedrivePolicy": policy},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	var policy struct {
		DeadLetterTargetArn string      `json:"deadLetterTargetArn"`
		MaxReceiveCount     json.Number `json:"maxReceiveCount"`
	}
	stackParse(t, []byte(was), &policy)
	if policy.MaxReceiveCount.String() != "5" {
		t.Errorf("the queue gives a message up after %s tries", policy.MaxReceiveCount)
	}
	set(fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":%d}`, policy.DeadLetterTargetArn, n))
	return func() { set(was) }
}

// sendBack does what is to be done with dead letters once their reason is gone: good ones go into the queue again, as
// StartMessageMoveTask does it, which the emulator lacks; others are deleted.
func (s *stack) sendBack(t *testing.T) {
	t.Helper()
	dead := s.outputs["DeadLetterQueueUrl"]
	bodies := map[string]string{}
	for range 2 {
		out, err := s.sqs.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{
			QueueUrl: &dead, MaxNumberOfMessages: 1,
			MessageSystemAttributeNames: []sqstypes.MessageSystemAttributeName{sqstypes.MessageSystemAttributeNameMessageGroupId},
		})
		if err != nil || len(out.Messages) != 1 {
			t.Fatalf("%v: %+v", err, out)
		}
		m := out.Messages[0]
		s.show([]byte(*m.Body))
		group := m.Attributes["MessageGroupId"]
		bodies[group] = *m.Body
		if strings.HasPrefix(*m.Body, "{") {
			s.send(t, group, *m.Body)
		}
		if _, err := s.sqs.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &dead, ReceiptHandle: m.ReceiptHandle}); err != nil {
			t.Fatal(err)
		}
	}
	if bodies[stackHostKey] != "poison" || !strings.Contains(bodies[stackOtherKey], `"operator"`) {
		t.Errorf("the dead letters were %v", bodies)
	}
}
