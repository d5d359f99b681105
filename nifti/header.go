package nifti

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/t2map/t2map/samples"
	"github.com/t2map/t2map/volume"
)

// header holds the values of a NIfTI-1 header that this package uses.
type header struct {
	size      [3]int // voxels along i, j, k
	frames    int    // dim[4], 1 for a 3-D file
	kind      samples.Kind
	bigEndian bool
	// value = slope·stored + inter; slope 1 and inter 0 if the file has no scale.
	slope, inter float64
	offset       int64 // of the first voxel, in bytes from the start of the file
	place        placement
}

// placement holds the header's two descriptions of the position of the voxels in the patient, in
// the file's units.
type placement struct {
	mm           float64 // length of the file's unit in mm
	qcode, scode int16
	pixdim       [4]float64
	quaternion   [3]float64 // b, c, d
	qoffset      [3]float64
	srow         [3][4]float64
}

// fields reads numbers from the header's bytes.
type fields struct {
	b     []byte
	order binary.ByteOrder
}

func (f fields) int16(offset int) int16 { return int16(f.order.Uint16(f.b[offset:])) }

func (f fields) float(offset int) float64 {
	return float64(math.Float32frombits(f.order.Uint32(f.b[offset:])))
}

// readHeader reads the 348 bytes of a NIfTI-1 header and checks them.
func readHeader(r io.Reader) (header, error) {
	b := make([]byte, headerSize)
	n, err := io.ReadFull(r, b)
	if n < 4 || (err != nil && !errors.Is(err, io.ErrUnexpectedEOF)) {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return header{}, samples.Mark(
			samples.StreamFault(err), fmt.Errorf("header: %d of %d bytes: %w", n, headerSize, err),
		)
	}
	order, err := byteOrder(b)
	if err != nil {
		return header{}, err
	}
	if n < headerSize {
		return header{}, samples.Mark(
			samples.FaultLength, fmt.Errorf("header: %d of %d bytes: %w", n, headerSize, io.ErrUnexpectedEOF),
		)
	}
	switch magic := string(b[atMagic:headerSize]); magic {
	case "n+1\x00":
	case "ni1\x00":
		return header{}, samples.Mark(
			samples.FaultPair,
			fmt.Errorf(
				"magic %q, the header of a .hdr/.img pair: %w (save it as one .nii file)", magic, ErrUnsupported,
			),
		)
	case "\x00\x00\x00\x00":
		return header{}, samples.Mark(
			samples.FaultPair,
			fmt.Errorf(
				"magic %q, the header of an Analyze 7.5 pair: %w (save it as one .nii file)", magic, ErrUnsupported,
			),
		)
	default:
		return header{}, samples.Mark(
			samples.FaultFormat, fmt.Errorf("magic %q, want %q: not a NIfTI-1 file", magic, "n+1\x00"),
		)
	}
	h, err := parseHeader(fields{b, order})
	return h, samples.Mark(samples.FaultFormat, err)
}

// byteOrder returns the byte order that sizeof_hdr has, as nifti1.h advises.
func byteOrder(b []byte) (binary.ByteOrder, error) {
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		switch order.Uint32(b) {
		case headerSize:
			return order, nil
		case header2Size:
			return nil, samples.Mark(
				samples.FaultVersion,
				fmt.Errorf("sizeof_hdr %d, a NIfTI-2 file: %w (save it as NIfTI-1)", header2Size, ErrUnsupported),
			)
		}
	}
	return nil, samples.Mark(
		samples.FaultFormat, fmt.Errorf("sizeof_hdr % x, want %d: not a NIfTI file", b[:4], headerSize),
	)
}

// parseHeader interprets the header's fields and checks all that does not need the data.
func parseHeader(f fields) (header, error) {
	h := header{bigEndian: f.order == binary.BigEndian}
	var err error
	if h.kind, err = datatype(f.int16(atDatatype)).kind(); err != nil {
		return header{}, samples.Mark(samples.FaultDatatype, err)
	}
	if err := h.setSize(f); err != nil {
		return header{}, err
	}
	if err := h.setScale(f.float(atSlope), f.float(atInter)); err != nil {
		return header{}, err
	}
	if err := h.setOffset(f.float(atVoxOffset)); err != nil {
		return header{}, err
	}
	return h, h.setPlace(f)
}

// setSize interprets dim. Dimensions that the file does not have count as 1.
func (h *header) setSize(f fields) error {
	nd := int(f.int16(atDim))
	if nd < 1 || nd > 7 {
		return fmt.Errorf("dim[0]: %d dimensions, want 1 to 7", nd)
	}
	dim := [7]int{1, 1, 1, 1, 1, 1, 1}
	for d := range nd {
		dim[d] = int(f.int16(atDim + 2*(d+1)))
		if dim[d] < 1 {
			return fmt.Errorf("dim[%d]: %d voxels, want at least 1", d+1, dim[d])
		}
	}
	for d := 4; d < 7; d++ {
		if dim[d] > 1 {
			return samples.Mark(
				samples.FaultFrames,
				fmt.Errorf("dim[%d]: %d, more than four dimensions: %w", d+1, dim[d], ErrUnsupported),
			)
		}
	}
	// This is possible only on a 32-bit machine: three int16 fill 45 bits.
	if n := int64(dim[0]) * int64(dim[1]) * int64(dim[2]); n > math.MaxInt/8 {
		return fmt.Errorf("dim: %d×%d×%d voxels: %w on this machine", dim[0], dim[1], dim[2], ErrUnsupported)
	}
	h.size, h.frames = [3]int(dim[:3]), dim[3]
	return nil
}

// setScale interprets scl_slope and scl_inter. A slope of 0 means none (nifti1.h), and so does a
// slope that is not finite, as nibabel writes it. With a valid slope, an intercept that is not
// finite is an error.
func (h *header) setScale(slope, inter float64) error {
	h.slope, h.inter = 1, 0
	if slope == 0 || !finite(slope) {
		return nil
	}
	if !finite(inter) {
		return fmt.Errorf("scl_inter: %g, with scl_slope %g", inter, slope)
	}
	h.slope, h.inter = slope, inter
	return nil
}

// setOffset interprets vox_offset: "If vox_offset is less than 352 in a .nii file, it is equivalent
// to 352" (nifti1.h).
func (h *header) setOffset(v float64) error {
	if !finite(v) || v < 0 || v != math.Trunc(v) {
		return fmt.Errorf("vox_offset: %g, want a number of bytes", v)
	}
	if v > samples.MostSkipped {
		return fmt.Errorf("vox_offset: %g, more than %d bytes of header extensions", v, samples.MostSkipped)
	}
	h.offset = max(int64(v), firstDataByte)
	return nil
}

// setPlace reads the qform and the sform.
func (h *header) setPlace(f fields) error {
	p := &h.place
	switch units := f.b[atUnits] & unitsSpaceBits; units {
	case 0, unitsMM:
		p.mm = 1
	case 1: // NIFTI_UNITS_METER
		p.mm = 1000
	case 3: // NIFTI_UNITS_MICRON
		p.mm = 0.001
	default:
		return fmt.Errorf("xyzt_units: %d is not a unit of length", units)
	}
	p.qcode, p.scode = f.int16(atQformCode), f.int16(atSformCode)
	for d := range p.pixdim {
		p.pixdim[d] = f.float(atPixdim + 4*d)
	}
	for d := range 3 {
		p.quaternion[d] = f.float(atQuaternion + 4*d)
		p.qoffset[d] = f.float(atQoffset + 4*d)
		for c := range 4 {
			p.srow[d][c] = f.float(atSrow + 16*d + 4*c)
		}
	}
	return nil
}

// geometry returns the grid of one frame.
func (h header) geometry() (volume.Geometry, error) {
	affine, err := h.place.affine(h.size)
	if err != nil {
		return volume.Geometry{}, err
	}
	return volume.Geometry{Size: h.size, Affine: affine}, nil
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
