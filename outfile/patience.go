package outfile

import (
	"errors"
	"io/fs"
	"runtime"
	"syscall"
	"time"
)

// pauses are the waits between the attempts of Patiently, 1.1 s in total.
var pauses = [...]time.Duration{20 * time.Millisecond, 50 * time.Millisecond, 130 * time.Millisecond,
	300 * time.Millisecond, 600 * time.Millisecond}

// Patiently calls do again a few times while another program holds a file. On Windows a
// virus scanner, the search index or a synchronised folder opens a new file for a moment.
// Until it closes the file, the file cannot be replaced and no folder above it can be
// renamed.
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

// held reports whether the error may mean that another program has the file open. Only
// Windows locks a file in use; there the error may look like a missing permission, which is
// final on other systems.
func held(goos string, err error) bool {
	// From winerror.h; package syscall does not name them on other systems.
	const sharingViolation, lockViolation = syscall.Errno(32), syscall.Errno(33)
	return goos == "windows" &&
		(errors.Is(err, fs.ErrPermission) || errors.Is(err, sharingViolation) || errors.Is(err, lockViolation))
}
