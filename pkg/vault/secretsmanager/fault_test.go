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

// fault is what happens to the n-th request of a call, counted from 1, and to those after it.
type fault struct {
	n        int
	answer   bool // the request is done and its answer lost; else it is not sent
	dead     bool // the process ends by it: nothing is sent afterwards
	attempts int  // that the SDK makes
}

func (f fault) String() string {
	what := "request %d of %d attempts is cut"
	if f.answer {
		what = "the answer to request %d of %d attempts is lost"
	}
	if f.dead {
		what += " and nothing follows"
	}
	return fmt.Sprintf(what, f.n, f.attempts)
}

// wire does the fault to requests. It counts those that were tried, and those that were done by their actions.
func (f fault) wire() (w *wire, tried *int, done map[string]int) {
	tried, done = new(int), map[string]int{}
	w = &wire{
		before: func(string) error {
			*tried++
			if *tried == f.n && !f.answer || f.dead && *tried > f.n {
				return awstest.ErrCut
			}
			return nil
		},
		after: func(action string) error {
			done[action]++
			if *tried == f.n {
				return awstest.ErrCut
			}
			return nil
		},
	}
	return w, tried, done
}

// faults are all kinds; n is left to the test.
func faults() (all []fault) {
	for _, attempts := range []int{1, 3} {
		for _, answer := range []bool{false, true} {
			for _, dead := range []bool{false, true} {
				all = append(all, fault{answer: answer, dead: dead, attempts: attempts})
			}
		}
	}
	return all
}

// heals reports whether a call must end well of which so many requests were tried.
func (f fault) heals(tried int) bool { return tried < f.n || f.attempts > 1 && !f.dead }

// change is a call that makes another version current.
type change struct {
	first bool // of a secret without a value
	adopt bool
}

func (c change) do(ctx context.Context, v vault.Vault, name, old string, value []byte) (vault.Secret, error) {
	if c.adopt {
		return v.Adopt(ctx, name, old)
	}
	version, err := v.Replace(ctx, name, old, value)
	return vault.Secret{Version: version, Value: value}, err
}

// TestFaults cuts each request of each change.
func TestFaults(t *testing.T) {
	conf := awstest.Config(t)
	for what, c := range map[string]change{"Replace": {}, "first value": {first: true}, "Adopt": {adopt: true}} {
		for _, f := range faults() {
			for more := true; more; {
				f.n++
				t.Run(fmt.Sprintf("%s: %s", what, f), func(t *testing.T) { more = testFault(t, conf, c, f) })
			}
		}
	}
}

// testFault reports whether the change had as many requests as the fault needs.
func testFault(t *testing.T, conf aws.Config, c change, f fault) bool {
	clean := secretsmanager.New(conf)
	name, old, value := create(t, conf, nil), "", newValue()
	if !c.first {
		old = fill(t, conf, name, newValue())
	}
	if c.adopt {
		interrupt(t, conf, name, old, value)
	}
	w, tried, done := f.wire()
	got, err := c.do(t.Context(), secretsmanager.New(onWire(conf, w, f.attempts)), name, old, value)
	current, getErr := clean.Get(t.Context(), name)
	if getErr != nil && (old != "" || !errors.Is(getErr, vault.ErrNotFound)) {
		t.Fatalf("Get: %v", getErr)
	}
	switch {
	case err == nil:
		if current.Version != got.Version || string(current.Value) != string(value) || string(got.Value) != string(value) {
			t.Errorf("it made %q at version %q current, and %q at version %q is", got.Value, got.Version, current.Value, current.Version)
		}
	case f.heals(*tried) || !errors.Is(err, awstest.ErrCut):
		t.Errorf("error: %v", err)
	case current.Version == old:
		wantWaiting(t, clean, name, old, value, c.adopt || done[actionPut] > 0)
	case string(current.Value) != string(value):
		t.Errorf("version %q is current, which is neither old nor new", current.Version)
	}
	current, _ = clean.Get(t.Context(), name)
	if _, err := clean.Replace(t.Context(), name, current.Version, newValue()); err != nil {
		t.Errorf("Replace afterwards: %v", err)
	}
	return *tried >= f.n
}

// wantWaiting adopts what waits to replace the version old, which is value if it was written down and else nothing.
func wantWaiting(t *testing.T, v vault.Vault, name, old string, value []byte, written bool) {
	t.Helper()
	adopted, err := v.Adopt(t.Context(), name, old)
	if written && (err != nil || string(adopted.Value) != string(value)) {
		t.Errorf("Adopt: %v; want what was written down", err)
	}
	if !written && !errors.Is(err, vault.ErrNotFound) {
		t.Errorf("Adopt: %v; want %v, as nothing was written down", err, vault.ErrNotFound)
	}
}

// TestGetFaults cuts the request of Get.
func TestGetFaults(t *testing.T) {
	conf := awstest.Config(t)
	value := newValue()
	name := create(t, conf, value)
	for _, f := range faults() {
		for f.n = 1; f.n <= 2; f.n++ {
			w, tried, _ := f.wire()
			secret, err := secretsmanager.New(onWire(conf, w, f.attempts)).Get(t.Context(), name)
			switch heals := f.heals(*tried); {
			case heals && (err != nil || string(secret.Value) != string(value)):
				t.Errorf("%s: Get returned %q, error %v", f, secret.Value, err)
			case !heals && (!errors.Is(err, awstest.ErrCut) || secret.Version != "" || secret.Value != nil):
				t.Errorf("%s: Get returned %v, error %v; want an error of the connection only", f, secret, err)
			}
		}
	}
}
