//go:build !linux

package dicomio

// newEcho returns an array for n voxels.
func newEcho(n int) []float32 { return make([]float32, n) }
