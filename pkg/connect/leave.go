package connect

import (
	"context"
	"errors"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
)

// leaveFlow is the name under which an invitation is used to leave. No flow has it.
const leaveFlow = "leave"

// MayLeave says whether somebody may disconnect the account: Connected if so, Leaving if that was asked for already, or
// why not. The error is one of our own.
func (o *Office) MayLeave(ctx context.Context, l Leaver) (Ending, error) {
	id, refused, err := o.whose(ctx, l)
	if err != nil {
		return Ending{}, err
	}
	end := Ending{Kind: refused, At: o.now()}
	if refused != "" {
		return end, nil
	}
	row, err := o.Account(ctx, lookup.AccountKey(id))
	if err != nil && !errors.Is(err, lookup.ErrNotFound) {
		return Ending{}, err
	}
	left := row.Status == lookup.StatusLeft || row.Leaving != nil
	if o.Requested != nil {
		switch request, err := o.Requested(ctx, id); {
		case err == nil:
			left = request.Leave // what the lane has yet to do counts more than what it has done
		case !errors.Is(err, lookup.ErrNotFound):
			return Ending{}, err
		}
	}
	end.Kind, end.Account, end.Name = Connected, id, row.Name
	if left {
		end.Kind = Leaving
	}
	return end, nil
}

// whose is the account that somebody may disconnect.
func (o *Office) whose(ctx context.Context, l Leaver) (id int64, refused Kind, err error) {
	if l.Invite != "" {
		var invited inviteNote
		invited, refused, err = o.invitation(ctx, hash(l.Invite))
		if err == nil && refused == "" && invited.Account == 0 {
			refused = NotInvited
		}
		return invited.Account, refused, err
	}
	var note browserNote
	version, err := o.read(ctx, browserKey(l.Key), &note)
	if err == nil && (version == 0 || l.Key == "" || note.Account != l.Account || o.now().After(note.Expires)) {
		refused = NotKnownBrowser
	}
	return note.Account, refused, err
}

// Leave disconnects the account, as far as that is a host's to say: the account's lane does it. Doing so twice does no
// harm. It returns Leaving, or why not; the error is one of our own.
func (o *Office) Leave(ctx context.Context, l Leaver) (Ending, error) {
	end, err := o.MayLeave(ctx, l)
	switch {
	case err != nil:
		return end, err
	case end.Kind == InviteUsed:
		return o.secondClick(ctx, l, end)
	case end.Kind != Connected && end.Kind != Leaving: // it is not this one's to say
		return end, nil
	}
	// The lane is asked also where the row says that the account has left: the row may be older than a host's return.
	if err := o.Ask(ctx, lookup.Request{Account: end.Account, Leave: true, By: lookup.ByHost, At: o.now()}); err != nil {
		return Ending{}, err
	}
	if l.Invite != "" {
		code := hash(l.Invite)
		_, err := o.useInvitation(ctx, code, leaveFlow)
		o.logged(ctx, "an invitation stays usable", errors.Join(err, o.endInvitation(ctx, code, leaveFlow, true)))
	}
	o.wake(ctx, end.Account, lookup.ReasonLeave)
	end.Kind = Leaving
	return end, nil
}

// secondClick is for who has just left by an invitation: it is Leaving again. Later a used invitation says nothing of the
// account, which may have come back.
func (o *Office) secondClick(ctx context.Context, l Leaver, end Ending) (Ending, error) {
	invited, _, err := o.invitation(ctx, hash(l.Invite))
	if err == nil && invited.Flow == leaveFlow && end.At.Sub(invited.Claimed) < claimLife {
		end.Kind, end.Account = Leaving, invited.Account
	}
	return end, err
}
