package nifti

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
)

// datatype is the storage of one voxel, by its code in nifti1.h.
type datatype int16

// The datatypes that are read. Writing uses dtUint8, dtInt16, dtUint16
// and dtFloat32.
const (
	dtUint8   datatype = 2
	dtInt16   datatype = 4
	dtInt32   datatype = 8
	dtFloat32 datatype = 16
	dtFloat64 datatype = 64
	dtInt8    datatype = 256
	dtUint16  datatype = 512
	dtUint32  datatype = 768
	dtInt64   datatype = 1024
	dtUint64  datatype = 1280
)

// size returns the bytes of one voxel, or an error for a code that is not read.
// bitpix says the same a second time and is not looked at: that the data have
// exactly the length that follows from the datatype is checked instead.
func (t datatype) size() (int, error) {
	switch t {
	case dtUint8, dtInt8:
		return 1, nil
	case dtInt16, dtUint16:
		return 2, nil
	case dtInt32, dtUint32, dtFloat32:
		return 4, nil
	case dtInt64, dtUint64, dtFloat64:
		return 8, nil
	case 1, 32, 128, 1536, 1792, 2048, 2304:
		// Bits, complex64, RGB, float128, complex128, complex256, RGBA.
		return 0, fmt.Errorf("datatype %d: %w (want a real number of 8 to 64 bits)", t, ErrUnsupported)
	}
	return 0, fmt.Errorf("datatype %d: not a NIfTI-1 datatype", t)
}

// swap reverses the bytes of every value of size bytes, in place, so that big
// endian data can be decoded as little endian.
func swap(raw []byte, size int) {
	switch size {
	case 2:
		for i := 0; i+2 <= len(raw); i += 2 {
			v := binary.LittleEndian.Uint16(raw[i:])
			binary.LittleEndian.PutUint16(raw[i:], bits.ReverseBytes16(v))
		}
	case 4:
		for i := 0; i+4 <= len(raw); i += 4 {
			v := binary.LittleEndian.Uint32(raw[i:])
			binary.LittleEndian.PutUint32(raw[i:], bits.ReverseBytes32(v))
		}
	case 8:
		for i := 0; i+8 <= len(raw); i += 8 {
			v := binary.LittleEndian.Uint64(raw[i:])
			binary.LittleEndian.PutUint64(raw[i:], bits.ReverseBytes64(v))
		}
	}
}

// decode converts little-endian values to dst, one per element. 64-bit integers
// above 2⁵³ lose their last digits, which neither a label nor a magnitude has.
func (t datatype) decode(dst []float64, raw []byte) {
	le := binary.LittleEndian
	switch t {
	case dtUint8:
		for i := range dst {
			dst[i] = float64(raw[i])
		}
	case dtInt8:
		for i := range dst {
			dst[i] = float64(int8(raw[i]))
		}
	case dtInt16:
		for i := range dst {
			dst[i] = float64(int16(le.Uint16(raw[2*i:])))
		}
	case dtUint16:
		for i := range dst {
			dst[i] = float64(le.Uint16(raw[2*i:]))
		}
	case dtInt32:
		for i := range dst {
			dst[i] = float64(int32(le.Uint32(raw[4*i:])))
		}
	case dtUint32:
		for i := range dst {
			dst[i] = float64(le.Uint32(raw[4*i:]))
		}
	case dtFloat32:
		for i := range dst {
			dst[i] = float64(math.Float32frombits(le.Uint32(raw[4*i:])))
		}
	case dtInt64:
		for i := range dst {
			dst[i] = float64(int64(le.Uint64(raw[8*i:])))
		}
	case dtUint64:
		for i := range dst {
			dst[i] = float64(le.Uint64(raw[8*i:]))
		}
	case dtFloat64:
		for i := range dst {
			dst[i] = math.Float64frombits(le.Uint64(raw[8*i:]))
		}
	}
}
