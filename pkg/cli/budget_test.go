package cli

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// All commands of one user share one budget, and say so when they wait for it.
func TestBudgetIsShared(t *testing.T) {
	t.Parallel()
	w := newWorld(t).with("OWNERREZ_REQUESTS_PER_5_MINUTES", "30")
	args := append([]string{"lookup", "--json"}, w.dates()...)
	for w.Count() < 28 {
		before := w.Count()
		w.run(t, args...).want(t, 0)
		if w.Count() == before {
			t.Fatal("a lookup asked nothing")
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stop := time.AfterFunc(500*time.Millisecond, cancel)
	defer stop.Stop()
	r := w.with("OWNERREZ_TOKEN", access, "OWNERREZ_EMAIL", "", "OWNERREZ_USER_AGENT", agent).runCtx(ctx, t, args...)
	r.want(t, 1, "used up", "Going on at")
	if w.Count() != 30 {
		t.Errorf("%d requests were sent, want 30", w.Count())
	}
}

// After a 429 a person is told that there is a pause, and may have enough of it.
func TestLookupPauses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Fault(ownerreztest.Fault{Match: ownerreztest.MatchBookings, Times: -1, Do: ownerreztest.Status(429)})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stderr := &buffer{}
	go func() {
		for ctx.Err() == nil && !strings.Contains(stderr.String(), "Going on at") {
			time.Sleep(10 * time.Millisecond)
		}
		cancel()
	}()
	stdout := &buffer{}
	code := Main(ctx, append([]string{"lookup", "--json"}, w.dates()...), w.lookup, stdout, stderr)
	r := result{code, stdout.String(), stderr.String()}
	r.want(t, 1, "Going on at")
	w.neverFalse(t, r.document(t))
}

// A third account's personal token is not used, and a token that was refused does not count.
func TestPersonalTokensOfTwoAccounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	people := []*world{w.with("OWNERREZ_EMAIL", "typo@example.com", "OWNERREZ_TOKEN", "pt_wrong"), w}
	for i := range 2 {
		who := fmt.Sprintf("host%d@example.com", i)
		w.AddAccount(ownerreztest.Account{ID: int64(i + 1), Email: who, PAT: fmt.Sprintf("pt_test%d", i)})
		w.AddProperty(int64(i+1), ownerreztest.Property{ID: int64(5501 + i), Name: "Oak House", TimeZone: "America/Denver"})
		people = append(people, w.with("OWNERREZ_EMAIL", who, "OWNERREZ_TOKEN", fmt.Sprintf("pt_test%d", i)))
	}
	for i, want := range []string{"does not accept", "", "", "two accounts in 24 hours"} {
		for _, command := range [][]string{{"properties"}, append([]string{"lookup"}, w.dates()...), append([]string{"lookup", "--data", w.file("kept.db")}, w.dates()...)} {
			before := w.Count()
			r := people[i].run(t, command...)
			if want == "" {
				r.want(t, 0)
				continue
			}
			r.want(t, 1, want)
			if i == 3 && w.Count() != before {
				t.Errorf("%s of a third account asked OwnerRez", command[0])
			}
		}
	}
}
