// Package vault keeps secrets: small pieces of data with versions, in an engine made for that and nowhere else.
// Each engine has a package of its own; vaulttest checks one.
package vault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
)

// MaxValue is how many bytes a value has at most. It is Secrets Manager's limit; at least a value has one byte.
const MaxValue = 65_536

// Secret is a secret as it was at one moment. Printed, logged or made JSON of, it shows its version only.
type Secret struct {
	Version string // names this value among all that the secret has had
	Value   []byte // the reader's own
}

// Format implements fmt.Formatter for every verb.
func (s Secret) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "secret version %q", s.Version) // whoever prints has to notice
}

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue("secret version " + s.Version) }

// MarshalJSON implements json.Marshaler.
func (s Secret) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Version string `json:"version"`
	}{s.Version})
}

var (
	// ErrNotFound is returned for a secret that does not exist or has no value.
	ErrNotFound = errors.New("there is no such secret, or it has no value")
	// ErrDeleted is returned for a secret that was deleted and can be restored: errors.Is finds ErrNotFound in it,
	// too. When a secret is deleted during a Replace or an Adopt, that may return ErrNotFound alone.
	ErrDeleted = fmt.Errorf("%w: it was deleted, and can be restored", ErrNotFound)
	// ErrConflict is returned by Replace when the current version is another than the caller believed, and by
	// Create when there is a secret of that name. Nothing has become current.
	ErrConflict = errors.New("the secret was changed or made meanwhile")
	// ErrInvalid is returned by Replace and Create for a value that no engine takes: see Check. Nothing was written.
	ErrInvalid = errors.New("not a valid value")
)

// Vault is what an engine offers. It is safe for concurrent use by several processes. Methods return the
// context's error if it has ended before they began. No error tells anything of a value.
//
// Package vaulttest tells whether an implementation keeps to this.
type Vault interface {
	// Get returns the current version, or ErrNotFound.
	Get(ctx context.Context, name string) (Secret, error)
	// Replace makes value current in place of the version old, and returns the new version; or ErrConflict if
	// old is not current. An empty old stands for a secret that has no value yet. Of several that replace one
	// version at once, one makes it. Replace makes no secrets: it returns ErrNotFound if there is none, or if
	// old is not empty and it has no value; and ErrInvalid for a value that no engine takes. After any other
	// error the value may have become current, may be waiting for Adopt, or be lost; and so may a value that
	// was waiting before, so adopt first.
	Replace(ctx context.Context, name, old string, value []byte) (version string, err error)
	// Adopt finishes a Replace of the version old that wrote its value down and was interrupted: it makes that
	// value current and returns it. It returns ErrConflict if old is not current, and else ErrNotFound if no
	// such value is waiting. After any other error the value may have become current.
	Adopt(ctx context.Context, name, old string) (Secret, error)
}

// Maker is a Vault that can make and end secrets, too. It keeps to the same rules; a name is one of a secret's own, as
// the engine takes it.
//
// TestMaker of package vaulttest tells whether an implementation keeps to this.
type Maker interface {
	Vault
	// Create makes a secret with its first value, and returns its version. It returns ErrConflict if there is one of
	// that name (with or without a value), and ErrDeleted if one has it that was deleted and can be restored;
	// ErrInvalid for a value that no engine takes. Of several that create one name at once, one makes it. After any
	// other error the secret may be there.
	Create(ctx context.Context, name string, value []byte) (version string, err error)
	// Delete ends a secret; where the engine keeps it for a while, Restore takes that back. One that is not there,
	// or deleted already, is no error. After an error it may be deleted.
	Delete(ctx context.Context, name string) error
	// Restore takes a deletion back: the secret is as it was. It returns nil for a secret that is not deleted, and
	// ErrNotFound if there is none. After any other error it may be restored.
	Restore(ctx context.Context, name string) error
}

// History is a Vault that knows what a secret held before.
type History interface {
	Vault
	// Previous returns the version that was current before the current one; or ErrNotFound, also where the engine
	// keeps none.
	Previous(ctx context.Context, name string) (Secret, error)
}

// Check returns ErrInvalid for a value that no engine takes: an empty one, or one above MaxValue. Every engine
// calls it before it writes.
func Check(value []byte) error {
	if len(value) == 0 || len(value) > MaxValue {
		return fmt.Errorf("%w: it has %d bytes, it must have 1 to %d", ErrInvalid, len(value), MaxValue)
	}
	return nil
}
