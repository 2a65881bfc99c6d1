package calendar

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
)

var (
	histories = flag.Int("histories", 12, "how many seeded histories of an account and its readers to live through")
	firstSeed = flag.Uint64("first-seed", 1, "the seed of the first of them")
)

// TestSnapshotAndChangesAreTheNextSnapshot lives through seeded histories of an account that real lookups keep up to
// date, while readers take snapshots and follow the changes through the API. Lookups come between the pages of a
// reader, in the middle of the answer to one, and readers come between the commits of one lookup; every request is
// served by a new instance with other page sizes.
func TestSnapshotAndChangesAreTheNextSnapshot(t *testing.T) {
	var compared, skipped, changed atomic.Int64
	t.Run("seed", func(t *testing.T) {
		for i := range *histories {
			seed := *firstSeed + uint64(i)
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					h := newHistory(t, seed)
					h.live()
					compared.Add(h.compared)
					skipped.Add(h.skipped)
					changed.Add(h.changed)
				})
			})
		}
	})
	if compared.Load() < 5*skipped.Load() || changed.Load() == 0 {
		t.Errorf("%d nights were compared, %d were not, after %d changes", compared.Load(), skipped.Load(), changed.Load())
	}
}

// history is one account's story, and that of those who read it.
type history struct {
	t      *testing.T
	rng    *rand.Rand
	server *ownerreztest.Server
	store  lookup.Store
	job    *lookup.Job
	from   ownerrez.Date // the nights that are read: [from, to)
	to     ownerrez.Date

	busy      bool // a lookup or a reader is under way, and the other may come in between
	followers []*follower
	compared  int64 // nights that were compared
	skipped   int64 // nights that were not
	changed   int64 // changes that were followed
}

// watched is a store that tells of each read before it, and of each commit after it.
type watched struct {
	lookup.Store
	before, after func()
}

func (w watched) Accounts(ctx context.Context) ([]lookup.Account, error) {
	w.before()
	return w.Store.Accounts(ctx)
}

func (w watched) Account(ctx context.Context, key string) (lookup.Account, error) {
	w.before()
	return w.Store.Account(ctx, key)
}

func (w watched) Records(ctx context.Context, id int64) ([]availability.Record, error) {
	w.before()
	return w.Store.Records(ctx, id)
}

func (w watched) Events(ctx context.Context, id, after int64, limit int, now time.Time) ([]lookup.Event, error) {
	w.before()
	return w.Store.Events(ctx, id, after, limit, now)
}

func (w watched) Commit(ctx context.Context, c lookup.Commit) error {
	err := w.Store.Commit(ctx, c)
	w.after()
	return err
}

// silent publishes nothing: readers ask.
type silent struct{}

func (silent) Publish(context.Context, lookup.Event) error { return nil }

func newHistory(t *testing.T, seed uint64) *history {
	h := &history{
		t: t, rng: rand.New(rand.NewPCG(seed, 7)), store: store.New(openTable(t)),
		server: ownerreztest.New(ownerreztest.WithQuirks(ownerreztest.Quirks{RateLimitOff: true})),
	}
	h.server.AddAccount(ownerreztest.Account{ID: 123456, Email: "host@example.com", TimeZone: "America/Chicago", PAT: "pt_testhost"})
	client := h.server.HTTPClient(t)
	cred := account.Credential{
		Fingerprint: "f", Auth: ownerrez.PAT("host@example.com", "pt_testhost"),
		Options: []ownerrez.Option{
			ownerrez.WithAPIURL(h.server.URL()), ownerrez.WithAppURL(h.server.URL()),
			ownerrez.WithAllowHTTPHost("ownerrez.test"), ownerrez.WithHTTPClient(client),
		},
	}
	h.job = &lookup.Job{
		Store: watched{h.store, nothing, h.committed}, Publisher: silent{},
		Credentials: func(context.Context) ([]account.Credential, error) { return []account.Credential{cred}, nil },
	}
	today := ownerrez.DateOf(time.Now())
	h.from = today.AddDays(h.rng.IntN(60) - 30)
	h.to = h.from.AddDays(1 + h.rng.IntN(maxNights))
	properties := 1 + h.rng.IntN(10)
	if h.rng.IntN(3) == 0 {
		properties += lookup.MaxCommit // what one commit does not hold
	}
	for i := range properties {
		h.server.AddProperty(123456, ownerreztest.Property{ID: int64(4401 + i), TimeZone: "America/Chicago"})
	}
	for range h.rng.IntN(200) {
		h.book()
	}
	return h
}

func (h *history) property() int64 {
	all := h.server.Properties(123456)
	return all[h.rng.IntN(len(all))].ID
}

// book makes up a booking, block or hold.
func (h *history) book() {
	arrival := h.from.AddDays(h.rng.IntN(h.from.DaysUntil(h.to)+40) - 20)
	b := ownerreztest.Booking{PropertyID: h.property(), Arrival: arrival, Departure: arrival.AddDays(1 + h.rng.IntN(9))}
	switch h.rng.IntN(10) {
	case 0:
		b.Type, b.IsBlock = "block", true
	case 1:
		b.Type = "owner"
	case 2:
		b.Type, b.PendingUntilUTC = "quote_hold", time.Now().Add(time.Duration(1+h.rng.IntN(180))*time.Minute)
	}
	h.server.Put(123456, b)
}

// happen makes one thing happen at OwnerRez.
func (h *history) happen() {
	bookings := h.server.Bookings(123456)
	if len(bookings) == 0 {
		h.book()
		return
	}
	id := bookings[h.rng.IntN(len(bookings))].ID
	switch h.rng.IntN(9) {
	case 0:
		h.server.Cancel(123456, id)
	case 1:
		h.server.Delete(123456, id)
	case 2:
		by := h.rng.IntN(30) - 15
		h.server.Update(123456, id, func(b *ownerreztest.Booking) { b.Arrival, b.Departure = b.Arrival.AddDays(by), b.Departure.AddDays(by) })
	case 3, 4:
		to := h.property()
		h.server.Update(123456, id, func(b *ownerreztest.Booking) { b.PropertyID = to })
	case 5:
		h.server.SetPropertyActive(123456, h.property(), h.rng.IntN(3) > 0)
	default:
		h.book()
	}
}

// lookup lets things happen and looks them up; now and then OwnerRez fails meanwhile.
func (h *history) lookup() {
	h.t.Helper()
	for range h.rng.IntN(5) {
		h.happen()
		time.Sleep(time.Duration(h.rng.IntN(120)) * time.Second)
	}
	if h.rng.IntN(5) == 0 {
		h.server.Fault(ownerreztest.Fault{N: 1 + h.rng.IntN(5), Do: ownerreztest.Status(500)})
	}
	defer h.server.ClearFaults()
	wake := lookup.Wake{Key: lookup.AccountKey(123456), Full: h.rng.IntN(3) == 0}
	if _, err := h.store.Account(h.t.Context(), wake.Key); errors.Is(err, lookup.ErrNotFound) {
		wake.Key = lookup.CredentialKey("f")
	}
	for next := &wake; next != nil; {
		out, err := h.job.Run(h.t.Context(), *next)
		if err != nil {
			h.t.Fatal(err)
		}
		next = out.Wake
	}
}

// interrupt does f, unless the moment is quiet.
func (h *history) interrupt(f func()) {
	if !h.busy || h.rng.IntN(3) > 0 {
		return
	}
	h.busy = false
	f()
	h.busy = true
}

// committed is called when a lookup has committed something: a reader may come now.
func (h *history) committed() { h.interrupt(func() { h.anyone().step() }) }

// anyone is one of the followers, or a new one.
func (h *history) anyone() *follower {
	if len(h.followers) == 0 || h.rng.IntN(6) == 0 && len(h.followers) < 5 {
		h.followers = append(h.followers, &follower{history: h})
	}
	return h.followers[h.rng.IntN(len(h.followers))]
}

// api is a new instance of the API. Unless the moment is quiet it has pages of its own size, and lookups may come
// before each of its reads.
func (h *history) api() http.Handler {
	a := newAPI(watched{h.store, func() { h.interrupt(h.lookup) }, nothing}, Options{OnError: func(err error) { h.t.Error(err) }})
	if h.busy {
		a.pages = limits{properties: 1 + h.rng.IntN(60), bytes: 10_000 << h.rng.IntN(9)}
	}
	return a
}

func (h *history) live() {
	for range 8 + h.rng.IntN(8) {
		time.Sleep(time.Duration(1+h.rng.IntN(20)) * time.Minute)
		h.busy = true
		if h.rng.IntN(2) == 0 {
			h.lookup()
		} else {
			h.anyone().step()
		}
		h.busy = false
		h.check()
	}
}

// check lets all followers read on while nothing happens, and compares them with a new snapshot.
func (h *history) check() {
	h.t.Helper()
	next := &follower{history: h}
	if next.snapshot(); next.nights == nil {
		return // there is no account yet
	}
	for _, f := range h.followers {
		if f.nights != nil {
			f.catchUp()
			f.compare(next)
		}
	}
}
