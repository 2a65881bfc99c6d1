package account_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

const historyLife = 6 * time.Hour // of an access token

var (
	errCut   = errors.New("the connection was cut")
	errDead  = errors.New("the process is dead")
	errGoing = errors.New("the process stopped")
)

// history is 64 sandboxes that run one lane, whose calls get lost and which die on the way.
type history struct {
	*world
	seed   uint64
	random *rand.Rand // the lane's
	faulty atomic.Bool
	boxes  []*box

	dead, hidden, revoked, failed int // deaths, answers that were lost, revocations, failed calls
	countMu                       sync.Mutex
}

// box is a sandbox that may die, and be followed by a cold one.
type box struct {
	*sandbox
	h          *history
	random     *rand.Rand
	number     int
	generation int
	dead       bool
}

func (h *history) n(n int) int { return h.random.IntN(n) }

func (h *history) count(n *int) {
	h.countMu.Lock()
	defer h.countMu.Unlock()
	*n++
}

func (h *history) box(number, generation int) *box {
	random := rand.New(rand.NewPCG(h.seed, uint64(number*1000+generation+2)))
	b := &box{sandbox: h.sandbox(), h: h, random: random, number: number, generation: generation}
	b.vault.through = func(_ string, do func()) error {
		return b.pass(func() error { do(); return nil })
	}
	b.road = b.pass
	return b
}

// pass lets something happen: well, slowly, not, or without anybody who hears of it.
func (b *box) pass(do func() error) error {
	if b.dead {
		return errDead
	}
	if !b.h.faulty.Load() {
		return do()
	}
	time.Sleep(time.Duration(b.random.IntN(3000)) * time.Millisecond)
	var before, after error
	switch b.random.IntN(24) {
	case 0:
		before = errCut
	case 1:
		after = errCut
	case 2:
		before, b.dead = errGoing, true
	case 3:
		after, b.dead = errGoing, true
	case 4:
		defer time.Sleep(time.Duration(b.random.IntN(300)) * time.Second) // it stands still
	}
	if before == nil {
		before = do()
	}
	time.Sleep(time.Duration(b.random.IntN(3000)) * time.Millisecond)
	if after != nil {
		b.h.count(&b.h.hidden)
	}
	if b.dead {
		b.h.count(&b.h.dead)
	}
	return errors.Join(before, after)
}

// run is a run of the lane.
func (b *box) run() {
	_, before := b.stored()
	err := errors.Join(b.keeper.Prepare(b.t.Context()), b.call())
	now, after := b.stored()
	if err == nil || b.dead || errors.Is(err, account.ErrVault) {
		return
	}
	b.wantNoSecret("the error", err.Error())
	if before == after && b.works(now.Token) {
		b.t.Errorf("%s: the token works, and was given up: %v", time.Now().Format(time.DateTime), err)
	}
	b.h.count(&b.h.failed)
}

// runs has some sandboxes run, one unless the lane fails.
func (h *history) runs(wg *sync.WaitGroup) {
	together := 1
	switch h.n(40) {
	case 0:
		together = len(h.boxes)
	case 1, 2, 3, 4:
		together = 2 + h.n(4)
	}
	order := h.random.Perm(len(h.boxes))
	for _, i := range order[:together] {
		wg.Go(func() {
			h.boxes[i].run()
			if b := h.boxes[i]; b.dead {
				h.boxes[i] = h.box(b.number, b.generation+1)
			}
		})
	}
	if h.n(4) > 0 || together > 1 {
		wg.Wait() // else a callback may come while it runs
	}
}

func (h *history) live(runs int) {
	for range runs {
		var wg sync.WaitGroup
		h.runs(&wg)
		switch h.n(60) {
		case 0:
			h.store(h.connect())
		case 1:
			if h.n(10) == 0 {
				h.server.RevokeAccess(userID)
				h.count(&h.revoked)
			}
		}
		time.Sleep(time.Duration(h.n(600)) * time.Second)
		wg.Wait()
	}
}

// ends: without further faults every sandbox runs once, and later the account can be called, unless its refresh
// token is lost; then the error says so.
func (h *history) ends() (lost bool) {
	h.faulty.Store(false)
	time.Sleep(2 * time.Hour)
	for _, b := range h.boxes {
		b.run()
		time.Sleep(time.Minute)
	}
	time.Sleep(historyLife + time.Hour)
	b := h.boxes[0]
	err := errors.Join(b.keeper.Prepare(h.t.Context()), b.call())
	if err == nil {
		return false
	}
	h.wantNoSecret("the last error", err.Error())
	if failure := (*account.RefreshError)(nil); !errors.As(err, &failure) || !failure.Reconnect {
		h.t.Errorf("the account cannot be called, and the error does not say that it is lost: %v", err)
	}
	last, _ := h.stored()
	if _, err := h.authorizer(h.door).Refresh(h.t.Context(), last.Token.RefreshToken); err == nil {
		h.t.Errorf("OwnerRez accepts the refresh token that is said to be lost")
	}
	if h.revoked == 0 && !slices.ContainsFunc(h.grants, func(g *asked) bool {
		return g.token == last.Token.RefreshToken && g.done && (g.hidden || h.dead > 0)
	}) {
		h.t.Errorf("the refresh token is lost without a reason")
	}
	// Then the host connects again, and all is well.
	h.store(h.connect())
	b.keeper.Forget(h.t.Context())
	b.mustCall()
	return true
}

// watch checks that no token ever replaces a newer one.
func (h *history) watch() {
	var last account.Connection
	h.safe.moved = func(value []byte) {
		c, err := account.ParseConnection(value)
		if err != nil {
			h.t.Errorf("stored: %v", err)
			return
		}
		if c.Obtained.Before(last.Obtained) || c.Obtained.Equal(last.Obtained) && last.ID != "" && c.Token != last.Token {
			h.t.Errorf("%v, obtained %s, replaced one of %s", c, c.Obtained, last.Obtained)
		}
		last = c
	}
}

var (
	histories = flag.Int("histories", 20, "how many seeded histories of a token to live through")
	firstSeed = flag.Uint64("first-seed", 1, "the seed of the first of them")
)

// TestKeeperHistories: 64 sandboxes, an unreliable lane, callbacks in between, and crashes and lost answers at every
// step.
func TestKeeperHistories(t *testing.T) {
	var lost, deaths, hidden, grants, failed int
	for i := range *histories {
		seed := *firstSeed + uint64(i)
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHistory(t, seed)
				h.live(400)
				if h.ends() {
					lost++
				}
				h.wantGrants()
				deaths, hidden, grants, failed = deaths+h.dead, hidden+h.hidden, grants+len(h.grants), failed+h.failed
			})
		})
	}
	t.Logf("%d grants, %d deaths, %d lost answers, %d failed calls; %d of %d accounts lost", grants, deaths, hidden, failed, lost, *histories)
	if deaths == 0 || hidden == 0 || grants < 5**histories {
		t.Error("too little happened")
	}
}

func newHistory(t *testing.T, seed uint64) *history {
	h := &history{
		world:  newWorld(t, ownerreztest.Quirks{TokensExpireIn: historyLife, RefreshRotates: seed%3 == 0, ExpiresAt: seed%2 == 0}),
		seed:   seed,
		random: rand.New(rand.NewPCG(seed, 1)),
	}
	h.watch()
	for n := range 64 {
		h.boxes = append(h.boxes, h.box(n, 0))
	}
	h.faulty.Store(true)
	var slow atomic.Uint64
	h.server.Fault(ownerreztest.Fault{
		Match: ownerreztest.MatchPath("/oauth/access_token"), Times: -1,
		Do: ownerreztest.After(func() { time.Sleep(time.Duration((seed+slow.Add(1))*7%20) * time.Second) }),
	})
	return h
}
