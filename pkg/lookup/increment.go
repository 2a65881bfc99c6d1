package lookup

import (
	"context"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// overlap is how much earlier than its cursor an increment begins: changes that OwnerRez committed late, and
// clocks that differ, are seen all the same.
const overlap = 10 * time.Minute

// readIncrement asks what has changed since the cursor and applies it. complete is false if not everything was
// answered: then nothing was applied. err is one of our own store.
func (r *run) readIncrement(ctx context.Context) (seen sightings, complete bool, err error) {
	rows, crowded, ok := r.changes(ctx, r.row.Cursor.Add(-overlap))
	if !ok {
		return nil, false, nil
	}
	seen = sightings{}
	r.incremented = true
	if len(rows) == 0 && len(crowded) == 0 && r.ledger == nil {
		return seen, true, nil
	}
	if r.ledger == nil {
		records, err := r.load(ctx)
		if err != nil {
			r.incremented = false
			return nil, false, err
		}
		r.ledger = newLedger(records)
	}
	for _, row := range rows {
		reading := availability.Read(row.Booking)
		if reading.Why != "" {
			r.doubtChange(reading)
			continue
		}
		seen.add(sightings{reading.Booking: {Reading: reading, order: row.order, updated: row.UpdatedUTC}})
	}
	for _, row := range seen.inOrder() {
		r.apply(row.Reading, r.byList(row.order))
	}
	for _, p := range crowded {
		r.mark(p, errUnread)
	}
	return seen, true, nil
}

// changedRow is a row of an increment, with the order of its answer.
type changedRow struct {
	ownerrez.Booking
	order int
}

// changes asks for all rows changed since a time: in one answer, else per property. A property whose own changes
// do not fit one answer is crowded: it is to be read in full. So are those that are left when the run has used its
// share, or an account with more changes than that would be asked for the same ones for ever.
func (r *run) changes(ctx context.Context, since time.Time) (rows []changedRow, crowded []int64, ok bool) {
	todo := [][]int64{nil} // nil asks for all properties, and for those that we do not know
	for len(todo) > 0 {
		group := todo[0]
		todo = todo[1:]
		if group != nil && r.spent() {
			crowded = append(crowded, group...)
			continue
		}
		page, whole, err := r.list(ctx, ownerrez.BookingQuery{Since: since, PropertyIDs: group, Limit: pageLimit})
		switch {
		case err != nil && refusedQuestion(err) && len(group) > 1:
			todo = append(todo, group[:len(group)/2], group[len(group)/2:])
		case err != nil:
			r.say(problem(0, err))
			return nil, nil, false
		case whole:
			for _, row := range page.Items {
				rows = append(rows, changedRow{row, r.order})
			}
			r.cover(group)
		case group == nil:
			r.row.Listed = time.Time{} // a new property may be among what did not fit
			todo = append(todo, chunks(r.active(), 8)...)
		case len(group) > 1:
			todo = append(todo, group[:len(group)/2], group[len(group)/2:])
		default:
			crowded = append(crowded, group[0])
		}
	}
	return rows, crowded, true
}

// cover notes that the last answer held all changes of some properties; nil are all.
func (r *run) cover(properties []int64) {
	if properties == nil {
		properties = r.active()
	}
	for _, p := range properties {
		r.covered[p] = r.order
	}
}

// chunks splits properties into at most n groups.
func chunks(properties []int64, n int) [][]int64 {
	size := max((len(properties)+n-1)/n, 1)
	var out [][]int64
	for len(properties) > size {
		out = append(out, properties[:size])
		properties = properties[size:]
	}
	if len(properties) > 0 {
		out = append(out, properties)
	}
	return out
}

// doubtChange notes a changed row that cannot be read: at its property, else at all: it may have moved from where we know
// it.
func (r *run) doubtChange(reading availability.Reading) {
	properties := []int64{reading.Property}
	if !r.ours(reading.Property) {
		properties = r.active()
	}
	for _, p := range properties {
		r.ledger.record(p).AddDoubt(reading.Doubt(r.doubtful(p)))
	}
}

// watchForMisses compares rows of a full read with what increments should have shown: a row that differs from
// ours although it was changed in a time that increments covered shows that they cannot be trusted. Then the
// account is read in full for a day, and increments must prove themselves again. Of a property that is marked it is
// not known what increments have covered: it may have had more changes than an answer holds.
func (r *run) watchForMisses(shown sightings) {
	proof := &r.row.Proof
	if !proof.Shown {
		return
	}
	missed := false
	for _, seen := range shown {
		covered := !seen.updated.Before(proof.Since) && !seen.updated.After(r.row.Cursor.Add(-overlap))
		marked := r.row.Properties[seen.Property].Mark != nil
		if covered && !marked && r.ours(seen.Property) && !r.first(seen.Property) && r.ledger.differs(seen.Reading) {
			r.row.Misses++
			missed = true
		}
	}
	if missed {
		*proof = Proof{}
		r.row.FullUntil = r.began().Add(fullEvery)
	}
}

// prove asks an increment for a booking that was changed after it was created. Only after it was shown are
// increments used: OwnerRez's documents disagree on whether they show changes or only what is new. It asks even if the
// share is used up: an account that always needs more than its share to be read in full would never be spared that.
func (r *run) prove(ctx context.Context) {
	candidate := r.candidate
	if r.row.Proof.Shown || candidate.Booking == 0 || r.ended != nil ||
		r.now.Before(r.row.FullUntil) || candidate.same(r.row.Proof) || !r.large() {
		return
	}
	page, _, err := r.list(ctx, ownerrez.BookingQuery{Since: candidate.Updated.Add(-time.Second), Limit: pageLimit})
	if err != nil {
		return
	}
	r.row.Proof = candidate
	for _, row := range page.Items {
		if row.ID == candidate.Booking {
			r.row.Proof.Shown, r.row.Proof.Since = true, r.began()
		}
	}
}
