// Package account knows who is connected, and by what credential.
package account

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// Credential is one way into an account of OwnerRez. Which account it belongs to is not said by the
// credential: OwnerRez is asked (users/me) before it is used for anything else.
type Credential struct {
	// Fingerprint tells this credential from others without revealing it: a keyed hash, or the
	// version id of the secret that holds it. A replaced token has another fingerprint.
	Fingerprint string
	// PATUser is the keyed hash of a personal token's e-mail, for OwnerRez's limit of two accounts per
	// address in 24 hours; empty for OAuth tokens, which have no such limit.
	PATUser string
	// Auth authorizes requests.
	Auth ownerrez.Auth
	// Options say where OwnerRez is, and whatever else all clients of this credential share.
	Options []ownerrez.Option
	// Prepare is called when a run of the account's lane begins, before any request, and nowhere else, with the
	// options of the run: what it sends counts too. Nil if there is nothing to prepare.
	Prepare func(context.Context, ...ownerrez.Option) error
	// Trouble is what is wrong with the credential although it may work: nil if nothing is, or if it never says.
	Trouble func() *RefreshError
}

// Open makes a client that uses the credential; extra options come after the credential's own.
func (c Credential) Open(extra ...ownerrez.Option) (*ownerrez.Client, error) {
	return ownerrez.New(c.Auth, append(append([]ownerrez.Option(nil), c.Options...), extra...)...)
}

// Source lists the credentials that are configured now, the newest first. It is safe for concurrent use.
type Source func(ctx context.Context) ([]Credential, error)

// Fingerprint hashes what makes a credential, keyed, so that it can be told apart in tables and logs and
// not be guessed from there. The parts are kept apart: ("ab", "c") differs from ("a", "bc").
func Fingerprint(key []byte, parts ...string) string {
	mac := hmac.New(sha256.New, key)
	for _, part := range parts {
		sum := sha256.Sum256([]byte(part))
		mac.Write(sum[:])
	}
	return hex.EncodeToString(mac.Sum(nil)[:12])
}
