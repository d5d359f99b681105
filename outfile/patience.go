package outfile

import (
	"errors"
	"io/fs"
	"runtime"
	"syscall"
	"time"
)

// pauses are the waits between the tries of Patiently, 1.1 s together.
var pauses = [...]time.Duration{20 * time.Millisecond, 50 * time.Millisecond, 130 * time.Millisecond, 300 * time.Millisecond, 600 * time.Millisecond}

// Patiently calls do again a few times while another program holds a file. On
// Windows a virus scanner, the search index or a synchronised folder opens a new
// file for some moments, and until it closes it neither the file can be replaced
// nor a folder above it renamed.
func Patiently(do func() error) error {
	return retry(do, func(err error) bool { return held(runtime.GOOS, err) })
}

func retry(do func() error, again func(error) bool) error {
	err := do()
	for _, p := range pauses {
		if err == nil || !again(err) {
			return err
		}
		time.Sleep(p)
		err = do()
	}
	return err
}

// held reports whether the error may come from a program that has the file open.
// Only Windows keeps others from a file in use; a missing permission, which it
// does not tell apart from some of these cases, is final elsewhere.
func held(goos string, err error) bool {
	// Of winerror.h; package syscall has no names for them on other systems.
	const sharingViolation, lockViolation = syscall.Errno(32), syscall.Errno(33)
	return goos == "windows" &&
		(errors.Is(err, fs.ErrPermission) || errors.Is(err, sharingViolation) || errors.Is(err, lockViolation))
}
