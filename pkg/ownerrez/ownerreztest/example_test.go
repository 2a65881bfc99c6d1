package ownerreztest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// stays stands for your integration: it counts the bookings of a property, and tries again when OwnerRez has
// trouble.
func stays(ctx context.Context, client *http.Client, baseURL string) (int, error) {
	for try := 0; ; try++ {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, baseURL+"/v2/bookings?property_ids=4401", nil)
		if err != nil {
			return 0, err
		}
		req.SetBasicAuth("wylie@example.com", "pt_test")
		req.Header.Set("User-Agent", "Example/1.0")
		res, err := client.Do(req)
		if err != nil {
			return 0, err
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		switch {
		case err != nil:
			return 0, err
		case res.StatusCode >= 500 && try < 3:
			time.Sleep(time.Minute)
			continue
		case res.StatusCode != http.StatusOK:
			return 0, fmt.Errorf("OwnerRez answers %d", res.StatusCode)
		}
		var page struct {
			Items []json.RawMessage `json:"items"`
		}
		err = json.Unmarshal(body, &page)
		return len(page.Items), err
	}
}

// furnished is a server with one account, one property and one booking.
func furnished() *ownerreztest.Server {
	server := ownerreztest.New()
	server.AddAccount(ownerreztest.Account{ID: 1, Email: "wylie@example.com", PAT: "pt_test"})
	server.AddProperty(1, ownerreztest.Property{ID: 4401, Name: "Pine Cabin", TimeZone: "America/Chicago"})
	server.Put(1, ownerreztest.Booking{
		PropertyID: 4401, Arrival: ownerrez.NewDate(2026, time.December, 1), Departure: ownerrez.NewDate(2026, time.December, 4),
	})
	return server
}

// In your own test this would be TestMyIntegration.
func Example() {
	server := furnished()
	client, closeClient := server.OpenHTTPClient() // in a test: server.HTTPClient(t), or server.Start(t) for a socket
	defer closeClient()

	fmt.Println(stays(context.Background(), client, server.URL()))
	fmt.Println("taken:", server.Taken(1, 4401, ownerrez.NewDate(2026, time.December, 3)))
	for _, r := range server.Requests() {
		fmt.Println(r.Method, r.Path, r.Query, r.Status)
	}
	// Output:
	// 1 <nil>
	// taken: true
	// GET /v2/bookings property_ids=4401 200
}

// The second request is answered with a page from which a row is missing, the third not at all.
func ExampleServer_Fault() {
	server := furnished()
	client, closeClient := server.OpenHTTPClient()
	defer closeClient()
	server.Fault(ownerreztest.Fault{N: 2, Do: ownerreztest.DropRows(func(id int64) bool { return id == 900101 })})
	server.Fault(ownerreztest.Fault{N: 3, Match: ownerreztest.MatchProperty(4401), Do: ownerreztest.Status(http.StatusForbidden)})

	for range 4 {
		fmt.Println(stays(context.Background(), client, server.URL()))
	}
	// Output:
	// 1 <nil>
	// 0 <nil>
	// 0 OwnerRez answers 403
	// 1 <nil>
}

// A program can serve the demo world, as `go run ./functions/local ownerrez` does.
func ExampleDemo() {
	now := time.Date(2026, time.November, 23, 20, 0, 0, 0, time.UTC)
	server := ownerreztest.Demo(1, func() time.Time { return now })
	for _, p := range server.Properties(ownerreztest.DemoAccount) {
		fmt.Println(p.ID, p.Name, p.TimeZone)
	}
	// Output:
	// 4401 Pine Cabin America/Chicago
	// 4402 Lakeside A-Frame America/Chicago
	// 4403 Palm House Pacific/Honolulu
	// 4404 Harbor Loft Pacific/Auckland
	// 4405 Garden Studio Pacific/Auckland
}

// TestRetries shows a test in virtual time: three minutes of waiting pass at once.
func TestRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := furnished()
		server.Fault(ownerreztest.Fault{Times: 3, Do: ownerreztest.Status(http.StatusServiceUnavailable)})
		begin := time.Now()
		n, err := stays(t.Context(), server.HTTPClient(t), server.URL())
		if n != 1 || err != nil || time.Since(begin) != 3*time.Minute {
			t.Errorf("%d stays, %v, after %v", n, err, time.Since(begin))
		}
	})
}
