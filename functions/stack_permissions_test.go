package functions_test

import (
	"crypto/rand"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// stackUse is something that a function does with the permissions of its role. It returns what it was denied, and ""
// if it was denied nothing; whatever else goes wrong ends the test.
type stackUse func(*stack, *testing.T) (denied string)

// stackUses tells for each action in the roles of the stack's functions what needs it.
var stackUses = map[string]stackUse{
	"Schedule dynamodb:Query":                (*stack).useSchedule,
	"Schedule dynamodb:GetItem":              (*stack).useSchedule,
	"Schedule dynamodb:PutItem":              (*stack).useSchedule,
	"Schedule sqs:SendMessage":               (*stack).useSchedule,
	"Schedule secretsmanager:GetSecretValue": (*stack).useSchedule,
	"Lookup dynamodb:GetItem":                (*stack).useConnect,
	"Lookup dynamodb:PutItem":                (*stack).useConnect,
	"Lookup sqs:SendMessage":                 (*stack).useConnect,
	"Lookup secretsmanager:GetSecretValue":   (*stack).useConnect,
	"Lookup dynamodb:Query":                  (*stack).useLookup,
	"Lookup events:PutEvents":                (*stack).useLookup,
	"Lookup sqs:ChangeMessageVisibility":     (*stack).usePoison,
	"Calendar dynamodb:Query":                (*stack).useCalendar,
	"Calendar dynamodb:GetItem":              (*stack).useCalendar,
	"Accounts dynamodb:Query":                (*stack).useAccounts,
	"Accounts dynamodb:GetItem":              (*stack).useAccounts,
	"Accounts dynamodb:PutItem":              (*stack).useAccounts,
	"Accounts secretsmanager:GetSecretValue": (*stack).useAccounts,
}

// stackUnchecked are actions that the emulator does not ask a role for: it is only seen that the role has them.
var stackUnchecked = map[string]string{
	"Lookup sqs:ReceiveMessage":                 "the emulator takes messages out by itself; AWS makes no event source mapping without it",
	"Lookup sqs:DeleteMessage":                  "the same",
	"Lookup sqs:GetQueueAttributes":             "the same",
	"ScheduleEveryMinute lambda:InvokeFunction": "the emulator's Scheduler asks no role; AWS's does",
	"Schedule logs:CreateLogStream":             "the emulator keeps logs by itself; on AWS there are none without it",
	"Schedule logs:PutLogEvents":                "the same",
	"Lookup logs:CreateLogStream":               "the same",
	"Lookup logs:PutLogEvents":                  "the same",
	"Calendar logs:CreateLogStream":             "the same",
	"Calendar logs:PutLogEvents":                "the same",
	"Accounts logs:CreateLogStream":             "the same",
	"Accounts logs:PutLogEvents":                "the same",
}

// eachPermission takes each action from each role in turn, and does what needs it: it must be denied. What needs an
// action that no role has was seen to fail before.
func (s *stack) eachPermission(t *testing.T) {
	checked := map[string]bool{}
	roles := s.roles(t)
	for _, name := range slices.Sorted(maps.Keys(roles)) {
		role := roles[name]
		if managed := s.managed(t, role); len(managed) > 0 {
			t.Errorf("%s has policies of AWS, which allow more than it needs: %v", name, managed)
		}
		for _, p := range s.policies(t, role) {
			for _, statement := range p.statements() {
				for _, action := range stackActions(statement) {
					checked[name+" "+action] = true
					t.Run(name+" "+action, func(t *testing.T) { s.needs(t, name, action, statement) })
				}
			}
		}
	}
	for use := range stackUses {
		if !checked[use] {
			t.Errorf("no role has %s: it is not needed, or the test of it is", use)
		}
	}
	for use, why := range stackUnchecked {
		if !checked[use] {
			t.Errorf("no role has %s (%s)", use, why)
		}
	}
	s.comesBack(t)
}

// needs takes one action from one role.
func (s *stack) needs(t *testing.T, name, action string, statement map[string]any) {
	if resources := string(stackJSON(t, statement["Resource"])); strings.Contains(resources, `"*"`) {
		t.Errorf("it is allowed on everything: %s", resources)
	}
	use, ok := stackUses[name+" "+action]
	if !ok {
		if stackUnchecked[name+" "+action] == "" {
			t.Error("nothing is known to need it: take it from the template, or tell here what does")
		}
		return
	}
	denied := func() string {
		defer s.withoutAction(t, name, action)()
		return use(s, t)
	}()
	if denied == "" {
		t.Error("nothing was denied without it: it is superfluous")
	} else if !strings.Contains(denied, stackNotAuthorized+action) {
		t.Errorf("something else was denied without it: %s", denied)
	}
	if denied := use(s, t); denied != "" {
		t.Errorf("denied with all that the role has: %s", denied)
	}
}

// stackNotAuthorized stands before the action in AWS's own words.
const stackNotAuthorized = "is not authorized to perform: "

// stackDenied is the text if it tells that something was denied; anything else but "" ends the test.
func stackDenied(t *testing.T, text string) string {
	t.Helper()
	if text != "" && !strings.Contains(text, stackNotAuthorized) {
		t.Fatalf("failed, and not since something was denied: %s", text)
	}
	return text
}

// useSchedule gives Schedule somebody to wake: a token that nobody has seen before.
func (s *stack) useSchedule(t *testing.T) string {
	s.fillWith(t, stackToken{stackEmails[stackHost], "pt_test" + rand.Text()[:8]})
	_, failed := s.invoke(t, "Schedule", `{}`)
	s.idle(t)
	return stackDenied(t, failed)
}

// handle has Lookup handle a message that lies in no queue, and returns why it would go back, "" if it would not.
func (s *stack) handle(t *testing.T, group, body string) (why string) {
	t.Helper()
	began := time.Now()
	answer, failed := s.invoke(t, "Lookup", string(stackJSON(t, map[string]any{"Records": []any{map[string]any{
		"messageId": rand.Text(), "receiptHandle": rand.Text(), "body": body, "eventSource": "aws:sqs",
		"attributes": map[string]string{"MessageGroupId": group, "MessageDeduplicationId": rand.Text(), "ApproximateReceiveCount": "1"},
	}}})))
	if failed != "" {
		t.Fatalf("Lookup failed: %s", failed)
	}
	var result struct{ BatchItemFailures []any }
	if stackParse(t, answer, &result); len(result.BatchItemFailures) == 0 {
		return ""
	}
	lines := s.logged(t, "Lookup", began)
	i := slices.IndexFunc(lines, func(l stackLine) bool {
		return l.fields["message"] == "the message goes back into the queue" || l.fields["received"] != nil
	})
	if i < 0 {
		t.Fatalf("Lookup answers %s, and logs %v", answer, lines)
	}
	return fmt.Sprint(lines[i].fields["error"])
}

func stackWake(key string) string {
	return fmt.Sprintf(`{"version":1,"key":%q,"reason":"operator","sent":%q}`, key, time.Now().UTC().Format(time.RFC3339))
}

// useConnect has Lookup learn whose a new token is, and wake the account.
func (s *stack) useConnect(t *testing.T) string {
	token := stackToken{stackEmails[stackHost], "pt_test" + rand.Text()[:8]}
	s.replaceToken(stackHost, token.Token)
	s.fillWith(t, token)
	key := s.credentialKey(t, token)
	why := s.handle(t, key, stackWake(key))
	s.idle(t)
	return stackDenied(t, why)
}

// useLookup has Lookup find a booking that nobody has seen before, and publish it.
func (s *stack) useLookup(t *testing.T) string {
	s.fresh(t)
	day := s.freeFrom(t, 4403, stackToday().AddDays(20), 1)
	s.server.Put(stackHost, ownerreztest.Booking{PropertyID: 4403, Arrival: day, Departure: day.AddDays(1)})
	began, seq := time.Now(), s.row(t, stackHostKey).Seq
	why := s.handle(t, stackHostKey, stackWake(stackHostKey))
	row := s.row(t, stackHostKey)
	switch {
	case why != "":
	case row.Seq == seq:
		t.Fatalf("the lookup found nothing: %+v", row)
	case row.Published < row.Seq:
		for _, line := range s.logged(t, "Lookup", began) {
			if strings.Contains(line.text, stackNotAuthorized) {
				return line.text
			}
		}
		t.Fatalf("%d of %d events are published, and the log does not tell why", row.Published, row.Seq)
	default:
		s.eventsAfter(t, stackHost, seq)
	}
	return stackDenied(t, why)
}

// usePoison has Lookup hide a message that it cannot read. It lies in no queue, which is said too, but not before it
// is known that Lookup may hide it.
func (s *stack) usePoison(t *testing.T) string {
	began := time.Now()
	if why := s.handle(t, stackHostKey, "poison"); !strings.Contains(why, "no wake-up") {
		t.Fatalf("the poison goes back: %s", why)
	}
	for _, line := range s.logged(t, "Lookup", began) {
		if strings.Contains(line.text, stackNotAuthorized) {
			return line.text
		}
	}
	return ""
}

// useCalendar reads from each of the API's paths.
func (s *stack) useCalendar(t *testing.T) string {
	began := time.Now()
	from := stackToday()
	failed := false
	for _, target := range []string{
		"/v1/accounts", fmt.Sprintf("/v1/calendar?account=%d&from=%s&to=%s", stackHost, from, from.AddDays(7)),
		fmt.Sprintf("/v1/changes?account=%d&after=0", stackHost),
	} {
		got := s.api(t, s.conf, target, nil)
		if got.status == http.StatusOK {
			continue
		}
		if failed = true; got.status != http.StatusInternalServerError || strings.Contains(string(got.body), stackNotAuthorized) {
			t.Errorf("GET %s: status %d: %s", target, got.status, got.body)
		}
	}
	if !failed {
		return ""
	}
	for _, line := range s.logged(t, "Calendar", began) {
		if strings.Contains(line.text, stackNotAuthorized) {
			return line.text
		}
	}
	t.Fatal("the log does not tell why")
	return ""
}

// useAccounts lists the accounts, as on the first day: nobody has made the key of fingerprints, and the function has
// not read the secret.
func (s *stack) useAccounts(t *testing.T) string {
	s.configure(t, nil)
	table, key := s.outputs["TableName"], s.keyOfFingerprints(t)
	_, err := s.dynamo.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &table, Key: key.key})
	if err != nil {
		t.Fatal(err)
	}
	standings, list := s.invoke(t, "Accounts", `{"command":"list"}`)
	if strings.Contains(string(standings), stackNotAuthorized) { // the accounts are listed all the same
		list = string(standings)
	}
	if _, err := s.dynamo.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: key.item}); err != nil {
		t.Fatal(err)
	}
	s.configure(t, nil)
	_, status := s.invoke(t, "Accounts", fmt.Sprintf(`{"command":"status","account":%d}`, stackHost))
	if status != "" {
		return stackDenied(t, status)
	}
	return stackDenied(t, list)
}

// stackItem is an item of the table.
type stackItem struct {
	key, item map[string]types.AttributeValue
}

// keyOfFingerprints finds the item that holds the key of fingerprints.
func (s *stack) keyOfFingerprints(t *testing.T) stackItem {
	t.Helper()
	table := s.outputs["TableName"]
	described, err := s.dynamo.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &table})
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range s.items(t) {
		found := stackItem{map[string]types.AttributeValue{}, item}
		meta := false
		for _, k := range described.Table.KeySchema {
			found.key[*k.AttributeName] = item[*k.AttributeName]
			text, ok := item[*k.AttributeName].(*types.AttributeValueMemberS)
			meta = meta || ok && text.Value == "META"
		}
		if meta {
			return found
		}
	}
	t.Fatal("the table holds no key of fingerprints")
	return stackItem{}
}
