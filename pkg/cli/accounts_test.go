package cli

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/operator"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/web/calendar"
)

// tunnel leads from the outside to a program that serves.
type tunnel struct {
	*httptest.Server
	to      string
	forward bool   // say so, as most tunnels do
	host    string // by which name it calls the program; empty: its own
}

func newTunnel(t *testing.T) *tunnel {
	t.Helper()
	tn := &tunnel{forward: true}
	tn.Server = httptest.NewTLSServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		to, err := url.Parse(tn.to)
		if err != nil {
			t.Error(err)
			return
		}
		r.SetURL(to)
		r.Out.Host = r.In.Host
		if tn.host != "" {
			r.Out.Host = tn.host
		}
		if tn.forward {
			r.SetXForwarded()
		}
	}})
	t.Cleanup(tn.Close)
	return tn
}

// connectingWorld is a world with an OAuth app, whose redirect URL is the tunnel's.
func connectingWorld(t *testing.T) (*world, *tunnel) {
	t.Helper()
	tn := newTunnel(t)
	w := newWorld(t).with("OWNERREZ_EMAIL", "", "OWNERREZ_TOKEN", "",
		"OWNERREZ_CLIENT_ID", "c_51234234", "OWNERREZ_CLIENT_SECRET", "s_test", "OWNERREZ_PUBLIC_URL", tn.URL+"/",
		"OWNERREZ_WEBHOOK_USER", "hook", "OWNERREZ_WEBHOOK_PASSWORD", "hookpass")
	w.SetQuirks(ownerreztest.Quirks{RateLimitOff: true})
	w.AddApp(ownerreztest.App{ClientID: "c_51234234", ClientSecret: "s_test", Name: "ownerrez-lambda", RedirectURL: tn.URL + "/oauth/callback"})
	return w, tn
}

// TestConnectOnALaptop is a host who connects an account through a tunnel, and an operator who looks after it.
func TestConnectOnALaptop(t *testing.T) {
	t.Parallel()
	w, tn := connectingWorld(t)
	r := w.start(t, "serve")
	tn.to = r.url
	var link string
	r.eventually(t, "it invites", func() bool {
		link = regexp.MustCompile(`https://\S+/connect\?invite=\S+`).FindString(r.stderr.String())
		return link != ""
	})
	for _, says := range []string{tn.URL + "/oauth/callback", tn.URL + "/webhooks/ownerrez"} {
		if !strings.Contains(r.stderr.String(), says) {
			t.Errorf("it does not say %s: %s", says, r.stderr)
		}
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Transport: tn.Client().Transport, Jar: jar}
	consent := visit(t, browser, http.MethodGet, link, nil)
	form := consent.at.Query()
	form.Set("account", "123456")
	form.Set("decision", "allow")
	consent.at.RawQuery = ""
	page := visit(t, browser, http.MethodPost, consent.at.String(), form)
	if page.status != 200 || !strings.Contains(page.text, "Connected") || !strings.Contains(page.text, "123456") {
		t.Fatalf("%d %s\nstderr: %s", page.status, page.text, r.stderr)
	}
	r.eventually(t, "the account is read", func() bool { return strings.Contains(r.stderr.String(), "account 123456: full lookup") })

	var answer calendar.Accounts
	if code, body := get(t, r.url+"/v1/accounts", ""); code != 200 || json.Unmarshal([]byte(body), &answer) != nil || len(answer.Accounts) != 1 {
		t.Errorf("%d %s", code, body)
	}
	if subs := w.Subscriptions(123456); len(subs) != 3 || !strings.HasPrefix(subs[0].URL, tn.URL+"/webhooks/ownerrez/123456/") {
		t.Errorf("%d subscriptions", len(subs))
	}
	hook := w.Subscriptions(123456)[0].URL
	w.Put(123456, ownerreztest.Booking{PropertyID: 4402, Arrival: w.today.AddDays(20), Departure: w.today.AddDays(22)})
	body := `{"user_id":123456,"action":"entity_create","entity_type":"booking","entity_id":900777}`
	if code := post(t, browser, hook, body, "", ""); code != 200 {
		t.Errorf("the account's webhook: %d", code)
	}
	if code := post(t, browser, hook+"x", body, "", ""); code != 401 {
		t.Errorf("a wrong code: %d", code)
	}
	if code := post(t, browser, tn.URL+"/webhooks/ownerrez", body, "hook", "hookpass"); code != 200 {
		t.Errorf("the app's webhook: %d", code)
	}
	r.eventually(t, "the webhook has an effect", func() bool {
		return strings.Contains(r.stderr.String(), "webhook of account 123456: queued") && strings.Count(r.stderr.String(), "account 123456: full lookup") > 1
	})
	w.insideOnly(t, tn, r)
	r.stop(t)
	w.operates(t)
	w.noSecrets(t, r)
}

type visited struct {
	status int
	at     *url.URL
	text   string
}

func visit(t *testing.T, client *http.Client, method, address string, form url.Values) visited {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return visited{resp.StatusCode, resp.Request.URL, string(text)}
}

func post(t *testing.T, client *http.Client, address, body, user, password string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if user != "" {
		req.SetBasicAuth(user, password)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

// insideOnly sees that nothing but the pages of connecting and webhooks can be reached from outside, by whatever name.
func (w *world) insideOnly(t *testing.T, tn *tunnel, r *running) {
	t.Helper()
	client := tn.Client()
	for _, host := range []string{"tunnel.example.com", "127.0.0.1:8080", "localhost"} {
		for _, forward := range []bool{true, false} {
			tn.host, tn.forward = host, forward
			if isLoopback(host) && !forward {
				continue // nobody can tell that from this computer
			}
			for _, path := range []string{"/", "/v1/accounts", "/v1/calendar?account=123456&from=2026-12-01&to=2026-12-02", "/connectx", "/oauth/callbackx", "/webhooks/"} {
				if got := visit(t, client, http.MethodGet, tn.URL+path, nil); got.status != http.StatusForbidden {
					t.Errorf("GET %s from outside, as %q: %d", path, host, got.status)
				}
			}
		}
	}
	tn.host, tn.forward = "", true
	if got := visit(t, client, http.MethodGet, tn.URL+"/connect", nil); got.status != http.StatusForbidden || !strings.Contains(got.text, "invitation") {
		t.Errorf("/connect: %d %s", got.status, got.text)
	}
	if code, _ := get(t, r.url+"/", ""); code != 200 {
		t.Errorf("from this computer: %d", code)
	}
}

// operates is an operator, when the program serves no more.
func (w *world) operates(t *testing.T) {
	t.Helper()
	list := w.run(t, "accounts", "list")
	list.want(t, 0)
	if !strings.Contains(list.stdout, "123456") || !strings.Contains(list.stdout, "ok") {
		t.Errorf("%s", list.stdout)
	}
	status := w.run(t, "accounts", "status", "123456")
	status.want(t, 0)
	if !strings.Contains(status.stdout, "Pine Cabin") || !strings.Contains(status.stdout, "Lakeview Cabins") {
		t.Errorf("%s", status.stdout)
	}
	w.run(t, "accounts", "status", "1").want(t, 1, "not known")
	if doctor := w.run(t, "accounts", "doctor"); doctor.code != 0 || doctor.stdout != "All is well.\n" {
		t.Errorf("%+v", doctor)
	}
	invite := w.run(t, "accounts", "invite", "--account", "123456", "--ref", "desk 7", "--return", "https://partner.example.com/", "--json")
	var made operator.Invitation
	if err := json.Unmarshal([]byte(invite.stdout), &made); err != nil || invite.code != 0 || !strings.Contains(made.Link, "/connect?invite=") {
		t.Errorf("%+v, %v", invite, err)
	}
	w.run(t, "accounts", "invite", "--return", "http://partner.example.com/", "--days", "100", "--ref", "a\nb").want(t, 2, "return:", "days:", "ref:")
	w.run(t, "accounts", "purge").want(t, 0)
	w.with("OWNERREZ_PUBLIC_URL", "").run(t, "accounts", "invite").want(t, 2, "OWNERREZ_PUBLIC_URL")

	w.Fault(ownerreztest.Fault{Do: ownerreztest.Status(500)})
	w.run(t, "accounts", "disconnect", "123456").want(t, 1, "not disconnected yet", "OwnerRez has trouble")
	if list := w.run(t, "accounts", "doctor", "--json"); list.code != 1 || !strings.Contains(list.stdout, "being disconnected") {
		t.Errorf("%+v", list)
	}
	gone := w.run(t, "accounts", "purge", "--yes")
	gone.want(t, 0)
	if !strings.Contains(gone.stdout, "1 have left") || len(w.Subscriptions(123456)) > 0 {
		t.Errorf("%+v, %d subscriptions", gone, len(w.Subscriptions(123456)))
	}
	again := w.run(t, "accounts", "disconnect", "123456")
	again.want(t, 0)
	if list := w.run(t, "accounts", "list"); !strings.Contains(list.stdout, "No account is connected") {
		t.Errorf("%s", list.stdout)
	}
}

// noSecrets looks for secrets wherever they do not belong: in all that was printed and in all files but one.
func (w *world) noSecrets(t *testing.T, r *running) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(w.folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if strings.Contains(path, "secrets.json") {
			if info.Mode().Perm() != 0o600 {
				t.Errorf("%s has mode %v", path, info.Mode())
			}
			files++
			return nil
		}
		content, err := os.ReadFile(path)
		for _, secret := range w.Secrets() {
			if strings.Contains(string(content), secret) {
				t.Errorf("%s holds a secret", filepath.Base(path))
			}
		}
		return err
	})
	if err != nil || files == 0 {
		t.Errorf("%v, %d files of secrets", err, files)
	}
	for _, secret := range append(w.Secrets(), "hookpass") {
		if strings.Contains(r.stderr.String()+r.stdout.String(), secret) {
			t.Error("a secret was printed")
		}
	}
}

// What is wrong with the environment is said at once.
func TestConnectingMisconfigured(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.with("OWNERREZ_CLIENT_ID", "c_51234234", "OWNERREZ_PUBLIC_URL", "http://tunnel.example.com/x", "OWNERREZ_WEBHOOK_USER", "x", "OWNERREZ_CONNECT_MODE", "all").
		run(t, "serve").want(t, 2, "OWNERREZ_CLIENT_SECRET: set both", "OWNERREZ_PUBLIC_URL: must be", "OWNERREZ_WEBHOOK_PASSWORD: set both", "OWNERREZ_CONNECT_MODE: ")
	w.with("OWNERREZ_PUBLIC_URL", "https://tunnel.example.com").run(t, "serve").want(t, 2, "OWNERREZ_PUBLIC_URL: needs an OAuth app")
	w.with("OWNERREZ_CLIENT_ID", "51234234", "OWNERREZ_CLIENT_SECRET", "s_test").run(t, "serve").want(t, 2, "OWNERREZ_CLIENT_ID", "c_")
	w.with("OWNERREZ_CLIENT_ID", "c_1", "OWNERREZ_CLIENT_SECRET", "s_test", "OWNERREZ_USER_AGENT", "My App/1.0 (c_2)").
		run(t, "serve").want(t, 2, "OWNERREZ_USER_AGENT: names another app")
}
