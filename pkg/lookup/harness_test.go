package lookup_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store/embedded"
)

const (
	testAccount  = 123456
	otherAccount = 654321
)

// house is one account at a fake OwnerRez, and all that looks it up, in one process. It is to be used inside a
// synctest bubble: minutes between lookups cost nothing.
type house struct {
	t       testing.TB
	server  *ownerreztest.Server
	table   store.Table
	store   *store.Store
	job     *lookup.Job
	token   string // of the credential that is configured
	patUser string
	truth   *truth
	heard   *listener
	skew    time.Duration // how wrong OwnerRez's clock is
	blind   bool          // a fault hides what no client can know: nights may be shown free that are taken
}

// newHouse makes an account without properties.
func newHouse(t testing.TB, quirks ownerreztest.Quirks) *house {
	t.Helper()
	h := &house{t: t, token: "pt_testhost", truth: newTruth(), heard: newListener(t)}
	h.server = ownerreztest.New(ownerreztest.WithQuirks(quirks), ownerreztest.WithClock(func() time.Time { return time.Now().Add(h.skew) }))
	h.server.AddAccount(ownerreztest.Account{ID: testAccount, Email: "host@example.com", Name: "Host", TimeZone: "America/Chicago", PAT: "pt_testhost"})
	h.server.AddAccount(ownerreztest.Account{ID: otherAccount, Email: "other@example.com", Name: "Other", TimeZone: "America/Chicago", PAT: "pt_testother"})
	db, err := embedded.Open(filepath.Join(quickDir(t), "calendar.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	client := h.server.HTTPClient(t)
	h.table = db
	h.store = store.New(db)
	h.job = &lookup.Job{
		Store: h.store, Publisher: h.heard,
		Credentials: func(context.Context) ([]account.Credential, error) {
			return []account.Credential{h.credential(client)}, nil
		},
	}
	return h
}

func (h *house) credential(client *http.Client) account.Credential {
	email := "host@example.com"
	if h.token == "pt_testother" {
		email = "other@example.com"
	}
	return account.Credential{
		Fingerprint: account.Fingerprint([]byte("key"), email, h.token),
		PATUser:     h.patUser,
		Auth:        ownerrez.PAT(email, h.token),
		Options: []ownerrez.Option{
			ownerrez.WithAPIURL(h.server.URL()), ownerrez.WithAppURL(h.server.URL()),
			ownerrez.WithAllowHTTPHost("ownerrez.test"), ownerrez.WithHTTPClient(client),
		},
	}
}

// quickDir is a folder in memory where there is one: thousands of small files with a sync each are slow on disks.
func quickDir(t testing.TB) string {
	if dir, err := os.MkdirTemp("/dev/shm", "lookup"); err == nil { //nolint:usetesting // t.TempDir is on a disk
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		return dir
	}
	return t.TempDir()
}

// property adds a property with stays of the given arrivals, counted in days from today, each of some nights.
func (h *house) property(id int64, zone string) {
	h.server.AddProperty(testAccount, ownerreztest.Property{ID: id, Name: fmt.Sprintf("House %d", id), TimeZone: zone})
}

// book adds a booking that arrives some days from today.
func (h *house) book(property int64, in, nights int) int64 {
	var id int64
	h.change(func() {
		arrival := ownerrez.DateOf(time.Now().UTC()).AddDays(in)
		id = h.server.Put(testAccount, ownerreztest.Booking{PropertyID: property, Arrival: arrival, Departure: arrival.AddDays(nights)})
	})
	return id
}

// hold adds a hold that arrives some days from today and lapses at a time.
func (h *house) hold(property int64, in int, until time.Time) int64 {
	var id int64
	h.change(func() {
		arrival := ownerrez.DateOf(time.Now().UTC()).AddDays(in)
		id = h.server.Put(testAccount, ownerreztest.Booking{
			PropertyID: property, Arrival: arrival, Departure: arrival.AddDays(2), Type: "quote_hold", PendingUntilUTC: until,
		})
	})
	return id
}

// change changes the world, and takes down what became taken, and when.
func (h *house) change(f func()) {
	h.truth.mu.Lock()
	defer h.truth.mu.Unlock()
	f()
	h.truth.update(time.Now(), h.server.Bookings(testAccount))
}

// lookup is one lookup: of the credential first, where that is new.
func (h *house) lookup() lookup.Outcome { return h.run(false) }

func (h *house) run(full bool) lookup.Outcome {
	h.t.Helper()
	key := lookup.AccountKey(testAccount)
	if _, err := h.store.Account(h.t.Context(), key); errors.Is(err, lookup.ErrNotFound) {
		out := h.wake(lookup.Wake{Key: h.credentialKey()})
		if out.Wake == nil {
			return out
		}
	}
	return h.wake(lookup.Wake{Key: key, Full: full})
}

func (h *house) credentialKey() string {
	creds, err := h.job.Credentials(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	return lookup.CredentialKey(creds[0].Fingerprint)
}

func (h *house) wake(w lookup.Wake) lookup.Outcome {
	h.t.Helper()
	out, err := h.job.Run(h.t.Context(), w)
	if err != nil {
		h.t.Fatalf("run of %s: %v", w.Key, err)
	}
	h.check()
	return out
}

// wait lets time pass.
func wait(d time.Duration) { time.Sleep(d) }

func (h *house) snapshot() lookup.Snapshot {
	h.t.Helper()
	snap, err := lookup.Load(h.t.Context(), h.store, testAccount)
	if err != nil && !errors.Is(err, lookup.ErrNotFound) {
		h.t.Fatal(err)
	}
	return snap
}

// check fails if a night is shown free that was taken ever since before the read on which that rests, if events
// are missing, or if the events do not add up to the stored calendar.
func (h *house) check() {
	h.t.Helper()
	snap := h.snapshot()
	if !h.blind {
		for _, night := range h.falselyFree(snap) {
			h.t.Errorf("false free: %s", night)
		}
	}
	h.heard.compare(h.t, snap)
}

func (h *house) falselyFree(snap lookup.Snapshot) []string {
	h.truth.mu.Lock()
	defer h.truth.mu.Unlock()
	var out []string
	now := time.Now()
	for _, rec := range snap.Records {
		from, to := h.job.Settings.Window(now, rec.Zone, snap.Account.Zone)
		asOf := snap.AsOf(rec.Property)
		for _, night := range snap.Show(h.job.Settings, now, rec.Property, from, to) {
			since, taken := h.truth.since[place{rec.Property, night.Date}]
			if night.State == availability.Free && taken && since.Before(asOf) {
				out = append(out, fmt.Sprintf("property %d, night of %s: taken since %s, shown free as of %s",
					rec.Property, night.Date, since.UTC().Format(time.DateTime), asOf.UTC().Format(time.DateTime)))
			}
		}
	}
	return out
}

// forgotten lists nights that are shown free though a booking takes them of which we knew and which has not changed: whatever
// OwnerRez answers, a row that did not come frees nothing.
func (h *house) forgotten(snap lookup.Snapshot) (out []string) {
	h.truth.mu.Lock()
	defer h.truth.mu.Unlock()
	free := map[place]bool{}
	for _, rec := range snap.Records {
		from, to := h.job.Settings.Window(time.Now(), rec.Zone, snap.Account.Zone)
		for _, n := range snap.Show(h.job.Settings, time.Now(), rec.Property, from, to) {
			free[place{rec.Property, n.Date}] = n.State == availability.Free
		}
	}
	for n := range h.truth.known {
		if free[n.place] {
			out = append(out, fmt.Sprintf("property %d, night of %s: booking %d takes it, and we knew that", n.property, n.night, n.booking))
		}
	}
	h.truth.learn(snap, h.server.Bookings(testAccount))
	return out
}

// differences compares what is shown with the truth: nights that are not exactly as OwnerRez has them.
func (h *house) differences() []string {
	h.t.Helper()
	snap := h.snapshot()
	var out []string
	now := time.Now()
	taken, _ := taken(h.server.Bookings(testAccount))
	for _, p := range h.server.Properties(testAccount) {
		if p.Inactive {
			continue
		}
		rec, _ := snap.Record(p.ID)
		from, to := h.job.Settings.Window(now, rec.Zone, snap.Account.Zone)
		for _, night := range snap.Show(h.job.Settings, now, p.ID, from, to) {
			want := availability.Free
			if taken[place{p.ID, night.Date}] {
				want = availability.Taken
			}
			if night.State != want {
				out = append(out, fmt.Sprintf("property %d, night of %s: is %s, shown %s (%s)", p.ID, night.Date, want, night.State, night.Reason))
			}
		}
	}
	return out
}

// settle looks up until the calendar equals the truth, at most so many times.
func (h *house) settle(most int) {
	h.t.Helper()
	var last []string
	for range most {
		wait(15*time.Minute + time.Second)
		h.lookup()
		if last = h.differences(); len(last) == 0 {
			return
		}
	}
	h.t.Errorf("after %d lookups %d nights still differ from the truth, the first: %s\nproblems: %v", most, len(last), last[0], h.snapshot().Problems)
}

// displace lets a booking leave its nights, which another one takes in the same moment.
func (h *house) displace(id int64, leave func(*ownerreztest.Booking)) {
	all := h.server.Bookings(testAccount)
	was := all[slices.IndexFunc(all, func(b ownerreztest.Booking) bool { return b.ID == id })]
	h.server.Put(testAccount, ownerreztest.Booking{PropertyID: was.PropertyID, Arrival: was.Arrival, Departure: was.Departure})
	h.server.Update(testAccount, id, leave)
}

// endHolds cancels all holds: one that has lapsed stays unknown for as long as it is there.
func (h *house) endHolds() {
	h.change(func() {
		for _, b := range h.server.Bookings(testAccount) {
			if !b.PendingUntilUTC.IsZero() {
				h.server.Cancel(testAccount, b.ID)
			}
		}
	})
}

// bookings returns the ids of all bookings that are not canceled, in order.
func (h *house) bookings() []int64 {
	var ids []int64
	for _, b := range h.server.Bookings(testAccount) {
		if b.Status != "canceled" {
			ids = append(ids, b.ID)
		}
	}
	slices.Sort(ids)
	return ids
}
