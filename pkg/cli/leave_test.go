package cli

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/operator"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store/embedded"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault/file"
)

const dataFolder = "ownerrez-lambda/"

// revoked counts the tokens that OwnerRez was told to end.
func (w *world) revoked() (n int) {
	for _, q := range w.Requests() {
		if q.Method == http.MethodDelete && strings.HasPrefix(q.Path, "/oauth/access_token/") && q.Status == http.StatusNoContent {
			n++
		}
	}
	return n
}

// keepsToken reports whether a token of the account is in the file of secrets.
func (w *world) keepsToken(t *testing.T, account string) bool {
	t.Helper()
	content, err := os.ReadFile(w.file(dataFolder + "calendar.secrets.json"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(content), `"account/`+account+`"`)
}

// Without the OAuth app no token can be revoked: then no account is said to be disconnected, and none is left behind.
func TestDisconnectNeedsTheApp(t *testing.T) {
	t.Parallel()
	w, tn := connectingWorld(t)
	r := w.start(t, "serve")
	w.connects(t, tn, r)
	r.stop(t)
	without := w.with("OWNERREZ_CLIENT_ID", "", "OWNERREZ_CLIENT_SECRET", "", "OWNERREZ_PUBLIC_URL", "")
	asked := w.Count()
	for _, command := range []string{"disconnect 123456", "purge --yes"} {
		without.run(t, strings.Fields("accounts "+command)...).want(t, 2, "OWNERREZ_CLIENT_ID", "123456")
	}
	if list := without.run(t, "accounts", "list"); list.code != 0 || !strings.Contains(list.stdout, "ok") || !w.keepsToken(t, "123456") || w.Count() > asked {
		t.Errorf("%+v, token kept: %v, %d requests", list, w.keepsToken(t, "123456"), w.Count()-asked)
	}

	gone := w.run(t, "accounts", "disconnect", "123456", "--json")
	gone.want(t, 0)
	var out operator.Disconnect // and nothing else: the event waits
	if err := json.Unmarshal([]byte(gone.stdout), &out); err != nil || out.Account != 123456 || out.Disconnecting || out.PersonalToken {
		t.Errorf("%v: %s", err, gone.stdout)
	}
	if w.keepsToken(t, "123456") || w.revoked() != 1 {
		t.Errorf("token kept: %v, %d revoked", w.keepsToken(t, "123456"), w.revoked())
	}
	asked = w.Count()
	if again := w.run(t, "accounts", "disconnect", "123456"); again.code != 0 || !strings.Contains(again.stdout, "left already") || w.Count() > asked {
		t.Errorf("%+v, %d requests", again, w.Count()-asked)
	}

	serving := w.start(t, "serve")
	serving.eventually(t, "the event is published", func() bool { return strings.Contains(serving.stdout.String(), `"now":"left"`) })
	serving.stop(t)
	if !invitation.MatchString(serving.stderr.String()) {
		t.Errorf("no account is connected, and it invites nobody: %s", serving.stderr)
	}
	if doctor := w.run(t, "accounts", "doctor"); doctor.code != 0 {
		t.Errorf("%+v", doctor)
	}
}

// One account's trouble is not the others', and a purge can be repeated until it is done.
func TestPurgeOfSome(t *testing.T) {
	t.Parallel()
	w, tn := connectingWorld(t)
	w.AddAccount(ownerreztest.Account{ID: 7, Email: "other@example.com", Name: "Bay House"})
	w.AddProperty(7, ownerreztest.Property{ID: 70, Name: "Bay House"})
	r := w.start(t, "serve")
	w.connects(t, tn, r)
	r.stop(t)
	var made operator.Invitation
	if invite := w.run(t, "accounts", "invite", "--ref", "desk 7", "--json"); json.Unmarshal([]byte(invite.stdout), &made) != nil {
		t.Fatalf("%+v", invite)
	}
	tn.to = "" // it has another port now
	r = w.start(t, "serve")
	w.connectsBy(t, tn, r, made.Link, 7)
	r.stop(t)
	if list := w.run(t, "accounts", "list"); !strings.Contains(list.stdout, "desk 7") {
		t.Errorf("%s", list.stdout)
	}

	would := w.run(t, "accounts", "purge")
	would.want(t, 0)
	if !strings.Contains(would.stdout, "7, 123456") || !strings.Contains(would.stdout, "--yes") || w.revoked() > 0 {
		t.Errorf("%s, %d revoked", would.stdout, w.revoked())
	}
	w.Fault(ownerreztest.Fault{Do: ownerreztest.Status(500)}) // account 7 comes first
	some := w.run(t, "accounts", "purge", "--yes")
	some.want(t, 1, "account 7 is not disconnected yet")
	if !strings.Contains(some.stdout, "Account 123456 is disconnected.") || !strings.Contains(some.stdout, "Not disconnected yet: 7.") || w.keepsToken(t, "123456") || !w.keepsToken(t, "7") {
		t.Errorf("%s", some.stdout)
	}
	rest := w.run(t, "accounts", "purge", "--yes", "--json")
	rest.want(t, 0)
	var out operator.Purge
	if err := json.Unmarshal([]byte(rest.stdout), &out); err != nil || !out.Done || out.Left != 2 || w.keepsToken(t, "7") {
		t.Errorf("%v: %s", err, rest.stdout)
	}
	w.run(t, "accounts", "purge", "--yes").want(t, 0)
}

// A host who leaves, in the browser that has connected the account, does so at once.
func TestHostLeavesALaptop(t *testing.T) {
	t.Parallel()
	w, tn := connectingWorld(t)
	r := w.start(t, "serve")
	browser := w.connects(t, tn, r)
	leave := tn.URL + "/connect/leave?account=123456"
	if other := visit(t, tn.Client(), http.MethodGet, leave, nil); other.status == http.StatusOK {
		t.Errorf("another browser may end it, too: %s", other.text)
	}
	if page := visit(t, browser, http.MethodGet, leave, nil); page.status != http.StatusOK || w.revoked() > 0 {
		t.Errorf("%d %s, %d revoked", page.status, page.text, w.revoked())
	}
	visit(t, browser, http.MethodPost, tn.URL+"/connect/leave", url.Values{"account": {"123456"}})
	r.eventually(t, "it has left", func() bool { return strings.Contains(r.stderr.String(), "account 123456: disconnected by the host") })
	r.stop(t)
	if w.revoked() != 1 || w.keepsToken(t, "123456") || len(w.Subscriptions(123456)) > 0 {
		t.Errorf("%d revoked, token kept: %v, %d subscriptions", w.revoked(), w.keepsToken(t, "123456"), len(w.Subscriptions(123456)))
	}
	if status := w.run(t, "accounts", "status", "123456"); status.code != 0 || !strings.Contains(status.stdout, "Disconnected by the host") {
		t.Errorf("%+v", status)
	}
	w.noSecrets(t, r)
}

// A host has connected an account, and serve ended before its lane had seen to that, with and without a token.
func TestDisconnectWhatServeNeverSaw(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"disconnect 555", "purge --yes"} {
		for _, stored := range []bool{false, true} {
			w, _ := connectingWorld(t)
			w.asksFor(t, 555, stored)
			if stored != w.keepsToken(t, "555") {
				t.Fatal("the token is not as it should be")
			}
			gone := w.run(t, strings.Fields("accounts "+command)...)
			gone.want(t, 0)
			if w.keepsToken(t, "555") || !strings.Contains(gone.stdout, "isconnected") {
				t.Errorf("%s, stored %v: %s", command, stored, gone.stdout)
			}
			if purge := w.run(t, "accounts", "purge"); purge.code != 0 || !strings.Contains(purge.stdout, "No account is connected") {
				t.Errorf("%s, stored %v: %+v", command, stored, purge)
			}
		}
	}
}

// asksFor leaves things as a callback does that was the last thing that serve did.
func (w *world) asksFor(t *testing.T, id int64, stored bool) {
	t.Helper()
	db, err := embedded.Open(w.file(dataFolder + "calendar.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err = store.New(db).Ask(t.Context(), lookup.Request{Account: id, At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	secrets, err := file.Open(w.file(dataFolder + "calendar.secrets.json"))
	if err != nil {
		t.Fatal(err)
	}
	connections := &account.Connections{Vault: secrets, Prefix: "account/"}
	for _, each := range []int64{id, 1} { // another one, so that there is a file
		token := ownerrez.Token{AccessToken: "at_test1", RefreshToken: "rt_test1", UserID: each}
		if _, err = connections.Keep(t.Context(), token, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	if !stored {
		err = secrets.Delete(t.Context(), "account/"+strconv.FormatInt(id, 10))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A personal token cannot be revoked from here: that is said.
func TestDisconnectAPersonalToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	data := w.file("kept.db")
	w.run(t, append([]string{"lookup", "--data", data}, w.dates()...)...).want(t, 0)
	gone := w.run(t, "accounts", "disconnect", "123456", "--data", data)
	gone.want(t, 0)
	if !strings.Contains(gone.stdout, "It is disconnected.") || !strings.Contains(gone.stdout, "OWNERREZ_TOKEN") {
		t.Errorf("%s", gone.stdout)
	}
	asked := w.Count()
	for _, command := range []string{"disconnect 123456", "list", "doctor", "status 123456"} {
		w.run(t, append(strings.Fields("accounts "+command), "--data", data)...).want(t, 0)
	}
	if w.Count() > asked {
		t.Errorf("an account that has left was asked for: %+v", w.Requests()[asked:])
	}
}

// An account that is not looked up any more is behind, and what to do is said.
func TestDoctorWithoutServe(t *testing.T) {
	t.Parallel()
	w := newWorld(t).with("OWNERREZ_LOOKUP_EVERY", "1s")
	data := w.file("kept.db")
	w.run(t, "accounts", "doctor", "--data", data).want(t, 1) // whose token it is was not asked
	r := w.start(t, "serve", "--data", data)
	r.eventually(t, "a lookup is reported", func() bool { return strings.Contains(r.stderr.String(), "account 123456: full lookup") })
	r.stop(t)
	doctor := w.run(t, "accounts", "doctor", "--data", data)
	for range 100 {
		if doctor.code == 1 {
			break
		}
		time.Sleep(100 * time.Millisecond)
		doctor = w.run(t, "accounts", "doctor", "--data", data)
	}
	if doctor.code != 1 || !strings.Contains(doctor.stdout, "No lookup has begun") || !strings.Contains(doctor.stdout, `"ownerrez serve"`) {
		t.Errorf("%+v", doctor)
	}
}
