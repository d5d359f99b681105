package volume

import (
	"math"
	"testing"
)

// oblique is an oblique grid without shear: spacing 0.5 × 0.25 × 4 mm, rotated by 30° about x.
func oblique() Geometry {
	s, c := math.Sincos(math.Pi / 6)
	return Geometry{
		Size:   [3]int{4, 3, 2},
		Affine: [3][4]float64{{0, 0, -4, 10}, {0.5 * c, -0.25 * s, 0, -20}, {0.5 * s, 0.25 * c, 0, 30}},
	}
}

func TestGeometry(t *testing.T) {
	g := oblique()
	if g.Voxels() != 24 || g.SliceVoxels() != 12 {
		t.Errorf("Voxels, SliceVoxels = %d, %d, want 24, 12", g.Voxels(), g.SliceVoxels())
	}
	for c, want := range [3]float64{0.5, 0.25, 4} {
		if got := g.Spacing()[c]; math.Abs(got-want) > 1e-12 {
			t.Errorf("Spacing[%d] = %g, want %g", c, got, want)
		}
	}
	if got := g.VoxelVolume(); math.Abs(got-0.5) > 1e-12 {
		t.Errorf("VoxelVolume = %g, want 0.5", got)
	}
	p := g.Position(2, 0, 1)
	want := [3]float64{6, -20 + math.Cos(math.Pi/6), 30.5}
	for r := range p {
		if math.Abs(p[r]-want[r]) > 1e-12 {
			t.Errorf("Position(2,0,1)[%d] = %g, want %g", r, p[r], want[r])
		}
	}
}

func TestStatusNames(t *testing.T) {
	for _, s := range Exclusions {
		if s == NotFitted || s == Fitted {
			t.Errorf("%v is listed as an exclusion", s)
		}
	}
	if got := Status(200).String(); got != "status_200" {
		t.Errorf("unknown status prints %q", got)
	}
}
