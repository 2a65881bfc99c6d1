package ownerreztest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// TestRequests: the log tells what came and what became of it.
func TestRequests(t *testing.T) {
	s := newServer(ownerreztest.WithClock(func() time.Time { return noon }))
	c := call(t, s)
	c.get("/v2/bookings?property_ids=4401,4402&from=2026-12-01")
	c.prep = func(r *http.Request) { r.Header.Set("User-Agent", "x/1") }
	c.get("/v2/properties/5")
	s.Fault(ownerreztest.Fault{Do: ownerreztest.Reset()})
	c.do("POST", c.base+"/v2/bookings")
	want := []ownerreztest.Request{
		{N: 1, At: noon, Method: "GET", Host: "ownerrez.test", Path: "/v2/bookings", Query: "property_ids=4401,4402&from=2026-12-01", UserAgent: "test/1.0", IP: "192.0.2.1", Account: acct, Status: 200},
		{N: 2, At: noon, Method: "GET", Host: "ownerrez.test", Path: "/v2/properties/5", UserAgent: "x/1", IP: "192.0.2.1", Status: 401},
		{N: 3, At: noon, Method: "POST", Host: "ownerrez.test", Path: "/v2/bookings", UserAgent: "x/1", IP: "192.0.2.1", Faults: "reset"},
	}
	if diff := cmp.Diff(want, s.Requests()); diff != "" || s.Count() != 3 {
		t.Error(s.Count(), diff)
	}
}

// TestLogHoldsNoTokens, wherever a careless client puts one.
func TestLogHoldsNoTokens(t *testing.T) {
	s := newServer()
	s.AddApp(ownerreztest.App{ClientID: "c_app", ClientSecret: "s_secret", RedirectURL: "https://app.example.com/cb"})
	c := call(t, s)
	for _, path := range []string{
		"/oauth/access_token/" + bearer, "/oauth/access_token/odd-token", "/v2/users/me?token=odd-token", "/v2/users/me?x=" + pat,
		"/v2/users/me?x=pt%5Ffaaaast", "/v2/" + bearer, "/oauth/token?code=odd-token&client_secret=s_secret", "/v2/users/me?" + bearer, "/v2/users/me?x=%zz" + bearer,
	} {
		c.get(path)
		c.do("GET", "http://ownerrez.test"+path) // outside the base path
	}
	c.prep = func(r *http.Request) { asPAT(r); r.Header.Set("User-Agent", "app ("+bearer+")") }
	c.get("/v2/users/me")
	all := fmt.Sprintf("%+v", s.Requests())
	for _, secret := range append(s.Secrets(), "odd-token", "pt%5Ffaaaast") {
		if strings.Contains(all, secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
	if !strings.Contains(all, "/oauth/access_token/{token}") || !strings.Contains(all, "token={token}") {
		t.Error(all)
	}
}
