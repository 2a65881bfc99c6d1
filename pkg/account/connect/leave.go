package connect

import (
	"context"
	"errors"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
)

// MayLeave says whether somebody may disconnect the account: Connected if so, Leaving if that was asked for already, or
// why not. The error is one of our own.
func (o *Office) MayLeave(ctx context.Context, l Leaver) (Ending, error) {
	id, refused, err := o.whose(ctx, l)
	if err != nil || refused != "" {
		return Ending{Kind: refused, At: o.now()}, err
	}
	row, err := o.Account(ctx, lookup.AccountKey(id))
	if err != nil && !errors.Is(err, lookup.ErrNotFound) {
		return Ending{}, err
	}
	end := Ending{Kind: Connected, Account: id, Name: row.Name, At: o.now()}
	if row.Status == lookup.StatusLeft || row.Leaving != nil {
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
	if err == nil && (version == 0 || l.Key == "" || note.Account != l.Account) {
		refused = NotKnownBrowser
	}
	return note.Account, refused, err
}

// Leave disconnects the account, as far as that is a host's to say: the account's lane does it. Doing so twice does no
// harm. It returns Leaving, or why not; the error is one of our own.
func (o *Office) Leave(ctx context.Context, l Leaver) (Ending, error) {
	end, err := o.MayLeave(ctx, l)
	if err != nil || end.Kind != Connected {
		return end, err
	}
	if err := o.Ask(ctx, lookup.Request{Account: end.Account, Leave: true, By: lookup.ByHost, At: o.now()}); err != nil {
		return Ending{}, err
	}
	if l.Invite != "" {
		code := hash(l.Invite)
		_, err := o.useInvitation(ctx, code, "leave")
		o.logged(ctx, "an invitation stays usable", errors.Join(err, o.endInvitation(ctx, code, "leave", true)))
	}
	o.wake(ctx, end.Account, lookup.ReasonLeave)
	end.Kind = Leaving
	return end, nil
}
