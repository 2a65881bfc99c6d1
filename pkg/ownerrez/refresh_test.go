package ownerrez_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

func TestRefreshRequest(t *testing.T) {
	a := authorizer(t, func(w http.ResponseWriter, r *http.Request) {
		id, secret, _ := r.BasicAuth()
		body, _ := io.ReadAll(r.Body)
		if r.Method != "POST" || r.URL.Path != "/oauth/access_token" || id != "c_51234234" || secret != "s_test" ||
			r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || string(body) != "grant_type=refresh_token&refresh_token=rt_test" {
			t.Errorf("%s %s by %s: %s", r.Method, r.URL, id, body)
		}
		_, _ = io.WriteString(w, `{"access_token":"at_new","token_type":"bearer"}`)
	})
	got, err := a.Refresh(t.Context(), "rt_test")
	if want := (ownerrez.Token{AccessToken: "at_new", RefreshToken: "rt_test"}); err != nil || got != want {
		t.Errorf("%v, %v: the refresh token that stays valid must be kept", got, err)
	}
	if _, err := a.Refresh(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "connect the account again") {
		t.Error(err)
	}
}

func TestRevokeRequest(t *testing.T) {
	for _, test := range []struct {
		status int
		body   string
		kind   error // nil: it is revoked
	}{
		{204, "", nil}, {200, "", nil}, {200, "{}", nil}, {404, `{"code":"not_found"}`, nil}, {404, webPage, nil},
		{401, `{"error":"invalid_client"}`, ownerrez.ErrUnauthorized}, {403, webPage, ownerrez.ErrForbidden},
	} {
		a := authorizer(t, func(w http.ResponseWriter, r *http.Request) {
			id, secret, _ := r.BasicAuth()
			if r.Method != "DELETE" || r.URL.Path != "/oauth/access_token/at_testold" || id != "c_51234234" || secret != "s_test" {
				t.Errorf("%s %s by %s", r.Method, r.URL, id)
			}
			w.WriteHeader(test.status)
			_, _ = io.WriteString(w, test.body)
		}, ownerrez.WithRetry(ownerrez.NoRetry()))
		err := a.Revoke(t.Context(), "at_testold")
		if test.kind == nil && err != nil || !errors.Is(err, test.kind) {
			t.Errorf("%d: %v", test.status, err)
		}
		if err != nil && (strings.Contains(err.Error(), "testold") || !strings.Contains(err.Error(), "DELETE /oauth/access_token/{token}")) {
			t.Errorf("%d: %v", test.status, err)
		}
	}
	a := authorizer(t, func(http.ResponseWriter, *http.Request) { t.Error("it was asked") })
	for _, token := range []string{"", "at_", "rt_test", "pt_test", "at_../../v2/bookings", "at_x?y=z", "at_x#y", "at_x y", "at_x%2fy"} {
		if err := a.Revoke(t.Context(), token); err == nil || (len(token) > 4 && strings.Contains(err.Error(), token)) {
			t.Errorf("%q: %v", token, err)
		}
	}
}

// connected is an app, and the token of an account that it was let into.
func connected(t *testing.T, quirks ownerreztest.Quirks) (*ownerreztest.Server, *ownerrez.Authorizer, ownerrez.Token) {
	t.Helper()
	server := ownerreztest.New(ownerreztest.WithQuirks(quirks))
	server.AddAccount(ownerreztest.Account{ID: 123456, Email: "host@example.com", Name: "Host"})
	server.AddApp(ownerreztest.App{ClientID: testApp.ClientID, ClientSecret: "s_test", RedirectURL: testConfig.RedirectURL})
	a, err := ownerrez.NewAuthorizer(testConfig, ownerrez.WithAPIURL(server.URL()), ownerrez.WithAppURL(server.URL()),
		ownerrez.WithAllowHTTPHost("ownerrez.test"), ownerrez.WithHTTPClient(server.HTTPClient(t)), ownerrez.WithRetry(ownerrez.NoRetry()))
	if err != nil {
		t.Fatal(err)
	}
	back, err := server.Allow(a.AuthCodeURL("state"), 123456)
	if err != nil {
		t.Fatal(err)
	}
	callback, err := url.Parse(back)
	if err != nil {
		t.Fatal(err)
	}
	token, err := a.Exchange(t.Context(), callback.Query().Get("code"))
	if err != nil {
		t.Fatal(err)
	}
	return server, a, token
}

// Whether OwnerRez gives a new refresh token each time or lets the old one live, the token that Refresh returns is
// the one to go on with.
func TestRefreshAgainstTheFake(t *testing.T) {
	for _, rotates := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			_, a, token := connected(t, ownerreztest.Quirks{TokensExpireIn: 30 * 24 * time.Hour, RefreshRotates: rotates})
			for range 3 {
				time.Sleep(20 * 24 * time.Hour)
				next, err := a.Refresh(t.Context(), token.RefreshToken)
				if err != nil || next.AccessToken == token.AccessToken || next.UserID != 123456 || (next.RefreshToken == token.RefreshToken) == rotates ||
					!next.Expiry.Equal(time.Now().Add(30*24*time.Hour)) {
					t.Fatalf("rotates %v: %v, %v", rotates, next, err)
				}
				if _, err := a.Refresh(t.Context(), token.RefreshToken); rotates != errors.Is(err, ownerrez.ErrInvalid) {
					t.Errorf("rotates %v: the one before: %v", rotates, err)
				}
				token = next
			}
			var api *ownerrez.Error
			if _, err := a.Refresh(t.Context(), "rt_testunknown"); !errors.As(err, &api) || api.Code != "invalid_grant" || strings.Contains(err.Error(), "rt_testunknown") {
				t.Errorf("an unknown one: %v", err)
			}
		})
	}
}

func TestRevokeAgainstTheFake(t *testing.T) {
	server, a, token := connected(t, ownerreztest.Quirks{})
	client, err := ownerrez.New(ownerrez.OAuth(testApp, ownerrez.StaticToken(token.AccessToken)), ownerrez.WithAPIURL(server.URL()),
		ownerrez.WithAllowHTTPHost("ownerrez.test"), ownerrez.WithHTTPClient(server.HTTPClient(t)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Users.Me(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time it is not there any more
		if err := a.Revoke(t.Context(), token.AccessToken); err != nil {
			t.Error(err)
		}
	}
	if _, err := client.Users.Me(t.Context()); !errors.Is(err, ownerrez.ErrUnauthorized) {
		t.Errorf("a revoked token: %v", err)
	}
}
