package operator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/connect"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
)

// Invitation is an invitation that was made.
type Invitation struct {
	Link    string    `json:"link"`    // for the host; whoever has it can use it, once
	Expires time.Time `json:"expires"` // in UTC
}

// InviteHost makes an invitation. The error says everything that is wrong with the command.
func (d Desk) InviteHost(ctx context.Context, c Command) (Invitation, error) {
	if d.Invite == nil {
		return Invitation{}, errors.New("hosts can reach nothing here: deploy the stack with EnableConnect=true; on a laptop set OWNERREZ_PUBLIC_URL, OWNERREZ_CLIENT_ID and OWNERREZ_CLIENT_SECRET")
	}
	days := cmp.Or(c.Days, 7)
	if days < 1 || days > 90 {
		days = -1 // told with all else that is wrong
	}
	life := time.Duration(days) * 24 * time.Hour
	expires := d.now().UTC().Add(life).Truncate(time.Second) // taken before it is made: not later than it is
	link, err := d.Invite(ctx, connect.Invitation{Account: c.Account, Ref: c.Ref, Return: c.Return, Life: life})
	if err != nil {
		return Invitation{}, err
	}
	return Invitation{Link: link, Expires: expires}, nil
}

// Disconnect is what became of the command to disconnect an account.
type Disconnect struct {
	Account       int64  `json:"account"`
	Disconnecting bool   `json:"disconnecting"`            // it is under way; else it had left before
	PersonalToken bool   `json:"personal_token,omitempty"` // a personal token, which we cannot revoke, leads into it, too
	Next          string `json:"next"`
}

// Disconnect has an account's lane disconnect it: its webhooks end, its token is revoked and deleted, and it is not looked
// up any more. So does one whose host has connected it, and which was not looked up yet. To say so twice does no harm.
func (d Desk) Disconnect(ctx context.Context, id int64) (Disconnect, error) {
	if id <= 0 {
		return Disconnect{}, d.needsAccount("disconnect")
	}
	row, unknown := d.Store.Account(ctx, lookup.AccountKey(id))
	_, unasked := d.Store.Request(ctx, id)
	for _, err := range []error{unknown, unasked} {
		if err != nil && !errors.Is(err, lookup.ErrNotFound) {
			return Disconnect{}, err
		}
	}
	switch {
	case unknown != nil && unasked != nil:
		return Disconnect{}, d.unknown(id)
	case row.Status == lookup.StatusLeft && unasked != nil:
		return Disconnect{Account: id, Next: "Nothing to do: it has left already."}, nil
	}
	out := Disconnect{Account: id, Disconnecting: true}
	if unknown == nil && row.Status != lookup.StatusLeft {
		out.PersonalToken = !row.Connected || row.Credential != row.Connection
	}
	out.Next = "It is done in a moment; " + d.said("status", id) + " tells."
	if out.PersonalToken {
		out.Next += " It is reached by a personal token: " + d.here("do not set OWNERREZ_TOKEN to it any more.", "take that out of its secret, too.")
	}
	return out, d.leave(ctx, id)
}

// leave asks the lane, and wakes it. If it cannot be woken, the next tick does.
func (d Desk) leave(ctx context.Context, id int64) error {
	now := d.now().UTC().Truncate(time.Second)
	if err := d.Store.Ask(ctx, lookup.Request{Account: id, Leave: true, By: lookup.ByOperator, At: now}); err != nil {
		return err
	}
	if d.Wake == nil {
		return nil
	}
	if err := d.Wake(ctx, lookup.Wake{Key: lookup.AccountKey(id), Reason: lookup.ReasonLeave, Sent: now}); err != nil {
		return fmt.Errorf("account %d is to be disconnected, which begins within minutes; it could not be begun at once: %w", id, err)
	}
	return nil
}

// Purge is what became of the command to disconnect all accounts.
type Purge struct {
	Disconnecting []int64 `json:"disconnecting"` // that are under way, or would be
	Left          int     `json:"left"`          // that have left
	Done          bool    `json:"done"`          // nothing is left to be disconnected
	Next          string  `json:"next"`
}

// Purge disconnects all accounts, as before the stack is deleted, which would leave the secrets with their tokens behind.
// Without yes it only tells what it would do. It is done when no account is connected, and no lane is asked for anything:
// a host may have connected an account a moment ago. What can be read is disconnected even if something else cannot,
// which is the error then.
func (d Desk) Purge(ctx context.Context, yes bool) (Purge, error) {
	rows, unread := d.Store.Accounts(ctx)
	requests, unasked := d.Store.Requests(ctx)
	for _, err := range []error{unread, unasked} {
		if err != nil && !errors.Is(err, lookup.ErrUnreadable) {
			return Purge{}, err
		}
	}
	open, left := map[int64]bool{}, map[int64]bool{}
	for _, r := range requests {
		open[r.Account] = true
	}
	for _, row := range rows {
		if row.Key != lookup.AccountKey(row.ID) {
			continue
		}
		if row.Status != lookup.StatusLeft {
			open[row.ID] = true
		} else if !open[row.ID] {
			left[row.ID] = true
		}
	}
	out := Purge{Disconnecting: append([]int64{}, slices.Sorted(maps.Keys(open))...), Left: len(left)}
	errs := []error{unread, unasked}
	out.Done = len(open) == 0 && errors.Join(errs...) == nil
	switch {
	case out.Done:
		out.Next = d.here("Nothing is left to be disconnected.", "Nothing is left: the stack can be deleted.")
	case !yes:
		out.Next = "Nothing was done yet. " + d.here(`Say "ownerrez accounts purge --yes"`, `Send {"command":"purge","yes":true}`) + " to disconnect all of these."
	default:
		for _, id := range out.Disconnecting {
			errs = append(errs, d.leave(ctx, id))
		}
		out.Next = "Say it again after a minute, until nothing is left."
	}
	return out, errors.Join(errs...)
}
