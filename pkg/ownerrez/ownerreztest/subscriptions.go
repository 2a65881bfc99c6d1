package ownerreztest

import (
	"encoding/json"
	"mime"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Subscription is what an OAuth app wants to be told of an account.
type Subscription struct {
	ID       int64 // never used again
	Account  int64
	ClientID string // of the app, "c_…"
	Type     string // such as "booking"
	Action   string // such as "entity_update"
	Category string // such as "dates"; "": all
	URL      string // where it wants to be told. It usually holds a secret: it is among Secrets
}

// What a subscription may name. The true lists are longer and not published: these are what clients are seen to
// use. Which categories belong to which kind of record is a guess.
var (
	hookTypes      = []string{"booking", "guest", "property", "quote", "inquiry", "message", "none"}
	hookActions    = []string{"entity_create", "entity_update", "entity_delete", "application_authorization_revoked", "webhook_test"}
	hookCategories = map[string][]string{
		"Property": {"photos"}, "Contact": {}, "Booking": {"availability", "canceled", "charge", "dates", "financial"},
	}
)

// Subscriptions returns what all apps have subscribed to in an account, by ID, whatever faults and quirks answer.
// It is a copy. Neither ended tokens nor RevokeAccess take subscriptions away; what OwnerRez does is not known.
func (s *Server) Subscriptions(accountID int64) []Subscription {
	acc, unlock := s.open(accountID)
	defer unlock()
	return s.hooksOf(func(h Subscription) bool { return h.Account == acc.ID })
}

// DropSubscription ends a subscription without anybody having asked for it, as others report of OwnerRez. It reports
// false if there is none.
func (s *Server) DropSubscription(accountID, id int64) bool {
	acc, unlock := s.open(accountID)
	defer unlock()
	before := len(s.hooks)
	s.hooks = slices.DeleteFunc(s.hooks, func(h Subscription) bool { return h.Account == acc.ID && h.ID == id })
	return len(s.hooks) < before
}

// hooksOf is the subscriptions that belong. The server is locked.
func (s *Server) hooksOf(belongs func(Subscription) bool) []Subscription {
	all := []Subscription{}
	for _, h := range s.hooks {
		if belongs(h) {
			all = append(all, h)
		}
	}
	return all
}

// subscriptions answers all that has to do with them. They are for OAuth apps only. The server is locked.
func (s *Server) subscriptions(c *call, acc *account) answer {
	if credentialOf(c.r).kind == "pat" {
		return s.quirks.patWebhook()
	}
	path, method := c.r.URL.Path, c.r.Method
	known := func(names ...string) bool { return s.quirks.IgnoreUnknownParameter || !c.strange(names) }
	switch client := s.clientOf(c); {
	case path == hooksPath && method == http.MethodGet && known("limit", "offset", endlessParameter):
		return s.listHooks(c, acc, client)
	case path == hooksPath && method == http.MethodPost && known():
		return s.addHook(c, acc, client)
	case path == categoriesPath && method == http.MethodGet && known():
		return s.quirks.categories()
	case numbered(path, hooksPath) && known() && (method == http.MethodGet || method == http.MethodDelete):
		return s.hook(method, acc, client, path[len(hooksPath)+1:])
	}
	return unsupported(c)
}

// clientOf is the app that calls: the one that the token was made for. An Account's own AccessToken was made for
// none, and belongs to the app that the User-Agent names.
func (s *Server) clientOf(c *call) string {
	if t := s.tokens[credentialOf(c.r).token]; t != nil {
		return t.client
	}
	_, rest, _ := strings.Cut(c.r.UserAgent(), "(c_")
	id, _, _ := strings.Cut(rest, ")")
	return "c_" + id
}

// patWebhook is the answer to a personal token. Its true shape is not known.
func (q Quirks) patWebhook() answer {
	status := orDefault(q.PATWebhookStatus, http.StatusForbidden)
	return q.failure(status, codes[status], "Webhook subscriptions are available to OAuth apps only.")
}

func (s *Server) listHooks(c *call, acc *account, client string) answer {
	rows := s.hooksOf(func(h Subscription) bool { return h.Account == acc.ID && h.ClientID == client })
	return s.page(c, len(rows), false, func(i int) []byte { return encode(rows[i].object()) })
}

// object is the subscription with its keys; what is not set is left out.
func (h Subscription) object() map[string]any {
	return sparse{"id": h.ID, "type": h.Type, "action": h.Action, "webhook_url": h.URL, "category": h.Category}.clean()
}

// hook answers for one subscription by id. Another app's, or another account's, is not there.
func (s *Server) hook(method string, acc *account, client, id string) answer {
	n, _ := strconv.ParseInt(id, 10, 64)
	i := slices.IndexFunc(s.hooks, func(h Subscription) bool { return h.ID == n && h.Account == acc.ID && h.ClientID == client })
	if i < 0 {
		return s.quirks.notFound("WebhookSubscription", id)
	}
	if method == http.MethodGet {
		return jsonAnswer(http.StatusOK, s.hooks[i].object())
	}
	s.hooks = slices.Delete(s.hooks, i, i+1)
	return answer{status: http.StatusNoContent}
}

// addHook answers POST. The same subscription can be made twice.
func (s *Server) addHook(c *call, acc *account, client string) answer {
	kind, _, _ := mime.ParseMediaType(c.r.Header.Get(contentType))
	var body map[string]any // not a struct: keys in another case are none
	if json.Unmarshal(c.body, &body) != nil || body == nil || kind != "application/json" {
		return s.quirks.invalid("The body must be a JSON object.")
	}
	text := func(key string) string { value, _ := body[key].(string); return value }
	h := Subscription{
		Account: acc.ID, ClientID: client, Type: snake(text("type")), Action: snake(text("action")),
		Category: text("category"), URL: text("webhook_url"),
	}
	if wrong := h.wrong(); wrong != "" {
		return s.quirks.invalid("%s", wrong)
	}
	s.lastHook++
	h.ID = s.lastHook
	s.hooks = append(s.hooks, h)
	s.keepSecrets(h.URL)
	return jsonAnswer(http.StatusCreated, h.object())
}

// wrong says what is wrong with a subscription; "": nothing. It repeats the URL, as an API might.
func (h Subscription) wrong() string {
	u, err := url.Parse(h.URL)
	switch {
	case !slices.Contains(hookTypes, h.Type):
		return "type is required, and must be one of " + strings.Join(hookTypes, ", ") + "."
	case !slices.Contains(hookActions, h.Action):
		return "action is required, and must be one of " + strings.Join(hookActions, ", ") + "."
	case err != nil || u.Host == "" || (u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname()))):
		return "webhook_url '" + h.URL + "' must be an https address." // of one's own machine also http, for tests
	case h.Category != "" && !slices.Contains(hookCategories[categoryKey(h.Type)], h.Category):
		return "category is not one of this type."
	}
	return ""
}

// categoryKey is the name under which a type's categories are listed.
func categoryKey(hookType string) string {
	return map[string]string{"property": "Property", "guest": "Contact", "booking": "Booking"}[hookType]
}

func (q Quirks) categories() answer {
	if q.CategoriesInItems {
		return jsonAnswer(http.StatusOK, map[string]any{"items": []any{hookCategories}, "limit": 20, "offset": 0})
	}
	return jsonAnswer(http.StatusOK, hookCategories)
}

// snake spells EntityUpdate, which is accepted too, as entity_update.
func snake(text string) string {
	var b strings.Builder
	for i, r := range text {
		if i > 0 && r >= 'A' && r <= 'Z' && text[i-1] >= 'a' && text[i-1] <= 'z' {
			b.WriteByte('_')
		}
		b.WriteRune(r)
	}
	return strings.ToLower(b.String())
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || (err == nil && addr.Unmap().IsLoopback())
}
