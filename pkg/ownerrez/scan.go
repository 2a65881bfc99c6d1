package ownerrez

import (
	"bytes"
	"encoding/json"
	"iter"
	"strconv"
	"unicode/utf8"
)

// The functions of this file take JSON apart that json.Valid has accepted, without looking at it twice. Given
// anything else they end early; they never panic.

// members yields the keys and values of a JSON object in order; nothing if data is no object. A key with
// escapes in it is yielded as it means.
func members(data []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		i := skipSpace(data, 0)
		if i >= len(data) || data[i] != '{' {
			return
		}
		for i++; ; i++ {
			start := skipSpace(data, i)
			if start >= len(data) || data[start] != '"' {
				return
			}
			end := skipString(data, start)
			begin := skipSpace(data, skipSpace(data, end)+1) // behind the colon
			i = skipValue(data, begin)
			if i > len(data) || begin >= i || !yield(keyOf(data[start:end]), data[begin:i]) {
				return
			}
			if i = skipSpace(data, i); i >= len(data) || data[i] != ',' {
				return
			}
		}
	}
}

// elements yields the values of a JSON array in order; nothing if data is no array.
func elements(data []byte) iter.Seq[[]byte] {
	return func(yield func(value []byte) bool) {
		i := skipSpace(data, 0)
		if i >= len(data) || data[i] != '[' {
			return
		}
		for i++; ; i++ {
			begin := skipSpace(data, i)
			if i = skipValue(data, begin); begin >= i || !yield(data[begin:i]) {
				return
			}
			if i = skipSpace(data, i); i >= len(data) || data[i] != ',' {
				return
			}
		}
	}
}

func skipSpace(data []byte, i int) int {
	for i < len(data) && (data[i] == ' ' || data[i] == '\n' || data[i] == '\r' || data[i] == '\t') {
		i++
	}
	return i
}

// skipString returns the index behind the string that begins at i.
func skipString(data []byte, i int) int {
	for i++; i < len(data); i++ {
		quote := bytes.IndexByte(data[i:], '"')
		if quote < 0 {
			break
		}
		i += quote
		escapes := 0
		for data[i-1-escapes] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			return i + 1
		}
	}
	return len(data)
}

// skipValue returns the index behind the value that begins at i; i if there is none.
func skipValue(data []byte, i int) int {
	depth := 0
	for i < len(data) {
		switch data[i] {
		case '"':
			i = skipString(data, i)
		case '{', '[':
			depth++
			i++
			continue
		case '}', ']':
			if depth == 0 {
				return i
			}
			depth--
			i++
		case ',', ':', ' ', '\n', '\r', '\t':
			if depth == 0 {
				return i
			}
			i++
			continue
		default:
			for i < len(data) && !isDelimiter(data[i]) {
				i++
			}
		}
		if depth == 0 {
			return i
		}
	}
	return len(data)
}

func isDelimiter(b byte) bool {
	switch b {
	case ',', ':', ']', '}', '[', '{', '"', ' ', '\n', '\r', '\t':
		return true
	}
	return false
}

// keyOf is the key that a JSON string means.
func keyOf(quoted []byte) []byte {
	if text, ok := plainString(quoted); ok {
		return text
	}
	text, _ := stringOf(quoted)
	return []byte(text)
}

// plainString is the content of a JSON string that holds no escapes and is valid UTF-8.
func plainString(value []byte) ([]byte, bool) {
	if len(value) < 2 || value[0] != '"' || value[len(value)-1] != '"' {
		return nil, false
	}
	text := value[1 : len(value)-1]
	for _, b := range text {
		if b == '\\' || b >= utf8.RuneSelf {
			return text, bytes.IndexByte(text, '\\') < 0 && utf8.Valid(text)
		}
	}
	return text, true
}

// stringOf reads a JSON string.
func stringOf(value []byte) (string, bool) {
	if text, ok := plainString(value); ok {
		return string(text), true
	}
	if len(value) == 0 || value[0] != '"' {
		return "", false
	}
	var text string
	err := json.Unmarshal(value, &text)
	return text, err == nil
}

// intOf reads a whole JSON number, also one in a string.
func intOf(value []byte) (int, bool) {
	if text, ok := plainString(value); ok {
		value = text
	}
	n, err := strconv.Atoi(string(value))
	return n, err == nil
}

func isArray(data []byte) bool {
	i := skipSpace(data, 0)
	return i < len(data) && data[i] == '['
}

func isNull(value []byte) bool { return len(value) > 0 && value[0] == 'n' }

// isEmpty reports whether a value says nothing: null, false, "", [] or {}.
func isEmpty(value []byte) bool {
	switch string(value) {
	case "null", "false", `""`, "[]", "{}":
		return true
	}
	return false
}
