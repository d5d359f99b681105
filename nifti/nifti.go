// Package nifti reads and writes NIfTI-1 single files, .nii and .nii.gz. It reads label maps and
// multi-echo arrays, and writes maps and label maps.
//
// NIfTI's patient space is RAS, that of package volume is LPS; the package converts, so that every
// Geometry that is passed or returned is LPS in mm. Voxels have the same order in both: voxel (i,
// j, k) is v = i + Nx·(j + Ny·k). Lengths in a file may be in m, mm or µm (xyzt_units) and are
// returned in mm. A file that does not state the unit is read as mm, as other readers do.
//
// The sform gives the position of the voxels if sform_code > 0, otherwise the qform if qform_code >
// 0. A file with neither has no position in the patient, which is an error (ErrNoGeometry). It is
// also an error if both are set and differ by more than Geometry.Tolerance (samples.FaultForms).
// The package does not read NIfTI-2, .hdr/.img pairs, colour or complex values (ErrUnsupported), it
// does not read or keep header extensions, and it does not resample.
//
// Memory follows the data that arrive, not the sizes that a header declares.
//
// Source of the format: nifti1.h, R. W. Cox et al., 2003–2007,
// https://nifti.nimh.nih.gov/pub/dist/src/niftilib/nifti1.h. Field names in
// errors are those of that file.
package nifti

import (
	"errors"

	"github.com/t2map/t2map/samples"
)

var (
	// ErrUnsupported marks a valid file of a kind that this package does not read: NIfTI-2, a
	// .hdr/.img pair, colour or complex values, more than four dimensions.
	ErrUnsupported = samples.ErrUnsupported

	// ErrNoGeometry marks a file whose qform_code and sform_code are both 0: its voxels have no
	// position in the patient. ReadArrays reads such a file.
	ErrNoGeometry = errors.New("neither qform nor sform places the voxels in the patient")
)

// Byte offsets of the header's fields (struct nifti_1_header in nifti1.h).
const (
	atRegular    = 38
	atDim        = 40
	atDatatype   = 70
	atBitpix     = 72
	atPixdim     = 76
	atVoxOffset  = 108
	atSlope      = 112
	atInter      = 116
	atUnits      = 123
	atDescrip    = 148
	atQformCode  = 252
	atSformCode  = 254
	atQuaternion = 256
	atQoffset    = 268
	atSrow       = 280
	atMagic      = 344

	headerSize     = 348
	header2Size    = 540 // sizeof_hdr of NIfTI-2 (nifti2.h)
	descripSize    = 80
	firstDataByte  = 352 // "image data never starts before byte #352 in a .nii file"
	maxDim         = 1<<15 - 1
	unitsSpaceBits = 7 // XYZT_TO_SPACE in nifti1.h
	unitsMM        = 2 // NIFTI_UNITS_MM
)
