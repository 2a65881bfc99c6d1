package lookup

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

const (
	// maxQuestions is how many bookings a run asks for by id.
	maxQuestions = 20
	// leastQuestions is how many it asks for even if its share is used up: an account that always has more to
	// read than one run may would else never learn what became of the stays that its reads lack.
	leastQuestions = 5
	// trust404After is how long OwnerRez must answer 404 for a stay where no other booking can show that it
	// answers such questions rightly.
	trust404After = 24 * time.Hour
)

// answer is what OwnerRez said.
type answer struct {
	question
	reading sighting
	found   bool
	err     error // no usable answer: nothing is concluded
}

// evidence is what was learned by asking for single bookings.
type evidence struct {
	answers []answer
	control verdict // whether a 404 may be believed
}

// verdict is what the control question proved.
type verdict int

const (
	unanswered    verdict = iota // OwnerRez did not answer the control question
	noControl                    // there is no booking to ask for
	trustworthy                  // a booking that is there was found by its id
	untrustworthy                // a booking that is there was not found either
)

// inquire asks for the bookings in question, nearest nights first, as many as a run may, and if OwnerRez says
// that some do not exist, for a control that does.
func (r *run) inquire(ctx context.Context, questions []question, shown sightings) evidence {
	today := ownerrez.DateOf(r.now)
	distance := func(q question) int { return max(today.DaysUntil(q.night), q.night.DaysUntil(today)) }
	slices.SortFunc(questions, func(a, b question) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(distance(a), distance(b)), cmp.Compare(a.booking, b.booking))
	})
	var ev evidence
	provable := len(controls(shown, questions)) > 0
	asked, missing, found := 0, false, false
	for _, q := range questions {
		a := answer{question: q, err: errWaiting}
		switch {
		case !provable && r.notFoundToday(q.booking):
			a.err = errUnproven
		case asked < leastQuestions || asked < maxQuestions && !r.spent():
			asked++
			a.reading, a.found, a.err = r.booking(ctx, q.booking)
			missing = missing || a.err == nil && !a.found
			found = found || a.err == nil && a.found
		}
		ev.answers = append(ev.answers, a)
	}
	switch {
	case found: // what was found by its id shows that OwnerRez answers such questions
		ev.control = trustworthy
	case missing:
		ev.control = r.controlQuestion(ctx, questions, shown)
	}
	return ev
}

// notFoundToday reports whether the booking was answered by a 404 that nothing proves right: where there is still
// nothing to prove it by, it is asked for again only after a day.
func (r *run) notFoundToday(booking int64) bool {
	since := r.row.Suspects[booking].NotFound
	return !since.IsZero() && r.began().Sub(since) < trust404After
}

// controls lists the bookings that a read of this run showed, and that can prove a 404 for others right.
func controls(shown sightings, questions []question) []int64 {
	var there []int64
	for booking, seen := range shown {
		if seen.Occupies && !inQuestion(questions, booking) {
			there = append(there, booking)
		}
	}
	return there
}

func inQuestion(questions []question, booking int64) bool {
	return slices.ContainsFunc(questions, func(q question) bool { return q.booking == booking })
}

// controlQuestion asks for a booking that is known to be there: one that a list of this run showed, another
// each time, else any that is shown since 1970.
func (r *run) controlQuestion(ctx context.Context, questions []question, shown sightings) verdict {
	there := controls(shown, questions)
	if len(there) == 0 {
		if !r.sameAccount(ctx) {
			return unanswered
		}
		page, _, err := r.list(ctx, ownerrez.BookingQuery{Since: since1970(), Limit: pageLimit})
		if err != nil {
			return unanswered
		}
		for _, row := range page.Items {
			if row.ID != 0 && !inQuestion(questions, row.ID) && r.ours(row.PropertyID) {
				there = append(there, row.ID)
			}
		}
	}
	if len(there) == 0 {
		return noControl
	}
	slices.Sort(there)
	_, found, err := r.booking(ctx, there[r.row.Version%int64(len(there))])
	switch {
	case err != nil:
		return unanswered
	case found:
		return trustworthy
	}
	return untrustworthy
}

// settle concludes from the evidence: it brings the ledger and the account's row up to date, and marks the
// properties of which a question is still open or whose read was proven incomplete.
func (r *run) settle(ev evidence, f *fullRead) {
	for _, a := range ev.answers {
		r.waiting = r.waiting || (a.lacked != nil || a.noted) && errors.Is(a.err, errWaiting)
		switch {
		case a.err != nil:
			r.keepAsking(a, a.err)
		case a.found:
			r.settleFound(a, f)
		default:
			r.settleMissing(a, ev.control)
		}
	}
	if ev.control == untrustworthy {
		r.say(Problem{
			Message: "OwnerRez does not find bookings by their ids, not even ones that it lists: nothing was freed.",
			Next:    "Nothing to do: stays are kept until it answers rightly. If it stays, ask OwnerRez's help.",
		})
	}
}

func (r *run) settleFound(a answer, f *fullRead) {
	if !r.unchanged(a.reading) {
		r.torn = append(r.torn, r.ledger.doubted(a.booking)...)
	}
	r.apply(a.reading.Reading, r.byID(a.question))
	delete(r.row.Noted, a.booking)
	r.ledger.clearDoubt(a.booking)
	delete(r.row.Suspects, a.booking)
	delete(r.row.Lapsed, a.booking)
	stay := a.reading.Stay
	if a.edge && a.reading.Occupies && a.reading.Property == a.property {
		r.suspect(a.booking, Suspect{Property: a.property, Kept: r.began()})
		r.learnByArrival(f)
	}
	if a.reading.Occupies && stay.Until != 0 && stay.Until <= r.now.Unix() {
		r.keepLapsed(a.booking)
	}
	if a.lacked != nil && a.reading.Occupies && a.reading.Property == a.property && belongs(stay, *a.lacked) {
		f.distrust(a.property)
	}
}

func (r *run) settleMissing(a answer, control verdict) {
	if a.lacked == nil && !a.edge && !a.lapsed {
		if a.noted { // a webhook and one answer are no proof: what a list says of it is
			r.want(a.booking)
		}
		return // its row is listed, though it cannot be read: only a read without it tells that it is gone
	}
	since := r.row.Suspects[a.booking].NotFound
	waited := control == noControl && !since.IsZero() && r.began().Sub(since) >= trust404After
	if control == trustworthy || waited {
		r.apply(availability.Reading{Booking: a.booking}, r.byID(a.question))
		r.ledger.clearDoubt(a.booking)
		delete(r.row.Suspects, a.booking)
		delete(r.row.Lapsed, a.booking)
		delete(r.row.Noted, a.booking)
		return
	}
	if a.lapsed {
		r.keepLapsed(a.booking)
	}
	r.keepAsking(a, errUnproven)
	if a.lacked != nil || a.edge {
		r.noteNotFound(a.booking, a.property, control)
	}
}

// noteNotFound notes since when the same 404 has come for a stay without anything to prove it right.
func (r *run) noteNotFound(booking, property int64, control verdict) {
	s := r.row.Suspects[booking]
	s.Property = property
	switch {
	case control != noControl:
		s.NotFound = time.Time{}
	case s.NotFound.IsZero():
		s.NotFound = r.began()
	}
	r.suspect(booking, s)
}

// keepAsking leaves open whether a stay that a read lacked is gone: it stays as it is, its property's age is
// frozen, and the next run asks again.
func (r *run) keepAsking(a answer, why error) {
	if a.lacked != nil {
		r.fail(a.property, why)
	}
}

// suspect remembers what is known of a suspect. That there is one need not be: the next read lacks it again.
func (r *run) suspect(booking int64, s Suspect) {
	if s.NotFound.IsZero() && s.Kept.IsZero() {
		delete(r.row.Suspects, booking)
		return
	}
	if r.row.Suspects == nil {
		r.row.Suspects = map[int64]Suspect{}
	}
	r.row.Suspects[booking] = s
}

// dropSuspects forgets suspects that this run showed, or that are no stays any more.
func (r *run) dropSuspects(shown sightings) {
	for booking := range r.row.Suspects {
		_, seen := shown[booking]
		if _, _, kept := r.ledger.stay(booking); seen || !kept {
			delete(r.row.Suspects, booking)
		}
	}
}
