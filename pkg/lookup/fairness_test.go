package lookup_test

import (
	"context"
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/budget"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup/lane"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/queue"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/queue/lanes"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store/embedded"
)

var allTowns = flag.Bool("all-towns", false, "whether TestOneAccountsTroubleStaysItsOwn lives in towns of every kind")

// town is many accounts behind one address, and all that looks them up: the schedule, the queue, the budget.
type town struct {
	t      *testing.T
	server *ownerreztest.Server
	store  *watched
	job    *lookup.Job
	queue  *lanes.Lanes
	opts   []ownerrez.Option
	quiet  map[int64]bool // the accounts of which none may get old

	mu    sync.Mutex
	creds []account.Credential
}

// watched is a store that remembers the rows that were read last.
type watched struct {
	lookup.Store
	rows []lookup.Account
}

func (w *watched) Accounts(ctx context.Context) ([]lookup.Account, error) {
	rows, err := w.Store.Accounts(ctx)
	w.rows = slices.Clone(rows)
	return rows, err
}

// silent takes events and forgets them.
type silent struct{}

func (silent) Publish(context.Context, lookup.Event) error { return nil }

func newTown(t *testing.T, quirks ownerreztest.Quirks) *town {
	t.Helper()
	c := &town{t: t, server: ownerreztest.New(ownerreztest.WithQuirks(quirks)), quiet: map[int64]bool{}}
	c.server.Fault(ownerreztest.Fault{Times: -1, Do: ownerreztest.Before(func() { time.Sleep(200 * time.Millisecond) })})
	c.opts = []ownerrez.Option{
		ownerrez.WithAPIURL(c.server.URL()), ownerrez.WithAppURL(c.server.URL()),
		ownerrez.WithAllowHTTPHost("ownerrez.test"), ownerrez.WithHTTPClient(c.server.HTTPClient(t)),
	}
	db, err := embedded.Open(filepath.Join(quickDir(t), "calendar.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	cells := store.New(db)
	c.store = &watched{Store: cells}
	c.job = &lookup.Job{
		Store: c.store, Publisher: silent{}, MaxTime: time.Minute, Credentials: c.credentials,
		Window: budget.NewWindow(cells, "test"), Share: budget.DefaultPerFive / 5,
	}
	c.queue = lanes.New(c.handle, 10, func(m queue.Message, err error) { t.Errorf("%s: %v", m.Group, err) })
	t.Cleanup(func() { c.queue.Close(context.Background()) })
	return c
}

func (c *town) credentials(context.Context) ([]account.Credential, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.creds), nil
}

func (c *town) handle(ctx context.Context, m queue.Message) error {
	return lane.Handler(c.job, c.wake, func(context.Context, lookup.Outcome, time.Duration) {})(ctx, m)
}

func (c *town) wake(ctx context.Context, w lookup.Wake) error { return lane.Sender(c.queue)(ctx, w) }

// account adds an account with some properties, each with some stays of two nights, every third night being free. One
// of them was changed after it was made, so that increments can prove themselves.
func (c *town) account(id int64, properties, stays int) {
	token := fmt.Sprintf("at_test%d", id)
	c.server.AddAccount(ownerreztest.Account{ID: id, TimeZone: "UTC", AccessToken: token})
	today := ownerrez.DateOf(time.Now())
	for p := range properties {
		property := c.server.AddProperty(id, ownerreztest.Property{ID: 1000*id + int64(p), TimeZone: "UTC"})
		for i := range stays {
			b := ownerreztest.Booking{PropertyID: property, Arrival: today.AddDays(3*i - 20), Departure: today.AddDays(3*i - 18)}
			b.CreatedUTC = time.Now().Add(-48 * time.Hour)
			b.UpdatedUTC = b.CreatedUTC.Add(time.Duration(i%2) * time.Hour)
			c.server.Put(id, b)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.creds = append(c.creds, account.Credential{
		Fingerprint: fmt.Sprintf("fingerprint-%d", id), Options: c.opts,
		Auth: ownerrez.OAuth(ownerrez.App{Name: "Test", Version: "1.0", ClientID: "c_1"}, ownerrez.StaticToken(token)),
	})
}

// live lets minutes pass, each with its tick, until done says so or the time is over. At no tick any of the quiet
// accounts may be older than two intervals, if it was ever read.
func (c *town) live(most time.Duration, done func() bool) (passed time.Duration) {
	c.t.Helper()
	for ; passed < most && !done() && !c.t.Failed(); passed += time.Minute {
		if err := c.job.Tick(c.t.Context(), c.wake); err != nil {
			c.t.Fatal(err)
		}
		c.checkAges()
		time.Sleep(time.Minute)
	}
	return passed
}

// checkAges looks at the rows that the tick has read.
func (c *town) checkAges() {
	c.t.Helper()
	most := 2 * c.job.Settings.LookupEvery()
	for _, row := range c.store.rows {
		if !c.quiet[row.ID] || row.Key != lookup.AccountKey(row.ID) || row.AsOf.IsZero() {
			continue
		}
		if age := time.Since(row.AsOf); age > most {
			c.t.Errorf("account %d is %s old: %v", row.ID, age, row.Problems)
		}
		for p, state := range row.Properties {
			if mark := state.Mark; mark != nil && !mark.AsOf.IsZero() && time.Since(mark.AsOf) > most {
				c.t.Errorf("property %d of account %d is %s old: %s", p, row.ID, time.Since(mark.AsOf), mark.Why)
			}
		}
	}
}

// row is an account's row, as the last tick read it.
func (c *town) row(id int64) lookup.Account {
	i := slices.IndexFunc(c.store.rows, func(a lookup.Account) bool { return a.Key == lookup.AccountKey(id) })
	if i < 0 {
		return lookup.Account{}
	}
	return c.store.rows[i]
}

// true reports whether the calendar of an account is what OwnerRez has.
func (c *town) true(id int64) bool {
	c.t.Helper()
	if row := c.row(id); row.AsOf.IsZero() || len(row.Problems) > 0 {
		return false // to look at all nights takes a while
	}
	snap, err := lookup.Load(c.t.Context(), c.store, id)
	if err != nil {
		c.t.Fatal(err)
	}
	now := time.Now()
	for _, p := range c.server.Properties(id) {
		rec, _ := snap.Record(p.ID)
		from, to := c.job.Settings.Window(now, rec.Zone, snap.Account.Zone)
		for _, night := range snap.Show(c.job.Settings, now, p.ID, from, to) {
			want := availability.Free
			if c.server.Taken(id, p.ID, night.Date) {
				want = availability.Taken
			}
			if night.State != want {
				return false
			}
		}
	}
	return true
}

// checkRequests fails if too many requests were sent within five minutes: nine tenths of the budget are for polls.
func (c *town) checkRequests() {
	c.t.Helper()
	most, first := 0, 0
	sent := c.server.Requests()
	for i, r := range sent {
		for r.At.Sub(sent[first].At) > 5*time.Minute {
			first++
		}
		most = max(most, i-first+1)
	}
	c.t.Logf("%d requests, at most %d in five minutes", len(sent), most)
	if most > budget.DefaultPerFive*9/10 {
		c.t.Errorf("%d requests were sent within five minutes", most)
	}
}

// One account's stays, up to 2,000, are deleted at once, beside quiet accounts: none of them gets old by it, and in the end
// the calendar of the one says that all its nights are free.
func TestOneAccountsTroubleStaysItsOwn(t *testing.T) {
	for name, test := range map[string]struct {
		quirks        ownerreztest.Quirks
		stays         int  // of each of the one's 20 properties
		left          bool // a canceled booking of the one is left, by which a 404 can be proven right
		quiet, theirs int  // accounts, and the stays of each of their two properties
		atMost        time.Duration
	}{
		// 20 are asked for every five minutes, once the read of the day has lacked them.
		"small neighbors": {ownerreztest.Quirks{}, 100, true, 100, 4, 10 * time.Hour},
		"large neighbors": {ownerreztest.Quirks{MaxLimit: 20}, 50, true, 100, 12, 6 * time.Hour}, // their lookups are increments
		// Nothing proves a 404 right but that it comes again a day later.
		"nothing is left": {ownerreztest.Quirks{}, 30, false, 5, 4, 28 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			if name != "small neighbors" && !*allTowns {
				t.Skip("takes long: run it with -all-towns")
			}
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const one = 1
				c := newTown(t, test.quirks)
				c.account(one, 20, test.stays)
				if test.left {
					c.server.Cancel(one, c.server.Put(one, ownerreztest.Booking{
						PropertyID: 1000, Arrival: ownerrez.NewDate(1999, 1, 1), Departure: ownerrez.NewDate(1999, 1, 3),
					}))
				}
				c.live(2*time.Hour, func() bool { return c.true(one) })
				time.Sleep(23*time.Hour + 20*time.Minute) // its properties are read in full once a day: soon
				for i := range test.quiet {
					c.account(int64(100+i), 2, test.theirs)
					c.quiet[int64(100+i)] = true
				}
				passed := c.live(time.Hour, c.allTrue)
				if t.Logf("all are read after %s", passed); passed == time.Hour {
					t.Errorf("of the one is said: %v", c.row(one).Problems)
				}
				for _, b := range c.server.Bookings(one) {
					if b.Status != "canceled" {
						c.server.Delete(one, b.ID)
					}
				}
				passed = c.live(test.atMost, func() bool { return c.true(one) })
				t.Logf("the one equals the truth %s after all its stays were deleted", passed)
				if !c.allTrue() {
					t.Errorf("not all calendars equal the truth; of the one is said: %v", c.row(one).Problems)
				}
				c.checkRequests()
			})
		})
	}
}

// allTrue reports whether all calendars are what OwnerRez has.
func (c *town) allTrue() bool {
	for _, row := range c.store.rows {
		if row.Key == lookup.AccountKey(row.ID) && !c.true(row.ID) {
			return false
		}
	}
	return len(c.quiet) < len(c.store.rows)/2
}
