// Package samples reads the voxels of a file as labels or magnitudes. The readers of NIfTI, NRRD
// and MetaImage share it. It knows how numbers are stored, which of them are labels, how streams
// are compressed and end, and reads in chunks, so that memory follows the data that arrive and not
// the sizes that a header declares. It knows no header and no path.
package samples

import (
	"encoding/binary"
	"math"
	"slices"
)

// Kind is the storage type of one voxel.
type Kind uint8

// The kinds: whole numbers and IEEE 754 numbers of 8 to 64 bits. The zero Kind is invalid.
const (
	Uint8 Kind = iota + 1
	Int8
	Uint16
	Int16
	Uint32
	Int32
	Uint64
	Int64
	Float32
	Float64
)

// Size returns the bytes of one value.
func (k Kind) Size() int {
	switch k {
	case Uint8, Int8:
		return 1
	case Uint16, Int16:
		return 2
	case Uint32, Int32, Float32:
		return 4
	}
	return 8
}

// swap reverses the bytes of every value of size bytes, in place, to convert big endian to little
// endian.
func swap(raw []byte, size int) {
	for ; size > 1 && len(raw) >= size; raw = raw[size:] {
		slices.Reverse(raw[:size])
	}
}

// decode converts little-endian values to dst. 64-bit integers above 2⁵³ lose their last digits,
// which neither labels nor magnitudes have.
func (k Kind) decode(dst []float64, raw []byte) {
	le := binary.LittleEndian
	switch k {
	case Uint8:
		for i := range dst {
			dst[i] = float64(raw[i])
		}
	case Int8:
		for i := range dst {
			dst[i] = float64(int8(raw[i]))
		}
	case Int16:
		for i := range dst {
			dst[i] = float64(int16(le.Uint16(raw[2*i:])))
		}
	case Uint16:
		for i := range dst {
			dst[i] = float64(le.Uint16(raw[2*i:]))
		}
	case Int32:
		for i := range dst {
			dst[i] = float64(int32(le.Uint32(raw[4*i:])))
		}
	case Uint32:
		for i := range dst {
			dst[i] = float64(le.Uint32(raw[4*i:]))
		}
	case Float32:
		for i := range dst {
			dst[i] = float64(math.Float32frombits(le.Uint32(raw[4*i:])))
		}
	case Int64:
		for i := range dst {
			dst[i] = float64(int64(le.Uint64(raw[8*i:])))
		}
	case Uint64:
		for i := range dst {
			dst[i] = float64(le.Uint64(raw[8*i:]))
		}
	case Float64:
		for i := range dst {
			dst[i] = math.Float64frombits(le.Uint64(raw[8*i:]))
		}
	}
}
