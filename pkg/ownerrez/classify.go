package ownerrez

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// classify says whether the answer is one that can be decoded, or which error it is.
func (c *core) classify(_ context.Context, a *attempt) error {
	switch {
	case a.status == http.StatusNotFound && a.method == http.MethodDelete && a.number > 1:
		return nil // the attempt before did it, and only its answer was lost
	case a.status >= 400:
		return a.refusal(a.status)
	case a.status < 200 || a.status >= 300:
		return &Error{StatusCode: a.status, Err: fmt.Errorf("%w: redirects are not followed", ErrUnreadable)}
	case len(a.body) == 0 && a.method == http.MethodDelete:
		return nil
	case !json.Valid(a.body):
		return fmt.Errorf("%w: it is %s", ErrUnreadable, looksLike(a.body))
	}
	return a.hiddenError()
}

// refusal is the error that an answer with that status holds.
func (a *attempt) refusal(status int) *Error {
	body := parseErrorBody(a.body, a.secrets()...)
	now := a.date()
	if now.IsZero() {
		now = time.Now()
	}
	return &Error{
		StatusCode: status, Code: body.code, Messages: body.messages,
		RetryAfter: parseRetryAfter(a.header.Get("Retry-After"), now),
	}
}

// hiddenError finds an error in the body of an answer whose status says that all is well.
func (a *attempt) hiddenError() error {
	var row, speaks, failed bool
	for key, value := range members(a.body) {
		switch string(bytes.ToLower(key)) {
		case "id", "items":
			row = true
		case "code", "messages", "message", "error_description":
			speaks = speaks || !isEmpty(value)
		case "error":
			failed = failed || !isEmpty(value)
		case "status_code":
			status, _ := intOf(value)
			failed = failed || status >= 400
		}
	}
	if !failed && (row || !speaks) {
		return nil
	}
	body := parseErrorBody(a.body, a.secrets()...)
	if body.status >= 400 && body.status <= 599 {
		return a.refusal(body.status)
	}
	return &Error{
		StatusCode: a.status, Code: body.code, Messages: body.messages,
		Err: fmt.Errorf("%w: it is an error in spite of its status", ErrUnreadable),
	}
}

// errorBody is what the API says of an error.
type errorBody struct {
	code     string
	messages []string
	status   int // 0: not said
}

// maxMessages is how many of the API's sentences are kept.
const maxMessages = 10

// parseErrorBody reads every shape of error that OwnerRez is known to send:
//
//	{"messages": ["…"] or "…", "code": "not_found", "status": "not_found", "status_code": 404}   v2
//	{"code": 429, "error": "Rate limit exceeded."}                                               rate limit
//	{"code": 11, "messages": ["…"]}                                                              v1
//	{"error": "invalid_grant", "error_description": "…"}                                         OAuth
//	{"error": {"code": "UnsupportedApiVersion", "message": "…"}} and {"message": "…"}            framework
//
// Anything else, such as HTML, says nothing.
func parseErrorBody(data []byte, secrets ...string) errorBody {
	var body errorBody
	if !json.Valid(data) {
		return body
	}
	body.add(data, secrets)
	body.messages = body.messages[:min(len(body.messages), maxMessages)]
	return body
}

// add takes over what one object of the body says. Later members never undo what earlier ones said.
func (b *errorBody) add(object []byte, secrets []string) {
	for key, value := range members(object) {
		switch string(bytes.ToLower(key)) {
		case "messages", "message", "error_description":
			b.say(value, secrets)
		case "error":
			b.addError(value, secrets)
		case "code":
			b.setCode(value, secrets)
		case "status":
			if text, _ := stringOf(value); b.code == "" && isCode(text) {
				b.code = text
			}
		case "status_code":
			if status, ok := intOf(value); ok {
				b.status = status
			}
		}
	}
}

// say adds a sentence, or an array of them.
func (b *errorBody) say(value []byte, secrets []string) {
	if text, ok := stringOf(value); ok && text != "" {
		b.messages = append(b.messages, scrub(text, secrets...))
	}
	for element := range elements(value) {
		if text, ok := stringOf(element); ok && text != "" {
			b.messages = append(b.messages, scrub(text, secrets...))
		}
	}
}

// addError reads "error": a sentence, OAuth's code, or an object of its own.
func (b *errorBody) addError(value []byte, secrets []string) {
	text, ok := stringOf(value)
	switch {
	case !ok:
		for key, inner := range members(value) {
			switch string(bytes.ToLower(key)) {
			case "code":
				b.setCode(inner, secrets)
			case "message", "messages":
				b.say(inner, secrets)
			}
		}
	case b.code == "" && isCode(text):
		b.code = scrub(text, secrets...)
	default:
		b.say(value, secrets)
	}
}

// setCode reads "code", a name or a number. A number may be a status.
func (b *errorBody) setCode(value []byte, secrets []string) {
	if n, ok := intOf(value); ok {
		b.code = strconv.Itoa(n)
		if b.status == 0 {
			b.status = n
		}
	} else if text, ok := stringOf(value); ok && text != "" {
		b.code = shortenRunes(scrub(text, secrets...), 60)
	}
}

// isCode tells a name such as invalid_grant from a sentence.
func isCode(text string) bool {
	for _, r := range text {
		if (r < 'a' || r > 'z') && r != '_' {
			return false
		}
	}
	return text != "" && len(text) <= 60
}

// looksLike says what a body that is no JSON seems to be.
func looksLike(body []byte) string {
	switch start := bytes.ToLower(bytes.TrimSpace(body[:min(len(body), 512)])); {
	case len(bytes.TrimSpace(body)) == 0:
		return "empty"
	case bytes.HasPrefix(start, []byte("<!doctype")) || bytes.HasPrefix(start, []byte("<html")):
		return "a web page, not JSON: something between here and the API may have answered"
	}
	return "not valid JSON"
}
