package nifti

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/t2map/t2map/nifti/internal/deflate"
	"github.com/t2map/t2map/samples"
	"github.com/t2map/t2map/volume"
)

// canonicalNaN is written for every NaN, so that the bytes do not depend on the machine that
// computed the map.
const canonicalNaN = 0x7fc00000

// WriteMap writes a map as a gzip-compressed NIfTI-1 file of float32, little endian, in mm, with
// the affine of m as sform and qform, code 1 (scanner). The description is written to descrip, cut
// to the 79 bytes of the field. The bytes do not depend on the number of processors.
//
// A grid that is sheared by more than 0.1 mm gets no qform, which cannot express it. It is an error
// if the length of m.Data does not match m.Size, if a size is above the range of int16, or if the
// affine is not finite or flat.
func WriteMap(w io.Writer, m volume.Map, description string) error {
	if err := checkLength(len(m.Data), m.Geometry); err != nil {
		return err
	}
	return write(
		w, m.Geometry, content{dtFloat32, func(dst []byte, first int) { putFloats(dst, m.Data[first:]) }},
		description,
	)
}

// WriteLabels writes one whole number per voxel, as WriteMap does, in uint8, or in uint16 if one is
// above 255.
func WriteLabels[L ~uint8 | ~uint16](w io.Writer, g volume.Geometry, data []L, description string) error {
	if err := checkLength(len(data), g); err != nil {
		return err
	}
	c := content{dtUint8, func(dst []byte, first int) { putBytes(dst, data[first:]) }}
	if uint16(^L(0)) > math.MaxUint8 && len(data) > 0 && uint16(slices.Max(data)) > math.MaxUint8 {
		c = content{dtUint16, func(dst []byte, first int) { putWords(dst, data[first:]) }}
	}
	return write(w, g, c, description)
}

// WriteImage writes magnitudes as WriteMap does, but in half the space if that is lossless: in
// int16 if all values are whole numbers that it can hold, otherwise in uint16 if that can hold
// them, otherwise in float32.
func WriteImage(w io.Writer, m volume.Map, description string) error {
	if err := checkLength(len(m.Data), m.Geometry); err != nil {
		return err
	}
	low, high, whole := wholeRange(m.Data)
	var c content
	switch {
	case whole && low >= math.MinInt16 && high <= math.MaxInt16:
		c.t = dtInt16
	case whole && low >= 0 && high <= math.MaxUint16:
		c.t = dtUint16
	default:
		return WriteMap(w, m, description)
	}
	c.put = func(dst []byte, first int) { putWhole(dst, m.Data[first:]) }
	return write(w, m.Geometry, c, description)
}

// wholeRange returns the least and the largest value, and whether all values are whole numbers.
// Processors differ in the conversion of values that int32 cannot hold: the result is an end of the
// range, which is above the limits of the callers, or differs from the value.
func wholeRange(data []float32) (low, high int32, whole bool) {
	var rest uint32
	for _, v := range data {
		n := int32(v)
		rest |= math.Float32bits(float32(n)-v) << 1 // not the sign: −0 is whole
		low, high = min(low, n), max(high, n)
	}
	return low, high, rest == 0
}

func checkLength(n int, g volume.Geometry) error {
	if n != g.Voxels() {
		return fmt.Errorf("data: %d values, want %d×%d×%d = %d", n, g.Size[0], g.Size[1], g.Size[2], g.Voxels())
	}
	return nil
}

// content describes the voxels after the header: their type, and a function that fills dst with the
// voxels from first on.
type content struct {
	t   datatype
	put func(dst []byte, first int)
}

// write writes the header and the content, compressed.
func write(w io.Writer, g volume.Geometry, c content, description string) error {
	head, err := encodeHeader(g, c.t, description)
	if err != nil {
		return err
	}
	size := kinds[c.t].Size()
	buf := make([]byte, min(deflate.Unit, size*g.Voxels()))
	z := deflate.NewWriter(w, head, len(buf))
	for first, n := 0, g.Voxels(); first < n; first += len(buf) / size {
		buf = buf[:min(len(buf), size*(n-first))]
		c.put(buf, first)
		if err := z.Write(buf, first+len(buf)/size == n); err != nil {
			return err
		}
	}
	return nil
}

// putWords fills dst from the start of data as little-endian uint16.
func putWords[L ~uint8 | ~uint16](dst []byte, data []L) {
	for i, v := range data[:len(dst)/2] {
		binary.LittleEndian.PutUint16(dst[2*i:], uint16(v))
	}
}

// putWhole fills dst from the start of data, which are whole numbers, with 16 bits each, little
// endian. The bits of int16 and of uint16 are the same.
func putWhole(dst []byte, data []float32) {
	for i, v := range data[:len(dst)/2] {
		binary.LittleEndian.PutUint16(dst[2*i:], uint16(int32(v)))
	}
}

// putBytes fills dst from the start of data.
func putBytes[L ~uint8 | ~uint16](dst []byte, data []L) {
	for i, v := range data[:len(dst)] {
		dst[i] = uint8(v)
	}
}

// putFloats fills dst from the start of data as little-endian float32.
func putFloats(dst []byte, data []float32) {
	for len(dst) >= 8 && len(data) >= 2 {
		binary.LittleEndian.PutUint64(dst, uint64(word(data[0]))|uint64(word(data[1]))<<32)
		dst, data = dst[8:], data[2:]
	}
	if len(dst) >= 4 {
		binary.LittleEndian.PutUint32(dst, word(data[0]))
	}
}

// word returns the bits of v, which are the same for every NaN.
func word(v float32) uint32 {
	b := math.Float32bits(v)
	if b<<1 > 0xff<<24 { // the exponent of NaN and a mantissa above 0
		b = canonicalNaN
	}
	return b
}

// encodeHeader returns the 352 bytes before the data: the header, and four zero bytes for no
// extension.
func encodeHeader(g volume.Geometry, t datatype, description string) ([]byte, error) {
	for d, n := range g.Size {
		if n < 1 || n > maxDim {
			return nil, fmt.Errorf("dim[%d]: %d voxels, want 1 to %d", d+1, n, maxDim)
		}
	}
	if !samples.SpansSpace(g.Affine) {
		return nil, fmt.Errorf("the affine %v is not finite or has axes in one plane", g.Affine)
	}
	b := make([]byte, firstDataByte)
	put16 := func(offset int, v int) { binary.LittleEndian.PutUint16(b[offset:], uint16(v)) }
	putFloat := func(offset int, v float64) { binary.LittleEndian.PutUint32(b[offset:], math.Float32bits(float32(v))) }
	binary.LittleEndian.PutUint32(b, headerSize)
	b[atRegular] = 'r' // required by readers of Analyze 7.5
	put16(atDim, 3)
	for d := range 7 {
		put16(atDim+2*(d+1), 1)
		putFloat(atPixdim+4*(d+1), 1)
	}
	for d, n := range g.Size {
		put16(atDim+2*(d+1), n)
		putFloat(atPixdim+4*(d+1), g.Spacing()[d])
	}
	put16(atDatatype, int(t))
	put16(atBitpix, 8*kinds[t].Size())
	putFloat(atVoxOffset, firstDataByte)
	putFloat(atSlope, 1)
	b[atUnits] = unitsMM
	copy(b[atDescrip:atDescrip+descripSize-1], cut(description, descripSize-1))
	putPlace(b, g)
	copy(b[atMagic:], "n+1\x00")
	return b, nil
}

// putPlace writes sform, qform and qfac.
func putPlace(b []byte, g volume.Geometry) {
	ras := flipRASLPS(g.Affine)
	putFloat := func(offset int, v float64) { binary.LittleEndian.PutUint32(b[offset:], math.Float32bits(float32(v))) }
	binary.LittleEndian.PutUint16(b[atSformCode:], 1) // NIFTI_XFORM_SCANNER_ANAT
	for r, row := range ras {
		for c, v := range row {
			putFloat(atSrow+16*r+4*c, v)
		}
		putFloat(atQoffset+4*r, row[3])
	}
	r, qfac := nearestRotation(ras)
	putFloat(atPixdim, qfac)
	for d, v := range float32Quaternion(r) {
		putFloat(atQuaternion+4*d, float64(v))
	}
	binary.LittleEndian.PutUint16(b[atQformCode:], 1)
	// If the two differ, the grid is sheared, which a quaternion cannot express: then only the
	// sform is valid.
	var written header
	err := written.setPlace(fields{b, binary.LittleEndian})
	if err == nil {
		_, err = written.place.affine(g.Size)
	}
	if err != nil {
		binary.LittleEndian.PutUint16(b[atQformCode:], 0)
	}
}

// cut returns the longest prefix of s that has at most n bytes and no broken character at its end.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
