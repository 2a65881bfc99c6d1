package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/operator"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store/embedded"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/web/calendar"
)

// accountsCommand are the operator's commands.
type accountsCommand struct {
	List       listCommand       `cmd:"" help:"How every account is doing."`
	Status     statusCommand     `cmd:"" help:"All that is known of one account."`
	Doctor     doctorCommand     `cmd:"" help:"What is not as it should be, and what to do about it."`
	Invite     inviteCommand     `cmd:"" help:"Make an invitation, by which a host connects an account."`
	Disconnect disconnectCommand `cmd:"" help:"Disconnect an account: end its webhooks, revoke and delete its token."`
	Purge      purgeCommand      `cmd:"" help:"Disconnect all accounts."`
}

// accountsFlags are those of all of them.
type accountsFlags struct {
	Data string `placeholder:"FILE" help:"The file of what is known. Default: ownerrez-lambda/calendar.db in the user's configuration folder, as of serve."`
	JSON bool   `name:"json" help:"Print JSON. Default: plain words."`
}

// desk is where the commands are answered, and what they work with.
type desk struct {
	operator.Desk
	*program
	job *lookup.Job
	now time.Time
}

// at opens the file, has a command answered, and prints what it prints.
func (f accountsFlags) at(ctx context.Context, p *program, do func(*desk) (answer any, words []byte, err error)) error {
	conf, err := p.configAll()
	if err != nil {
		return err
	}
	path := f.Data
	if path == "" {
		if path, err = p.dataFile("calendar.db"); err != nil {
			return err
		}
	}
	db, err := embedded.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // whatever was written is on the disk already
	up, err := p.openAny(ctx, conf)
	if err != nil {
		return err
	}
	defer up.close()
	st := store.New(db)
	guests, err := p.guests(conf, up, path)
	if err != nil {
		return err
	}
	d := &desk{program: p, job: p.job(conf, up, st), now: time.Now()}
	guests.join(d.job)
	d.job.Publisher = later{}     // nothing but the answer goes to stdout
	d.job.Options = p.waiting(up) // a person waits
	d.Desk = operator.Desk{Store: st, Credentials: d.job.Credentials, Settings: conf.settings, Local: true}
	if office := guests.office(conf, up, st, nil); office != nil {
		d.Invite = office.Invite
	}
	answer, words, err := do(d)
	if err != nil && err != errTold { //nolint:errorlint // it is never wrapped
		return err
	}
	if f.JSON {
		if failed := p.printJSON(answer); failed != nil {
			return failed
		}
	} else if _, failed := p.stdout.Write(words); failed != nil {
		return fmt.Errorf("the answer could not be written: %w", failed)
	}
	return err
}

type listCommand struct{ accountsFlags }

// Run prints how every account is doing.
func (c *listCommand) Run(ctx context.Context, p *program) error {
	return c.at(ctx, p, func(d *desk) (any, []byte, error) {
		list, err := d.List(ctx)
		if errors.Is(err, lookup.ErrUnreadable) {
			d.say("ownerrez: %v", err)
			err = errTold
		}
		return list, standingsTable(list, d.now), err
	})
}

func standingsTable(list []lookup.Standing, now time.Time) []byte {
	if len(list) == 0 {
		return []byte("No account is connected.\n")
	}
	var out bytes.Buffer
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "ACCOUNT\tREF\tSTATUS\tREAD\tPROBLEM") // a buffer takes everything
	for _, st := range list {
		who := "not known yet"
		if st.Account != 0 {
			who = fmt.Sprint(st.Account)
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", who, printable(st.Ref), st.Status, ago(now, st.AsOf), printable(st.Problem))
	}
	_ = w.Flush()
	return out.Bytes()
}

func ago(now, asOf time.Time) string {
	if asOf.IsZero() {
		return "never"
	}
	return calendar.Ago(now, asOf)
}

type statusCommand struct {
	Account int64 `arg:"" help:"The account's number."`
	accountsFlags
}

// Run prints all that is known of an account.
func (c *statusCommand) Run(ctx context.Context, p *program) error {
	return c.at(ctx, p, func(d *desk) (any, []byte, error) {
		st, err := d.Status(ctx, c.Account)
		if err != nil {
			return nil, nil, err
		}
		return st, statusWords(st, d.now), nil
	})
}

func statusWords(st operator.Status, now time.Time) []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "Account %d %s: %s, read %s\n", st.Account, printable(st.Name), st.Status, ago(now, st.AsOf))
	if st.Ref != "" {
		fmt.Fprintf(&out, "Reference: %s\n", printable(st.Ref))
	}
	if st.Left != nil {
		fmt.Fprintf(&out, "Disconnected by the %s, %s\n", st.Left.By, calendar.Ago(now, st.Left.At))
	}
	fmt.Fprintf(&out, "Events: %d, published: %d. Failed lookups since the last good one: %d\n", st.Seq, st.Published, st.Failures)
	for _, problem := range st.Problems {
		fmt.Fprintf(&out, "%s %s\n", printable(problem.Message), printable(problem.Next))
	}
	if len(st.Properties) == 0 {
		return out.Bytes()
	}
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "\nPROPERTY\tNAME\tREAD\tSTAYS\t") // a buffer takes everything
	for _, p := range st.Properties {
		note := p.Late
		if p.Gone {
			note = "gone"
		}
		_, _ = fmt.Fprintf(w, "%d\t%s\t%s\t%d\t%s\n", p.ID, printable(p.Name), ago(now, p.AsOf), p.Stays, printable(note))
	}
	_ = w.Flush()
	return out.Bytes()
}

type doctorCommand struct{ accountsFlags }

// Run prints what is not as it should be, and ends with 1 if anything is not.
func (c *doctorCommand) Run(ctx context.Context, p *program) error {
	return c.at(ctx, p, func(d *desk) (any, []byte, error) {
		found, err := d.Doctor(ctx)
		if err != nil {
			return nil, nil, err
		}
		if len(found) == 0 {
			return found, []byte("All is well.\n"), nil
		}
		var out bytes.Buffer
		for _, f := range found {
			if f.Account != 0 {
				fmt.Fprintf(&out, "Account %d", f.Account)
				if f.Ref != "" {
					fmt.Fprintf(&out, " (%s)", printable(f.Ref))
				}
				if f.Status != "" {
					fmt.Fprintf(&out, ", %s", f.Status)
				}
				if f.Behind != "" {
					fmt.Fprintf(&out, ", %s behind", f.Behind)
				}
				out.WriteString(": ")
			}
			fmt.Fprintf(&out, "%s %s\n", printable(f.Problem), printable(f.Next))
		}
		return found, out.Bytes(), errTold
	})
}

type inviteCommand struct {
	Account int64  `placeholder:"ID" help:"Only for this account. Default: for any one."`
	Ref     string `placeholder:"TEXT" help:"Your own reference of the account, for events and /v1/accounts. Default: none."`
	Return  string `placeholder:"URL" help:"An https address to which the last page links. Default: none."`
	Days    int    `default:"7" help:"For how many days it is good, 1 to 90. Default: ${default}."`
	accountsFlags
}

// Run makes an invitation.
func (c *inviteCommand) Run(ctx context.Context, p *program) error {
	return c.at(ctx, p, func(d *desk) (any, []byte, error) {
		made, err := d.InviteHost(ctx, operator.Command{Account: c.Account, Ref: c.Ref, Return: c.Return, Days: cmp.Or(c.Days, -1)})
		if err != nil {
			return nil, nil, usageError{err}
		}
		return made, fmt.Appendf(nil, "%s\nIt works once, until %s.\n", made.Link, made.Expires.Local().Format("2 January 2006 15:04")), nil
	})
}
