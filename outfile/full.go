package outfile

import (
	"errors"
	"runtime"
	"syscall"
)

// Full reports whether the error means that the disk is full, or that the user's disk quota is used up.
func Full(err error) bool { return full(runtime.GOOS, err) }

func full(goos string, err error) bool {
	// From winerror.h; package syscall does not name them on other systems.
	const handleDiskFull, diskFull = syscall.Errno(39), syscall.Errno(112)
	if goos == "windows" {
		return errors.Is(err, handleDiskFull) || errors.Is(err, diskFull)
	}
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
