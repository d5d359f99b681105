package nifti

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/t2map/t2map/volume"
)

// rawHeader is struct nifti_1_header of nifti1.h, field by field, so that the tests do not use the
// package's own offsets.
type rawHeader struct {
	SizeofHdr                                int32
	DataType                                 [10]byte
	DBName                                   [18]byte
	Extents                                  int32
	SessionError                             int16
	Regular, DimInfo                         byte
	Dim                                      [8]int16
	IntentP                                  [3]float32
	IntentCode, Datatype, Bitpix, SliceStart int16
	Pixdim                                   [8]float32
	VoxOffset, SclSlope, SclInter            float32
	SliceEnd                                 int16
	SliceCode, XyztUnits                     byte
	CalMax, CalMin, SliceDuration, Toffset   float32
	Glmax, Glmin                             int32
	Descrip                                  [80]byte
	AuxFile                                  [24]byte
	QformCode, SformCode                     int16
	QuaternB, QuaternC, QuaternD             float32
	QoffsetX, QoffsetY, QoffsetZ             float32
	Srow                                     [3][4]float32
	IntentName                               [16]byte
	Magic                                    [4]byte
	Extension                                [4]byte
}

// newHeader returns the header of a valid label map of uint8 with nx·ny·nz voxels of 0.5 × 0.25 × 4
// mm, RAS axes and the origin at (10, 20, 30) RAS.
func newHeader(nx, ny, nz int16) rawHeader {
	return rawHeader{
		SizeofHdr: 348, Dim: [8]int16{3, nx, ny, nz, 1, 1, 1, 1}, Datatype: 2, Bitpix: 8,
		Pixdim: [8]float32{1, 0.5, 0.25, 4, 1, 1, 1, 1}, VoxOffset: 352, XyztUnits: 2, SformCode: 1,
		Srow:  [3][4]float32{{0.5, 0, 0, 10}, {0, 0.25, 0, 20}, {0, 0, 4, 30}},
		Magic: [4]byte{'n', '+', '1', 0},
	}
}

// plainGeometry is the grid of newHeader in LPS.
func plainGeometry(nx, ny, nz int) volume.Geometry {
	return volume.Geometry{Size: [3]int{nx, ny, nz},
		Affine: [3][4]float64{{-0.5, 0, 0, -10}, {0, -0.25, 0, -20}, {0, 0, 4, 30}}}
}

// build returns a file of the header and data, a slice of fixed-size numbers.
func build(t testing.TB, h rawHeader, order binary.ByteOrder, data any) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, part := range []any{h, data} {
		if err := binary.Write(&b, order, part); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func compress(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// sharedFile opens a file of the real data, or skips the test if it is absent.
func sharedFile(t *testing.T, name string) *os.File {
	t.Helper()
	root := filepath.Join("..", "..", "shared", "data")
	if _, err := os.Stat(root); err != nil {
		t.Skipf("real data are not here (docs/real-scans.md says where to get them): %v", err)
	}
	f, err := os.Open(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// farthest returns the largest distance in mm between the same corner voxels of two grids of one
// size.
func farthest(t *testing.T, a, b volume.Geometry) float64 {
	t.Helper()
	if a.Size != b.Size {
		t.Fatalf("size %v, want %v", a.Size, b.Size)
	}
	d := 0.0
	for c := range 8 {
		var v [3]float64
		for x := range v {
			v[x] = float64((c >> x & 1) * (a.Size[x] - 1))
		}
		p, q := a.Position(v[0], v[1], v[2]), b.Position(v[0], v[1], v[2])
		d = max(d, math.Hypot(math.Hypot(p[0]-q[0], p[1]-q[1]), p[2]-q[2]))
	}
	return d
}

// grids are possible positions of a knee scan, with a known affine in LPS.
func grids() map[string]volume.Geometry {
	r := rand.New(rand.NewPCG(7, 0))
	out := map[string]volume.Geometry{
		"axial": {Size: [3]int{5, 4, 3}, Affine: [3][4]float64{{0.4, 0, 0, -80}, {0, 0.4, 0, -75.5}, {0, 0, 3, 12}}},
		// Sagittal, as in OAI: rows run to posterior, columns to the feet, slices to the left.
		"sagittal": {
			Size:   [3]int{6, 5, 4},
			Affine: [3][4]float64{{0, 0, 3.5, -52}, {0.3125, 0, 0, -60}, {0, -0.3125, 0, 61}},
		},
		"sagittal to the right": {
			Size:   [3]int{6, 5, 4},
			Affine: [3][4]float64{{0, 0, -3.5, 52}, {0.3125, 0, 0, -60}, {0, -0.3125, 0, 61}},
		},
		"coronal": {
			Size: [3]int{6, 5, 4}, Affine: [3][4]float64{{0.36, 0, 0, -52}, {0, 0, 2.5, -60}, {0, -0.36, 0, 61}},
		},
		"one slice": {
			Size: [3]int{6, 5, 1}, Affine: [3][4]float64{{0, 0, 5, 3}, {0.5, 0, 0, -60}, {0, -0.5, 0, 61}},
		},
	}
	for n := range 6 { // oblique, both hands
		var q [4]float64
		sum := 0.0
		for i := range q {
			q[i] = r.NormFloat64()
			sum += q[i] * q[i]
		}
		for i := range q {
			q[i] /= math.Sqrt(sum)
		}
		a, b, c, d := q[0], q[1], q[2], q[3]
		s := [3]float64{0.3125, 0.3125, 3.5}
		if n%2 == 1 {
			s[2] = -s[2]
		}
		rot := [3][3]float64{
			{a*a + b*b - c*c - d*d, 2 * (b*c - a*d), 2 * (b*d + a*c)},
			{2 * (b*c + a*d), a*a - b*b + c*c - d*d, 2 * (c*d - a*b)},
			{2 * (b*d - a*c), 2 * (c*d + a*b), a*a - b*b - c*c + d*d},
		}
		g := volume.Geometry{Size: [3]int{64, 48, 10}}
		for i := range 3 {
			for j := range 3 {
				g.Affine[i][j] = rot[i][j] * s[j]
			}
			g.Affine[i][3] = 100 * (r.Float64() - 0.5)
		}
		out[fmt.Sprintf("oblique %d", n)] = g
	}
	return out
}
