package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/operator"
)

type disconnectCommand struct {
	Account int64 `arg:"" help:"The account's number."`
	accountsFlags
}

// Run disconnects an account, in this process.
func (c *disconnectCommand) Run(ctx context.Context, p *program) error {
	return c.at(ctx, p, func(d *desk) (any, []byte, error) {
		if err := d.needApp(ctx, c.Account); err != nil {
			return nil, nil, err
		}
		out, err := d.Disconnect(ctx, c.Account)
		switch {
		case err != nil:
			return nil, nil, err
		case !out.Disconnecting:
			return out, fmt.Appendf(nil, "Account %d: %s\n", c.Account, out.Next), nil
		}
		gone, err := d.finish(ctx, c.Account)
		switch {
		case err != nil:
			return nil, nil, err
		case !gone:
			out.Next = "It is not disconnected yet. " + tryAgain
			return out, []byte(out.Next + "\n"), errTold
		}
		out.Disconnecting, out.Next = false, "It is disconnected."
		if out.PersonalToken {
			out.Next += " It was reached by a personal token: do not set OWNERREZ_TOKEN to that any more."
		}
		return out, fmt.Appendf(nil, "Account %d: %s\n", c.Account, out.Next), nil
	})
}

// tryAgain is said of accounts that could not be disconnected.
const tryAgain = `Say it again later, or let "ownerrez serve" go on with it.`

// needApp is an error if an account, or with 0 any, was connected by an OAuth app, and none is configured: its token could
// not be revoked, and would be left behind.
func (d *desk) needApp(ctx context.Context, only int64) error {
	if d.job.Connections != nil {
		return nil
	}
	rows, unread := d.Store.Accounts(ctx)
	requests, unasked := d.Store.Requests(ctx)
	if err := errors.Join(unread, unasked); err != nil && !errors.Is(err, lookup.ErrUnreadable) {
		return err
	}
	connected := map[int64]bool{}
	for _, row := range rows {
		connected[row.ID] = connected[row.ID] || row.Connected
	}
	for _, r := range requests {
		connected[r.Account] = connected[r.Account] || !r.Leave
	}
	for id, by := range connected {
		if by && (only == 0 || only == id) {
			return usageError{fmt.Errorf("account %d was connected by an OAuth app: set OWNERREZ_CLIENT_ID and OWNERREZ_CLIENT_SECRET as for serve, so that its token can be revoked", id)}
		}
	}
	return nil
}

// finish has an account's lane do what it was asked to, and reports whether the account has left. If not, it says why.
func (d *desk) finish(ctx context.Context, id int64) (bool, error) {
	key := lookup.AccountKey(id)
	out, err := d.job.Run(ctx, lookup.Wake{Key: key, Reason: lookup.ReasonLeave, Sent: d.now})
	if err != nil {
		return false, err
	}
	_, unknown := d.Store.Account(ctx, key) // one that was never looked up, and has no token, leaves without a trace
	_, unasked := d.Store.Request(ctx, id)
	gone := out.Status == lookup.StatusLeft || errors.Is(unknown, lookup.ErrNotFound) && errors.Is(unasked, lookup.ErrNotFound)
	if !gone {
		d.say("account %d is not disconnected yet%s", id, problemWords(out.Problems))
	}
	return gone, nil
}

type purgeCommand struct {
	Yes bool `help:"Do it. Default: only tell what it would do."`
	accountsFlags
}

// Run disconnects all accounts, in this process.
func (c *purgeCommand) Run(ctx context.Context, p *program) error {
	return c.at(ctx, p, func(d *desk) (any, []byte, error) {
		if c.Yes {
			if err := d.needApp(ctx, 0); err != nil {
				return nil, nil, err
			}
		}
		out, err := d.Purge(ctx, c.Yes)
		if err != nil && !errors.Is(err, lookup.ErrUnreadable) {
			return nil, nil, err
		}
		var words bytes.Buffer
		if c.Yes {
			d.finishAll(ctx, out.Disconnecting, &words)
			if out, err = d.Purge(ctx, false); err != nil && !errors.Is(err, lookup.ErrUnreadable) {
				return nil, nil, err
			}
			if !out.Done {
				out.Next = "Not all are disconnected yet. " + tryAgain
			}
		}
		purgeWords(&words, out, c.Yes)
		if err != nil {
			d.say("ownerrez: %v", err)
		}
		if err != nil || c.Yes && !out.Done {
			return out, words.Bytes(), errTold
		}
		return out, words.Bytes(), nil
	})
}

// finishAll has the accounts' lanes do what they were asked to, and tells how that went. One account's trouble is not the
// others'.
func (d *desk) finishAll(ctx context.Context, accounts []int64, words *bytes.Buffer) {
	for _, id := range accounts {
		gone, err := d.finish(ctx, id)
		if err != nil {
			d.say("account %d is not disconnected yet: %v", id, err)
		} else if gone {
			fmt.Fprintf(words, "Account %d is disconnected.\n", id)
		}
	}
}

func purgeWords(words *bytes.Buffer, out operator.Purge, did bool) {
	ids := strings.Trim(strings.ReplaceAll(fmt.Sprint(out.Disconnecting), " ", ", "), "[]")
	switch {
	case len(out.Disconnecting) == 0:
		fmt.Fprintf(words, "No account is connected; %d have left.\n", out.Left)
	case did:
		fmt.Fprintf(words, "Not disconnected yet: %s. %s\n", ids, tryAgain)
	default:
		fmt.Fprintf(words, "These accounts would be disconnected: %s. Nothing was done: say it with --yes.\n", ids)
	}
}
