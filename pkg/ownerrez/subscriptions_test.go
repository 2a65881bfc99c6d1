package ownerrez_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// Subscriptions from their making to their end, in an OwnerRez.
func TestSubscriptionsInAnOwnerRez(t *testing.T) {
	server := ownerreztest.New(ownerreztest.WithQuirks(ownerreztest.Quirks{CategoriesInItems: true, LastLink: ownerreztest.LastLinkNull}))
	server.AddAccount(ownerreztest.Account{ID: 7, Email: testEmail, PAT: testPAT, AccessToken: testAT})
	c := asApp(t, server.URL(), ownerrez.WithHTTPClient(server.HTTPClient(t)), ownerrez.WithAllowHTTPHost("ownerrez.test"))
	ctx := t.Context()
	all := func() []ownerrez.WebhookSubscription {
		t.Helper()
		rows, err := ownerrez.Collect(c.All(ctx, ownerrez.WebhookSubscriptionQuery{Limit: 1}))
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}

	if rows := all(); rows != nil {
		t.Errorf("at first there are %v", rows)
	}
	var made []ownerrez.WebhookSubscription
	for _, action := range []ownerrez.WebhookAction{ownerrez.WebhookCreate, ownerrez.WebhookUpdate, ownerrez.WebhookDelete} {
		w, err := c.Create(ctx, ownerrez.WebhookSubscription{Type: ownerrez.WebhookBooking, Action: action, WebhookURL: hookURL})
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, *w)
	}
	if diff := cmp.Diff(made, all()); diff != "" || made[1].WebhookURL != hookURL {
		t.Error(diff)
	}
	var truth []ownerrez.WebhookSubscription
	for _, s := range server.Subscriptions(7) {
		truth = append(truth, ownerrez.WebhookSubscription{ID: s.ID, Type: ownerrez.WebhookType(s.Type), Action: ownerrez.WebhookAction(s.Action), WebhookURL: s.URL})
	}
	if diff := cmp.Diff(made, truth); diff != "" {
		t.Error(diff)
	}
	if w, err := c.Get(ctx, made[1].ID); err != nil || w.Action != ownerrez.WebhookUpdate {
		t.Errorf("%v, %v", w, err)
	}
	if err := c.Delete(ctx, made[1].ID); err != nil || len(all()) != 2 {
		t.Errorf("%v, %v are left", err, all())
	}
	wantKinds(t, c.Delete(ctx, made[1].ID), ownerrez.ErrNotFound)
	_, err := c.Get(ctx, made[1].ID)
	wantKinds(t, err, ownerrez.ErrNotFound)
	categories, err := c.Categories(ctx)
	if err != nil || len(categories["booking"]) == 0 || len(categories["property"]) == 0 {
		t.Errorf("%v, %v", categories, err)
	}
	_, err = c.Create(ctx, ownerrez.WebhookSubscription{Type: "unheard_of", Action: ownerrez.WebhookUpdate, WebhookURL: hookURL})
	wantKinds(t, err, ownerrez.ErrInvalid)
}

// A deletion whose answer is lost is done once, and is no error; a creation whose answer is lost is one, and is done.
func TestSubscriptionsAndLostAnswers(t *testing.T) {
	server := ownerreztest.New()
	server.AddAccount(ownerreztest.Account{ID: 7, AccessToken: testAT})
	c := asApp(t, server.URL(), ownerrez.WithHTTPClient(server.HTTPClient(t)), ownerrez.WithAllowHTTPHost("ownerrez.test"), ownerrez.WithRetry(ownerrez.RetryPolicy{MinWait: 1}))
	lost := ownerreztest.Fault{Do: ownerreztest.LoseAnswer()}

	server.Fault(lost)
	w, err := c.Create(t.Context(), bookingDates)
	wantKinds(t, err, ownerrez.ErrUnreachable)
	hidesURL(t, "Create", printed(err))
	left := server.Subscriptions(7)
	if w != nil || len(left) != 1 || server.Count() != 1 {
		t.Fatalf("%v, and there are %d after %d requests", w, len(left), server.Count())
	}
	server.Fault(lost)
	if err := c.Delete(t.Context(), left[0].ID); err != nil || len(server.Subscriptions(7)) != 0 || server.Count() != 3 {
		t.Errorf("%v after %d requests", err, server.Count())
	}
}
