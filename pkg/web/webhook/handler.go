// Package webhook takes in what OwnerRez posts: it sees that OwnerRez sent it, wakes the lane of the account that it is
// about, and answers. Nothing of what was posted is believed, and nothing but the account, the booking's number and the
// kind of event goes on: the lane asks OwnerRez itself.
//
// OwnerRez signs nothing. There are two doors: the app's own address, which OwnerRez calls with a user and a password
// (https://www.ownerrez.com/support/articles/api-webhooks), and an address for each account, which nobody can know who
// was not told, for the subscriptions that are made through the API. OwnerRez takes an answer that comes later than
// after two seconds, or that is not 2xx, for a failure, and sends again: ten times over some six hours, it is said.
package webhook

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
)

// Path is the app's door; below it are those of the accounts: Path/{account}/{code}.
const Path = "/webhooks/ownerrez"

const (
	maxBody    = 256 << 10               // bytes; what is known of OwnerRez's are some thousand
	rereadMost = time.Minute             // how often credentials are read again because some were wrong
	wakeTime   = 1500 * time.Millisecond // for the queue, so that the answer comes within two seconds
)

// Options are what the doors need. All but Now and Count are required.
type Options struct {
	// Credentials are those that are configured; with again they are read anew.
	Credentials func(ctx context.Context, again bool) (account.WebhookCredentials, error)
	Wake        func(context.Context, lookup.Wake) error
	Count       func(ctx context.Context, what Outcome, account int64, err error) // told of every request; may be nil
	Now         func() time.Time                                                  // nil means time.Now
}

// Outcome is what became of a request.
type Outcome string

// The outcomes.
const (
	Queued  Outcome = "queued"  // the account's lane was woken
	Ignored Outcome = "ignored" // it tells of nothing that concerns a calendar
	Tested  Outcome = "tested"  // somebody pressed OwnerRez's button
	Refused Outcome = "refused" // wrong credentials
	Invalid Outcome = "invalid" // not what OwnerRez posts
	Failed  Outcome = "failed"  // our own trouble: OwnerRez sends it again
)

type doors struct {
	Options

	mu     sync.Mutex
	reread time.Time // when credentials were last read again
}

// Handler serves the doors, by POST and at no other paths.
func Handler(opts Options) http.Handler {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Count == nil {
		opts.Count = func(context.Context, Outcome, int64, error) {}
	}
	d := &doors{Options: opts}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+Path, d.serve)
	mux.HandleFunc("POST "+Path+"/{account}/{code}", d.serve)
	return mux
}

// serve answers one request.
func (d *doors) serve(w http.ResponseWriter, r *http.Request) {
	status, what, id, err := d.take(w, r)
	d.Count(r.Context(), what, id, err)
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	switch status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Basic realm="webhooks", charset="UTF-8"`)
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", "60")
	}
	w.WriteHeader(status)
	text := "ok"
	if err != nil {
		text = err.Error()
	}
	if status >= http.StatusInternalServerError {
		text = "not taken in; send it again"
	}
	_, _ = io.WriteString(w, text+"\n") //nolint:gosec // plain text of our own words; and OwnerRez does not wait for it
}

// take sees who sends, reads what, and wakes whom it is about.
func (d *doors) take(w http.ResponseWriter, r *http.Request) (status int, what Outcome, id int64, err error) {
	id, err = d.admit(r)
	if errors.Is(err, errWrong) {
		return http.StatusUnauthorized, Refused, 0, err
	}
	if err != nil {
		return http.StatusServiceUnavailable, Failed, 0, err
	}
	body, status, err := read(w, r)
	if err != nil {
		return status, Invalid, id, err
	}
	hook, err := parse(body)
	switch {
	case err != nil:
		return http.StatusBadRequest, Invalid, id, err
	case id != 0 && hook.account != id && (hook.account != 0 || !hook.test): // another account's address
		return http.StatusUnauthorized, Refused, 0, errWrong
	case hook.test:
		return http.StatusOK, Tested, cmp.Or(hook.account, id), nil
	case hook.account == 0:
		return http.StatusBadRequest, Invalid, 0, errors.New("user_id: must be the number of an account")
	case hook.ignored:
		return http.StatusOK, Ignored, hook.account, nil
	}
	ctx, cancel := context.WithTimeout(r.Context(), wakeTime)
	defer cancel()
	wake := lookup.Wake{
		Key: lookup.AccountKey(hook.account), Reason: lookup.ReasonWebhook, Booking: hook.booking, Revoked: hook.revoked,
		Sent: d.Now().UTC().Truncate(time.Second),
	}
	if err := d.Wake(ctx, wake); err != nil {
		return http.StatusServiceUnavailable, Failed, hook.account, err
	}
	return http.StatusOK, Queued, hook.account, nil
}

// errWrong is all that somebody is told whom we do not let in.
var errWrong = errors.New("wrong credentials")

// admit reports whose door it is at which somebody may come in, 0 for the app's; else errWrong, or our own trouble: who is
// not known because the app's secret was filled in a wrong way may be right.
func (d *doors) admit(r *http.Request) (id int64, err error) {
	wrong := errWrong
	for _, again := range []bool{false, true} {
		if again && !d.mayReread() {
			break
		}
		known, err := d.Credentials(r.Context(), again)
		if err != nil {
			return 0, err
		}
		if id, ok := admit(known, r); ok {
			return id, nil
		}
		if wrong = errWrong; known.Wrong != nil && r.PathValue("account") == "" {
			wrong = known.Wrong
		}
	}
	return 0, wrong
}

// mayReread lets credentials be read again once a minute: whoever guesses must not have us do so each time.
func (d *doors) mayReread() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.Now()
	if age := now.Sub(d.reread); age >= 0 && age < rereadMost {
		return false
	}
	d.reread = now
	return true
}

func admit(c account.WebhookCredentials, r *http.Request) (id int64, ok bool) {
	if text := r.PathValue("account"); text != "" {
		id, err := strconv.ParseInt(text, 10, 64)
		known := account.IsWebhookCode(c.Keys, id, r.PathValue("code"))
		return id, err == nil && id > 0 && known
	}
	user, password, sent := r.BasicAuth() // which splits at the first colon
	for _, pair := range c.Pairs {
		same := equal(pair.User, user) & equal(pair.Password, password)
		ok = ok || same == 1 && pair.User != "" && pair.Password != ""
	}
	return 0, ok && sent
}

// equal compares in a time that tells nothing, not even lengths.
func equal(a, b string) int {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:])
}

// read reads a body that is JSON, as it is, and not too large.
func read(w http.ResponseWriter, r *http.Request) (body []byte, status int, err error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" && !strings.HasSuffix(kind, "+json") {
		return nil, http.StatusUnsupportedMediaType, errors.New("the body must be application/json")
	}
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return nil, http.StatusUnsupportedMediaType, errors.New("the body must not be compressed")
	}
	body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
		return nil, http.StatusRequestEntityTooLarge, errors.New("the body is too large")
	}
	if err != nil {
		return nil, http.StatusBadRequest, errors.New("the body ended early")
	}
	return body, 0, nil
}
