package ownerrez

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// Categories are read whole or not at all: each list that is found holds what encoding/json finds in it.
func FuzzWebhookCategories(f *testing.F) {
	for _, s := range []string{
		`{"Property":["photos"],"Contact":[],"Booking":["dates","financial"]}`, `{"items":[{"Booking":["dates"]}],"limit":20,"offset":0}`,
		`{"items":[]}`, `{"Items":[["x"],{"A":["b"]}]}`, `{"A":[1]}`, `{"A":[null,"b"]}`, `{"EntityKind":["é"],"":[]}`, `[{"A":["b"]}]`, `null`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if !json.Valid(body) {
			return
		}
		all, err := decodeCategories(body)
		if (err == nil) != (len(all) > 0) {
			t.Fatalf("%s: %v, %v", body, all, err)
		}
		for kind, names := range all {
			if kind != snake(kind) || strings.ContainsAny(kind, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") {
				t.Fatalf("%s: %q is not in lower case", body, kind)
			}
			for _, name := range names {
				if name != "" && !slices.Contains(texts(body), name) {
					t.Fatalf("%s does not name %q", body, name)
				}
			}
		}
	})
}

// texts are all texts in a JSON value, keys too.
func texts(body []byte) []string {
	var all []string
	tokens := json.NewDecoder(bytes.NewReader(body))
	for {
		token, err := tokens.Token()
		if err != nil {
			return all
		}
		if text, ok := token.(string); ok {
			all = append(all, text)
		}
	}
}
