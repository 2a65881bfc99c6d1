package account_test

import (
	"strings"
	"testing"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

func TestFingerprint(t *testing.T) {
	key := []byte("key")
	print := account.Fingerprint(key, "you@example.com", "pt_test")
	for name, other := range map[string]string{
		"another key":        account.Fingerprint([]byte("other"), "you@example.com", "pt_test"),
		"another token":      account.Fingerprint(key, "you@example.com", "pt_test2"),
		"parts cut apart":    account.Fingerprint(key, "you@example.comp", "t_test"),
		"parts put together": account.Fingerprint(key, "you@example.compt_test"),
	} {
		if other == print {
			t.Errorf("%s: the same fingerprint", name)
		}
	}
	if again := account.Fingerprint(key, "you@example.com", "pt_test"); again != print {
		t.Error("the same credential has another fingerprint")
	}
	if strings.Contains(print, "test") || len(print) != 24 {
		t.Errorf("fingerprint %q", print)
	}
}

func TestOpenChecksTheCredential(t *testing.T) {
	cred := account.Credential{Auth: ownerrez.PAT("you@example.com", "at_test")}
	if _, err := cred.Open(); err == nil || strings.Contains(err.Error(), "at_test") {
		t.Errorf("an OAuth token as a personal one: %v", err)
	}
	cred.Auth = ownerrez.PAT("you@example.com", "pt_test")
	options := len(cred.Options)
	if _, err := cred.Open(ownerrez.WithUserAgent("Test/1.0")); err != nil || len(cred.Options) != options {
		t.Errorf("a good one: %v, %d options", err, len(cred.Options))
	}
}
