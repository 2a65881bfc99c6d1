package lookup

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// listProperties brings the account's properties up to date. A property that the list lacks is asked for by id
// before it is gone.
func (r *run) listProperties(ctx context.Context) {
	rows, err := ask(ctx, r.reader, func(ctx context.Context) ([]ownerrez.Property, error) {
		return ownerrez.Collect(r.client.Properties.All(ctx, ownerrez.PropertyQuery{}))
	})
	if err != nil {
		r.say(problem(0, err))
		return
	}
	if len(rows) == 0 && len(r.row.Properties) == 0 {
		r.say(Problem{Message: "OwnerRez lists no properties for this account.", Next: "Check in OwnerRez that it has some; if it has, try again."})
		return // an account without any is rarer than an answer that lacks them
	}
	listed := map[int64]bool{}
	for _, row := range rows {
		listed[row.ID] = true
	}
	var missing []int64
	for p, state := range r.row.Properties {
		if !listed[p] && !state.Gone {
			missing = append(missing, p)
		}
	}
	if len(missing) > 0 && !r.sameAccount(ctx) {
		return // the list is not this account's
	}
	readable := true
	for _, row := range rows {
		if row.ID == 0 {
			readable = false
			r.say(Problem{Message: "OwnerRez listed a property without a readable id.", Next: "Open the list of properties in OwnerRez; if it looks right there, please report this."})
			continue
		}
		r.know(row)
	}
	if r.listed = true; r.askForMissing(ctx, missing) && readable {
		r.row.Listed = r.began()
	}
}

// askForMissing asks for properties that the list lacked, as many as a run may, and reports whether OwnerRez told
// of all of them.
func (r *run) askForMissing(ctx context.Context, properties []int64) bool {
	complete := len(properties) <= maxQuestions
	slices.Sort(properties)
	for _, p := range properties[:min(len(properties), maxQuestions)] {
		if r.spent() || !r.askForProperty(ctx, p) {
			complete = false
		}
	}
	return complete
}

// sameAccount asks whose account it is before anything is concluded from what is not there: a credential that
// leads into another account shows nothing of this one. If it does, nothing more is asked.
func (r *run) sameAccount(ctx context.Context) bool {
	user, err := ask(ctx, r.reader, func(ctx context.Context) (*ownerrez.User, error) { return r.client.Users.Me(ctx) })
	switch {
	case err != nil:
		r.say(problem(0, err))
	case r.row.ID != 0 && user.ID != r.row.ID:
		r.ended = errOtherAccount
	default:
		return true
	}
	return false
}

// askForProperty asks for one property by its id, and reports whether OwnerRez told.
func (r *run) askForProperty(ctx context.Context, id int64) bool {
	row, err := ask(ctx, r.reader, func(ctx context.Context) (*ownerrez.Property, error) {
		return r.client.Properties.Get(ctx, id)
	})
	switch {
	case errors.Is(err, ownerrez.ErrNotFound):
		r.gone(id)
	case err != nil:
		r.say(problem(id, err))
		return false
	case row.ID != id:
		r.say(problem(id, errUnusable))
		return false
	default:
		r.know(*row)
	}
	return true
}

// askForMet asks for properties that were named and that no list has shown: once, the answer is remembered.
func (r *run) askForMet(ctx context.Context) {
	for _, id := range slices.Sorted(maps.Keys(r.met)) {
		if !r.ours(id) && !r.spent() {
			r.askForProperty(ctx, id)
		}
	}
}

// know takes what OwnerRez says of a property.
func (r *run) know(row ownerrez.Property) {
	if active, said := row.Active.Get(); said && !active {
		r.gone(row.ID)
		r.name(row)
		return
	}
	if r.row.Properties == nil {
		r.row.Properties = map[int64]PropertyState{}
	}
	state, known := r.row.Properties[row.ID]
	if !known || state.Gone { // it is back: what was known of it is too old to build on
		r.row.Properties[row.ID] = PropertyState{}
	}
	r.name(row)
}

func (r *run) name(row ownerrez.Property) {
	rec := r.ledger.record(row.ID)
	rec.Name, rec.Zone = row.Name, row.TimeZone
}

// gone makes all nights of a property unknown, and asks for it no more until a list shows it again.
func (r *run) gone(id int64) {
	if r.row.Properties == nil {
		r.row.Properties = map[int64]PropertyState{}
	}
	r.row.Properties[id] = PropertyState{Gone: true}
	if rec := r.ledger.records[id]; rec != nil {
		rec.Gone = true
	}
	for booking, s := range r.row.Suspects {
		if s.Property == id {
			delete(r.row.Suspects, booking)
		}
	}
}
