package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/web/calendar"
)

const (
	email  = "host@example.com"
	token  = "pt_testhost"
	access = "at_testhost"
	agent  = "My Awesome App/1.0 (c_51234234)"
)

// world is a fake OwnerRez on a real listener, and the environment of a program that is to ask it.
type world struct {
	*ownerreztest.Server
	url    string
	env    map[string]string
	folder string
	today  ownerrez.Date
	said   *buffer // all that was printed by run
}

// newWorld has an account with two properties: Pine Cabin has a booking in 10 to 13 days and a block after it,
// Cedar Loft has no stay but a canceled one.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{Server: ownerreztest.New(), folder: t.TempDir(), said: &buffer{}, today: ownerrez.Today(time.Now(), time.UTC)}
	w.AddAccount(ownerreztest.Account{ID: 123456, Email: email, Name: "Lakeview Cabins", TimeZone: "America/Chicago", PAT: token, AccessToken: access})
	w.AddProperty(123456, ownerreztest.Property{ID: 4401, Key: "k1", Name: "Pine Cabin", InternalCode: "PINE", TimeZone: "America/Denver"})
	w.AddProperty(123456, ownerreztest.Property{ID: 4402, Name: "Cedar Loft"})
	put := func(property int64, from, to int, kind, status string) {
		w.Put(123456, ownerreztest.Booking{PropertyID: property, Type: kind, Status: status, Arrival: w.today.AddDays(from), Departure: w.today.AddDays(to)})
	}
	put(4401, 10, 13, "booking", "")
	put(4401, 13, 14, "block", "")
	put(4402, 10, 13, "booking", "canceled")
	w.url = w.Start(t)
	w.env = map[string]string{
		"XDG_CONFIG_HOME": w.folder, "HOME": w.folder, "AppData": w.folder,
		"OWNERREZ_API_URL": w.url, "OWNERREZ_APP_URL": w.url, "OWNERREZ_EMAIL": email, "OWNERREZ_TOKEN": token,
	}
	return w
}

// with is the world with other variables; an empty value unsets one.
func (w *world) with(pairs ...string) *world {
	other := *w
	other.env = maps.Clone(w.env)
	for i := 0; i < len(pairs); i += 2 {
		other.env[pairs[i]] = pairs[i+1]
	}
	return &other
}

func (w *world) lookup(name string) (string, bool) {
	value, ok := w.env[name]
	return value, ok && value != ""
}

// dates are --from and --to for the nights around the stays.
func (w *world) dates() []string {
	return []string{"--from", w.today.AddDays(8).String(), "--to", w.today.AddDays(16).String()}
}

// result is what a run of the program gave.
type result struct {
	code           int
	stdout, stderr string
}

// buffer is an output that can be read while it is written.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func (w *world) run(t *testing.T, args ...string) result {
	t.Helper()
	return w.runCtx(t.Context(), t, args...)
}

func (w *world) runCtx(ctx context.Context, t *testing.T, args ...string) result {
	t.Helper()
	var stdout, stderr buffer
	code := Main(ctx, args, w.lookup, &stdout, &stderr)
	r := result{code, stdout.String(), stderr.String()}
	_, _ = w.said.Write([]byte(r.stdout + r.stderr)) // a buffer takes everything
	for _, secret := range []string{token, access, "Basic ", "Bearer ", "bearer "} {
		if strings.Contains(r.stdout+r.stderr, secret) && !strings.Contains(strings.Join(args, " "), "ownerrez") {
			t.Errorf("%v prints %q:\n%s%s", args, secret, r.stdout, r.stderr)
		}
	}
	return r
}

// want checks the exit code, and that stderr is empty or has the words.
func (r result) want(t *testing.T, code int, words ...string) {
	t.Helper()
	if r.code != code {
		t.Errorf("exit code %d, want %d", r.code, code)
	}
	if len(words) == 0 && r.stderr != "" {
		t.Errorf("stderr is not empty")
	}
	for _, word := range words {
		if !strings.Contains(r.stderr, word) {
			t.Errorf("stderr does not say %q", word)
		}
	}
	if t.Failed() {
		t.Fatalf("stdout:\n%s\nstderr:\n%s", r.stdout, r.stderr)
	}
}

// document is the JSON answer: stdout must be that and nothing else.
func (r result) document(t *testing.T) calendar.Document {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(r.stdout))
	dec.DisallowUnknownFields()
	var doc calendar.Document
	if err := dec.Decode(&doc); err != nil || dec.More() {
		t.Fatalf("stdout is not one JSON document: %v\n%s", err, r.stdout)
	}
	return doc
}

// neverFalse fails if a night that is taken is called free.
func (w *world) neverFalse(t *testing.T, doc calendar.Document) {
	t.Helper()
	for _, p := range doc.Properties {
		for _, n := range p.Nights {
			if n.State == availability.Free && w.Taken(123456, p.ID, n.Date) {
				t.Errorf("%s: property %d is called free, and is taken", n.Date, p.ID)
			}
		}
	}
}

// truth fails unless the document says of every night what is.
func (w *world) truth(t *testing.T, doc calendar.Document) {
	t.Helper()
	for _, p := range doc.Properties {
		for _, n := range p.Nights {
			if taken := w.Taken(123456, p.ID, n.Date); (n.State == availability.Taken) != taken || n.State == availability.Unknown {
				t.Errorf("%s: property %d is %s; taken is %v", n.Date, p.ID, n.State, taken)
			}
		}
	}
}

func (w *world) file(name string) string { return filepath.Join(w.folder, name) }
