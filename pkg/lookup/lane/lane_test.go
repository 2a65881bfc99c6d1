package lane_test

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup/lane"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/publish/log"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/queue"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/queue/lanes"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store/embedded"
)

// kept keeps what is sent.
type kept struct {
	messages []queue.Message
	err      error
}

func (k *kept) Send(_ context.Context, m queue.Message) error {
	k.messages = append(k.messages, m)
	return k.err
}

// What is sent is what users' scripts may send too.
func TestMessage(t *testing.T) {
	var k kept
	sent := time.Date(2026, 11, 23, 20, 0, 0, 0, time.UTC)
	send := lane.Sender(&k)
	for _, w := range []lookup.Wake{{Key: "123456", Reason: "tick", Sent: sent}, {Key: "7", Reason: "operator", Full: true, Sent: sent}} {
		if err := send(t.Context(), w); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range []string{
		`{"version":1,"key":"123456","reason":"tick","sent":"2026-11-23T20:00:00Z"}`,
		`{"version":1,"key":"7","reason":"operator","full":true,"sent":"2026-11-23T20:00:00Z"}`,
	} {
		if diff := cmp.Diff(want, string(k.messages[i].Body)); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
	if k.messages[0].Group != "123456" || k.messages[0].ID == "" || k.messages[0].ID == k.messages[1].ID {
		t.Errorf("groups and ids: %+v", k.messages)
	}
	k.err = errors.New("the queue is down")
	if err := send(t.Context(), lookup.Wake{Key: "7"}); !errors.Is(err, k.err) || !strings.Contains(err.Error(), "7") {
		t.Errorf("a queue that is down: %v", err)
	}
}

// fixture is an account at a fake OwnerRez and a job that looks it up.
type fixture struct {
	store *store.Store
	job   *lookup.Job
	cred  account.Credential
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	server := ownerreztest.New()
	server.AddAccount(ownerreztest.Account{ID: 123456, Email: "host@example.com", PAT: "pt_testhost"})
	server.AddProperty(123456, ownerreztest.Property{ID: 4401, Name: "Pine Cabin"})
	db, err := embedded.Open(filepath.Join(t.TempDir(), "calendar.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	f := &fixture{store: store.New(db), cred: account.Credential{
		Fingerprint: "one", Auth: ownerrez.PAT("host@example.com", "pt_testhost"),
		Options: []ownerrez.Option{
			ownerrez.WithAPIURL(server.URL()), ownerrez.WithAppURL(server.URL()),
			ownerrez.WithAllowHTTPHost("ownerrez.test"), ownerrez.WithHTTPClient(server.HTTPClient(t)),
		},
	}}
	f.job = &lookup.Job{Store: f.store, Publisher: log.New(t.Output()), Credentials: func(context.Context) ([]account.Credential, error) {
		return []account.Credential{f.cred}, nil
	}}
	return f
}

// A tick wakes the credential, whose outcome wakes the account: through a queue, without anything else.
func TestTickToCalendar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		var mu sync.Mutex
		var kinds []string
		var queued *lanes.Lanes
		send := func(ctx context.Context, w lookup.Wake) error { return lane.Sender(queued)(ctx, w) }
		handle := lane.Handler(f.job, send, func(_ context.Context, out lookup.Outcome, _ time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			kinds = append(kinds, out.Kind)
		})
		queued = lanes.New(handle, 2, func(m queue.Message, err error) { t.Errorf("%s: %v", m.Group, err) })
		if err := f.job.Tick(t.Context(), send); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		queued.Close(t.Context())
		if diff := cmp.Diff([]string{"connect", "full"}, kinds); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		snap, err := lookup.Load(t.Context(), f.store, 123456)
		if err != nil || snap.Account.Status != lookup.StatusOK || len(snap.Records) != 1 {
			t.Errorf("%+v, %v", snap, err)
		}
	})
}

// What is no wake-up goes back, and does nothing.
func TestPoison(t *testing.T) {
	f := newFixture(t)
	handle := lane.Handler(f.job, func(context.Context, lookup.Wake) error { t.Error("it woke somebody"); return nil },
		func(context.Context, lookup.Outcome, time.Duration) { t.Error("it was done") })
	for _, body := range []string{
		"", "poison", "[]", `"tick"`, `{}`, `{"version":1}`, `{"version":1,"key":""}`,
		`{"version":2,"key":"123456","reason":"tick","sent":"2026-11-23T20:00:00Z"}`,
		`{"key":"123456","reason":"tick","sent":"2026-11-23T20:00:00Z"}`,
		`{"version":1,"key":"654321","reason":"tick","sent":"2026-11-23T20:00:00Z"}`,
		`{"version":1,"key":"123456","sent":"yesterday"}`,
	} {
		err := handle(t.Context(), queue.Message{Group: "123456", ID: "1", Body: []byte(body)})
		if err == nil {
			t.Errorf("%s was handled", body)
		}
	}
}

// Whatever is in a message, the worst that it does is to go back.
func FuzzMessage(f *testing.F) {
	f.Add([]byte(`{"version":1,"key":"123456","reason":"tick","sent":"2026-11-23T20:00:00Z"}`))
	f.Add([]byte(`{"version":1,"key":"credential:one","full":true}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		fix := newFixture(t)
		handle := lane.Handler(fix.job, func(context.Context, lookup.Wake) error { return nil },
			func(_ context.Context, out lookup.Outcome, _ time.Duration) {
				if out.Key != "123456" || !json.Valid(body) {
					t.Errorf("%q made a lookup of %q", body, out.Key)
				}
			})
		_ = handle(t.Context(), queue.Message{Group: "123456", ID: "1", Body: body})
	})
}
