package ownerreztest

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// How OwnerRez is said to post: an answer has two seconds, and what fails is sent ten times more, over some six hours.
// After how many of them it gives a subscriber up is not known.
const (
	hookTimeout  = 2 * time.Second
	hookRetries  = 10
	hookFirst    = 20 * time.Second // before the first repeat; twice as long before each further one
	hookFailures = 10               // webhooks in a row that were never taken in: then no more are sent
)

// Webhook is a post to a subscriber.
type Webhook struct {
	ID             string
	Account        int64
	Subscription   int64 // 0: to the app's own address
	URL            string
	User, Password string // of the app's own address; empty elsewhere
	Body           []byte
	Attempts       int       // how often it was sent
	Due            time.Time // when it is to be sent next
}

// Post is a webhook as an http.Request.
func (h Webhook) Post(ctx context.Context) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, strings.NewReader(string(h.Body)))
	if err != nil {
		return nil, err
	}
	r.Header.Set(contentType, jsonType)
	if h.User != "" {
		r.SetBasicAuth(h.User, h.Password)
	}
	return r, nil
}

// TakeWebhooks takes out the webhooks that are due, in the order in which they are: what becomes of them is the caller's
// matter. Deliver sends them as OwnerRez does.
func (s *Server) TakeWebhooks() []Webhook {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	var due []Webhook
	s.posts = slices.DeleteFunc(s.posts, func(h Webhook) bool {
		if h.Due.After(now) {
			return false
		}
		due = append(due, h)
		return true
	})
	slices.SortStableFunc(due, func(a, b Webhook) int { return a.Due.Compare(b.Due) })
	return due
}

// Deliver sends the webhooks that are due, one after the other, and returns how many were taken in. What fails is sent
// again when its time comes: call Deliver again and again, as the clock goes on.
func (s *Server) Deliver(ctx context.Context, client *http.Client) (taken int) {
	for _, h := range s.TakeWebhooks() {
		if s.deliver(ctx, client, h) {
			taken++
		}
	}
	return taken
}

func (s *Server) deliver(ctx context.Context, client *http.Client, h Webhook) bool {
	limited, cancel := context.WithTimeout(ctx, hookTimeout)
	defer cancel()
	ok := false
	if r, err := h.Post(limited); err == nil {
		if resp, err := client.Do(r); err == nil {
			_ = resp.Body.Close()
			ok = resp.StatusCode/100 == 2
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if h.Attempts++; ok {
		delete(s.failing, h.URL)
		return true
	}
	if h.Attempts > hookRetries {
		s.failing[h.URL]++
		return false
	}
	h.Due = s.now().Add(hookFirst << (h.Attempts - 1))
	s.posts = append(s.posts, h)
	return false
}

// SilenceWebhooks ends all posts of an account's subscriptions that are there now, although they are still listed: as
// others report of OwnerRez. Those that are made later are posted to.
func (s *Server) SilenceWebhooks(accountID int64) {
	acc, unlock := s.open(accountID)
	defer unlock()
	for _, h := range s.hooks {
		if h.Account == acc.ID {
			s.silent[h.ID] = true
		}
	}
	s.posts = slices.DeleteFunc(s.posts, func(h Webhook) bool { return h.Account == acc.ID })
}

// tell lets everybody know who has subscribed to it what happened to a booking. The server is locked.
func (s *Server) tell(acc *account, action string, id int64, categories ...string) {
	body := map[string]any{
		"user_id": acc.ID, "action": action, "entity_type": "booking", "entity_id": id, "categories": categories,
	}
	if row := acc.rows[id]; row != nil {
		body["entity"] = map[string]any{"id": id, "property_id": row.PropertyID, "arrival": row.Arrival.String(), "departure": row.Departure.String()}
	}
	for _, h := range s.hooks {
		if h.Account == acc.ID && h.Type == "booking" && h.Action == action && !s.silent[h.ID] &&
			(h.Category == "" || slices.Contains(categories, h.Category)) {
			s.post(Webhook{Account: acc.ID, Subscription: h.ID, URL: h.URL}, body)
		}
	}
	s.tellApps(acc, body)
}

// tellApps posts to the own addresses of the apps that the account has let in. The server is locked.
func (s *Server) tellApps(acc *account, body map[string]any) {
	told := map[string]bool{}
	for _, t := range s.tokens {
		app := s.apps[t.client]
		if t.account == acc.ID && t.kind == accessToken && !t.ended && app.WebhookURL != "" && !told[t.client] {
			told[t.client] = true
			s.post(Webhook{Account: acc.ID, URL: app.WebhookURL, User: app.WebhookUser, Password: app.WebhookPassword}, body)
		}
	}
}

// post makes a webhook that is due at once, unless its subscriber was given up. The server is locked.
func (s *Server) post(h Webhook, body map[string]any) {
	if s.failing[h.URL] >= hookFailures {
		return
	}
	s.posted++
	h.ID = fmt.Sprintf("0f0f0f0f-1111-4222-8333-%012d", s.posted)
	body["id"] = h.ID
	h.Body, h.Due = encode(body), s.now()
	s.posts = append(s.posts, h)
}

// changedIn lists what has changed of a booking, in the words of subscriptions' categories.
func changedIn(was, now Booking) (categories []string) {
	if was.Arrival != now.Arrival || was.Departure != now.Departure {
		categories = append(categories, "dates")
	}
	if was.PropertyID != now.PropertyID || was.Status != now.Status || was.Type != now.Type {
		categories = append(categories, "availability")
	}
	if now.Status == "canceled" && was.Status != "canceled" {
		categories = append(categories, "canceled")
	}
	return categories
}
