package vaulttest

import (
	"bytes"
	"testing"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
)

// values are values of all kinds that engines take.
func values() map[string][]byte {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	return map[string][]byte{
		"an empty object":                []byte("{}"),
		"one byte":                       []byte("0"),
		"NUL":                            {0},
		"NUL in text":                    []byte(canary + "a\x00b"),
		"all bytes":                      every,
		"no UTF-8":                       []byte(canary + "a\xff\xfe\xc3"),
		"half a surrogate":               []byte(canary + "\xed\xa0\x80"),
		"text of all planes":             []byte(canary + "Hütte – 山小屋 🏔 \U0010FFFD \u2028\u2029\uFEFF\uFFFD"),
		"JSON":                           []byte(canary + `{"email":"host@example.com","token":"pt_test","note":"<&\"\\/\u0000>"}`),
		"white space":                    []byte(" \t\r\n" + canary + "\r\n \t"),
		"control characters":             []byte(canary + "\x01\x1b[31m\x7f\u0085"),
		"as much text as fits":           bytes.Repeat([]byte("0123456789abcdef"), vault.MaxValue/16),
		"as much as fits":                bytes.Repeat(every, vault.MaxValue/256),
		"as much text of signs as fits":  bytes.Repeat([]byte("🏔"), vault.MaxValue/4),
		"as many quotation marks as fit": bytes.Repeat([]byte(`"`), vault.MaxValue),
	}
}

// invalid are values that no engine takes.
func invalid() map[string][]byte {
	return map[string][]byte{
		"an empty value":        {},
		"one byte more of text": append([]byte(canary), bytes.Repeat([]byte("a"), vault.MaxValue+1-len(canary))...),
		"one byte more":         append([]byte(canary), make([]byte, vault.MaxValue+1-len(canary))...),
	}
}

func testBytes(t *testing.T, e Engine) {
	for what, value := range values() {
		t.Run(what, func(t *testing.T) {
			name := e.Create(t, value)
			version := mustGet(t, e.Vault, name).Version
			wantCurrent(t, e.Vault, name, version, value)
			version = mustReplace(t, e.Vault, name, version, newValue())
			version = mustReplace(t, e.Vault, name, version, value)
			wantCurrent(t, e.Vault, name, version, value)
			if e.Interrupt == nil {
				return
			}
			e.Interrupt(t, name, version, value)
			adopted, err := e.Vault.Adopt(t.Context(), name, version)
			if err != nil || !bytes.Equal(adopted.Value, value) {
				t.Errorf("Adopt returned another value, error %v", err)
			}
		})
	}
}

func testInvalid(t *testing.T, e Engine) {
	value := newValue()
	name := e.Create(t, value)
	version := mustGet(t, e.Vault, name).Version
	_, err := e.Vault.Replace(t.Context(), name, version, nil)
	wantError(t, "Replace by nothing", err, vault.ErrInvalid)
	for what, bad := range invalid() {
		_, err = e.Vault.Replace(t.Context(), name, version, bad)
		wantError(t, "Replace by "+what, err, vault.ErrInvalid)
	}
	_, err = e.Vault.Adopt(t.Context(), name, version)
	wantError(t, "Adopt", err, vault.ErrNotFound)
	wantCurrent(t, e.Vault, name, version, value)
}
