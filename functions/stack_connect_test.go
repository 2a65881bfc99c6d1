package functions_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// The OAuth app at the fake OwnerRez.
const (
	stackAppID     = "c_51234234"
	stackAppSecret = "s_testapp"
)

// The user and the password by which OwnerRez's webhooks are let in.
const stackHookUser, stackHookPassword = "stack-test", "hook-password"

// stackTokenLife is how long access tokens live at the fake OwnerRez.
const stackTokenLife = 3 * time.Hour

// noPublicEndpoints is a stack whose operator connects no accounts.
func (s *stack) noPublicEndpoints(t *testing.T) {
	s.publicRoutes(t)
	if want := []string{"Accounts", "Calendar", "Lookup", "Schedule"}; !slices.Equal(s.functions(), want) {
		t.Errorf("functions %v", s.functions())
	}
	if s.outputs["RedirectUrl"] != "" {
		t.Errorf("RedirectUrl %s", s.outputs["RedirectUrl"])
	}
	for _, path := range []string{"/connect?invite=X", "/connect/result", "/connect/leave", "/oauth/callback?state=X&code=X"} {
		if seen := s.browser(t).get(t, s.public(path)); seen.status != http.StatusNotFound {
			t.Errorf("GET %s: status %d: %s", path, seen.status, seen.body)
		}
	}
}

// unplugged is a stack whose operator no longer connects accounts: those that are connected are looked up on, and OwnerRez is
// no longer to post to an address that is gone.
func (s *stack) unplugged(t *testing.T) {
	if len(s.server.Subscriptions(stackHost)) == 0 {
		t.Fatal("OwnerRez posts nothing")
	}
	s.deploy(t, "EnableConnect=false", "RequestsPerFiveMinutes=300", "AppName=stack-test")
	s.noPublicEndpoints(t)
	s.lookUp(t, stackHostKey)
	s.statusIs(t, stackHost, lookup.StatusOK)
	s.equalsTruth(t, stackHost)
	if left := s.server.Subscriptions(stackHost); len(left) > 0 {
		t.Errorf("OwnerRez posts to %d subscriptions", len(left))
	}
}

// publicEndpoints is a stack whose operator connects accounts, and has not filled the secret of the OAuth app yet.
func (s *stack) publicEndpoints(t *testing.T) {
	s.publicRoutes(t, "ANY /connect", "ANY /connect/leave", "ANY /connect/result", "ANY /oauth/callback",
		"POST /webhooks/ownerrez", "POST /webhooks/ownerrez/{account}/{code}")
	s.throttled(t, "ANY /connect", "ANY /connect/leave", "ANY /connect/result", "ANY /oauth/callback")
	if want := []string{"Accounts", "Authorize", "Calendar", "Callback", "Lookup", "Schedule", "Webhook"}; !slices.Equal(s.functions(), want) {
		t.Errorf("functions %v", s.functions())
	}
	if got := s.browser(t).get(t, s.public("/v1/accounts")); got.status != http.StatusForbidden {
		t.Errorf("the calendars' API without a signature: status %d: %s", got.status, got.body)
	}
	b := s.browser(t)
	b.get(t, s.public("/connect")).is(t, http.StatusForbidden, "You need an invitation")
	b.get(t, s.public("/connect?invite=UNKNOWN")).is(t, http.StatusForbidden, "You need an invitation")
	b.get(t, s.invite(t, 0, "", "")).is(t, http.StatusServiceUnavailable, "Nobody can be connected at the moment")
	b.get(t, s.public("/oauth/callback?state=X&code=X")).is(t, http.StatusBadRequest, "This link leads nowhere")
	if seen := b.send(t, http.MethodPut, s.public("/connect"), nil, nil); seen.status != http.StatusMethodNotAllowed {
		t.Errorf("PUT: status %d", seen.status)
	}
	if seen := b.send(t, http.MethodHead, s.public("/connect?invite=UNKNOWN"), nil, nil); seen.status != http.StatusOK {
		t.Errorf("HEAD: status %d", seen.status)
	}
	if n := s.server.Count(); n > 0 {
		t.Errorf("OwnerRez was asked %d times", n)
	}
}

// throttled looks at the limits of the routes that everybody reaches. The emulator has them, and does not keep to them.
func (s *stack) throttled(t *testing.T, routes ...string) {
	t.Helper()
	type limits struct{ ThrottlingRateLimit, ThrottlingBurstLimit json.Number }
	var stages struct {
		Items []struct {
			DefaultRouteSettings limits
			RouteSettings        map[string]limits
		}
	}
	req := s.request(t, http.MethodGet, "/v2/apis/"+s.apiID(t)+"/stages", nil, nil)
	stackParse(t, s.do(t, s.conf, "apigateway", req, nil).must(t, "the API's stages"), &stages)
	if len(stages.Items) != 1 || stages.Items[0].DefaultRouteSettings.ThrottlingRateLimit != "20" {
		t.Fatalf("stages %+v", stages)
	}
	for _, route := range routes {
		if got := stages.Items[0].RouteSettings[route]; got != (limits{"5", "20"}) {
			t.Errorf("%s: %+v", route, got)
		}
	}
}

// openOffice registers the app at OwnerRez, fills its secret, and begins with new sandboxes, as after some minutes.
func (s *stack) openOffice(t *testing.T) {
	s.server.SetQuirks(ownerreztest.Quirks{TokensExpireIn: stackTokenLife, RefreshRotates: true})
	s.server.AddApp(ownerreztest.App{
		ClientID: stackAppID, ClientSecret: stackAppSecret, Name: "Stack Test", RedirectURL: s.outputs["RedirectUrl"],
	})
	s.hide(stackAppSecret, stackHookPassword, s.webhookKey(t))
	s.fillApp(t, fmt.Sprintf(`{"client_id":%q,"client_secret":%q,"webhook_user":%q,"webhook_password":%q}`,
		stackAppID, stackAppSecret, stackHookUser, stackHookPassword))
}

// webhookKey is what CloudFormation has filled the secret with that makes the addresses of webhooks.
func (s *stack) webhookKey(t *testing.T) string {
	t.Helper()
	i := slices.IndexFunc(s.resources, func(r stackResource) bool { return r.LogicalResourceId == "WebhookKeySecret" })
	if i < 0 {
		t.Fatalf("the stack has no WebhookKeySecret: %v", s.resources)
	}
	out, err := s.secrets.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: &s.resources[i].PhysicalResourceId})
	if err != nil || len(*out.SecretString) < 32 {
		t.Fatalf("the key of webhooks: %v", err)
	}
	return *out.SecretString
}

// fillApp fills the secret of the OAuth app.
func (s *stack) fillApp(t *testing.T, value string) {
	t.Helper()
	arn := s.outputs["OAuthAppSecretArn"]
	_, err := s.secrets.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: &arn, SecretString: &value})
	if err != nil {
		t.Fatalf("filling the secret of the app: %v", err)
	}
	s.configure(t, nil)
}

// operate gives the operator's function a command, and returns what it answers.
func (s *stack) operate(t *testing.T, command map[string]any) string {
	t.Helper()
	answer, failed := s.invoke(t, "Accounts", string(stackJSON(t, command)))
	if failed != "" {
		t.Fatalf("the operator's %s failed: %s", command["command"], failed)
	}
	return string(answer)
}

var stackLink = regexp.MustCompile(`https?://[^"]*/connect\?invite=([A-Z0-9]+)`)

// invite has the operator invite a host: account 0 is whichever.
func (s *stack) invite(t *testing.T, id int64, ref, back string) (link string) {
	t.Helper()
	command := map[string]any{"command": "invite"}
	if id != 0 {
		command["account"] = id
	}
	if ref != "" {
		command["ref"] = ref
	}
	if back != "" {
		command["return"] = back
	}
	answer, failed := s.invokeUnseen(t, "Accounts", string(stackJSON(t, command)))
	if failed != "" {
		t.Fatalf("the operator's invite failed: %s", failed)
	}
	found := stackLink.FindStringSubmatch(string(answer))
	if found == nil || found[0] != s.public("/connect?invite="+found[1]) {
		t.Fatalf("an invitation to %s is answered by %s", s.public("/connect"), answer)
	}
	s.hide(found[1])
	return found[0]
}

// secretOf describes the secret of a connected account; nil if there is none.
func (s *stack) secretOf(t *testing.T, id int64) *secretsmanager.DescribeSecretOutput {
	t.Helper()
	name := s.secretName(id)
	out, err := s.secrets.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: &name})
	if errors.As(err, new(*types.ResourceNotFoundException)) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// connection reads what the secret of a connected account holds.
func (s *stack) connection(t *testing.T, id int64) account.Connection {
	t.Helper()
	name := s.secretName(id)
	out, err := s.secrets.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: &name})
	if err != nil {
		t.Fatalf("the secret of account %d: %v", id, err)
	}
	connection, err := account.ParseConnection([]byte(*out.SecretString))
	if err != nil {
		t.Fatal(err)
	}
	return connection
}

// setConnection puts another connection in the place of an account's.
func (s *stack) setConnection(t *testing.T, id int64, connection account.Connection) {
	t.Helper()
	value, err := connection.Encode()
	if err != nil {
		t.Fatal(err)
	}
	name, text := s.secretName(id), string(value)
	_, err = s.secrets.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: &name, SecretString: &text})
	if err != nil {
		t.Fatal(err)
	}
}

// listed is what /v1/accounts tells of an account; ok is false if it is not there.
func (s *stack) listed(t *testing.T, id int64) (st lookup.Standing, ok bool) {
	t.Helper()
	var accounts stackAccounts
	s.get(t, "/v1/accounts", &accounts)
	for _, a := range accounts.Accounts {
		if a.Account == id {
			return a.Standing, true
		}
	}
	return st, false
}

// statusIs fails unless the row of an account has that status.
func (s *stack) statusIs(t *testing.T, id int64, want lookup.Status) lookup.Account {
	t.Helper()
	row := s.row(t, lookup.AccountKey(id))
	if row.Status != want {
		t.Fatalf("account %d is %s, not %s: %+v", id, row.Status, want, row.Problems)
	}
	return row
}
