package operator

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
)

// finding is what is wrong with an account, if anything is.
func (d Desk) finding(row lookup.Account, now time.Time) (Finding, bool) {
	st := d.Settings.Standing(row, now)
	f := Finding{Account: row.ID, Ref: row.Ref, Status: st.Status, Problem: st.Problem, Next: st.Next}
	if !row.AsOf.IsZero() {
		f.Behind = availability.Age(now.Sub(row.AsOf))
	}
	switch {
	case row.Status == lookup.StatusLeft:
		return f, false
	case row.Leaving != nil:
		return f, f.leaving(row, now, d.seeLookups())
	case st.Status == lookup.StatusNew:
		f.Problem = cmp.Or(f.Problem, "It was never read.")
		f.Next = cmp.Or(f.Next, d.seeLookups())
		return f, row.Failures > 0 || now.Sub(row.StatusSince) > overdue // else it was connected a moment ago
	case st.Status == lookup.StatusOK:
		f.Behind = ""
		return f, f.partly(row, now, d.Settings.Stale())
	case len(row.Problems) == 0:
		f.Next = d.seeLookups()
	}
	f.Problem = cmp.Or(f.Problem, "It is "+string(st.Status)+".")
	return f, true
}

// leaving is about an account that is being disconnected, which is done in a moment.
func (f *Finding) leaving(row lookup.Account, now time.Time, see string) bool {
	f.Behind = "" // it is not looked up any more
	age := now.Sub(row.Leaving.At)
	switch {
	case row.Failures > 0 && len(row.Problems) > 0: // they say why
	case age <= overdue:
		return false
	default:
		f.Problem, f.Next = "It was to be disconnected "+availability.Age(age)+" ago, and that does not end.", see
	}
	return true
}

// partly is about an account that was read, but perhaps not all of it: of the properties that are older than they should
// be the oldest is told of, else the first problem.
func (f *Finding) partly(row lookup.Account, now time.Time, stale time.Duration) bool {
	late, oldest := 0, int64(0)
	for _, p := range slices.Sorted(maps.Keys(row.Properties)) {
		mark := row.Properties[p].Mark
		if row.Properties[p].Gone || mark == nil || mark.AsOf.IsZero() || now.Sub(mark.AsOf) <= stale {
			continue
		}
		if late++; late == 1 || mark.AsOf.Before(row.Properties[oldest].Mark.AsOf) {
			oldest = p
		}
	}
	about := func(p lookup.Problem) bool { return p.Property == oldest }
	if late == 0 {
		about = func(p lookup.Problem) bool { return p.Message == f.Problem }
	}
	var told lookup.Problem
	if i := slices.IndexFunc(row.Problems, about); i >= 0 {
		told = row.Problems[i]
	}
	switch {
	case late > 0:
		mark := row.Properties[oldest].Mark
		f.Behind = availability.Age(now.Sub(mark.AsOf))
		f.Problem = fmt.Sprintf("Property %d is late. %s", oldest, cmp.Or(told.Message, mark.Why))
		f.Next = cmp.Or(told.Next, "Nothing to do: the next lookups try again.")
		if late > 1 {
			f.Problem += fmt.Sprintf(" %d of its properties are late.", late)
		}
	case told.Property != 0:
		f.Problem = fmt.Sprintf("Property %d: %s", told.Property, told.Message)
	}
	return f.Problem != ""
}
