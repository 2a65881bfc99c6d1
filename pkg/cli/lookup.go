package cli

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store/embedded"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/web/calendar"
)

// maxNights is how many nights one question may be about: the window of two years, and a day.
const maxNights = 731

type lookupCommand struct {
	From     ownerrez.Date `required:"" placeholder:"DATE" help:"First night, as 2026-12-01."`
	To       ownerrez.Date `required:"" placeholder:"DATE" help:"Day of departure, as 2026-12-15: the night before it is the last one. At most 731 nights."`
	Property []propertyID  `placeholder:"ID" help:"Only these properties: repeat it, or separate ids by commas. Default: all that are active."`
	Data     string        `placeholder:"FILE" help:"Keep what is known in this file, and go on from there. Default: keep nothing."`
	Full     bool          `help:"With --data: read everything again, not only what has changed. Default: no."`
	Demo     bool          `help:"Look up an invented account in this process. Default: no."`
	JSON     bool          `name:"json" help:"Print a JSON document. Default: a table."`
}

// propertyID is a property's id as people write it: 4401, or ORP4401 as OwnerRez shows it.
type propertyID int64

func (id *propertyID) UnmarshalText(text []byte) error {
	n, err := calendar.ParsePropertyID(string(text))
	*id = propertyID(n)
	return err
}

// Run looks up, and prints what is known: also if something went wrong, or the person has enough.
func (c *lookupCommand) Run(ctx context.Context, p *program) error {
	q, err := c.question()
	if err != nil {
		return err
	}
	conf, err := p.config(c.Demo)
	if err != nil {
		return err
	}
	snap, err := c.find(ctx, p, conf, q)
	p.stderr.show("")
	if err != nil {
		return err
	}
	q.Now = time.Now()
	doc := calendar.NewDocument(snap, conf.settings, q)
	if err := c.print(p, doc, q.Now); err != nil {
		return fmt.Errorf("the answer could not be written: %w", err)
	}
	p.sayProblems(doc)
	if ctx.Err() != nil || !doc.Complete {
		return errTold
	}
	return nil
}

// find looks up, with or without a data file.
func (c *lookupCommand) find(ctx context.Context, p *program, conf config, q lookup.Question) (lookup.Snapshot, error) {
	up, err := p.openFor(ctx, conf, c.Demo)
	if err != nil {
		return lookup.Snapshot{}, err
	}
	defer up.close()
	q.Progress = func(requests int) { p.stderr.show("Reading OwnerRez: " + plural(requests, "request") + " so far …") }
	if c.Data == "" {
		return p.once(ctx, up, conf, q), nil
	}
	return c.kept(ctx, p, up, conf, q)
}

// question checks what is asked.
func (c *lookupCommand) question() (lookup.Question, error) {
	q := lookup.Question{From: c.From, To: c.To, Now: time.Now()}
	for _, id := range c.Property {
		q.Properties = append(q.Properties, int64(id))
	}
	switch nights := c.From.DaysUntil(c.To); {
	case c.From.IsZero() || c.To.IsZero():
		return q, usageError{errors.New("--from and --to need a date each, such as 2026-12-01")}
	case nights <= 0:
		return q, usageError{fmt.Errorf("--to is the day of departure and must come after --from, and %s does not come after %s", c.To, c.From)}
	case nights > maxNights:
		return q, usageError{fmt.Errorf("from %s to %s are %d nights; ask for at most %d at once", c.From, c.To, nights, maxNights)}
	}
	return q, nil
}

// once looks up what the question needs, and keeps nothing.
func (p *program) once(ctx context.Context, up *upstream, conf config, q lookup.Question) lookup.Snapshot {
	opts, done, err := up.lease(ctx)
	if err != nil {
		message, next := lookup.Explain(err)
		return lookup.Snapshot{Problems: []lookup.Problem{{Message: message, Next: next}}}
	}
	defer done()
	return lookup.Once(ctx, up.cred, conf.settings, q, append(opts, p.waiting(up)...)...)
}

// kept runs a lookup over the data file, and returns what is known then.
func (c *lookupCommand) kept(ctx context.Context, p *program, up *upstream, conf config, q lookup.Question) (lookup.Snapshot, error) {
	db, err := embedded.Open(c.Data)
	if err != nil {
		return lookup.Snapshot{}, err
	}
	defer func() { _ = db.Close() }() // whatever was written is on the disk already
	st := store.New(db)
	job := &lookup.Job{
		Store: st, Publisher: later{}, Credentials: only(up.cred), Settings: conf.settings,
		Window: up.window, Slots: up.slots, Options: p.waiting(up), People: true, Progress: q.Progress,
	}
	wake := lookup.Wake{Key: lookup.CredentialKey(up.cred.Fingerprint)}
	row, err := st.Account(ctx, wake.Key)
	id := row.ID
	if err == nil && id != 0 {
		wake.Key = lookup.AccountKey(id)
	}
	var out lookup.Outcome
	for next := &wake; next != nil; next = out.Wake {
		next.Reason, next.Full, next.Sent = "person", c.Full, time.Now()
		out, err = job.Run(ctx, *next)
		if err != nil && ctx.Err() == nil {
			return lookup.Snapshot{}, err
		}
		id = cmp.Or(out.Account, id)
	}
	if id == 0 {
		return lookup.Snapshot{Problems: out.Problems}, nil
	}
	snap, err := lookup.Load(context.WithoutCancel(ctx), st, id)
	snap.Problems = out.Problems // of this lookup: an interruption is not stored
	return snap, err
}

// only is a source of one credential; of none if there is none.
func only(cred account.Credential) account.Source {
	var creds []account.Credential
	if cred.Fingerprint != "" {
		creds = append(creds, cred)
	}
	return func(context.Context) ([]account.Credential, error) { return creds, nil }
}

// later publishes nothing: nobody listens to a lookup on the terminal. The events stay in the data file, and
// whoever serves it publishes them.
type later struct{}

func (later) Publish(context.Context, lookup.Event) error { return errors.New("published by serve") }

// print writes the answer to stdout.
func (c *lookupCommand) print(p *program, doc calendar.Document, now time.Time) error {
	if c.JSON {
		return p.printJSON(doc)
	}
	_, err := p.stdout.Write(p.stdout.table(doc, now))
	return err
}

func (p *program) printJSON(v any) error {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return err
	}
	_, err := p.stdout.Write(text.Bytes())
	return err
}

// sayProblems tells what could not be read, and what to do about it.
func (p *program) sayProblems(doc calendar.Document) {
	who := map[int64]string{0: ""}
	for _, property := range doc.Properties {
		who[property.ID] = heading(property) + ": "
	}
	for _, problem := range doc.Problems {
		p.say("%s%s %s", who[problem.Property], problem.Message, problem.Next)
	}
}
