package ownerrez

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// RetryPolicy says how often a failed request is tried again, and after what wait. What is tried again depends
// on the method:
//
//	                                    GET, PUT, DELETE   POST, PATCH
//	429                                 yes                yes: it was refused before anything was done
//	5xx except 501, no answer           yes                only with Writes
//	anything else                       no                 no
//
// The wait is the answer's Retry-After, at most MaxWait; without one it is random, between MinWait and thrice
// MinWait at first, twice that spread after each further try, at most MaxWait. After a 429 MinWait counts
// tenfold. Where the wait would end after the context's deadline, the error is returned at once.
//
// A 401 is no matter of this policy: the request is tried once more if the TokenSource then gives another token.
type RetryPolicy struct {
	Attempts int           // how often a request is sent at most; 0 means 4
	MinWait  time.Duration // 0 means 500 ms
	MaxWait  time.Duration // 0 means 5 minutes
	Writes   bool          // repeat POST and PATCH too, though what they do may then happen twice
}

// NoRetry returns the policy that tries nothing again.
func NoRetry() RetryPolicy { return RetryPolicy{Attempts: 1} }

func (p RetryPolicy) check() error {
	if p.Attempts < 0 || p.MinWait < 0 || p.MaxWait < 0 {
		return errors.New("a retry policy's attempts and waits must not be negative")
	}
	return nil
}

func (p RetryPolicy) withDefaults() RetryPolicy {
	if p.Attempts == 0 {
		p.Attempts = 4
	}
	if p.MinWait == 0 {
		p.MinWait = 500 * time.Millisecond
	}
	if p.MaxWait == 0 {
		p.MaxWait = 5 * time.Minute
	}
	return p
}

// again decides what follows a failed attempt: nil if the request is to be tried again, after the wait that
// is due; else the error to return.
func (c *core) again(ctx context.Context, a *attempt, fail *Error) *Error {
	if fail.StatusCode == http.StatusUnauthorized {
		return c.renew(ctx, a, fail)
	}
	if a.number >= c.policy.Attempts || !c.policy.repeats(a.method, fail) {
		return fail
	}
	wait := c.policy.wait(a.number, fail)
	if deadline, ok := ctx.Deadline(); ok && time.Now().Add(wait).After(deadline) {
		return fail
	}
	if err := sleep(ctx, wait); err != nil {
		return fail.because(err)
	}
	return nil
}

// renew drops the refused token, once per call, and lets the request go again if there is another.
func (c *core) renew(ctx context.Context, a *attempt, fail *Error) *Error {
	if a.renewed {
		return fail
	}
	a.renewed = true
	other, err := c.auth.renew(ctx, a.token)
	if other {
		return nil
	}
	if err != nil {
		return fail.because(quiet(err, a.secrets()...))
	}
	return fail
}

// because is a copy of e, which an observer may hold, with another cause.
func (e *Error) because(err error) *Error {
	e = new(*e)
	e.Err = err
	return e
}

// repeats is the table of RetryPolicy's comment.
func (p RetryPolicy) repeats(method string, fail *Error) bool {
	switch {
	case fail.StatusCode == http.StatusTooManyRequests:
		return true
	case fail.StatusCode == http.StatusNotImplemented:
		return false
	case fail.StatusCode >= 500 || errors.Is(fail, ErrUnreachable):
		return p.Writes || (method != http.MethodPost && method != http.MethodPatch)
	}
	return false
}

// wait is how long to wait after the failed attempt with that number, the first being 1.
func (p RetryPolicy) wait(number int, fail *Error) time.Duration {
	if fail.RetryAfter > 0 {
		return min(fail.RetryAfter, p.MaxWait)
	}
	least := p.MinWait
	if fail.StatusCode == http.StatusTooManyRequests {
		least *= 10
	}
	least = min(least, p.MaxWait)
	spread := least << min(number, 20)
	if spread>>min(number, 20) != least || spread > p.MaxWait-least {
		spread = p.MaxWait - least
	}
	return least + rand.N(spread+1) //nolint:gosec // it spreads load, and guards nothing
}

// maxRetryAfter is the longest Retry-After that is believed.
const maxRetryAfter = 24 * time.Hour

// parseRetryAfter reads a Retry-After header, in seconds or as a date. It is 0 if the header says nothing
// sensible or asks for no wait, and at most a day.
func parseRetryAfter(text string, now time.Time) time.Duration {
	text = strings.TrimSpace(text)
	if isDigits(text) {
		seconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil || seconds > int64(maxRetryAfter/time.Second) {
			return maxRetryAfter
		}
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}
