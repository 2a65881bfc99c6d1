package ownerrez

import (
	"encoding/base64"
	"errors"
	"net/url"
	"regexp"
	"strings"
	"unicode"
)

// maxMessage is how many characters of what the API says are kept.
const maxMessage = 300

// secretShape matches what looks like a credential or an address: OwnerRez's tokens, secrets and codes, an
// Authorization header's value, and URLs, which may hold any of them.
var secretShape = regexp.MustCompile(`(?i)\b(?:basic|bearer)\s+[^\s"',;]+` +
	`|(?:\b|%3a)(?:pt|at|rt|tc|s|c)_[^\s"'<>,;)&]+` +
	`|\b[a-z][a-z0-9+.-]*://[^\s"'<>]+`)

// longWord matches runs that may be an encoded credential; those with letters and digits are taken for one.
var longWord = regexp.MustCompile(`[A-Za-z0-9+/_%=-]{16,}`)

const scrubbed = "[hidden]"

// scrub makes foreign text fit for errors and logs: without anything that is or looks like a credential, on
// one line, and short. The secrets are those that are known to matter here.
func scrub(text string, secrets ...string) string {
	for _, secret := range secrets {
		_, bare, _ := strings.Cut(secret, "_")
		for _, form := range []string{secret, url.QueryEscape(secret), url.PathEscape(secret), base64.StdEncoding.EncodeToString([]byte(secret)), bare, url.QueryEscape(bare)} {
			if len(form) >= 4 {
				text = strings.ReplaceAll(text, form, scrubbed)
			}
		}
	}
	text = secretShape.ReplaceAllString(text, scrubbed)
	text = longWord.ReplaceAllStringFunc(text, func(word string) string {
		if strings.ContainsFunc(word, unicode.IsDigit) && strings.ContainsFunc(word, unicode.IsLetter) {
			return scrubbed
		}
		return word
	})
	return shortenRunes(strings.Join(strings.FieldsFunc(text, unprintable), " "), maxMessage)
}

// shortenRunes cuts text to at most n characters, and shows that it did.
func shortenRunes(text string, n int) string {
	runes := []rune(text)
	if len(runes) <= n {
		return string(runes)
	}
	return string(runes[:n-1]) + "…"
}

// quietError is a foreign error with a text that is fit to be shown.
type quietError struct {
	text  string
	cause error
}

func (e *quietError) Error() string { return e.text }
func (e *quietError) Unwrap() error { return e.cause }

// quiet wraps a foreign error so that errors.Is finds it and its text hides the secrets. A *url.Error, which
// holds the address of the request, is replaced by its cause.
func quiet(err error, secrets ...string) error {
	for {
		withURL, ok := errors.AsType[*url.Error](err)
		if !ok {
			return &quietError{scrub(err.Error(), secrets...), err}
		}
		err = withURL.Err
	}
}
