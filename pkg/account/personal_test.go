package account_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault/file"
)

// counted counts how often a vault is read.
type counted struct {
	vault.Vault
	reads int
	err   error
}

func (c *counted) Get(ctx context.Context, name string) (vault.Secret, error) {
	c.reads++
	if c.err != nil {
		return vault.Secret{}, c.err
	}
	return c.Vault.Get(ctx, name)
}

// desk is a secret, and the source that reads it.
type desk struct {
	t      *testing.T
	vault  *counted
	source *account.Personal
	now    time.Time
}

func newDesk(t *testing.T, value string) *desk {
	t.Helper()
	v, err := file.Open(filepath.Join(t.TempDir(), "secrets.json"))
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, vault: &counted{Vault: v}, now: time.Date(2026, 11, 23, 20, 0, 0, 0, time.UTC)}
	if value != "" {
		if _, err := v.Create(t.Context(), "personal", []byte(value)); err != nil {
			t.Fatal(err)
		}
	}
	d.source = &account.Personal{
		Vault: d.vault, Name: "personal", Now: func() time.Time { return d.now },
		Key: func(context.Context) ([]byte, error) { return []byte("key"), nil },
	}
	return d
}

// fill replaces the secret.
func (d *desk) fill(value string) {
	d.t.Helper()
	secret, err := d.vault.Vault.Get(d.t.Context(), "personal")
	if err == nil {
		_, err = d.vault.Replace(d.t.Context(), "personal", secret.Version, []byte(value))
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) credentials() []account.Credential {
	d.t.Helper()
	creds, err := d.source.Credentials(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	return creds
}

const (
	mine   = `{"email":"host@example.com","token":"pt_testhost"}`
	theirs = `{"email":"other@example.com","token":"pt_testother"}`
)

func TestPersonalForms(t *testing.T) {
	for _, test := range []struct {
		value string
		want  int
	}{
		{"", 0}, {"{}", 0}, {"[]", 0}, {" \n", 0}, {"[{},{}]", 0}, {`{"email":"","token":""}`, 0},
		{mine, 1}, {"[" + mine + "]", 1}, {"[" + mine + "," + theirs + "]", 2}, {"[" + mine + ",{}," + theirs + "]", 2},
		{"\ufeff " + mine + "\r\n", 1}, {`{"email":" host@example.com ","token":"pt_testhost\n"}`, 1},
	} {
		t.Run(test.value, func(t *testing.T) {
			if creds := newDesk(t, test.value).credentials(); len(creds) != test.want {
				t.Errorf("%d credentials, want %d", len(creds), test.want)
			}
		})
	}
}

// What is told apart, and what is the same: the token and its account, not how or when they were written.
func TestPersonalFingerprints(t *testing.T) {
	d := newDesk(t, mine)
	first := d.credentials()[0]
	for _, test := range []struct {
		value          string
		same, sameSlot bool
	}{
		{"[ " + mine + " ]", true, true},
		{`{"email":"host@example.com","token":"pt_testnew"}`, false, true},
		{`{"email":"HOST@example.com","token":"pt_testhost"}`, false, true}, // one slot, however it is spelled
		{theirs, false, false},
	} {
		d.fill(test.value)
		d.source.Forget()
		got := d.credentials()[0]
		if (got.Fingerprint == first.Fingerprint) != test.same || (got.PATUser == first.PATUser) != test.sameSlot {
			t.Errorf("%s: fingerprint %s, slot %s; was %s, %s", test.value, got.Fingerprint, got.PATUser, first.Fingerprint, first.PATUser)
		}
	}
	for _, shown := range []string{first.Fingerprint, first.PATUser} {
		if shown == "" || strings.Contains(shown, "host") {
			t.Errorf("%q tells the e-mail or the token", shown)
		}
	}
}

func TestPersonalIsReadRarely(t *testing.T) {
	d := newDesk(t, mine)
	for range 5 {
		d.credentials()
		d.now = d.now.Add(75 * time.Second)
	}
	if d.vault.reads != 2 {
		t.Errorf("the secret was read %d times in five minutes, want 2", d.vault.reads)
	}
	d.source.ObserveRefusal(t.Context(), ownerrez.Exchange{Status: 500})
	d.credentials()
	if d.vault.reads != 2 {
		t.Error("a 500 has the secret read again")
	}
	d.source.ObserveRefusal(t.Context(), ownerrez.Exchange{Status: 401})
	d.credentials()
	if d.vault.reads != 3 {
		t.Error("a 401 does not have the secret read again")
	}
	d.now = d.now.Add(-time.Hour) // a clock that was set back
	d.credentials()
	if d.vault.reads != 4 {
		t.Error("a clock that was set back lets the secret be old for an hour")
	}
}

// An emptied secret is no credential, at the latest five minutes later.
func TestPersonalEmptied(t *testing.T) {
	d := newDesk(t, mine)
	d.credentials()
	d.fill("{}")
	d.now = d.now.Add(5 * time.Minute)
	if creds := d.credentials(); len(creds) != 0 {
		t.Errorf("%d credentials", len(creds))
	}
}

func TestPersonalMalformed(t *testing.T) {
	const canary = "pt_testcanary"
	for _, value := range []string{
		canary, `"` + canary + `"`, `{"email":"host@example.com","token":"` + canary + `"`, `{"email":"host@example.com"}`,
		`{"token":"` + canary + `"}`, `{"email":"host@example.com","token":"` + canary + `","note":"` + canary + `"}`,
		`{"email":"` + canary + `","token":"host@example.com"}`, `{"email":"host@example.com","token":"at_testcanary"}`,
		`[` + mine + `,` + theirs + `,{"email":"third@example.com","token":"` + canary + `"}]`,
		mine + theirs, `[` + mine + `,"` + canary + `"]`, `{"email":7,"token":"` + canary + `"}`, "\xff\xfe" + canary, "null null",
	} {
		t.Run(value, func(t *testing.T) {
			d := newDesk(t, value)
			for range 3 {
				creds, err := d.source.Credentials(t.Context())
				if wrong := (*account.MalformedError)(nil); !errors.As(err, &wrong) || wrong.Why == "" || len(creds) != 0 {
					t.Fatalf("%d credentials, error %v", len(creds), err)
				}
				if strings.Contains(err.Error(), "testcanary") || strings.Contains(err.Error(), "example.com") {
					t.Errorf("the error tells what the secret holds: %v", err)
				}
			}
			if d.vault.reads != 1 {
				t.Errorf("read %d times", d.vault.reads)
			}
			d.fill(mine)
			d.source.Forget()
			if creds := d.credentials(); len(creds) != 1 {
				t.Error("it is not mended")
			}
		})
	}
}

// Trouble with the vault is trouble of our own: it is not remembered, and empties nothing.
func TestPersonalVaultDown(t *testing.T) {
	d := newDesk(t, mine)
	d.vault.err = errors.New("the vault is down")
	if _, err := d.source.Credentials(t.Context()); !errors.Is(err, d.vault.err) || errors.As(err, new(*account.MalformedError)) {
		t.Errorf("error %v", err)
	}
	d.vault.err = nil
	if len(d.credentials()) != 1 {
		t.Error("the trouble is remembered")
	}
	keyless := newDesk(t, mine)
	keyless.source.Key = func(context.Context) ([]byte, error) { return nil, context.DeadlineExceeded }
	if _, err := keyless.source.Credentials(t.Context()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

// Whatever a secret holds, it is credentials, or none, or a MalformedError.
func FuzzPersonal(f *testing.F) {
	f.Add(mine)
	f.Add("[" + mine + "," + theirs + "]")
	f.Fuzz(func(t *testing.T, value string) {
		d := newDesk(t, value)
		creds, err := d.source.Credentials(t.Context())
		if err != nil && !errors.As(err, new(*account.MalformedError)) || len(creds) > 2 {
			t.Errorf("%d credentials, %v", len(creds), err)
		}
	})
}
