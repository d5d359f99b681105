// Package words reads several voxels as one machine word, so that long runs of background and of
// bone cost little.
package words

// Eight returns the first eight voxels of x in one word.
func Eight[T ~uint8](x []T) uint64 {
	_ = x[7]
	return uint64(x[0]) | uint64(x[1])<<8 | uint64(x[2])<<16 | uint64(x[3])<<24 |
		uint64(x[4])<<32 | uint64(x[5])<<40 | uint64(x[6])<<48 | uint64(x[7])<<56
}

// EightOf returns the word of eight voxels with the value v.
func EightOf[T ~uint8](v T) uint64 { return uint64(v) * 0x0101010101010101 }

// Four returns the first four labels of x in one word.
func Four(x []uint16) uint64 {
	_ = x[3]
	return uint64(x[0]) | uint64(x[1])<<16 | uint64(x[2])<<32 | uint64(x[3])<<48
}
