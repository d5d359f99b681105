package dicomio

import (
	"os"
	"syscall"
	"unsafe"
)

// newEcho returns an array for n voxels. It asks Linux for large pages: with pages
// of 4 kB, the first touch of the 30000 pages of a study's echoes takes as long as
// decoding them. Where the system has no large pages to give, nothing changes.
func newEcho(n int) []float32 {
	echo := make([]float32, n)
	if n == 0 {
		return echo
	}
	memory := unsafe.Slice((*byte)(unsafe.Pointer(&echo[0])), 4*n)
	page := os.Getpagesize()
	before := -int(uintptr(unsafe.Pointer(&echo[0]))) & (page - 1) // the advice is for whole pages
	if whole := (len(memory) - before) &^ (page - 1); whole > 0 {
		_ = syscall.Madvise(memory[before:][:whole], syscall.MADV_HUGEPAGE)
	}
	return echo
}
