package ownerrez

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"
)

// How much of a body is read.
const (
	maxBody      = 16 << 20
	maxErrorBody = 1 << 20
)

var (
	errPermitDied = errors.New("no connection within 5 seconds of the permit: the request was not sent")
	errTimedOut   = errors.New("it took too long")
	errTooLarge   = fmt.Errorf("%w: it is too large", ErrUnreadable)
)

// send puts the request on the wire once, and reads the answer.
func (c *core) send(ctx context.Context, a *attempt) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	p := &permit{dies: a.permitted.Round(0).Add(PermitLifetime), cancel: cancel}
	if p.dead() { // getting the credentials took too long
		return noAnswer(ctx, errPermitDied)
	}
	timer := time.AfterFunc(time.Until(p.dies), p.cut)
	defer timer.Stop()

	req, err := c.wire(httptrace.WithClientTrace(ctx, p.trace()), a)
	if err != nil {
		return err
	}
	a.sent = true
	resp, err := c.http.Do(req)
	if err != nil {
		a.sent = !p.unused()
		return noAnswer(ctx, err)
	}
	defer resp.Body.Close()
	a.status, a.header = resp.StatusCode, resp.Header
	return a.read(ctx, resp)
}

// oneShot is a body that cannot be read a second time.
type oneShot struct{ io.Reader }

// wire makes the http.Request. It carries a body even where there is nothing to send, since net/http silently
// repeats a request without one when a kept connection turns out dead: a second send on one permit.
func (c *core) wire(ctx context.Context, a *attempt) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, a.method, a.url, oneShot{strings.NewReader(a.payload)})
	if err != nil {
		return nil, quiet(err)
	}
	if req.ContentLength = int64(len(a.payload)); req.ContentLength == 0 {
		// Otherwise net/http sends an empty chunked body if it does not see at once that there is none.
		req.TransferEncoding = []string{"identity"}
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Authorization", a.authorization)
	req.Header.Set("User-Agent", c.userAgent)
	if a.contentType != "" {
		req.Header.Set("Content-Type", a.contentType)
	}
	return req, nil
}

// read takes the body in.
func (a *attempt) read(ctx context.Context, resp *http.Response) error {
	limit := int64(maxBody)
	if a.status >= 300 {
		limit = maxErrorBody
	}
	var body bytes.Buffer
	if n := resp.ContentLength; n > 0 && n <= maxErrorBody {
		body.Grow(int(n) + bytes.MinRead) // so that the buffer need not grow
	}
	n, err := body.ReadFrom(io.LimitReader(resp.Body, limit+1))
	switch {
	case err != nil && (a.status < 300 || ctx.Err() != nil):
		a.status = 0 // half an answer is none
		return noAnswer(ctx, err)
	case n > limit && a.status < 300:
		return errTooLarge
	case err == nil && n <= limit:
		a.body = bytes.TrimPrefix(body.Bytes(), []byte("\ufeff"))
	}
	return nil
}

// noAnswer is the error for an exchange that failed on the way: the context's own if it ended, else
// ErrUnreachable with the cause.
func noAnswer(ctx context.Context, err error) error {
	var timeout net.Error
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errPermitDied) || errors.Is(err, errPermitDied):
		err = errPermitDied
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &timeout) && timeout.Timeout():
		// It may look like context.DeadlineExceeded, which it is not: the caller's context lives.
		err = errTimedOut
	}
	return fmt.Errorf("%w: %w", ErrUnreachable, quiet(err))
}

// permit watches over one permit of the limiter: a request whose connection comes too late does not leave.
type permit struct {
	dies   time.Time // by the wall clock
	cancel context.CancelCauseFunc

	asked  atomic.Bool // for a connection
	joined atomic.Bool // and got it, in time
}

func (p *permit) dead() bool { return time.Now().Round(0).After(p.dies) }

// unused reports whether the request provably never left.
func (p *permit) unused() bool { return p.asked.Load() && !p.joined.Load() }

// cut ends the attempt if it still has no connection.
func (p *permit) cut() {
	if p.unused() {
		p.cancel(errPermitDied)
	}
}

// trace follows the connection. A RoundTripper that is no http.Transport need not call it: then nothing is
// known, and nothing is cut.
func (p *permit) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn: func(string) { p.asked.Store(true); p.joined.Store(false) },
		GotConn: func(info httptrace.GotConnInfo) {
			if !p.dead() {
				p.joined.Store(true)
				return
			}
			// The process stood still meanwhile. To cancel is not enough: net/http writes at once.
			p.cancel(errPermitDied)
			_ = info.Conn.SetWriteDeadline(time.Unix(1, 0))
		},
	}
}
