package account_test

import (
	"strings"
	"testing"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
)

func TestWebhookURL(t *testing.T) {
	const base = "https://hooks.example.com/webhooks/ownerrez/"
	key, other := []byte("a key"), []byte("another")
	code, ok := strings.CutPrefix(account.WebhookURL(base, key, 123456), base+"123456/")
	if !ok || len(code) != 40 {
		t.Fatalf("code %q", code)
	}
	for _, test := range []struct {
		keys [][]byte
		id   int64
		code string
		want bool
	}{
		{[][]byte{key}, 123456, code, true},
		{[][]byte{other, key}, 123456, code, true},
		{[][]byte{key, other}, 123456, code, true},
		{[][]byte{other}, 123456, code, false},
		{nil, 123456, code, false},
		{[][]byte{key}, 12345, code, false},
		{[][]byte{key}, 123456, code[1:], false},
		{[][]byte{key}, 123456, "", false},
		{[][]byte{key}, 123456, strings.ToUpper(code), false},
	} {
		if got := account.IsWebhookCode(test.keys, test.id, test.code); got != test.want {
			t.Errorf("%d keys, account %d: %v", len(test.keys), test.id, got)
		}
	}
}
