package ownerrez

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// What went wrong, for errors.Is. The first group goes by the status of the API's answer.
var (
	ErrInvalid          = errors.New("the request is not valid")             // 400, 422, and what is refused before it is sent
	ErrUnauthorized     = errors.New("the credentials are refused")          // 401
	ErrPaymentRequired  = errors.New("the account lacks a paid feature")     // 402
	ErrForbidden        = errors.New("the request is forbidden")             // 403
	ErrNotFound         = errors.New("not found")                            // 404
	ErrMethodNotAllowed = errors.New("the API does not know this request")   // 405
	ErrConflict         = errors.New("the request conflicts with the state") // 409
	ErrRateLimited      = errors.New("too many requests")                    // 429, and a Limiter's refusal
	ErrServer           = errors.New("the API failed")                       // 5xx

	// ErrUnreadable says that the answer is not what the API documents: HTML, broken JSON, an error
	// under 200 that names no status, a redirect, an object where a page should be.
	ErrUnreadable = errors.New("the answer is not what the API documents")

	// ErrIncomplete says that a list cannot be read whole: rows may be missing from what was read.
	ErrIncomplete = errors.New("the list cannot be read whole")

	// ErrUnreachable says that there was no answer: the connection failed, broke, or timed out.
	ErrUnreachable = errors.New("no answer from OwnerRez")
)

// Error is the error of every call that had to do with a request. Its text names the route, never a path
// with values, a query, a header or a body; of what the API said it holds the messages and the code, shortened
// and without anything that looks like a credential.
//
// Use errors.Is with the Err… values of this package, or with context.Canceled and context.DeadlineExceeded,
// to tell errors apart, and errors.AsType[*Error] to see the details.
type Error struct {
	Method     string        // such as GET
	Route      string        // such as /v2/bookings/{id}
	StatusCode int           // of the answer, or the one that an error under 200 names; 0 if there was no answer or the trouble is not one answer's
	Code       string        // the API's own code, such as not_found; may be empty
	Messages   []string      // the API's own sentences; may be empty
	RetryAfter time.Duration // how long the API asked to wait; 0 if it did not say
	Attempts   int           // how often the request was tried
	Err        error         // the cause where it is not a status; may be nil
}

// Error says what happened, and for the common cases what to do next.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", e.Method, e.Route)
	if e.StatusCode != 0 {
		b.WriteString(strings.TrimRight(fmt.Sprintf(": %d %s", e.StatusCode, strings.ToLower(http.StatusText(e.StatusCode))), " "))
	}
	if e.Code != "" && !strings.EqualFold(strings.ReplaceAll(e.Code, "_", " "), http.StatusText(e.StatusCode)) {
		fmt.Fprintf(&b, " (%s)", e.Code)
	}
	for _, part := range []string{shortenRunes(strings.Join(e.Messages, " "), maxMessage), errorText(e.Err), e.hint()} {
		if part != "" {
			b.WriteString(": " + part)
		}
	}
	if e.Attempts > 1 {
		fmt.Fprintf(&b, " (after %d attempts)", e.Attempts)
	}
	return b.String()
}

// hint says what to do next.
func (e *Error) hint() string {
	switch {
	case e.StatusCode == http.StatusUnauthorized:
		return "the token or secret is wrong, revoked or expired; check it"
	case e.StatusCode == http.StatusPaymentRequired:
		return "the account needs a paid feature or an agreement with OwnerRez for this"
	case e.StatusCode == http.StatusForbidden:
		return "the IP address may be blocked, may have used personal tokens of two other accounts within 24 hours, or the User-Agent is missing"
	case e.StatusCode == http.StatusTooManyRequests && e.RetryAfter > 0:
		return fmt.Sprintf("try again in %s", e.RetryAfter.Round(time.Second))
	case e.StatusCode == http.StatusTooManyRequests:
		return "OwnerRez takes 300 requests in 5 minutes from one IP address; try again later"
	case e.StatusCode >= 500:
		return "try again later"
	}
	return ""
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is the Err… value that belongs to e's status.
func (e *Error) Is(target error) bool {
	kind := statusKind(e.StatusCode)
	return kind != nil && kind == target
}

// LogValue gives a structured logger the parts of e.
func (e *Error) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("method", e.Method),
		slog.String("route", e.Route),
		slog.Int("status", e.StatusCode),
		slog.String("code", e.Code),
		slog.Int("attempts", e.Attempts),
		slog.String("msg", e.Error()),
	)
}

func statusKind(status int) error {
	switch status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return ErrInvalid
	case http.StatusUnauthorized:
		return ErrUnauthorized
	case http.StatusPaymentRequired:
		return ErrPaymentRequired
	case http.StatusForbidden:
		return ErrForbidden
	case http.StatusNotFound:
		return ErrNotFound
	case http.StatusMethodNotAllowed:
		return ErrMethodNotAllowed
	case http.StatusConflict:
		return ErrConflict
	case http.StatusTooManyRequests:
		return ErrRateLimited
	}
	if status >= 500 && status <= 599 {
		return ErrServer
	}
	return nil
}
