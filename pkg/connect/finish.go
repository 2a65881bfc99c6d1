package connect

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/budget"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

const (
	exchangeTime = 12 * time.Second // for OwnerRez to answer
	storeTime    = 12 * time.Second // for what comes after, also if the browser has left
	concludeTime = 3 * time.Second  // to note how it ended
	recallTime   = 2 * time.Second  // to look what became of a write, or for what can be done without
)

// Finish ends a flow: it exchanges the code for a token, and keeps that as the account's. What has ended stays so: a
// second click is told how, and a code is exchanged once. The error is one of our own, from before the code was
// exchanged; the same address may be opened again.
func (o *Office) Finish(ctx context.Context, r Reply) (Ended, error) {
	flow := FlowOf(r.State)
	note, version, refused, err := o.flow(ctx, Browser{flow, r.Secret})
	if err != nil || refused != "" {
		return o.end("", refused), err
	}
	now := o.now()
	switch {
	case note.Ending != nil:
		return Ended{Ending: *note.Ending, Flow: flow}, nil
	case !note.Claimed.IsZero() && now.Sub(note.Claimed) <= claimLife:
		return o.end(flow, Underway), nil
	case !note.Claimed.IsZero(), now.Sub(note.Began) > stateLife:
		return o.end(flow, Expired), nil
	}
	var authorizer *ownerrez.Authorizer
	if r.Error == "" {
		if r.Code == "" {
			return o.end("", WrongState), nil
		}
		if authorizer, err = o.authorizer(ctx); err != nil && !unconfigured(err) {
			return Ended{}, err
		}
	}
	note.Claimed, note.Claim = now, rand.Text()
	if ours, err := o.claim(ctx, flow, note, version); err != nil {
		return Ended{}, err
	} else if !ours {
		return o.end(flow, Underway), nil
	}
	ctx = context.WithoutCancel(ctx) // the code is spent from here on, whatever the browser does
	end := o.settle(ctx, flow, note, r, authorizer)
	if end.Kind == Busy { // nothing was sent: the same code may be tried again
		note.Claimed, note.Claim = time.Time{}, ""
	} else {
		note.Ending = &end.Ending
	}
	o.conclude(ctx, flow, note, version+1, end)
	return end, nil
}

// claim makes one callback the one that ends the flow. A write may have happened although its answer was lost, or an
// engine that tried it twice calls it a conflict: what is stored tells whose the claim is.
func (o *Office) claim(ctx context.Context, flow string, note flowNote, version int64) (ours bool, err error) {
	err = o.write(ctx, flowKey(flow), note, version, note.Began.Add(flowLife))
	if err == nil {
		return true, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recallTime)
	defer cancel()
	var stored flowNote
	if _, again := o.read(ctx, flowKey(flow), &stored); again == nil && stored.Claim == note.Claim {
		return true, nil
	}
	if errors.Is(err, ErrConflict) {
		return false, nil
	}
	return false, err
}

// conclude notes how a flow ended, and wakes the account's lane: what the host is told is settled before that.
func (o *Office) conclude(ctx context.Context, flow string, note flowNote, version int64, end Ended) {
	ctx, cancel := context.WithTimeout(ctx, concludeTime)
	defer cancel()
	if err := o.write(ctx, flowKey(flow), note, version, note.Began.Add(flowLife)); err != nil {
		slog.WarnContext(ctx, "how a flow ended could not be noted", "kind", string(end.Kind), "error", err.Error())
	}
	if end.Kind == Connected || end.Kind == Reconnected {
		o.wake(ctx, end.Account, lookup.ReasonConnected)
	}
}

func (o *Office) end(flow string, kind Kind) Ended {
	return Ended{Ending: Ending{Kind: kind, At: o.now()}, Flow: flow}
}

// settle does what a reply asks for.
func (o *Office) settle(ctx context.Context, flow string, note flowNote, r Reply, authorizer *ownerrez.Authorizer) Ended {
	switch {
	case r.Error != "":
		return o.end(flow, refusal(r.Error))
	case authorizer == nil:
		return o.end(flow, NotConfigured)
	}
	asked := o.now()
	token, kind := o.exchange(ctx, authorizer, r.Code)
	if kind != "" {
		return o.end(flow, kind)
	}
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	end, kind := o.admit(ctx, flow, note, token, asked)
	if kind != "" {
		o.giveUp(ctx, token)
		return o.end(flow, kind)
	}
	return end
}

// refusal is what an error means that OwnerRez sends the browser back with (RFC 6749 section 4.1.2.1).
func refusal(code string) Kind {
	switch code {
	case "server_error", "temporarily_unavailable":
		return Trouble
	case "unauthorized_client", "unsupported_response_type", "invalid_scope", "invalid_request":
		return NotConfigured
	}
	return Denied
}

// exchange trades the code for a token, or says why it could not.
func (o *Office) exchange(ctx context.Context, authorizer *ownerrez.Authorizer, code string) (ownerrez.Token, Kind) {
	limited, cancel := context.WithTimeout(ctx, exchangeTime)
	defer cancel()
	token, err := authorizer.Exchange(limited, code)
	switch {
	case err == nil:
		return token, ""
	case errors.Is(err, budget.ErrNoPermit):
		return token, Busy
	}
	o.log(ctx, "OwnerRez gave no token", err)
	switch {
	case errors.Is(err, ownerrez.ErrInvalid):
		return token, Expired
	case errors.Is(err, ownerrez.ErrUnauthorized):
		return token, NotConfigured
	}
	return token, Trouble
}

// admit keeps the token as the one of its account, or says why it is not to be kept.
func (o *Office) admit(ctx context.Context, flow string, note flowNote, token ownerrez.Token, asked time.Time) (Ended, Kind) {
	if token.UserID <= 0 || !strings.HasPrefix(token.AccessToken, "at_") {
		o.log(ctx, "OwnerRez gave a token", errors.New("it does not say whose it is, or it is no access token"))
		return Ended{}, Trouble
	}
	inv, refused := o.claimInvitation(ctx, flow, note.Invite, token.UserID)
	if refused != "" {
		return Ended{}, refused
	}
	reconnected, err := o.keep(ctx, inv.Ref, token, asked)
	if note.Invite != "" {
		o.logged(ctx, "an invitation stays claimed", o.endInvitation(ctx, note.Invite, flow, err == nil))
	}
	if err != nil {
		o.log(ctx, "the token of an account could not be stored", err)
		return Ended{}, NotStored
	}
	end := o.end(flow, Connected)
	if reconnected {
		end.Kind = Reconnected
	}
	end.Account, end.Name, end.Return = token.UserID, token.UserDisplayName, inv.Return
	end.Key = o.remember(ctx, token.UserID)
	return end, ""
}

// claimInvitation makes an account's flow the one that uses its invitation, or says why it is not to. Of a flow without one
// there is nothing to claim.
func (o *Office) claimInvitation(ctx context.Context, flow, code string, account int64) (inv inviteNote, refused Kind) {
	if code == "" {
		return inviteNote{}, ""
	}
	inv, refused, err := o.invitation(ctx, code)
	switch {
	case err != nil:
		o.log(ctx, "the invitation cannot be read", err)
		return inv, NotStored
	case refused != "":
		return inv, refused
	case inv.Account != 0 && inv.Account != account:
		return inv, OtherAccount
	}
	ours, err := o.useInvitation(ctx, code, flow)
	switch {
	case err != nil:
		o.log(ctx, "the invitation cannot be used", err)
		o.logged(ctx, "an invitation may stay claimed", o.endInvitation(ctx, code, flow, false))
		return inv, NotStored
	case !ours:
		return inv, InviteUsed
	}
	return inv, ""
}

// keep stores the token. The account's lane is asked before, so that it finds what is stored whatever happens to us.
func (o *Office) keep(ctx context.Context, ref string, token ownerrez.Token, asked time.Time) (reconnected bool, err error) {
	request := lookup.Request{Account: token.UserID, Ref: ref, By: lookup.ByHost, At: o.now()}
	if err = o.Ask(ctx, request); err != nil {
		return false, err
	}
	if reconnected, err = o.Connections.Keep(ctx, token, asked); err != nil {
		return false, err
	}
	brief, cancel := context.WithTimeout(ctx, recallTime)
	defer cancel()
	row, err := o.Account(brief, lookup.AccountKey(token.UserID))
	return reconnected || err == nil && row.Status != lookup.StatusNew, nil
}

// giveUp ends a token that is not kept, since nobody else would. If its account has a stored one, it is forgotten
// instead: to end one may end all that the host has allowed.
func (o *Office) giveUp(ctx context.Context, token ownerrez.Token) {
	if token.UserID > 0 {
		if has, err := o.Connections.Has(ctx, token.UserID); has || err != nil {
			o.logged(ctx, "a token that is not kept was not ended", err)
			return
		}
	}
	o.logged(ctx, "a token that is not kept could not be ended", o.Connections.End(ctx, token, o.Options...))
}

// remember makes what a browser keeps to be able to disconnect the account; empty if that cannot be stored.
func (o *Office) remember(ctx context.Context, id int64) string {
	secret := rand.Text()
	expires := o.now().Add(browserLife)
	if err := o.write(ctx, browserKey(secret), browserNote{Account: id, Expires: expires}, 0, expires); err != nil {
		o.log(ctx, "a browser cannot be remembered", err)
		return ""
	}
	return secret
}

// wake wakes the account's lane. Where that fails, the next tick does.
func (o *Office) wake(ctx context.Context, id int64, reason string) {
	w := lookup.Wake{Key: lookup.AccountKey(id), Reason: reason, Sent: o.now()}
	o.logged(ctx, "a lane could not be woken; the next tick does it", o.Wake(ctx, w))
}

func (o *Office) logged(ctx context.Context, what string, err error) {
	if err != nil {
		o.log(ctx, what, err)
	}
}

func (o *Office) log(ctx context.Context, what string, err error) {
	slog.WarnContext(ctx, what, "error", err.Error())
}
