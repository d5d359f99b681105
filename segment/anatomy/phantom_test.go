package anatomy_test

import (
	"context"
	"math"
	"reflect"
	"testing"

	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/volume"
)

// turn is a rotation about the patient's axis by degrees.
func turn(axis int, degrees float64) volume.Rigid {
	t := volume.Identity()
	s, c := math.Sincos(degrees * math.Pi / 180)
	a, b := (axis+1)%3, (axis+2)%3
	t.Rotation[a][a], t.Rotation[b][b], t.Rotation[a][b], t.Rotation[b][a] = c, c, -s, s
	return t
}

// knee returns the phantom's knee of the side.
func knee(t testing.TB, side string, seed uint64) *phantom.Knee {
	t.Helper()
	k, err := phantom.NewKnee(phantom.Options{Side: side, Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// sample returns the knee's mask and the truth on a grid.
func sample(t testing.TB, k *phantom.Knee, g volume.Geometry) (anatomy.Mask, []anatomy.Region) {
	t.Helper()
	a, err := k.Structures(context.Background(), g)
	if err != nil {
		t.Fatal(err)
	}
	m := anatomy.Mask{Geometry: g, Data: make([]anatomy.Tissue, len(a.Tissue))}
	truth := make([]anatomy.Region, len(a.Tissue))
	for v := range a.Tissue {
		m.Data[v] = anatomy.TissueNamed(phantom.Tissues[a.Tissue[v]])
		truth[v] = anatomy.RegionNamed(phantom.Regions[a.Region[v]])
	}
	return m, truth
}

// right returns by region the part of the truth's voxels that got has too, and the least of
// these parts, and of the parts of got's voxels that truth has, among regions of 200 voxels.
func right(got, truth []anatomy.Region) (parts map[anatomy.Region]float64, least float64) {
	var both, is, are [32]float64
	for v, r := range truth {
		is[r]++
		are[got[v]]++
		if got[v] == r {
			both[r]++
		}
	}
	parts, least = map[anatomy.Region]float64{}, 1
	for _, r := range anatomy.Regions() {
		if is[r] >= 200 {
			parts[r] = both[r] / is[r]
			least = min(least, parts[r])
		}
	}
	return parts, least
}

// spacings are those of DESS series, of research scans and of T2 series.
var spacings = [][3]float64{{0.35, 0.35, 0.7}, {0.5, 0.5, 0.5}, {0.4, 0.4, 1.5}, {0.3125, 0.3125, 3}, {0.6, 0.6, 3}}

func side(s string) anatomy.Side {
	if s == "L" {
		return anatomy.Left
	}
	return anatomy.Right
}

// The knee on sagittal grids in its own axes.
func TestPhantom(t *testing.T) {
	for n, s := range spacings {
		if testing.Short() && n != 2 {
			continue
		}
		for _, name := range []string{"L", "R"} {
			if n == 0 && name == "L" { // one of the finest is enough
				continue
			}
			k := knee(t, name, uint64(n+1))
			check(t, k, name, k.Grid(s), 0.95)
		}
	}
}

// check divides the knee on the grid and compares each region with the truth.
func check(t *testing.T, k *phantom.Knee, name string, g volume.Geometry, limit float64) (parts map[anatomy.Region]float64) {
	t.Helper()
	m, truth := sample(t, k, g)
	d, err := anatomy.Divide(m, side(name))
	if err != nil {
		t.Errorf("%.2f %s: %v", g.Spacing(), name, err)
		return nil
	}
	parts, least := right(d.Data, truth)
	for r, part := range parts {
		if part < 0.98 {
			t.Logf("%.2f %s: %s %.3f", g.Spacing(), name, r, part)
		}
	}
	if least < limit {
		t.Errorf("%.2f %s: %.4f of a region's voxels are right, want %g", g.Spacing(), name, least, limit)
	}
	return parts
}

// boxed returns a grid in the patient's axes, in the order and with the spacings given, that
// holds the cartilage of the knee.
func boxed(k *phantom.Knee, axes [3]int, spacing [3]float64) volume.Geometry {
	lo, hi := [3]float64{1e9, 1e9, 1e9}, [3]float64{-1e9, -1e9, -1e9}
	for c := range 8 {
		p := k.Position(float64(c&1)*86-43, float64(c>>1&1)*96-57, float64(c>>2&1)*78-17)
		for r := range p {
			lo[r], hi[r] = min(lo[r], p[r]), max(hi[r], p[r])
		}
	}
	out := volume.Geometry{}
	for n, r := range axes {
		out.Size[n] = int((hi[r]-lo[r])/spacing[n]) + 1
		out.Affine[r][n] = spacing[n]
		out.Affine[r][3] = lo[r]
	}
	return out
}

// The knee turned by 25° about each of the patient's axes, on grids in these axes. On slices of
// 3 mm the patella is left out: oblique slices of that thickness show its ridge, which in the phantom
// is as round as 30 mm, to 2 mm.
func TestTurned(t *testing.T) {
	for n, s := range [][3]float64{{0.7, 0.7, 0.7}, {0.5, 0.5, 1.5}, {0.6, 0.6, 3}} {
		for axis := range 3 {
			if testing.Short() && n != axis {
				continue
			}
			for m, degrees := range []float64{-25, 25} {
				name := "LR"[m:][:1]
				k := knee(t, name, uint64(1+m)).Moved(turn(axis, degrees))
				order := [][3]int{{0, 2, 1}, {1, 2, 0}, {1, 2, 0}}[n]
				parts := check(t, k, name, boxed(k, order, s), 0)
				sum := 0.0
				for r, part := range parts {
					patella := r == anatomy.PatellarMedial || r == anatomy.PatellarLateral
					if limit := 0.94; part < limit && !patella {
						t.Errorf("%v, %g° about axis %d: %s %.4f, want %g", s, degrees, axis, r, part, limit)
					}
					sum += part / float64(len(parts))
				}
				if sum < 0.98 {
					t.Errorf("%v, %g° about axis %d: the mean of the regions is %.4f", s, degrees, axis, sum)
				}
				t.Logf("%v, %g° about axis %d: mean %.4f", s, degrees, axis, sum)
			}
		}
	}
}

// No function of the division can see a T2: a mask is a grid and tissues, and the side is all
// that is asked for beside it.
func TestWithoutT2(t *testing.T) {
	var _ func(anatomy.Mask, anatomy.Side) (anatomy.Division, error) = anatomy.Divide
	mask := reflect.TypeFor[anatomy.Mask]()
	if mask.NumField() != 2 || mask.Field(0).Type != reflect.TypeFor[volume.Geometry]() || mask.Field(1).Type != reflect.TypeFor[[]anatomy.Tissue]() {
		t.Errorf("a mask holds more than a grid and tissues: %v", mask)
	}
}
