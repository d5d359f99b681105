package depth

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/volume"
)

// layersKneeTissues are the labels of ../shared/data/knee-dess-seg; see its README.
var layersKneeTissues = [11]anatomy.Tissue{
	anatomy.NoTissue, anatomy.FemoralCartilage, anatomy.MedialTibialCartilage, anatomy.LateralTibialCartilage,
	anatomy.PatellarCartilage, anatomy.Femur, anatomy.Tibia, anatomy.Patella, anatomy.Fibula, anatomy.LateralMeniscus,
	anatomy.MedialMeniscus,
}

var layersKneeOnce = sync.OnceValues(readLayersKnee)

// layersKnee returns the real knee; the test is skipped where it is absent. Tests must not change its voxels.
func layersKnee(t testing.TB) anatomy.Mask {
	t.Helper()
	m, err := layersKneeOnce()
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("../shared/data/knee-dess-seg is not here")
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// readLayersKnee reads just this one NRRD file: unsigned char, gzip, LPS.
func readLayersKnee() (anatomy.Mask, error) {
	var m anatomy.Mask
	f, err := os.Open("../../../shared/data/knee-dess-seg/labels.nrrd")
	if err != nil {
		return m, err
	}
	defer f.Close()
	r := bufio.NewReader(f)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return m, err
		}
		if line = strings.TrimSpace(line); line == "" {
			break
		}
		key, value, _ := strings.Cut(line, ": ")
		a := &m.Affine
		switch key {
		case "sizes":
			_, err = fmt.Sscan(value, &m.Size[0], &m.Size[1], &m.Size[2])
		case "space directions":
			_, err = fmt.Sscanf(value, "(%g,%g,%g) (%g,%g,%g) (%g,%g,%g)",
				&a[0][0], &a[1][0], &a[2][0], &a[0][1], &a[1][1], &a[2][1], &a[0][2], &a[1][2], &a[2][2])
		case "space origin":
			_, err = fmt.Sscanf(value, "(%g,%g,%g)", &a[0][3], &a[1][3], &a[2][3])
		}
		if err != nil {
			return m, fmt.Errorf("%s: %w", key, err)
		}
	}
	z, err := gzip.NewReader(r)
	if err != nil {
		return m, err
	}
	data := make([]byte, m.Voxels())
	if _, err := io.ReadFull(z, data); err != nil {
		return m, err
	}
	m.Data = make([]anatomy.Tissue, len(data))
	for v, label := range data {
		m.Data[v] = layersKneeTissues[label]
	}
	return m, nil
}

// TestDepthOfRealKnee: thickness is that of published knees and agrees with volume over area; depths are
// spread evenly; what touches bone is deep.
func TestDepthOfRealKnee(t *testing.T) {
	if testing.Short() {
		t.Skip("costs seconds")
	}
	m := layersKnee(t)
	for _, bone := range []bool{true, false} {
		if !bone {
			m = layersWithoutBone(m)
		}
		d, err := Measure(t.Context(), m, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for b, s := range d.Sheets {
			layersCheckSheet(t, m, d, anatomy.Bone(b), s)
			if want := map[bool]BoneSource{true: BoneByLabel, false: BoneByShape}[bone]; s.Source != want {
				t.Errorf("%v: bone side by %v, want %v", anatomy.Bone(b), s.Source, want)
			}
		}
	}
}

// layersKneeThickness is a range in mm that whole plates fall into, healthy or not; wide, as the check against volume
// over area is the sharp one. (This patella's cartilage is thin: 1.2 cm³ over 8.5 cm².)
var layersKneeThickness = [anatomy.Bones][2]float64{{1.3, 2.5}, {1.3, 2.5}, {1.2, 3}}

func layersCheckSheet(t *testing.T, m anatomy.Mask, d Field, b anatomy.Bone, s SheetDepth) {
	var bins [10]int
	deepTouch, touch := 0, 0
	touching := layersKneeTouch(m.Geometry, b)
	for v := s.Start; v < s.End; v++ {
		depth := float64(d.Depth[v])
		if math.IsNaN(depth) {
			continue
		}
		bins[min(9, int(depth*10))]++
		if touching[d.Voxels[v]] {
			touch++
			if depth <= 0.5 { // 0.5: one voxel thick, at the joint as well
				deepTouch++
			}
		}
	}
	thin, err := d.ThinFor(m.Geometry, 2, func(v int) bool { return v >= s.Start && v < s.End })
	if err != nil {
		t.Fatal(err)
	}
	byArea := 2 * float64(s.End-s.Start) * m.VoxelVolume() / (s.BoneArea + s.JointArea)
	deep := float64(deepTouch) / float64(touch)
	t.Logf(
		"%-7v by %v: %6d voxels, %d undefined; thickness %.2f mm (volume/area %.2f); areas %.0f and %.0f mm²; "+
			"tenths of depth %v; %.1f %% of the voxels at the bone are deep; %.1f %% thinner than two voxels",
		b, s.Source, s.End-s.Start, s.Undefined, thin.Thickness, byArea, s.BoneArea, s.JointArea, bins, 100*deep,
		100*thin.Fraction(),
	)
	if r := layersKneeThickness[b]; thin.Thickness < r[0] || thin.Thickness > r[1] {
		t.Errorf("%v: thickness %.2f mm, want %v", b, thin.Thickness, r)
	}
	// The two differ by the rim, which has volume and no area.
	if math.Abs(thin.Thickness/byArea-1) > 0.15 {
		t.Errorf("%v: thickness %.2f mm, but volume over area %.2f mm", b, thin.Thickness, byArea)
	}
	for n, got := range bins {
		if share := float64(got) / float64(s.End-s.Start); share < 0.08 || share > 0.125 {
			t.Errorf("%v: %.3f of the voxels are in tenth %d, want about 0.1", b, share, n)
		}
	}
	if deep < 0.95 {
		t.Errorf("%v: %.3f of what touches bone is deep, want 0.95", b, deep)
	}
	if float64(s.Undefined) > 0.003*float64(s.End-s.Start) {
		t.Errorf("%v: %d of %d voxels have no depth", b, s.Undefined, s.End-s.Start)
	}
}

// layersKneeTouch says which voxels of the real knee have a face at the bone.
func layersKneeTouch(g volume.Geometry, b anatomy.Bone) map[int32]bool {
	l, _ := newLattice(g)
	out := map[int32]bool{}
	whole, _ := layersKneeOnce()
	for v, t := range whole.Data {
		if bone, ok := anatomy.BoneOf(t); !ok || bone != b {
			continue
		}
		i := shellIndex(l, v)
		for dir := range directions {
			if !l.leaves(i, dir) && whole.Data[v+stepOf(dir)*l.stride[axisOf(dir)]] == b.Tissue() {
				out[int32(v)] = true
			}
		}
	}
	return out
}

func layersWithoutBone(m anatomy.Mask) anatomy.Mask {
	out := anatomy.Mask{Geometry: m.Geometry, Data: make([]anatomy.Tissue, len(m.Data))}
	for v, t := range m.Data {
		if t < anatomy.Femur {
			out.Data[v] = t
		}
	}
	return out
}

func BenchmarkDepthOfRealKnee(b *testing.B) {
	m := layersKnee(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Measure(b.Context(), m, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
