package functions_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"
)

// stackPolicy is an inline policy of a role.
type stackPolicy struct {
	role, name string
	document   map[string]any
}

// policies lists the inline policies of a role.
func (s *stack) policies(t *testing.T, role string) []stackPolicy {
	t.Helper()
	var names struct {
		Names []string `xml:"ListRolePoliciesResult>PolicyNames>member"`
	}
	s.query(t, "iam", "2010-05-08", url.Values{"Action": {"ListRolePolicies"}, "RoleName": {role}}, &names)
	var policies []stackPolicy
	for _, name := range names.Names {
		var got struct {
			Document string `xml:"GetRolePolicyResult>PolicyDocument"`
		}
		s.query(t, "iam", "2010-05-08", url.Values{"Action": {"GetRolePolicy"}, "RoleName": {role}, "PolicyName": {name}}, &got)
		text, err := url.QueryUnescape(got.Document)
		if err != nil {
			t.Fatal(err)
		}
		p := stackPolicy{role: role, name: name}
		stackParse(t, []byte(text), &p.document)
		policies = append(policies, p)
	}
	return policies
}

// put writes a policy.
func (s *stack) put(t *testing.T, p stackPolicy) {
	t.Helper()
	s.query(t, "iam", "2010-05-08", url.Values{
		"Action": {"PutRolePolicy"}, "RoleName": {p.role}, "PolicyName": {p.name}, "PolicyDocument": {string(stackJSON(t, p.document))},
	}, nil)
}

// statements are the policy's statements, which may be one without a list.
func (p stackPolicy) statements() []map[string]any {
	list, ok := p.document["Statement"].([]any)
	if !ok {
		list = []any{p.document["Statement"]}
	}
	var out []map[string]any
	for _, statement := range list {
		out = append(out, statement.(map[string]any))
	}
	return out
}

// stackActions are the actions of a statement, which may be one without a list.
func stackActions(statement map[string]any) []string {
	if one, ok := statement["Action"].(string); ok {
		return []string{one}
	}
	var out []string
	for _, action := range statement["Action"].([]any) {
		out = append(out, action.(string))
	}
	return out
}

// without is the policy without an action in the statement with that Sid; ok tells whether it had it.
func (p stackPolicy) without(t *testing.T, sid any, action string) (changed stackPolicy, ok bool) {
	t.Helper()
	changed = p
	changed.document = nil
	stackParse(t, stackJSON(t, p.document), &changed.document) // a copy of its own
	var left []any
	for _, statement := range changed.statements() {
		actions := stackActions(statement)
		kept := slices.DeleteFunc(slices.Clone(actions), func(a string) bool { return a == action && statement["Sid"] == sid })
		ok = ok || len(kept) < len(actions)
		if statement["Action"] = kept; len(kept) > 0 {
			left = append(left, statement)
		}
	}
	if len(left) == 0 { // a policy needs a statement
		left = []any{json.RawMessage(`{"Effect":"Allow","Action":"sts:GetCallerIdentity","Resource":"*"}`)}
	}
	changed.document["Statement"] = left
	return changed, ok
}

// roles are the names of the stack's roles, by what their logical ids begin with: the function's.
func (s *stack) roles(t *testing.T) map[string]string {
	t.Helper()
	roles := map[string]string{}
	for _, r := range s.resources {
		if r.ResourceType == "AWS::IAM::Role" {
			roles[strings.TrimSuffix(r.LogicalResourceId, "Role")] = r.PhysicalResourceId
		}
	}
	for _, name := range s.functions() {
		role := s.configuration(t, name).Role
		if !strings.HasSuffix(role, "/"+roles[name]) {
			t.Fatalf("%s has the role %s; the stack has %v", name, role, roles)
		}
	}
	return roles
}

// managed are the policies of AWS that are attached to a role.
func (s *stack) managed(t *testing.T, role string) []string {
	t.Helper()
	var got struct {
		ARNs []string `xml:"ListAttachedRolePoliciesResult>AttachedPolicies>member>PolicyArn"`
	}
	s.query(t, "iam", "2010-05-08", url.Values{"Action": {"ListAttachedRolePolicies"}, "RoleName": {role}}, &got)
	return got.ARNs
}

// withoutAction takes an action from a statement of the role of a function, until it is restored.
func (s *stack) withoutAction(t *testing.T, function string, sid any, action string) (restore func()) {
	t.Helper()
	var had []stackPolicy
	for _, p := range s.policies(t, s.roles(t)[function]) {
		if changed, ok := p.without(t, sid, action); ok {
			had = append(had, p)
			s.put(t, changed)
		}
	}
	if len(had) == 0 {
		t.Fatalf("the role of %s has no action %s in %v", function, action, sid)
	}
	restore = func() {
		for _, p := range had {
			s.put(t, p)
		}
	}
	return restore
}

// whoMayRead asks the API without a signature, as somebody without a permission, and as a reader.
func (s *stack) whoMayRead(t *testing.T) {
	s.publicRoutes(t)
	stranger := s.conf.Copy()
	stranger.Credentials = nil
	for _, path := range []string{"/v1/accounts", "/v1/calendar?account=1&from=2026-12-01&to=2026-12-02", "/v1/changes?account=1&after=0"} {
		if got := s.api(t, stranger, path, nil); got.status != http.StatusForbidden {
			t.Errorf("%s without a signature: status %d: %s", path, got.status, got.body)
		}
	}
	user := url.Values{"UserName": {s.name}}
	iam := func(action string, more url.Values, into any) {
		form := url.Values{"Action": {action}, "UserName": user["UserName"]}
		maps.Copy(form, more)
		s.query(t, "iam", "2010-05-08", form, into)
	}
	iam("CreateUser", nil, nil)
	var key struct {
		ID     string `xml:"CreateAccessKeyResult>AccessKey>AccessKeyId"`
		Secret string `xml:"CreateAccessKeyResult>AccessKey>SecretAccessKey"`
	}
	iam("CreateAccessKey", nil, &key)
	reader := s.conf.Copy()
	reader.Credentials = credentials.NewStaticCredentialsProvider(key.ID, key.Secret, "")
	if got := s.api(t, reader, "/v1/accounts", nil); got.status != http.StatusForbidden {
		t.Errorf("a user without a permission: status %d: %s", got.status, got.body)
	}
	iam("PutUserPolicy", url.Values{"PolicyName": {"read"}, "PolicyDocument": {
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"arn:aws:execute-api:us-east-1:*:*/*/GET/v1/*"}]}`,
	}}, nil)
	if got := s.api(t, reader, "/v1/accounts", nil); got.status != http.StatusOK {
		t.Errorf("a user with the permission: status %d: %s", got.status, got.body)
	}
	iam("DeleteUserPolicy", url.Values{"PolicyName": {"read"}}, nil)
	iam("DeleteAccessKey", url.Values{"AccessKeyId": {key.ID}}, nil)
	iam("DeleteUser", nil, nil)
}

// publicRoutes looks at every route of the API, not only those that are known here: all but the wanted ones are signed.
func (s *stack) publicRoutes(t *testing.T, want ...string) {
	t.Helper()
	var routes struct {
		Items []struct{ RouteKey, AuthorizationType string }
	}
	req := s.request(t, http.MethodGet, "/v2/apis/"+s.apiID(t)+"/routes", nil, nil)
	stackParse(t, s.do(t, s.conf, "apigateway", req, nil).must(t, "the API's routes"), &routes)
	if len(routes.Items) == 0 {
		t.Error("the API has no route")
	}
	var public []string
	for _, r := range routes.Items {
		switch r.AuthorizationType {
		case "AWS_IAM":
		case "NONE":
			public = append(public, r.RouteKey)
		default:
			t.Errorf("route %s: authorization %q", r.RouteKey, r.AuthorizationType)
		}
	}
	slices.Sort(public)
	if diff := cmp.Diff(want, public); diff != "" {
		t.Errorf("routes that need no signature (-want +got)\n%s", diff)
	}
}
