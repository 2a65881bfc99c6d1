// Package file keeps secrets in one file of this computer that only its user can read, for those who run all this
// on a laptop. Several processes can share the file.
//
// Each change writes a new file beside it (.new), puts that on the disk, and renames it: whatever happens in between,
// the file holds all secrets as they were before or after, and what a call returned for is there. So a Replace is
// interrupted before or after it is done, and nothing ever waits to be adopted. An empty file beside it (.lock) is
// how processes take turns, and stays.
//
// The file is refused if its permission bits let others read it. On Windows, which has no such bits, they are not
// checked; there the file should lie below the user's own folder, as other users cannot read that.
package file

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"unicode/utf8"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
)

var (
	// ErrInUse is returned if another process holds the file for longer than a call of this package takes.
	ErrInUse = errors.New("another process holds this file")
	// ErrUnusable is returned if the file is damaged, was not made by this program, or can be read by others. It
	// is left as it is.
	ErrUnusable = errors.New("this file cannot be used")
)

// Vault is the secrets in a file. It holds the file during calls only, and need not be closed. A call waits for
// those of other processes, at most a second; then it returns ErrInUse. It is safe for concurrent use.
type Vault struct {
	path string
	turn chan struct{} // one call at a time in this process, so that only processes compete for the file
}

var _ vault.Maker = (*Vault)(nil)

// Open returns the secrets in the file, or ErrUnusable. A file that does not exist holds none, and is made, with its
// folders, by Create. Delete leaves the file.
func Open(path string) (*Vault, error) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target // a change replaces the file, not the link to it
	}
	v := &Vault{path: path, turn: make(chan struct{}, 1)}
	if _, err := v.load(); err != nil {
		return nil, err
	}
	return v, nil
}

// Create implements vault.Maker. With a nil value it makes a secret without one, whose version is empty.
func (v *Vault) Create(ctx context.Context, name string, value []byte) (version string, err error) {
	if name == "" || !utf8.ValidString(name) {
		return "", errors.New("creating a secret: its name must be text, of one character at least")
	}
	err = v.change(ctx, true, func(d document) error {
		if _, exists := d.Secrets[name]; exists {
			return fmt.Errorf("one of that name exists: %w", vault.ErrConflict)
		}
		if value == nil {
			d.Secrets[name] = entry{}
			return nil
		}
		version, err = d.set(name, value)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("creating secret %q: %w", name, err)
	}
	return version, nil
}

// Delete implements vault.Maker: the secret is gone at once.
func (v *Vault) Delete(ctx context.Context, name string) error {
	err := v.change(ctx, false, func(d document) error {
		if _, exists := d.Secrets[name]; !exists {
			return vault.ErrNotFound // so that nothing is written
		}
		delete(d.Secrets, name)
		return nil
	})
	if err != nil && !errors.Is(err, vault.ErrNotFound) {
		return fmt.Errorf("deleting secret %q: %w", name, err)
	}
	return nil
}

// Restore implements vault.Maker. No deletion can be taken back: it tells whether the secret is there.
func (v *Vault) Restore(ctx context.Context, name string) error {
	err := v.use(ctx, false, func() error {
		d, err := v.load()
		if err != nil {
			return err
		}
		if _, exists := d.Secrets[name]; !exists {
			return vault.ErrNotFound
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("restoring secret %q: %w", name, err)
	}
	return nil
}

// Get implements vault.Vault.
func (v *Vault) Get(ctx context.Context, name string) (vault.Secret, error) {
	var secret vault.Secret
	err := v.use(ctx, false, func() error {
		d, err := v.load()
		if err != nil {
			return err
		}
		found := d.Secrets[name]
		if found.Version == "" {
			return vault.ErrNotFound
		}
		secret = vault.Secret{Version: found.Version, Value: found.Value}
		return nil
	})
	if err != nil {
		return vault.Secret{}, fmt.Errorf("reading secret %q: %w", name, err)
	}
	return secret, nil
}

// Previous implements vault.History: the file keeps nothing that was replaced.
func (v *Vault) Previous(_ context.Context, name string) (vault.Secret, error) {
	return vault.Secret{}, fmt.Errorf("what secret %q held before is not kept: %w", name, vault.ErrNotFound)
}

// Replace implements vault.Vault.
func (v *Vault) Replace(ctx context.Context, name, old string, value []byte) (version string, err error) {
	err = v.change(ctx, false, func(d document) error {
		found, exists := d.Secrets[name]
		switch {
		case !exists, found.Version == "" && old != "":
			return vault.ErrNotFound
		case found.Version != old:
			return vault.ErrConflict
		}
		version, err = d.set(name, value)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("replacing secret %q: %w", name, err)
	}
	return version, nil
}

// Adopt implements vault.Vault: nothing ever waits.
func (v *Vault) Adopt(ctx context.Context, name, old string) (vault.Secret, error) {
	secret, err := v.Get(ctx, name)
	switch {
	case err != nil:
		return vault.Secret{}, err
	case secret.Version != old:
		return vault.Secret{}, fmt.Errorf("secret %q: %w", name, vault.ErrConflict)
	}
	return vault.Secret{}, fmt.Errorf("secret %q: no value is waiting: %w", name, vault.ErrNotFound)
}

// change changes the secrets and writes them, unless edit returns an error.
func (v *Vault) change(ctx context.Context, makes bool, edit func(document) error) error {
	return v.use(ctx, makes, func() error {
		d, err := v.load()
		if err != nil {
			return err
		}
		if err := edit(d); err != nil {
			return err
		}
		return v.store(d)
	})
}

// set gives a secret a value, as a new version.
func (d document) set(name string, value []byte) (version string, err error) {
	if err := vault.Check(value); err != nil {
		return "", err
	}
	version = rand.Text()
	d.Secrets[name] = entry{Version: version, Value: value}
	return version, nil
}
