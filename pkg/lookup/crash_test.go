package lookup_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store/embedded"
)

// A process is killed before and after each of its commits: at its first lookup, which takes several
// transactions, and at one that finds changes. What it leaves must be right, and the next process go on from there.
func TestKilledAtEveryCommit(t *testing.T) {
	for _, dying := range []string{"first", "second"} {
		for _, when := range []string{"before", "after"} {
			finished := false
			for n := 1; !finished && !t.Failed(); n++ {
				t.Run(fmt.Sprintf("%s/%s/%d", dying, when, n), func(t *testing.T) { finished = crash(t, dying, when, n) })
			}
		}
	}
}

// crash lets two child processes look up, one after the other, of which one dies at its n-th commit, and checks
// what they left. It reports whether both came to their end before that.
func crash(t *testing.T, dying, when string, n int) (finished bool) {
	h := &house{t: t, token: "pt_testhost", truth: newTruth(), heard: newListener(t)}
	h.server = ownerreztest.New()
	h.server.AddAccount(ownerreztest.Account{ID: testAccount, Email: "host@example.com", Name: "Host", TimeZone: "UTC", PAT: h.token})
	for i := range 60 {
		h.property(int64(4401+i), "UTC")
		h.book(int64(4401+i), 3+i, 2)
	}
	url, dir := h.server.Start(t), quickDir(t)
	finished = true
	for _, round := range []string{"first", "second"} {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledChild$")
		child.Env = append(os.Environ(), "LOOKUP_CHILD="+dir, "LOOKUP_URL="+url, "LOOKUP_DIES="+when)
		if round == dying {
			child.Env = append(child.Env, "LOOKUP_AT="+strconv.Itoa(n))
		}
		if out, err := child.CombinedOutput(); err != nil {
			if finished = false; child.ProcessState.ExitCode() != 99 {
				t.Fatalf("%s child: %v\n%s", round, err, out)
			}
		}
		letGo := h.adopt(t, dir, url)
		if round == "first" {
			letGo() // the next child is to hold the file
			upset(h)
		}
	}
	h.run(true)
	if diff := h.differences(); len(diff) > 0 {
		t.Errorf("after the next lookup %d nights differ: %s", len(diff), diff[0])
	}
	return finished
}

// adopt opens what the child left, hears what it published, and checks both.
func (h *house) adopt(t *testing.T, dir, url string) (letGo func()) {
	t.Helper()
	db, err := embedded.Open(filepath.Join(dir, "calendar.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	h.store, h.job = store.New(db), crashJob(db, url, h.heard)
	for _, e := range readEvents(t, filepath.Join(dir, "events")) {
		if err := h.heard.Publish(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	snap := h.snapshot()
	for _, night := range h.falselyFree(snap) {
		t.Errorf("false free: %s", night)
	}
	if snap.Account.Published > h.heard.seq || h.heard.seq > snap.Account.Seq {
		t.Errorf("stored are %d events, noted as published %d, published %d", snap.Account.Seq, snap.Account.Published, h.heard.seq)
	}
	return func() { db.Close() }
}

// TestKilledChild is the process that dies.
func TestKilledChild(t *testing.T) {
	dir := os.Getenv("LOOKUP_CHILD")
	if dir == "" {
		t.Skip("only run as a child of TestKilledAtEveryCommit")
	}
	at, _ := strconv.Atoi(os.Getenv("LOOKUP_AT")) // none: it lives
	db, err := embedded.Open(filepath.Join(dir, "calendar.db"))
	if err != nil {
		t.Fatal(err)
	}
	job := crashJob(&mortal{Table: db, dies: os.Getenv("LOOKUP_DIES"), at: at}, os.Getenv("LOOKUP_URL"), &eventFile{filepath.Join(dir, "events")})
	h := &house{t: t, token: "pt_testhost", job: job, store: store.New(db), truth: newTruth(), heard: newListener(t)}
	h.heard.deaf = true
	h.run(true)
}

func crashJob(table store.Table, url string, publisher lookup.Publisher) *lookup.Job {
	cred := account.Credential{
		Fingerprint: account.Fingerprint([]byte("key"), "host@example.com", "pt_testhost"),
		Auth:        ownerrez.PAT("host@example.com", "pt_testhost"),
		Options:     []ownerrez.Option{ownerrez.WithAPIURL(url), ownerrez.WithAppURL(url)},
	}
	return &lookup.Job{
		Store: store.New(table), Publisher: publisher,
		Credentials: func(context.Context) ([]account.Credential, error) { return []account.Credential{cred}, nil },
	}
}

// mortal is a table whose process dies at its n-th write.
type mortal struct {
	store.Table
	dies   string
	at     int
	writes int
}

func (m *mortal) Transact(ctx context.Context, writes []store.Write) error {
	return m.write(func() error { return m.Table.Transact(ctx, writes) })
}

func (m *mortal) Put(ctx context.Context, w store.Write) error {
	return m.write(func() error { return m.Table.Put(ctx, w) })
}

func (m *mortal) write(do func() error) error {
	m.writes++
	if m.writes == m.at && m.dies == "before" {
		os.Exit(99)
	}
	err := do()
	if m.writes == m.at && m.dies == "after" {
		os.Exit(99)
	}
	return err
}

// eventFile is a publisher whose events outlive the process.
type eventFile struct{ path string }

type storedEvent struct {
	Kind  string
	Event lookup.Event
}

func (f *eventFile) Publish(_ context.Context, e lookup.Event) error {
	out, err := os.OpenFile(f.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	return json.NewEncoder(out).Encode(storedEvent{e.Kind, e})
}

func readEvents(t *testing.T, path string) []lookup.Event {
	t.Helper()
	in, err := os.Open(path)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var out []lookup.Event
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e storedEvent
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		e.Event.Kind = e.Kind
		out = append(out, e.Event)
	}
	return out
}
