package calendar

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
)

// The paths of the API.
const (
	accountsPath = "/v1/accounts"
	calendarPath = "/v1/calendar"
	changesPath  = "/v1/changes"
)

// maxBody is how many bytes of JSON an answer has, and somewhat more. A Lambda function may answer with 6 MB, and
// its answer is a JSON string: each quotation mark in it counts twice, which makes a quarter more.
const maxBody = 4 << 20

// API serves what is stored as JSON: GET and HEAD of /v1/accounts (Accounts), /v1/calendar (Document) and
// /v1/changes (Changes), and nothing else. It asks nobody who the reader is: that is up to who mounts it.
//
// Answers have an ETag; a request that names it under If-None-Match is answered by 304. Next links are paths with a
// query; they hold everything that the next page needs, so that any instance over the same store can serve it.
//
// A calendar is what is stored when it is asked for, and holds at least the changes up to its seq: with those after
// it applied, in order and to the last one, it is what is stored then. Each page of a calendar has a seq of its own.
// Who reads several pages goes on after the smallest one: to apply a change again that a page holds already makes no
// difference in the end. What a calendar shows unknown because of the moment (its age, a lapsed hold, the window) is no
// change and becomes known without one: ask for it again when the account has a later as_of.
//
// What is wrong is told as {"message", "next"}: 400 for a question that is none, with all that is wrong with it, 404
// for an account that is not there, 410 for changes that are not kept, 500 if the store fails.
func API(store lookup.Store, opts Options) http.Handler {
	return newAPI(store, opts)
}

// api is the handler. It keeps nothing between two requests.
type api struct {
	store lookup.Store
	opts  Options
	pages limits
}

// limits are where a page ends.
type limits struct {
	properties int // of a calendar
	bytes      int // of any answer
}

func newAPI(store lookup.Store, opts Options) *api {
	return &api{store: store, opts: opts.withDefaults(), pages: limits{properties: maxProperties, bytes: maxBody}}
}

// failure is an answer that tells why there is no other.
type failure struct {
	status  int
	Message string `json:"message"`
	Next    string `json:"next"` // what to do about it
}

func (f failure) Error() string { return f.Message }

// ServeHTTP answers a request.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	body, err := a.answer(r)
	if err != nil {
		body = a.fail(w, err)
	} else {
		tag := etag(body)
		h.Set("ETag", tag)
		h.Set("Cache-Control", "private, no-cache") // may be kept, and must be asked for again each time
		if matches(r.Header.Values("If-None-Match"), tag) {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.WriteHeader(http.StatusOK) // for HEAD too: behind API Gateway nobody else would say it
	}
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the reader has left: nobody is there to be told
	}
}

// answer finds the answer to a request, or why there is none.
func (a *api) answer(r *http.Request) ([]byte, error) {
	find, q, err := a.route(r)
	if err != nil {
		return nil, err
	}
	value, err := find(r.Context(), q)
	if err != nil {
		return nil, err
	}
	return encode(value)
}

// fail begins an answer that tells why there is no other, and returns its body. Of trouble of our own the operator
// is told, the reader is not.
func (a *api) fail(w http.ResponseWriter, err error) []byte {
	fail, ok := errors.AsType[failure](err)
	if !ok {
		a.opts.OnError(err)
		fail = failure{http.StatusInternalServerError, "What is kept could not be read.", "Try again in a moment; if it stays, whoever runs this finds the reason in its log."}
	}
	if fail.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", "GET, HEAD")
	}
	w.WriteHeader(fail.status)
	body, _ := encode(fail) // two strings can be written as JSON
	return body
}

// route returns who answers a request, and its query.
func (a *api) route(r *http.Request) (find func(context.Context, *query) (any, error), q *query, err error) {
	var example string
	var parameters []string
	switch r.URL.Path {
	case accountsPath:
		find, parameters, example = a.accounts, []string{"after", "limit"}, "?limit=100"
	case calendarPath:
		find, parameters = a.calendar, []string{"account", "property", "from", "to", "after"}
		example = "?account=123456&from=2026-12-01&to=2026-12-15, and &property=4401 for some properties only"
	case changesPath:
		find, parameters, example = a.changes, []string{"account", "after", "limit"}, "?account=123456&after=17"
	default:
		return nil, nil, failure{http.StatusNotFound, "There is nothing here.", "Ask for " + accountsPath + ", " + calendarPath + " or " + changesPath + "."}
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return nil, nil, failure{http.StatusMethodNotAllowed, "This can only be read.", "Use GET."}
	}
	return find, parseQuery(r.URL.RawQuery, parameters, "Ask as in "+r.URL.Path+example+"."), nil
}

// noAccount is the answer to a question for an account that is not there.
func noAccount(id int64) error {
	return failure{http.StatusNotFound, "There is no account " + lookup.AccountKey(id) + " here.", accountsPath + " lists the accounts that are connected."}
}

func encode(value any) ([]byte, error) {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	err := enc.Encode(value)
	return text.Bytes(), err
}

// room is how many bytes of JSON an answer may still have.
type room int

// take takes the room that v needs, and reports whether there was enough.
func (r *room) take(v any) bool {
	text, err := json.Marshal(v)
	*r -= room(len(text))
	return err != nil || *r >= 0 // what cannot be written fails when the answer is
}

// etag is a strong validator: two bodies with the same one are the same.
func etag(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + hex.EncodeToString(sum[:16]) + `"`
}

// matches reports whether one of the headers If-None-Match names the tag, compared as RFC 9110 says: weakly.
func matches(headers []string, tag string) bool {
	for _, header := range headers {
		for each := range strings.SplitSeq(header, ",") {
			each = strings.TrimSpace(each)
			if each == "*" || strings.TrimPrefix(each, "W/") == tag {
				return true
			}
		}
	}
	return false
}
