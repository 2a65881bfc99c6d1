package budget

import (
	"context"
	"errors"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// Limiter returns the window as a client's limiter: it refuses at once with a *NoPermitError, which
// errors.Is and errors.As find in the client's error. It is for where nobody should wait, as in a function.
func (w *Window) Limiter(level Level) ownerrez.Limiter { return refusing{window: w, level: level} }

type refusing struct {
	window *Window
	level  Level
}

func (r refusing) Take(ctx context.Context) error { return r.window.Take(ctx, r.level) }

// Waiting returns the window as a client's limiter that waits for a permit. Before its first wait, each Take
// calls notify (which may be nil) with the time when it will ask again, so that a person can be told. If the
// context's deadline comes before that, it does not wait but returns the *NoPermitError.
func (w *Window) Waiting(level Level, notify func(until time.Time)) ownerrez.Limiter {
	if notify == nil {
		notify = func(time.Time) {}
	}
	return waiting{window: w, level: level, notify: notify}
}

type waiting struct {
	window *Window
	level  Level
	notify func(until time.Time)
}

func (l waiting) Take(ctx context.Context) error {
	for said := false; ; said = true {
		err := l.window.Take(ctx, l.level)
		refusal, ok := errors.AsType[*NoPermitError](err)
		if !ok {
			return err
		}
		wait := refusal.Until.Sub(l.window.config.clock())
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < wait {
			return err
		}
		if !said {
			l.notify(refusal.Until)
		}
		if err := sleep(ctx, max(wait, 0)+jitter(swapMaxWait)); err != nil {
			return err
		}
	}
}
