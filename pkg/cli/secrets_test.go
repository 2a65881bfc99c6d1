package cli

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// Canaries: tokens that stay recognizable in whatever form they might leak.
const (
	canaryPAT    = "pt_test+canary/one="
	canaryAccess = "at_test+canary/two="
)

// TestNoTokenIsEverWritten runs every command with each credential, against an OwnerRez that behaves and one that
// fails in every way, sometimes by sending the credential back, and searches all that came out: stdout, stderr,
// events, pages and data files.
func TestNoTokenIsEverWritten(t *testing.T) {
	w := newWorld(t)
	w.AddAccount(ownerreztest.Account{ID: 123456, Email: email, Name: "Lakeview Cabins", TimeZone: "America/Chicago", PAT: canaryPAT, AccessToken: canaryAccess})
	personal := w.with("OWNERREZ_TOKEN", canaryPAT)
	app := w.with("OWNERREZ_EMAIL", "", "OWNERREZ_TOKEN", canaryAccess, "OWNERREZ_USER_AGENT", agent)
	swapped := w.with("OWNERREZ_EMAIL", canaryPAT, "OWNERREZ_TOKEN", email)
	mixed := w.with("OWNERREZ_EMAIL", email, "OWNERREZ_TOKEN", canaryAccess)
	var sink strings.Builder
	run := func(w *world, args ...string) {
		r := w.run(t, args...)
		sink.WriteString(r.stdout + r.stderr)
	}
	dates := w.dates()
	for _, who := range []*world{personal, app, swapped, mixed} {
		run(who, append([]string{"lookup", "--json"}, dates...)...)
		run(who, "properties")
		for _, fault := range echoes() {
			w.Fault(ownerreztest.Fault{Times: -1, Do: fault})
			run(who, append([]string{"lookup", "--data", w.file("canary.db")}, dates...)...)
			run(who, "properties", "--json")
			w.ClearFaults()
		}
		run(who, append([]string{"lookup", "--data", w.file("canary.db")}, dates...)...)
	}
	for name, who := range map[string]*world{"personal.db": personal, "app.db": app} {
		r := who.start(t, "serve", "--data", w.file(name))
		r.eventually(t, "it has looked up", func() bool { return strings.Contains(r.stderr.String(), "lookup,") })
		_, page := get(t, r.url, "")
		r.stop(t)
		sink.WriteString(page + r.stdout.String() + r.stderr.String())
	}
	files, err := os.ReadDir(w.folder)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("no data file was written")
	}
	err = filepath.WalkDir(w.folder, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		sink.Write(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	searchFor(t, sink.String(), canaryPAT)
	searchFor(t, sink.String(), canaryAccess)
}

// echoes are answers that hold the credentials themselves, as an error page in front of OwnerRez may.
func echoes() []ownerreztest.Action {
	pair := base64.StdEncoding.EncodeToString([]byte(email + ":" + canaryPAT))
	said := canaryPAT + " " + canaryAccess + " Basic " + pair + " " + url.QueryEscape(canaryPAT)
	return []ownerreztest.Action{
		ownerreztest.JSON(http.StatusUnauthorized, `{"messages":["refused: `+said+`"],"code":"invalid_token"}`),
		ownerreztest.JSON(http.StatusForbidden, `{"error":"`+said+`"}`),
		ownerreztest.Body(http.StatusBadRequest, "text/html", "<p>"+said+"</p>"),
		ownerreztest.JSON(http.StatusOK, `{"error":"`+canaryPAT+`","error_description":"`+said+`"}`),
		ownerreztest.JSON(http.StatusOK, `{"items":[{"id":"`+canaryPAT+`","arrival":"`+canaryAccess+`"}],"next_page_url":"https://elsewhere.example/?t=`+url.QueryEscape(canaryPAT)+`"}`),
		ownerreztest.Redirect(http.StatusFound, "https://elsewhere.example/"+url.PathEscape(canaryAccess)),
	}
}

// searchFor fails if the secret is in the text: as it is, escaped, or in base64, alone or as a Basic pair.
func searchFor(t *testing.T, text, secret string) {
	t.Helper()
	forms := map[string]string{
		"as it is":          secret,
		"escaped in a URL":  url.QueryEscape(secret),
		"escaped in a path": url.PathEscape(secret),
		"its middle":        "canary/",
	}
	for _, pair := range []string{secret, email + ":" + secret} {
		forms["in base64 of "+pair] = strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(pair)), "=")
		forms["in URL base64 of "+pair] = base64.RawURLEncoding.EncodeToString([]byte(pair))
	}
	for form, shape := range forms {
		if at := strings.Index(text, shape); at >= 0 {
			t.Errorf("the token was found %s: …%q…", form, text[max(at-80, 0):min(at+80, len(text))])
		}
	}
}
