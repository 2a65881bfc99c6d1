package operator_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account/connect"
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
	answer, err := d.Handle(t.Context(), operator.Command{Command: "disconnect", Account: 123456})
	if out, ok := answer.(operator.Disconnect); err != nil || !ok || out.Disconnecting {
		t.Errorf("%+v, %v", answer, err)
	}
	status, err := d.Status(t.Context(), 123456)
	if err != nil || status.Left == nil || status.Left.By != "host" || string(status.Status) != "left" {
		t.Errorf("%+v, %v", status, err)
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
	if got := purge(true); !strings.HasPrefix(got, `{"disconnecting":[],"left":2,"done":true,`) || len(*woken) != 1 {
		t.Errorf("%s, woken: %v", got, *woken)
	}
}

// TestDoctor looks at accounts that are well, and at those that are not.
func TestDoctor(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*lookup.Account)
		ask    *lookup.Request
		want   []string // of each finding, what its words hold
	}{
		"well":       {func(row *lookup.Account) { row.Problems, row.Published = nil, row.Seq }, nil, nil},
		"a property": {func(row *lookup.Account) { row.Published = row.Seq }, nil, []string{"It could not be read."}},
		"late": {func(row *lookup.Account) {
			row.Problems, row.Published = nil, row.Seq
			row.AsOf, row.RunBegan, row.Due = now.Add(-2*time.Hour), now.Add(-20*time.Minute), now.Add(time.Minute)
		}, nil, []string{"2 hours old"}},
		"asleep": {func(row *lookup.Account) {
			row.Problems, row.Published = nil, row.Seq
			row.AsOf, row.RunBegan, row.Due = now.Add(-2*time.Hour), now.Add(-2*time.Hour), now.Add(-time.Hour)
		}, nil, []string{"No lookup has begun for 2 hours", "2 hours old"}},
		"reconnect": {func(row *lookup.Account) {
			row.Published, row.Status = row.Seq, lookup.StatusReconnect
			row.Problems = []lookup.Problem{{Message: "OwnerRez does not accept the token.", Next: "Connect it again."}}
		}, nil, []string{"does not accept"}},
		"unpublished": {func(row *lookup.Account) { row.Problems, row.RunBegan = nil, now.Add(-11*time.Minute) }, nil, []string{"1 of its events"}},
		"never read": {func(row *lookup.Account) {
			row.Problems, row.Published, row.Status, row.AsOf = nil, row.Seq, lookup.StatusNew, time.Time{}
		}, nil, []string{"never read"}},
		"left": {func(row *lookup.Account) { row.Published, row.Status = row.Seq, lookup.StatusLeft }, nil, nil},
		"a request of a moment ago": {func(row *lookup.Account) { row.Problems, row.Published = nil, row.Seq },
			&lookup.Request{Account: 123456, At: now.Add(-time.Minute)}, nil},
		"a request that waits": {func(row *lookup.Account) { row.Problems, row.Published = nil, row.Seq },
			&lookup.Request{Account: 123456, Leave: true, At: now.Add(-time.Hour)}, []string{"to be disconnected 60 minutes ago"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			change(t, d, func(row *lookup.Account) { row.Ref = "desk"; test.change(row) })
			if test.ask != nil {
				if err := d.Store.Ask(t.Context(), *test.ask); err != nil {
					t.Fatal(err)
				}
			}
			answer, err := d.Handle(t.Context(), operator.Command{Command: "doctor"})
			if err != nil {
				t.Fatal(err)
			}
			found := answer.([]operator.Finding)
			text, _ := json.Marshal(found)
			if len(found) != len(test.want) || found == nil {
				t.Fatalf("%s; want %d findings", text, len(test.want))
			}
			for i, says := range test.want {
				if !strings.Contains(found[i].Problem, says) || found[i].Next == "" {
					t.Errorf("%s; want %q", text, says)
				}
				if found[i].Account != 0 && found[i].Ref != "desk" && test.ask == nil {
					t.Errorf("without the reference: %s", text)
				}
			}
		})
	}
}
