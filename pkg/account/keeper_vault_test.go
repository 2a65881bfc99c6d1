package account_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault/vaulttest"
)

// safe is what Secrets Manager is to its clients, in memory: versions, and two labels that are on one of them each.
type safe struct {
	mu      sync.Mutex
	secrets map[string]*secret
	made    int
	moved   func(value []byte) // told of every value that becomes current
}

type secret struct {
	versions         map[string]version
	current, pending string
	deleted          bool
}

type version struct {
	value []byte
	old   string // the version that it replaces
}

var errRefused = errors.New("the label is elsewhere")

func newSafe() *safe { return &safe{secrets: map[string]*secret{}, moved: func([]byte) {}} }

func (s *safe) create(name string, value []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secrets[name] = &secret{versions: map[string]version{}}
	if value != nil {
		s.secrets[name].current = s.add(name, "", value)
		s.moved(value)
	}
}

func (s *safe) add(name, old string, value []byte) string {
	s.made++
	id := fmt.Sprintf("version-%d", s.made)
	s.secrets[name].versions[id] = version{bytes.Clone(value), old}
	return id
}

func (s *safe) put(name, old string, value []byte) (id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id = s.add(name, old, value)
	if found := s.secrets[name]; found.current == "" {
		found.current = id
		s.moved(value)
	} else {
		found.pending = id
	}
	return id
}

func (s *safe) move(name, from, to string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.secrets[name]
	switch found.current {
	case to:
		return nil
	case from:
		found.current = to
		s.moved(found.versions[to].value)
		return nil
	}
	return errRefused
}

// labels tells where the labels are.
func (s *safe) labels(name string) (current, pending string, versions map[string]version, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.secrets[name]
	if found == nil {
		return "", "", nil, vault.ErrNotFound
	}
	if found.deleted {
		return "", "", nil, vault.ErrDeleted
	}
	versions = map[string]version{}
	for _, id := range []string{found.current, found.pending} {
		versions[id] = found.versions[id]
	}
	return found.current, found.pending, versions, nil
}

// safeVault is a vault.Vault over a safe, as package secretsmanager is one over AWS. Every step of its calls passes
// through.
type safeVault struct {
	*safe
	through func(step string, do func()) error // nil: the step is done
}

func (v *safeVault) step(ctx context.Context, step string, do func()) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if v.through == nil {
		do()
		return nil
	}
	return v.through(step, do)
}

func (v *safeVault) read(ctx context.Context, name string) (current, pending string, versions map[string]version, err error) {
	if failure := v.step(ctx, "get", func() { current, pending, versions, err = v.labels(name) }); failure != nil {
		return "", "", nil, failure
	}
	return current, pending, versions, err
}

func (v *safeVault) Get(ctx context.Context, name string) (vault.Secret, error) {
	current, _, versions, err := v.read(ctx, name)
	if err == nil && current == "" {
		err = vault.ErrNotFound
	}
	if err != nil {
		return vault.Secret{}, err
	}
	return vault.Secret{Version: current, Value: bytes.Clone(versions[current].value)}, nil
}

func (v *safeVault) Replace(ctx context.Context, name, old string, value []byte) (id string, err error) {
	current, _, _, err := v.read(ctx, name)
	switch {
	case err != nil:
		return "", err
	case current == "" && old != "":
		return "", vault.ErrNotFound
	case current != old:
		return "", vault.ErrConflict
	}
	if err = vault.Check(value); err != nil {
		return "", err
	}
	if err = v.step(ctx, "put", func() { id = v.put(name, old, value) }); err != nil {
		return "", err
	}
	var refused error
	err = v.step(ctx, "move", func() { refused = v.move(name, old, id) })
	if err = errors.Join(err, refused); err == nil {
		return id, nil
	}
	current, _, versions, readErr := v.read(ctx, name)
	switch found := versions[current]; {
	case readErr != nil:
		return "", err
	case current == id || found.old == id:
		return id, nil
	case current != old && found.old == old:
		return "", vault.ErrConflict
	}
	return "", err
}

func (v *safeVault) Adopt(ctx context.Context, name, old string) (vault.Secret, error) {
	current, pending, versions, err := v.read(ctx, name)
	switch {
	case err != nil:
		return vault.Secret{}, err
	case current == "":
		return vault.Secret{}, vault.ErrNotFound
	case current != old:
		return vault.Secret{}, vault.ErrConflict
	case pending == "" || pending == current || versions[pending].old != old:
		return vault.Secret{}, vault.ErrNotFound
	}
	var refused error
	if err = v.step(ctx, "move", func() { refused = v.move(name, old, pending) }); err != nil {
		return vault.Secret{}, err
	}
	if refused != nil {
		return vault.Secret{}, vault.ErrConflict
	}
	return vault.Secret{Version: pending, Value: bytes.Clone(versions[pending].value)}, nil
}

func TestSafeVault(t *testing.T) {
	vaulttest.Run(t, func(*testing.T) vaulttest.Engine {
		v := &safeVault{safe: newSafe()}
		return vaulttest.Engine{
			Vault: v,
			Create: func(_ *testing.T, value []byte) string {
				name := rand.Text()
				v.create(name, value)
				return name
			},
			Interrupt: func(_ *testing.T, name, old string, value []byte) { v.put(name, old, value) },
		}
	})
}
