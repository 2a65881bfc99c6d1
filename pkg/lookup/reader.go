package lookup

import (
	"context"
	"errors"
	"maps"
	"math/bits"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// slow is how long a failure may take to count as one.
const slow = 10 * time.Second

// leastPage is the smallest page that is believed: smaller ones would cost a request for almost every night.
const leastPage = 10

// reader asks OwnerRez, on behalf of one run, and knows when to stop.
type reader struct {
	client   *ownerrez.Client
	meter    *meter
	share    int                // how many requests the run may use; 0 is any number
	maxTime  time.Duration      // how long it may ask; 0 is any time
	start    time.Time          // when it began, by the clock that maxTime is measured by
	progress func(requests int) // called after each answer; may be nil

	capacity int   // rows that one answer holds
	order    int   // answers so far
	split    bool  // whether a slice that OwnerRez cannot answer is worth splitting
	good     bool  // OwnerRez has answered something well
	inRow    int   // failures in a row
	ended    error // why no more requests are made

	candidate Proof     // the booking that was changed last after it was created, of those seen
	sighted   sightings // what answers have shown of each booking, the last one
	torn      []stretch // nights that bookings have left between two answers
}

// ask makes one call, unless the run has ended. It ends the run on errors after which no request makes sense,
// and where OwnerRez fails again and again.
func ask[T any](ctx context.Context, r *reader, call func(context.Context) (T, error)) (T, error) {
	var none T
	if r.ended != nil {
		return none, r.ended
	}
	began := time.Now()
	v, err := call(ctx)
	r.order++
	if r.progress != nil {
		r.progress(r.meter.requests())
	}
	perProperty := r.divides() && refusedAccess(err) && !refusedAccount(err)
	switch {
	case err == nil:
		r.inRow, r.good = 0, true
	case ctx.Err() != nil:
		r.ended = whyOver(ctx)
		return none, r.ended
	case endsRun(err) && !perProperty:
		r.ended = err
	case brokenAnswer(err):
		r.inRow += 1 + int(time.Since(began)/slow) // those that hung count more
	}
	if r.inRow >= r.patience() && r.ended == nil {
		r.ended = err
	}
	if err != nil {
		return none, err
	}
	return v, nil
}

// divides reports whether what fails may be about one property only: OwnerRez has answered well in this run, or
// the run before has failed too.
func (r *reader) divides() bool { return r.split || r.good }

// patience is how many failures in a row end a run: enough to find one poisoned property among a hundred where
// splitting is worth it, and few where OwnerRez just is down.
func (r *reader) patience() int {
	if r.divides() {
		return 2 + bits.Len(pageLimit)
	}
	return 2
}

// list asks for one answer, and learns how many rows OwnerRez puts into one. whole reports whether the answer
// holds all there is: a full one is never trusted to be the whole list, even where no link leads on.
func (r *reader) list(ctx context.Context, q ownerrez.BookingQuery) (page *ownerrez.Page[ownerrez.Booking], whole bool, err error) {
	page, err = ask(ctx, r, func(ctx context.Context) (*ownerrez.Page[ownerrez.Booking], error) {
		return r.client.Bookings.List(ctx, q)
	})
	if err != nil {
		return nil, false, err
	}
	for _, row := range page.Items {
		r.sight(availability.Read(row))
	}
	r.capacity = min(r.capacity, max(page.Limit, len(page.Items), leastPage))
	return page, !page.More() && len(page.Items) < r.capacity, nil
}

// consider notes a row by which increments can prove themselves.
func (r *reader) consider(row ownerrez.Booking) {
	changed := row.UpdatedUTC.Sub(row.CreatedUTC) >= 2*time.Second && !row.CreatedUTC.IsZero()
	if row.ID != 0 && changed && row.UpdatedUTC.After(r.candidate.Updated) {
		r.candidate = Proof{Booking: row.ID, Updated: row.UpdatedUTC}
	}
}

// pages reads a list page by page, twice, and returns its rows if both gave the same: the last resort where
// nothing smaller can be asked for.
func (r *reader) pages(ctx context.Context, q ownerrez.BookingQuery) ([]ownerrez.Booking, error) {
	_, first, err := r.walk(ctx, q)
	if err != nil {
		return nil, err
	}
	rows, second, err := r.walk(ctx, q)
	if err != nil {
		return nil, err
	}
	if !maps.Equal(first, second) {
		return nil, errMoved
	}
	return rows, nil
}

// walk reads a list page by page, once.
func (r *reader) walk(ctx context.Context, q ownerrez.BookingQuery) ([]ownerrez.Booking, map[int64]availability.Reading, error) {
	rows, err := ask(ctx, r, func(ctx context.Context) ([]ownerrez.Booking, error) {
		return ownerrez.Collect(r.client.Bookings.All(ctx, q))
	})
	readings := make(map[int64]availability.Reading, len(rows))
	for _, row := range rows {
		reading := availability.Read(row)
		r.sight(reading)
		readings[row.ID] = reading
	}
	return rows, readings, err
}

// errMoved is a list that changed while it was read page by page.
var errMoved = errors.New("the list changed while it was read")

// booking asks for one booking by its id. found is false if OwnerRez says that there is none; an answer that is
// not this booking is an error.
func (r *reader) booking(ctx context.Context, id int64) (seen sighting, found bool, err error) {
	row, err := ask(ctx, r, func(ctx context.Context) (*ownerrez.Booking, error) {
		return r.client.Bookings.Get(ctx, id)
	})
	switch {
	case errors.Is(err, ownerrez.ErrNotFound):
		return sighting{}, false, nil
	case err != nil:
		return sighting{}, false, err
	}
	seen = sighting{availability.Read(*row), r.order, row.UpdatedUTC}
	if seen.Booking != id || seen.Why != "" {
		return seen, true, errUnusable
	}
	r.sight(seen.Reading)
	return seen, true, nil
}

// errUnusable is a row by id that cannot be read.
var errUnusable = errors.New("OwnerRez's answer for the booking cannot be read")

// since1970 as a since_utc shows all rows, of whatever age.
func since1970() time.Time { return time.Unix(0, 0).UTC() }
