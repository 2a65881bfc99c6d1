package ownerrez_test

import (
	"encoding/json"
	"maps"
	"os"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

func fixture(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func decoded[T any](t *testing.T, data []byte) T {
	t.Helper()
	var row T
	if err := json.Unmarshal(data, &row); err != nil {
		t.Fatal(err)
	}
	return row
}

func encoded(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func money(t *testing.T, text string) ownerrez.Decimal {
	t.Helper()
	d, err := ownerrez.ParseDecimal(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestBookingDecodes(t *testing.T) {
	got := decoded[ownerrez.Booking](t, fixture(t, "booking.json"))
	want := ownerrez.Booking{
		ID: 900101, Type: ownerrez.TypeBooking, Status: ownerrez.StatusActive, PropertyID: 4401,
		Property: ownerrez.BookingProperty{ID: 4401, Name: "Pine Cabin", ExternalName: "Pine", InternalCode: "PINE", PublicURL: "https://example.com/pine"},
		GuestID:  77001, Guest: ownerrez.BookingGuest{ID: 77001, FirstName: "Ada", LastName: "Example"},
		OwnerID: 5, QuoteID: 31001, CancellationPolicyID: 3, CancellationPolicyDescription: "Strict <60 days> & fair",
		Arrival: ownerrez.NewDate(2026, 11, 6), Departure: ownerrez.NewDate(2026, 11, 9),
		CheckIn: "16:00", CheckInEnd: "21:00", CheckOut: "10:00", CleaningDate: ownerrez.NewDate(2026, 11, 9),
		Adults: 2, Children: 1, Pets: 1,
		BookedUTC:       time.Date(2026, 9, 20, 14, 3, 11, 0, time.UTC),
		CreatedUTC:      time.Date(2026, 9, 20, 14, 3, 12, 250e6, time.UTC),
		UpdatedUTC:      time.Date(2026, 9, 21, 8, 0, 40, 0, time.UTC),
		PendingUntilUTC: time.Date(2026, 9, 22, 6, 0, 0, 0, time.UTC),
		Title:           `Übernachtung "Ada"`, Notes: "line\nline", CurrencyCode: "USD", ListingSite: "Vrbo",
		PlatformReservationNumber: "HA-EXAMPLE1", PlatformEmailAddress: "relay@example.com",
		TotalAmount: money(t, "861.5"), TotalPaid: money(t, "430.75"), TotalOwed: money(t, "430.75"), TotalHostFees: money(t, "43"),
		Charges: []ownerrez.Charge{
			{Type: "rent", Description: "3 nights", Amount: money(t, "660"), Rate: money(t, "660"), IsTaxable: true},
			{Type: "tax", Category: "lodging", Description: "Lodging tax", Amount: money(t, "81.5"), Rate: money(t, "10.45"), RateIsPercent: true, TaxID: 7, Position: 2,
				Extra: map[string]json.RawMessage{"new_key": json.RawMessage(`[1, { "a": null }]`)}},
		},
		DoorCodes: []ownerrez.DoorCode{{Code: "0000", LockNames: []string{"Front door"}}, {Code: "1111", LockNames: []string{"Gate", "Shed"}}},
		Tags:      []string{"early check-in"},
		Fields:    []ownerrez.Field{{Code: "BFGATE", Value: json.RawMessage(`"east"`)}, {Code: "BFCARS", Value: json.RawMessage(`2`)}},
		ThreadIDs: []int64{660022}, FormKey: "none", HasProblem: true,
		Extra: map[string]json.RawMessage{"travel_insurance": json.RawMessage(`{ "offered": true }`)},
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b ownerrez.Date) bool { return a == b }), cmp.Comparer(func(a, b ownerrez.Decimal) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
}

// Every documented key of the fixtures has a field: nothing but what is unknown on purpose is in Extra. And
// what is marshaled reads as the same row again.
func TestFixturesFitTheirTypes(t *testing.T) {
	b := decoded[ownerrez.Booking](t, fixture(t, "booking.json"))
	if keys := slices.Sorted(maps.Keys(b.Extra)); !slices.Equal(keys, []string{"travel_insurance"}) {
		t.Errorf("booking: in Extra are %v", keys)
	}
	if again := decoded[ownerrez.Booking](t, encoded(t, b)); !reflect.DeepEqual(compacted(t, again), compacted(t, b)) {
		t.Errorf("booking came back as\n%s\nfrom\n%s", encoded(t, again), encoded(t, b))
	}
	p := decoded[ownerrez.Property](t, fixture(t, "property.json"))
	if p.Extra != nil {
		t.Errorf("property: in Extra are %v", slices.Sorted(maps.Keys(p.Extra)))
	}
	for i, v := 0, reflect.ValueOf(p); i < v.NumField(); i++ {
		if name := v.Type().Field(i).Name; name != "Extra" && v.Field(i).IsZero() {
			t.Errorf("property: %s is zero", name)
		}
	}
	// All values of this fixture differ from zero, so all of it must come back.
	var want, got any
	if json.Unmarshal(fixture(t, "property.json"), &want) != nil || json.Unmarshal(encoded(t, p), &got) != nil || !reflect.DeepEqual(want, got) {
		t.Errorf("property: %s", cmp.Diff(want, got))
	}
}

// compacted is v as plain JSON data, so that spaces in raw values do not matter.
func compacted(t *testing.T, v any) any {
	t.Helper()
	return decoded[any](t, encoded(t, v))
}

// One value of another type costs that field, and is kept.
func TestRowsAreLenient(t *testing.T) {
	full := decoded[map[string]json.RawMessage](t, fixture(t, "booking.json"))
	want := decoded[ownerrez.Booking](t, fixture(t, "booking.json"))
	wrong := []string{`"text"`, `12`, `-1.5`, `true`, `[]`, `[null]`, `[{}]`, `{}`, `{"id":[]}`, `99999999999999999999999`, `"2026-99-99"`}
	for key, original := range full {
		for _, value := range append(wrong, `null`) {
			row := maps.Clone(full)
			row[key] = json.RawMessage(value)
			got := decoded[ownerrez.Booking](t, encoded(t, row))
			if key != "id" && got.ID != want.ID || key != "arrival" && got.Arrival != want.Arrival {
				t.Fatalf("%s = %s costs other fields", key, value)
			}
			raw, kept := got.Extra[key]
			switch {
			case key == "travel_insurance": // has no field
			case value == "null" && kept:
				t.Errorf("%s = null is in Extra", key)
			case kept && string(raw) != value:
				t.Errorf("%s = %s is in Extra as %s", key, value, raw)
			case kept && !reflect.ValueOf(got).FieldByIndex(fieldOf(t, key)).IsZero():
				t.Errorf("%s = %s is in Extra, and in its field", key, value)
			case !kept && value != "null" && !sameKind(string(original), value) && !tolerated(key, value):
				t.Errorf("%s = %s was taken for %s", key, value, original)
			}
			var again map[string]json.RawMessage
			if err := json.Unmarshal(encoded(t, got), &again); err != nil {
				t.Fatal(err)
			}
			if kept && string(again[key]) != value {
				t.Errorf("%s = %s was marshaled as %s", key, value, again[key])
			}
		}
	}
}

func fieldOf(t *testing.T, key string) []int {
	t.Helper()
	typ := reflect.TypeFor[ownerrez.Booking]()
	for i := range typ.NumField() {
		if typ.Field(i).Tag.Get("json") == key {
			return []int{i}
		}
	}
	t.Fatalf("no field has the key %s", key)
	return nil
}

// sameKind says whether two JSON values are both texts, numbers, booleans, arrays or objects.
func sameKind(a, b string) bool {
	kind := func(s string) byte {
		switch {
		case s[0] == 't' || s[0] == 'f':
			return 't'
		case s[0] == '-' || s[0] >= '0' && s[0] <= '9':
			return '0'
		}
		return s[0]
	}
	return kind(a) == kind(b)
}

// tolerated are values of another JSON type that mean something all the same.
func tolerated(key, value string) bool {
	amounts := []string{"total_amount", "total_paid", "total_owed", "total_refunded", "total_host_fees"}
	return slices.Contains(amounts, key) && (sameKind("0", value)) || key == "tags" && sameKind(`""`, value) || key == "canceled_utc" && value == `""`
}

func TestStrangeRows(t *testing.T) {
	for _, text := range []string{`null`, `12`, `"x"`, `[]`, `{}`, `[{"id":1}]`} {
		if got := decoded[ownerrez.Booking](t, []byte(text)); !reflect.DeepEqual(got, ownerrez.Booking{}) {
			t.Errorf("%s is %+v", text, got)
		}
	}
	reused := ownerrez.Booking{ID: 7, Title: "old"}
	if err := json.Unmarshal([]byte(`{"id":8}`), &reused); err != nil || reused.ID != 8 || reused.Title != "" {
		t.Errorf("a reused row is %+v, %v", reused, err)
	}
	if err := reused.UnmarshalJSON([]byte(`{"id":`)); err == nil {
		t.Error("invalid JSON was accepted")
	}
	twice := decoded[ownerrez.Booking](t, []byte(`{"id":1,"\u0069d":2,"status":"active","status":"CANCELED"}`))
	if twice.ID != 2 || twice.Status != "CANCELED" {
		t.Errorf("of a repeated key the last value counts, not %d, %s", twice.ID, twice.Status)
	}
	odd := decoded[ownerrez.Booking](t, []byte(`{"id":1,"Extra":5,"":6,"json":7,"type":"owner_block","adults":2.0}`))
	if len(odd.Extra) != 4 || odd.Type != "owner_block" {
		t.Errorf("%+v", odd)
	}
	if text := string(encoded(t, odd)); text != `{"id":1,"type":"owner_block","":6,"Extra":5,"adults":2.0,"json":7}` {
		t.Error(text)
	}
	if text := string(encoded(t, ownerrez.Booking{})); text != `{}` {
		t.Error(text)
	}
	data := []byte(`{"id":1,"new":"abc","fields":[{"value":"def"}]}`)
	kept := decoded[ownerrez.Booking](t, data)
	if err := kept.UnmarshalJSON(data); err != nil {
		t.Fatal(err)
	}
	clear(data)
	if string(kept.Extra["new"]) != `"abc"` || string(kept.Fields[0].Value) != `"def"` {
		t.Error("a row must not hold on to what it was read from")
	}
	for _, edge := range []string{"9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00"} {
		row := decoded[ownerrez.Booking](t, []byte(`{"id":1,"updated_utc":"`+edge+`"}`))
		if text := string(encoded(t, row)); text != `{"id":1,"updated_utc":"`+edge+`"}` || !row.UpdatedUTC.IsZero() {
			t.Errorf("%s: %s", edge, text)
		}
	}
	both := ownerrez.Booking{ID: 1, Extra: map[string]json.RawMessage{"id": json.RawMessage(`2`)}}
	if text := string(encoded(t, both)); text != `{"id":1}` || len(both.Extra) != 1 {
		t.Error("the field counts, and Extra must not be touched:", text)
	}
}

func TestPropertyActive(t *testing.T) {
	for text, want := range map[string]ownerrez.Opt[bool]{
		`{}`: {}, `{"active":null}`: ownerrez.Null[bool](), `{"active":false}`: ownerrez.Set(false), `{"active":true}`: ownerrez.Set(true), `{"active":"no"}`: {},
	} {
		if got := decoded[ownerrez.Property](t, []byte(text)); got.Active != want {
			t.Errorf("%s: %+v", text, got.Active)
		} else if again := encoded(t, got); string(again) != text {
			t.Errorf("%s came back as %s", text, again)
		}
	}
}

func TestUserNames(t *testing.T) {
	want := ownerrez.User{ID: 123456, Email: "ada@example.com", Name: "Lakeview Cabins", TimeZone: "America/Chicago"}
	for _, text := range []string{
		`{"id":123456,"email":"ada@example.com","name":"Lakeview Cabins","time_zone":"America/Chicago"}`,
		`{"user_id":123456,"email_address":"ada@example.com","user_display_name":"Lakeview Cabins","timezone":"America/Chicago"}`,
		`{"user_id":"123456","email":"ada@example.com","display_name":"Lakeview Cabins","time_zone_id":"America/Chicago"}`,
		`{"id":123456,"email":"ada@example.com","first_name":"Lakeview","last_name":"Cabins","time_zone":"America/Chicago"}`,
	} {
		got := decoded[ownerrez.User](t, []byte(text))
		got.Extra = nil
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v", text, got)
		}
	}
}

// All kinds of rows behave alike.
func TestEveryKindOfRow(t *testing.T) {
	everyRow[ownerrez.Booking](t)
	everyRow[ownerrez.BookingProperty](t)
	everyRow[ownerrez.BookingGuest](t)
	everyRow[ownerrez.Charge](t)
	everyRow[ownerrez.DoorCode](t)
	everyRow[ownerrez.Field](t)
	everyRow[ownerrez.Property](t)
	everyRow[ownerrez.Address](t)
	everyRow[ownerrez.PropertyLookup](t)
	everyRow[ownerrez.User](t)
}

func everyRow[T any](t *testing.T) {
	t.Helper()
	row := decoded[T](t, []byte(`{"unknown":[1]}`))
	extra := reflect.ValueOf(row).FieldByName("Extra").Interface().(map[string]json.RawMessage)
	if string(extra["unknown"]) != `[1]` || string(encoded(t, row)) != `{"unknown":[1]}` {
		t.Errorf("%T: %+v is written as %s", row, row, encoded(t, row))
	}
	if err := any(&row).(json.Unmarshaler).UnmarshalJSON([]byte(`{`)); err == nil {
		t.Errorf("%T: invalid JSON was accepted", row)
	}
	seen := map[string]bool{}
	for i, typ := 0, reflect.TypeOf(row); i < typ.NumField(); i++ {
		key := typ.Field(i).Tag.Get("json")
		if key == "" || seen[key] {
			t.Errorf("%T: field %s has no key of its own", row, typ.Field(i).Name)
		}
		seen[key] = true
	}
}
