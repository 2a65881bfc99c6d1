package lookup

import (
	"context"
	"errors"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/budget"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// Job looks accounts up. Its fields are set once, before use; it is safe for concurrent use, as long as no two
// runs of the same account are under way at once: of two such runs one is dropped with ErrConflict.
type Job struct {
	Store       Store
	Publisher   Publisher
	Credentials account.Source
	Reread      func()      // lets Credentials be read anew, where that keeps them for a while; may be nil
	Connections Connections // how to reach accounts that their hosts connected; nil: there are none
	Webhooks    *Webhooks   // where OwnerRez is to post what happens in connected accounts; nil: nowhere, and what it was to post before ends
	Settings    Settings
	Now         func() time.Time // nil: time.Now

	Window *budget.Window // what may be sent; nil: each client's own limiter
	Slots  *budget.Slots  // personal tokens of one address; nil: not limited
	Share  int            // how many requests one run may use, except to finish what it has begun; 0: any number

	// MaxTime is how long one run may ask OwnerRez before it leaves the rest to the next, except to finish what
	// it has begun: one property, some questions; 0: any time. Where the context of Run has a deadline, a run ends
	// by itself 12 s before it, whatever it is about, and keeps the properties that it has read.
	MaxTime time.Duration

	Options  []ownerrez.Option  // for all clients, after the credential's own
	People   bool               // somebody waits for the answer: clients retry, and wait for permits as Options say
	Progress func(requests int) // called after each answer; may be nil
}

// Wake is a wake-up of a lane: look this row's account up. Lost, doubled and late ones are harmless.
type Wake struct {
	Key     string    `json:"key"`               // of the row: AccountKey or CredentialKey
	Reason  string    `json:"reason"`            // why, for logs; ReasonTick ones end at once if a run began after they were sent
	Full    bool      `json:"full,omitempty"`    // read everything in full
	Booking int64     `json:"booking,omitempty"` // of ReasonWebhook: the booking that it told of
	Revoked bool      `json:"revoked,omitempty"` // of ReasonWebhook: the host has revoked the authorization, it says
	Sent    time.Time `json:"sent"`              // by the clock of who sent it
}

// The reasons of wake-ups, beside those that follow a Request.
const (
	ReasonTick    = "tick"    // Tick found that the account is due
	ReasonWebhook = "webhook" // OwnerRez told of something
)

// Outcome tells what a run did.
type Outcome struct {
	Key         string
	Account     int64  // 0 while not known
	Kind        string // "full", "increment", "connect" (who the credential belongs to), "leave", or "none"
	Requests    int
	Nights      int // that changed
	Properties  int // of which nights changed
	AsOf        time.Time
	Status      Status
	Failed      bool // nothing could be read of the account, and it was not we who ended the run
	Problems    []Problem
	Wake        *Wake      // another row to wake at once; nil: none
	Silent      bool       // webhooks of the account have fallen silent: lookups found changes of which none came
	Left        *Departure // the account was disconnected by this run: for the audit
	Unpublished error      // why not all events were published; the next run goes on with them
}

// Run does one lookup, of the account or the credential whose row the wake-up names. Trouble with OwnerRez is
// an outcome, stored with the time of the next try; the error is one of our own store, or ErrConflict: then
// nothing of this run was kept after its last commit, and the wake-up should be tried again.
func (j *Job) Run(ctx context.Context, w Wake) (Outcome, error) {
	ctx, cancel := leaveTime(ctx)
	defer cancel()
	row, err := j.Store.Account(ctx, w.Key)
	if errors.Is(err, ErrNotFound) {
		row, err = Account{Key: w.Key, Status: StatusNew}, nil
	}
	if err != nil {
		return Outcome{Key: w.Key}, err
	}
	now := j.now()
	if w.Reason == ReasonTick && !row.RunBegan.IsZero() && w.Sent.Before(row.RunBegan) {
		return idle(row), nil
	}
	if isCredential(w.Key) {
		return j.connect(ctx, row, now)
	}
	request, err := j.request(ctx, w)
	switch {
	case err != nil:
		return Outcome{Key: w.Key}, err
	case request.Leave || row.Leaving != nil:
		return j.leave(ctx, row, request, now)
	case request.Account != 0:
		return j.connected(ctx, row, request, now)
	case w.Reason == ReasonConnected && !row.Connected && j.Connections != nil:
		if out, there, failed := j.unasked(ctx, row, w, now); there || failed != nil {
			return out, failed
		}
	}
	return j.routine(ctx, row, w, now)
}

// routine is a run of an account that nobody asks to connect or to leave.
func (j *Job) routine(ctx context.Context, row Account, w Wake, now time.Time) (Outcome, error) {
	switch {
	case row.Status == StatusLeft:
		return j.comeBack(ctx, row, now)
	case row.Version == 0:
		return idle(row), nil
	case w.Reason == ReasonWebhook:
		return j.hooked(ctx, row, w, now)
	}
	return j.lookup(ctx, row, row.clone(), now, w.Full)
}

// idle is the outcome of a run that had nothing to do.
func idle(row Account) Outcome {
	return Outcome{Key: row.Key, Account: row.ID, Kind: "none", AsOf: row.AsOf, Status: row.Status, Problems: row.Problems}
}

// lookup is a run of an account, which is stored as was and begins as row. One that OwnerRez refused, with a personal
// token that was replaced since it was read, says nothing of the account: it begins again with the new one.
func (j *Job) lookup(ctx context.Context, was, row Account, now time.Time, full bool) (Outcome, error) {
	return j.lookupAs(ctx, budget.Polls, was, row, now, full)
}

// lookupAs is lookup with permits of a level.
func (j *Job) lookupAs(ctx context.Context, level budget.Level, was, row Account, now time.Time, full bool) (Outcome, error) {
	r, err := j.look(ctx, level, row.clone(), now, full)
	if err == nil && errors.Is(r.ended, ownerrez.ErrUnauthorized) && r.row.Credential != r.row.Connection && j.replaced(ctx, r.row.Credential) {
		r, err = j.look(ctx, level, row.clone(), now, full)
	}
	if err != nil {
		return Outcome{Key: was.Key}, err
	}
	return j.conclude(ctx, r, was)
}

// look asks OwnerRez. The error is one of our own.
func (j *Job) look(ctx context.Context, level budget.Level, row Account, now time.Time, full bool) (*run, error) {
	row.RunBegan = now
	r := newRun(&row, j.Settings, now)
	r.meter.level = level
	r.share, r.maxTime, r.progress, r.split = j.share(), j.MaxTime, j.Progress, row.Failures > 0
	r.load = func(ctx context.Context) ([]availability.Record, error) { return j.Store.Records(ctx, row.ID) }
	r.reach = func(w availability.Range) availability.Range { w.To = ownerrez.Date{}; return w }
	err := j.enter(ctx, r)
	if err == nil && r.ended == nil {
		err = r.look(ctx, full)
	}
	r.silent = r.listen()
	if err == nil {
		err = j.subscribe(ctx, r)
	}
	r.tellTrouble()
	return r, err
}

// conclude stores and publishes what a run has learned, also if its context ended meanwhile.
func (j *Job) conclude(ctx context.Context, r *run, was Account) (Outcome, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), toStore)
	defer cancel()
	changes := r.changed(was)
	r.finish()
	out := Outcome{
		Key: r.row.Key, Account: r.row.ID, Kind: r.kind(), Requests: r.meter.requests(),
		AsOf: r.row.AsOf, Status: r.row.Status, Failed: r.row.Failures > was.Failures, Problems: r.toSay(), Silent: r.silent,
	}
	for _, c := range changes {
		if len(c.changes) > 0 {
			out.Properties++
			out.Nights += c.nights()
		}
	}
	row, err := j.commit(ctx, *r.row, was, r.batches(was, changes))
	if err != nil {
		return out, err
	}
	out.Unpublished, err = j.publish(ctx, row)
	return out, err
}

// commit writes the batches, each in one transaction on condition that no other run committed meanwhile. The
// account's age, cursor and the rest move with the last.
func (j *Job) commit(ctx context.Context, row, was Account, batches []batch) (Account, error) {
	step := was.clone()
	for i, b := range batches {
		if i == len(batches)-1 {
			row.Version, row.Seq = step.Version, step.Seq
			step = row
		}
		if len(b.events) > 0 {
			step.Seq = b.events[len(b.events)-1].Seq
		}
		if err := j.Store.Commit(ctx, Commit{Rows: []Account{step}, Account: row.ID, Records: b.records, Events: b.events}); err != nil {
			return Account{}, err
		}
		step.Version++
	}
	return step, nil
}

// publish hands on the events that were not yet, in order, up to the first that fails or for as long as there is
// time. A failure (unpublished) is not the lookup's: the next run goes on there.
func (j *Job) publish(ctx context.Context, row Account) (unpublished, err error) {
	published := row.Published
	sending, cancel := leaveTime(ctx) // to note how far it came
	defer cancel()
	for published < row.Seq && unpublished == nil {
		events, err := j.Store.Events(ctx, row.ID, published, 100, j.now())
		if err != nil {
			return nil, err
		}
		if len(events) == 0 {
			published = row.Seq // they have expired
		}
		for _, e := range events {
			if unpublished = j.Publisher.Publish(sending, e); unpublished != nil {
				break
			}
			published = e.Seq
		}
	}
	return unpublished, j.notePublished(ctx, row, published)
}

func (j *Job) notePublished(ctx context.Context, row Account, published int64) error {
	if published == row.Published {
		return nil
	}
	row.Published = published
	return j.Store.Commit(ctx, Commit{Rows: []Account{row}, Account: row.ID})
}

// now is the time in whole seconds, as it is stored and published: cut, so that nothing looks newer than it is.
func (j *Job) now() time.Time {
	clock := j.Now
	if clock == nil {
		clock = time.Now
	}
	return clock().UTC().Truncate(time.Second)
}

// share is how many requests a run may use: nobody's run is limited while somebody waits for it.
func (j *Job) share() int {
	if j.People {
		return 0
	}
	return j.Share
}

// options are what the clients of a run get beside the credential's own. In a lane nothing is retried at once:
// trouble is an outcome, and the next run tries again.
func (j *Job) options(m *meter) []ownerrez.Option {
	opts := []ownerrez.Option{ownerrez.WithObserver(m.observe)}
	if j.Window != nil {
		opts = append(opts, ownerrez.WithObserver(j.Window.Observe))
		if !j.People {
			opts = append(opts, ownerrez.WithLimiter(j.Window.Limiter(m.level)))
		}
	}
	if !j.People {
		opts = append(opts, ownerrez.WithRetry(ownerrez.NoRetry()))
	}
	return append(opts, j.Options...)
}
