package lookup_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
)

// Our own trouble at any step: the wake-up comes again, and the end is the same.
func TestLeaveInterrupted(t *testing.T) {
	for step := range 12 {
		for _, lost := range []bool{false, true} {
			t.Run(fmt.Sprintf("step %d, done %v", step, lost), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					g, token := staying(t)
					g.ask(lookup.Request{Leave: true, By: lookup.ByHost})
					g.job.Store = &dying{Store: g.store, step: step, lost: lost}
					_, _ = g.job.Run(t.Context(), lookup.Wake{Key: lookup.AccountKey(testAccount), Reason: lookup.ReasonLeave})
					g.job.Store = g.store
					for range 4 {
						wait(11 * time.Minute)
						g.tick()
					}
					g.gone(token)
				})
			})
		}
	}
}

// dying is a store that fails at one of its calls, before or after it has done it.
type dying struct {
	lookup.Store
	step int
	lost bool // after
}

func (d *dying) call(do func() error) error {
	d.step--
	switch {
	case d.step == -1 && d.lost:
		_ = do()
		return errDying
	case d.step == -1:
		return errDying
	}
	return do()
}

func (d *dying) Account(ctx context.Context, key string) (row lookup.Account, err error) {
	err = d.call(func() (err error) { row, err = d.Store.Account(ctx, key); return err })
	return row, err
}

func (d *dying) Commit(ctx context.Context, c lookup.Commit) error {
	return d.call(func() error { return d.Store.Commit(ctx, c) })
}

func (d *dying) Request(ctx context.Context, id int64) (r lookup.Request, err error) {
	err = d.call(func() (err error) { r, err = d.Store.Request(ctx, id); return err })
	return r, err
}

func (d *dying) Done(ctx context.Context, r lookup.Request) error {
	return d.call(func() error { return d.Store.Done(ctx, r) })
}

func (d *dying) Events(ctx context.Context, id, after int64, limit int, now time.Time) (all []lookup.Event, err error) {
	err = d.call(func() (err error) { all, err = d.Store.Events(ctx, id, after, limit, now); return err })
	return all, err
}
