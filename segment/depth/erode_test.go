package depth

import (
	"maps"
	"math"
	"testing"

	"github.com/t2map/t2map/segment/anatomy"
)

// TestErodeBox: the surface is half a voxel outside the outermost centres.
func TestErodeBox(t *testing.T) {
	m := layersBox(20, [3]int{5, 5, 5}, [3]int{15, 15, 15}) // 0.5 × 0.5 × 1 mm
	for _, test := range []struct {
		mm   float64
		left [3]int
	}{
		{0, [3]int{10, 10, 10}}, {-1, [3]int{10, 10, 10}},
		{0.25, [3]int{10, 10, 10}}, {0.26, [3]int{8, 8, 10}},
		{0.5, [3]int{8, 8, 10}}, {0.51, [3]int{8, 8, 8}},
		{1, [3]int{6, 6, 8}}, {1.6, [3]int{4, 4, 6}}, {3, [3]int{}},
	} {
		out, err := Erode(t.Context(), m, test.mm)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, tissue := range out.Data {
			if tissue == anatomy.MedialTibialCartilage {
				n++
			}
		}
		want := test.left[0] * test.left[1] * test.left[2]
		if n != want {
			t.Errorf("%g mm: %d voxels are left, want %d", test.mm, n, want)
		}
	}
}

// TestErodeIsExact: on an oblique anisotropic grid, each voxel against the distance to every voxel
// outside, by brute force.
func TestErodeIsExact(t *testing.T) {
	s := shellSphere(6)
	g := shellGrid([3]float64{1, 0.8, 1.6}, shellOblique)
	for c := range 3 { // the cap of the sphere alone
		g.Size[c] = int(16 / g.Spacing()[c])
	}
	g.Affine[0][3], g.Affine[1][3], g.Affine[2][3] = 0, 0, 0
	corner := g.Position(float64(g.Size[0])/2, float64(g.Size[1])/2, float64(g.Size[2])/2)
	for r := range 3 {
		g.Affine[r][3] = -corner[r]
	}
	g.Affine[0][1] += 0.05 // and not quite perpendicular, as interpolated affines are
	m := s.draw(g, true, 0)
	l, _ := newLattice(g)
	const mm = 0.45
	out, err := Erode(t.Context(), m, mm)
	if err != nil {
		t.Fatal(err)
	}
	removed, checked := 0, 0
	for v, tissue := range m.Data {
		if tissue != anatomy.FemoralCartilage {
			continue
		}
		value := shellIndex(l, v)
		least := math.Inf(1)
		for o, other := range m.Data {
			if other == anatomy.FemoralCartilage {
				continue
			}
			i := shellIndex(l, o)
			mm := [3]int{int(i[0] - value[0]), int(i[1] - value[1]), int(i[2] - value[2])}
			if mm[0]*mm[0] < 16 && mm[1]*mm[1] < 16 && mm[2]*mm[2] < 16 {
				least = min(least, erodeTestDistance(l, mm))
			}
		}
		if math.Abs(least-mm) < 0.05 {
			continue // the brute force is that coarse
		}
		checked++
		if gone := out.Data[v] == anatomy.NoTissue; gone != (least < mm) {
			t.Fatalf("a voxel %.3f mm deep: removed is %v", least, gone)
		} else if gone {
			removed++
		}
	}
	if removed == 0 || removed == checked {
		t.Errorf("%d of %d voxels removed", removed, checked)
	}
}

// erodeTestDistance samples the voxel at an offset.
func erodeTestDistance(l *lattice, mm [3]int) float64 {
	least := math.Inf(1)
	const n = 4
	for k := range n + 1 {
		for j := range n + 1 {
			for i := range n + 1 {
				x := l.columns[0].Times(float64(mm[0]) - 0.5 + float64(i)/n)
				x = x.Plus(l.columns[1].Times(float64(mm[1]) - 0.5 + float64(j)/n))
				least = min(least, x.Plus(l.columns[2].Times(float64(mm[2])-0.5+float64(k)/n)).Length())
			}
		}
	}
	return least
}

// TestErodeBorders: the border between two labels of one plate does not erode, nor does the edge of the
// grid; the border between femoral and tibial cartilage does. Bone stays.
func TestErodeBorders(t *testing.T) {
	m := layersBox(10, [3]int{}, [3]int{10, 10, 10})
	for v := range m.Data {
		switch k := v / 100; {
		case k < 2:
			m.Data[v] = anatomy.Tibia
		case k >= 8:
			m.Data[v] = anatomy.FemoralCartilage
		case v%10 < 5:
			m.Data[v] = anatomy.LateralTibialCartilage
		}
	}
	out, err := Erode(t.Context(), m, 0.6) // one slice of 1 mm
	if err != nil {
		t.Fatal(err)
	}
	removed := map[anatomy.Tissue]int{}
	for v, tissue := range m.Data {
		if out.Data[v] != tissue {
			removed[tissue]++
		}
	}
	want := map[anatomy.Tissue]int{
		anatomy.MedialTibialCartilage: 100, anatomy.LateralTibialCartilage: 100, anatomy.FemoralCartilage: 100,
	}
	if !maps.Equal(removed, want) {
		t.Errorf("removed %v voxels by tissue, want %v", removed, want)
	}
	if out.Data[0] != anatomy.Tibia || m.Data[250] == anatomy.NoTissue {
		t.Error("bone or the given mask has changed")
	}
}

func BenchmarkErodeOfRealKnee(b *testing.B) {
	m := layersKnee(b)
	for b.Loop() {
		if _, err := Erode(b.Context(), m, 0.7); err != nil {
			b.Fatal(err)
		}
	}
}
