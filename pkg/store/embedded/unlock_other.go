//go:build !unix || aix || solaris

package embedded

import "os"

// unlock does nothing: on these systems closing the file gives back bbolt's lock.
func unlock(*os.File) {}
