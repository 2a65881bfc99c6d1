package ownerrez

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// core is what all requests of a client share.
type core struct {
	auth      Auth
	api, app  *url.URL
	http      *http.Client
	userAgent string
	limiter   Limiter
	policy    RetryPolicy
	observers []func(context.Context, Exchange)
	maxPages  int
}

// request is one call of the API, before it is put on the wire.
type request struct {
	method      string
	base        *url.URL // api or app
	route       string   // such as /v2/bookings/{id}: all that errors and observers are told
	path        string   // the route with its values
	query       string   // encoded
	payload     string   // the body to send; empty: none
	contentType string   // empty: none
	secret      string   // something in the path or payload that must not show up in errors; may be empty
}

// attempt is a request on its way. The steps of do fill it in, from above to below.
type attempt struct {
	request
	url     string
	number  int       // of this attempt, from 1
	renewed bool      // another token was asked for, after a 401
	began   time.Time // of this attempt

	permitted     time.Time // when the permit was given
	token         Token
	authorization string

	sent   bool // false only if the request provably never left
	status int  // 0: no answer
	header http.Header
	body   []byte
}

// do is the one path of every request. The steps of an attempt are each in one place: encode (here, once),
// budget, authorize, send, classify; then the decision on a retry, and at the end decode.
func do[T any](ctx context.Context, c *core, r request, decode func(*attempt) (T, error)) (T, error) {
	var zero T
	a := encode(r)
	for {
		a.begin()
		fail := a.inOrder(ctx, c.permit, c.authorize, c.send, c.classify)
		c.report(ctx, a, fail)
		if fail == nil {
			break
		}
		if fail = c.again(ctx, a, fail); fail != nil {
			return zero, fail
		}
	}
	value, err := decode(a)
	if err != nil {
		return zero, a.failed(err)
	}
	return value, nil
}

// encode makes the URL. Paths are made of constants, numbers and checked tokens, so that nothing in them needs escaping.
func encode(r request) *attempt {
	u := *r.base
	u.Path += r.path
	u.RawQuery = r.query
	return &attempt{request: r, url: u.String()}
}

// begin forgets the attempt before.
func (a *attempt) begin() {
	*a = attempt{request: a.request, url: a.url, number: a.number + 1, renewed: a.renewed, began: time.Now()}
}

// inOrder takes one step after the other, up to the first that fails.
func (a *attempt) inOrder(ctx context.Context, steps ...func(context.Context, *attempt) error) *Error {
	for _, step := range steps {
		if err := step(ctx, a); err != nil {
			return a.failed(err)
		}
	}
	return nil
}

// failed makes the error of this attempt: the API's own that classify found, or one around any other cause.
func (a *attempt) failed(err error) *Error {
	fail, ok := err.(*Error) //nolint:errorlint // an *Error further inside is another request's: a token source may make some
	if !ok {
		fail = &Error{Err: err}
	}
	fail.Method, fail.Route, fail.Attempts = a.method, a.route, a.number
	if errors.Is(err, ErrUnreadable) {
		fail.StatusCode = cmp.Or(fail.StatusCode, a.status)
	}
	return fail
}

// permit asks the limiter. From now on the request must leave within PermitLifetime.
func (c *core) permit(ctx context.Context, a *attempt) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	err := c.limiter.Take(ctx)
	a.permitted = time.Now()
	if err != nil {
		return foreign(ctx, err)
	}
	return nil
}

// authorize gets the credentials, anew for every attempt.
func (c *core) authorize(ctx context.Context, a *attempt) error {
	header, token, err := c.auth.authorize(ctx)
	if err != nil {
		return foreign(ctx, err)
	}
	a.authorization, a.token = header, token
	return nil
}

// foreign wraps the error of something that a caller gave us.
func foreign(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return ctx.Err()
	}
	return quiet(err)
}

// secrets are what must not show up in what the API says.
func (a *attempt) secrets() []string {
	_, credentials, _ := strings.Cut(a.authorization, " ")
	return []string{credentials, a.token.AccessToken, a.token.RefreshToken, a.secret}
}

// Exchange is what an observer is told of one attempt: no path, query, header or body.
type Exchange struct {
	Method, Route string        // such as GET and /v2/bookings/{id}
	Attempt       int           // from 1
	Status        int           // of the answer, or what an error under 200 names; 0 if there was no answer
	Sent          bool          // false only if the request provably never left: no permit, or no connection
	Date          time.Time     // the answer's Date header; zero if there was none
	Duration      time.Duration // of the whole attempt, waiting for the permit included
	RetryAfter    time.Duration // what the API asked to wait; 0 if it did not
	Err           error         // nil or an *Error
}

func (c *core) report(ctx context.Context, a *attempt, fail *Error) {
	e := Exchange{
		Method: a.method, Route: a.route, Attempt: a.number, Status: a.status, Sent: a.sent,
		Date: a.date(), Duration: time.Since(a.began),
	}
	if fail != nil {
		e.Err, e.RetryAfter = fail, fail.RetryAfter
		if fail.StatusCode != 0 {
			e.Status = fail.StatusCode
		}
	}
	for _, observe := range c.observers {
		observe(ctx, e)
	}
}

// date is the answer's Date header; zero if there is none.
func (a *attempt) date() time.Time {
	date, err := http.ParseTime(a.header.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return date.UTC()
}
