package ownerrez_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// plainBooking is what a client without our promises would decode a booking into.
type plainBooking struct {
	ID         int64     `json:"id"`
	Type       string    `json:"type"`
	Status     string    `json:"status"`
	IsBlock    bool      `json:"is_block"`
	PropertyID int64     `json:"property_id"`
	GuestID    int64     `json:"guest_id"`
	Arrival    string    `json:"arrival"`
	Departure  string    `json:"departure"`
	CheckIn    string    `json:"check_in"`
	CheckOut   string    `json:"check_out"`
	Adults     int       `json:"adults"`
	Children   int       `json:"children"`
	Infants    int       `json:"infants"`
	Pets       int       `json:"pets"`
	BookedUTC  time.Time `json:"booked_utc"`
	CreatedUTC time.Time `json:"created_utc"`
	UpdatedUTC time.Time `json:"updated_utc"`
	Currency   string    `json:"currency_code"`
	Site       string    `json:"listing_site"`
	Number     string    `json:"platform_reservation_number"`
	Total      float64   `json:"total_amount"`
	Paid       float64   `json:"total_paid"`
	Owed       float64   `json:"total_owed"`
	Refunded   float64   `json:"total_refunded"`
	HostFees   float64   `json:"total_host_fees"`
	FormKey    string    `json:"form_key"`
	ThreadIDs  []int64   `json:"thread_ids"`
	Property   struct {
		ID           int64  `json:"id"`
		Name         string `json:"name"`
		InternalCode string `json:"internal_code"`
	} `json:"property"`
	Guest struct {
		ID        int64  `json:"id"`
		FirstName string `json:"first_name"`
		LastName  string `json:"last_name"`
	} `json:"guest"`
	Charges []struct {
		Type        string  `json:"type"`
		Description string  `json:"description"`
		Amount      float64 `json:"amount"`
		Rate        float64 `json:"rate"`
		IsPercent   bool    `json:"rate_is_percent"`
		Position    int     `json:"position"`
		IsTaxable   bool    `json:"is_taxable"`
	} `json:"charges"`
}

const fullBooking = `{"id": %d, "type": "booking", "status": "active", "is_block": false, "property_id": 4401,
"property": {"id": 4401, "name": "Pine Cabin", "internal_code": "PINE"}, "guest_id": 77001,
"guest": {"id": 77001, "first_name": "Ada", "last_name": "Example"}, "arrival": "2026-11-06", "departure": "2026-11-09",
"check_in": "16:00", "check_out": "10:00", "adults": 2, "children": 1, "infants": 0, "pets": 1,
"booked_utc": "2026-09-20T14:03:11Z", "created_utc": "2026-09-20T14:03:12Z", "updated_utc": "2026-09-21T08:00:40Z",
"currency_code": "USD", "listing_site": "Vrbo", "platform_reservation_number": "HA-EXAMPLE1",
"total_amount": 861.5, "total_paid": 430.75, "total_owed": 430.75, "total_refunded": 0, "total_host_fees": 43,
"charges": [
{"type": "rent", "description": "3 nights", "amount": 660, "rate": 660, "rate_is_percent": false, "position": 0, "is_taxable": true},
{"type": "tax", "description": "Lodging tax", "amount": 81.5, "rate": 10.45, "rate_is_percent": true, "position": 2}],
"thread_ids": [660022], "form_key": "none"}`

func benchPage() string {
	rows := make([]string, 100)
	for i := range rows {
		rows[i] = fmt.Sprintf(fullBooking, 900101+i)
	}
	return `{"items":[` + strings.Join(rows, ",") + `],"limit":100,"offset":0,"next_page_url":null}`
}

// BenchmarkPage compares one List of 100 bookings, from the request to the rows, with what encoding/json
// needs for the same body and a plain struct.
func BenchmarkPage(b *testing.B) {
	page := benchPage()
	b.Run("ownerrez", func(b *testing.B) {
		c, err := ownerrez.New(ownerrez.PAT(testEmail, testPAT), ownerrez.WithLimiter(&counter{}), through(func(*http.Request) (*http.Response, error) {
			return response(200, page), nil
		}))
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(page)))
		b.ReportAllocs()
		for b.Loop() {
			got, err := c.Bookings.List(b.Context(), byProperty)
			if err != nil || len(got.Items) != 100 || got.Items[99].ID != 900200 {
				b.Fatal(len(got.Items), err)
			}
		}
	})
	b.Run("encoding-json", func(b *testing.B) {
		b.SetBytes(int64(len(page)))
		b.ReportAllocs()
		for b.Loop() {
			var got struct{ Items []plainBooking }
			if err := json.Unmarshal([]byte(page), &got); err != nil || len(got.Items) != 100 {
				b.Fatal(err)
			}
		}
	})
}
