package ownerrez_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// exampleServer stands for OwnerRez, so that the examples run anywhere.
func exampleServer() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v2/bookings":
			fmt.Fprint(w, `{"items":[{"id":900101,"type":"booking","status":"active","property_id":4401,"arrival":"2026-11-06","departure":"2026-11-09","total_amount":861.50},
				{"id":900102,"type":"block","status":"active","is_block":true,"property_id":4401,"arrival":"2026-12-01","departure":"2026-12-04"}],"limit":100,"offset":0}`)
		case "/v2/users/me":
			fmt.Fprint(w, `{"id":123456,"name":"Lakeview Cabins"}`)
		case "/api/properties/lookup":
			fmt.Fprint(w, `[{"Id":4401,"Name":"Pine Cabin"}]`)
		default:
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"messages":["Expected entity Booking:Id:7 not found."],"code":"not_found","status_code":404}`)
		}
	}))
}

func Example() {
	server := exampleServer() // leave it away, and the option, to ask OwnerRez itself
	defer server.Close()

	client, err := ownerrez.New(ownerrez.PAT("you@example.com", "pt_test"), ownerrez.WithAPIURL(server.URL))
	if err != nil {
		log.Fatal(err)
	}
	query := ownerrez.BookingQuery{PropertyIDs: []int64{4401}, From: ownerrez.NewDate(2026, time.November, 1)}
	for booking, err := range client.Bookings.All(context.Background(), query) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(booking.Type, booking.Arrival, booking.Arrival.DaysUntil(booking.Departure), "nights", booking.TotalAmount)
	}
	// Output:
	// booking 2026-11-06 3 nights 861.5
	// block 2026-12-01 3 nights 0
}

func ExampleOAuth() {
	server := exampleServer()
	defer server.Close()

	app := ownerrez.App{Name: "My Awesome App", Version: "1.0", ClientID: "c_51234234"}
	client, err := ownerrez.New(ownerrez.OAuth(app, ownerrez.StaticToken("at_test")), ownerrez.WithAPIURL(server.URL))
	if err != nil {
		log.Fatal(err)
	}
	me, err := client.Users.Me(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(me.ID, me.Name)
	// Output: 123456 Lakeview Cabins
}

func ExamplePropertiesService_Lookup() {
	server := exampleServer()
	defer server.Close()

	client, err := ownerrez.New(ownerrez.PAT("wylie@acme.com", "pt_test"), ownerrez.WithAppURL(server.URL))
	if err != nil {
		log.Fatal(err)
	}
	properties, err := client.Properties.Lookup(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range properties {
		fmt.Println(p.ID, p.Name)
	}
	// Output: 4401 Pine Cabin
}

func ExampleError() {
	server := exampleServer()
	defer server.Close()

	client, err := ownerrez.New(ownerrez.PAT("you@example.com", "pt_test"), ownerrez.WithAPIURL(server.URL))
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.Bookings.Get(context.Background(), 7)
	if errors.Is(err, ownerrez.ErrNotFound) {
		fmt.Println(err)
	}
	if e, ok := errors.AsType[*ownerrez.Error](err); ok {
		fmt.Println(e.StatusCode, e.Code)
	}
	// Output:
	// GET /v2/bookings/{id}: 404 not found: Expected entity Booking:Id:7 not found.
	// 404 not_found
}

func ExampleNewWindow() {
	// Two clients that send from one IP address share what OwnerRez allows it, and leave some to others.
	shared := ownerrez.NewWindow(200, 5*time.Minute+10*time.Second)
	app := ownerrez.App{Name: "My Awesome App", Version: "1.0", ClientID: "c_51234234"}
	for _, token := range []string{"at_one", "at_two"} {
		client, err := ownerrez.New(ownerrez.OAuth(app, ownerrez.StaticToken(token)), ownerrez.WithLimiter(shared))
		if err != nil {
			log.Fatal(err)
		}
		_ = client
	}
}

func ExampleAuthorizer() {
	authorizer, err := ownerrez.NewAuthorizer(ownerrez.OAuthConfig{
		App:          ownerrez.App{Name: "My Awesome App", Version: "1.0", ClientID: "c_51234234"},
		ClientSecret: os.Getenv("OWNERREZ_CLIENT_SECRET"),
		RedirectURL:  "https://app.example.com/oauth/callback",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	http.HandleFunc("/connect", func(w http.ResponseWriter, r *http.Request) {
		state := "random, and kept in a cookie" // to be compared in the callback
		http.Redirect(w, r, authorizer.AuthCodeURL(state), http.StatusSeeOther)
	})
	http.HandleFunc("/oauth/callback", func(w http.ResponseWriter, r *http.Request) {
		token, err := authorizer.Exchange(r.Context(), r.FormValue("code"))
		if err != nil {
			http.Error(w, "OwnerRez did not accept the code. Please try again.", http.StatusBadGateway)
			return
		}
		fmt.Fprintf(w, "Connected %s.", token.UserDisplayName)
	})
}
