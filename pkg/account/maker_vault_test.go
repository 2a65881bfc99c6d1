package account_test

import (
	"context"
	"crypto/rand"
	"testing"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault/vaulttest"
)

// safeMaker is a vault.Maker over a safe. What is deleted can be restored.
type safeMaker struct{ *safeVault }

var _ vault.Maker = safeMaker{}

func (v safeMaker) Create(ctx context.Context, name string, value []byte) (id string, err error) {
	failure := v.step(ctx, "create", func() {
		if err = vault.Check(value); err == nil {
			id, err = v.make(name, value)
		}
	})
	if failure != nil {
		return "", failure
	}
	return id, err
}

func (v safeMaker) make(name string, value []byte) (id string, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch found := v.secrets[name]; {
	case found != nil && found.deleted:
		return "", vault.ErrDeleted
	case found != nil:
		return "", vault.ErrConflict
	}
	v.secrets[name] = &secret{versions: map[string]version{}}
	id = v.add(name, "", value)
	v.secrets[name].current = id
	v.moved(value)
	return id, nil
}

func (v safeMaker) Delete(ctx context.Context, name string) error {
	return v.mark(ctx, "delete", name, true)
}

func (v safeMaker) Restore(ctx context.Context, name string) error {
	return v.mark(ctx, "restore", name, false)
}

func (v safeMaker) mark(ctx context.Context, step, name string, deleted bool) (err error) {
	failure := v.step(ctx, step, func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		switch found := v.secrets[name]; {
		case found != nil:
			found.deleted = deleted
		case !deleted:
			err = vault.ErrNotFound
		}
	})
	if failure != nil {
		return failure
	}
	return err
}

func TestSafeMaker(t *testing.T) {
	vaulttest.TestMaker(t, func(*testing.T) vaulttest.Maker {
		v := safeMaker{&safeVault{safe: newSafe()}}
		return vaulttest.Maker{
			Maker:    v,
			Name:     func(*testing.T) string { return rand.Text() },
			Empty:    func(_ *testing.T, name string) { v.create(name, nil) },
			Restores: true,
		}
	})
}
