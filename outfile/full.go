package outfile

import (
	"errors"
	"runtime"
	"syscall"
)

// Full reports whether the error says that there is no room to write: the disk is full,
// or the user's part of it.
func Full(err error) bool { return full(runtime.GOOS, err) }

func full(goos string, err error) bool {
	// Of winerror.h; package syscall has no names for them on other systems.
	const handleDiskFull, diskFull = syscall.Errno(39), syscall.Errno(112)
	if goos == "windows" {
		return errors.Is(err, handleDiskFull) || errors.Is(err, diskFull)
	}
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
