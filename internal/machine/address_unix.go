//go:build unix

package machine

import "golang.org/x/sys/unix"

// addressSpace returns the limit of the process's address space (ulimit -v), or 0.
func addressSpace() int64 {
	var l unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_AS, &l) != nil || uint64(l.Cur) >= unlimited {
		return 0
	}
	return int64(l.Cur)
}
