//go:build !windows && (!unix || aix || solaris)

package file

import (
	"errors"
	"os"
)

// tryLock fails: how processes take turns on these systems is not known here.
func tryLock(path string) (*os.File, error) {
	return nil, &os.PathError{Op: "lock", Path: path, Err: errors.ErrUnsupported}
}
