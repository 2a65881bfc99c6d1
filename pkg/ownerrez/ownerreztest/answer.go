package ownerreztest

import (
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"time"
)

// answer is what the server sends.
type answer struct {
	status int
	header map[string]string
	body   []byte
	total  int // of a page: how many rows there are on all pages
}

const (
	contentType = "Content-Type"
	jsonType    = "application/json; charset=utf-8"
	htmlType    = "text/html; charset=utf-8"
)

// jsonAnswer answers with a value as JSON.
func jsonAnswer(status int, value any) answer { return textAnswer(status, jsonType, encode(value)) }

// textAnswer answers with a body as it is.
func textAnswer(status int, kind string, body []byte) answer {
	return answer{status: status, header: map[string]string{contentType: kind}, body: body}
}

// with adds a header.
func (a answer) with(key, value string) answer {
	header := maps.Clone(a.header)
	if header == nil {
		header = map[string]string{}
	}
	header[key] = value
	a.header = header
	return a
}

// write sends the answer's head, and its body if there is one. Content-Length is always told.
func (a answer) write(w http.ResponseWriter, at time.Time, body []byte) {
	h := w.Header()
	h.Set("Cache-Control", "no-store, must-revalidate, no-cache")
	h.Set("Api-Supported-Versions", "1.0, 2.0")
	h.Set("Date", at.Format(http.TimeFormat))
	for key, value := range a.header {
		h.Set(key, value)
	}
	if a.status != http.StatusNoContent && a.status != http.StatusNotModified {
		h.Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(body) // a caller that has left is no concern of the server
}

// codes are the words for the statuses that errors have, where they are documented or the obvious ones.
var codes = map[int]string{
	400: "validation_failed", 401: "invalid_token", 402: "payment_required", 403: "forbidden", 404: "not_found",
	408: "request_timeout", 409: "conflict", 414: "uri_too_long", 422: "validation_failed", 429: "rate_limited",
	500: "server_error", 502: "bad_gateway", 503: "unavailable", 504: "gateway_timeout",
}

// failure is an error in the shape of v2.
func (q Quirks) failure(status int, code string, message string) answer {
	body := map[string]any{"status": code, "status_code": status, "messages": []string{message}}
	if q.MessagesAsString {
		body["messages"] = message
	}
	if !q.OldErrors {
		body["code"], body["doc_url"] = code, "https://api.ownerrez.com/help/v2/errors#"+code
		if q.CodeAsNumber {
			body["code"] = status
		}
	}
	return jsonAnswer(status, body)
}

// invalid is the answer to a parameter that cannot be right.
func (q Quirks) invalid(format string, args ...any) answer {
	return q.failure(http.StatusBadRequest, "validation_failed", fmt.Sprintf(format, args...))
}

// notFound is the answer to an id that is not there.
func (q Quirks) notFound(entity, id string) answer {
	return q.failure(http.StatusNotFound, "not_found", fmt.Sprintf("Expected entity %s:Id:%s not found.", entity, id))
}

// unsupported is the answer to a route, method or parameter that does not exist: it comes from the framework
// below OwnerRez, in its own shape, and its text names the whole URI.
func unsupported(c *call) answer {
	return jsonAnswer(http.StatusMethodNotAllowed, map[string]any{"error": map[string]any{
		"code": "UnsupportedApiVersion",
		"message": fmt.Sprintf("The HTTP resource that matches the request URI '%s%s' with API version '2.0' does not support HTTP method '%s'.",
			c.origin, c.r.URL.RequestURI(), c.r.Method),
		"innerError": nil,
	}})
}

// oauthFailure is an error in the shape of OAuth.
func oauthFailure(status int, code, description string) answer {
	return jsonAnswer(status, map[string]any{"error": code, "error_description": description})
}

// rateLimited is the answer above the limit.
func (q Quirks) rateLimited() answer {
	a := jsonAnswer(http.StatusTooManyRequests, map[string]any{"code": 429, "error": "Rate limit exceeded."})
	if q.RateLimitInWords {
		a = q.failure(http.StatusTooManyRequests, "rate_limited", "Rate limit exceeded.")
	}
	if wait := q.RateLimitRetryTime; wait > 0 {
		a = a.with("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
	}
	return a
}

// htmlPage is a page as it comes from what stands before the API.
func htmlPage(status int) answer {
	const page = "<!DOCTYPE html>\n<html><head><title>%d %s</title></head>\n<body><h1>%d %s</h1><hr>edge</body></html>\n"
	text := http.StatusText(status)
	return textAnswer(status, htmlType, fmt.Appendf(nil, page, status, text, status, text))
}
