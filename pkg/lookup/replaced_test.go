package lookup_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// twoLanes is an account whose token two processes keep: the second one has read it some time ago.
type twoLanes struct {
	*house
	second *lookup.Job
	stale  []account.Credential // what the second has read
}

func newTwoLanes(t *testing.T) *twoLanes {
	l := &twoLanes{house: newHouse(t, ownerreztest.Quirks{})}
	l.property(4401, "America/Chicago")
	l.lookup()
	second := *l.job
	l.second = &second
	fresh := l.job.Credentials
	var err error
	if l.stale, err = fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.second.Credentials = func(ctx context.Context) ([]account.Credential, error) {
		if l.stale != nil {
			return l.stale, nil
		}
		return fresh(ctx)
	}
	l.second.Reread = func() { l.stale = nil }
	return l
}

// replace gives the account a new token at OwnerRez, which ends the old one, and configures it.
func (l *twoLanes) replace(token string) {
	l.server.AddAccount(ownerreztest.Account{ID: testAccount, Email: "host@example.com", Name: "Host", TimeZone: "America/Chicago", PAT: token})
	l.property(4401, "America/Chicago")
	l.token = token
}

// A lane that still has the token before the last asks with it, is refused, and does not take that for the account's
// trouble.
func TestReplacedTokenIsNoTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newTwoLanes(t)
		l.replace("pt_testnew")
		if out := l.wake(lookup.Wake{Key: l.credentialKey()}); out.Account != testAccount { // the first lane connects it
			t.Fatalf("%+v", out)
		}
		wait(15 * time.Minute)
		out, err := l.second.Run(t.Context(), lookup.Wake{Key: lookup.AccountKey(testAccount), Reason: "connected"})
		if err != nil || out.Failed || out.Status != lookup.StatusOK || !out.AsOf.Equal(time.Now().UTC().Truncate(time.Second)) {
			t.Errorf("%+v, %v", out, err)
		}
	})
}

// Where the new token has not been connected yet, the account waits for that, without a change of its status.
func TestReplacedTokenNotConnectedYet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newTwoLanes(t)
		l.replace("pt_testnew")
		wait(15 * time.Minute)
		out, err := l.second.Run(t.Context(), lookup.Wake{Key: lookup.AccountKey(testAccount)})
		if err != nil || out.Status != lookup.StatusOK || len(out.Problems) != 1 {
			t.Errorf("%+v, %v", out, err)
		}
		if due := l.snapshot().Account.Due; due.After(time.Now().Add(time.Minute)) {
			t.Errorf("it is tried again at %s only", due)
		}
	})
}

// One that is refused and still configured is refused.
func TestRefusedTokenIsTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newTwoLanes(t)
		l.server.AddAccount(ownerreztest.Account{ID: testAccount, Email: "host@example.com", Name: "Host", PAT: "pt_testnew"})
		wait(15 * time.Minute)
		before := len(l.server.Requests())
		out, err := l.second.Run(t.Context(), lookup.Wake{Key: lookup.AccountKey(testAccount)})
		if err != nil || !out.Failed || out.Status != lookup.StatusLate {
			t.Errorf("%+v, %v", out, err)
		}
		if sent := len(l.server.Requests()) - before; sent != 1 {
			t.Errorf("%d requests were sent with a token that is refused", sent)
		}
	})
}

// unpublishing is a publisher that fails.
type unpublishing struct{ err error }

func (u unpublishing) Publish(context.Context, lookup.Event) error { return u.err }

// That events could not be published is told, and is not the lookup's trouble; the next run goes on with them.
func TestUnpublishedIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, ownerreztest.Quirks{})
		h.property(4401, "America/Chicago")
		denied := errors.New("access denied")
		h.job.Publisher = unpublishing{denied}
		h.book(4401, 3, 2)
		out, err := h.job.Run(t.Context(), lookup.Wake{Key: h.credentialKey()})
		if err != nil || out.Unpublished != nil {
			t.Fatalf("%+v, %v", out, err)
		}
		out, err = h.job.Run(t.Context(), *out.Wake)
		if err != nil || out.Failed || !errors.Is(out.Unpublished, denied) {
			t.Errorf("%+v, %v", out, err)
		}
		h.job.Publisher = h.heard
		wait(15 * time.Minute)
		if out := h.lookup(); out.Unpublished != nil {
			t.Errorf("%+v", out)
		}
		if row := h.snapshot().Account; row.Published != row.Seq || row.Seq == 0 {
			t.Errorf("%d of %d are published", row.Published, row.Seq)
		}
	})
}

// A credential gets ready before each run, and before it is asked whose it is; that its vault fails is trouble of our
// own, anything else is the account's.
func TestCredentialIsPrepared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, ownerreztest.Quirks{})
		h.property(4401, "America/Chicago")
		plain := h.job.Credentials
		prepared, requests := 0, 0
		var fails error
		h.job.Credentials = func(ctx context.Context) ([]account.Credential, error) {
			creds, err := plain(ctx)
			creds[0].Prepare = func(context.Context, ...ownerrez.Option) error {
				prepared, requests = prepared+1, len(h.server.Requests())
				return fails
			}
			return creds, err
		}
		h.lookup()
		if prepared != 2 || requests != 1 { // one to ask whose it is
			t.Errorf("prepared %d times, the last time after %d requests", prepared, requests)
		}
		sent := len(h.server.Requests())
		fails = account.ErrVault
		for _, key := range []string{h.credentialKey(), lookup.AccountKey(testAccount)} {
			if _, err := h.job.Run(t.Context(), lookup.Wake{Key: key}); !errors.Is(err, account.ErrVault) {
				t.Errorf("run of %s while the vault is down: %v", key, err)
			}
		}
		fails = errors.New("what the vault holds cannot be read")
		wait(15 * time.Minute)
		if out := h.lookup(); !out.Failed || len(out.Problems) != 1 {
			t.Errorf("%+v", out)
		}
		if now := len(h.server.Requests()); now != sent {
			t.Errorf("%d requests were sent", now-sent)
		}
	})
}
