package lookup

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// Question is what Once is to find out.
type Question struct {
	From, To   ownerrez.Date      // the nights [From, To)
	Properties []int64            // which properties; empty: all of the account
	Now        time.Time          // by our clock
	Progress   func(requests int) // called after each answer; may be nil
}

// Once looks up what the question needs, and keeps nothing. It always returns a snapshot: what could not be read
// is not known there, and a problem says why.
func Once(ctx context.Context, cred account.Credential, set Settings, q Question, opts ...ownerrez.Option) Snapshot {
	row := Account{Status: StatusNew}
	r := newRun(&row, set, q.Now.UTC().Truncate(time.Second))
	r.ledger, r.progress = newLedger(nil), q.Progress
	if len(q.Properties) > 0 {
		r.only = func(p int64) bool { return slices.Contains(q.Properties, p) }
		for _, p := range q.Properties {
			r.met[p] = true
		}
	}
	r.reach = func(availability.Range) availability.Range { return availability.Range{From: q.From, To: q.To} }
	client, err := cred.Open(append([]ownerrez.Option{ownerrez.WithObserver(r.meter.observe)}, opts...)...)
	if err != nil {
		r.ended = err
	} else {
		r.client = client
		r.introduce(ctx)
		_ = r.look(ctx, true) // without a store it has no error
	}
	r.finish()
	r.answerFor(q.Properties)
	return Snapshot{Account: row, Records: r.asked(), Problems: r.toSay()}
}

// introduce asks whose account it is: for its number and its time zone. The calendar does not hang on it.
func (r *run) introduce(ctx context.Context) {
	user, err := ask(ctx, r.reader, func(ctx context.Context) (*ownerrez.User, error) { return r.client.Users.Me(ctx) })
	if err == nil && user.ID > 0 {
		r.row.ID, r.row.Name, r.row.Zone = user.ID, user.Name, user.TimeZone
	}
}

// answerFor says of each property that was asked for and is not read why it is not.
func (r *run) answerFor(properties []int64) {
	for _, p := range properties {
		state := r.row.Properties[p]
		switch rec := r.ledger.record(p); {
		case state.Gone && rec.Name == "":
			r.say(Problem{p, fmt.Sprintf("This account has no property %d.", p), "Check the number; `properties` lists them all."})
		case state.Gone:
			r.say(Problem{p, "The property is not active in OwnerRez.", "Activate it in OwnerRez, or leave it out."})
		}
	}
}

// asked returns the records of the properties that were asked for.
func (r *run) asked() []availability.Record {
	return slices.DeleteFunc(r.ledger.all(), func(rec availability.Record) bool {
		if r.only != nil {
			return !r.only(rec.Property)
		}
		return r.row.Properties[rec.Property].Gone
	})
}
