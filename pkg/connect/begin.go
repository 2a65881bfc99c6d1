package connect

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// Begin begins a flow, by the code of an invitation, or without one where the office is open. It uses up nothing: what
// opens links to look at them does no harm. The error is one of our own; the same link may be tried again.
func (o *Office) Begin(ctx context.Context, invite string) (Start, error) {
	if invite == "" {
		if !o.Open {
			return Start{Refused: NotInvited}, nil
		}
		return o.begin(ctx, "")
	}
	return o.begin(ctx, hash(invite))
}

// Again begins another flow, by the invitation of an earlier one of this browser, for an hour after that began.
func (o *Office) Again(ctx context.Context, b Browser) (Start, error) {
	note, _, refused, err := o.flow(ctx, b)
	if err != nil || refused != "" {
		return Start{Refused: refused}, err
	}
	return o.begin(ctx, note.Invite)
}

func (o *Office) begin(ctx context.Context, invite string) (Start, error) {
	if invite != "" {
		if _, refused, err := o.invitation(ctx, invite); err != nil || refused != "" {
			return Start{Refused: refused}, err
		}
	}
	authorizer, err := o.authorizer(ctx)
	if err != nil {
		if unconfigured(err) {
			return Start{Refused: NotConfigured}, nil
		}
		return Start{}, err
	}
	state, secret := rand.Text(), rand.Text()
	flow, now := FlowOf(state), o.now()
	note := flowNote{Browser: hash(secret), Invite: invite, Began: now}
	if err := o.write(ctx, flowKey(flow), note, 0, now.Add(flowLife)); err != nil {
		return Start{}, err
	}
	return Start{URL: authorizer.AuthCodeURL(state), Browser: Browser{Flow: flow, Secret: secret}}, nil
}

// flow finds a flow for the browser that began it, and says why it is not for others.
func (o *Office) flow(ctx context.Context, b Browser) (note flowNote, version int64, refused Kind, err error) {
	version, err = o.read(ctx, flowKey(b.Flow), &note)
	switch {
	case err != nil:
	case version == 0 || o.now().Sub(note.Began) > flowLife:
		refused = WrongState
	case subtle.ConstantTimeCompare([]byte(hash(b.Secret)), []byte(note.Browser)) != 1:
		refused = OtherBrowser
	}
	return note, version, refused, err
}

// authorizer asks OwnerRez for tokens, once and never again.
func (o *Office) authorizer(ctx context.Context) (*ownerrez.Authorizer, error) {
	app, err := o.App(ctx)
	if err != nil {
		return nil, err
	}
	app.RedirectURL = o.PublicURL + CallbackPath
	authorizer, err := ownerrez.NewAuthorizer(app, append(append([]ownerrez.Option(nil), o.Options...), ownerrez.WithRetry(ownerrez.NoRetry()))...)
	if err != nil {
		return nil, fmt.Errorf("the OAuth app: %w", err)
	}
	return authorizer, nil
}

// unconfigured reports whether an error says that there is no app, or none that can be used.
func unconfigured(err error) bool {
	return errors.Is(err, account.ErrNoApp) || errors.As(err, new(*account.MalformedError))
}

// Result is how a flow ended, for the browser that began it. The error is one of our own.
func (o *Office) Result(ctx context.Context, b Browser) (Ending, error) {
	note, _, refused, err := o.flow(ctx, b)
	now := o.now()
	switch {
	case err != nil || refused != "":
		return Ending{Kind: refused, At: now}, err
	case note.Ending != nil:
		return *note.Ending, nil
	case !note.Claimed.IsZero() && now.Sub(note.Claimed) > claimLife, now.Sub(note.Began) > stateLife:
		return Ending{Kind: Expired, At: now}, nil
	}
	return Ending{Kind: Underway, At: now}, nil
}
