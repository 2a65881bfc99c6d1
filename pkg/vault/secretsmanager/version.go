package secretsmanager

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// half is how many of the 64 characters of our version ids are random; the others name the replaced version.
const half = 32

// newVersion makes the id of a version that is to replace old.
func newVersion(old string) string {
	random := make([]byte, half/2)
	_, _ = rand.Read(random) // never fails
	return hex.EncodeToString(random) + fingerprint(old)
}

// replaces reports whether version was written to replace old.
func replaces(version, old string) bool {
	return len(version) == 2*half && strings.HasSuffix(version, fingerprint(old))
}

func fingerprint(version string) string {
	sum := sha256.Sum256([]byte(version))
	return hex.EncodeToString(sum[:])[:half]
}
