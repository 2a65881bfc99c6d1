//go:build unix && !aix && !solaris

package embedded

import (
	"os"
	"syscall"
)

// unlock gives back bbolt's lock on the file. Closing the file alone does not, as long as it is mapped.
func unlock(file *os.File) {
	_ = syscall.Flock(int(file.Fd()), syscall.LOCK_UN)
}
