package lookup

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

const (
	listEvery = 6 * time.Hour  // how often properties are listed
	fullEvery = 24 * time.Hour // how often a property is read in full where increments are used
)

// run is one lookup of one account: it asks OwnerRez and brings the account's row and ledger up to date. It
// writes nothing: what it learned is committed by its caller, or dropped.
type run struct {
	*reader
	settings Settings
	row      *Account
	load     func(context.Context) ([]availability.Record, error) // the stored records
	ledger   *ledger                                              // nil until it is needed
	only     func(property int64) bool                            // which properties to read; nil: all
	reach    func(window availability.Range) availability.Range   // which nights full reads read; a zero To is open

	now     time.Time                    // when it began, by our clock
	trouble func() *account.RefreshError // what is wrong with the credential, though it may work; nil: never anything

	told     map[int64]time.Time // bookings that webhooks had told of when it began
	toldMany bool                // and of more than could be noted
	wanted   []int64             // properties that are to be read in full again, at best in this run
	silent   bool                // webhooks fell silent with this run

	complete    map[int64]bool  // properties of which a full read was complete
	good        map[int64]bool  // and nothing spoke against it
	failed      map[int64]error // properties of which something went wrong
	met         map[int64]bool  // properties that a row or a person named and that we may not know
	listed      bool            // the properties were listed
	incremented bool            // an increment was complete
	covered     map[int64]int   // properties of which an increment was complete, with the order of its answer
	departures  []departure     // nights that bookings have left
	waiting     bool            // stays that reads lacked are left for the next run to ask for
	problems    []Problem
}

// newRun prepares a run that has asked nothing yet.
func newRun(row *Account, set Settings, now time.Time) *run {
	r := &run{
		reader:   &reader{meter: &meter{}, capacity: pageLimit, start: time.Now()},
		settings: set, row: row, now: now, told: maps.Clone(row.Noted), toldMany: row.NotedMany,
		complete: map[int64]bool{}, good: map[int64]bool{}, failed: map[int64]error{}, met: map[int64]bool{}, covered: map[int64]int{},
	}
	if row.PageLimit > 0 {
		r.capacity = row.PageLimit
	}
	return r
}

// began is when the run began, by the smaller of our clock and OwnerRez's: the as_of of what it reads.
func (r *run) began() time.Time { return r.meter.begin(r.now) }

// look does the run's reading, as far as OwnerRez and the budget let it. Its error is one of our own store.
func (r *run) look(ctx context.Context, full bool) error {
	r.openNotes()
	if err := r.openLedger(ctx, full); err != nil {
		return err
	}
	if full || r.row.Listed.IsZero() || r.now.Sub(r.row.Listed) >= listEvery {
		r.listProperties(ctx)
		r.askForMet(ctx)
	}
	changes := sightings{}
	if !full && r.incremental() {
		seen, complete, err := r.readIncrement(ctx)
		if err != nil || !complete {
			return err
		}
		changes = seen
	}
	if r.ledger == nil { // nothing changed, nothing is due
		return nil
	}
	r.readFully(ctx, r.dueForFull(full), changes)
	if wanted := slices.Compact(slices.Sorted(slices.Values(r.wanted))); len(wanted) > 0 && !r.spent() {
		r.wanted = nil
		r.readFully(ctx, wanted, changes)
	}
	r.askForMet(ctx)
	r.prove(ctx)
	return nil
}

// openLedger loads the records, unless an increment may turn out to need none.
func (r *run) openLedger(ctx context.Context, full bool) error {
	quiet := r.incremental() && !full && len(r.dueForFull(false)) == 0 && !r.noted() &&
		(r.row.NextLapse.IsZero() || r.row.NextLapse.After(r.now)) && r.now.Sub(r.row.Listed) < listEvery
	if quiet || r.ledger != nil {
		return nil
	}
	records, err := r.load(ctx)
	if err != nil {
		return err
	}
	r.ledger = newLedger(records)
	return nil
}

// window is the range of nights that are looked up for a property.
func (r *run) window(property int64) availability.Range {
	zone := ""
	if r.ledger != nil {
		zone = r.ledger.record(property).Zone
	}
	from, to := r.settings.Window(r.now, zone, r.row.Zone)
	return availability.Range{From: from, To: to}
}

// doubtful is the range on which a row without dates casts doubt: all that is looked up, and a year more, since
// the window moves on while the doubt stands.
func (r *run) doubtful(property int64) availability.Range {
	w := r.window(property)
	w.To = w.To.AddDays(366)
	return w
}

// appetites says what full reads of the properties ask for. All ask from the same day on, the earliest of their
// windows' (today is not the same day everywhere), so that they fit one question; first reads reach further back.
func (r *run) appetites(properties []int64) []appetite {
	var from ownerrez.Date
	for _, p := range properties {
		if begin := r.reach(r.window(p)).From; from.IsZero() || begin.Before(from) {
			from = begin
		}
	}
	back := r.row.From == FromArrival || (r.row.From == FromUnknown && !r.straddled(from))
	wants := make([]appetite, 0, len(properties))
	for _, p := range properties {
		w := appetite{property: p, rows: rowsGuess, from: from, to: r.reach(r.window(p)).To}
		first := r.first(p)
		if w.back = first || back; w.back {
			w.from = from.AddDays(-firstReach)
		}
		if !first {
			w.rows = r.row.Properties[p].Rows
		}
		if mark := r.row.Properties[p].Mark; mark != nil {
			w.alone = !mark.Contradicted.IsZero() && r.now.Sub(mark.Contradicted) > r.settings.Stale()
		}
		for _, stay := range r.ledger.record(p).Stays {
			w.arrivals = append(w.arrivals, stay.Arrival)
		}
		wants = append(wants, w)
	}
	return wants
}

// first reports whether the property's next full read is its first, or its first after it was gone.
func (r *run) first(property int64) bool {
	rec := r.ledger.record(property)
	return !rec.Known || rec.Gone || r.row.Properties[property].Baseline.IsZero()
}

// readFully reads the properties in full, applies what came, and looks for evidence about what did not.
func (r *run) readFully(ctx context.Context, properties []int64, changes sightings) {
	f := r.readFull(ctx, r.appetites(properties), r.doubtful)
	shown := sightings{}
	for _, p := range properties {
		if f.complete(p) {
			shown.add(f.props[p].seen)
		}
	}
	r.watchForMisses(shown)
	r.applyGlimpses(f, shown)
	for _, seen := range shown.inOrder() {
		r.apply(seen.Reading, r.byList(seen.order))
	}
	shown.add(changes)
	for _, p := range properties {
		if f.complete(p) {
			rec := r.ledger.record(p)
			f.props[p].past, rec.Doubts = rec.Doubts, nil
			for _, d := range f.props[p].doubts {
				rec.AddDoubt(d)
			}
		}
	}
	if f.overlaps {
		r.row.From = FromDeparture
	}
	r.dropSuspects(shown)
	trial := r.row.From == FromUnknown
	r.settle(r.inquire(ctx, r.questions(shown, f), shown), f)
	if trial && f.reliesOnFrom() {
		r.learnByArrival(f) // nothing has shown what from filters by, so the worst is assumed
	}
	f.confirm(ctx, r.emptyFirstReads(f))
	for _, p := range properties {
		r.concludeProperty(p, f)
	}
	r.doubtDepartures()
}

// applyGlimpses takes stays that only an answer showed which was too long to be used. What the slices after it
// lack is then asked for, like any stay that a read lacks.
func (r *run) applyGlimpses(f *fullRead, shown sightings) {
	for booking, seen := range f.glimpsed {
		if _, again := shown[booking]; !again && seen.Occupies && f.complete(seen.Property) {
			r.apply(seen.Reading, r.byList(seen.order))
		}
	}
}

// concludeProperty makes a property's full read its new baseline, if it was complete and nothing speaks against it.
func (r *run) concludeProperty(p int64, f *fullRead) {
	if r.complete[p] = f.complete(p); !r.complete[p] {
		for _, d := range f.props[p].past {
			r.ledger.record(p).AddDoubt(d)
		}
		err := f.props[p].err
		r.fail(p, cmp.Or(err, errUnread))
		return
	}
	state := r.row.Properties[p]
	state.Rows = len(f.props[p].seen) + len(f.props[p].doubts)
	if r.failed[p] == nil {
		state.Wanted = false
		rec := r.ledger.record(p)
		rec.Known, rec.Gone = true, false
		state.Baseline = r.began()
		r.good[p] = true
	}
	r.row.Properties[p] = state
}

// apply makes the ledger say what a usable row says. A row that names a property which we do not know takes the
// booking from where it was, and lets the property be asked for. Nights that the booking has left will be in doubt, unless
// the run then knows for their property what else takes them.
func (r *run) apply(reading availability.Reading, known func(property int64) bool) {
	if _, ours := r.row.Properties[reading.Property]; !ours && reading.Occupies {
		r.met[reading.Property] = true
		reading.Occupies = false
	}
	for _, left := range r.ledger.apply(reading) {
		r.departures = append(r.departures, departure{left, known})
	}
}

// ours reports whether a property is one of the account's.
func (r *run) ours(property int64) bool {
	_, known := r.row.Properties[property]
	return known
}

// fail notes that something went wrong with a property; the first cause is kept.
func (r *run) fail(property int64, err error) {
	if r.failed[property] == nil {
		r.failed[property] = err
	}
	delete(r.good, property)
}

func (r *run) say(p Problem) {
	if !slices.Contains(r.problems, p) {
		r.problems = append(r.problems, p)
	}
}
