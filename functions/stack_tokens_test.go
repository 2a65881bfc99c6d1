package functions_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
)

// credentialKey is the lane of a token until its account is known.
func (s *stack) credentialKey(t *testing.T, token stackToken) string {
	t.Helper()
	key, err := s.store.Key(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return lookup.CredentialKey(account.Fingerprint(key, token.Email, token.Token))
}

// asks lists whose tokens OwnerRez was asked with since it had been asked n times, and how it answered.
func (s *stack) asks(n int) map[string]int {
	count := map[string]int{}
	for _, r := range s.requestsSince(n) {
		count[fmt.Sprintf("account %d: %d", r.Account, r.Status)]++
	}
	return count
}

// standing is how an account is doing, by what the check by hand answers; account 0: a credential's.
func stackStanding(t *testing.T, standings []lookup.Standing, account int64) lookup.Standing {
	t.Helper()
	for _, st := range standings {
		if st.Account == account {
			return st
		}
	}
	t.Fatalf("account %d is not among %+v", account, standings)
	return lookup.Standing{}
}

// newToken replaces the token of one account by another one of the same: the old one ends at OwnerRez.
func (s *stack) newToken(t *testing.T) {
	before, asked := s.row(t, stackHostKey), s.server.Count()
	time.Sleep(time.Until(before.AsOf.Add(time.Second))) // ages are in whole seconds
	s.replaceToken(stackHost, stackTokenOf(stackHost, 2).Token)
	s.fillWith(t, stackTokenOf(stackHost, 2), stackTokenOf(stackOther, 1))
	s.invokeSchedule(t)
	if diff := cmp.Diff(map[string]int{"account 123456: 200": 2}, s.asks(asked)); diff != "" {
		t.Errorf("who it is, and one lookup; OwnerRez was asked (-want +got)\n%s", diff)
	}
	after := s.row(t, stackHostKey)
	if after.Seq != before.Seq || after.Status != lookup.StatusOK || after.Credential == before.Credential || !after.AsOf.After(before.AsOf) {
		t.Errorf("the account's row was %+v and is %+v", before, after)
	}
	s.lookUp(t, stackHostKey)
	if s.asks(asked)["account 0: 401"] > 0 {
		t.Error("the old token was used")
	}
	s.equalsTruth(t, stackHost)
}

// wrongToken is a token that OwnerRez does not know.
func (s *stack) wrongToken(t *testing.T) {
	asked := s.server.Count()
	wrong := stackToken{stackEmails[stackHost], "pt_testwrong"}
	s.fillWith(t, wrong, stackTokenOf(stackOther, 1))
	s.invokeSchedule(t)
	st := stackStanding(t, s.remoteInvoke(t), 0)
	if st.Status != lookup.StatusLate || !strings.Contains(st.Problem, "does not accept the token") || st.Next == "" {
		t.Errorf("of the wrong token the check by hand says %+v", st)
	}
	if diff := cmp.Diff(map[string]int{"account 0: 401": 1}, s.asks(asked)); diff != "" {
		t.Errorf("a wrong token is tried once; OwnerRez was asked (-want +got)\n%s", diff)
	}
	s.lookUp(t, stackHostKey) // nothing leads into the account
	s.tokenless(t, stackHost)
	if n := len(s.requestsSince(asked)); n != 1 {
		t.Errorf("OwnerRez was asked %d times", n)
	}
}

const stackTokenless = "No configured token leads into this account."

// tokenless looks for what is told of an account that is not looked up any more, while its calendar still stands.
func (s *stack) tokenless(t *testing.T, account int64) {
	t.Helper()
	st := stackStanding(t, s.invokeSchedule(t), account)
	if st.Problem != stackTokenless || st.Next == "" {
		t.Errorf("of account %d the check by hand says %+v", account, st)
	}
	s.equalsTruth(t, account)
}

// malformedSecret is a secret that is filled with something else, and is told of without what it holds.
func (s *stack) malformedSecret(t *testing.T) {
	asked := s.server.Count()
	for value, says := range map[string]string{
		"pt_testloose":                         "is neither a JSON object nor a list",
		`{"email":"host@example.com"}`:         "without an email or without a token",
		`[{"user":"x","token":"pt_testkey"}]`:  "is no JSON object with email and token",
		`{"email":"host","token":"at_test-x"}`: "cannot be used",
	} {
		s.fill(t, value, "pt_testloose", "pt_testkey", "at_test-x")
		st := stackStanding(t, s.invokeSchedule(t), 0)
		if st.Status != lookup.StatusLate || !strings.Contains(st.Problem, says) || !strings.Contains(st.Next, "{}") {
			t.Errorf("%s: the check by hand says %+v", value, st)
		}
		s.setEnvironment(t, "Accounts", s.configuration(t, "Accounts").Environment.Variables) // a new sandbox, as after some minutes
		list, failed := s.invoke(t, "Accounts", `{"command":"list"}`)
		if failed != "" || !strings.Contains(string(list), says) {
			t.Errorf("%s: Accounts answers %s %s", value, list, failed)
		}
	}
	s.wake(t, s.credentialKey(t, stackToken{"host@example.com", "pt_testgone"})) // a late one makes Lookup read the secret again
	s.lookUp(t, stackHostKey)
	if n := len(s.requestsSince(asked)); n > 0 {
		t.Errorf("OwnerRez was asked %d times", n)
	}
}

// otherAccount leaves one token, of the other account: it never answers for the first one, which grows old.
func (s *stack) otherAccount(t *testing.T) {
	asked := s.server.Count()
	s.replaceToken(stackOther, stackTokenOf(stackOther, 2).Token)
	s.fillWith(t, stackTokenOf(stackOther, 2))
	s.invokeSchedule(t)
	s.lookUp(t, stackHostKey)
	if diff := cmp.Diff(map[string]int{"account 654321: 200": 2}, s.asks(asked)); diff != "" {
		t.Errorf("OwnerRez was asked (-want +got)\n%s", diff)
	}
	s.tokenless(t, stackHost)
	s.equalsTruth(t, stackOther)
	s.outdated(t)
}

// outdated lets what was read seconds ago be too old, and looks at the account whose token is gone.
func (s *stack) outdated(t *testing.T) {
	t.Helper()
	restore := s.configure(t, map[string]string{"OWNERREZ_LOOKUP_EVERY": "1s", "OWNERREZ_STALE_AFTER": "2s"})
	defer restore()
	from, to := stackWindow()
	was := s.truth(stackHost, from, to)
	seq := s.row(t, stackHostKey).Seq
	stackWithin(t, 10*time.Second, "free nights are unknown, taken ones stay", func() string {
		got, _ := s.snapshot(t, stackHost, from, to)
		for _, nights := range was {
			for d, n := range nights {
				if n.State == "free" {
					nights[d] = stackNight{State: "unknown"}
				}
			}
		}
		return cmp.Diff(was, got)
	})
	s.lookUp(t, stackHostKey)
	st := stackStanding(t, s.invokeSchedule(t), stackHost)
	if st.Status != lookup.StatusLate || st.Problem != stackTokenless {
		t.Errorf("of the old account the check by hand says %+v", st)
	}
	events := s.eventsAfter(t, stackHost, seq)
	if len(events) != 1 || events[0].DetailType != lookup.AccountChanged || events[0].Detail.Now != lookup.StatusLate || events[0].Detail.Reason == "" {
		t.Errorf("events: %+v", events)
	}
}

// configure changes variables of all functions' environments, as a deployment with other parameters does.
func (s *stack) configure(t *testing.T, variables map[string]string) (restore func()) {
	t.Helper()
	before := map[string]map[string]string{}
	for _, name := range s.functions() {
		before[name] = s.configuration(t, name).Environment.Variables
		changed := maps.Clone(before[name])
		maps.Copy(changed, variables)
		s.setEnvironment(t, name, changed)
	}
	return func() {
		for name, was := range before {
			s.setEnvironment(t, name, was)
		}
	}
}

// thirdAccount is refused before OwnerRez is asked anything.
func (s *stack) thirdAccount(t *testing.T) {
	asked := s.server.Count()
	s.fillWith(t, stackTokenOf(stackThird, 1))
	s.invokeSchedule(t)
	st := stackStanding(t, s.invokeSchedule(t), 0)
	if st.Status != lookup.StatusRefused || !strings.Contains(st.Problem, "two accounts in 24 hours") || st.Next == "" {
		t.Errorf("of a third account the check by hand says %+v", st)
	}
	if n := len(s.requestsSince(asked)); n > 0 {
		t.Errorf("OwnerRez was asked %+v", s.requestsSince(asked))
	}
}

// emptied takes all tokens out of the secret.
func (s *stack) emptied(t *testing.T) {
	gone := s.credentialKey(t, stackTokenOf(stackThird, 1))
	s.fill(t, "{}")
	s.wake(t, gone) // a late wake-up of a token that was taken out makes Lookup read the secret again, minutes earlier
	s.idle(t)
	asked := s.server.Count()
	for _, st := range s.invokeSchedule(t) {
		if st.Account == 0 {
			t.Errorf("the check by hand answers %+v", st)
		}
	}
	s.lookUp(t, stackHostKey)
	s.lookUp(t, stackOtherKey)
	if n := len(s.requestsSince(asked)); n > 0 {
		t.Errorf("OwnerRez was asked %d times", n)
	}
	s.tokenless(t, stackHost)
	s.tokenless(t, stackOther)
}

// fresh fills the secret with a good token of both accounts, and begins with new sandboxes, as after some minutes.
func (s *stack) fresh(t *testing.T) {
	t.Helper()
	for _, account := range []int64{stackHost, stackOther} {
		s.replaceToken(account, stackTokenOf(account, 2).Token)
	}
	s.fillWith(t, stackTokenOf(stackHost, 2), stackTokenOf(stackOther, 2))
	s.configure(t, nil)
}

// comesBack fills the secret as it was: everything goes on where it was.
func (s *stack) comesBack(t *testing.T) {
	seq := s.row(t, stackHostKey).Seq
	s.fresh(t)
	s.lookUp(t, stackHostKey)
	s.lookUp(t, stackOtherKey)
	for _, st := range s.invokeSchedule(t) {
		if st.Status != lookup.StatusOK || st.Problem != "" {
			t.Errorf("the check by hand answers %+v", st)
		}
	}
	if now := s.row(t, stackHostKey); now.Seq < seq {
		t.Errorf("seq was %d and is %d", seq, now.Seq)
	}
	s.equalsTruth(t, stackHost)
	s.equalsTruth(t, stackOther)
}
