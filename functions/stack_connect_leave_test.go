package functions_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
)

// leaves is a host who disconnects the account by the page behind the link that only the connected browser has.
func (s *stack) leaves(t *testing.T) {
	seq := s.row(t, stackHostKey).Seq
	s.browser(t).get(t, s.public(stackLeave(stackHost))).is(t, http.StatusForbidden, "This browser cannot do that")
	s.host.get(t, s.public(stackLeave(stackOther))).is(t, http.StatusForbidden, "This browser cannot do that")
	page := s.host.get(t, s.public(stackLeave(stackHost))).is(t, http.StatusOK, "Disconnect your account?")
	token := s.connection(t, stackHost).Token.AccessToken
	s.host.submit(t, page, nil).is(t, http.StatusOK, "Disconnected")
	s.idle(t)
	s.hasLeft(t, stackHost, seq, lookup.ByHost, token)
	s.host.submit(t, page, nil).is(t, http.StatusOK, "Disconnected") // a second click
	asked := s.server.Count()
	s.lookUp(t, stackHostKey)
	s.idle(t)
	if n := len(s.requestsSince(asked)); n > 0 {
		t.Errorf("of an account that has left OwnerRez was asked %+v", s.requestsSince(asked))
	}
	if got := len(s.statuses(t, stackHost, seq)); got != 1 {
		t.Errorf("%d events tell of it", got)
	}
}

// hasLeft looks at what is left of an account: nothing that leads into it.
func (s *stack) hasLeft(t *testing.T, id, seq int64, by, token string) {
	t.Helper()
	row := s.statusIs(t, id, lookup.StatusLeft)
	if row.Left == nil || row.Left.By != by || row.Connected || row.Leaving != nil {
		t.Errorf("the account's row says %+v", row)
	}
	if st, ok := s.listed(t, id); ok {
		t.Errorf("/v1/accounts has %+v", st)
	}
	secret := s.secretOf(t, id)
	if secret == nil || secret.DeletedDate == nil {
		t.Fatalf("the secret is still there, or gone without a recovery window: %+v", secret)
	}
	if diff := cmp.Diff([]lookup.Status{lookup.StatusLeft}, s.statuses(t, id, seq)); diff != "" {
		t.Errorf("statuses that were published (-want +got)\n%s", diff)
	}
	if status := s.bearer(t, token); status != http.StatusUnauthorized {
		t.Errorf("the token still works at OwnerRez: status %d", status)
	}
}

// bearer is how OwnerRez answers to an access token.
func (s *stack) bearer(t *testing.T, token string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.fake+"/v2/users/me", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("User-Agent", "stack-test/1.0 ("+stackAppID+")")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal("OwnerRez cannot be asked")
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

// comesHome is a host who connects the account again while its deleted secret can be restored.
func (s *stack) comesHome(t *testing.T) {
	was := s.row(t, stackHostKey)
	s.host.get(t, s.public(stackLeave(stackHost))).is(t, http.StatusOK, "Disconnected")
	page := s.host.connect(t, s.invite(t, 0, "partner-18", ""), stackHost).is(t, http.StatusOK, "Connected again")
	if strings.Contains(page.body, "partner.example.com") {
		t.Error("the page links to where an earlier invitation did")
	}
	s.idle(t)
	if secret := s.secretOf(t, stackHost); secret == nil || secret.DeletedDate != nil || len(secret.Tags) != 1 {
		t.Errorf("the secret is %+v", secret)
	}
	row := s.statusIs(t, stackHost, lookup.StatusOK)
	if row.Seq <= was.Seq || row.Left != nil || row.Ref != "partner-18" {
		t.Errorf("the account's row was %+v and is %+v", was, row)
	}
	if diff := cmp.Diff([]lookup.Status{lookup.StatusOK}, s.statuses(t, stackHost, was.Seq)); diff != "" {
		t.Errorf("statuses that were published (-want +got)\n%s", diff)
	}
	s.equalsTruth(t, stackHost)
}

// leavesByInvitation is a host who has no browser any more that connected the account.
func (s *stack) leavesByInvitation(t *testing.T) {
	seq, token := s.row(t, stackOtherKey).Seq, s.connection(t, stackOther).Token.AccessToken
	b := s.browser(t)
	leave := func(link string) string { return strings.Replace(link, "/connect?", "/connect/leave?", 1) }
	b.get(t, leave(s.invite(t, 0, "", ""))).is(t, http.StatusForbidden, "You need an invitation")
	link := leave(s.invite(t, stackOther, "", ""))
	page := b.getUnseen(t, link).is(t, http.StatusOK, "Disconnect your account?")
	b.submit(t, page, nil).is(t, http.StatusOK, "Disconnected")
	s.idle(t)
	s.hasLeft(t, stackOther, seq, lookup.ByHost, token)
	b.get(t, link).is(t, http.StatusGone, "This invitation was used")
}

// neverHere is a host who was invited, and says no before the account was connected: there is nothing to delete.
func (s *stack) neverHere(t *testing.T) {
	const stranger int64 = 888001
	b := s.browser(t)
	link := strings.Replace(s.invite(t, stranger, "", ""), "/connect?", "/connect/leave?", 1)
	page := b.getUnseen(t, link).is(t, http.StatusOK, "Disconnect your account?")
	b.submit(t, page, nil).is(t, http.StatusOK, "Disconnected")
	s.idle(t)
	if row, err := s.store.Account(t.Context(), lookup.AccountKey(stranger)); !errors.Is(err, lookup.ErrNotFound) {
		t.Errorf("the account's row is %+v, %v", row, err)
	}
	if request, err := s.store.Request(t.Context(), stranger); !errors.Is(err, lookup.ErrNotFound) {
		t.Errorf("still to be done: %+v, %v", request, err)
	}
}
