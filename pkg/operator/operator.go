// Package operator answers whoever runs the software: how the accounts are doing, and what is wrong with one.
package operator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
)

// Desk is where an operator asks. Its fields are set once, before use; it is safe for concurrent use.
type Desk struct {
	Store       lookup.Store
	Credentials account.Source
	Settings    lookup.Settings
	Now         func() time.Time // nil means time.Now
}

// Command is what an operator asks. Its JSON is a contract with operators' scripts.
type Command struct {
	Command string `json:"command"`           // "list" or "status"
	Account int64  `json:"account,omitempty"` // of status
}

// Status is what is known of one account.
type Status struct {
	lookup.Standing
	Name       string           `json:"name,omitempty"`
	TimeZone   string           `json:"time_zone,omitempty"`
	Due        time.Time        `json:"due,omitzero"`       // when the next lookup is due, in UTC
	LastRun    time.Time        `json:"last_run,omitzero"`  // when the last one began, well or not
	Failures   int              `json:"failures,omitempty"` // lookups that failed since the last good one
	Seq        int64            `json:"seq"`                // the last event
	Published  int64            `json:"published"`          // the last event that was published
	Properties []PropertyStatus `json:"properties"`         // by number
	Problems   []lookup.Problem `json:"problems"`           // all that is wrong
}

// PropertyStatus is what is known of a property.
type PropertyStatus struct {
	ID    int64     `json:"id"`
	Name  string    `json:"name,omitempty"`
	AsOf  time.Time `json:"as_of,omitzero"` // zero: never read completely
	Stays int       `json:"stays"`          // that are stored
	Gone  bool      `json:"gone,omitempty"` // inactive in OwnerRez, or not there
	Late  string    `json:"late,omitempty"` // why it is older than its account
}

// Handle does a command: "list" returns the Standings of all accounts, "status" the Status of one.
func (d Desk) Handle(ctx context.Context, c Command) (any, error) {
	switch c.Command {
	case "list":
		return d.List(ctx)
	case "status":
		return d.Status(ctx, c.Account)
	case "":
		return nil, errors.New(`there is no command: send {"command":"list"} or {"command":"status","account":123456}`)
	}
	return nil, fmt.Errorf(`%.40q is no command: send {"command":"list"} or {"command":"status","account":123456}`, c.Command)
}

// List tells how every account is doing.
func (d Desk) List(ctx context.Context) ([]lookup.Standing, error) {
	return lookup.Standings(ctx, d.Store, d.Credentials, d.Settings, d.now())
}

// Status tells what is known of an account.
func (d Desk) Status(ctx context.Context, id int64) (Status, error) {
	if id <= 0 {
		return Status{}, errors.New(`status needs an account: send {"command":"status","account":123456}; {"command":"list"} lists them`)
	}
	snap, err := lookup.Load(ctx, d.Store, id)
	if errors.Is(err, lookup.ErrNotFound) {
		return Status{}, fmt.Errorf(`account %d is not known here; {"command":"list"} lists those that are`, id)
	}
	if err != nil {
		return Status{}, err
	}
	row := snap.Account
	st := Status{
		Standing: d.Settings.Standing(row, d.now()), Name: row.Name, TimeZone: row.Zone,
		Due: row.Due, LastRun: row.RunBegan, Failures: row.Failures, Seq: row.Seq, Published: row.Published,
		Properties: []PropertyStatus{}, Problems: append([]lookup.Problem{}, row.Problems...),
	}
	for id, state := range row.Properties {
		rec, _ := snap.Record(id)
		p := PropertyStatus{ID: id, Name: rec.Name, AsOf: snap.AsOf(id), Stays: len(rec.Stays), Gone: state.Gone}
		if state.Mark != nil {
			p.Late = state.Mark.Why
		}
		st.Properties = append(st.Properties, p)
	}
	slices.SortFunc(st.Properties, func(a, b PropertyStatus) int { return cmp.Compare(a.ID, b.ID) })
	return st, nil
}

func (d Desk) now() time.Time {
	if d.Now == nil {
		return time.Now()
	}
	return d.Now()
}
