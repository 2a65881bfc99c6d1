package lookup

import (
	"slices"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
)

func (r *run) availabilityChanged(rec availability.Record, changes []availability.Change) Event {
	e := Event{Kind: AvailabilityChanged, Property: rec.Property, AsOf: r.row.asOf(rec.Property, rec.Known)}
	if !e.AsOf.IsZero() {
		e.ValidUntil = e.AsOf.Add(r.settings.Stale())
	}
	for _, c := range changes {
		e.Changes = append(e.Changes, Change{
			From: c.From, To: c.To, Was: c.Was.String(), Now: c.Now.String(), Cause: c.Cause.String(),
			Booking: c.Booking, Reason: c.Reason,
		})
	}
	return e
}

// accountChanged tells a new status, and which properties became late, or are so no more, while the account is not.
func (r *run) accountChanged(was Account) []Event {
	var out []Event
	if was.Status != r.row.Status {
		r.row.StatusSince = r.now
		e := r.statusEvent(was.Status, r.row.Status, nil)
		if r.row.Status == StatusReconnect && !r.row.AsOf.IsZero() {
			e.ActBy = r.row.AsOf.Add(r.settings.Stale())
		}
		out = append(out, e)
	}
	if r.row.Status != StatusOK {
		return out
	}
	late := r.lateProperties()
	added := slices.DeleteFunc(slices.Clone(late), func(p int64) bool { return slices.Contains(was.LateSaid, p) })
	healed := slices.DeleteFunc(slices.Clone(was.LateSaid), func(p int64) bool { return slices.Contains(late, p) })
	for part := range slices.Chunk(added, maxNamed) {
		out = append(out, r.statusEvent(StatusOK, StatusLate, part))
	}
	for part := range slices.Chunk(healed, maxNamed) {
		if was.Status == StatusOK {
			out = append(out, r.statusEvent(StatusLate, StatusOK, part))
		}
	}
	r.row.LateSaid = late
	return out
}

func (r *run) statusEvent(was, now Status, properties []int64) Event {
	e := Event{Kind: AccountChanged, At: r.now, Was: was, Now: now, AsOf: r.row.AsOf, Properties: properties}
	if now == StatusOK {
		return e
	}
	for _, p := range r.problems {
		if len(properties) == 0 && p.Property == 0 || slices.Contains(properties, p.Property) {
			e.Reason, e.Next = p.Message, p.Next
			break
		}
	}
	return e
}

// lateProperties are those that are older than StaleAfter.
func (r *run) lateProperties() []int64 {
	var late []int64
	for _, p := range r.active() {
		mark := r.row.Properties[p].Mark
		if mark != nil && !mark.AsOf.IsZero() && r.now.Sub(mark.AsOf) > r.settings.Stale() {
			late = append(late, p)
		}
	}
	return late
}

// asOf is the age of a property's record: the account's, unless the property is marked. It is zero if the
// property was never read completely.
func (a *Account) asOf(property int64, known bool) time.Time {
	state, ok := a.Properties[property]
	switch {
	case !known || !ok:
		return time.Time{}
	case state.Mark != nil:
		return state.Mark.AsOf
	}
	return a.AsOf
}
