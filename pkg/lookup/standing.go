package lookup

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
)

// Standing is how an account is doing, in words for a person. Its JSON is a contract with its readers.
type Standing struct {
	Account int64     `json:"account,omitempty"` // 0: of a credential whose account is not known
	Ref     string    `json:"ref,omitempty"`     // the operator's own reference
	Status  Status    `json:"status"`
	AsOf    time.Time `json:"as_of,omitzero"`    // the begin of the last good read, in UTC; zero if there was none
	Problem string    `json:"problem,omitempty"` // what is wrong, if anything is
	Next    string    `json:"next,omitempty"`    // what to do about it
}

// Standing tells how an account or a credential is doing now. One whose last good read is older than StaleAfter is
// late, whatever its row says: where no lookups run, nobody changes the row.
func (s Settings) Standing(row Account, now time.Time) Standing {
	st := Standing{Account: row.ID, Ref: row.Ref, Status: cmp.Or(row.Status, StatusNew), AsOf: row.AsOf}
	if i := slices.IndexFunc(row.Problems, func(p Problem) bool { return p.Property == 0 }); i >= 0 {
		st.Problem, st.Next = row.Problems[i].Message, row.Problems[i].Next
	} else if len(row.Problems) > 0 {
		st.Problem, st.Next = row.Problems[0].Message, row.Problems[0].Next
	}
	if row.Leaving != nil && st.Problem == "" {
		st.Problem, st.Next = "The account is being disconnected.", "Nothing to do: it is done in a moment."
	}
	if age := now.Sub(row.AsOf); st.Status == StatusOK && age > s.Stale() && !isCredential(row.Key) {
		st.Status = StatusLate
		st.Problem = cmp.Or(st.Problem, "The last good lookup is "+availability.Age(age)+" old.")
		st.Next = cmp.Or(st.Next, "See that lookups run: that the schedule is on, and what their log says.")
	}
	return st
}

// Standings tells how every account is doing that has not left, by number; before them, how the configured
// credentials are doing whose account is not known. Where something cannot be read it returns the rest beside an
// error.
func Standings(ctx context.Context, store Store, configured account.Source, set Settings, now time.Time) ([]Standing, error) {
	rows, unread := store.Accounts(ctx)
	if unread != nil && rows == nil {
		return nil, unread
	}
	creds, err := configured(ctx)
	if err != nil {
		message, next := Explain(err)
		if !misconfigured(err) {
			message, next = "The credentials could not be read: "+err.Error()+".", "Nothing is looked up until they can be."
		}
		return append([]Standing{{Status: StatusLate, Problem: message, Next: next}}, standings(rows, nil, set, now)...), unread
	}
	return standings(rows, creds, set, now), unread
}

func standings(rows []Account, creds []account.Credential, set Settings, now time.Time) []Standing {
	out := []Standing{}
	for _, cred := range creds {
		key := CredentialKey(cred.Fingerprint)
		i := slices.IndexFunc(rows, func(a Account) bool { return a.Key == key })
		switch {
		case i < 0:
			out = append(out, set.Standing(Account{Key: key}, now))
		case rows[i].ID == 0:
			out = append(out, set.Standing(rows[i], now))
		}
	}
	slices.SortStableFunc(rows, func(a, b Account) int { return cmp.Compare(a.ID, b.ID) })
	for _, row := range rows {
		if !isCredential(row.Key) && row.Status != StatusLeft {
			out = append(out, set.Standing(row, now))
		}
	}
	return out
}
