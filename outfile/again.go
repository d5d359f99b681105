package outfile

import (
	"errors"
	"syscall"
)

// transient are errors of network file systems that pass: a server or the network between restarts, or a file was
// replaced under its handle. An EIO is not among them, because it is also that of a bad disk.
var transient = []error{syscall.ESTALE, syscall.ETIMEDOUT, syscall.ECONNRESET, syscall.ECONNREFUSED,
	syscall.EHOSTDOWN, syscall.EHOSTUNREACH, syscall.ENETDOWN, syscall.ENETUNREACH}

// Transient reports whether an error of the system, or one with a method Transient that says so, may pass, so that the
// work should be tried again later.
func Transient(err error) bool {
	var other interface{ Transient() bool } // such as an error of a bucket
	if errors.As(err, &other) && other.Transient() {
		return true
	}
	for _, e := range transient {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
