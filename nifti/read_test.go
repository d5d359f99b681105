package nifti

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/samples"
)

var orders = map[string]binary.ByteOrder{"little endian": binary.LittleEndian, "big endian": binary.BigEndian}

// The same labels in every type, byte order and compression.
func TestReadLabelsStorage(t *testing.T) {
	want := []uint16{0, 1, 2, 3, 0, 5, 6, 100, 0, 127, 11, 12}
	storages := []struct {
		name string
		code int16
		bits int16
		data any
	}{
		{"uint8", 2, 8, convertTo[uint8](want)}, {"int8", 256, 8, convertTo[int8](want)},
		{"int16", 4, 16, convertTo[int16](want)}, {"uint16", 512, 16, convertTo[uint16](want)},
		{"int32", 8, 32, convertTo[int32](want)}, {"uint32", 768, 32, convertTo[uint32](want)},
		{"int64", 1024, 64, convertTo[int64](want)}, {"uint64", 1280, 64, convertTo[uint64](want)},
		{"float32", 16, 32, convertTo[float32](want)}, {"float64", 64, 64, convertTo[float64](want)},
	}
	for _, s := range storages {
		for orderName, order := range orders {
			h := newHeader(2, 3, 2)
			h.Datatype, h.Bitpix = s.code, s.bits
			plain := build(t, h, order, s.data)
			for packing, b := range map[string][]byte{".nii": plain, ".nii.gz": compress(t, plain)} {
				got, err := ReadLabels(bytes.NewReader(b))
				if err != nil {
					t.Errorf("%s, %s, %s: %v", s.name, orderName, packing, err)
					continue
				}
				if d := cmp.Diff(want, got.Data); d != "" {
					t.Errorf("%s, %s, %s: data (-want +got):\n%s", s.name, orderName, packing, d)
				}
				if d := cmp.Diff(plainGeometry(2, 3, 2), got.Geometry); d != "" {
					t.Errorf("%s, %s, %s: geometry (-want +got):\n%s", s.name, orderName, packing, d)
				}
			}
		}
	}
}

func convertTo[T uint8 | int8 | int16 | uint16 | int32 | uint32 | int64 | uint64 | float32 | float64](v []uint16) []T {
	out := make([]T, len(v))
	for i := range v {
		out[i] = T(v[i])
	}
	return out
}

// The cases of scl_slope and scl_inter.
func TestReadLabelsScaled(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	cases := []struct {
		name         string
		slope, inter float32
		stored       []uint8
		want         []uint16
		err          string
	}{
		{"slope 0 is none", 0, 7, []uint8{0, 3}, []uint16{0, 3}, ""},
		{"slope NaN is none", nan, nan, []uint8{0, 3}, []uint16{0, 3}, ""},
		{"slope infinite is none", inf, 0, []uint8{0, 3}, []uint16{0, 3}, ""},
		{"slope 1", 1, 0, []uint8{0, 3}, []uint16{0, 3}, ""},
		{"intercept only", 1, 2, []uint8{0, 3}, []uint16{2, 5}, ""},
		// 0.1 in float32 is 0.100000001490116: 20 × that is 2.00000003.
		{"slope that float32 rounds", 0.1, 0, []uint8{0, 20}, []uint16{0, 2}, ""},
		{"highest label", 257, 0, []uint8{0, 255}, []uint16{0, 65535}, ""},
		{"above the highest", 257, 1, []uint8{0, 255}, nil, "voxel (1, 0, 0): 65536 is not a label: above 65535"},
		{"half a label", 0.5, 0, []uint8{2, 3}, nil, "voxel (1, 0, 0): 1.5 is not a label: not a whole number"},
		{"negative slope", -1, 0, []uint8{0, 3}, nil, "voxel (1, 0, 0): -3 is not a label: negative"},
		{"intercept NaN", 2, nan, []uint8{0, 3}, nil, "scl_inter: NaN, with scl_slope 2"},
	}
	for _, c := range cases {
		h := newHeader(2, 1, 1)
		h.SclSlope, h.SclInter = c.slope, c.inter
		got, err := ReadLabels(bytes.NewReader(build(t, h, binary.LittleEndian, c.stored)))
		if !sameError(err, c.err) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.err)
		}
		if d := cmp.Diff(c.want, got.Data); d != "" {
			t.Errorf("%s: (-want +got):\n%s", c.name, d)
		}
	}
}

func sameError(err error, want string) bool {
	if want == "" || err == nil {
		return want == "" && err == nil
	}
	return strings.Contains(err.Error(), want)
}

// The first invalid voxel, after more than one chunk of valid ones, is named by index and value.
func TestReadLabelsBadValue(t *testing.T) {
	const nx, ny, nz = 200, 100, 4
	voxel := func(i, j, k int) int { return i + nx*(j+ny*k) }
	cases := []struct {
		name string
		code int16
		data func() any
		want string
	}{
		{"int16 negative", 4, func() any {
			d := make([]int16, nx*ny*nz)
			d[voxel(17, 42, 3)], d[voxel(18, 42, 3)] = -2, -7
			return d
		}, "voxel (17, 42, 3): -2 is not a label: negative"},
		{"int16 lowest", 4, func() any {
			d := make([]int16, nx*ny*nz)
			d[voxel(1, 0, 3)] = -32768
			return d
		}, "voxel (1, 0, 3): -32768 is not a label: negative"},
		{"float32 fraction", 16, func() any {
			d := make([]float32, nx*ny*nz)
			d[voxel(199, 99, 3)] = 1.25
			return d
		}, "voxel (199, 99, 3): 1.25 is not a label: not a whole number"},
		{"float32 just outside the tolerance", 16, func() any {
			d := make([]float32, nx*ny*nz)
			d[voxel(0, 0, 1)] = 2.011
			return d
		}, "voxel (0, 0, 1): 2.0109"},
		{"float64 NaN", 64, func() any {
			d := make([]float64, nx*ny*nz)
			d[voxel(3, 2, 1)] = math.NaN()
			return d
		}, "voxel (3, 2, 1): NaN is not a label: not a number"},
		{"float64 infinite", 64, func() any {
			d := make([]float64, nx*ny*nz)
			d[0] = math.Inf(1)
			return d
		}, "voxel (0, 0, 0): +Inf is not a label: above 65535"},
		{"int32 above", 8, func() any {
			d := make([]int32, nx*ny*nz)
			d[voxel(5, 5, 2)] = 65536
			return d
		}, "voxel (5, 5, 2): 65536 is not a label: above 65535"},
		{"int64 far below", 1024, func() any {
			d := make([]int64, nx*ny*nz)
			d[voxel(5, 5, 2)] = math.MinInt64
			return d
		}, "voxel (5, 5, 2): -9.22337204e+18 is not a label: negative"},
	}
	for _, c := range cases {
		h := newHeader(nx, ny, nz)
		h.Datatype = c.code
		_, err := ReadLabels(bytes.NewReader(build(t, h, binary.LittleEndian, c.data())))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}

// Labels with rounding errors of float are accepted.
func TestReadLabelsTolerance(t *testing.T) {
	h := newHeader(3, 1, 1)
	h.Datatype = 16
	got, err := ReadLabels(bytes.NewReader(build(t, h, binary.LittleEndian, []float32{-0.004, 1.0001, 65534.996})))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]uint16{0, 1, 65535}, got.Data); d != "" {
		t.Error(d)
	}
}

// TestReadLabelsAboveOneChunk checks order and memory growth over several chunks and above the
// first capacity.
func TestReadLabelsAboveOneChunk(t *testing.T) {
	const nx, ny, nz = 300, 300, 15 // 1.35 million > firstCapacity
	data := make([]uint16, nx*ny*nz)
	for v := range data {
		data[v] = uint16(v * 7)
	}
	h := newHeader(nx, ny, nz)
	h.Datatype = 512
	got, err := ReadLabels(bytes.NewReader(build(t, h, binary.BigEndian, data)))
	if err != nil {
		t.Fatal(err)
	}
	for v := range data {
		if got.Data[v] != data[v] {
			t.Fatalf("voxel %d: %d, want %d", v, got.Data[v], data[v])
		}
	}
}

// refusal is a refused file with the message of its error and the error that it wraps.
type refusal struct {
	name   string
	file   []byte
	want   string
	target error
}

// refusalKinds are the kinds of the refusals that are not samples.FaultFormat.
var refusalKinds = map[string]samples.Fault{
	"empty": samples.FaultLength, "three bytes": samples.FaultLength, "half a header": samples.FaultLength,
	"NIfTI-2": samples.FaultVersion, "pair": samples.FaultPair, "Analyze": samples.FaultPair,
	"colour": samples.FaultDatatype, "complex": samples.FaultDatatype, "no datatype": samples.FaultDatatype,
	"five dimensions": samples.FaultFrames, "two frames": samples.FaultFrames,
	"truncated": samples.FaultLength, "no data": samples.FaultLength, "too long": samples.FaultLength,
	"offset behind the end": samples.FaultLength, "no place": samples.FaultPlace,
	"flat sform": samples.FaultAffine, "sform NaN": samples.FaultAffine,
	"qform without spacing": samples.FaultAffine, "qform no rotation": samples.FaultAffine,
	"qform NaN": samples.FaultAffine,
	"gzip cut":  samples.FaultLength, "gzip checksum": samples.FaultPacked, "gzip of nothing": samples.FaultLength,
	"gzip header only": samples.FaultPacked,
}

func checkRefusals(t *testing.T, cases []refusal) {
	t.Helper()
	for _, c := range cases {
		want := samples.FaultFormat
		if k, ok := refusalKinds[c.name]; ok {
			want = k
		}
		got, err := ReadLabels(bytes.NewReader(c.file))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
			continue
		}
		if k := samples.FaultOf(err); k != want {
			t.Errorf("%s: kind %d, want %d", c.name, k, want)
		}
		if c.target != nil && !errors.Is(err, c.target) {
			t.Errorf("%s: %v is not %v", c.name, err, c.target)
		}
		if errors.Is(err, ErrUnsupported) != (c.target == ErrUnsupported) {
			t.Errorf("%s: %v: invalid and unsupported are mixed up", c.name, err)
		}
		if got.Data != nil {
			t.Errorf("%s: labels beside the error", c.name)
		}
	}
}

// editedFile returns a valid file of eight voxels with an edited header.
func editedFile(t *testing.T, change func(*rawHeader)) []byte {
	t.Helper()
	h := newHeader(2, 2, 2)
	change(&h)
	return build(t, h, binary.LittleEndian, []uint8{0, 1, 2, 3, 4, 5, 6, 7})
}

func TestRefusedHeaders(t *testing.T) {
	edit := func(change func(*rawHeader)) []byte { return editedFile(t, change) }
	checkRefusals(t, []refusal{
		{"pair", edit(func(h *rawHeader) { h.Magic = [4]byte{'n', 'i', '1', 0} }), ".hdr/.img pair", ErrUnsupported},
		{
			"Analyze", edit(func(h *rawHeader) { h.Magic = [4]byte{} }),
			`magic "\x00\x00\x00\x00", the header of an Analyze 7.5 pair`, ErrUnsupported,
		},
		{"colour", edit(func(h *rawHeader) { h.Datatype = 128 }), "datatype 128", ErrUnsupported},
		{"complex", edit(func(h *rawHeader) { h.Datatype = 32 }), "datatype 32", ErrUnsupported},
		{"no datatype", edit(func(h *rawHeader) { h.Datatype = 3 }), "datatype 3: not a NIfTI-1 datatype", nil},
		{"no dimensions", edit(func(h *rawHeader) { h.Dim[0] = 0 }), "dim[0]: 0 dimensions, want 1 to 7", nil},
		{"eight dimensions", edit(func(h *rawHeader) { h.Dim[0] = 8 }), "dim[0]: 8 dimensions", nil},
		{"no rows", edit(func(h *rawHeader) { h.Dim[2] = 0 }), "dim[2]: 0 voxels, want at least 1", nil},
		{"negative slices", edit(func(h *rawHeader) { h.Dim[3] = -2 }), "dim[3]: -2 voxels", nil},
		{
			"five dimensions", edit(func(h *rawHeader) { h.Dim[0], h.Dim[5] = 5, 3 }),
			"dim[5]: 3, more than four dimensions", ErrUnsupported,
		},
		{
			"two frames", edit(func(h *rawHeader) { h.Dim[0], h.Dim[4], h.Dim[3] = 4, 2, 1 }),
			"dim[4]: 2 frames, a label map has one", nil,
		},
		{
			"offset behind the end", edit(func(h *rawHeader) { h.VoxOffset = 4096 }),
			"vox_offset 4096: the file ends at byte 360", io.ErrUnexpectedEOF,
		},
		{
			"offset of a fraction", edit(func(h *rawHeader) { h.VoxOffset = 352.5 }),
			"vox_offset: 352.5, want a number of bytes", nil,
		},
		{"offset NaN", edit(func(h *rawHeader) { h.VoxOffset = float32(math.NaN()) }), "vox_offset: NaN", nil},
		{
			"offset absurd", edit(func(h *rawHeader) { h.VoxOffset = 1e18 }),
			"more than 268435456 bytes of header extensions", nil,
		},
		{"units of time", edit(func(h *rawHeader) { h.XyztUnits = 5 }), "xyzt_units: 5 is not a unit of length", nil},
		{"no place", edit(func(h *rawHeader) { h.SformCode = 0 }), "qform_code 0, sform_code 0", ErrNoGeometry},
		{"flat sform", edit(func(h *rawHeader) { h.Srow[2][2] = 0 }), "sform: the affine", nil},
		{"sform NaN", edit(func(h *rawHeader) { h.Srow[1][3] = float32(math.NaN()) }), "sform: the affine", nil},
		{
			"qform without spacing", edit(func(h *rawHeader) { h.SformCode, h.QformCode, h.Pixdim[3] = 0, 1, 0 }),
			"qform: pixdim[3]: 0, want a spacing above 0", nil,
		},
		{
			"qform no rotation", edit(func(h *rawHeader) { h.SformCode, h.QformCode, h.QuaternB = 0, 1, 1.1 }),
			"b²+c²+d² is 1.21", nil,
		},
		{
			"qform NaN",
			edit(func(h *rawHeader) { h.SformCode, h.QformCode, h.QuaternB = 0, 1, float32(math.NaN()) }),
			"b²+c²+d² is NaN", nil,
		},
	})
}

func TestRefusedFiles(t *testing.T) {
	sound := editedFile(t, func(*rawHeader) {})
	packed := compress(t, sound)
	damaged := bytes.Clone(packed)
	damaged[len(damaged)-8] ^= 1 // CRC32
	var nifti2 [540]byte
	binary.BigEndian.PutUint32(nifti2[:], 540)
	if _, err := ReadLabels(bytes.NewReader(sound)); err != nil {
		t.Fatalf("the sound file: %v", err)
	}
	checkRefusals(t, []refusal{
		{"empty", nil, "header: 0 of 348 bytes", io.ErrUnexpectedEOF},
		{"three bytes", sound[:3], "header: 3 of 348 bytes", io.ErrUnexpectedEOF},
		{"half a header", sound[:200], "header: 200 of 348 bytes", io.ErrUnexpectedEOF},
		{"text", []byte("subject,visit\ns07,baseline\n"), "sizeof_hdr 73 75 62 6a, want 348: not a NIfTI file", nil},
		{"NIfTI-2", nifti2[:], "sizeof_hdr 540, a NIfTI-2 file", ErrUnsupported},
		{"truncated", sound[:len(sound)-3], "data: 5 of 8 bytes", io.ErrUnexpectedEOF},
		{"no data", sound[:352], "data: 0 of 8 bytes", io.ErrUnexpectedEOF},
		{"too long", append(bytes.Clone(sound), 0), "data: more than the 2×2×2×1 voxels that dim declares", nil},
		{"gzip cut", packed[:len(packed)-12], "data: ", io.ErrUnexpectedEOF},
		{"gzip checksum", damaged, "data: gzip: invalid checksum", nil},
		{"gzip of nothing", compress(t, nil), "header: 0 of 348 bytes", io.ErrUnexpectedEOF},
		{"gzip header only", packed[:5], "compressed data: ", io.ErrUnexpectedEOF},
	})
}

// A file whose qform and sform differ is refused, because readers differ in the form that they use.
// If one code is 0, the other form is used. The tolerance is a third of the smallest spacing here,
// 0.083 mm.
func TestFormsThatDiffer(t *testing.T) {
	agree := func(h *rawHeader) { h.QformCode, h.QoffsetX, h.QoffsetY, h.QoffsetZ = 1, 10, 20, 30 }
	for name, c := range map[string]struct {
		change func(*rawHeader)
		want   string
	}{
		"they agree":      {func(*rawHeader) {}, ""},
		"shifted":         {func(h *rawHeader) { h.QoffsetX = 10.1 }, "up to 0.10 mm apart (allowed 0.08 mm)"},
		"just within":     {func(h *rawHeader) { h.QoffsetX = 10.08 }, ""},
		"mirrored":        {func(h *rawHeader) { h.Srow[0][0] = -0.5 }, "up to 3.00 mm apart"},
		"turned":          {func(h *rawHeader) { h.QuaternD = 1 }, "mm apart"},
		"another spacing": {func(h *rawHeader) { h.Pixdim[3] = 4.5 }, "up to 0.50 mm apart"},
		"sform alone":     {func(h *rawHeader) { h.QoffsetX, h.QformCode = 99, 0 }, ""},
		"qform alone":     {func(h *rawHeader) { h.QoffsetX, h.SformCode = 99, 0 }, ""},
	} {
		h := newHeader(4, 1, 2)
		agree(&h)
		c.change(&h)
		_, err := ReadLabels(bytes.NewReader(build(t, h, binary.LittleEndian, make([]uint8, 8))))
		switch {
		case c.want == "" && err != nil, c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", name, err, c.want)
		case c.want != "" && samples.FaultOf(err) != samples.FaultForms:
			t.Errorf("%s: kind %d", name, samples.FaultOf(err))
		}
	}
}

// TestReadPlaces checks the positions of voxels; expected positions are by hand.
func TestReadPlaces(t *testing.T) {
	half := float32(math.Sqrt(0.5))
	cases := []struct {
		name   string
		change func(*rawHeader)
		want   [3][4]float64 // LPS
	}{
		{"sform before qform", func(h *rawHeader) {
			h.QformCode, h.QoffsetX, h.QoffsetY, h.QoffsetZ = 1, 10.02, 20, 30 // within the tolerance
		}, [3][4]float64{{-0.5, 0, 0, -10}, {0, -0.25, 0, -20}, {0, 0, 4, 30}}},
		{"sform with an invalid qform", func(h *rawHeader) { h.QformCode, h.QuaternB = 1, 3 },
			[3][4]float64{{-0.5, 0, 0, -10}, {0, -0.25, 0, -20}, {0, 0, 4, 30}}},
		{"sform in metres", func(h *rawHeader) { h.XyztUnits = 1 + 8 },
			[3][4]float64{{-500, 0, 0, -1e4}, {0, -250, 0, -2e4}, {0, 0, 4000, 3e4}}},
		{"sform in µm", func(h *rawHeader) { h.XyztUnits = 3 },
			[3][4]float64{{-5e-4, 0, 0, -0.01}, {0, -2.5e-4, 0, -0.02}, {0, 0, 4e-3, 0.03}}},
		{"unknown unit is mm", func(h *rawHeader) { h.XyztUnits = 0 },
			[3][4]float64{{-0.5, 0, 0, -10}, {0, -0.25, 0, -20}, {0, 0, 4, 30}}},
		{"qform, identity", func(h *rawHeader) { h.SformCode, h.QformCode, h.QoffsetZ = 0, 1, 7 },
			[3][4]float64{{-0.5, 0, 0, 0}, {0, -0.25, 0, 0}, {0, 0, 4, 7}}},
		{"qform, qfac 0 counts as 1", func(h *rawHeader) { h.SformCode, h.QformCode, h.Pixdim[0] = 0, 1, 0 },
			[3][4]float64{{-0.5, 0, 0, 0}, {0, -0.25, 0, 0}, {0, 0, 4, 0}}},
		{"qform, qfac −1", func(h *rawHeader) { h.SformCode, h.QformCode, h.Pixdim[0] = 0, 1, -1 },
			[3][4]float64{{-0.5, 0, 0, 0}, {0, -0.25, 0, 0}, {0, 0, -4, 0}}},
		// b = 1: half a turn about x.
		{"qform, 180° about x", func(h *rawHeader) { h.SformCode, h.QformCode, h.QuaternB = 0, 1, 1 },
			[3][4]float64{{-0.5, 0, 0, 0}, {0, 0.25, 0, 0}, {0, 0, -4, 0}}},
		// c = d = √½: half a turn about (0, 1, 1), a plain coronal grid. In float32, b²+c²+d² is 1
		// − 3·10⁻⁸, which is a rounding error and not a rotation by 2·10⁻⁴.
		{"qform, 180° in float32", func(h *rawHeader) {
			h.SformCode, h.QformCode, h.QuaternC, h.QuaternD = 0, 1, half, half
		}, [3][4]float64{{0.5, 0, 0, 0}, {0, 0, -4, 0}, {0, 0.25, 0, 0}}},
		// d = √½: a quarter turn about z maps i to +y (RAS), j to −x.
		{"qform, 90° about z, in mm with seconds", func(h *rawHeader) {
			h.SformCode, h.QformCode, h.QuaternD, h.XyztUnits = 0, 2, half, 2+8
		}, [3][4]float64{{0, 0.25, 0, 0}, {-0.5, 0, 0, 0}, {0, 0, 4, 0}}},
	}
	for _, c := range cases {
		for orderName, order := range orders {
			h := newHeader(2, 1, 1)
			c.change(&h)
			got, err := ReadLabels(bytes.NewReader(build(t, h, order, []uint8{1, 0})))
			if err != nil {
				t.Errorf("%s, %s: %v", c.name, orderName, err)
				continue
			}
			for r := range 3 {
				for col := range 4 {
					// float32 holds 7 digits.
					want := c.want[r][col]
					if d := math.Abs(got.Affine[r][col] - want); !(d <= 1e-6*max(1, math.Abs(want))) {
						t.Errorf("%s, %s: affine[%d][%d] = %g, want %g",
							c.name, orderName, r, col, got.Affine[r][col], want)
					}
				}
			}
		}
	}
}

// The same grid with different values of dim.
func TestReadShapes(t *testing.T) {
	data := []uint8{0, 1, 2, 3}
	for name, dim := range map[string][8]int16{
		"3-D":                     {3, 2, 2, 1, 0, 0, 0, 0},
		"2-D":                     {2, 2, 2, 0, 0, 0, 0, 0},
		"4-D with one frame":      {4, 2, 2, 1, 1, 0, 0, 0},
		"7-D with single volumes": {7, 2, 2, 1, 1, 1, 1, 1},
	} {
		h := newHeader(2, 2, 1)
		h.Dim = dim
		got, err := ReadLabels(bytes.NewReader(build(t, h, binary.LittleEndian, data)))
		if err != nil || got.Size != [3]int{2, 2, 1} {
			t.Errorf("%s: size %v, %v", name, got.Size, err)
		}
	}
}

// Header extensions are skipped, and a low offset counts as 352.
func TestReadOffsets(t *testing.T) {
	for _, offset := range []float32{0, 348, 352, 384, 70000} {
		h := newHeader(2, 1, 1)
		h.VoxOffset = offset
		h.Extension[0] = 1
		gap := make([]byte, max(0, int(offset)-352))
		for i := range gap {
			gap[i] = 0xaa
		}
		b := build(t, h, binary.LittleEndian, append(gap, 5, 6))
		got, err := ReadLabels(bytes.NewReader(b))
		if err != nil {
			t.Errorf("vox_offset %g: %v", offset, err)
			continue
		}
		if d := cmp.Diff([]uint16{5, 6}, got.Data); d != "" {
			t.Errorf("vox_offset %g: %s", offset, d)
		}
	}
}

// A 4-D file with scaling in both byte orders.
func TestReadFrames(t *testing.T) {
	h := newHeader(2, 1, 2)
	h.Dim[0], h.Dim[4] = 4, 3
	h.Datatype, h.SclSlope, h.SclInter = 4, 0.5, -10
	stored := []int16{0, 1, 2, 3, 100, 101, 102, 103, -200, -201, -202, 32767}
	want := [][]float32{{-10, -9.5, -9, -8.5}, {40, 40.5, 41, 41.5}, {-110, -110.5, -111, 16373.5}}
	for name, order := range orders {
		g, got, err := ReadFrames(bytes.NewReader(compress(t, build(t, h, order, stored))))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: (-want +got):\n%s", name, d)
		}
		if d := cmp.Diff(plainGeometry(2, 1, 2), g); d != "" {
			t.Errorf("%s: geometry: %s", name, d)
		}
	}
	h.SformCode = 0
	b := build(t, h, binary.LittleEndian, stored)
	if _, _, err := ReadFrames(bytes.NewReader(b)); !errors.Is(err, ErrNoGeometry) {
		t.Errorf("ReadFrames without a place: %v, want ErrNoGeometry", err)
	}
	size, got, err := ReadArrays(bytes.NewReader(b))
	if err != nil || size != [3]int{2, 1, 2} || cmp.Diff(want, got) != "" {
		t.Errorf("ReadArrays = %v, %v, %v", size, got, err)
	}
	_, _, err = ReadFrames(bytes.NewReader(build(t, newFourD(), binary.LittleEndian, stored[:9])))
	if want := "frame 3 of 3: data: 2 of 8 bytes"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("truncated: %v, want %q", err, want)
	}
}

func newFourD() rawHeader {
	h := newHeader(2, 1, 2)
	h.Dim[0], h.Dim[4], h.Datatype = 4, 3, 4
	return h
}

// NaN in a map is kept.
func TestMapKeepsNaN(t *testing.T) {
	h := newHeader(3, 1, 1)
	h.Datatype = 64
	_, got, err := ReadFrames(
		bytes.NewReader(build(t, h, binary.LittleEndian, []float64{1.5, math.NaN(), math.Inf(-1)})),
	)
	if err != nil {
		t.Fatal(err)
	}
	if f := got[0]; f[0] != 1.5 || f[1] == f[1] || !math.IsInf(float64(f[2]), -1) {
		t.Errorf("frame %v", f)
	}
}
