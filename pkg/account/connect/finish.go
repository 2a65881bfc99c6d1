package connect

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/budget"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

const (
	exchangeTime = 12 * time.Second // for OwnerRez to answer
	storeTime    = 14 * time.Second // for all that comes after, also if the browser has left
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
	note.Claimed = now
	err = o.write(ctx, flowKey(flow), note, version, note.Began.Add(flowLife))
	if errors.Is(err, ErrConflict) {
		return o.end(flow, Underway), nil
	}
	if err != nil {
		return Ended{}, err
	}
	end := o.settle(ctx, flow, note, r)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTime)
	defer cancel()
	if end.Kind == Busy { // nothing was sent: the same code may be tried again
		note.Claimed = time.Time{}
	} else {
		note.Ending = &end.Ending
	}
	if err := o.write(ctx, flowKey(flow), note, version+1, note.Began.Add(flowLife)); err != nil {
		slog.WarnContext(ctx, "how a flow ended could not be noted", "kind", string(end.Kind), "error", err.Error())
	}
	return end, nil
}

func (o *Office) end(flow string, kind Kind) Ended {
	return Ended{Ending: Ending{Kind: kind, At: o.now()}, Flow: flow}
}

// settle does what a reply asks for.
func (o *Office) settle(ctx context.Context, flow string, note flowNote, r Reply) Ended {
	switch {
	case r.Error != "":
		return o.end(flow, refusal(r.Error))
	case r.Code == "":
		return o.end(flow, WrongState)
	}
	asked := o.now()
	token, kind := o.exchange(ctx, r.Code)
	if kind != "" {
		return o.end(flow, kind)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTime) // the token is there, whatever the browser does
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
func (o *Office) exchange(ctx context.Context, code string) (ownerrez.Token, Kind) {
	authorizer, err := o.authorizer(ctx)
	if err != nil {
		o.log(ctx, "the OAuth app cannot be used", err)
		if unconfigured(err) {
			return ownerrez.Token{}, NotConfigured
		}
		return ownerrez.Token{}, Busy // our own trouble: nothing was sent
	}
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
	if token.UserID <= 0 {
		o.log(ctx, "OwnerRez gave a token", errors.New("it does not say whose it is"))
		return Ended{}, Trouble
	}
	var inv inviteNote
	if note.Invite != "" {
		var refused Kind
		var err error
		if inv, refused, err = o.invitation(ctx, note.Invite); err != nil {
			o.log(ctx, "the invitation cannot be read", err)
			return Ended{}, NotStored
		}
		if refused != "" {
			return Ended{}, refused
		}
		if inv.Account != 0 && inv.Account != token.UserID {
			return Ended{}, OtherAccount
		}
		ours, err := o.useInvitation(ctx, note.Invite, flow)
		if err != nil {
			o.log(ctx, "the invitation cannot be used", err)
			return Ended{}, NotStored
		}
		if !ours {
			return Ended{}, InviteUsed
		}
	}
	reconnected, err := o.keep(ctx, inv.Ref, token, asked)
	if err != nil {
		o.log(ctx, "the token of an account could not be stored", err)
		if note.Invite != "" {
			o.logged(ctx, "an invitation stays claimed", o.endInvitation(ctx, note.Invite, flow, false))
		}
		return Ended{}, NotStored
	}
	if note.Invite != "" {
		o.logged(ctx, "an invitation stays claimed", o.endInvitation(ctx, note.Invite, flow, true))
	}
	end := o.end(flow, Connected)
	if reconnected {
		end.Kind = Reconnected
	}
	end.Account, end.Name, end.Return = token.UserID, token.UserDisplayName, inv.Return
	end.Key = o.remember(ctx, token.UserID)
	return end, ""
}

// keep stores the token, and lets the account's lane know: before, so that a lane finds what is stored whatever happens
// to us, and after.
func (o *Office) keep(ctx context.Context, ref string, token ownerrez.Token, asked time.Time) (reconnected bool, err error) {
	request := lookup.Request{Account: token.UserID, Ref: ref, By: lookup.ByHost, At: o.now()}
	if err = o.Ask(ctx, request); err != nil {
		return false, err
	}
	if reconnected, err = o.Connections.Keep(ctx, token, asked); err != nil {
		return false, err
	}
	row, err := o.Account(ctx, lookup.AccountKey(token.UserID))
	if err == nil && row.Status != lookup.StatusNew {
		reconnected = true
	}
	o.wake(ctx, token.UserID, lookup.ReasonConnected)
	return reconnected, nil
}

// giveUp ends a token that is not kept, since nobody else would. If its account has a stored one, it is forgotten
// instead: to end one may end all that the host has allowed.
func (o *Office) giveUp(ctx context.Context, token ownerrez.Token) {
	if has, err := o.Connections.Has(ctx, token.UserID); has || err != nil {
		o.logged(ctx, "a token that is not kept was not ended", err)
		return
	}
	o.logged(ctx, "a token that is not kept could not be ended", o.Connections.End(ctx, token, o.Options...))
}

// remember makes what a browser keeps to be able to disconnect the account; empty if that cannot be stored.
func (o *Office) remember(ctx context.Context, id int64) string {
	secret := rand.Text()
	if err := o.write(ctx, browserKey(secret), browserNote{Account: id}, 0, o.now().Add(browserLife)); err != nil {
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
