//go:build !linux && !darwin && !windows

package machine

// physical returns 0: the machine's memory is not known here.
func physical() int64 { return 0 }
