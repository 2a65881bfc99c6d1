package ownerrez

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"
)

// WebhookType is the kind of record that a webhook tells of. More exist than are constants here: a client that
// looked counted eight. Text that is no constant here is kept.
type WebhookType string

// The types that clients of others use. None is documented.
const (
	WebhookBooking  WebhookType = "booking" // blocks and holds too
	WebhookGuest    WebhookType = "guest"
	WebhookProperty WebhookType = "property"
	WebhookQuote    WebhookType = "quote"
	WebhookInquiry  WebhookType = "inquiry"
	WebhookMessage  WebhookType = "message"
	WebhookNone     WebhookType = "none"
)

// WebhookAction is what happened. Text that is no constant here is kept.
type WebhookAction string

// The documented actions.
const (
	WebhookCreate  WebhookAction = "entity_create"
	WebhookUpdate  WebhookAction = "entity_update"
	WebhookDelete  WebhookAction = "entity_delete"
	WebhookRevoked WebhookAction = "application_authorization_revoked" // the account no longer lets the app in
	WebhookTest    WebhookAction = "webhook_test"                      // somebody pressed OwnerRez's button
)

// WebhookSubscription makes OwnerRez post to WebhookURL whenever Action happens to a record of Type. It belongs to
// one account and one app. OwnerRez signs nothing, so WebhookURL usually holds a secret, and whoever knows it can
// post to it: printing a WebhookSubscription, with whatever verb or logger, does not show it, and no error of this
// package does. Encoding as JSON does, so that it can be stored; beware of loggers that encode what it is in.
//
// The fields' names are those that OwnerRez's own client of other programs, and others who measured, use: OwnerRez's
// documents do not show them. Types and actions are written here as entity_update, however OwnerRez spells them.
type WebhookSubscription struct {
	ID         int64                      `json:"id"`
	Type       WebhookType                `json:"type"`
	Action     WebhookAction              `json:"action"`      // some answers seem to leave it out
	WebhookURL string                     `json:"webhook_url"` // keep it secret
	Category   string                     `json:"category"`    // only changes of this kind, such as dates; empty: all. See Categories
	Extra      map[string]json.RawMessage `json:"-"`           // all that no field takes, by key
}

// String describes w without its URL.
func (w WebhookSubscription) String() string {
	what := strings.TrimSpace(fmt.Sprintf("%s %s %s", w.Type, w.Action, w.Category))
	return fmt.Sprintf("ownerrez.WebhookSubscription(%d: %s, URL hidden)", w.ID, scrub(what, w.WebhookURL))
}

// GoString is String.
func (w WebhookSubscription) GoString() string { return w.String() }

// Format writes String, whatever the verb.
func (w WebhookSubscription) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, w.String()) }

// LogValue gives a structured logger String.
func (w WebhookSubscription) LogValue() slog.Value { return slog.StringValue(w.String()) }

// payload is what is sent of w. Its errors do not show the URL.
func (w WebhookSubscription) payload() ([]byte, error) {
	if w.Type == "" || w.Action == "" {
		return nil, fmt.Errorf("%w: a webhook subscription needs a type and an action", ErrInvalid)
	}
	u, err := url.Parse(w.WebhookURL)
	switch {
	case err != nil || u.Hostname() == "" || strings.ContainsFunc(w.WebhookURL, unprintable):
		return nil, fmt.Errorf("%w: the webhook URL must be like https://host/path", ErrInvalid)
	case u.User != nil || u.Fragment != "":
		return nil, fmt.Errorf("%w: the webhook URL must hold no user and no fragment", ErrInvalid)
	case u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname()) && !strings.HasSuffix(u.Hostname(), ".localhost")):
		return nil, fmt.Errorf("%w: the webhook URL must be https: OwnerRez posts to nothing else", ErrInvalid)
	}
	return json.Marshal(struct {
		Type       WebhookType   `json:"type"`
		Action     WebhookAction `json:"action"`
		WebhookURL string        `json:"webhook_url"`
		Category   string        `json:"category,omitzero"`
	}{w.Type, w.Action, w.WebhookURL, w.Category})
}

// behindHost is the part of a URL that may hold a secret: path and query. Whole URLs are never shown anyway.
func behindHost(link string) string {
	_, rest, _ := strings.Cut(link, "://")
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		return rest[i:]
	}
	return ""
}

// decodeCategories reads the lists of an object, or of the first row of a list.
func decodeCategories(body []byte) (map[string][]string, error) {
	all := make(map[string][]string)
	object := body
	for key, value := range members(body) {
		if strings.EqualFold(string(key), "items") {
			object = nil
			for element := range elements(value) {
				object = element
				break
			}
		}
	}
	for key, value := range members(object) {
		if names, ok := readStrings(value); ok && isArray(value) {
			all[snake(string(key))] = names
		} else if isArray(value) {
			return nil, fmt.Errorf("%w: its categories are of another kind", ErrUnreadable)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%w: it names no categories", ErrUnreadable)
	}
	return all, nil
}

// normalize spells type and action as OwnerRez's answers mostly do. (Its own client of other programs sends
// EntityUpdate, others send entity_update.)
func (w *WebhookSubscription) normalize() {
	w.Type, w.Action = WebhookType(snake(string(w.Type))), WebhookAction(snake(string(w.Action)))
}

// snake writes EntityUpdate as entity_update.
func snake(text string) string {
	var b strings.Builder
	var before rune
	for _, r := range text {
		if r >= 'A' && r <= 'Z' {
			if before >= 'a' && before <= 'z' {
				b.WriteByte('_')
			}
			before = r
			r += 'a' - 'A'
		} else {
			before = r
		}
		b.WriteRune(r)
	}
	return b.String()
}

// MarshalJSON writes the fields that are not zero, and Extra. The URL is among them.
func (w WebhookSubscription) MarshalJSON() ([]byte, error) { return marshalRow(w) }

// UnmarshalJSON reads a subscription leniently: it fails for invalid JSON only.
func (w *WebhookSubscription) UnmarshalJSON(data []byte) error {
	err := unmarshalRow(w, data)
	w.normalize()
	return err
}
