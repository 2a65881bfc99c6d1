package ownerreztest_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

const (
	hooks   = "/v2/webhooksubscriptions"
	hookURL = "https://hooks.example.com/a/secret?b=1"
)

// postJSON sends a body that calls itself kind.
func (c caller) postJSON(path, kind, body string) reply {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.base+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Content-Type", kind)
	c.prep(req)
	return c.send(req)
}

// subscribe is a good POST.
func (c caller) subscribe(action string) reply {
	c.t.Helper()
	return c.postJSON(hooks, "application/json; charset=utf-8", `{"type":"Booking","action":"`+action+`","webhook_url":"`+hookURL+`","category":"dates"}`)
}

// withToken is the caller as another app or account.
func (c caller) withToken(token, agent string) caller {
	c.prep = func(r *http.Request) {
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("User-Agent", agent)
	}
	return c
}

func TestSubscriptions(t *testing.T) {
	s := newServer()
	c := call(t, s)
	c.prep = asApp
	r := c.subscribe("EntityUpdate")
	want := map[string]any{"id": 7001.0, "type": "booking", "action": "entity_update", "webhook_url": hookURL, "category": "dates"}
	if diff := cmp.Diff(want, r.object(t)); diff != "" || r.status != 201 {
		t.Errorf("%d %s", r.status, diff)
	}
	if twin := c.subscribe("entity_update"); twin.status != 201 || twin.object(t)["id"] != 7002.0 {
		t.Errorf("the same once more: %d %s", twin.status, twin.body)
	}
	truth := ownerreztest.Subscription{ID: 7001, Account: acct, ClientID: "c_51234234", Type: "booking", Action: "entity_update", Category: "dates", URL: hookURL}
	if got := s.Subscriptions(acct); len(got) != 2 || got[0] != truth {
		t.Errorf("%+v", got)
	}
	if !slices.Contains(s.Secrets(), hookURL) {
		t.Error("the URL is not among the secrets")
	}
	one := c.get(hooks + "/7001")
	if diff := cmp.Diff(want, one.object(t)); diff != "" {
		t.Error(diff)
	}
	if r := c.do("DELETE", c.base+hooks+"/7001"); r.status != 204 || r.body != "" {
		t.Errorf("DELETE: %d %s", r.status, r.body)
	}
	for _, method := range []string{"GET", "DELETE"} {
		if r := c.do(method, c.base+hooks+"/7001"); r.status != 404 || r.object(t)["code"] != "not_found" {
			t.Errorf("%s of what is gone: %d %s", method, r.status, r.body)
		}
	}
	if got := s.Subscriptions(acct); len(got) != 1 || got[0].ID != 7002 {
		t.Errorf("%+v are left", got)
	}
	if r := c.subscribe("entity_update"); r.object(t)["id"] != 7003.0 {
		t.Errorf("an id came twice: %s", r.body)
	}
}

// TestSubscriptionPages: they come in pages as other lists do.
func TestSubscriptionPages(t *testing.T) {
	s := newServer()
	c := call(t, s)
	c.prep = asApp
	for range 23 {
		c.subscribe("entity_create")
	}
	first := c.get(hooks)
	if ids := first.ids(t); len(ids) != 20 || ids[0] != 7001 {
		t.Errorf("%v", ids)
	}
	link, _ := first.object(t)["next_page_url"].(string)
	if last := c.do("GET", link); len(last.ids(t)) != 3 || last.object(t)["next_page_url"] != nil || last.ids(t)[2] != 7023 {
		t.Errorf("%s: %s", link, last.body)
	}
	for query, status := range map[string]int{"?limit=x": 400, "?offset=-1": 400, "?type=booking": 405, "/categories?x=1": 405, "/7001?x=1": 405, "/x": 405, "/7001/x": 405} {
		if r := c.get(hooks + query); r.status != status {
			t.Errorf("%s: %d", query, r.status)
		}
	}
	for _, method := range []string{"PUT", "PATCH"} {
		for _, path := range []string{"", "/7001", "/categories"} {
			if r := c.do(method, c.base+hooks+path); r.status != 405 {
				t.Errorf("%s %s: %d", method, path, r.status)
			}
		}
	}
}

// TestSubscriptionsAreApart: each app sees its own, in each account.
func TestSubscriptionsAreApart(t *testing.T) {
	f := newFlow(t, ownerreztest.Quirks{})
	f.s.AddAccount(ownerreztest.Account{ID: 8, AccessToken: "at_other"})
	granted, _ := f.exchange(f.code()).object(t)["access_token"].(string)
	callers := []caller{f.withToken(granted, agent), f.withToken(bearer, appAgent), f.withToken("at_other", agent)}
	for _, c := range callers {
		c.subscribe("entity_update")
	}
	for i, c := range callers {
		for j := range callers {
			path := fmt.Sprint(hooks, "/", 7001+j)
			if r := c.get(path); (r.status == 200) != (i == j) {
				t.Errorf("caller %d sees subscription %d: %d", i, j, r.status)
			}
			if r := c.do("DELETE", c.base+path); i != j && r.status != 404 {
				t.Errorf("caller %d deletes subscription %d: %d", i, j, r.status)
			}
			if i == j { // put it back
				c.subscribe("entity_update")
			}
		}
		if ids := c.get(hooks).ids(t); len(ids) != 1 {
			t.Errorf("caller %d sees %v", i, ids)
		}
	}
	apps := []string{}
	for _, h := range f.s.Subscriptions(acct) {
		apps = append(apps, h.ClientID)
	}
	if !slices.Equal(apps, []string{appID, "c_51234234"}) || len(f.s.Subscriptions(8)) != 1 {
		t.Errorf("%v, and in the other account %+v", apps, f.s.Subscriptions(8))
	}
	if ids := f.withToken(granted, appAgent).get(hooks).ids(t); !slices.Equal(ids, callers[0].get(hooks).ids(t)) {
		t.Errorf("with another app's User-Agent the token's app sees %v", ids)
	}
	f.s.RevokeAccess(acct)
	if r := callers[0].get(hooks); r.status != 401 || len(f.s.Subscriptions(acct)) != 2 {
		t.Errorf("after the revocation: %d, %+v", r.status, f.s.Subscriptions(acct))
	}
}

// TestSubscriptionsAreForApps: a personal token is refused, whatever it asks.
func TestSubscriptionsAreForApps(t *testing.T) {
	for quirk, want := range map[int]int{0: 403, 402: 402, 401: 401} {
		s := newServer(ownerreztest.WithQuirks(ownerreztest.Quirks{PATWebhookStatus: quirk}))
		c := call(t, s)
		for _, r := range []reply{c.get(hooks), c.get(hooks + "/categories"), c.get(hooks + "/7001"), c.do("DELETE", c.base+hooks+"/7001"), c.subscribe("entity_update")} {
			if r.status != want || r.object(t)["code"] == nil {
				t.Errorf("%d %s, want %d", r.status, r.body, want)
			}
		}
		if got := s.Subscriptions(acct); len(got) != 0 {
			t.Errorf("%+v", got)
		}
	}
}

// TestSubscriptionsAreChecked: what POST refuses, and that it then has done nothing.
func TestSubscriptionsAreChecked(t *testing.T) {
	s := newServer()
	c := call(t, s)
	c.prep = asApp
	const good = `{"type":"property","action":"entity_update","webhook_url":"https://h.example/x"}`
	for _, test := range []struct {
		body   string
		status int
	}{
		{good, 201},
		{`{"type":"none","action":"ApplicationAuthorizationRevoked","webhook_url":"http://127.0.0.1:8080/","x":1}`, 201},
		{`{"type":"property","action":"entity_update","webhook_url":"https://h.example/x","category":"photos"}`, 201},
		{`{"type":"property","action":"entity_update","webhook_url":"https://h.example/x","category":"dates"}`, 400},
		{`{"type":"quote","action":"entity_update","webhook_url":"https://h.example/x","category":"dates"}`, 400},
		{`{"action":"entity_update","webhook_url":"https://h.example/x"}`, 400},
		{`{"type":"house","action":"entity_update","webhook_url":"https://h.example/x"}`, 400},
		{`{"type":"property","webhook_url":"https://h.example/x"}`, 400},
		{`{"type":"property","action":"entity_read","webhook_url":"https://h.example/x"}`, 400},
		{`{"type":"property","action":"entity_update"}`, 400},
		{`{"type":"property","action":"entity_update","webhookUrl":"https://h.example/x"}`, 400}, // camelCase is ignored
		{`{"Type":"property","action":"entity_update","webhook_url":"https://h.example/x"}`, 400},
		{`{"type":"property","action":"entity_update","webhook_url":"http://h.example/x"}`, 400},
		{`{"type":"property","action":"entity_update","webhook_url":"h.example/x"}`, 400},
		{`{"type":["property"],"action":"entity_update","webhook_url":"https://h.example/x"}`, 400},
		{`[` + good + `]`, 400}, {`null`, 400}, {``, 400}, {good[1:], 400},
	} {
		before := len(s.Subscriptions(acct))
		r := c.postJSON(hooks, "application/json", test.body)
		if after := len(s.Subscriptions(acct)); r.status != test.status || (after > before) != (test.status == 201) {
			t.Errorf("%s: %d %s, %d subscriptions", test.body, r.status, r.body, after)
		}
		if r.status == 400 && r.object(t)["code"] != "validation_failed" {
			t.Errorf("%s: %s", test.body, r.body)
		}
	}
	if r := c.postJSON(hooks, "text/plain", good); r.status != 400 {
		t.Errorf("a body that is no JSON by its header: %d", r.status)
	}
	if r := c.postJSON(hooks+"?x=1", "application/json", good); r.status != 405 {
		t.Errorf("an unknown parameter: %d", r.status)
	}
}

func TestSubscriptionCategories(t *testing.T) {
	for _, wrapped := range []bool{false, true} {
		c := call(t, newServer(ownerreztest.WithQuirks(ownerreztest.Quirks{CategoriesInItems: wrapped})))
		c.prep = asApp
		o := c.get(hooks + "/categories").object(t)
		if items, ok := o["items"].([]any); ok != wrapped {
			t.Errorf("wrapped %t: %v", wrapped, o)
		} else if ok {
			o, _ = items[0].(map[string]any)
		}
		booking, _ := o["Booking"].([]any)
		if contact, ok := o["Contact"].([]any); !slices.Contains(booking, any("dates")) || !ok || len(contact) != 0 || o["Property"] == nil {
			t.Errorf("%t: %v", wrapped, o)
		}
	}
}
