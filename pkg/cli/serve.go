package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/connect"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup/lane"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/publish/log"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/queue"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/queue/lanes"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store/embedded"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/web/calendar"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/web/webhook"
)

const (
	tickEvery  = 10 * time.Second // how often it is looked who is due
	purgeEvery = time.Hour        // how often what has expired is deleted from the data file
	workers    = 4                // accounts that are looked up at once
)

type serveCommand struct {
	Addr string `default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Where to serve the page, to this machine only. Default: ${default}."`
	Data string `placeholder:"FILE" help:"Where to keep what is known. Default: ownerrez-lambda/calendar.db in the user's configuration folder; in the demo, demo.db there."`
}

// Run looks up on schedule and serves the page until ctx ends.
func (c *serveCommand) Run(ctx context.Context, p *program) error {
	conf, err := p.configAll()
	if err != nil {
		return err
	}
	demo := conf.auth == nil && conf.app == nil
	path, err := c.path(p, demo)
	if err != nil {
		return err
	}
	listener, err := listen(ctx, c.Addr)
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }() // serveHTTP has closed it, if it came that far
	db, err := embedded.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // whatever was written is on the disk already
	var up *upstream
	if demo {
		up = openDemo()
	} else if up, err = p.openAny(ctx, conf); err != nil {
		return err
	}
	defer up.close()

	p.greet(demo, address(listener), path, conf.settings.LookupEvery())
	st := store.New(db)
	guests, err := p.guests(conf, up, path)
	if err != nil {
		return err
	}
	job := p.job(conf, up, st)
	guests.join(job)
	send, stop := p.schedule(ctx, job, db)
	defer stop()
	onError := func(err error) { p.log("an answer could not be made: %v", err) }
	handler := calendar.Handler(st, job.Credentials, calendar.Options{Settings: conf.settings, Demo: demo, OnError: onError})
	office := guests.office(conf, up, st, send)
	if office == nil {
		if conf.app != nil {
			p.say("Hosts cannot connect accounts: that needs OWNERREZ_PUBLIC_URL, an https address that leads here.")
		}
		return serveHTTP(ctx, listener, onlyLoopback(handler))
	}
	if err := p.welcome(ctx, office, st); err != nil {
		return err
	}
	return serveHTTP(ctx, listener, outside(handler, office, guests.doors(send, p.log), onError))
}

// welcome says how hosts connect their accounts. It invites the first.
func (p *program) welcome(ctx context.Context, office *connect.Office, st *store.Store) error {
	p.say("Register with OwnerRez as the app's redirect URL: %s%s", office.PublicURL, connect.CallbackPath)
	p.say("and, for its webhook, if you use one: %s%s", office.PublicURL, webhook.Path)
	connected, err := someConnected(ctx, st)
	switch {
	case err != nil:
		return err
	case office.Open:
		p.say("Everybody may connect an account: %s%s", office.PublicURL, connect.ConnectPath)
		return nil
	case connected:
		p.say(`To invite another host, end this, and say "ownerrez accounts invite".`)
		return nil
	}
	link, err := office.Invite(ctx, connect.Invitation{})
	if err != nil {
		return err
	}
	p.say("To connect an account, once, within a week: %s", link)
	return nil
}

// someConnected reports whether a host has connected an account. What cannot be read may be one.
func someConnected(ctx context.Context, st *store.Store) (bool, error) {
	rows, unread := st.Accounts(ctx)
	requests, unasked := st.Requests(ctx)
	if err := errors.Join(unread, unasked); err != nil {
		if errors.Is(err, lookup.ErrUnreadable) {
			return true, nil
		}
		return false, err
	}
	return slices.ContainsFunc(rows, func(a lookup.Account) bool { return a.Connected }) ||
		slices.ContainsFunc(requests, func(r lookup.Request) bool { return !r.Leave }), nil
}

// greet says what is served where.
func (p *program) greet(demo bool, at, path string, every time.Duration) {
	if demo {
		p.say("This is a demo: OwnerRez, the properties and everyone who stays in them are invented.")
		p.say("For your own, set OWNERREZ_EMAIL and OWNERREZ_TOKEN and start again.")
	}
	p.say("Calendar: %s/", at)
	p.say("Data: %s", path)
	p.say("Looking up every %s. Ctrl-C ends it.", availability.Age(every))
}

// path is where to keep what is known.
func (c *serveCommand) path(p *program, demo bool) (string, error) {
	switch {
	case c.Data != "":
		return c.Data, nil
	case demo:
		return p.dataFile("demo.db")
	}
	return p.dataFile("calendar.db")
}

// job is what looks accounts up. Events go to stdout, unless a person looks at it.
func (p *program) job(conf config, up *upstream, st *store.Store) *lookup.Job {
	events := io.Writer(p.stdout)
	if p.stdout.is {
		events = io.Discard
	}
	return &lookup.Job{
		Store: st, Publisher: log.New(events), Credentials: only(up.cred), Settings: conf.settings,
		Window: up.window, Slots: up.slots, Share: conf.perFive / 5,
	}
}

// schedule looks who is due, at once and then again and again, and looks them up, each account in its own lane.
// Others wake accounts by send. The function stop ends that: what is under way is cut short, and the next start goes on
// there.
func (p *program) schedule(ctx context.Context, job *lookup.Job, db *embedded.DB) (send lane.Send, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var queued *lanes.Lanes
	send = func(ctx context.Context, w lookup.Wake) error { return lane.Sender(queued)(ctx, w) }
	handle := lane.Handler(job, send, func(_ context.Context, out lookup.Outcome, _ time.Duration) { p.logOutcome(out, time.Now()) })
	untilStopped := func(_ context.Context, m queue.Message) error { return handle(ctx, m) }
	queued = lanes.New(untilStopped, workers,
		func(m queue.Message, err error) { p.log("%s: the lookup goes back: %v", m.Group, err) })
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.tick(ctx, job, send, db)
	}()
	return send, func() {
		cancel()
		<-done
		queued.Close(ctx)
	}
}

// tick wakes who is due, until ctx ends.
func (p *program) tick(ctx context.Context, job *lookup.Job, send lane.Send, db *embedded.DB) {
	ticker := time.NewTicker(tickEvery)
	defer ticker.Stop()
	for purged := (time.Time{}); ; {
		if err := job.Tick(ctx, send); err != nil && ctx.Err() == nil {
			p.log("looking who is due: %v", err)
		}
		if now := time.Now(); now.Sub(purged) >= purgeEvery {
			if _, err := db.Purge(ctx, now); err != nil && ctx.Err() == nil {
				p.log("deleting what has expired: %v", err)
			}
			purged = now
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// log writes a line with the time of day to stderr.
func (p *program) log(format string, args ...any) {
	p.say("%s %s", time.Now().Format(time.TimeOnly), fmt.Sprintf(format, args...))
}
