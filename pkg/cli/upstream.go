package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/budget"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store/embedded"
)

// demoSeed makes the demo world the same one whenever it is opened.
const demoSeed = 1

// upstream is the OwnerRez that a command asks, and what may be sent there.
type upstream struct {
	cred   account.Credential // without a Fingerprint if none is configured
	key    []byte             // of fingerprints
	window *budget.Window     // nil for the demo, which asks nobody outside
	slots  *budget.Slots
	close  func()
}

// open prepares to ask the account's OwnerRez. Nothing is sent.
func (p *program) open(ctx context.Context, c config) (*upstream, error) {
	if c.auth == nil {
		return nil, usageError{errNoCredentials}
	}
	return p.openAny(ctx, c)
}

// openAny prepares to ask OwnerRez, also without a credential of one's own: for the accounts that others connected.
func (p *program) openAny(ctx context.Context, c config) (*upstream, error) {
	path, err := p.dataFile("budget.db")
	if err != nil {
		return nil, err
	}
	cells := store.New(embedded.Each(path))
	key, err := fingerprintKey(ctx, cells)
	if err != nil {
		return nil, err
	}
	up := &upstream{
		key:    key,
		window: budget.NewWindow(cells, c.apiHost, budget.PerFive(c.perFive)),
		slots:  budget.NewSlots(cells, c.apiHost),
		close:  func() {},
	}
	if c.auth != nil {
		up.cred = account.Credential{
			Fingerprint: account.Fingerprint(key, c.email, c.token), Auth: c.auth,
			Options: append(append([]ownerrez.Option(nil), c.options...), c.agent...),
		}
	}
	if c.email != "" {
		up.cred.PATUser = account.Fingerprint(key, strings.ToLower(c.email))
	}
	return up, nil
}

// openDemo makes a demo OwnerRez in this process.
func openDemo() *upstream {
	demo := ownerreztest.Demo(demoSeed, time.Now)
	client, closeClient := demo.OpenHTTPClient()
	return &upstream{
		cred: account.Credential{
			Fingerprint: "demo",
			Auth:        ownerrez.PAT(ownerreztest.DemoEmail, ownerreztest.DemoPAT),
			Options: []ownerrez.Option{
				ownerrez.WithAPIURL(demo.URL()), ownerrez.WithAppURL(demo.URL()),
				ownerrez.WithAllowHTTPHost("ownerrez.test"), ownerrez.WithHTTPClient(client),
			},
		},
		close: closeClient,
	}
}

// openFor opens the demo or the account's OwnerRez.
func (p *program) openFor(ctx context.Context, c config, demo bool) (*upstream, error) {
	if demo {
		return openDemo(), nil
	}
	return p.open(ctx, c)
}

// fingerprintKey is the key with which this user's credentials are hashed where they must be told apart. It is
// random, and kept beside the budget.
func fingerprintKey(ctx context.Context, cells budget.Cells) ([]byte, error) {
	const name = "KEY#fingerprints"
	for {
		key, version, err := cells.Cell(ctx, name)
		if err != nil || version > 0 {
			return key, err
		}
		key = make([]byte, 32)
		_, _ = rand.Read(key) // it never fails
		if err := cells.SetCell(ctx, name, key, 0, time.Time{}); !errors.Is(err, budget.ErrConflict) {
			return key, err
		}
	}
}

// waiting are the options of a client for which a person waits: it waits for permits, and tells.
func (p *program) waiting(up *upstream) []ownerrez.Option {
	if up.window == nil {
		return nil
	}
	return []ownerrez.Option{
		ownerrez.WithLimiter(up.window.Waiting(budget.People, func(until time.Time) {
			p.say("The budget of requests is used up, or OwnerRez wants a pause. Going on at %s.", until.Local().Format("15:04:05"))
		})),
	}
}

// lease takes the slot of a personal token before the first call, and gives options that observe the calls.
// After the calls, done gives the slot back if OwnerRez cannot have counted it.
func (up *upstream) lease(ctx context.Context) (opts []ownerrez.Option, done func(), err error) {
	if up.slots == nil {
		return nil, func() {}, nil
	}
	release, err := up.slots.Take(ctx, up.cred.PATUser)
	if err != nil {
		return nil, nil, err
	}
	var first firstExchange
	done = func() {
		if status := first.status(); status == notSent || status == 401 {
			patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			_ = release(patience) // a slot that is not given back comes free by itself
		}
	}
	return []ownerrez.Option{ownerrez.WithObserver(first.observe), ownerrez.WithObserver(up.window.Observe)}, done, nil
}

const notSent = -1

// firstExchange remembers how the first request that left was answered. It is safe for concurrent use.
type firstExchange struct {
	mu   sync.Mutex
	seen bool
	code int
}

func (f *firstExchange) observe(_ context.Context, e ownerrez.Exchange) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if e.Sent && !f.seen {
		f.seen, f.code = true, e.Status
	}
}

// status is the answer's; 0 if none came, notSent if no request left.
func (f *firstExchange) status() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.seen {
		return notSent
	}
	return f.code
}
