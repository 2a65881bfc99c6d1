package cli

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/operator"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/web/calendar"
)

// TestConnectOnALaptop is a host who connects an account through a tunnel, and an operator who looks after it.
func TestConnectOnALaptop(t *testing.T) {
	t.Parallel()
	w, tn := connectingWorld(t)
	r := w.start(t, "serve")
	browser := w.connects(t, tn, r)
	for _, says := range []string{tn.URL + "/oauth/callback", tn.URL + "/webhooks/ownerrez"} {
		if !strings.Contains(r.stderr.String(), says) {
			t.Errorf("it does not say %s: %s", says, r.stderr)
		}
	}
	w.callsItself(t, "ownerrez-lambda/1.0 (c_51234234)")

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
			for _, path := range []string{
				"/", "/v1/accounts", "/v1/calendar?account=123456&from=2026-12-01&to=2026-12-02", "/connectx", "/oauth/callbackx", "/oauth/callback/", "/webhooks/",
				"/connect/../v1/accounts", "//v1/accounts", "/CONNECT",
			} {
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
	for host, want := range map[string]int{"": 200, "localhost": 200, "evil.example": 403, "127.0.0.1.evil.example": 403} {
		if code, _ := get(t, r.url+"/v1/accounts", host); code != want {
			t.Errorf("from this computer, as %q: %d, want %d", host, code, want)
		}
	}
	if code, body := get(t, r.url+"/connect", "evil.example"); code != 403 || !strings.Contains(body, "invitation") {
		t.Errorf("/connect by another name: %d %s", code, body)
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
		for _, secret := range append(w.Secrets(), codes(r)...) {
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
		if strings.Contains(r.stderr.String()+r.stdout.String()+w.said.String(), secret) {
			t.Error("a secret was printed")
		}
	}
}

// codes are the codes of the invitations that a program has shown.
func codes(r *running) []string {
	var out []string
	for _, link := range invitation.FindAllString(r.stderr.String(), -1) {
		_, code, _ := strings.Cut(link, "invite=")
		out = append(out, code)
	}
	return out
}

// refusesToServe runs a program that is to end at once.
func (w *world) refusesToServe(t *testing.T) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	return w.runCtx(ctx, t, "serve", "--addr", "127.0.0.1:0")
}

// What is wrong with the environment is said at once.
func TestConnectingMisconfigured(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.with("OWNERREZ_CLIENT_ID", "c_51234234", "OWNERREZ_PUBLIC_URL", "http://tunnel.example.com/x", "OWNERREZ_WEBHOOK_USER", "x", "OWNERREZ_CONNECT_MODE", "all", "OWNERREZ_LOOKUP_EVERY", "soon").
		refusesToServe(t).want(t, 2, "OWNERREZ_LOOKUP_EVERY: ", "OWNERREZ_CLIENT_SECRET: set both", "OWNERREZ_PUBLIC_URL: must be", "OWNERREZ_WEBHOOK_PASSWORD: set both", "OWNERREZ_CONNECT_MODE: ")
	w.with("OWNERREZ_PUBLIC_URL", "https://tunnel.example.com").refusesToServe(t).want(t, 2, "OWNERREZ_PUBLIC_URL: needs an OAuth app")
	w.with("OWNERREZ_CLIENT_ID", "51234234", "OWNERREZ_CLIENT_SECRET", "s_test").refusesToServe(t).want(t, 2, "OWNERREZ_CLIENT_ID", "c_")
	app := w.with("OWNERREZ_CLIENT_ID", "c_1", "OWNERREZ_CLIENT_SECRET", "s_test")
	app.with("OWNERREZ_USER_AGENT", "My App/1.0 (c_2)").refusesToServe(t).want(t, 2, "OWNERREZ_USER_AGENT: names another app")
	app.with("OWNERREZ_USER_AGENT", "My App", "OWNERREZ_EMAIL", "", "OWNERREZ_TOKEN", "").refusesToServe(t).want(t, 2, "OWNERREZ_USER_AGENT: ")
	app.with("OWNERREZ_USER_AGENT", "My App").run(t, "accounts", "list").want(t, 0) // the personal token's
	for _, public := range []string{
		"tunnel.example.com", "http://tunnel.example.com", "https://", "https://:443", "https://tunnel.example.com/x", "https://a@tunnel.example.com",
		"https://tunnel.example.com?x=1", "https://tunnel.example.com#x", "ftp://tunnel.example.com", "http://127.0.0.1.example.com",
	} {
		app.with("OWNERREZ_PUBLIC_URL", public).run(t, "accounts", "invite").want(t, 2, "OWNERREZ_PUBLIC_URL: must be")
	}
	for _, public := range []string{"https://tunnel.example.com:8443/", "http://127.0.0.1:8080", "http://localhost:8080", "http://[::1]:8080"} {
		invite := app.with("OWNERREZ_PUBLIC_URL", public).run(t, "accounts", "invite")
		invite.want(t, 0)
		if !strings.HasPrefix(invite.stdout, strings.TrimRight(public, "/")+"/connect?invite=") {
			t.Errorf("%s: %s", public, invite.stdout)
		}
	}
	for _, command := range []string{"list", "status 123456", "doctor", "invite", "disconnect 123456", "purge --yes"} {
		w.with("OWNERREZ_CLIENT_ID", "c_51234234", "OWNERREZ_CONNECT_MODE", "all").
			run(t, strings.Fields("accounts "+command)...).want(t, 2, "OWNERREZ_CLIENT_SECRET: set both", "OWNERREZ_CONNECT_MODE: ")
	}
}
