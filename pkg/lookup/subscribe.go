package lookup

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// Webhooks is where OwnerRez is to post what happens in accounts.
type Webhooks struct {
	Base string                                    // what the URLs of all accounts begin with; other URLs are not ours
	Key  func(ctx context.Context) ([]byte, error) // makes the accounts' URLs
}

// Subscriptions is what an account's row knows of our subscriptions to its webhooks.
type Subscriptions struct {
	Of      string    `json:",omitempty"` // a hash of the URL
	IDs     []int64   `json:",omitempty"` // at OwnerRez
	Checked time.Time `json:",omitzero"`  // when OwnerRez was last asked whether they are there
	Made    time.Time `json:",omitzero"`  // since when they are all there, as far as we know
}

// subscribeAgain is how long after a failure it is tried again.
const subscribeAgain = time.Hour

// subscribed are the webhooks that we want of an account.
var subscribed = []ownerrez.WebhookSubscription{
	{Type: ownerrez.WebhookBooking, Action: ownerrez.WebhookCreate},
	{Type: ownerrez.WebhookBooking, Action: ownerrez.WebhookUpdate},
	{Type: ownerrez.WebhookBooking, Action: ownerrez.WebhookDelete},
}

// subscribe sees to it, once a day and when our address has changed, that OwnerRez posts what happens in the account to
// us. That it does not is no trouble of the account: polling goes on. So its answers do not count as those of the run do.
func (j *Job) subscribe(ctx context.Context, r *run) error {
	if r.ended != nil || r.row.Connection == "" || r.row.Credential != r.row.Connection {
		return nil
	}
	if j.Webhooks == nil {
		r.stopWebhooks(ctx)
		return nil
	}
	key, err := j.Webhooks.Key(ctx)
	if err != nil {
		return &ownError{err}
	}
	url := account.WebhookURL(j.Webhooks.Base, key, r.row.ID)
	of := account.Fingerprint(key, url)
	subs, silence := &r.row.Subscriptions, &r.row.Silence
	anew := !silence.Since.IsZero() && r.now.Sub(silence.Remade) >= fullEvery
	if subs.Of == of && r.now.Sub(subs.Checked) < fullEvery && !anew {
		return nil
	}
	if anew {
		silence.Remade = r.now
	}
	before := slices.Clone(subs.IDs)
	ids, err := r.ensure(ctx, j.Webhooks.Base, url, anew)
	if slices.Sort(ids); !slices.Equal(ids, before) || subs.Made.IsZero() {
		subs.Made = r.now
	}
	subs.IDs = ids
	if err != nil {
		subs.Of, subs.Checked = of, r.now.Add(subscribeAgain-fullEvery)
		message, _ := Explain(err)
		r.say(Problem{Message: "OwnerRez could not be asked to tell of changes at once. " + message, Next: "Nothing to do: the account is looked up on schedule, and it is tried again in an hour."})
		return nil
	}
	subs.Of, subs.Checked = of, r.now
	return nil
}

// stopWebhooks ends the subscriptions that we had: OwnerRez can no longer reach us. Where that fails it is tried again in an
// hour.
func (r *run) stopWebhooks(ctx context.Context) {
	subs := &r.row.Subscriptions
	if len(subs.IDs) == 0 || subs.Of == "" && r.now.Sub(subs.Checked) < subscribeAgain {
		return
	}
	if err := r.endSubscriptions(ctx, nowhere); err != nil {
		*subs = Subscriptions{IDs: subs.IDs, Checked: r.now}
		return
	}
	*subs = Subscriptions{}
}

// ensure makes the subscriptions that are missing, ends ours that lead elsewhere, and returns the ids of those that are
// ours now. With anew all are ended and made again: that has cured some of which nothing came.
func (r *run) ensure(ctx context.Context, base, url string, anew bool) (ids []int64, err error) {
	there, err := r.subscriptions(ctx)
	if err != nil {
		return r.row.Subscriptions.IDs, err
	}
	missing := slices.Clone(subscribed)
	for _, s := range there {
		if !r.oursAt(s, base) {
			continue
		}
		i := slices.IndexFunc(missing, func(w ownerrez.WebhookSubscription) bool {
			return !anew && s.WebhookURL == url && s.Type == w.Type && s.Action == w.Action && s.Category == ""
		})
		if i >= 0 {
			missing, ids = slices.Delete(missing, i, i+1), append(ids, s.ID)
			continue
		}
		if failure := r.unsubscribe(ctx, s.ID); failure != nil {
			ids, err = append(ids, s.ID), failure
		}
	}
	for _, w := range missing {
		w.WebhookURL = url
		made, failure := r.client.WebhookSubscriptions.Create(ctx, w)
		if failure != nil {
			return ids, failure
		}
		ids = append(ids, made.ID)
	}
	return ids, err
}

// subscriptions lists all that the app has in the account.
func (r *run) subscriptions(ctx context.Context) ([]ownerrez.WebhookSubscription, error) {
	return ownerrez.Collect(r.client.WebhookSubscriptions.All(ctx, ownerrez.WebhookSubscriptionQuery{}))
}

// unsubscribe ends a subscription. One that is not there is no error.
func (r *run) unsubscribe(ctx context.Context, id int64) error {
	err := r.client.WebhookSubscriptions.Delete(ctx, id)
	if errors.Is(err, ownerrez.ErrNotFound) {
		return nil
	}
	return err
}

// nowhere is a base that no URL begins with: ours are only those then that we know we have made.
const nowhere = "\x00"

// oursAt reports whether a subscription is ours: we made it, or it leads to us.
func (r *run) oursAt(s ownerrez.WebhookSubscription, base string) bool {
	return slices.Contains(r.row.Subscriptions.IDs, s.ID) || strings.HasPrefix(s.WebhookURL, base+AccountKey(r.row.ID)+"/")
}

// endSubscriptions ends ours.
func (r *run) endSubscriptions(ctx context.Context, base string) error {
	there, err := r.subscriptions(ctx)
	if err != nil {
		return err
	}
	for _, s := range there {
		if r.oursAt(s, base) {
			if err := r.unsubscribe(ctx, s.ID); err != nil {
				return err
			}
		}
	}
	return nil
}
