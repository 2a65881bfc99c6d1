package lookup

import (
	"cmp"
	"slices"
)

// active lists the properties that are read, in order.
func (r *run) active() []int64 {
	var out []int64
	for p, state := range r.row.Properties {
		if !state.Gone && (r.only == nil || r.only(p)) {
			out = append(out, p)
		}
	}
	slices.Sort(out)
	return out
}

// large reports whether the account's bookings do not fit one answer.
func (r *run) large() bool {
	rows, active := 0, r.active()
	for _, p := range active {
		rows += r.row.Properties[p].Rows
	}
	return len(active) > pageLimit || rows > r.capacity*9/10
}

// incremental reports whether the run begins with an increment: the account is large, and increments have proven
// themselves. A smaller one is always read in full: one request, and deletes are seen at once.
func (r *run) incremental() bool {
	return r.large() && r.row.Proof.Shown && !r.row.Cursor.IsZero() && !r.now.Before(r.row.FullUntil)
}

// dueForFull lists the properties that are to be read in full: all of them where increments are not used,
// else those that are marked, that were never read, or whose last full read is a day old.
func (r *run) dueForFull(full bool) []int64 {
	all := full || !r.incremental()
	due := slices.DeleteFunc(r.active(), func(p int64) bool {
		state := r.row.Properties[p]
		if state.Mark != nil && r.now.Before(state.Mark.Until) && !full {
			return true
		}
		unread := r.ledger != nil && !r.ledger.record(p).Known // also if what was stored cannot be read
		return !all && !unread && state.Mark == nil && !state.Doubtful && !state.Wanted && r.now.Sub(state.Baseline) < fullEvery
	})
	urgency := func(p int64) int {
		switch state := r.row.Properties[p]; {
		case state.Mark != nil && state.Mark.Unfinished:
			return 1 // it may use up all that the run may: those that wait for it to be done go first
		case state.Mark != nil || state.Doubtful || state.Wanted:
			return 0
		}
		return 2
	}
	slices.SortFunc(due, func(a, b int64) int {
		return cmp.Or(cmp.Compare(urgency(a), urgency(b)),
			r.row.Properties[a].Baseline.Compare(r.row.Properties[b].Baseline), cmp.Compare(a, b))
	})
	return due
}
