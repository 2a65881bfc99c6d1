package secretsmanager_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/awstest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault/secretsmanager"
)

// state is what a name stands for.
type state string

// The states.
const (
	missing state = "missing"
	live    state = "live"
	deleted state = "deleted"
)

// look reads a secret, and tells its state.
func look(t *testing.T, v vault.Vault, name string) (state, string) {
	t.Helper()
	secret, err := v.Get(t.Context(), name)
	switch {
	case err == nil:
		return live, string(secret.Value)
	case errors.Is(err, vault.ErrDeleted):
		return deleted, ""
	case !errors.Is(err, vault.ErrNotFound):
		t.Fatalf("Get: %v", err)
	}
	return missing, ""
}

// makerCall is a call on a secret in a state, which leaves it in another one.
type makerCall struct {
	what     string
	from, to state
	want     error
}

func (c makerCall) prepare(t *testing.T, v vault.Maker, name string, value []byte) {
	t.Helper()
	if c.from == missing {
		return
	}
	_, err := v.Create(t.Context(), name, value)
	if err == nil && c.from == deleted {
		err = v.Delete(t.Context(), name)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (c makerCall) do(ctx context.Context, v vault.Maker, name string, value []byte) (version string, err error) {
	switch c.what {
	case actionCreate:
		return v.Create(ctx, name, value)
	case actionDelete:
		return "", v.Delete(ctx, name)
	}
	return "", v.Restore(ctx, name)
}

// TestMakerFaults cuts each request of each call, and has the caller do it again.
func TestMakerFaults(t *testing.T) {
	conf := awstest.Config(t)
	for _, c := range []makerCall{
		{actionCreate, missing, live, nil},
		{actionCreate, live, live, vault.ErrConflict},
		{actionCreate, deleted, deleted, vault.ErrDeleted},
		{actionDelete, live, deleted, nil},
		{actionDelete, deleted, deleted, nil},
		{actionDelete, missing, missing, nil},
		{actionRestore, deleted, live, nil},
		{actionRestore, live, live, nil},
		{actionRestore, missing, missing, vault.ErrNotFound},
	} {
		for _, f := range faults() {
			for more := true; more; {
				f.n++
				t.Run(fmt.Sprintf("%s of a %s secret: %s", c.what, c.from, f), func(t *testing.T) { more = testMakerFault(t, conf, c, f) })
			}
		}
	}
}

// testMakerFault reports whether the call had as many requests as the fault needs.
func testMakerFault(t *testing.T, conf aws.Config, c makerCall, f fault) bool {
	clean, name, was, value := secretsmanager.New(conf), unused(t, conf), newValue(), newValue()
	c.prepare(t, clean, name, was)
	w, tried, done := f.wire()
	version, err := c.do(t.Context(), secretsmanager.New(onWire(conf, w, f.attempts)), name, value)
	heals := f.heals(*tried)
	switch {
	case heals && !errors.Is(err, c.want):
		t.Errorf("error %v, want %v", err, c.want)
	case !heals && (!errors.Is(err, awstest.ErrCut) || errors.Is(err, vault.ErrConflict) || errors.Is(err, vault.ErrNotFound)):
		t.Errorf("error %v, want one that leaves it open", err)
	}
	now, content := look(t, clean, name)
	if now != c.to && (heals || now != c.from || done[c.what] > 0) {
		t.Errorf("the secret is %s, want %s", now, c.to)
	}
	if c.from == missing {
		was = value
	}
	if now == live && content != string(was) {
		t.Errorf("the secret has value %q, want %q", content, was)
	}
	if c.what == actionCreate && err == nil && mustGet(t, clean, name).Version != version {
		t.Errorf("Create returned version %q, and another is current", version)
	}

	want := c.want
	if c.what == actionCreate && now == live {
		want = vault.ErrConflict
	}
	if _, err = c.do(t.Context(), clean, name, newValue()); !errors.Is(err, want) {
		t.Errorf("once more: error %v, want %v", err, want)
	}
	if now, _ = look(t, clean, name); now != c.to {
		t.Errorf("the secret is %s after all, want %s", now, c.to)
	}
	return *tried >= f.n
}

// TestCreateBetween loses the answer by which a secret was made, or has it not sent, and has others do something
// before the SDK asks again.
func TestCreateBetween(t *testing.T) {
	conf := awstest.Config(t)
	for _, test := range []struct {
		what  string
		made  bool // by the first attempt
		other func(v vault.Maker, name string) error
		want  error
		state state
	}{
		{"another one deletes it", true, func(v vault.Maker, name string) error { return v.Delete(t.Context(), name) }, vault.ErrDeleted, deleted},
		{"another one makes it", false, func(v vault.Maker, name string) error {
			_, err := v.Create(t.Context(), name, newValue())
			return err
		}, vault.ErrConflict, live},
	} {
		name, clean := unused(t, conf), secretsmanager.New(conf)
		cut := once(actionCreate, func() error {
			if err := test.other(clean, name); err != nil {
				t.Fatal(err)
			}
			return awstest.ErrCut
		})
		w := &wire{before: cut}
		if test.made {
			w = &wire{after: cut}
		}
		_, err := secretsmanager.New(onWire(conf, w, 3)).Create(t.Context(), name, newValue())
		if !errors.Is(err, test.want) && (err != nil || !test.made) { // it may know what it did: the secret was made
			t.Errorf("Create, while %s: %v, want %v", test.what, err, test.want)
		}
		if now, _ := look(t, clean, name); now != test.state {
			t.Errorf("%s: the secret is %s, want %s", test.what, now, test.state)
		}
	}
}

// TestDeletedBetween has the secret deleted while it is replaced. There is an emulator that goes on.
func TestDeletedBetween(t *testing.T) {
	conf := awstest.Config(t)
	for _, action := range []string{actionPut, actionMove} {
		name, clean := unused(t, conf), secretsmanager.New(conf)
		version, err := clean.Create(t.Context(), name, newValue())
		if err != nil {
			t.Fatal(err)
		}
		w := &wire{before: once(action, func() error { return clean.Delete(t.Context(), name) })}
		if _, err = secretsmanager.New(onWire(conf, w, 1)).Replace(t.Context(), name, version, newValue()); err != nil && !errors.Is(err, vault.ErrNotFound) {
			t.Errorf("Replace of a secret that is deleted before %s: %v, want %v", action, err, vault.ErrNotFound)
		}
		if now, _ := look(t, clean, name); now != deleted {
			t.Errorf("the secret is %s, want %s", now, deleted)
		}
	}
}
