package phantom

import (
	"math"
	"testing"

	"github.com/t2map/t2map/volume"
)

// The borders are where the definitions put them, by brute force over voxels of 0.5 mm:
// the projection along the long axis, its end near the middle, the 60 %, the thirds.
func TestDivisionByBruteForce(t *testing.T) {
	for seed := range uint64(2) {
		k := mustKnee(t, Options{Seed: seed})
		const step = 0.5
		g := k.gridOver([3]float64{step, step, step}, [3]float64{90, 48, slabWidth}) // p from −50 to 40, h from −21 to 27
		a := structures(t, k, g)
		size, d := k.person.size, k.person.division
		back := make([]float64, g.Size[2]) // of the femoral cartilage by slice
		notch, posterior := math.Inf(1), math.Inf(-1)
		var tibia [2][2]float64
		tibia[0], tibia[1] = [2]float64{math.Inf(1), math.Inf(-1)}, [2]float64{math.Inf(1), math.Inf(-1)}
		for n := range back {
			back[n] = math.Inf(-1)
			u := 0.0
			for v := n * g.SliceVoxels(); v < (n+1)*g.SliceVoxels(); v++ {
				at, p, _ := k.Place(g.Position(float64(v%g.Size[0]), float64(v/g.Size[0]%g.Size[1]), float64(n)))
				u = at
				switch side := int(a.Tissue[v]) - int(MedialTibialCartilage); a.Tissue[v] {
				case FemoralCartilage:
					back[n] = max(back[n], p)
				case MedialTibialCartilage, LateralTibialCartilage:
					tibia[side][0], tibia[side][1] = min(tibia[side][0], p), max(tibia[side][1], p)
				}
			}
			posterior = max(posterior, back[n])
			if math.Abs(u) < 12 {
				notch = min(notch, back[n])
			}
		}
		check := func(what string, got, want float64) {
			t.Helper()
			if math.Abs(got*size-want) > step {
				t.Errorf("seed %d: %s at p = %.2f mm, by brute force %.2f", seed, what, got*size, want)
			}
		}
		check("notch", d.notch, notch)
		check("posterior end", d.posterior, posterior)
		check("posterior part", d.condyles, notch+0.6*(posterior-notch))
		for side, ends := range tibia {
			third := (ends[1] - ends[0]) / 3
			check("anterior third", d.thirds[side][0], ends[0]+third)
			check("posterior third", d.thirds[side][1], ends[1]-third)
		}
		if math.Abs(d.notchU) > 4 {
			t.Errorf("seed %d: the notch lies %v mm from the middle", seed, d.notchU)
		}
	}
}

// Every region is in one piece, the condyles are apart behind the notch, and the cartilage
// high on the back of the condyles is posterior.
func TestRegionsAreWhole(t *testing.T) {
	for seed, side := range []string{"R", "L"} {
		k := mustKnee(t, Options{Seed: uint64(seed), Side: side})
		g := k.Grid([3]float64{0.8, 0.8, 0.8})
		a := structures(t, k, g)
		for region := 1; region < len(Regions); region++ {
			if n := pieces(g, func(v int) bool { return int(a.Region[v]) == region }); n != 1 {
				t.Errorf("side %s, seed %d: %s has %d pieces", side, seed, Regions[region], n)
			}
		}
		femoral := func(v int) bool { return a.Tissue[v] == FemoralCartilage }
		if n := pieces(g, femoral); n != 1 {
			t.Errorf("side %s, seed %d: the femoral cartilage has %d pieces", side, seed, n)
		}
		behind := (k.person.division.notch + 3) * k.person.size
		if n := pieces(g, func(v int) bool { return femoral(v) && placeP(k, g, v) > behind }); n != 2 {
			t.Errorf("side %s, seed %d: %d condyles behind the notch", side, seed, n)
		}
		for v, r := range a.Region {
			_, _, h := k.Place(positionOf(g, v))
			if h > 25*k.person.size && (r == MedialFemoralCentral || r == LateralFemoralCentral) {
				t.Fatalf("side %s, seed %d: %s at h = %v mm, on the back of the condyle", side, seed, Regions[r], h)
			}
		}
	}
}

func positionOf(g volume.Geometry, v int) [3]float64 {
	return g.Position(float64(v%g.Size[0]), float64(v/g.Size[0]%g.Size[1]), float64(v/g.SliceVoxels()))
}

func placeP(k *Knee, g volume.Geometry, v int) float64 {
	_, p, _ := k.Place(positionOf(g, v))
	return p
}

// pieces counts the sets of voxels that touch at a face, an edge or a corner. Less than
// 5 mm³ by itself is a crumb, as beside a ligament that crosses the horn of a meniscus.
func pieces(g volume.Geometry, in func(v int) bool) int {
	seen := make([]bool, g.Voxels())
	n := 0
	for v := range seen {
		if seen[v] || !in(v) {
			continue
		}
		size, stack := 0, []int{v}
		seen[v] = true
		for len(stack) > 0 {
			at := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			size++
			for d := range 27 {
				i, j, m := at%g.Size[0]+d%3-1, at/g.Size[0]%g.Size[1]+d/3%3-1, at/g.SliceVoxels()+d/9-1
				if i < 0 || j < 0 || m < 0 || i >= g.Size[0] || j >= g.Size[1] || m >= g.Size[2] {
					continue
				}
				if next := i + g.Size[0]*(j+g.Size[1]*m); !seen[next] && in(next) {
					seen[next] = true
					stack = append(stack, next)
				}
			}
		}
		if float64(size)*g.VoxelVolume() >= 5 {
			n++
		}
	}
	return n
}

// Volumes are those of real knees: of two whole ones, 11.8 and 20.9 cm³ of femoral, 1.9 of
// medial tibial, 1.8 of lateral tibial and 1.2 cm³ of patellar cartilage
// (../shared/refs/field.md); the patella of this knee is a thick one. No region is less
// than a tenth of its plate.
func TestVolumesArePlausible(t *testing.T) {
	for seed := range uint64(4) {
		k := mustKnee(t, Options{Seed: seed})
		g := k.Grid([3]float64{0.8, 0.8, 0.8})
		a := structures(t, k, g)
		var tissue [len(Tissues)]float64
		var region [len(Regions)]float64
		for v := range a.Tissue {
			tissue[a.Tissue[v]] += g.VoxelVolume() / 1000
			region[a.Region[v]] += g.VoxelVolume() / 1000
		}
		for of, want := range map[uint8][2]float64{
			FemoralCartilage: {11, 21}, MedialTibialCartilage: {1.4, 3}, LateralTibialCartilage: {1.5, 3.2},
			PatellarCartilage: {1.2, 5}, MedialMeniscus: {1.5, 4}, LateralMeniscus: {1.5, 4},
		} {
			if v := tissue[of]; v < want[0] || v > want[1] {
				t.Errorf("seed %d: %s: %.2f cm³, want %v to %v", seed, Tissues[of], v, want[0], want[1])
			}
			for r := plates[of][0]; r <= plates[of][1]; r++ {
				if region[r] < tissue[of]/10 {
					t.Errorf("seed %d: %s: %.2f cm³ of %.2f", seed, Regions[r], region[r], tissue[of])
				}
			}
		}
	}
}
