package lookup

import (
	"context"
	"maps"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/budget"
)

const (
	maxNoted    = 5           // bookings that are noted by id; of more only is kept that there were more
	hookedEvery = time.Minute // how often an account is read for webhooks
)

// hooked is a run for a webhook. The booking's id is noted before anything else, so that nothing is lost whatever
// becomes of the run. Where the account was read for a webhook a moment ago, the next tick reads it.
func (j *Job) hooked(ctx context.Context, was Account, w Wake, now time.Time) (Outcome, error) {
	row := was.clone()
	row.note(w.Booking, now)
	row.Silence.hear(w.Booking, now)
	if w.Revoked { // whose the token is has to be asked before anything else
		row.Connection = ""
	}
	failing := was.Failures > 0 && was.Due.After(now) // who can post must not have us ask more often than that
	recently := now.Sub(was.HookRead) < hookedEvery
	switch {
	case failing:
	case recently && row.Due.After(now):
		row.Due = now
	case !recently:
		row.HookRead = now
	}
	if err := j.Store.Commit(ctx, Commit{Rows: []Account{row}}); err != nil {
		return Outcome{Key: was.Key}, err
	}
	row.Version++
	if failing || recently {
		return idle(row), nil
	}
	return j.lookupAs(ctx, budget.Webhooks, row, row.clone(), now, false)
}

// note notes a booking that a webhook told of.
func (a *Account) note(booking int64, now time.Time) {
	if booking <= 0 || a.NotedMany {
		return
	}
	if _, again := a.Noted[booking]; !again && len(a.Noted) >= maxNoted {
		a.Noted, a.NotedMany = nil, true
		return
	}
	if a.Noted == nil {
		a.Noted = map[int64]time.Time{}
	}
	a.Noted[booking] = now
}

// openNotes turns a flood of notes into full reads of all properties, and forgets notes that nothing has settled for so
// long that all properties were read in full meanwhile.
func (r *run) openNotes() {
	maps.DeleteFunc(r.row.Noted, func(_ int64, since time.Time) bool { return r.now.Sub(since) > fullEvery })
	if !r.row.NotedMany {
		return
	}
	for _, p := range r.active() {
		state := r.row.Properties[p]
		state.Wanted = true
		r.row.Properties[p] = state
	}
	r.row.NotedMany = false
}

// want has the property of a booking that a webhook told of read in full, in this run if it may still ask.
func (r *run) want(booking int64) {
	delete(r.row.Noted, booking)
	_, property, known := r.ledger.stay(booking)
	if state, ours := r.row.Properties[property]; known && ours && !state.Gone {
		state.Wanted = true
		r.row.Properties[property] = state
		r.wanted = append(r.wanted, property)
	}
}

// noted reports whether anything is to be settled that webhooks told of.
func (r *run) noted() bool { return len(r.row.Noted) > 0 || r.row.NotedMany }

// askNoted asks for bookings that webhooks told of and that this run has not shown.
func (r *run) askNoted(asked map[int64]question, shown sightings) {
	for booking := range r.row.Noted {
		if _, seen := shown[booking]; seen {
			delete(r.row.Noted, booking)
			continue
		}
		q, again := asked[booking]
		if !again {
			stay, property, _ := r.ledger.stay(booking)
			q = question{booking: booking, property: property, night: stay.Arrival}
		}
		q.noted = true
		asked[booking] = q
	}
}
