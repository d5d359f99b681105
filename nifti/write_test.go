package nifti

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/volume"
)

// noisyMap is a map of T2 in ms with noise, NaN outside a disc.
func noisyMap(g volume.Geometry) volume.Map {
	r := rand.New(rand.NewPCG(3, 1))
	m := volume.Map{Geometry: g, Data: make([]float32, g.Voxels())}
	for v := range m.Data {
		x := float64(v%g.Size[0])/float64(g.Size[0]) - 0.5
		y := float64(v/g.Size[0]%g.Size[1])/float64(g.Size[1]) - 0.5
		m.Data[v] = float32(math.NaN())
		if x*x+y*y < 0.2 {
			m.Data[v] = float32(38 + 4*r.NormFloat64())
		}
	}
	return m
}

// written returns the header and data of a compressed file, decoded with the tests' own struct.
func written(t *testing.T, file []byte) (rawHeader, []byte) {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	z.Multistream(false)
	all, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	var h rawHeader
	if err := binary.Read(bytes.NewReader(all), binary.LittleEndian, &h); err != nil {
		t.Fatal(err)
	}
	return h, all[352:]
}

func TestWriteMapHeader(t *testing.T) {
	g := grids()["sagittal"]
	m := volume.Map{Geometry: g, Data: make([]float32, g.Voxels())}
	m.Data[1] = 42.5
	var b bytes.Buffer
	if err := WriteMap(&b, m, "T2 ms"); err != nil {
		t.Fatal(err)
	}
	h, data := written(t, b.Bytes())
	want := rawHeader{
		SizeofHdr: 348, Regular: 'r', Dim: [8]int16{3, 6, 5, 4, 1, 1, 1, 1}, Datatype: 16, Bitpix: 32,
		// Rows (i) run to posterior, columns to the feet, slices to the left: left-handed, qfac −1.
		Pixdim: [8]float32{-1, 0.3125, 0.3125, 3.5, 1, 1, 1, 1}, VoxOffset: 352, SclSlope: 1, XyztUnits: 2,
		QformCode: 1, SformCode: 1, QoffsetX: 52, QoffsetY: 60, QoffsetZ: 61,
		Srow:  [3][4]float32{{0, 0, -3.5, 52}, {-0.3125, 0, 0, 60}, {0, -0.3125, 0, 61}},
		Magic: [4]byte{'n', '+', '1', 0},
	}
	copy(want.Descrip[:], "T2 ms")
	want.QuaternB, want.QuaternC, want.QuaternD = h.QuaternB, h.QuaternC, h.QuaternD // TestWriteRoundTrip
	if d := cmp.Diff(want, h); d != "" {
		t.Errorf("header (-want +got):\n%s", d)
	}
	if len(data) != 4*g.Voxels() || math.Float32frombits(binary.LittleEndian.Uint32(data[4:])) != 42.5 {
		t.Errorf("%d bytes of data, second voxel % x", len(data), data[4:8])
	}
	if head := b.Bytes()[:10]; head[3] != 0 || !bytes.Equal(head[4:8], make([]byte, 4)) {
		t.Errorf("gzip header % x names a file or a time", head)
	}
}

// A map is read with the same bits and at the same position, by the sform and by the qform alone.
func TestWriteRoundTrip(t *testing.T) {
	for name, g := range grids() {
		m := noisyMap(g)
		var b bytes.Buffer
		if err := WriteMap(&b, m, name); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, frames, err := ReadFrames(bytes.NewReader(b.Bytes()))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for v, x := range frames[0] {
			if math.Float32bits(x) != math.Float32bits(m.Data[v]) && !(x != x && m.Data[v] != m.Data[v]) {
				t.Fatalf("%s: voxel %d: %g, want %g", name, v, x, m.Data[v])
			}
		}
		// float32 offsets of up to 100 mm are rounded by 4e-6 mm.
		if d := farthest(t, got, g); d > 1e-4 {
			t.Errorf("%s: the sform is off by %g mm", name, d)
		}
		h, data := written(t, b.Bytes())
		h.SformCode = 0
		byQform, _, err := ReadFrames(bytes.NewReader(build(t, h, binary.LittleEndian, data)))
		if err != nil {
			t.Errorf("%s: qform: %v", name, err)
			continue
		}
		// A quaternion in float32 has an error of up to 1e-6, at some 30 mm from the origin voxel.
		if d := farthest(t, byQform, g); d > 1e-3 {
			t.Errorf("%s: the qform is off by %g mm", name, d)
		}
	}
}

// A grid that no quaternion can express has no qform.
func TestWriteSheared(t *testing.T) {
	g := grids()["axial"]
	for shift, want := range map[float64]int16{0.04: 1, 0.06: 0} { // × 2 slice steps, against 0.1 mm
		g.Affine[0][2] = shift
		var b bytes.Buffer
		if err := WriteMap(&b, volume.Map{Geometry: g, Data: make([]float32, g.Voxels())}, ""); err != nil {
			t.Fatal(err)
		}
		h, _ := written(t, b.Bytes())
		if h.QformCode != want || h.SformCode != 1 {
			t.Errorf(
				"slices shifted by %g mm each: qform_code %d, want %d; sform_code %d", shift, h.QformCode, want,
				h.SformCode,
			)
		}
	}
}

func TestWriteLabels(t *testing.T) {
	g := grids()["coronal"]
	data := make([]uint8, g.Voxels())
	want := make([]uint16, len(data))
	for v := range data {
		data[v] = uint8(v)
		want[v] = uint16(data[v])
	}
	var b bytes.Buffer
	if err := WriteLabels(&b, g, data, "status"); err != nil {
		t.Fatal(err)
	}
	got, err := ReadLabels(&b)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got.Data); d != "" {
		t.Error(d)
	}
	if d := farthest(t, got.Geometry, g); d > 1e-4 {
		t.Errorf("off by %g mm", d)
	}
}

// The file does not depend on the number of processors, on the payload of a NaN, or on earlier
// calls.
func TestWriteSameBytes(t *testing.T) {
	g := volume.Geometry{Size: [3]int{384, 384, 4}, Affine: grids()["axial"].Affine} // 2.4 MB, three blocks
	m := noisyMap(g)
	before := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(before)
	sums := map[[32]byte]string{}
	for _, procs := range []int{1, 2, 7} {
		runtime.GOMAXPROCS(procs)
		for v, x := range m.Data {
			if x != x {
				m.Data[v] = math.Float32frombits(0x7fc00001 + uint32(procs))
			}
		}
		var b bytes.Buffer
		if err := WriteMap(&b, m, "T2 ms"); err != nil {
			t.Fatal(err)
		}
		sums[sha256.Sum256(b.Bytes())] = fmt.Sprint(procs)
	}
	if len(sums) != 1 {
		t.Errorf("%d different files for 1, 2 and 7 processors", len(sums))
	}
}

func TestWriteDescription(t *testing.T) {
	long := strings.Repeat("a", 78) + "µm" // µ is bytes 78 and 79, one too many
	g := grids()["axial"]
	var b bytes.Buffer
	if err := WriteLabels(&b, g, make([]uint8, g.Voxels()), long); err != nil {
		t.Fatal(err)
	}
	h, _ := written(t, b.Bytes())
	if got := strings.TrimRight(string(h.Descrip[:]), "\x00"); got != long[:78] {
		t.Errorf("descrip %q", got)
	}
}

func TestWriteRefusals(t *testing.T) {
	sound := grids()["axial"]
	edit := func(change func(*volume.Geometry)) volume.Map {
		g := sound
		change(&g)
		return volume.Map{Geometry: g, Data: make([]float32, max(0, min(g.Voxels(), 1<<16)))}
	}
	cases := []struct {
		name string
		m    volume.Map
		want string
	}{
		{"short data", volume.Map{Geometry: sound, Data: make([]float32, 59)}, "data: 59 values, want 5×4×3 = 60"},
		{"no voxels", edit(func(g *volume.Geometry) { g.Size[1] = 0 }), "dim[2]: 0 voxels, want 1 to 32767"},
		{"too wide", edit(func(g *volume.Geometry) { g.Size = [3]int{32768, 1, 1} }), "dim[1]: 32768 voxels"},
		{"flat", edit(func(g *volume.Geometry) { g.Affine[2][2] = 0 }), "axes in one plane"},
		{"NaN", edit(func(g *volume.Geometry) { g.Affine[2][3] = math.NaN() }), "not finite"},
	}
	for _, c := range cases {
		err := WriteMap(io.Discard, c.m, "")
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	if err := WriteLabels(io.Discard, sound, make([]uint8, 61), ""); err == nil {
		t.Error("WriteLabels took 61 values for 60 voxels")
	}
}

// A full disk is reported at any position in the file.
func TestWriteFailure(t *testing.T) {
	full := errors.New("no space left")
	m := noisyMap(volume.Geometry{Size: [3]int{256, 256, 8}, Affine: grids()["axial"].Affine})
	var whole bytes.Buffer
	if err := WriteMap(&whole, m, ""); err != nil {
		t.Fatal(err)
	}
	for _, room := range []int{0, 5, 1000, whole.Len() - 3} {
		if err := WriteMap(&limited{room, full}, m, ""); !errors.Is(err, full) {
			t.Errorf("disk full after %d bytes: %v", room, err)
		}
	}
}

type limited struct {
	room int
	err  error
}

func (l *limited) Write(p []byte) (int, error) {
	if len(p) > l.room {
		n := l.room
		l.room = 0
		return n, l.err
	}
	l.room -= len(p)
	return len(p), nil
}

// Near a rotation by 180°, the float32 quaternion is the nearest possible. About one axis, the
// largest b below 1 has a = √2⁻²³ = 3.45·10⁻⁴, and b = 1 has a = 0. So the error of a is up to half
// of that, and the error of the matrix, which contains 2a, up to all of it. At exactly 180° there
// is no error, even for a reader that computes a = √(1−b²−c²−d²) without a correction.
func TestHalfTurns(t *testing.T) {
	for _, tilt := range []float64{0, 1e-6, 1e-5, 1e-4, 3e-4, 1e-3, 1e-2} {
		for _, axis := range [][3]float64{{1, 0, 0}, {0, 1, 1}, {1, 1, 1}, {1, -2, 3}, {0, 0, 1}} {
			u := unit(axis)
			s, c := math.Cos(tilt/2), math.Sin(tilt/2) // half of 180° − tilt
			want := matrix(c, [3]float64{s * u[0], s * u[1], s * u[2]})
			q := float32Quaternion(want)
			wide := [3]float64{float64(q[0]), float64(q[1]), float64(q[2])}
			got := matrix(math.Sqrt(max(0, 1-dot(wide, wide))), wide)
			tolerance := 3.5e-4
			if tilt == 0 {
				tolerance = 4e-7
			}
			for i := range 3 {
				for j := range 3 {
					if d := math.Abs(got[i][j] - want[i][j]); !(d <= tolerance) {
						t.Errorf("180° − %g about %v: matrix differs by %g", tilt, axis, d)
					}
				}
			}
			// nibabel refuses b²+c²+d² above 1 + 3ε.
			if sum := dot(wide, wide); sum > 1+3.5e-7 {
				t.Errorf("180° − %g about %v: b²+c²+d² = 1 + %g", tilt, axis, sum-1)
			}
		}
	}
}

// Every rotation, including half turns, is recovered from its quaternion in float32.
func TestQuaternion(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	qs := [][3]float64{
		{}, {1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {0.5, 0.5, 0.5}, {0, math.Sqrt(0.5), math.Sqrt(0.5)}, {0.6, 0, -0.8},
	}
	for range 200 {
		v := [4]float64{r.NormFloat64(), r.NormFloat64(), r.NormFloat64(), r.NormFloat64()}
		n := math.Sqrt(v[0]*v[0] + v[1]*v[1] + v[2]*v[2] + v[3]*v[3])
		qs = append(qs, [3]float64{v[0] / n, v[1] / n, v[2] / n})
	}
	for _, q := range qs {
		want := rotation(q)
		got := rotation(quaternion(want))
		for i := range 3 {
			for j := range 3 {
				if d := math.Abs(got[i][j] - want[i][j]); !(d < 1e-12) {
					t.Fatalf("q %v: matrix differs by %g", q, d)
				}
			}
		}
	}
}

// Files can be read for any shear of the grid and any size of its voxels: the qform is written only
// if it agrees with the sform within the tolerance of readers.
func TestShearedGrids(t *testing.T) {
	pairs, alone := 0, 0
	for _, spacing := range []float64{0.05, 0.15, 0.3, 0.6} {
		for n := range 60 {
			g := volume.Geometry{
				Size:   [3]int{64, 48, 10},
				Affine: [3][4]float64{{0, 0, 3.5, -52}, {spacing, 0, 0, -60}, {0, -spacing, 0, 61}},
			}
			g.Affine[1][2] = float64(n) / 3000 // the ninth slice lies up to 0.18 mm off
			var b bytes.Buffer
			if err := WriteMap(&b, volume.Map{Geometry: g, Data: make([]float32, g.Voxels())}, ""); err != nil {
				t.Fatal(err)
			}
			z, err := gzip.NewReader(bytes.NewReader(b.Bytes()))
			if err != nil {
				t.Fatal(err)
			}
			h := make([]byte, headerSize)
			if _, err := io.ReadFull(z, h); err != nil {
				t.Fatal(err)
			}
			if h[atQformCode] == 1 {
				pairs++
			} else {
				alone++
			}
			got, _, err := ReadFrames(&b)
			if err != nil || farthest(t, got, g) > 1e-4 { // float32
				t.Errorf("spacing %g, shear %g: %v", spacing, g.Affine[1][2], err)
			}
		}
	}
	if pairs < 40 || alone < 40 {
		t.Errorf("%d with both forms, %d with the sform alone", pairs, alone)
	}
}

func BenchmarkWriteMap(b *testing.B) {
	m := noisyMap(volume.Geometry{Size: [3]int{384, 384, 30}, Affine: grids()["sagittal"].Affine})
	b.SetBytes(int64(4 * len(m.Data)))
	b.ReportAllocs()
	for b.Loop() {
		if err := WriteMap(io.Discard, m, "T2 ms"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadLabels(b *testing.B) {
	g := volume.Geometry{Size: [3]int{384, 384, 30}, Affine: grids()["sagittal"].Affine}
	data := make([]uint8, g.Voxels())
	for v := range data {
		if v%384 > 180 && v%384 < 190 {
			data[v] = uint8(1 + v/384/384%3)
		}
	}
	var file bytes.Buffer
	if err := WriteLabels(&file, g, data, ""); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ReadLabels(bytes.NewReader(file.Bytes())); err != nil {
			b.Fatal(err)
		}
	}
}
