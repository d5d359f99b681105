//go:build !linux

package volume

// Floats returns an array for n voxels.
func Floats(n int) []float32 { return make([]float32, n) }
