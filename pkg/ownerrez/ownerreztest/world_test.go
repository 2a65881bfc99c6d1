package ownerreztest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// TestChangesInTheWorld follows one booking from a hold to its end.
func TestChangesInTheWorld(t *testing.T) {
	now := noon
	s := newServer(ownerreztest.WithClock(func() time.Time { return now }))
	c := call(t, s)
	id := s.Put(acct, ownerreztest.Booking{PropertyID: 4401, Arrival: day(1), Departure: day(3), Type: "block", IsBlock: true, Status: "pending"})
	since := func() []int64 { return c.get("/v2/bookings?since_utc=" + now.Format(time.RFC3339)).ids(t) }
	if got := since(); !cmp.Equal(got, []int64{id}) {
		t.Errorf("created: %v", got)
	}

	now = now.Add(2*time.Minute + 300*time.Millisecond)
	s.Update(acct, id, func(b *ownerreztest.Booking) {
		b.Type, b.IsBlock, b.Status, b.PropertyID, b.ID = "booking", false, "active", 4402, 1
	})
	row := c.get("/v2/bookings/900101").object(t)
	if row["type"] != "booking" || row["property_id"] != 4402.0 || row["created_utc"] != "2026-11-23T12:00:00Z" || row["updated_utc"] != "2026-11-23T12:02:00Z" {
		t.Errorf("changed in place: %v", row)
	}
	if s.Taken(acct, 4401, day(1)) || !s.Taken(acct, 4402, day(1)) || !s.Taken(acct, 4402, day(2)) || s.Taken(acct, 4402, day(3)) || s.Taken(acct, 4402, ownerrez.NewDate(2026, 11, 30)) {
		t.Error("Taken does not follow the booking")
	}

	now = noon.Add(time.Hour)
	s.Cancel(acct, id)
	if row = c.get("/v2/bookings/900101").object(t); row["status"] != "canceled" || row["canceled_utc"] != "2026-11-23T13:00:00Z" {
		t.Errorf("canceled: %v", row)
	}
	if got := since(); !cmp.Equal(got, []int64{id}) || s.Taken(acct, 4402, day(1)) {
		t.Errorf("canceled: listed %v, taken %v", got, s.Taken(acct, 4402, day(1)))
	}

	if !s.Delete(acct, id) || s.Delete(acct, id) || s.Cancel(acct, id) || len(s.Bookings(acct)) != 0 {
		t.Error("deleted: it is still there")
	}
	if r := c.get("/v2/bookings/900101"); r.status != 404 || !strings.Contains(r.body, "Expected entity Booking:Id:900101 not found.") {
		t.Errorf("deleted: %d %s", r.status, r.body)
	}
	if got := c.get("/v2/bookings?since_utc=1970-01-01T00:00:00Z").ids(t); len(got) != 0 {
		t.Errorf("deleted: listed %v", got)
	}
}

// TestPutKeepsWhatIsGiven: times that are given stay, others are the clock's.
func TestPutKeepsWhatIsGiven(t *testing.T) {
	s := newServer(ownerreztest.WithClock(func() time.Time { return noon }))
	early := noon.AddDate(0, -1, 0)
	raw := map[string]any{"adults": 2}
	id := s.Put(acct, ownerreztest.Booking{PropertyID: 4401, CreatedUTC: early, Arrival: day(1), Departure: day(2), Raw: raw})
	raw["adults"] = 3
	s.Bookings(acct)[0].Raw["adults"] = 4
	got := s.Bookings(acct)[0]
	if got.ID != id || !got.CreatedUTC.Equal(early) || !got.UpdatedUTC.Equal(noon) || got.Type != "booking" || got.Status != "active" || got.Raw["adults"] != 2 {
		t.Errorf("%+v", got)
	}
	s.Put(acct, ownerreztest.Booking{ID: id, PropertyID: 4401, Arrival: day(5), Departure: day(6)})
	if again := s.Bookings(acct); len(again) != 1 || !again[0].CreatedUTC.Equal(early) {
		t.Errorf("put again: %+v", again)
	}
}

// TestProperties: the list, one, the lookup, and what happens to those that go.
func TestProperties(t *testing.T) {
	s := newServer()
	s.AddProperty(acct, ownerreztest.Property{ID: 4403, Key: "k", Name: "Palm House", ExternalName: "Palms", InternalCode: "PALM", Inactive: true, Snoozed: true, Raw: map[string]any{"bedrooms": 3}})
	c := call(t, s)
	if got := c.get("/v2/properties").ids(t); !cmp.Equal(got, []int64{4401, 4402, 4403}) {
		t.Errorf("all: %v", got)
	}
	if r := c.get("/v2/properties?active=true"); !cmp.Equal(r.ids(t), []int64{4401, 4402}) || r.object(t)["count"] != 2.0 {
		t.Errorf("active: %s", r.body)
	}
	want := map[string]any{"id": 4403.0, "key": "k", "name": "Palm House", "external_name": "Palms", "internal_code": "PALM", "active": false, "is_snoozed": true, "bedrooms": 3.0}
	if diff := cmp.Diff(want, c.get("/v2/properties/4403").object(t)); diff != "" {
		t.Error(diff)
	}
	lookup := `[{"Id":4401,"InternalCode":"PINE","Name":"Pine Cabin"},{"Id":4402,"Name":"Harbor Loft"},{"ExternalName":"Palms","Id":4403,"InternalCode":"PALM","Key":"k","Name":"Palm House"}]`
	if r := c.get("/api/properties/lookup"); r.body != lookup {
		t.Errorf("lookup: %s", r.body)
	}

	id := stay(s, 4402, 1, 2)
	s.RemoveProperty(acct, 4402)
	if r := c.get("/v2/properties/4402"); r.status != 404 {
		t.Errorf("removed: %d", r.status)
	}
	if got := c.get("/v2/bookings?since_utc=1970-01-01").ids(t); !cmp.Equal(got, []int64{id}) {
		t.Errorf("its bookings: %v", got)
	}
	if !s.SetPropertyActive(acct, 4403, true) || s.SetPropertyActive(acct, 4402, true) {
		t.Error("SetPropertyActive")
	}
}

// TestNewNameInRows: rows that were sent before name a property as it is called now.
func TestNewNameInRows(t *testing.T) {
	s := newServer()
	stay(s, 4401, 1, 2)
	c := call(t, s)
	c.get("/v2/bookings?property_ids=4401")
	s.AddProperty(acct, ownerreztest.Property{ID: 4401, Name: "Oak Cabin"})
	if r := c.get("/v2/bookings?property_ids=4401"); !strings.Contains(r.body, "Oak Cabin") {
		t.Error(r.body)
	}
}

// TestMe answers who the token belongs to.
func TestMe(t *testing.T) {
	s := newServer()
	c := call(t, s)
	want := map[string]any{"id": 7.0, "email": email, "name": "Acme Stays", "time_zone": "America/Chicago"}
	if diff := cmp.Diff(want, c.get("/v2/users/me").object(t)); diff != "" {
		t.Error(diff)
	}
	s.SetQuirks(ownerreztest.Quirks{UserNameKey: "display_name"})
	if me := c.get("/v2/users/me").object(t); me["display_name"] != "Acme Stays" || me["name"] != nil {
		t.Error(me)
	}
}

// TestAccountsAreApart: nobody sees another's rows.
func TestAccountsAreApart(t *testing.T) {
	s := newServer()
	id := stay(s, 4401, 1, 2)
	s.AddAccount(ownerreztest.Account{ID: 8, Email: "b@example.com", PAT: "pt_other"})
	c := call(t, s)
	s.AddAccount(ownerreztest.Account{ID: acct, Email: email, PAT: "pt_new"}) // its rows stay
	if r := c.get("/v2/users/me"); r.status != 401 {
		t.Errorf("old token: %d", r.status)
	}
	s.AddAccount(ownerreztest.Account{ID: 8, Email: email, PAT: pat}) // the token is another account's now
	if r := c.get("/v2/bookings/900101"); r.status != 404 || id != 900101 {
		t.Errorf("another's booking: %d", r.status)
	}
	if len(s.Bookings(acct)) != 1 {
		t.Error("the rows are gone")
	}
}

// TestUnknownAccountPanics with words that help.
func TestUnknownAccountPanics(t *testing.T) {
	defer func() {
		if text, _ := recover().(string); !strings.Contains(text, "AddAccount") {
			t.Errorf("panic %q", text)
		}
	}()
	ownerreztest.New().Put(1, ownerreztest.Booking{})
}
