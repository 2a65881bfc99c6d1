package cli

import (
	"bytes"
	"encoding/json"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/web/calendar"
)

func TestProperties(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.run(t, "properties", "--json")
	r.want(t, 0)
	var got, want any
	if err := json.Unmarshal([]byte(r.stdout), &got); err != nil {
		t.Fatalf("%v: %s", err, r.stdout)
	}
	if err := json.Unmarshal([]byte(`[{"id":4401,"key":"k1","name":"Pine Cabin","internal_code":"PINE"},{"id":4402,"name":"Cedar Loft"}]`), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, withoutKeys(got)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	r = w.run(t, "properties")
	r.want(t, 0)
	if !strings.Contains(r.stdout, "4401  Pine Cabin") || !strings.Contains(r.stdout, "PINE") {
		t.Errorf("%s", r.stdout)
	}
	if q := w.Requests(); len(q) != 2 || q[0].Path != "/api/properties/lookup" {
		t.Errorf("it asked %+v", q)
	}

	w.RemoveProperty(123456, 4401)
	w.RemoveProperty(123456, 4402)
	if r := w.run(t, "properties", "--json"); r.code != 0 || strings.TrimSpace(r.stdout) != "[]" {
		t.Errorf("without properties: %d %s%s", r.code, r.stdout, r.stderr)
	}
}

// withoutKeys leaves out the key that the fake gives to properties that have none.
func withoutKeys(list any) any {
	for _, row := range list.([]any) {
		if row := row.(map[string]any); row["key"] != "k1" {
			delete(row, "key")
		}
	}
	return list
}

func TestPropertiesTrouble(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		env  []string
		do   *ownerreztest.Action
		says string
	}{
		"401":        {env: []string{"OWNERREZ_TOKEN", "pt_wrong"}, says: "does not accept the token"},
		"ip_blocked": {do: new(ownerreztest.JSON(403, `{"code":"ip_blocked","messages":["No."],"status_code":403}`)), says: "this address"},
		"403":        {do: new(ownerreztest.HTML(403)), says: "refuses access"},
		"HTML":       {do: new(ownerreztest.HTML(200)), says: "not what its API documents"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t).with(test.env...)
			if test.do != nil {
				w.Fault(ownerreztest.Fault{Times: -1, Do: *test.do})
			}
			for _, flags := range [][]string{{"properties"}, {"properties", "--json"}} {
				r := w.run(t, flags...)
				r.want(t, 1, test.says)
				if r.stdout != "" {
					t.Errorf("stdout: %s", r.stdout)
				}
			}
		})
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, command := range []string{
		"", "serve", "lookup", "properties", "ownerrez", "accounts", "accounts list", "accounts status", "accounts doctor",
		"accounts invite", "accounts disconnect", "accounts purge",
	} {
		r := w.run(t, strings.Fields(command+" --help")...)
		r.want(t, 0)
		if !strings.Contains(r.stdout, "Usage: ownerrez") || strings.Contains(r.stdout, "${") {
			t.Errorf("%s --help:\n%s", command, r.stdout)
		}
	}
}

func TestTerminal(t *testing.T) {
	t.Parallel()
	none := func(string) (string, bool) { return "", false }
	var out bytes.Buffer
	file := newTerminal(&out, none)
	file.show("reading …")
	file.line("done")
	if got := out.String() + file.paint(red, "taken"); got != "done\ntaken" {
		t.Errorf("what is no terminal gets %q", got)
	}

	out.Reset()
	screen := newTerminal(&out, none)
	screen.is, screen.colour = true, true
	screen.show("reading …")
	screen.show("reading more …")
	screen.line("done")
	screen.show("")
	if got, want := out.String(), "reading …\r\x1b[Kreading more …\r\x1b[Kdone\n"; got != want {
		t.Errorf("a terminal gets %q, want %q", got, want)
	}
	if got := screen.paint(red, "taken"); got != "\x1b[31mtaken\x1b[0m" {
		t.Errorf("%q", got)
	}
	if got := printable("Pine\x1b[31m Cabin\n\u202e"); got != "Pine[31m Cabin" {
		t.Errorf("%q", got)
	}
}

func TestTableWithoutProperties(t *testing.T) {
	t.Parallel()
	screen := newTerminal(io.Discard, func(string) (string, bool) { return "", false })
	for complete, want := range map[bool]string{true: "no active property", false: "Nothing is known"} {
		if got := string(screen.table(calendar.Document{Complete: complete}, time.Now())); !strings.Contains(got, want) {
			t.Errorf("complete %v: %q", complete, got)
		}
	}
}

func TestConfigFolder(t *testing.T) {
	t.Parallel()
	env := map[string]string{"HOME": "/home/ada", "XDG_CONFIG_HOME": "/xdg"}
	get := func(name string) (string, bool) { value, ok := env[name]; return value, ok }
	for _, test := range []struct{ system, xdg, want string }{
		{"linux", "/xdg", "/xdg"}, {"linux", "", "/home/ada/.config"}, {"linux", "relative", "/home/ada/.config"},
		{"darwin", "/xdg", "/home/ada/Library/Application Support"}, {"windows", "", ""},
	} {
		env["XDG_CONFIG_HOME"] = test.xdg
		got, err := configFolder(get, test.system)
		if filepath.ToSlash(got) != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%s: %q %v, want %q", test.system, got, err, test.want)
		}
	}
}
