package ownerrez

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
)

// WebhookSubscriptionQuery chooses a page of subscriptions; the zero WebhookSubscriptionQuery chooses all.
type WebhookSubscriptionQuery struct {
	Limit  int // rows per page; 0 means 100, the most that OwnerRez documents
	Offset int // rows to skip
}

const (
	subscriptionsRoute = "/v2/webhooksubscriptions"
	categoriesRoute    = subscriptionsRoute + "/categories"
)

// WebhookSubscriptionsService says of what OwnerRez tells an OAuth app. OwnerRez has webhooks for OAuth apps only
// (https://www.ownerrez.com/support/articles/api-webhooks), and how it refuses a personal token is not documented:
// with one, nothing is sent, and every method returns ErrInvalid. That way it is never taken for a 401 or 403,
// which say something of the token.
//
// A subscription cannot be changed: create the new one, then delete the old one. OwnerRez is known to fall silent
// for subscriptions that it still lists; deleting and creating them again has cured it.
type WebhookSubscriptionsService struct{ core *core }

// List returns one page of the app's subscriptions in the account.
//
// GET /v2/webhooksubscriptions
func (s *WebhookSubscriptionsService) List(ctx context.Context, q WebhookSubscriptionQuery) (*Page[WebhookSubscription], error) {
	l, err := s.listing(q)
	if err != nil {
		return nil, err
	}
	page, err := readPage[WebhookSubscription](ctx, s.core, l)
	if err != nil {
		return nil, err
	}
	for i := range page.Items {
		page.Items[i].normalize()
	}
	return page, nil
}

// All yields all subscriptions of the app in the account, page by page, each id once. A list that cannot be read
// whole ends with ErrIncomplete. Nothing is sent before the sequence is ranged over; ranging again asks again.
//
// GET /v2/webhooksubscriptions
func (s *WebhookSubscriptionsService) All(ctx context.Context, q WebhookSubscriptionQuery) iter.Seq2[WebhookSubscription, error] {
	l, err := s.listing(q)
	if err != nil {
		return failing[WebhookSubscription](err)
	}
	return func(yield func(WebhookSubscription, error) bool) {
		for w, err := range readAll(ctx, s.core, l, func(w WebhookSubscription) int64 { return w.ID }) {
			w.normalize()
			if !yield(w, err) {
				return
			}
		}
	}
}

func (s *WebhookSubscriptionsService) listing(q WebhookSubscriptionQuery) (listing, error) {
	l, err := newListing(subscriptionsRoute, make(url.Values), q.Limit, q.Offset)
	if refusal := s.refuse(http.MethodGet, subscriptionsRoute); refusal != nil {
		return l, refusal
	}
	return l, err
}

// Get returns the subscription with that id. An answer that is not that subscription is ErrUnreadable.
//
// GET /v2/webhooksubscriptions/{id}
func (s *WebhookSubscriptionsService) Get(ctx context.Context, id int64) (*WebhookSubscription, error) {
	if err := s.refuse(http.MethodGet, subscriptionsRoute+"/{id}"); err != nil {
		return nil, err
	}
	w, err := readOne(ctx, s.core, subscriptionsRoute, id, func(w *WebhookSubscription) int64 { return w.ID })
	if err != nil {
		return nil, err
	}
	w.normalize()
	return w, nil
}

// Create subscribes to what want names by Type, Action, WebhookURL and, if it is not empty, Category. Its ID and
// Extra are not sent. The result is what OwnerRez says that it made; a field that it leaves out is zero.
//
// Nothing is known to keep OwnerRez from making the same subscription twice, so list before. Like every POST it is
// not repeated where its answer is lost, and it may have been done then, as after ErrUnreadable: list again.
//
// POST /v2/webhooksubscriptions
func (s *WebhookSubscriptionsService) Create(ctx context.Context, want WebhookSubscription) (*WebhookSubscription, error) {
	if err := s.refuse(http.MethodPost, subscriptionsRoute); err != nil {
		return nil, err
	}
	r := request{
		method: http.MethodPost, base: s.core.api, route: subscriptionsRoute, path: subscriptionsRoute,
		contentType: "application/json", secret: behindHost(want.WebhookURL),
	}
	payload, err := want.payload()
	if err != nil {
		return nil, &Error{Method: r.method, Route: r.route, Err: err}
	}
	r.payload = string(payload)
	return do(ctx, s.core, r, func(a *attempt) (*WebhookSubscription, error) {
		w := decodeRow[WebhookSubscription](a.body)
		if w.ID < 1 {
			return nil, fmt.Errorf("%w: it names no subscription, though one may have been made", ErrUnreadable)
		}
		w.normalize()
		return &w, nil
	})
}

// Delete ends the subscription with that id. One that is not there is ErrNotFound, unless an attempt before, of which
// the answer was lost, has deleted it. Subscriptions of other apps, and of other accounts, cannot be deleted.
//
// DELETE /v2/webhooksubscriptions/{id}
func (s *WebhookSubscriptionsService) Delete(ctx context.Context, id int64) error {
	r := request{
		method: http.MethodDelete, base: s.core.api, route: subscriptionsRoute + "/{id}",
		path: subscriptionsRoute + "/" + strconv.FormatInt(id, 10),
	}
	if err := s.refuse(r.method, r.route); err != nil {
		return err
	}
	if id < 1 {
		return &Error{Method: r.method, Route: r.route, Err: fmt.Errorf("%w: an id is a positive number", ErrInvalid)}
	}
	_, err := do(ctx, s.core, r, func(*attempt) (struct{}, error) { return struct{}{}, nil })
	return err
}

// Categories lists the values of Category, by the kind of record that they belong to, in lower case: property,
// contact and booking. They are written as OwnerRez writes them. OwnerRez's own client of other programs reads the
// answer as an object, or as the first row of a list; an answer that is neither is ErrUnreadable.
//
// GET /v2/webhooksubscriptions/categories
func (s *WebhookSubscriptionsService) Categories(ctx context.Context) (map[string][]string, error) {
	r := request{method: http.MethodGet, base: s.core.api, route: categoriesRoute, path: categoriesRoute}
	if err := s.refuse(r.method, r.route); err != nil {
		return nil, err
	}
	return do(ctx, s.core, r, func(a *attempt) (map[string][]string, error) { return decodeCategories(a.body) })
}

// refuse is the error for clients with a personal token.
func (s *WebhookSubscriptionsService) refuse(method, route string) error {
	if _, personal := s.core.auth.(*pat); !personal {
		return nil
	}
	return &Error{Method: method, Route: route, Err: fmt.Errorf("%w: OwnerRez has webhooks for OAuth apps only, not for a personal token; use ownerrez.OAuth", ErrInvalid)}
}
