package lookup

import (
	"context"
	"fmt"
	"slices"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// propertyRead is what a full read of one property has brought so far.
type propertyRead struct {
	want   appetite
	seen   sightings
	doubts []availability.Doubt
	past   []availability.Doubt // that there were before, and that a read which counts makes an end of
	open   int                  // slices that are still to come
	err    error                // why it does not count
}

// fullRead is a full read of some properties, slice by slice. A property counts when all its slices came.
type fullRead struct {
	*reader
	props    map[int64]*propertyRead
	answers  [][]int64                               // the properties of each answer that was accepted
	glimpsed sightings                               // rows of answers that were too long to be used
	overlaps bool                                    // a row was shown that arrived before the from of its question, and departs after it
	doubtful func(property int64) availability.Range // the nights on which a row without dates casts doubt
	todo     []slice
}

// readFull reads the properties in full. What failed, or was not reached, has an err.
func (r *reader) readFull(ctx context.Context, wants []appetite, doubtful func(int64) availability.Range) *fullRead {
	f := &fullRead{reader: r, props: map[int64]*propertyRead{}, glimpsed: sightings{}, doubtful: doubtful}
	for _, w := range wants {
		f.props[w.property] = &propertyRead{want: w, seen: sightings{}}
	}
	f.push(plan(wants, r.capacity))
	for len(f.todo) > 0 {
		next := f.todo[len(f.todo)-1]
		f.todo = f.todo[:len(f.todo)-1]
		f.read(ctx, next)
	}
	return f
}

// push puts slices in front of what is to do, so that a property that was begun is finished first.
func (f *fullRead) push(parts []slice) {
	for _, part := range slices.Backward(parts) {
		f.todo = append(f.todo, part)
		for _, p := range part.properties {
			f.props[p].open++
		}
	}
}

// read asks for one slice, and accepts, splits or gives it up.
func (f *fullRead) read(ctx context.Context, s slice) {
	first := f.props[s.properties[0]]
	begun := len(s.properties) == 1 && len(first.seen) > 0
	switch {
	case len(s.properties) == 1 && first.err != nil:
		return // another slice of it failed already
	case f.spent() && !begun:
		f.fail(s, errShare)
		return
	}
	page, whole, err := f.list(ctx, s.query())
	switch {
	case err == nil && whole && (len(s.properties) == 1 || !s.homeless(page.Items)):
		f.accept(s, page.Items)
	case err == nil && len(s.properties) > 1:
		f.glimpse(page.Items)
		f.replace(s, s.halves())
	case err == nil:
		f.glimpse(page.Items)
		f.narrow(ctx, s, page.Items)
	case len(s.properties) > 1 && f.ended == nil && f.worthSplitting(err):
		f.replace(s, s.halves())
	default:
		f.giveUp(s, err)
	}
}

// homeless reports whether a row cannot be read and names none of the slice's properties: asked for one by one,
// only the one that it belongs to need be in doubt.
func (s slice) homeless(rows []ownerrez.Booking) bool {
	return slices.ContainsFunc(rows, func(row ownerrez.Booking) bool {
		reading := availability.Read(row)
		return reading.Why != "" && !slices.Contains(s.properties, reading.Property)
	})
}

// worthSplitting reports whether asking for fewer properties may answer where all together did not.
func (f *fullRead) worthSplitting(err error) bool {
	if refusedQuestion(err) {
		return true
	}
	return brokenAnswer(err) && f.divides()
}

// narrow handles one property with more rows than an answer holds.
func (f *fullRead) narrow(ctx context.Context, s slice, rows []ownerrez.Booking) {
	if parts := s.cut(rows); parts != nil {
		f.replace(s, parts)
		return
	}
	rows, err := f.pages(ctx, s.query())
	if err != nil {
		f.giveUp(s, err)
		return
	}
	f.accept(s, rows)
}

// giveUp fails a slice that got no answer to use. Where the run has ended with it, in the middle of a property,
// that one takes more than a run may use, or is the reason for the end.
func (f *fullRead) giveUp(s slice, err error) {
	if f.ended != nil && len(s.properties) == 1 && len(f.props[s.properties[0]].seen) > 0 {
		err = fmt.Errorf("%w: %w", errUnfinished, err)
	}
	f.fail(s, err)
}

func (f *fullRead) replace(s slice, parts []slice) {
	f.push(parts)
	for _, p := range s.properties {
		f.props[p].open--
	}
}

func (f *fullRead) fail(s slice, err error) {
	for _, p := range s.properties {
		if f.props[p].err == nil {
			f.props[p].err = err
		}
	}
}

// accept takes the rows of a slice's whole answer.
func (f *fullRead) accept(s slice, rows []ownerrez.Booking) {
	for _, row := range rows {
		f.consider(row)
		f.overlaps = f.overlaps || s.overlapped(row)
		reading := availability.Read(row)
		at, asked := f.props[reading.Property]
		switch {
		case reading.Why != "":
			f.doubt(s, reading)
		case asked: // others are none of this read's business: a booking that moved away is asked for by id
			at.seen.add(sightings{reading.Booking: {reading, f.order, row.UpdatedUTC}})
		}
	}
	f.answers = append(f.answers, s.properties)
	for _, p := range s.properties {
		f.props[p].open--
	}
}

// glimpse remembers rows of an answer that did not hold all: the answers that replace it must show them too.
func (f *fullRead) glimpse(rows []ownerrez.Booking) {
	for _, row := range rows {
		if reading := availability.Read(row); reading.Why == "" {
			f.glimpsed.add(sightings{reading.Booking: {reading, f.order, row.UpdatedUTC}})
		}
	}
}

// doubt notes a row that could not be read: at its property, or at all of the slice's if it names none of them.
func (f *fullRead) doubt(s slice, reading availability.Reading) {
	properties := s.properties
	if _, ok := f.props[reading.Property]; ok {
		properties = []int64{reading.Property}
	}
	for _, p := range properties {
		f.props[p].doubts = append(f.props[p].doubts, reading.Doubt(f.doubtful(p)))
	}
}

// complete reports whether all slices of the property came.
func (f *fullRead) complete(property int64) bool {
	p := f.props[property]
	return p != nil && p.err == nil && p.open == 0
}

// confirm reads properties whose first complete read showed no stay once more by a question of another shape.
// A row there that the first read should have shown makes the first one incomplete.
func (f *fullRead) confirm(ctx context.Context, properties []int64) {
	if len(properties) == 0 {
		return
	}
	s := slice{properties, f.props[properties[0]].want.from, f.props[properties[0]].want.to}
	q := s.query()
	q.Since = since1970()
	page, whole, err := f.list(ctx, q)
	switch {
	case err != nil && len(properties) == 1:
		f.props[properties[0]].err = err
	case err != nil && f.ended != nil:
		f.fail(slice{properties: properties}, err)
	case (err != nil || !whole) && len(properties) > 1:
		f.confirm(ctx, properties[:len(properties)/2])
		f.confirm(ctx, properties[len(properties)/2:])
	case !whole:
		rows, err := f.pages(ctx, q)
		f.contradict(properties, rows, err)
	default:
		f.contradict(properties, page.Items, nil)
	}
}

// errContradiction is a read that another one proves incomplete.
var errContradiction = fmt.Errorf("two answers contradict each other: %w", ownerrez.ErrIncomplete)

func (f *fullRead) contradict(properties []int64, rows []ownerrez.Booking, err error) {
	if err != nil {
		f.fail(slice{properties: properties}, err)
		return
	}
	for _, row := range rows {
		reading := availability.Read(row)
		p, asked := f.props[reading.Property]
		switch {
		case reading.Why != "" && !asked:
			f.fail(slice{properties: properties}, errContradiction)
		case asked && (reading.Why != "" || (reading.Occupies && belongs(reading.Stay, p.want))):
			f.distrust(reading.Property)
		}
	}
}

// distrust makes nothing count of the answers that this property's rows came from: one of them was proven
// incomplete, and what else it lacked nobody knows.
func (f *fullRead) distrust(property int64) {
	for _, properties := range f.answers {
		if slices.Contains(properties, property) {
			f.fail(slice{properties: properties}, errContradiction)
		}
	}
}

// belongs reports whether a read of the property must have shown the stay: one that lies well inside of its
// dates. Stays at the edges, and long ones, prove nothing.
func belongs(s availability.Stay, w appetite) bool {
	return !s.Arrival.Before(w.from) && (w.to.IsZero() || !s.Arrival.After(w.to.AddDays(-1)))
}

// emptyFirstReads lists the properties whose first complete read shows no stay.
func (r *run) emptyFirstReads(f *fullRead) []int64 {
	var out []int64
	for p := range f.props {
		if f.complete(p) && r.first(p) && len(r.ledger.record(p).Stays) == 0 {
			out = append(out, p)
		}
	}
	slices.Sort(out)
	return out
}
