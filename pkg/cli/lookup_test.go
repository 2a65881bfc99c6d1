package cli

import (
	"bytes"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

func TestLookup(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.run(t, append([]string{"lookup", "--json"}, w.dates()...)...)
	r.want(t, 0)
	doc := r.document(t)
	if doc.Account != 123456 || doc.Seq != nil || !doc.Complete || len(doc.Problems) != 0 || len(doc.Properties) != 2 {
		t.Errorf("%+v", doc)
	}
	w.truth(t, doc)
	pine, cedar := doc.Properties[0], doc.Properties[1]
	if pine.Name != "Pine Cabin" || pine.TimeZone != "America/Denver" || *pine.Free || len(pine.Nights) != 8 {
		t.Errorf("%+v", pine)
	}
	if !*cedar.Free || cedar.TimeZone != "America/Chicago" || time.Since(cedar.AsOf) > time.Minute {
		t.Errorf("%+v", cedar)
	}
	if n := pine.Nights[2]; n.Cause != availability.CauseBooking || n.Booking == 0 {
		t.Errorf("%+v", n)
	}
	if files := dataFiles(t, w); strings.Join(files, " ") != "budget.db" {
		t.Errorf("it keeps %v", files)
	}
}

// dataFiles lists what lies in the program's folder.
func dataFiles(t *testing.T, w *world) []string {
	t.Helper()
	paths, err := filepath.Glob(w.file("ownerrez-lambda/*"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range paths {
		paths[i] = filepath.Base(paths[i])
	}
	return paths
}

func TestLookupByOAuth(t *testing.T) {
	t.Parallel()
	w := newWorld(t).with("OWNERREZ_TOKEN", access, "OWNERREZ_EMAIL", "", "OWNERREZ_USER_AGENT", agent)
	r := w.run(t, append([]string{"lookup", "--json"}, w.dates()...)...)
	r.want(t, 0)
	w.truth(t, r.document(t))
	for _, q := range w.Requests() {
		if q.UserAgent != agent {
			t.Errorf("%s is asked for as %q", q.Path, q.UserAgent)
		}
	}
}

func TestLookupTable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.run(t, append([]string{"lookup", "--property", "orp4401, 4402"}, w.dates()...)...)
	r.want(t, 0)
	for _, want := range []string{
		"Pine Cabin (4401)", "America/Denver", "Cedar Loft (4402)", "read less than a minute ago",
		w.today.AddDays(8).String(), "  2 nights  free", "  3 nights  taken    booking 90", "  1 night   taken    block 90", "  8 nights  free",
		"does not mean that it can be booked",
	} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("%q is not in\n%s", want, r.stdout)
		}
	}
	if strings.Contains(r.stdout+r.stderr, "\x1b") {
		t.Errorf("colours, and no terminal: %q", r.stdout)
	}
}

func TestLookupProperties(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.run(t, append([]string{"lookup", "--json", "--property", "4402,ORP4401", "--property", "4402"}, w.dates()...)...)
	r.want(t, 0)
	if doc := r.document(t); len(doc.Properties) != 2 || doc.Properties[0].ID != 4402 || doc.Properties[1].ID != 4401 {
		t.Errorf("%+v", doc.Properties)
	}
	r = w.run(t, append([]string{"lookup", "--json", "--property", "4402,99"}, w.dates()...)...)
	r.want(t, 1, "Property 99", "no property 99")
	doc := r.document(t)
	if doc.Complete || doc.Properties[1].Free != nil || !*doc.Properties[0].Free || doc.Problems[0].Property != 99 {
		t.Errorf("%+v", doc)
	}
}

func TestLookupWrongUsage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	day := w.today.String()
	for name, args := range map[string][]string{
		"no dates":           {"lookup"},
		"one date":           {"lookup", "--from", day},
		"no date":            {"lookup", "--from", "tomorrow", "--to", day},
		"an empty date":      {"lookup", "--from=", "--to", day},
		"that is no day":     {"lookup", "--from", "2026-02-30", "--to", "2026-03-02"},
		"the wrong way":      {"lookup", "--from", day, "--to", w.today.AddDays(-1).String()},
		"no night":           {"lookup", "--from", day, "--to", day},
		"too many nights":    {"lookup", "--from", day, "--to", w.today.AddDays(732).String()},
		"a property's name":  append([]string{"lookup", "--property", "Pine"}, w.dates()...),
		"a widget's id":      append([]string{"lookup", "--property", "orp5b4fx"}, w.dates()...),
		"property 0":         append([]string{"lookup", "--property", "0"}, w.dates()...),
		"a negative id":      append([]string{"lookup", "--property=-5"}, w.dates()...),
		"an unknown flag":    append([]string{"lookup", "--forever"}, w.dates()...),
		"an unknown command": {"dance"},
	} {
		t.Run(name, func(t *testing.T) {
			r := w.run(t, args...)
			r.want(t, 2, "ownerrez: ")
			if r.stdout != "" {
				t.Errorf("stdout: %s", r.stdout)
			}
		})
	}
	if w.Count() > 0 {
		t.Errorf("%d requests were sent", w.Count())
	}
	if r := w.run(t, append([]string{"lookup"}, "--from", day, "--to", w.today.AddDays(731).String())...); r.code == 2 {
		t.Errorf("731 nights are too many: %s", r.stderr)
	}
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, test := range []struct {
		name string
		env  []string
		says []string
	}{
		{"no credentials", []string{"OWNERREZ_EMAIL", "", "OWNERREZ_TOKEN", ""}, []string{"no credentials", "--demo"}},
		{"no e-mail", []string{"OWNERREZ_EMAIL", ""}, []string{"e-mail address is empty"}},
		{"no token", []string{"OWNERREZ_TOKEN", ""}, []string{"token is empty"}},
		{"swapped", []string{"OWNERREZ_EMAIL", token, "OWNERREZ_TOKEN", email}, []string{"swapped"}},
		{"no app", []string{"OWNERREZ_TOKEN", access}, []string{"OWNERREZ_USER_AGENT", "My Awesome App/1.0 (c_51234234)"}},
		{"everything at once", []string{
			"OWNERREZ_TIME_ZONE", "Mars/Base", "OWNERREZ_LOOKUP_EVERY", "often", "OWNERREZ_REQUESTS_PER_5_MINUTES", "301",
			"OWNERREZ_API_URL", "http://ownerrez.example", "OWNERREZ_APP_URL", "nowhere", "OWNERREZ_TOKEN", "secret",
		}, []string{"OWNERREZ_TIME_ZONE", "OWNERREZ_LOOKUP_EVERY", "PER_5_MINUTES", "OWNERREZ_API_URL", "OWNERREZ_APP_URL", "begin with pt_"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := w.with(test.env...).run(t, append([]string{"lookup"}, w.dates()...)...)
			r.want(t, 2, test.says...)
			if r.stdout != "" {
				t.Errorf("stdout: %s", r.stdout)
			}
		})
	}
	if w.Count() > 0 {
		t.Errorf("%d requests were sent", w.Count())
	}
	host := w.with("OWNERREZ_API_URL", "http://fake.example/base", "OWNERREZ_ALLOW_HTTP_HOST", "fake.example")
	if _, err := (&program{env: host.lookup}).config(false); err != nil {
		t.Errorf("the allowed host: %v", err)
	}
}

func TestLookupKeepsAndContinues(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	args := append([]string{"lookup", "--json", "--data", w.file("deep/kept.db")}, w.dates()...)
	first := w.run(t, args...)
	first.want(t, 0)
	doc := first.document(t)
	w.truth(t, doc)
	if doc.Seq == nil || *doc.Seq == 0 {
		t.Fatalf("seq is %v", doc.Seq)
	}

	before := w.Count()
	quiet := w.run(t, args...)
	quiet.want(t, 0)
	if n := w.Count() - before; n != 1 {
		t.Errorf("a quiet lookup costs %d requests", n)
	}
	if d := quiet.document(t); *d.Seq != *doc.Seq {
		t.Errorf("seq went from %d to %d", *doc.Seq, *d.Seq)
	}

	w.Put(123456, ownerreztest.Booking{PropertyID: 4402, Arrival: w.today.AddDays(9), Departure: w.today.AddDays(11)})
	changed := w.run(t, args...)
	changed.want(t, 0)
	w.truth(t, changed.document(t))
	if d := changed.document(t); *d.Seq != *doc.Seq+1 {
		t.Errorf("seq went from %d to %d", *doc.Seq, *d.Seq)
	}

	before = w.Count()
	w.run(t, append(args, "--full")...).want(t, 0)
	if n := w.Count() - before; n < 2 {
		t.Errorf("--full asked %d requests", n)
	}

	w.Fault(ownerreztest.Fault{Times: -1, Do: ownerreztest.HTML(403)})
	failed := w.run(t, args...)
	failed.want(t, 1, "refuses access")
	d := failed.document(t)
	w.truth(t, d) // nights keep their state
	if d.Complete || *d.Seq <= *doc.Seq {
		t.Errorf("%+v", d)
	}
}

func TestDemo(t *testing.T) {
	t.Parallel()
	w := newWorld(t).with("OWNERREZ_TOKEN", "", "OWNERREZ_EMAIL", "", "OWNERREZ_API_URL", "not looked at")
	r := w.run(t, append([]string{"lookup", "--demo", "--json"}, w.dates()...)...)
	r.want(t, 0)
	doc := r.document(t)
	if doc.Account != 123456 || len(doc.Properties) != 5 {
		t.Errorf("%+v", doc)
	}
	w.run(t, "properties", "--demo", "--json").want(t, 0)
	if files := dataFiles(t, w); len(files) > 0 {
		t.Errorf("the demo keeps %v", files)
	}
	if w.Count() > 0 {
		t.Error("the demo asked OwnerRez")
	}
}

// No file that is kept holds a token.
func TestNothingKeptHoldsAToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(t, append([]string{"lookup", "--data", w.file("kept.db")}, w.dates()...)...).want(t, 0)
	err := filepath.WalkDir(w.folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		for _, secret := range []string{token, url.QueryEscape(email), email} {
			if bytes.Contains(data, []byte(secret)) {
				t.Errorf("%s holds %q", path, secret)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
