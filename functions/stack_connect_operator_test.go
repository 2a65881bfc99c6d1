package functions_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/operator"
)

// operated is operate, with the answer read.
func (s *stack) operated(t *testing.T, command map[string]any, into any) {
	t.Helper()
	stackParse(t, []byte(s.operate(t, command)), into)
}

// disconnected is the operator who disconnects an account. Its host finds that said, and can come back.
func (s *stack) disconnected(t *testing.T) {
	seq, token := s.row(t, stackHostKey).Seq, s.connection(t, stackHost).Token.AccessToken
	var out operator.Disconnect
	s.operated(t, map[string]any{"command": "disconnect", "account": stackHost}, &out)
	if !out.Disconnecting || out.Account != stackHost || out.Next == "" {
		t.Errorf("%+v", out)
	}
	s.idle(t)
	s.hasLeft(t, stackHost, seq, lookup.ByOperator, token)
	var status operator.Status
	s.operated(t, map[string]any{"command": "status", "account": stackHost}, &status)
	if status.Status != lookup.StatusLeft || status.Left == nil || status.Left.By != lookup.ByOperator || status.Left.At.IsZero() {
		t.Errorf("%+v", status)
	}
	s.operated(t, map[string]any{"command": "disconnect", "account": stackHost}, &out)
	if out.Disconnecting {
		t.Errorf("a second time: %+v", out)
	}
	s.host.connect(t, s.invite(t, stackHost, "partner-19", ""), stackHost).is(t, http.StatusOK, "Connected again")
	s.idle(t)
	s.statusIs(t, stackHost, lookup.StatusOK)
	s.equalsTruth(t, stackHost)
	s.badInvitation(t)
}

// badInvitation is an operator's mistake: nothing is made, and all that is wrong is said.
func (s *stack) badInvitation(t *testing.T) {
	t.Helper()
	_, failed := s.invoke(t, "Accounts", `{"command":"invite","return":"javascript:alert(1)","days":100}`)
	if !strings.Contains(failed, "return: ") || !strings.Contains(failed, "days: ") {
		t.Errorf("a bad invitation: %s", failed)
	}
}

// uninvited is the operator of a stack without public endpoints, who cannot invite.
func (s *stack) uninvited(t *testing.T) {
	if _, failed := s.invoke(t, "Accounts", `{"command":"invite"}`); !strings.Contains(failed, "EnableConnect=true") {
		t.Errorf("an invitation to nowhere: %s", failed)
	}
}

// purged is the operator who is about to delete the stack: all accounts leave, also those with personal tokens, of which
// there is no secret to delete, and which are still in theirs. Nothing is looked up any more.
func (s *stack) purged(t *testing.T) {
	var out operator.Purge
	s.operated(t, map[string]any{"command": "purge"}, &out)
	want := out.Disconnecting
	if len(want) < 2 || out.Done || !strings.Contains(out.Next, "yes") {
		t.Errorf("without yes: %+v", out)
	}
	s.statusIs(t, want[0], s.row(t, lookup.AccountKey(want[0])).Status)
	s.operated(t, map[string]any{"command": "purge", "yes": true}, &out)
	if diff := cmp.Diff(want, out.Disconnecting); diff != "" {
		t.Errorf("what is purged (-want +got)\n%s", diff)
	}
	s.idle(t)
	s.operated(t, map[string]any{"command": "purge", "yes": true}, &out)
	if !out.Done || out.Left < len(want) {
		t.Errorf("afterwards: %+v", out)
	}
	asked := s.server.Count()
	for _, id := range want {
		s.lookUp(t, lookup.AccountKey(id))
		s.statusIs(t, id, lookup.StatusLeft)
		if secret := s.secretOf(t, id); secret != nil && secret.DeletedDate == nil {
			t.Errorf("the secret of account %d is there", id)
		}
	}
	if _, failed := s.invoke(t, "Schedule", `{"tick":true}`); failed != "" {
		t.Error(failed)
	}
	s.idle(t)
	if n := len(s.requestsSince(asked)); n > 0 {
		t.Errorf("OwnerRez was asked %+v", s.requestsSince(asked))
	}
	var accounts stackAccounts
	if s.get(t, "/v1/accounts", &accounts); len(accounts.Accounts) > 0 {
		t.Errorf("/v1/accounts: %+v", accounts)
	}
}

// useDisconnect has the operator disconnect an account: its lane is woken.
func (s *stack) useDisconnect(t *testing.T) string {
	s.useCallback(t)
	_, failed := s.invoke(t, "Accounts", fmt.Sprintf(`{"command":"disconnect","account":%d}`, stackThird))
	if failed == "" {
		s.idle(t)
		s.statusIs(t, stackThird, lookup.StatusLeft)
	}
	return stackDenied(t, failed)
}
