package calendar

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
)

// Accounts is the answer to the question how all accounts are doing: those that have not left, by number. Its JSON is
// a contract with its readers.
type Accounts struct {
	Accounts []Account        `json:"accounts"`
	Problems []lookup.Problem `json:"problems,omitempty"` // of the store: accounts that cannot be shown
	Next     string           `json:"next,omitempty"`     // path and query of the next page; empty if there are no more
}

// Account is how one account is doing.
type Account struct {
	lookup.Standing
	ValidUntil     time.Time         `json:"valid_until,omitzero"` // in UTC; zero if it was never read. Later, ask again before a night is shown free
	Seq            int64             `json:"seq"`                  // the account's last event
	TimeZone       string            `json:"time_zone,omitempty"`
	SilentWebhooks bool              `json:"silent_webhooks,omitempty"` // OwnerRez no longer tells of changes when they happen: lookups find them on schedule
	Properties     []AccountProperty `json:"properties"`                // those that are not gone, by id
}

// AccountProperty is how a property is doing.
type AccountProperty struct {
	ID         int64     `json:"id"`
	AsOf       time.Time `json:"as_of,omitzero"`       // when the read began on which its nights rest, in UTC; zero: never read
	ValidUntil time.Time `json:"valid_until,omitzero"` // as the account's; earlier if reads of this property fail
}

// accounts answers with Accounts. It reads the accounts' rows and no records.
func (a *api) accounts(ctx context.Context, q *query) (any, error) {
	after, limit := q.after(), q.limit()
	if err := q.err(); err != nil {
		return nil, err
	}
	rows, err := a.store.Accounts(ctx)
	if err != nil && !errors.Is(err, lookup.ErrUnreadable) {
		return nil, err
	}
	answer := Accounts{Accounts: []Account{}}
	if err != nil { // the others can be shown all the same
		a.opts.OnError(err)
		answer.Problems = []lookup.Problem{unreadableAccount()}
	}
	rows = slices.DeleteFunc(rows, func(row lookup.Account) bool { return !shown(row) || row.ID <= after })
	slices.SortFunc(rows, func(x, y lookup.Account) int { return cmp.Compare(x.ID, y.ID) })
	left := room(a.pages.bytes)
	for i, row := range rows {
		account := a.account(row)
		if i == limit || !left.take(account) && i > 0 {
			answer.Next = fmt.Sprintf("%s?after=%d&limit=%d", accountsPath, rows[i-1].ID, limit)
			break
		}
		answer.Accounts = append(answer.Accounts, account)
	}
	return answer, nil
}

// shown reports whether a row is that of an account, and not of a credential, that has not left.
func shown(row lookup.Account) bool {
	return row.Key == lookup.AccountKey(row.ID) && row.Status != lookup.StatusLeft
}

// unreadableAccount is said where an account can be read no more than that it is there.
func unreadableAccount() lookup.Problem {
	return lookup.Problem{
		Message: "What is kept of an account cannot be read: it is damaged, or of a newer release.",
		Next:    "Use that release, or begin with a new data file.",
	}
}

func (a *api) account(row lookup.Account) Account {
	set := a.opts.Settings
	out := Account{
		Standing: set.Standing(row, a.opts.Now()), ValidUntil: validUntil(row.AsOf, set), Seq: row.Seq,
		Properties: []AccountProperty{}, SilentWebhooks: !row.Silence.Since.IsZero(),
	}
	if loc, certain := set.Location("", row.Zone); certain {
		out.TimeZone = loc.String()
	}
	for _, id := range slices.Sorted(maps.Keys(row.Properties)) {
		state := row.Properties[id]
		if state.Gone {
			continue
		}
		p := AccountProperty{ID: id}
		switch {
		case state.Mark != nil:
			p.AsOf = state.Mark.AsOf
		case !state.Baseline.IsZero():
			p.AsOf = row.AsOf
		}
		p.ValidUntil = validUntil(p.AsOf, set)
		out.Properties = append(out.Properties, p)
	}
	return out
}

// validUntil is until when what was read as of a time may be called free.
func validUntil(asOf time.Time, set lookup.Settings) time.Time {
	if asOf.IsZero() {
		return asOf
	}
	return asOf.Add(set.Stale())
}
