// Package vault keeps secrets: small pieces of data with versions, in an engine made for that and nowhere else.
// Each engine has a package of its own; vaulttest checks one.
package vault

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
)

// Secret is a secret as it was at one moment. Printed or logged it shows its version only.
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

var (
	// ErrNotFound is returned for a secret that does not exist or has no value.
	ErrNotFound = errors.New("there is no such secret, or it has no value")
	// ErrConflict is returned by Replace when the current version is another than the caller believed.
	// Nothing has become current.
	ErrConflict = errors.New("the secret was changed meanwhile")
)

// Vault is what an engine offers. It is safe for concurrent use by several processes. No error tells anything of
// a value.
type Vault interface {
	// Get returns the current version, or ErrNotFound.
	Get(ctx context.Context, name string) (Secret, error)
	// Replace makes value current in place of the version old, and returns the new version; or ErrConflict if
	// old is not current. Of several that replace one version at once, one makes it. After any other error the
	// value may have become current, may be waiting for Adopt, or be lost.
	Replace(ctx context.Context, name, old string, value []byte) (version string, err error)
	// Adopt finishes a Replace of the version old that wrote its value down and was interrupted: it makes that
	// value current and returns it. It returns ErrNotFound if no such value is waiting, and ErrConflict if old
	// is not current.
	Adopt(ctx context.Context, name, old string) (Secret, error)
}
