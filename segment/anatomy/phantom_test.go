package anatomy_test

import (
	"context"
	"math"
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

// The grids of the issue: coarse and fine, anisotropic, in several orders of the axes.
var spacings = [][3]float64{{0.35, 0.35, 0.7}, {0.5, 0.5, 0.5}, {0.4, 0.4, 1.5}, {0.3125, 0.3125, 3}, {0.6, 0.6, 3}}

func side(s string) anatomy.Side {
	if s == "L" {
		return anatomy.Left
	}
	return anatomy.Right
}

// around returns a grid in the patient's axes, in the order and with the spacings given,
// that holds the grid g.
func around(g volume.Geometry, axes [3]int, spacing [3]float64) volume.Geometry {
	lo, hi := [3]float64{1e9, 1e9, 1e9}, [3]float64{-1e9, -1e9, -1e9}
	for c := range 8 {
		p := g.Position(float64(c&1*(g.Size[0]-1)), float64(c>>1&1*(g.Size[1]-1)), float64(c>>2&1*(g.Size[2]-1)))
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

func TestPhantom(t *testing.T) {
	for n, s := range spacings {
		for _, name := range []string{"L", "R"} {
			k := knee(t, name, uint64(n+1))
			m, truth := sample(t, k, k.Grid(s))
			d, err := anatomy.Divide(m, side(name))
			if err != nil {
				t.Errorf("%v %s: %v", s, name, err)
				continue
			}
			parts, least := right(d.Data, truth)
			t.Logf("%v %s: least %.4f", s, name, least)
			if least < 0.98 {
				t.Errorf("%v %s: %.3f %v", s, name, least, parts)
			}
		}
	}
}
