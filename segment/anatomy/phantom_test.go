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

// sample returns the knee's mask and the truth on a grid: exact near cartilage and
// menisci, and in steps of 2.5 mm in bone, of which centroids alone matter.
func sample(t testing.TB, k *phantom.Knee, g volume.Geometry) (anatomy.Mask, []anatomy.Region) {
	t.Helper()
	m := anatomy.Mask{Geometry: g, Data: make([]anatomy.Tissue, g.Voxels())}
	truth := make([]anatomy.Region, g.Voxels())
	var block [3]int
	for a, s := range g.Spacing() {
		block[a] = max(1, int(2.5/s))
	}
	coarse := blocks(g, block)
	all := structures(t, k, coarse)
	near := grown(coarse, all.Region)
	for v := range near {
		from := [3]int{v % coarse.Size[0] * block[0], v / coarse.Size[0] % coarse.Size[1] * block[1], v / (coarse.Size[0] * coarse.Size[1]) * block[2]}
		part := g
		for a := range part.Size {
			part.Size[a] = min(block[a], g.Size[a]-from[a])
		}
		for r := range part.Affine {
			for a, n := range from {
				part.Affine[r][3] += float64(n) * g.Affine[r][a]
			}
		}
		var fine *phantom.Anatomy
		if near[v] {
			fine = structures(t, k, part)
		}
		for w := range part.Voxels() {
			i, j, n := w%part.Size[0], w/part.Size[0]%part.Size[1], w/(part.Size[0]*part.Size[1])
			at := from[0] + i + g.Size[0]*(from[1]+j+g.Size[1]*(from[2]+n))
			tissue, region := all.Tissue[v], uint8(0)
			if near[v] {
				tissue, region = fine.Tissue[w], fine.Region[w]
			}
			m.Data[at], truth[at] = tissues[tissue], regions[region]
		}
	}
	return m, truth
}

// tissues and regions are those of the phantom's numbers.
var tissues, regions = func() (t []anatomy.Tissue, r []anatomy.Region) {
	for _, name := range phantom.Tissues {
		t = append(t, anatomy.TissueNamed(name))
	}
	for _, name := range phantom.Regions {
		r = append(r, anatomy.RegionNamed(name))
	}
	return t, r
}()

func structures(t testing.TB, k *phantom.Knee, g volume.Geometry) *phantom.Anatomy {
	t.Helper()
	a, err := k.Structures(context.Background(), g)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// blocks returns the grid of blocks of voxels.
func blocks(g volume.Geometry, block [3]int) volume.Geometry {
	out := g
	for a, n := range block {
		out.Size[a] = (g.Size[a] + n - 1) / n
		for r := range g.Affine {
			out.Affine[r][a] = g.Affine[r][a] * float64(n)
			out.Affine[r][3] += g.Affine[r][a] * float64(n-1) / 2
		}
	}
	return out
}

// grown returns the blocks within 3 mm of those that have a region.
func grown(g volume.Geometry, region []uint8) []bool {
	near := make([]bool, len(region))
	var reach [3]int
	for a, s := range g.Spacing() {
		reach[a] = int(math.Ceil(3 / s))
	}
	for v, r := range region {
		if r == 0 {
			continue
		}
		i, j, n := v%g.Size[0], v/g.Size[0]%g.Size[1], v/(g.Size[0]*g.Size[1])
		for z := max(0, n-reach[2]); z <= min(g.Size[2]-1, n+reach[2]); z++ {
			for y := max(0, j-reach[1]); y <= min(g.Size[1]-1, j+reach[1]); y++ {
				for x := max(0, i-reach[0]); x <= min(g.Size[0]-1, i+reach[0]); x++ {
					near[x+g.Size[0]*(y+g.Size[1]*z)] = true
				}
			}
		}
	}
	return near
}

// right returns, by region of 200 voxels or more, the part of its voxels that are right: the
// less of the part of the truth's voxels that got has too, and of the part of got's voxels that
// are true; and the least of these. A voxel that is missed counts as one that is false.
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
			parts[r] = both[r] / max(is[r], are[r])
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

// The seeds of the knees of TestPhantom. The division was developed on seeds 11 to 20.
const firstHeldOut, lastHeldOut = 21, 25

// The knee on sagittal grids of five spacings, turned about each axis: 98 % of each region's
// voxels are right where slices are up to 1.5 mm thick. Two limits are lower by what was
// seen, not by a bound that is proved:
//   - the facets of the patella on slices of 1.5 mm, 97.5 %: seed 21 reaches 97.9;
//   - slices of 3 mm, 95 %, and 85 % of the facets: 93 to 98 is reached.
//
// The phantom's patella is round and alike on both sides, so that the middle of its cartilage is
// its ridge: these knees do not test the search for a crest.
func TestPhantom(t *testing.T) {
	for seed := uint64(firstHeldOut); seed <= lastHeldOut; seed++ {
		for n, s := range spacings {
			if testing.Short() && (seed != firstHeldOut || n != 2) || n < 2 && seed != firstHeldOut+uint64(n) { // fine grids take longest
				continue
			}
			k, name := posed(t, seed, n)
			parts := divided(t, k, name, boxed(k, [3]int{1, 2, 0}, s))
			for r, part := range parts {
				limit := 0.98
				switch patella := r == anatomy.PatellarMedial || r == anatomy.PatellarLateral; {
				case s[2] > 1.5 && patella:
					limit = 0.85
				case s[2] > 1.5:
					limit = 0.95
				case s[2] > 1 && patella:
					limit = 0.975
				}
				if part < 0.98 {
					t.Logf("seed %d, %v: %s %.4f", seed, s, r, part)
				}
				if part < limit {
					t.Errorf("seed %d, %v: %.4f of the voxels of %s are right, want %g", seed, s, part, r, limit)
				}
			}
		}
	}
}

// posed returns a knee turned by up to 12° about each axis, and by 25° about one for odd n.
func posed(t *testing.T, seed uint64, n int) (*phantom.Knee, string) {
	name := "LR"[seed%2:][:1]
	k := knee(t, name, seed)
	for axis := range 3 {
		degrees := float64((int(seed)*7+n*5+axis*11)%25 - 12)
		if n%2 == 1 && axis == int(seed)%3 {
			degrees = math.Copysign(25, degrees)
		}
		k = k.Moved(turn(axis, degrees))
	}
	return k, name
}

// divided divides the knee on the grid and compares each region with the truth.
func divided(t *testing.T, k *phantom.Knee, name string, g volume.Geometry) map[anatomy.Region]float64 {
	t.Helper()
	m, truth := sample(t, k, g)
	d, err := anatomy.Divide(t.Context(), m, side(name))
	if err != nil {
		t.Errorf("%.2f %s: %v", g.Spacing(), name, err)
		return nil
	}
	parts, _ := right(d.Data, truth)
	return parts
}

// No function of the division can see a T2: a mask is a grid and tissues, with what the package
// itself found of these, and the side is all that is asked for beside it.
func TestWithoutT2(t *testing.T) {
	var _ func(context.Context, anatomy.Mask, anatomy.Side) (anatomy.Division, error) = anatomy.Divide
	mask := reflect.TypeFor[anatomy.Mask]()
	if mask.NumField() != 3 || mask.Field(2).IsExported() || mask.Field(0).Type != reflect.TypeFor[volume.Geometry]() || mask.Field(1).Type != reflect.TypeFor[[]anatomy.Tissue]() {
		t.Errorf("a mask holds more than a grid and tissues: %v", mask)
	}
}
