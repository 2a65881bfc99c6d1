package functions_test

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// stackConnectUses are the uses, beside stackUses, of a stack whose operator connects accounts.
var stackConnectUses = map[string]stackUse{
	"Authorize Table dynamodb:GetItem":                     (*stack).useAuthorize,
	"Authorize Table dynamodb:PutItem":                     (*stack).useAuthorize,
	"Authorize App secretsmanager:GetSecretValue":          (*stack).useAuthorize,
	"Authorize WakeUps sqs:SendMessage":                    (*stack).useLeavePage,
	"Callback Table dynamodb:GetItem":                      (*stack).useCallback,
	"Callback Table dynamodb:PutItem":                      (*stack).useCallback,
	"Callback App secretsmanager:GetSecretValue":           (*stack).useCallback,
	"Callback WakeUps sqs:SendMessage":                     (*stack).useCallback,
	"Callback AccountsMakes secretsmanager:CreateSecret":   (*stack).useCallbackFirst,
	"Callback AccountsReads secretsmanager:GetSecretValue": (*stack).useCallback,
	"Callback AccountsKeeps secretsmanager:PutSecretValue": (*stack).useCallback,
	"Callback AccountsKeeps secretsmanager:RestoreSecret":  (*stack).useCallbackAgain,
	"Callback AccountsKeeps " + stackMoves:                 (*stack).useCallback,
	"Lookup App secretsmanager:GetSecretValue":             (*stack).useConnected,
	"Lookup AccountsReads secretsmanager:GetSecretValue":   (*stack).useConnected,
	"Lookup AccountsKeeps secretsmanager:PutSecretValue":   (*stack).useRefresh,
	"Lookup AccountsKeeps " + stackMoves:                   (*stack).useRefresh,
	"Lookup AccountsKeeps secretsmanager:DeleteSecret":     (*stack).useLeave,
	"Lookup AccountsKeeps secretsmanager:RestoreSecret":    (*stack).useRestore,
	"Lookup WebhookKey secretsmanager:GetSecretValue":      (*stack).useConnected,
	"Accounts WakeUps sqs:SendMessage":                     (*stack).useDisconnect,
	"Webhook WakeUps sqs:SendMessage":                      (*stack).useWebhook,
	"Webhook Credentials secretsmanager:GetSecretValue":    (*stack).useWebhook,
	"Lookup Table dynamodb:DeleteItem":                     (*stack).useConnected,
}

const stackMoves = "secretsmanager:UpdateSecretVersionStage"

// stackConnectUnchecked are unchecked, beside stackUnchecked, in such a stack.
var stackConnectUnchecked = map[string]string{
	"Authorize Logs logs:CreateLogStream":               "the emulator keeps logs by itself; on AWS there are none without it",
	"Authorize Logs logs:PutLogEvents":                  "the same",
	"Callback Logs logs:CreateLogStream":                "the same",
	"Callback Logs logs:PutLogEvents":                   "the same",
	"Webhook Logs logs:CreateLogStream":                 "the same",
	"Webhook Logs logs:PutLogEvents":                    "the same",
	"Callback AccountsMakes secretsmanager:TagResource": "the emulator tags what it makes without asking; AWS asks",
}

// eachConnectPermission takes each action from each role in turn that those who connect accounts need.
func (s *stack) eachConnectPermission(t *testing.T) {
	unchecked := maps.Clone(stackUnchecked)
	maps.Copy(unchecked, stackConnectUnchecked)
	s.permissions(t, stackConnectUses, unchecked)
	s.refill(t)
	s.lookUp(t, stackHostKey)
	s.statusIs(t, stackHost, lookup.StatusOK)
	s.equalsTruth(t, stackHost)
}

// deniedIn is what a function was denied since a time, by its log.
func (s *stack) deniedIn(t *testing.T, name string, since time.Time) string {
	t.Helper()
	for _, line := range s.logged(t, name, since) {
		if strings.Contains(line.text, stackNotAuthorized) {
			return line.text
		}
	}
	return ""
}

// useAuthorize opens an invitation in a new sandbox.
func (s *stack) useAuthorize(t *testing.T) string {
	link := s.invite(t, 0, "", "")
	s.fresher(t, "Authorize")
	began := time.Now()
	seen := s.browser(t).get(t, link)
	denied := s.deniedIn(t, "Authorize", began)
	if (seen.status == http.StatusSeeOther) != (denied == "") {
		t.Fatalf("status %d, %s: %s", seen.status, seen.words(), denied)
	}
	if denied != "" {
		seen.is(t, http.StatusInternalServerError, "Something went wrong on our side")
	}
	return denied
}

// useLeavePage disconnects an account: its lane is woken.
func (s *stack) useLeavePage(t *testing.T) string {
	s.useCallback(t)
	b := s.browser(t)
	link := strings.Replace(s.invite(t, stackThird, "", ""), "/connect?", "/connect/leave?", 1)
	page := b.getUnseen(t, link).is(t, http.StatusOK, "Disconnect your account?")
	began := time.Now()
	b.submit(t, page, nil).is(t, http.StatusOK, "Disconnected")
	s.idle(t)
	return s.deniedIn(t, "Authorize", began)
}

// useCallback connects an account that has a token already.
func (s *stack) useCallback(t *testing.T) string {
	if secret := s.secretOf(t, stackThird); secret == nil || secret.DeletedDate != nil {
		s.connectThird(t)
	}
	return s.connectThird(t)
}

// useCallbackFirst connects an account that has none.
func (s *stack) useCallbackFirst(t *testing.T) string {
	name := s.secretName(stackThird)
	_, err := s.secrets.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: &name, ForceDeleteWithoutRecovery: new(true)})
	if err != nil && s.secretOf(t, stackThird) != nil {
		t.Fatal(err)
	}
	return s.connectThird(t)
}

// useCallbackAgain connects an account whose token was deleted.
func (s *stack) useCallbackAgain(t *testing.T) string {
	s.deleteThird(t)
	return s.connectThird(t)
}

func (s *stack) secretName(id int64) string { return fmt.Sprintf("%s/account/%d", s.name, id) }

func (s *stack) deleteThird(t *testing.T) {
	t.Helper()
	if secret := s.secretOf(t, stackThird); secret != nil && secret.DeletedDate != nil {
		return
	}
	_, err := s.secrets.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: new(s.secretName(stackThird))})
	if err != nil {
		t.Fatal(err)
	}
}

// connectThird goes the whole way with the third account, in a new sandbox.
func (s *stack) connectThird(t *testing.T) string {
	t.Helper()
	s.refill(t)
	b := s.browser(t)
	callback := b.allow(t, b.consent(t, s.invite(t, stackThird, "", "")), stackThird)
	s.fresher(t, "Callback")
	began := time.Now()
	page := b.open(t, callback)
	denied := s.deniedIn(t, "Callback", began)
	if denied == "" && page.status != http.StatusOK {
		t.Fatalf("status %d: %s", page.status, page.words())
	}
	s.idle(t)
	return denied
}

// useConnected looks a connected account up, as its host has just connected it.
func (s *stack) useConnected(t *testing.T) string {
	s.refill(t)
	s.ask(t, lookup.Request{Account: stackHost, By: lookup.ByHost, At: time.Now().UTC().Add(-time.Hour)})
	s.fresher(t, "Lookup")
	why := s.handle(t, stackHostKey, stackWakeFor(stackHostKey, lookup.ReasonConnected))
	return stackDenied(t, why)
}

// ask asks an account's lane to do something.
func (s *stack) ask(t *testing.T, r lookup.Request) {
	t.Helper()
	if err := s.store.Ask(t.Context(), r); err != nil {
		t.Fatal(err)
	}
}

func stackWakeFor(key, reason string) string {
	return strings.Replace(stackWake(key), `"operator"`, fmt.Sprintf("%q", reason), 1)
}

// useRefresh looks an account up whose token is refused: it is refreshed.
func (s *stack) useRefresh(t *testing.T) string {
	s.refill(t)
	s.fresher(t, "Lookup")
	was, began := s.connection(t, stackHost), time.Now()
	s.server.Fault(ownerreztest.Fault{Match: ownerreztest.MatchPath("/v2/bookings"), Do: ownerreztest.Status(http.StatusUnauthorized)})
	defer s.server.ClearFaults()
	why := s.handle(t, stackHostKey, stackWake(stackHostKey))
	if denied := s.deniedIn(t, "Lookup", began); why == "" {
		why = denied
	}
	if refreshed := s.connection(t, stackHost).Token.AccessToken != was.Token.AccessToken; refreshed != (why == "") {
		t.Errorf("refreshed %t: %s; the account's row says %+v", refreshed, why, s.row(t, stackHostKey).Problems)
	}
	return stackDenied(t, why)
}

// useLeave disconnects the third account.
func (s *stack) useLeave(t *testing.T) string {
	if s.row(t, lookup.AccountKey(stackThird)).Leaving == nil {
		s.connectThird(t)
		s.ask(t, lookup.Request{Account: stackThird, Leave: true, By: lookup.ByOperator, At: time.Now().UTC()})
	}
	key := lookup.AccountKey(stackThird)
	why := s.handle(t, key, stackWakeFor(key, lookup.ReasonLeave))
	if why == "" {
		s.statusIs(t, stackThird, lookup.StatusLeft)
	}
	return stackDenied(t, why)
}

// useRestore has the lane find that its host has connected the account while its token was deleted.
func (s *stack) useRestore(t *testing.T) string {
	key := lookup.AccountKey(stackThird)
	if s.row(t, key).Status == lookup.StatusLeft {
		s.connectThird(t)
	}
	s.deleteThird(t)
	s.ask(t, lookup.Request{Account: stackThird, By: lookup.ByHost, At: time.Now().UTC()})
	why := s.handle(t, key, stackWakeFor(key, lookup.ReasonConnected))
	if secret := s.secretOf(t, stackThird); (secret.DeletedDate == nil) != (why == "") {
		t.Errorf("the secret is %+v: %s", secret, why)
	}
	return stackDenied(t, why)
}

// useWebhook posts what OwnerRez does when a booking changed.
func (s *stack) useWebhook(t *testing.T) string {
	s.fresher(t, "Webhook")
	body := fmt.Sprintf(`{"id":"1","user_id":%d,"action":"entity_update","entity_type":"booking","entity_id":900101}`, stackHost)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.public("/webhooks/ownerrez"), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.SetBasicAuth(stackHookUser, stackHookPassword)
	began := time.Now()
	resp, err := s.browser(t).client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	denied := s.deniedIn(t, "Webhook", began)
	if (resp.StatusCode == http.StatusOK) != (denied == "") {
		t.Fatalf("status %d: %s", resp.StatusCode, denied)
	}
	s.idle(t)
	return denied
}

// refill forgets what was asked of OwnerRez in the last minutes: uses are more than its budget allows.
func (s *stack) refill(t *testing.T) {
	t.Helper()
	table := s.outputs["TableName"]
	for _, item := range s.items(t) {
		pk, ok := item["pk"].(*types.AttributeValueMemberS)
		if !ok || !strings.HasPrefix(pk.Value, "BUDGET#") {
			continue
		}
		_, err := s.dynamo.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{
			TableName: &table, Key: map[string]types.AttributeValue{"pk": item["pk"], "sk": item["sk"]},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
