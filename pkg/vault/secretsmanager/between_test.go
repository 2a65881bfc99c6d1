package secretsmanager_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/awstest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault/secretsmanager"
)

// scene is a secret on which something happens between the requests of a Replace.
type scene struct {
	*testing.T
	conf  aws.Config
	clean vault.Vault
	name  string
	first string // its version
}

func newScene(t *testing.T) *scene {
	t.Helper()
	conf := awstest.Config(t)
	name := create(t, conf, newValue())
	clean := secretsmanager.New(conf)
	return &scene{T: t, conf: conf, clean: clean, name: name, first: mustGet(t, clean, name).Version}
}

// replace replaces the version old by requests that pass w.
func (s *scene) replace(w *wire, old string) (value []byte, version string, err error) {
	s.Helper()
	value = newValue()
	version, err = secretsmanager.New(onWire(s.conf, w, 1)).Replace(s.Context(), s.name, old, value)
	return value, version, err
}

// other is another writer, that makes it.
func (s *scene) other(old string) (version string) {
	s.Helper()
	_, version, err := s.replace(&wire{}, old)
	if err != nil {
		s.Fatalf("the other Replace: %v", err)
	}
	return version
}

func (s *scene) wantCurrent(version string) {
	s.Helper()
	if current := mustGet(s.T, s.clean, s.name); current.Version != version {
		s.Errorf("version %q is current, want %q", current.Version, version)
	}
}

// TestReplacedBetween has another writer come first.
func TestReplacedBetween(t *testing.T) {
	for _, action := range []string{actionPut, actionMove} {
		t.Run("before "+action, func(t *testing.T) {
			s := newScene(t)
			var second string
			_, _, err := s.replace(&wire{before: once(action, func() error { second = s.other(s.first); return nil })}, s.first)
			if !errors.Is(err, vault.ErrConflict) {
				t.Errorf("Replace: %v, want %v", err, vault.ErrConflict)
			}
			s.wantCurrent(second)
			if _, err := s.clean.Adopt(t.Context(), s.name, second); !errors.Is(err, vault.ErrNotFound) {
				t.Errorf("Adopt: %v, want %v", err, vault.ErrNotFound)
			}
			s.wantCurrent(second)
		})
	}
}

// TestFirstValueBetween has another writer come first with a secret's first value.
func TestFirstValueBetween(t *testing.T) {
	conf := awstest.Config(t)
	s := &scene{T: t, conf: conf, clean: secretsmanager.New(conf), name: create(t, conf, nil)}
	var first string
	_, _, err := s.replace(&wire{before: once(actionPut, func() error { first = s.other(""); return nil })}, "")
	if !errors.Is(err, vault.ErrConflict) {
		t.Errorf("Replace: %v, want %v", err, vault.ErrConflict)
	}
	s.wantCurrent(first)
}

// TestAdoptedBetween has another process adopt the value before its writer makes it current, or after it did and
// the answer was lost.
func TestAdoptedBetween(t *testing.T) {
	s := newScene(t)
	var adopted vault.Secret
	value, version, err := s.replace(&wire{before: once(actionMove, func() (err error) {
		adopted, err = s.clean.Adopt(t.Context(), s.name, s.first)
		return err
	})}, s.first)
	if err != nil || version != adopted.Version || string(value) != string(adopted.Value) {
		t.Errorf("Replace made version %q, error %v; %q was adopted", version, err, adopted.Version)
	}
	s.wantCurrent(version)
}

// TestReplacedAfter loses the answer by which a value became current, and has others replace that value before
// its writer looks: it must not believe that it never was current.
func TestReplacedAfter(t *testing.T) {
	for others := range 3 {
		s := newScene(t)
		var last string
		_, version, err := s.replace(&wire{after: once(actionMove, func() error {
			last = mustGet(t, s.clean, s.name).Version
			for range others {
				last = s.other(last)
			}
			return awstest.ErrCut
		})}, s.first)
		if others < 2 && err != nil {
			t.Errorf("Replace, and %d others: %v", others, err)
		}
		if others == 0 && version != last {
			t.Errorf("Replace made version %q current, and %q is", version, last)
		}
		if others == 2 && (err == nil || errors.Is(err, vault.ErrConflict)) {
			t.Errorf("Replace, and %d others: %v; want an error that leaves it open", others, err)
		}
		s.wantCurrent(last)
	}
}

// TestTwoWriters has a second writer put its value before the first one moves the label.
func TestTwoWriters(t *testing.T) {
	put := func(s *scene) (value []byte) {
		value = newValue()
		interrupt(s.T, s.conf, s.name, s.first, value)
		return value
	}
	t.Run("the first goes on", func(t *testing.T) {
		s := newScene(t)
		_, version, err := s.replace(&wire{before: once(actionMove, func() error { put(s); return nil })}, s.first)
		if err != nil {
			t.Errorf("Replace: %v", err)
		}
		s.wantCurrent(version)
		if _, err := s.clean.Adopt(t.Context(), s.name, version); !errors.Is(err, vault.ErrNotFound) {
			t.Errorf("Adopt: %v, want %v", err, vault.ErrNotFound)
		}
	})
	t.Run("the first stops", func(t *testing.T) {
		s := newScene(t)
		var second []byte
		first, _, err := s.replace(&wire{before: once(actionMove, func() error { second = put(s); return awstest.ErrCut })}, s.first)
		if !errors.Is(err, awstest.ErrCut) {
			t.Fatalf("Replace: %v", err)
		}
		adopted, err := s.clean.Adopt(t.Context(), s.name, s.first)
		if err != nil || string(adopted.Value) != string(first) && string(adopted.Value) != string(second) {
			t.Errorf("Adopt: %v; want one of the two values", err)
		}
		s.wantCurrent(adopted.Version)
	})
}

// TestFilledBetween has the operator fill in another value in the console while one is replaced.
func TestFilledBetween(t *testing.T) {
	for _, action := range []string{actionPut, actionMove} {
		s := newScene(t)
		var filled string
		_, _, err := s.replace(&wire{before: once(action, func() error { filled = fill(t, s.conf, s.name, newValue()); return nil })}, s.first)
		if err == nil || errors.Is(err, vault.ErrNotFound) {
			t.Errorf("Replace: %v; want an error", err)
		}
		s.wantCurrent(filled)
		if _, err := s.clean.Adopt(t.Context(), s.name, filled); !errors.Is(err, vault.ErrNotFound) {
			t.Errorf("Adopt: %v, want %v", err, vault.ErrNotFound)
		}
		s.wantCurrent(filled)
	}
}

// TestOldAnswers has Secrets Manager answer with what was current before, as it may for a moment.
func TestOldAnswers(t *testing.T) {
	s := newScene(t)
	var old []byte
	keep := &wire{answer: func(_ string, body []byte) []byte { old = body; return body }}
	mustGet(t, secretsmanager.New(onWire(s.conf, keep, 1)), s.name)
	second := s.other(s.first)
	outdated := func() *wire {
		first := true
		return &wire{answer: func(action string, body []byte) []byte {
			if action == actionGet && first {
				body, first = old, false
			}
			return body
		}}
	}

	_, third, err := s.replace(outdated(), second)
	if err != nil {
		t.Fatalf("Replace of the version that became current a moment ago: %v", err)
	}
	s.wantCurrent(third)
	if _, _, err = s.replace(outdated(), s.first); err == nil || errors.Is(err, vault.ErrNotFound) {
		t.Errorf("Replace of the version before: %v; want an error", err)
	}
	s.wantCurrent(third)
}

// TestEndedMeanwhile ends the caller's context between requests.
func TestEndedMeanwhile(t *testing.T) {
	for _, action := range []string{actionGet, actionPut, actionMove} {
		s := newScene(t)
		ctx, cancel := context.WithCancel(t.Context())
		v := secretsmanager.New(onWire(s.conf, &wire{after: once(action, func() error { cancel(); return nil })}, 3))
		began := time.Now()
		version, err := v.Replace(ctx, s.name, s.first, newValue())
		if action != actionMove && err == nil || err != nil && !errors.Is(err, ctx.Err()) {
			t.Errorf("Replace whose context ended after %s: version %q, error %v", action, version, err)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("Replace whose context ended took %v", took)
		}
	}
}
