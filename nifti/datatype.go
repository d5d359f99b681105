package nifti

import (
	"fmt"

	"github.com/t2map/t2map/samples"
)

// datatype is the code in nifti1.h of the storage type of one voxel.
type datatype int16

// The datatypes that are written.
const (
	dtUint8   datatype = 2
	dtInt16   datatype = 4
	dtFloat32 datatype = 16
	dtUint16  datatype = 512
)

// kinds are the datatypes that are read.
var kinds = map[datatype]samples.Kind{
	dtUint8: samples.Uint8, dtInt16: samples.Int16, 8: samples.Int32, dtFloat32: samples.Float32, 64: samples.Float64,
	256: samples.Int8, dtUint16: samples.Uint16, 768: samples.Uint32, 1024: samples.Int64, 1280: samples.Uint64,
}

// kind returns the storage type of a voxel, or an error for a code that is not read. bitpix, which
// repeats it, is ignored: the length of the data is checked against the datatype.
func (t datatype) kind() (samples.Kind, error) {
	if k, ok := kinds[t]; ok {
		return k, nil
	}
	switch t {
	case 1, 32, 128, 1536, 1792, 2048, 2304:
		// Bits, complex64, RGB, float128, complex128, complex256, RGBA.
		return 0, fmt.Errorf("datatype %d: %w (want a real number of 8 to 64 bits)", t, ErrUnsupported)
	}
	return 0, fmt.Errorf("datatype %d: not a NIfTI-1 datatype", t)
}
