package lookup

import (
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
)

const (
	unheardFor  = 15 * time.Minute // how long a webhook may come after a lookup has found the change
	maxUnheard  = 20               // changes of which a webhook is waited for
	silentAfter = 3                // changes in a row of which no webhook came: then something is wrong with them
)

// Silence is what an account's row knows of webhooks that did not come.
type Silence struct {
	Unheard map[int64]time.Time `json:",omitempty"` // bookings that a lookup found changed before a webhook told of it, and when
	Heard   map[int64]time.Time `json:",omitempty"` // bookings that webhooks told of lately
	Missed  int                 `json:",omitempty"` // changes of which no webhook came, since the last that came
	Since   time.Time           `json:",omitzero"`  // since when webhooks are silent; zero: they are not
	Remade  time.Time           `json:",omitzero"`  // when the subscriptions were made anew for that last
}

// hear notes that a webhook came.
func (s *Silence) hear(booking int64, now time.Time) {
	delete(s.Unheard, booking)
	s.Missed, s.Since = 0, time.Time{}
	for b, at := range s.Heard {
		if now.Sub(at) > unheardFor {
			delete(s.Heard, b)
		}
	}
	if booking > 0 && len(s.Heard) < maxUnheard {
		if s.Heard == nil {
			s.Heard = map[int64]time.Time{}
		}
		s.Heard[booking] = now
	}
}

// listen compares what the run has found with what webhooks told of: of a change of a stay that was there to be told of
// one has to come. It reports whether webhooks have fallen silent with this run.
func (r *run) listen() (fellSilent bool) {
	s, subs := &r.row.Silence, r.row.Subscriptions
	if len(subs.IDs) == 0 || subs.Made.IsZero() {
		*s = Silence{Remade: s.Remade}
		return false
	}
	for booking, found := range s.Unheard {
		if r.now.Sub(found) >= unheardFor {
			delete(s.Unheard, booking)
			s.Missed++
		}
	}
	flood := r.toldMany || r.row.NotedMany || len(s.Heard) >= maxUnheard // of which not each is remembered
	if r.now.Sub(subs.Made) > unheardFor && r.ledger != nil && !flood {
		for _, booking := range r.ledger.differing(r.announced) {
			_, noted := r.row.Noted[booking]
			_, told := r.told[booking]
			_, heard := s.Heard[booking]
			_, waiting := s.Unheard[booking]
			if noted || told || heard || waiting || len(s.Unheard) >= maxUnheard {
				continue
			}
			if s.Unheard == nil {
				s.Unheard = map[int64]time.Time{}
			}
			s.Unheard[booking] = r.now
		}
	}
	if s.Missed >= silentAfter && s.Since.IsZero() {
		s.Since = r.now
		return true
	}
	return false
}

// differing lists the bookings whose stays the run has changed, of those that are announced. Of a property that was not
// known before all is new.
func (l *ledger) differing(announced func(property int64, stay availability.Stay) bool) []int64 {
	var out []int64
	before := map[int64]bool{}
	for property, rec := range l.stored {
		for _, was := range rec.Stays {
			before[was.Booking] = true
			now, home, there := l.stay(was.Booking)
			moved := there && (home != property || now != was) && announced(home, now)
			if announced(property, was) && (!there || moved) {
				out = append(out, was.Booking)
			}
		}
	}
	for booking, property := range l.home {
		if before[booking] || !l.stored[property].Known {
			continue
		}
		if stay, _, there := l.stay(booking); there && announced(property, stay) {
			out = append(out, booking)
		}
	}
	return out
}

// announced reports whether webhooks tell of such a stay for sure. Holds lapse by themselves, stays that mirror others
// are not known to be told of, and what is over is read and forgotten again and again.
func (r *run) announced(property int64, stay availability.Stay) bool {
	return (stay.Cause == availability.CauseBooking || stay.Cause == availability.CauseOwner) &&
		stay.Departure.After(r.window(property).From)
}

// tellSilence says that webhooks are silent, as long as they are.
func (r *run) tellSilence() {
	if !r.row.Silence.Since.IsZero() {
		r.say(Problem{
			Message: "OwnerRez does not tell of changes any more when they happen (webhooks): lookups find them on schedule.",
			Next:    "Nothing to do: the subscriptions are made anew once a day. If it stays, look at the app's webhooks in OwnerRez.",
		})
	}
}
