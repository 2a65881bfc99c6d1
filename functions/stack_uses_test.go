package functions_test

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

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
