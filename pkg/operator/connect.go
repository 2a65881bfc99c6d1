package operator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account/connect"
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
	link, err := d.Invite(ctx, connect.Invitation{Account: c.Account, Ref: c.Ref, Return: c.Return, Life: life})
	if err != nil {
		return Invitation{}, err
	}
	return Invitation{Link: link, Expires: d.now().UTC().Add(life).Truncate(time.Second)}, nil
}

// Disconnect is what became of the command to disconnect an account.
type Disconnect struct {
	Account       int64  `json:"account"`
	Disconnecting bool   `json:"disconnecting"` // it is under way; else it had left before
	Next          string `json:"next"`
}

// Disconnect has an account's lane disconnect it: its webhooks end, its token is revoked and deleted, and it is not looked
// up any more. To say so twice does no harm.
func (d Desk) Disconnect(ctx context.Context, id int64) (Disconnect, error) {
	if id <= 0 {
		return Disconnect{}, errors.New(`disconnect needs an account: send {"command":"disconnect","account":123456}; {"command":"list"} lists them`)
	}
	row, err := d.Store.Account(ctx, lookup.AccountKey(id))
	switch {
	case errors.Is(err, lookup.ErrNotFound):
		return Disconnect{}, fmt.Errorf(`account %d is not known here; {"command":"list"} lists those that are`, id)
	case err != nil:
		return Disconnect{}, err
	case row.Status == lookup.StatusLeft:
		return Disconnect{Account: id, Next: "Nothing to do: it has left already."}, nil
	}
	out := Disconnect{Account: id, Disconnecting: true, Next: fmt.Sprintf(`It is done in a moment; {"command":"status","account":%d} tells.`, id)}
	if !row.Connected {
		out.Next += " It is reached by a personal token: take that out of its secret, too."
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
	return d.Wake(ctx, lookup.Wake{Key: lookup.AccountKey(id), Reason: lookup.ReasonLeave, Sent: now})
}

// Purge is what became of the command to disconnect all accounts.
type Purge struct {
	Disconnecting []int64 `json:"disconnecting"` // that are under way, or would be
	Left          int     `json:"left"`          // that have left
	Done          bool    `json:"done"`          // nothing is left to be disconnected
	Next          string  `json:"next"`
}

// Purge disconnects all accounts, as before the stack is deleted: their tokens' secrets are not part of it. Without yes
// it only tells what it would do.
func (d Desk) Purge(ctx context.Context, yes bool) (Purge, error) {
	rows, err := d.Store.Accounts(ctx)
	if err != nil {
		return Purge{}, err
	}
	out := Purge{Disconnecting: []int64{}}
	for _, row := range rows {
		switch {
		case row.Key != lookup.AccountKey(row.ID):
		case row.Status == lookup.StatusLeft:
			out.Left++
		default:
			out.Disconnecting = append(out.Disconnecting, row.ID)
		}
	}
	slices.Sort(out.Disconnecting)
	out.Done = len(out.Disconnecting) == 0
	switch {
	case out.Done:
		out.Next = "Nothing is left: the stack can be deleted."
		return out, nil
	case !yes:
		out.Next = `Nothing was done yet. Send {"command":"purge","yes":true} to disconnect all of these.`
		return out, nil
	}
	var errs []error
	for _, id := range out.Disconnecting {
		errs = append(errs, d.leave(ctx, id))
	}
	out.Next = "Say it again after a minute, until nothing is left."
	return out, errors.Join(errs...)
}
