package operator_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/connect"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/operator"
)

// TestInvite makes invitations as an operator asks for them.
func TestInvite(t *testing.T) {
	d := newDesk(t)
	if _, err := d.Handle(t.Context(), operator.Command{Command: "invite"}); err == nil || !strings.Contains(err.Error(), "EnableConnect") {
		t.Errorf("without public endpoints: %v", err)
	}
	var made connect.Invitation
	d.Invite = func(_ context.Context, inv connect.Invitation) (string, error) {
		made = inv
		if inv.Life < 0 {
			return "", errors.New("days: must be 1 to 90")
		}
		return "https://app.example.com/connect?invite=CODE", nil
	}
	answer, err := d.Handle(t.Context(), operator.Command{Command: "invite", Account: 123456, Ref: "desk", Return: "https://example.com/", Days: 3})
	text, _ := json.Marshal(answer)
	if err != nil || string(text) != `{"link":"https://app.example.com/connect?invite=CODE","expires":"2026-11-26T20:05:00Z"}` {
		t.Errorf("%s, %v", text, err)
	}
	if diff := cmp.Diff(connect.Invitation{Account: 123456, Ref: "desk", Return: "https://example.com/", Life: 72 * time.Hour}, made); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if _, err = d.Handle(t.Context(), operator.Command{Command: "invite"}); err != nil || made.Life != 7*24*time.Hour {
		t.Errorf("%v, %v", made, err)
	}
	for _, days := range []int{-1, 91} {
		if _, err = d.Handle(t.Context(), operator.Command{Command: "invite", Days: days}); err == nil {
			t.Errorf("%d days", days)
		}
	}
}

// waking is a desk whose wake-ups are heard.
func waking(t *testing.T) (d operator.Desk, woken *[]lookup.Wake) {
	d = newDesk(t)
	woken = &[]lookup.Wake{}
	d.Wake = func(_ context.Context, w lookup.Wake) error {
		*woken = append(*woken, w)
		return nil
	}
	return d, woken
}

func TestDisconnect(t *testing.T) {
	d, woken := waking(t)
	for range 2 {
		answer, err := d.Handle(t.Context(), operator.Command{Command: "disconnect", Account: 123456})
		out, ok := answer.(operator.Disconnect)
		if err != nil || !ok || !out.Disconnecting || !strings.Contains(out.Next, "personal token") {
			t.Errorf("%+v, %v", answer, err)
		}
	}
	request, err := d.Store.Request(t.Context(), 123456)
	if err != nil || !request.Leave || request.By != lookup.ByOperator || !request.At.Equal(now) {
		t.Errorf("%+v, %v", request, err)
	}
	if want := (lookup.Wake{Key: "123456", Reason: lookup.ReasonLeave, Sent: now}); len(*woken) != 2 || (*woken)[0] != want {
		t.Errorf("%+v", *woken)
	}
	for _, c := range []operator.Command{{Command: "disconnect"}, {Command: "disconnect", Account: 1}, {Command: "disconnect", Account: -1}} {
		if answer, failed := d.Handle(t.Context(), c); failed == nil {
			t.Errorf("%+v: %+v", c, answer)
		}
	}
	change(t, d, func(row *lookup.Account) {
		row.Status, row.Left = lookup.StatusLeft, &lookup.Departure{At: now, By: lookup.ByHost}
	})
	done(t, d, 123456)
	answer, err := d.Handle(t.Context(), operator.Command{Command: "disconnect", Account: 123456})
	if out, ok := answer.(operator.Disconnect); err != nil || !ok || out.Disconnecting {
		t.Errorf("%+v, %v", answer, err)
	}
	status, err := d.Status(t.Context(), 123456)
	if err != nil || status.Left == nil || status.Left.By != "host" || string(status.Status) != "left" {
		t.Errorf("%+v, %v", status, err)
	}
}

// done is a lane that has done what it was asked to.
func done(t *testing.T, d operator.Desk, id int64) {
	t.Helper()
	r, err := d.Store.Request(t.Context(), id)
	if err == nil {
		err = d.Store.Done(t.Context(), r)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// change changes the account's row.
func change(t *testing.T, d operator.Desk, f func(*lookup.Account)) {
	t.Helper()
	row, err := d.Store.Account(t.Context(), "123456")
	if err != nil {
		t.Fatal(err)
	}
	f(&row)
	if err := d.Store.Commit(t.Context(), lookup.Commit{Rows: []lookup.Account{row}}); err != nil {
		t.Fatal(err)
	}
}

func TestPurge(t *testing.T) {
	d, woken := waking(t)
	left := lookup.Account{Key: "777", ID: 777, Status: lookup.StatusLeft}
	credential := lookup.Account{Key: lookup.CredentialKey("x"), ID: 123456}
	if err := d.Store.Commit(t.Context(), lookup.Commit{Rows: []lookup.Account{left, credential}}); err != nil {
		t.Fatal(err)
	}
	purge := func(yes bool) string {
		t.Helper()
		answer, err := d.Handle(t.Context(), operator.Command{Command: "purge", Yes: yes})
		if err != nil {
			t.Fatal(err)
		}
		text, _ := json.Marshal(answer)
		return string(text)
	}
	if got := purge(false); !strings.HasPrefix(got, `{"disconnecting":[123456],"left":1,"done":false,`) || len(*woken) > 0 {
		t.Errorf("%s, woken: %v", got, *woken)
	}
	if got := purge(true); !strings.HasPrefix(got, `{"disconnecting":[123456],"left":1,"done":false,`) || len(*woken) != 1 {
		t.Errorf("%s, woken: %v", got, *woken)
	}
	change(t, d, func(row *lookup.Account) { row.Status = lookup.StatusLeft })
	done(t, d, 123456)
	if got := purge(true); !strings.HasPrefix(got, `{"disconnecting":[],"left":2,"done":true,`) || len(*woken) != 1 {
		t.Errorf("%s, woken: %v", got, *woken)
	}
}
