package functions_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// refreshed lets two thirds of the token's life be over: the next run of the lane begins with another one, and with
// another refresh token, as OwnerRez rotates them here.
func (s *stack) refreshed(t *testing.T) {
	before := s.aged(t, stackHost)
	asked := s.server.Count()
	s.lookUp(t, stackHostKey)
	after := s.connection(t, stackHost)
	if after.ID != before.ID || after.Token.AccessToken == before.Token.AccessToken || after.Token.RefreshToken == before.Token.RefreshToken {
		t.Errorf("the token was not refreshed, or the connection is another one: %v, %v", before, after)
	}
	if n := s.grants(asked); n != 1 {
		t.Errorf("%d tokens were asked for", n)
	}
	row := s.statusIs(t, stackHost, lookup.StatusOK)
	if row.Failures > 0 || len(row.Problems) > 0 {
		t.Errorf("%+v", row)
	}
	asked = s.server.Count()
	s.lookUp(t, stackHostKey)
	if n := s.grants(asked); n != 0 {
		t.Errorf("%d tokens were asked for once it was refreshed", n)
	}
	s.equalsTruth(t, stackHost)
}

// aged makes the token of an account two and a half hours older, and begins with new sandboxes.
func (s *stack) aged(t *testing.T, id int64) (connection account.Connection) {
	t.Helper()
	connection = s.connection(t, id)
	connection.Obtained = connection.Obtained.Add(-stackTokenLife * 5 / 6)
	connection.Token.Expiry = connection.Token.Expiry.Add(-stackTokenLife * 5 / 6)
	s.setConnection(t, id, connection)
	s.fresher(t, "Lookup")
	return connection
}

// fresher begins with new sandboxes of a function, as after some minutes.
func (s *stack) fresher(t *testing.T, name string) {
	t.Helper()
	s.setEnvironment(t, name, s.configuration(t, name).Environment.Variables)
}

// grants counts the tokens that were asked for since OwnerRez had been asked n times.
func (s *stack) grants(n int) int {
	found := 0
	for _, r := range s.requestsSince(n) {
		if r.Method == http.MethodPost && r.Path == "/oauth/access_token" {
			found++
		}
	}
	return found
}

// revoked is a host who ends the access at OwnerRez: that is a refused token like any other. The account is late, and
// after the second refusal, an hour later, its host has to connect it again. That heals it, and all else stays.
func (s *stack) revoked(t *testing.T) {
	s.server.RevokeAccess(stackHost)
	was := s.row(t, stackHostKey)
	s.fresher(t, "Lookup")
	s.lookUp(t, stackHostKey)
	row := s.statusIs(t, stackHost, lookup.StatusLate)
	s.lookUp(t, stackHostKey)
	if row = s.statusIs(t, stackHost, lookup.StatusLate); row.RefusedAt.IsZero() {
		t.Fatalf("the account's row says %+v", row)
	}
	s.equalsTruth(t, stackHost)
	s.later(t, stackHostKey, 61*time.Minute)
	s.lookUp(t, stackHostKey)
	row = s.statusIs(t, stackHost, lookup.StatusReconnect)
	if st, _ := s.listed(t, stackHost); st.Status != lookup.StatusReconnect || st.Problem == "" || !strings.Contains(st.Next, "connect") {
		t.Errorf("/v1/accounts: %+v", st)
	}
	events := s.statuses(t, stackHost, was.Seq)
	if want := []lookup.Status{lookup.StatusLate, lookup.StatusReconnect}; !slices.Equal(events, want) {
		t.Errorf("statuses that were published: %v, want %v", events, want)
	}
	last := s.events[stackHost][len(s.events[stackHost])-1].Detail
	if last.ActBy.Before(time.Now()) || last.Ref != "partner-17" || last.Next == "" {
		t.Errorf("the event of the refused account: %+v", last)
	}
	if s.secretOf(t, stackHost).DeletedDate != nil {
		t.Error("OwnerRez's refusal deleted the secret")
	}
	s.reconnected(t, row)
}

// reconnected is the host who connects the account again.
func (s *stack) reconnected(t *testing.T, was lookup.Account) {
	t.Helper()
	page := s.host.connect(t, s.invite(t, stackHost, "", ""), stackHost).is(t, http.StatusOK, "Connected again")
	if !strings.Contains(page.words(), "settings and history stay") {
		t.Errorf("the page says %s", page.words())
	}
	s.idle(t)
	row := s.statusIs(t, stackHost, lookup.StatusOK)
	if row.Seq <= was.Seq || row.Ref != was.Ref || row.Connection == was.Connection || !row.RefusedAt.IsZero() || len(row.Problems) > 0 {
		t.Errorf("the account's row was %+v and is %+v", was, row)
	}
	if diff := cmp.Diff([]lookup.Status{lookup.StatusOK}, s.statuses(t, stackHost, was.Seq)); diff != "" {
		t.Errorf("statuses that were published (-want +got)\n%s", diff)
	}
	s.equalsTruth(t, stackHost)
	s.recorded(t, stackHost)
}

// later makes the times of a row older, as if that much time had passed.
func (s *stack) later(t *testing.T, key string, by time.Duration) {
	t.Helper()
	row := s.row(t, key)
	for _, at := range []*time.Time{&row.RunBegan, &row.Due, &row.RefusedAt, &row.ConnectedAt, &row.StatusSince} {
		if !at.IsZero() {
			*at = at.Add(-by)
		}
	}
	if err := s.store.Commit(t.Context(), lookup.Commit{Rows: []lookup.Account{row}}); err != nil {
		t.Fatal(err)
	}
}

// statuses are those that were published of an account after a seq.
func (s *stack) statuses(t *testing.T, id, after int64) (published []lookup.Status) {
	t.Helper()
	for _, e := range s.eventsAfter(t, id, after) {
		if e.DetailType == lookup.AccountChanged {
			published = append(published, e.Detail.Now)
		}
	}
	return published
}

// lateOnce is a single refusal, which says nothing.
func (s *stack) lateOnce(t *testing.T) {
	asked, connection := s.server.Count(), s.connection(t, stackHost)
	s.server.Fault(ownerreztest.Fault{Match: ownerreztest.MatchPath("/v2/bookings"), Times: -1, Do: ownerreztest.Status(http.StatusUnauthorized)})
	s.lookUp(t, stackHostKey)
	s.server.ClearFaults()
	s.statusIs(t, stackHost, lookup.StatusLate)
	if n := s.grants(asked); n != 1 {
		t.Errorf("after a 401 the token is refreshed once; it was %d times", n)
	}
	s.lookUp(t, stackHostKey)
	s.statusIs(t, stackHost, lookup.StatusOK)
	if s.connection(t, stackHost).ID != connection.ID {
		t.Error("the connection is another one")
	}
}
