package account

import (
	"bytes"
	"encoding/json"
	"io"
)

// MalformedError says that an operator's secret was filled with something that is not what it should hold. It tells
// nothing of the secret.
type MalformedError struct {
	Secret  string // what it should hold: "personal token" or "OAuth app"
	Why     string
	Example string // what to fill it with
}

// Error says what is wrong with the secret.
func (e *MalformedError) Error() string { return "the secret of the " + e.Secret + " " + e.Why }

// trimSecret takes away what editors put around what a person writes: some begin with a byte order mark.
func trimSecret(value []byte) []byte {
	return bytes.TrimSpace(bytes.TrimPrefix(value, []byte("\ufeff")))
}

// decodeStrictly reads a JSON object with known keys and nothing behind it. What is wrong is not told, as it may be
// part of a secret.
func decodeStrictly(text []byte, into any) bool {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if dec.Decode(into) != nil {
		return false
	}
	_, err := dec.Token()
	return err == io.EOF
}
