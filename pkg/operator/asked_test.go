package operator_test

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/operator"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store/embedded"
)

// A host has connected an account a moment ago, and its lane has not seen to it: there is no row of it yet, or one that
// says that it has left. Its token is stored all the same.
func TestDisconnectBeforeTheLaneHasSeenIt(t *testing.T) {
	for name, row := range map[string]*lookup.Account{
		"never seen": nil,
		"had left":   {Key: "777", ID: 777, Status: lookup.StatusLeft},
	} {
		t.Run(name, func(t *testing.T) {
			d, woken := waking(t)
			if row != nil {
				if err := d.Store.Commit(t.Context(), lookup.Commit{Rows: []lookup.Account{*row}}); err != nil {
					t.Fatal(err)
				}
			}
			if err := d.Store.Ask(t.Context(), lookup.Request{Account: 777, At: now}); err != nil {
				t.Fatal(err)
			}
			out, err := d.Purge(t.Context(), false)
			if diff := cmp.Diff([]int64{777, 123456}, out.Disconnecting); err != nil || out.Done || out.Left != 0 || diff != "" {
				t.Errorf("%+v, %v (-want +got)\n%s", out, err, diff)
			}
			got, err := d.Disconnect(t.Context(), 777)
			if err != nil || !got.Disconnecting || got.PersonalToken || len(*woken) != 1 || (*woken)[0].Key != "777" {
				t.Errorf("%+v, %v, woken: %+v", got, err, *woken)
			}
			if r, err := d.Store.Request(t.Context(), 777); err != nil || !r.Leave || r.By != lookup.ByOperator {
				t.Errorf("%+v, %v", r, err)
			}
		})
	}
}

// An account that was connected, and into which a personal token leads as well, says so only where that was used last.
func TestDisconnectNamesPersonalTokens(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*lookup.Account)
		want   bool
	}{
		"personal":  {func(row *lookup.Account) { row.Credential = "p" }, true},
		"connected": {func(row *lookup.Account) { row.Connected, row.Connection, row.Credential = true, "c", "c" }, false},
		"both":      {func(row *lookup.Account) { row.Connected, row.Connection, row.Credential = true, "c", "p" }, true},
	} {
		t.Run(name, func(t *testing.T) {
			d, _ := waking(t)
			change(t, d, test.change)
			out, err := d.Disconnect(t.Context(), 123456)
			if err != nil || out.PersonalToken != test.want || strings.Contains(out.Next, "personal token") != test.want {
				t.Errorf("%+v, %v", out, err)
			}
		})
	}
}

// What cannot be read is said, and keeps a purge from being done, and nothing else from leaving.
func TestPurgeWithAnUnreadableRow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "calendar.db")
	db, err := embedded.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	d := operator.Desk{Store: store.New(db), Credentials: newDesk(t).Credentials}
	newer := store.Write{Key: store.Key{Partition: "ACCOUNTS", Sort: "555"}, Data: []byte{9, '{', '}'}, If: store.Absent()}
	if err = db.Put(t.Context(), newer); err != nil {
		t.Fatal(err)
	}
	readable := lookup.Account{Key: "123456", ID: 123456, Status: lookup.StatusOK}
	if err = d.Store.Commit(t.Context(), lookup.Commit{Rows: []lookup.Account{readable}}); err != nil {
		t.Fatal(err)
	}
	out, err := d.Purge(t.Context(), true)
	if !errors.Is(err, lookup.ErrUnreadable) || out.Done {
		t.Errorf("%+v, %v", out, err)
	}
	if r, failed := d.Store.Request(t.Context(), 123456); failed != nil || !r.Leave {
		t.Errorf("%+v, %v", r, failed)
	}
	found, err := d.Doctor(t.Context())
	text, _ := json.Marshal(found)
	if err != nil || !strings.Contains(string(text), "555") {
		t.Errorf("%s, %v", text, err)
	}
}

// If the lane cannot be woken, the request is kept, and what happens next is said.
func TestDisconnectWithoutAWakeUp(t *testing.T) {
	d, _ := waking(t)
	d.Wake = func(context.Context, lookup.Wake) error { return errors.New("the queue is not there") }
	if _, err := d.Disconnect(t.Context(), 123456); err == nil || !strings.Contains(err.Error(), "123456") || !strings.Contains(err.Error(), "the queue is not there") {
		t.Errorf("%v", err)
	}
	if r, err := d.Store.Request(t.Context(), 123456); err != nil || !r.Leave {
		t.Errorf("%+v, %v", r, err)
	}
}

// On a computer commands are said as they are there.
func TestLocalWords(t *testing.T) {
	d, _ := waking(t)
	d.Local = true
	var said strings.Builder
	for _, c := range []operator.Command{
		{Command: "status"}, {Command: "status", Account: 7}, {Command: "disconnect"}, {Command: "disconnect", Account: 7},
		{Command: "disconnect", Account: 123456}, {Command: "purge"}, {Command: "doctor"},
	} {
		answer, err := d.Handle(t.Context(), c)
		text, _ := json.Marshal(answer)
		said.Write(text)
		if err != nil {
			said.WriteString(err.Error() + "\n")
		}
	}
	for _, of := range []string{`"command"`, "schedule", "stack", "secret"} {
		if strings.Contains(strings.ReplaceAll(said.String(), `\"`, `"`), of) {
			t.Errorf("it speaks of %s: %s", of, said.String())
		}
	}
	for _, says := range []string{"ownerrez accounts list", "ownerrez accounts status 123456", "ownerrez accounts purge --yes", "OWNERREZ_TOKEN"} {
		if !strings.Contains(said.String(), says) {
			t.Errorf("it does not say %s: %s", says, said.String())
		}
	}
}
