package lookup

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/budget"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

const (
	soon           = 5 * time.Minute // when a run that was not done goes on
	reconnectAfter = time.Hour       // a second 401 that much later than the first: the host must act
	refusedRetry   = 6 * time.Hour   // how rarely a refused credential is tried at last
)

// finish brings ages, problems, status and the next due time up to date with what the run has learned.
func (r *run) finish() {
	// covered is whether the run read something completely.
	covered := r.incremented || len(r.good) > 0 || (r.listed && len(r.active()) == 0)
	r.age(covered)
	r.row.PageLimit = 0
	if r.capacity < pageLimit {
		r.row.PageLimit = r.capacity
	}
	if r.ledger != nil {
		r.noteRecords()
	}
	r.tellProblems(covered)
	r.tellSilence()
	if !covered && errors.Is(r.ended, context.Canceled) {
		return // we were interrupted: that is no trouble of the account, which is as due as before
	}
	r.row.Problems = r.toSay()
	switch {
	case covered:
		r.row.Failures, r.row.RefusedAt = 0, time.Time{}
	case !r.withinLimits():
		r.row.Failures++
	}
	r.row.Status, r.row.Due = r.status(covered), r.due(covered)
	r.boundRow()
}

// age moves the account's as_of and cursor, and freezes the age of properties that this run did not cover.
func (r *run) age(covered bool) {
	for p, err := range r.failed {
		r.mark(p, err)
	}
	allRead := true
	for _, p := range r.active() {
		state := r.row.Properties[p]
		switch {
		case r.good[p]:
			state.Mark = nil
			r.row.Properties[p] = state
			continue
		case covered && !r.incremented && state.Mark == nil:
			r.mark(p, errUnread)
		}
		allRead = false
	}
	if !covered {
		return
	}
	if r.incremented || allRead || r.row.Cursor.IsZero() {
		r.row.Cursor = r.began()
	}
	r.row.AsOf = r.began()
}

// mark freezes a property's age where it is, and asks for a full read of it.
func (r *run) mark(property int64, err error) {
	state, known := r.row.Properties[property]
	if !known || state.Gone {
		return
	}
	var mark Mark
	switch {
	case state.Mark != nil:
		mark = *state.Mark
	case !state.Baseline.IsZero():
		mark.AsOf = r.row.AsOf
	}
	mark.Why, _ = Explain(err)
	mark.Unfinished, mark.Until = errors.Is(err, errUnfinished), time.Time{}
	if errors.Is(err, errTooLarge) {
		mark.Until = r.now.Add(fullEvery)
	}
	switch {
	case !errors.Is(err, errContradiction):
		mark.Contradicted = time.Time{}
	case mark.Contradicted.IsZero():
		mark.Contradicted = r.began()
	}
	state.Mark = &mark
	r.row.Properties[property] = state
}

// noteRecords keeps in the account's row what is to be known without loading the records.
func (r *run) noteRecords() {
	var next time.Time
	sooner := func(t time.Time) {
		if next.IsZero() || t.Before(next) {
			next = t
		}
	}
	lapsed := map[int64]Lapse{}
	for p, rec := range r.ledger.records {
		if state, ok := r.row.Properties[p]; ok && state.Doubtful != (len(rec.Doubts) > 0) {
			state.Doubtful = len(rec.Doubts) > 0
			r.row.Properties[p] = state
		}
		if rec.Gone {
			continue
		}
		if at, ok := rec.NextLapse(r.now); ok {
			sooner(at)
		}
		for _, stay := range rec.Stays {
			if l, ok := r.row.Lapsed[stay.Booking]; ok && stay.Until != 0 && stay.Until <= r.now.Unix() {
				lapsed[stay.Booking] = l
				if again := l.Asked.Add(askLapsedEvery); again.Before(l.First.Add(askLapsedFor)) {
					sooner(again)
				}
			}
		}
	}
	r.row.NextLapse, r.row.Lapsed = next, lapsed
}

// tellProblems puts what went wrong into words. Where everything failed for one reason, it is said once.
func (r *run) tellProblems(covered bool) {
	if r.ended != nil {
		r.say(problem(0, r.ended))
	}
	for _, p := range slices.Sorted(maps.Keys(r.failed)) {
		if err := r.failed[p]; r.ended == nil || !errors.Is(err, r.ended) || covered {
			r.say(problem(p, err))
		}
	}
	for _, p := range r.active() {
		if mark := r.row.Properties[p].Mark; mark != nil && r.now.Before(mark.Until) {
			r.say(problem(p, errTooLarge))
		}
	}
	if r.ledger != nil {
		for _, p := range r.active() {
			for _, d := range r.ledger.record(p).Doubts {
				next := "Open the booking in OwnerRez and check its property and dates; if they are right, please report this."
				if d.Why == whyLeft {
					next = "Nothing to do: the next lookup reads the property again."
				}
				r.say(Problem{p, d.Why + ".", next})
			}
		}
	}
}

// status is how the account is doing after the run.
func (r *run) status(covered bool) Status {
	switch {
	case covered:
		return StatusOK
	case errors.Is(r.ended, budget.ErrNoSlot):
		return StatusRefused
	case errors.Is(r.ended, ownerrez.ErrUnauthorized):
		if r.row.RefusedAt.IsZero() {
			r.row.RefusedAt = r.now
		}
		if r.row.Status == StatusReconnect || r.now.Sub(r.row.RefusedAt) >= reconnectAfter {
			return StatusReconnect
		}
		return StatusLate
	case refusedAccess(r.ended):
		return cmp.Or(keepReconnect(r.row.Status), StatusLate)
	case r.row.Status == StatusOK && r.now.Sub(r.row.AsOf) > r.settings.Stale():
		return StatusLate
	}
	return r.row.Status
}

func keepReconnect(s Status) Status {
	if s == StatusReconnect {
		return s
	}
	return ""
}

// due is when the account is to be looked up next. One that got no permit at all is as due as before, and keeps its
// place before those that became due later.
func (r *run) due(covered bool) time.Time {
	every := r.settings.LookupEvery()
	noPermit := errors.Is(r.ended, budget.ErrNoPermit)
	hurry := r.waiting || noPermit || errors.Is(r.ended, errShare)
	for _, err := range r.failed {
		for _, open := range []error{errShare, errUnread, errMoved} {
			hurry = hurry || errors.Is(err, open)
		}
	}
	switch {
	case errors.Is(r.ended, ownerrez.ErrUnauthorized), refusedAccess(r.ended):
		return r.now.Add(backoff(every, r.row.Failures, max(every, refusedRetry)))
	case errors.Is(r.ended, budget.ErrNoSlot):
		return r.now.Add(time.Hour)
	case noPermit && r.meter.requests() == 0:
		return r.row.Due
	case hurry, errors.Is(r.ended, ownerrez.ErrRateLimited):
		return r.now.Add(min(soon, every))
	case covered:
		return r.now.Add(every)
	}
	return r.now.Add(backoff(time.Minute, r.row.Failures, every))
}

// backoff doubles base with every failure after the first, up to limit.
func backoff(base time.Duration, failures int, limit time.Duration) time.Duration {
	return min(base<<min(max(failures-1, 0), 16), limit)
}

// kind is what the run read.
func (r *run) kind() string {
	switch {
	case r.incremented:
		return "increment"
	case errors.Is(r.ended, errNoCredential) || r.meter.requests() == 0:
		return "none"
	}
	return "full"
}
