package nifti

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"runtime"
	"time"
	"unicode/utf8"

	"github.com/klauspost/pgzip"

	"github.com/t2map/t2map/volume"
)

// Compression, measured on float32 T2 maps of 384×384×30 (17.7 MB), two cores, by
// what lies outside the tissue — half the voxels NaN in runs / a third NaN
// scattered / all but 1 % NaN:
//
//	HuffmanOnly  36 ms 11.2 MB / 48 ms 13.4 MB / 36 ms 4.2 MB
//	level 1      43 ms  7.8 MB / 92 ms 12.1 MB / 14 ms 0.4 MB
//	level 3      73 ms  7.8 MB / 89 ms 11.8 MB / 22 ms 0.4 MB
//	level 6     120 ms  7.8 MB / 178 ms 11.5 MB / 44 ms 0.4 MB
//
// Level 1 is the better of the two where the map has runs to find; in noise it
// searches for what is not there and Huffman coding alone takes half the time.
const (
	levelRuns  = pgzip.BestSpeed
	levelNoise = pgzip.HuffmanOnly
)

// levelOf returns levelRuns where at least a quarter of the voxels repeat the one
// before, NaN after NaN included: between the 11 % of the middle column and the
// 50 % of the first.
func levelOf(data []float32) int {
	repeats := 0
	for v := 1; v < len(data); v++ {
		a, b := data[v-1], data[v]
		if a == b || a != a && b != b {
			repeats++
		}
	}
	if 4*repeats >= len(data) {
		return levelRuns
	}
	return levelNoise
}

// blockSize is what one core compresses at a time. It is fixed, because the
// bytes of the file depend on it; the number of cores does not change them.
const blockSize = 1 << 20

// canonicalNaN stands for every NaN, so that the bytes do not depend on which
// machine computed the map.
const canonicalNaN = 0x7fc00000

// WriteMap writes a map as a gzip-compressed NIfTI-1 file of float32, little
// endian, in mm, with the affine of m as sform and qform, code 1 (scanner). The
// description goes to descrip, cut to the 79 bytes that the field holds. The
// same map gives the same bytes whatever the number of processors.
//
// A grid that is sheared by more than 0.1 mm gets no qform, which could not
// express it. A length of m.Data that does not fit m.Size, a size that int16
// cannot hold and an affine that is not finite or flat are errors.
func WriteMap(w io.Writer, m volume.Map, description string) error {
	if err := checkLength(len(m.Data), m.Geometry); err != nil {
		return err
	}
	c := content{dtFloat32, levelOf(m.Data), func(z io.Writer) error { return writeFloats(z, m.Data) }}
	return write(w, m.Geometry, c, description)
}

// WriteLabels writes one number of 0 to 255 per voxel, as WriteMap does, in
// uint8.
func WriteLabels(w io.Writer, g volume.Geometry, data []uint8, description string) error {
	if err := checkLength(len(data), g); err != nil {
		return err
	}
	c := content{dtUint8, levelRuns, func(z io.Writer) error {
		_, err := z.Write(data)
		return err
	}}
	return write(w, g, c, description)
}

func checkLength(n int, g volume.Geometry) error {
	if n != g.Voxels() {
		return fmt.Errorf("data: %d values, want %d×%d×%d = %d", n, g.Size[0], g.Size[1], g.Size[2], g.Voxels())
	}
	return nil
}

// content is what follows the header: its type, the effort of compression, and
// how it is written.
type content struct {
	t     datatype
	level int
	write func(io.Writer) error
}

// write writes the header and the content, compressed.
func write(w io.Writer, g volume.Geometry, c content, description string) error {
	head, err := encodeHeader(g, c.t, description)
	if err != nil {
		return err
	}
	z, err := pgzip.NewWriterLevel(w, c.level)
	if err != nil {
		return err
	}
	// RFC 1952: MTIME 0 is "no time stamp". pgzip writes garbage for Go's zero time.
	z.ModTime = time.Unix(0, 0)
	if err := z.SetConcurrency(blockSize, runtime.GOMAXPROCS(0)); err != nil {
		return err
	}
	_, err = z.Write(head)
	if err == nil {
		err = c.write(z)
	}
	// Closed in any case, because the compressor's workers end there only.
	if closeErr := z.Close(); err == nil {
		err = closeErr
	}
	return err
}

// writeFloats writes data as little-endian float32 through one small buffer:
// a map is never held twice.
func writeFloats(w io.Writer, data []float32) error {
	buf := make([]byte, 4*min(chunk, len(data)))
	for len(data) > 0 {
		part := data[:min(chunk, len(data))]
		for i, v := range part {
			b := math.Float32bits(v)
			if v != v {
				b = canonicalNaN
			}
			binary.LittleEndian.PutUint32(buf[4*i:], b)
		}
		if _, err := w.Write(buf[:4*len(part)]); err != nil {
			return err
		}
		data = data[len(part):]
	}
	return nil
}

// encodeHeader returns the 352 bytes before the data: the header and four zero
// bytes that say "no extension".
func encodeHeader(g volume.Geometry, t datatype, description string) ([]byte, error) {
	for d, n := range g.Size {
		if n < 1 || n > maxDim {
			return nil, fmt.Errorf("dim[%d]: %d voxels, want 1 to %d", d+1, n, maxDim)
		}
	}
	if !spansSpace(g.Affine) {
		return nil, fmt.Errorf("the affine %v is not finite or has axes in one plane", g.Affine)
	}
	voxelSize, err := t.size()
	if err != nil {
		return nil, err
	}
	b := make([]byte, firstDataByte)
	put16 := func(at int, v int) { binary.LittleEndian.PutUint16(b[at:], uint16(v)) }
	putFloat := func(at int, v float64) { binary.LittleEndian.PutUint32(b[at:], math.Float32bits(float32(v))) }
	binary.LittleEndian.PutUint32(b, headerSize)
	b[atRegular] = 'r' // what Analyze 7.5 readers ask for
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
	put16(atBitpix, 8*voxelSize)
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
	putFloat := func(at int, v float64) { binary.LittleEndian.PutUint32(b[at:], math.Float32bits(float32(v))) }
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
	if sheared(ras, r, qfac, g) <= shearTolerance {
		binary.LittleEndian.PutUint16(b[atQformCode:], 1)
	}
}

// sheared returns how far in mm the rotation misplaces the grid's farthest
// voxel centre. The distance is convex in the index, so a corner is farthest.
func sheared(ras [3][4]float64, r [3][3]float64, qfac float64, g volume.Geometry) float64 {
	s := g.Spacing()
	s[2] *= qfac
	farthest := 0.0
	for corner := range 8 {
		var off [3]float64
		for d := range 3 {
			if corner>>d&1 == 1 {
				index := float64(g.Size[d] - 1)
				for row := range 3 {
					off[row] += index * (ras[row][d] - r[row][d]*s[d])
				}
			}
		}
		farthest = max(farthest, math.Sqrt(dot(off, off)))
	}
	return farthest
}

// cut returns the longest start of s that has at most n bytes and no broken
// character at its end.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
