package volume

import (
	"syscall"
	"unsafe"
)

// Floats returns an array for n voxels. It asks Linux for large pages: with pages of 4 kB, the
// first access to the 30000 pages of a study's echoes takes as long as decoding them. If the system
// has no large pages, ordinary ones are used.
func Floats(n int) []float32 {
	data := make([]float32, n)
	if n == 0 {
		return data
	}
	memory := unsafe.Slice((*byte)(unsafe.Pointer(&data[0])), 4*n)
	page := syscall.Getpagesize()
	before := -int(uintptr(unsafe.Pointer(&data[0]))) & (page - 1) // the advice is for whole pages
	if whole := (len(memory) - before) &^ (page - 1); whole > 0 {
		_ = syscall.Madvise(memory[before:][:whole], syscall.MADV_HUGEPAGE)
	}
	return data
}
