package sqs

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"
)

// mark begins a body that SQS would not take as it is: base64 follows. All others are sent as they are, so that
// they can be read in the console, and what is typed there needs no more than its text.
const mark = "base64:"

func encode(body []byte) string {
	if plain(body) {
		return string(body)
	}
	return mark + base64.StdEncoding.EncodeToString(body)
}

func decode(text string) ([]byte, error) {
	encoded, ok := strings.CutPrefix(text, mark)
	if !ok {
		return []byte(text), nil
	}
	body, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, fmt.Errorf("its body begins with %q, and no base64 follows: %w", mark, err)
	}
	return body, nil
}

// plain reports whether SQS takes the body as it is: text of at least one character, without the characters that
// XML forbids.
func plain(body []byte) bool {
	return len(body) > 0 && utf8.Valid(body) && !bytes.HasPrefix(body, []byte(mark)) && !bytes.ContainsFunc(body, forbidden)
}

func forbidden(c rune) bool {
	return c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0xFFFE || c == 0xFFFF
}
