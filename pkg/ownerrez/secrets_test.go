package ownerrez_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// Secrets with characters that look different in URLs and in base64.
const (
	secretPAT     = "pt_sEcr+t/1=xyz0123"
	secretAT      = "at_sEcr+t/2=xyz0123"
	secretRefresh = "sEcr+t/3=xyz0123"
	secretClient  = "s_sEcr+t/4=xyz0123"
	secretCode    = "tc_sEcr+t/5=xyz0123"
)

// forms are all the ways in which secrets must not show up.
func forms() []string {
	var all []string
	for _, s := range []string{secretPAT, secretAT, secretRefresh, secretClient, secretCode} {
		bare := s[strings.Index(s, "_")+1:]
		all = append(all, s, bare, url.QueryEscape(s), url.PathEscape(s), fmt.Sprintf("%x", s), fmt.Sprintf("%X", s))
		for _, e := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
			all = append(all, e.EncodeToString([]byte(s)), e.EncodeToString([]byte(testEmail+":"+s)), e.EncodeToString([]byte(testApp.ClientID+":"+s)))
		}
	}
	return all
}

// clean fails if the text holds a secret in any form.
func clean(t *testing.T, what, text string) {
	t.Helper()
	for _, form := range forms() {
		if strings.Contains(text, form) {
			t.Errorf("%s shows %q in %q", what, form, text)
			return
		}
	}
}

// printed is everything that package fmt, encoding/json's error paths and slog make of a value.
func printed(v any) string {
	var all bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T", "%5.3v"} {
		fmt.Fprintf(&all, verb+"\n", v)
	}
	fmt.Fprintln(&all, v, []any{v}, map[string]any{"x": v}, struct{ X any }{v})
	for _, h := range []slog.Handler{slog.NewTextHandler(&all, nil), slog.NewJSONHandler(&all, nil)} {
		slog.New(h).Info("message", "value", v, slog.Group("group", slog.Any("inner", v)))
	}
	return all.String()
}

func TestPrintedValuesHideSecrets(t *testing.T) {
	token := ownerrez.Token{AccessToken: secretAT, RefreshToken: secretRefresh, UserID: 123456}
	config := ownerrez.OAuthConfig{App: testApp, ClientSecret: secretClient}
	pat := ownerrez.PAT(testEmail, secretPAT)
	oauth := ownerrez.OAuth(testApp, ownerrez.StaticToken(secretAT))
	byPAT, err1 := ownerrez.New(pat)
	byOAuth, err2 := ownerrez.New(oauth)
	a, err3 := ownerrez.NewAuthorizer(config)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	for what, v := range map[string]any{
		"Token": token, "*Token": &token, "OAuthConfig": config, "*OAuthConfig": &config,
		"PAT": pat, "OAuth": oauth, "StaticToken": ownerrez.StaticToken(secretAT),
		"Client": byPAT, "Client value": *byPAT, "OAuth Client": byOAuth, "Authorizer": a, "Authorizer value": *a,
		"Bookings": byPAT.Bookings, "Users value": *byOAuth.Users,
	} {
		clean(t, what, printed(v))
	}
	if !strings.Contains(token.String(), "123456") {
		t.Error("a token should still be told from others:", token)
	}
	if text, err := json.Marshal(token); err != nil || !strings.Contains(string(text), secretAT) {
		t.Error("a token must be storable")
	}
}

func TestConstructionErrorsHideSecrets(t *testing.T) {
	spoiled := func(s string) string { return s + "\n" }
	for what, auth := range map[string]ownerrez.Auth{
		"swapped": ownerrez.PAT(secretPAT, testEmail), "line end": ownerrez.PAT(testEmail, spoiled(secretPAT)), "in the e-mail": ownerrez.PAT(spoiled(secretPAT), secretPAT),
		"wrong kind": ownerrez.PAT(testEmail, secretAT), "wrong kind for OAuth": ownerrez.OAuth(testApp, ownerrez.StaticToken(secretPAT)),
		"in the app": ownerrez.OAuth(ownerrez.App{Name: secretAT, Version: spoiled(secretAT), ClientID: secretClient}, ownerrez.StaticToken(secretCode)),
	} {
		_, err := ownerrez.New(auth, ownerrez.WithAPIURL("https://u:"+url.QueryEscape(secretPAT)+"@h"), ownerrez.WithUserAgent(spoiled(secretPAT)))
		if err == nil {
			t.Errorf("%s was accepted", what)
			continue
		}
		clean(t, what, printed(err))
	}
	_, err := ownerrez.ParseApp(secretAT)
	clean(t, "ParseApp", printed(err))
}

// parrot sends every secret back, in every form, in every place of every error body, split by what text splits by.
func parrot(status int, template string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		said := strings.Join(append(forms(), r.Header.Get("Authorization"), string(body), r.RequestURI), " ")
		quoted, _ := json.Marshal(said)
		w.Header().Set("Location", "/?"+url.QueryEscape(said))
		w.Header().Set("Www-Authenticate", said)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, strings.ReplaceAll(template, "SAID", string(quoted)))
	}
}

// Whatever the API says, and whatever goes wrong: no error, log line or observation holds a secret.
func TestErrorsHideSecrets(t *testing.T) {
	templates := []string{
		`{"messages":[SAID,SAID],"code":SAID,"status":SAID}`, `{"messages":SAID}`, `{"error":SAID,"error_description":SAID}`,
		`{"error":{"code":SAID,"message":SAID}}`, `{"message":SAID,"doc_url":SAID}`, `{"code":429,"error":SAID}`,
		`SAID`, `[SAID]`, `{SAID:SAID}`, `<html>SAID</html>`, `{"items":[],"next_page_url":SAID}`, `{"items":[{"id":1}],"next_page_url":SAID}`, `{"id":SAID}`,
	}
	for _, status := range []int{200, 302, 400, 429} {
		for _, template := range templates {
			server := serve(t, parrot(status, template))
			var logs bytes.Buffer
			watch := ownerrez.WithObserver(func(_ context.Context, x ownerrez.Exchange) { logs.WriteString(printed(x)) })
			opts := []ownerrez.Option{ownerrez.WithAPIURL(server), ownerrez.WithAppURL(server), ownerrez.WithRetry(ownerrez.NoRetry()), watch}
			byPAT, err1 := ownerrez.New(ownerrez.PAT(testEmail, secretPAT), opts...)
			byOAuth, err2 := ownerrez.New(ownerrez.OAuth(testApp, ownerrez.StaticToken(secretAT)), opts...)
			a, err3 := ownerrez.NewAuthorizer(ownerrez.OAuthConfig{App: testApp, ClientSecret: secretClient}, opts...)
			if err := errors.Join(err1, err2, err3); err != nil {
				t.Fatal(err)
			}
			for _, c := range []*ownerrez.Client{byPAT, byOAuth} {
				_, errs := c.Users.Me(t.Context())
				clean(t, "Me", printed(errs))
				_, errs = c.Bookings.Get(t.Context(), 1)
				clean(t, "Get", printed(errs))
				_, errs = ownerrez.Collect(c.Bookings.All(t.Context(), byProperty))
				clean(t, "All", printed(errs))
				_, errs = c.Properties.Lookup(t.Context())
				clean(t, "Lookup", printed(errs))
			}
			_, err := a.Exchange(t.Context(), secretCode)
			if err == nil {
				t.Fatal("a parrot gave a token")
			}
			clean(t, "Exchange", printed(err))
			clean(t, "observer", logs.String())
		}
	}
}

// Errors of what the caller gave us, and of the network, are found by errors.Is, and shown without secrets.
func TestForeignErrorsHideSecrets(t *testing.T) {
	cause := errors.New("cause")
	said := fmt.Errorf("%s %s https://x/?token=%s: %w", secretAT, base64.StdEncoding.EncodeToString([]byte(secretAT)), url.QueryEscape(secretRefresh), cause)
	inURL := fmt.Errorf("wrapped: %w", &url.Error{Op: "Get", URL: "https://api.ownerrez.com/v2/users/me?token=" + secretAT, Err: cause})
	for _, err := range []error{said, inURL} {
		transport := through(func(*http.Request) (*http.Response, error) { return nil, err })
		source := sourceFunc(func(context.Context) (ownerrez.Token, error) { return ownerrez.Token{}, err })
		limiter := ownerrez.WithLimiter(limiterFunc(func(context.Context) error { return err }))
		for what, auth := range map[string]ownerrez.Auth{"source": ownerrez.OAuth(testApp, source), "transport": ownerrez.OAuth(testApp, ownerrez.StaticToken(secretAT)), "limiter": ownerrez.PAT(testEmail, secretPAT)} {
			opts := []ownerrez.Option{transport, ownerrez.WithRetry(ownerrez.NoRetry())}
			if what == "limiter" {
				opts = append(opts, limiter)
			}
			c, newErr := ownerrez.New(auth, opts...)
			if newErr != nil {
				t.Fatal(newErr)
			}
			_, got := c.Users.Me(t.Context())
			var withURL *url.Error
			if !errors.Is(got, cause) || errors.As(got, &withURL) {
				t.Errorf("%s: %v", what, got)
			}
			clean(t, what, printed(got))
		}
	}
}

// A connection that fails says to whom it was, and nothing of the request.
func TestNetworkErrorsHideTheRequest(t *testing.T) {
	srv := httptest.NewServer(nil)
	srv.Close()
	_, err := client(t, srv.URL).Bookings.List(t.Context(), ownerrez.BookingQuery{PropertyIDs: []int64{440144}})
	if text := printed(err); strings.Contains(text, "440144") || strings.Contains(text, "?") || !strings.Contains(err.Error(), "connection refused") {
		t.Error(text)
	}
}
