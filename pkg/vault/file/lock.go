package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
)

// lockWait is how long a call waits for other processes, whose calls take some milliseconds.
const lockWait = time.Second

// use runs f while no other call uses the file. Unless f makes the file, one that does not exist is
// vault.ErrNotFound: it holds no secret.
func (v *Vault) use(ctx context.Context, makes bool, f func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case v.turn <- struct{}{}:
		defer func() { <-v.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if makes {
		if err := os.MkdirAll(filepath.Dir(v.path), 0o700); err != nil {
			return fmt.Errorf("the secrets' folder: %w: use another place, or allow this user to write there", err)
		}
	} else if _, err := os.Stat(v.path); errors.Is(err, fs.ErrNotExist) {
		return vault.ErrNotFound
	}
	lock, err := v.lock(ctx)
	if err != nil {
		return err
	}
	defer lock.Close() // gives it back
	return f()
}

// lock takes the lock of all processes. It lies in a file of its own, since each change replaces the secrets' file.
func (v *Vault) lock(ctx context.Context) (*os.File, error) {
	deadline := time.Now().Add(lockWait)
	for {
		lock, err := tryLock(v.path + ".lock")
		switch {
		case err != nil:
			return nil, fmt.Errorf("the lock of the secrets' file: %w: allow this user to write there, or use another place", err)
		case lock != nil:
			return lock, nil
		case time.Now().After(deadline):
			return nil, fmt.Errorf("%s: %w (another run of this program?): end that one, or try again", v.path, ErrInUse)
		}
		if err := sleep(ctx, time.Millisecond+rand.N(2*time.Millisecond)); err != nil { //nolint:gosec // spreads waits, keeps no secret
			return nil, err
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
