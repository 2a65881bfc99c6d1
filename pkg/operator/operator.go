// Package operator answers whoever runs the software: how the accounts are doing, what is wrong with one, and what to do;
// and it invites hosts and disconnects accounts.
package operator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/connect"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
)

// Desk is where an operator asks. Its fields are set once, before use; it is safe for concurrent use.
type Desk struct {
	Store       lookup.Store
	Credentials account.Source
	Settings    lookup.Settings
	Now         func() time.Time // nil means time.Now

	// Invite makes an invitation, and returns the link for the host; nil where hosts can reach nothing of ours.
	Invite func(context.Context, connect.Invitation) (link string, err error)
	// Wake wakes an account's lane after it was asked to disconnect the account; nil where whoever asks runs it.
	Wake func(context.Context, lookup.Wake) error
	// Local says that this is one process on a computer, and no stack: what to do next is told in its words.
	Local bool
}

// Command is what an operator asks. Its JSON is a contract with operators' scripts.
type Command struct {
	Command string `json:"command"`           // "list", "status", "invite", "disconnect", "purge" or "doctor"
	Account int64  `json:"account,omitempty"` // of status and disconnect; of invite, if it is for one account only
	Ref     string `json:"ref,omitempty"`     // of invite: the operator's own reference
	Return  string `json:"return,omitempty"`  // of invite: an https URL to which the last page links
	Days    int    `json:"days,omitempty"`    // of invite: for how long it is good; 0 means 7
	Yes     bool   `json:"yes,omitempty"`     // of purge: do it, and do not only tell
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
	Left       *Left            `json:"left,omitempty"`     // of an account that was disconnected
	Properties []PropertyStatus `json:"properties"`         // by number
	Problems   []lookup.Problem `json:"problems"`           // all that is wrong
}

// Left says since when an account is disconnected, and by whom.
type Left struct {
	At time.Time `json:"at"` // when that was asked for, in UTC
	By string    `json:"by"` // "host" or "operator"
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

// commands are how each is said.
const commands = `{"command":"list"}, {"command":"status","account":123456}, {"command":"doctor"}, ` +
	`{"command":"invite","account":123456,"ref":"your own","return":"https://example.com/done","days":7} (all but command may be left out), ` +
	`{"command":"disconnect","account":123456} or {"command":"purge"}`

// Handle does a command. "list" returns Standings, "status" a Status, "invite" an Invitation, "disconnect" a Disconnect,
// "purge" a Purge, "doctor" Findings.
func (d Desk) Handle(ctx context.Context, c Command) (any, error) {
	switch c.Command {
	case "list":
		return d.List(ctx)
	case "status":
		return d.Status(ctx, c.Account)
	case "invite":
		return d.InviteHost(ctx, c)
	case "disconnect":
		return d.Disconnect(ctx, c.Account)
	case "purge":
		return d.Purge(ctx, c.Yes)
	case "doctor":
		return d.Doctor(ctx)
	case "":
		return nil, errors.New("there is no command: send " + commands)
	}
	return nil, fmt.Errorf("%.40q is no command: send %s", c.Command, commands)
}

// List tells how every account is doing.
func (d Desk) List(ctx context.Context) ([]lookup.Standing, error) {
	return lookup.Standings(ctx, d.Store, d.Credentials, d.Settings, d.now())
}

// Status tells what is known of an account.
func (d Desk) Status(ctx context.Context, id int64) (Status, error) {
	if id <= 0 {
		return Status{}, d.needsAccount("status")
	}
	snap, err := lookup.Load(ctx, d.Store, id)
	if errors.Is(err, lookup.ErrNotFound) {
		return Status{}, d.unknown(id)
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
	if row.Left != nil {
		st.Left = &Left{At: row.Left.At, By: row.Left.By}
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
