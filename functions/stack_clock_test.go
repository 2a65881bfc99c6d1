package functions_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// hang is an answer that never comes: the client gives up after half a minute. The secret has two tokens, and the test
// wakes the lane of one of them only.
func (s *stack) hang(t *testing.T) {
	s.fillWith(t, stackTokenOf(stackHost, 1), stackTokenOf(stackOther, 1))
	s.lookUp(t, s.credentialKey(t, stackTokenOf(stackOther, 1)))
	s.equalsTruth(t, stackOther)
	began := time.Now()
	row := s.fails(t, stackOther, ownerreztest.Fault{Match: ownerreztest.MatchProperty(5501), Times: -1, Do: ownerreztest.Hang()})
	if took := time.Since(began); took < 25*time.Second || took > 50*time.Second {
		t.Errorf("the lookup took %s", took)
	}
	if !slices.ContainsFunc(row.Problems, func(p lookup.Problem) bool { return strings.HasPrefix(p.Message, "OwnerRez could not be reached") }) {
		t.Errorf("problems: %+v", row.Problems)
	}
}

// scheduled waits for the schedule, which finds the other token and the account to which it leads. Nobody else has
// invoked Schedule or woken that lane.
func (s *stack) scheduled(t *testing.T) {
	began := time.Now()
	stackWithin(t, 100*time.Second, "the schedule finds the account", func() string {
		row, err := s.store.Account(t.Context(), stackHostKey)
		if err != nil {
			return err.Error()
		}
		return stackUnless(row.Status == lookup.StatusOK && row.Published == row.Seq, "its status is %s", row.Status)
	})
	t.Logf("found after %s", time.Since(began).Round(time.Second))
	s.idle(t)
	s.equalsTruth(t, stackHost)
	s.eventsAfter(t, stackHost, 0)
	if lines := s.logged(t, "Schedule", began); len(lines) > 0 {
		t.Errorf("Schedule logged %v", lines)
	}
}
