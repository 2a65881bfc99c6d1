package calendar

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
)

// keepAccount stores an account that is well, but for what change does to it.
func keepAccount(t testing.TB, st lookup.Store, id int64, change func(*lookup.Account)) {
	t.Helper()
	row := lookup.Account{Key: lookup.AccountKey(id), ID: id, Status: lookup.StatusOK, AsOf: now.Add(-5 * time.Minute), Seq: id}
	if change != nil {
		change(&row)
	}
	keep(t, st, lookup.Snapshot{Account: row, Problems: row.Problems})
}

// accountPages follows the next links, over the handlers in turn, and returns the accounts' ids.
func accountPages(t testing.TB, target string, between func(), handlers ...http.Handler) (ids []int64, pages int) {
	t.Helper()
	for ; target != ""; pages++ {
		if pages > manyPages {
			t.Fatal("the pages have no end")
		}
		page := read[Accounts](t, handlers[pages%len(handlers)], target)
		for _, a := range page.Accounts {
			ids = append(ids, a.Account)
		}
		if target = page.Next; target != "" {
			between()
		}
	}
	return ids, pages
}

func TestAccountsPages(t *testing.T) {
	st := store.New(openTable(t))
	for _, id := range []int64{9, 10, 100, 11, 2} {
		keepAccount(t, st, id, nil)
	}
	keepAccount(t, st, 8, func(row *lookup.Account) { row.Status = lookup.StatusLeft })
	keepAccount(t, st, 9, func(row *lookup.Account) { row.Key = lookup.CredentialKey("of9") })
	keepAccount(t, st, 0, func(row *lookup.Account) { row.Key = lookup.CredentialKey("new") })
	one, other := API(st, options(t)), API(st, options(t))
	for query, want := range map[string]string{
		"": "[2 9 10 11 100] 1", "?limit=2": "[2 9 10 11 100] 3", "?limit=1": "[2 9 10 11 100] 5", "?limit=5": "[2 9 10 11 100] 1",
		"?after=9": "[10 11 100] 1", "?after=9&limit=2": "[10 11 100] 2", "?after=100": "[] 1", "?after=9223372036854775807": "[] 1",
	} {
		ids, pages := accountPages(t, "/v1/accounts"+query, nothing, one, other)
		if got := fmt.Sprint(ids, pages); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	if body := request(t, API(store.New(openTable(t)), options(t)), http.MethodGet, "/v1/accounts").Body.String(); body != `{"accounts":[]}`+"\n" {
		t.Errorf("no accounts: %s", body)
	}
}

// Accounts that come or leave between two pages make no other be skipped or come twice; 100 are on a page.
func TestAccountsPagesWhileAccountsChange(t *testing.T) {
	st := store.New(openTable(t))
	rng := rand.New(rand.NewPCG(5, 1))
	for id := int64(1001); id <= 1250; id++ {
		keepAccount(t, st, id, nil)
	}
	changed := map[int64]bool{}
	ids, pages := accountPages(t, "/v1/accounts", func() {
		for range 20 {
			id := 1000 + int64(rng.IntN(300))
			changed[id] = true
			keepAccount(t, st, id, func(row *lookup.Account) {
				row.Status = []lookup.Status{lookup.StatusOK, lookup.StatusLeft}[rng.IntN(2)]
			})
		}
	}, API(st, options(t)), API(st, options(t)))
	if !slices.IsSorted(ids) || len(slices.Compact(slices.Clone(ids))) != len(ids) || pages != 3 {
		t.Fatalf("%d pages: %v", pages, ids)
	}
	for id := int64(1001); id <= 1250; id++ {
		if !slices.Contains(ids, id) && !changed[id] {
			t.Errorf("%d is missing", id)
		}
	}
}

// What an account says is what its row knows, and how old that is now.
func TestAccountsStanding(t *testing.T) {
	st := store.New(openTable(t))
	trouble := lookup.Problem{Message: "OwnerRez does not accept the token.", Next: "Make a new one."}
	long := now.Add(-3 * time.Hour)
	keepAccount(t, st, 1, func(row *lookup.Account) { row.Zone = "Nowhere/Town" })
	keepAccount(t, st, 2, func(row *lookup.Account) { row.AsOf = long }) // no lookup has run since
	keepAccount(t, st, 3, func(row *lookup.Account) {
		row.Status, row.AsOf, row.Problems = lookup.StatusReconnect, long, []lookup.Problem{trouble}
	})
	keepAccount(t, st, 4, func(row *lookup.Account) { row.Status, row.AsOf = lookup.StatusNew, time.Time{} })
	keepAccount(t, st, 5, func(row *lookup.Account) {
		row.Properties = map[int64]lookup.PropertyState{
			30: {Baseline: long}, 4: {Baseline: long, Mark: &lookup.Mark{AsOf: long}}, 5: {Mark: &lookup.Mark{}}, 6: {Gone: true}, 7: {},
		}
	})
	opts := options(t)
	opts.Settings = lookup.Settings{StaleAfter: 90 * time.Minute, Zone: "Pacific/Honolulu"}
	got := map[int64]Account{}
	for _, a := range read[Accounts](t, API(st, opts), "/v1/accounts").Accounts {
		got[a.Account] = a
	}
	asOf := now.Add(-5 * time.Minute)
	valid := asOf.Add(90 * time.Minute)
	late := opts.Settings.Standing(lookup.Account{ID: 2, Status: lookup.StatusOK, AsOf: long}, now)
	standing := func(id int64, status lookup.Status, asOf time.Time) lookup.Standing {
		return lookup.Standing{Account: id, Status: status, AsOf: asOf}
	}
	want := map[int64]Account{
		1: {Standing: standing(1, lookup.StatusOK, asOf), ValidUntil: valid, Seq: 1},
		2: {Standing: late, ValidUntil: long.Add(90 * time.Minute), Seq: 2},
		3: {Standing: standing(3, lookup.StatusReconnect, long), ValidUntil: long.Add(90 * time.Minute), Seq: 3},
		4: {Standing: standing(4, lookup.StatusNew, time.Time{}), Seq: 4},
		5: {Standing: standing(5, lookup.StatusOK, asOf), ValidUntil: valid, Seq: 5},
	}
	for id, a := range want {
		a.TimeZone, a.Properties = "Pacific/Honolulu", []AccountProperty{}
		if id == 3 {
			a.Problem, a.Next = trouble.Message, trouble.Next
		}
		if id == 5 {
			a.Properties = []AccountProperty{
				{ID: 4, AsOf: long, ValidUntil: long.Add(90 * time.Minute)}, {ID: 5}, {ID: 7}, {ID: 30, AsOf: asOf, ValidUntil: valid},
			}
		}
		want[id] = a
	}
	if diff := cmp.Diff(want, got); diff != "" || late.Status != lookup.StatusLate {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// What an account's properties say of their age is what the calendar says of it.
func TestAccountsAgreeWithTheCalendar(t *testing.T) {
	st := store.New(openTable(t))
	snap := snapshot(t)
	snap.Account.AsOf = now.Add(-4 * time.Minute)
	snap.Account.Properties[4402] = lookup.PropertyState{Baseline: now.Add(-time.Hour), Mark: &lookup.Mark{AsOf: now.Add(-time.Hour)}}
	keep(t, st, snap)
	h := API(st, options(t))
	properties := read[Accounts](t, h, "/v1/accounts").Accounts[0].Properties
	shown := read[Document](t, h, aCalendar).Properties
	if len(properties) != len(shown) {
		t.Fatalf("%+v\n%+v", properties, shown)
	}
	for i, p := range properties {
		if p.ID != shown[i].ID || !p.AsOf.Equal(shown[i].AsOf) {
			t.Errorf("the account says %+v; the calendar says %d as of %s", p, shown[i].ID, shown[i].AsOf)
		}
	}
}

// One account that cannot be read hides no other, and is not hidden itself.
func TestAccountsUnreadable(t *testing.T) {
	table := openTable(t)
	st := store.New(table)
	if err := table.Put(t.Context(), store.Write{Key: store.Key{Partition: "ACCOUNTS", Sort: "555"}, Data: []byte{99}}); err != nil {
		t.Fatal(err)
	}
	var told error
	opts := options(t)
	opts.OnError = func(err error) { told = err }
	for _, want := range []string{"[]", "[7]"} {
		got := read[Accounts](t, API(st, opts), "/v1/accounts")
		var ids []int64
		for _, a := range got.Accounts {
			ids = append(ids, a.Account)
		}
		if fmt.Sprint(ids) != want || len(got.Problems) != 1 || !errors.Is(told, lookup.ErrUnreadable) {
			t.Errorf("%+v; the operator was told %v", got, told)
		}
		keepAccount(t, st, 7, nil)
	}
	if message, _ := refusal(t, API(st, opts), strings.Replace(aCalendar, "123456", "555", 1), 500); strings.Contains(message, "format") {
		t.Errorf("%q", message)
	}
}

// Accounts with thousands of properties make shorter pages.
func TestAccountsPagesFit(t *testing.T) {
	st := store.New(openTable(t))
	for id := int64(1); id <= 15; id++ {
		keepAccount(t, st, id, func(row *lookup.Account) {
			row.Properties = map[int64]lookup.PropertyState{}
			for p := range int64(5000) {
				row.Properties[100_000+p] = lookup.PropertyState{Baseline: now}
			}
		})
	}
	h := API(st, options(t))
	if size := request(t, h, http.MethodGet, "/v1/accounts").Body.Len(); size > 5<<20 || size < 3<<20 {
		t.Errorf("a page of %d bytes", size)
	}
	if ids, pages := accountPages(t, "/v1/accounts", nothing, h); len(ids) != 15 || pages < 2 {
		t.Errorf("%v on %d pages", ids, pages)
	}
}
