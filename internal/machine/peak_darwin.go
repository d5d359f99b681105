package machine

import "golang.org/x/sys/unix"

func peak() int64 {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return u.Maxrss // in bytes on this system
}
