package account_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

const month = 30 * 24 * time.Hour

// run is a run of the lane: it prepares, and calls.
func (s *sandbox) run() error {
	s.t.Helper()
	return errors.Join(s.keeper.Prepare(s.t.Context()), s.call())
}

func (s *sandbox) mustRun() {
	s.t.Helper()
	if err := s.run(); err != nil {
		s.t.Errorf("%s: %v", time.Now().Format(time.DateTime), err)
	}
}

func (w *world) wantAsked(n int) {
	w.t.Helper()
	if len(w.grants) != n {
		w.t.Errorf("%s: OwnerRez was asked for a token %d times, want %d", time.Now().Format(time.DateTime), len(w.grants), n)
	}
}

// counts counts a sandbox's reads of the vault.
func (s *sandbox) counts() *int {
	n := 0
	s.vault.through = func(step string, do func()) error {
		if step == "get" {
			n++
		}
		do()
		return nil
	}
	return &n
}

// inWorld runs a test in virtual time.
func inWorld(t *testing.T, quirks ownerreztest.Quirks, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, quirks)
		test(t, w)
		w.wantGrants()
	})
}

func TestKeeperRefreshesAtTwoThirds(t *testing.T) {
	for _, quirks := range []ownerreztest.Quirks{
		{TokensExpireIn: month}, {TokensExpireIn: month, RefreshRotates: true}, {TokensExpireIn: month, ExpiresAt: true}, {TokensExpireIn: month, RefreshNeedsBasic: true},
	} {
		inWorld(t, quirks, func(t *testing.T, w *world) {
			s := w.sandbox()
			first, _ := w.stored()
			time.Sleep(20*24*time.Hour - time.Second)
			s.mustRun()
			w.wantAsked(0)
			for n := 1; n <= 3; n++ {
				time.Sleep(time.Second)
				s.mustRun()
				w.wantAsked(n)
				now, _ := w.stored()
				if now.ID != first.ID || !now.Obtained.Equal(time.Now()) || !now.Token.Expiry.Equal(time.Now().Add(month)) || now.Token.Scope != "full" ||
					(now.Token.RefreshToken != first.Token.RefreshToken) != quirks.RefreshRotates || now.Token.AccessToken == first.Token.AccessToken {
					t.Errorf("stored: %v, obtained %s", now, now.Obtained)
				}
				if s.keeper.Trouble() != nil {
					t.Error(s.keeper.Trouble())
				}
				time.Sleep(20*24*time.Hour - time.Second)
			}
		})
	}
}

// Without an expiry only a 401 tells, and there is nothing to refresh with: the token is used on, and given again.
func TestKeeperWithoutExpiry(t *testing.T) {
	inWorld(t, ownerreztest.Quirks{}, func(t *testing.T, w *world) {
		s := w.sandbox()
		time.Sleep(1000 * 24 * time.Hour)
		s.mustRun()
		w.server.Fault(ownerreztest.Fault{Match: ownerreztest.MatchPath("/v2/users/me"), Do: ownerreztest.Status(401)})
		if err := s.run(); !errors.Is(err, ownerrez.ErrUnauthorized) {
			t.Errorf("a 401 by mistake: %v", err)
		}
		s.mustCall()
		w.server.RevokeAccess(userID)
		for range 3 {
			err := s.run()
			failure := (*account.RefreshError)(nil)
			if !errors.Is(err, ownerrez.ErrUnauthorized) || !errors.As(err, &failure) || !failure.Reconnect || !strings.Contains(err.Error(), "connect the account again") {
				t.Errorf("revoked: %v", err)
			}
			if failure != nil && s.keeper.Trouble() != failure {
				t.Errorf("trouble: %v", s.keeper.Trouble())
			}
		}
		w.store(w.connect())
		s.mustRun()
		if s.keeper.Trouble() != nil {
			t.Error(s.keeper.Trouble())
		}
		w.wantAsked(0)
	})
}

// A 401 that is a mistake costs one call, and the refresh token nothing that is not stored.
func TestKeeperRefreshesOn401(t *testing.T) {
	inWorld(t, ownerreztest.Quirks{TokensExpireIn: month, RefreshRotates: true}, func(t *testing.T, w *world) {
		s := w.sandbox()
		s.mustRun()
		w.server.Fault(ownerreztest.Fault{Match: ownerreztest.MatchPath("/v2/users/me"), Do: ownerreztest.Status(401)})
		s.mustRun()
		w.wantAsked(1)
		s.mustRun()
		w.wantAsked(1)
	})
}

// What the vault holds by then is used: no refresh.
func TestKeeperUsesNewerTokenOn401(t *testing.T) {
	inWorld(t, ownerreztest.Quirks{TokensExpireIn: month, RefreshRotates: true}, func(t *testing.T, w *world) {
		s, other := w.sandbox(), w.sandbox()
		s.mustRun()
		w.server.RevokeAccess(userID)
		w.store(w.connect())
		s.mustCall() // the cache has the revoked one
		w.wantAsked(0)

		// A late 401 of the token before says nothing of this one.
		before, _ := w.stored()
		time.Sleep(21 * 24 * time.Hour)
		other.mustRun()
		w.wantAsked(1)
		s.keeper.Invalidate(t.Context(), before.Token)
		s.mustCall()
		reads := s.counts()
		s.keeper.Invalidate(t.Context(), before.Token)
		s.mustCall()
		w.wantAsked(1)
		if *reads != 0 {
			t.Errorf("the secret was read %d times", *reads)
		}
	})
}

func TestKeeperCache(t *testing.T) {
	inWorld(t, ownerreztest.Quirks{TokensExpireIn: month}, func(t *testing.T, w *world) {
		s := w.sandbox()
		reads := s.counts()
		for _, step := range []struct {
			after   time.Duration
			prepare bool
			want    int
		}{{0, true, 0}, {59 * time.Second, true, 0}, {time.Second, true, 1}, {5*time.Minute - time.Second, false, 1}, {time.Second, false, 2}, {4 * time.Minute, false, 2}, {0, true, 3}} {
			time.Sleep(step.after)
			if step.prepare {
				s.mustRun()
			} else {
				s.mustCall()
			}
			if *reads != step.want {
				t.Errorf("after %s: read %d times, want %d", step.after, *reads, step.want)
			}
		}
		s.keeper.Forget(t.Context())
		s.mustCall()
		if *reads != 4 {
			t.Errorf("forgotten: read %d times", *reads)
		}
	})
}

// Within a process one refreshes, and the others wait with their contexts.
func TestKeeperWaiters(t *testing.T) {
	inWorld(t, ownerreztest.Quirks{TokensExpireIn: month, RefreshRotates: true}, func(t *testing.T, w *world) {
		s := w.sandbox()
		time.Sleep(31 * 24 * time.Hour)
		s.road = func(do func() error) error { err := do(); time.Sleep(20 * time.Second); return err }
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(s.mustRun)
		}
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if _, err := s.keeper.Token(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
		wg.Wait()
		w.wantAsked(1)
	})
}
