package account_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// A refresh that fails leaves the token in use to its end, is tried again 15 minutes later at the soonest, and is
// told of.
func TestKeeperKeepsWorkingToken(t *testing.T) {
	for name, road := range map[string]func(do func() error) error{
		"cut":  func(func() error) error { return errCut },
		"slow": func(do func() error) error { time.Sleep(5 * time.Minute); return errCut },
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, ownerreztest.Quirks{TokensExpireIn: month, RefreshRotates: true}, func(t *testing.T, w *world) {
				s := w.sandbox()
				s.road = road
				time.Sleep(20 * 24 * time.Hour)
				s.mustRun()
				w.wantAsked(2) // one repeat
				failure := s.keeper.Trouble()
				if failure == nil || failure.Reconnect || !errors.Is(failure, ownerrez.ErrUnreachable) || failure.Next.Before(time.Now()) {
					t.Errorf("trouble: %v", failure)
				}
				for range 13 {
					time.Sleep(time.Minute)
					s.mustRun()
				}
				w.wantAsked(2)
				time.Sleep(4 * time.Minute)
				s.mustRun()
				w.wantAsked(3)
				for range 18 {
					time.Sleep(12 * time.Hour)
					s.mustRun()
				}
				s.road = nil
				time.Sleep(2 * time.Hour)
				s.mustRun()
				if s.keeper.Trouble() != nil {
					t.Error(s.keeper.Trouble())
				}
			})
		})
	}
}

// answered: OwnerRez says no, in several ways.
func TestKeeperRefused(t *testing.T) {
	tokens := ownerreztest.MatchPath("/oauth/access_token")
	for _, test := range []struct {
		do        ownerreztest.Action
		reconnect bool
	}{
		{ownerreztest.Status(429), false}, {ownerreztest.Status(503), false}, {ownerreztest.Status(401), false}, {ownerreztest.HTML(403), false},
		{ownerreztest.JSON(400, `{"error":"invalid_grant"}`), true}, {ownerreztest.JSON(400, `{"error":"invalid_request"}`), false},
		{ownerreztest.JSON(200, `{"access_token":"at_other","user_id":7}`), false}, {ownerreztest.JSON(200, `{"access_token":"nonsense"}`), false},
	} {
		t.Run(test.do.String(), func(t *testing.T) {
			inWorld(t, ownerreztest.Quirks{TokensExpireIn: month}, func(t *testing.T, w *world) {
				s := w.sandbox()
				before, _ := w.stored()
				w.server.Fault(ownerreztest.Fault{Match: tokens, Times: -1, Do: test.do})
				time.Sleep(21 * 24 * time.Hour)
				s.mustRun()
				failure := s.keeper.Trouble()
				if failure == nil || failure.Reconnect != test.reconnect || !failure.Expiry.Equal(before.Token.Expiry) {
					t.Fatalf("trouble: %v", failure)
				}
				w.wantNoSecret("the trouble", fmt.Sprintf("%v %+v %#v", failure, *failure, failure))
				now, _ := w.stored()
				if now.Token != before.Token {
					t.Errorf("stored: %v", now)
				}
				asked := len(w.grants)
				cold := w.sandbox() // knows what the vault says
				cold.mustRun()
				w.wantAsked(asked)
				if test.reconnect != (cold.keeper.Trouble() != nil && cold.keeper.Trouble().Reconnect) {
					t.Errorf("trouble of another process: %v", cold.keeper.Trouble())
				}

				// Once it ends, it is asked again, since there is nothing to lose.
				time.Sleep(9*24*time.Hour + time.Hour)
				err := s.run()
				if failure = nil; !errors.As(err, &failure) || failure.Reconnect != test.reconnect || !errors.Is(err, ownerrez.ErrUnauthorized) {
					t.Errorf("ended: %v", err)
				}
				w.server.ClearFaults()
				time.Sleep(2 * time.Hour)
				s.mustRun()
			})
		})
	}
}

// A refresh token that rotates is lost with the answer and that of its repeat.
func TestKeeperLosesRotatedToken(t *testing.T) {
	inWorld(t, ownerreztest.Quirks{TokensExpireIn: month, RefreshRotates: true}, func(t *testing.T, w *world) {
		s := w.sandbox()
		w.server.Fault(ownerreztest.Fault{Match: ownerreztest.MatchPath("/oauth/access_token"), Do: ownerreztest.LoseAnswer()})
		time.Sleep(20 * 24 * time.Hour)
		s.mustRun()
		w.wantAsked(2)
		ends := time.Now().Add(10 * 24 * time.Hour)
		failure := s.keeper.Trouble()
		if failure == nil || !failure.Reconnect || !failure.Expiry.Equal(ends) || !strings.Contains(failure.Error(), ends.Format(time.RFC3339)) {
			t.Errorf("trouble: %v", failure)
		}
		for time.Now().Add(time.Hour).Before(ends) {
			time.Sleep(time.Hour)
			s.mustRun()
		}
		w.wantAsked(2) // nothing is risked while the token works
	})
}

// A host who connects while a refresh is under way wins, and what was granted is dropped.
func TestKeeperDropsOldGrant(t *testing.T) {
	for _, broken := range []bool{false, true} {
		inWorld(t, ownerreztest.Quirks{TokensExpireIn: month}, func(t *testing.T, w *world) {
			s := w.sandbox()
			time.Sleep(20 * 24 * time.Hour)
			var newer account.Connection
			s.road = func(do func() error) error {
				err := do()
				if !broken {
					newer = w.connect()
					w.store(newer)
				} else {
					s.vault.through = func(string, func()) error { return errCut }
				}
				return err
			}
			s.mustRun()
			if broken { // the granted token waits in the process
				newer = w.connect()
				w.store(newer)
				s.vault.through = nil
				time.Sleep(time.Minute)
				s.mustRun()
			}
			w.wantAsked(1)
			if now, _ := w.stored(); now.Token.AccessToken != newer.Token.AccessToken || now.ID != newer.ID {
				t.Errorf("broken %v: stored %v, obtained %s", broken, now, now.Obtained)
			}
		})
	}
}

// A granted token that could not be stored is stored later, without asking again.
func TestKeeperStoresLater(t *testing.T) {
	inWorld(t, ownerreztest.Quirks{TokensExpireIn: month, RefreshRotates: true}, func(t *testing.T, w *world) {
		s := w.sandbox()
		time.Sleep(20 * 24 * time.Hour)
		s.road = func(do func() error) error {
			s.vault.through = func(string, func()) error { return errCut }
			return do()
		}
		s.mustRun() // with the old one
		if failure := s.keeper.Trouble(); failure == nil || !errors.Is(failure, account.ErrVault) || failure.Reconnect {
			t.Errorf("trouble: %v", failure)
		}
		s.vault.through = nil
		time.Sleep(time.Second)
		s.mustRun()
		w.wantAsked(1)
		if now, _ := w.stored(); !now.Token.Expiry.Equal(time.Now().Add(month - time.Second)) {
			t.Errorf("stored %v", now)
		}
	})
}

// What a process wrote down before it died is adopted, and OwnerRez not asked.
func TestKeeperAdopts(t *testing.T) {
	inWorld(t, ownerreztest.Quirks{TokensExpireIn: month, RefreshRotates: true}, func(t *testing.T, w *world) {
		first := w.sandbox()
		time.Sleep(20 * 24 * time.Hour)
		moves := 0
		first.vault.through = func(step string, do func()) error {
			if step == "move" {
				moves++
			}
			if moves > 1 {
				return errDead
			}
			do()
			return nil
		}
		first.mustRun()
		w.wantAsked(1)
		second := w.sandbox()
		second.mustRun()
		w.wantAsked(1)
		if now, _ := w.stored(); !now.Token.Expiry.Equal(time.Now().Add(month)) {
			t.Errorf("stored %v", now)
		}
	})
}

// Who died after its note is followed after two minutes.
func TestKeeperTakesOver(t *testing.T) {
	inWorld(t, ownerreztest.Quirks{TokensExpireIn: month}, func(t *testing.T, w *world) {
		first, second := w.sandbox(), w.sandbox()
		time.Sleep(20 * 24 * time.Hour)
		first.road = func(do func() error) error {
			_ = do()
			first.vault.through = func(string, func()) error { return errDead }
			return errDead
		}
		first.mustRun()
		w.wantAsked(1)
		time.Sleep(2*time.Minute - time.Second)
		second.mustRun()
		w.wantAsked(1)
		time.Sleep(time.Second)
		second.mustRun()
		w.wantAsked(2)
	})
}

// A refresh goes on to be stored when its caller has given up.
func TestKeeperStoresForNobody(t *testing.T) {
	inWorld(t, ownerreztest.Quirks{TokensExpireIn: month, RefreshRotates: true}, func(t *testing.T, w *world) {
		s := w.sandbox()
		time.Sleep(20 * 24 * time.Hour)
		ctx, cancel := context.WithCancel(t.Context())
		s.vault.through = func(_ string, do func()) error {
			if len(w.grants) == 1 {
				cancel()
			}
			do()
			return nil
		}
		_ = s.keeper.Prepare(ctx)
		if now, _ := w.stored(); ctx.Err() == nil || !now.Token.Expiry.Equal(time.Now().Add(month)) {
			t.Errorf("stored %v", now)
		}
	})
}

// A process that stands still after its note does not ask: another one may.
func TestKeeperStandsStill(t *testing.T) {
	inWorld(t, ownerreztest.Quirks{TokensExpireIn: month, RefreshRotates: true}, func(t *testing.T, w *world) {
		s := w.sandbox()
		time.Sleep(20 * 24 * time.Hour)
		s.vault.through = func(step string, do func()) error {
			do()
			if step == "move" {
				time.Sleep(time.Minute)
			}
			return nil
		}
		s.mustRun()
		w.wantAsked(0)
		time.Sleep(time.Minute)
		w.sandbox().mustRun()
		w.wantAsked(1)
	})
}

// A refresh token that is not accepted since somebody else used it meanwhile is not lost.
func TestKeeperUsesWhatOthersStored(t *testing.T) {
	inWorld(t, ownerreztest.Quirks{TokensExpireIn: month, RefreshRotates: true}, func(t *testing.T, w *world) {
		s := w.sandbox()
		time.Sleep(20 * 24 * time.Hour)
		s.road = func(do func() error) error {
			c, _ := w.stored()
			token, err := w.authorizer(w.door).Refresh(t.Context(), c.Token.RefreshToken)
			if err != nil {
				t.Error(err)
			}
			w.store(account.NewConnection(token, time.Now()))
			return do()
		}
		s.mustRun()
		if s.keeper.Trouble() != nil {
			t.Error(s.keeper.Trouble())
		}
		now, _ := w.stored()
		if token, err := s.keeper.Token(t.Context()); err != nil || token.AccessToken != now.Token.AccessToken || !w.works(token) {
			t.Errorf("%v, %v; stored is %v", token, err, now)
		}
		w.wantAsked(1)
	})
}
