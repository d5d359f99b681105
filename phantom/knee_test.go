package phantom

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"runtime"
	"slices"
	"testing"

	words "github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/volume"
)

func mustKnee(t testing.TB, o Options) *Knee {
	t.Helper()
	k, err := NewKnee(o)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func structures(t testing.TB, k *Knee, g volume.Geometry) *Anatomy {
	t.Helper()
	a, err := k.Structures(context.Background(), g)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// The phantom does not import package anatomy, but speaks its words.
func TestNamesAreThoseOfAnatomy(t *testing.T) {
	for n, name := range Tissues[1:] {
		if words.TissueNamed(name) == words.NoTissue {
			t.Errorf("tissue %d: %q is not a tissue of anatomy", n+1, name)
		}
	}
	if len(Regions) != len(words.Regions())+1 {
		t.Fatalf("%d regions, anatomy has %d", len(Regions)-1, len(words.Regions()))
	}
	for _, r := range words.Regions() {
		want := r.Compartment()
		if c := Compartments[compartmentOf(uint8(r))]; Regions[r] != r.String() || c != want && c+want != string(r.Plate()) {
			t.Errorf("region %d: %q in %q, want %v in %q", r, Regions[r], c, r, want)
		}
	}
}

// plates are the regions of each tissue, first and last.
var plates = [len(Tissues)][2]uint8{
	FemoralCartilage:       {MedialFemoralCentral, Trochlear},
	MedialTibialCartilage:  {MedialTibialAnterior, MedialTibialPosterior},
	LateralTibialCartilage: {LateralTibialAnterior, LateralTibialPosterior},
	PatellarCartilage:      {PatellarMedial, PatellarLateral},
	MedialMeniscus:         {RegionMedialMeniscus, RegionMedialMeniscus},
	LateralMeniscus:        {RegionLateralMeniscus, RegionLateralMeniscus},
}

// Tissue, region, compartment, depth, T2 and S0 of every voxel fit together, and
// Structures and Sample agree.
func TestEveryVoxelIsAccountedFor(t *testing.T) {
	for _, side := range []string{"R", "L"} {
		k := mustKnee(t, Options{Side: side, Seed: 4, Shift: [3]float64{3, 0, 0}})
		g := k.Grid([3]float64{1, 1, 1.5})
		a, err := k.Sample(context.Background(), g)
		if err != nil {
			t.Fatal(err)
		}
		b := structures(t, k, g)
		if !slices.Equal(a.Tissue, b.Tissue) || !slices.Equal(a.Region, b.Region) ||
			!slices.Equal(a.Compartment, b.Compartment) || !sameBits(a.Depth, b.Depth) {
			t.Error("Sample and Structures differ")
		}
		var tissues [len(Tissues)]int
		var regions [len(Regions)]int
		for v, tissue := range a.Tissue {
			region, depth := a.Region[v], float64(a.Depth[v])
			tissues[tissue]++
			regions[region]++
			cartilage := tissue >= FemoralCartilage && tissue <= PatellarCartilage
			switch {
			case region < plates[tissue][0] || region > plates[tissue][1],
				a.Compartment[v] != compartmentOf(region),
				cartilage != (a.Compartment[v] != 0),
				cartilage != (depth >= 0 && depth < 1), !cartilage && !math.IsNaN(depth),
				math.IsNaN(float64(a.T2[v])) != (a.S0[v] == 0), tissue != 0 && a.S0[v] == 0:
				t.Fatalf("side %s, voxel %d: %s, %s, %s, depth %v, T2 %v, S0 %v", side, v, Tissues[tissue], Regions[region],
					Compartments[a.Compartment[v]], depth, a.T2[v], a.S0[v])
			}
		}
		if slices.Contains(tissues[:], 0) || slices.Contains(regions[:], 0) {
			t.Errorf("side %s: voxels by tissue %v, by region %v: one is missing", side, tissues, regions)
		}
	}
}

// sameBits compares with NaN equal to itself.
func sameBits(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
}

// What lies at a position does not depend on the grid that asks.
func TestAnyGrid(t *testing.T) {
	for _, side := range []string{"R", "L"} {
		k := mustKnee(t, Options{Side: side, Seed: 6})
		g := k.Grid([3]float64{2, 1.5, 3})
		tilted := g.Moved(k.Motion([3]float64{20, -35, 10}, [3]float64{15, -4, 30})) // partly outside
		// Another order of axes, one of them reversed.
		axes := g
		axes.Size = [3]int{g.Size[2], g.Size[0], g.Size[1]}
		for r, a := range g.Affine {
			axes.Affine[r] = [4]float64{-a[2], a[0], a[1], a[3] + a[2]*float64(g.Size[2]-1)}
		}
		straight := volume.Geometry{Size: [3]int{60, 50, 40}}
		for r := range straight.Affine {
			straight.Affine[r][r] = 2.5
			straight.Affine[r][3] = k.centre[r] - 65
		}
		for name, grid := range map[string]volume.Geometry{"own": g, "tilted": tilted, "axes": axes, "straight": straight} {
			a, err := k.Sample(context.Background(), grid)
			if err != nil {
				t.Fatal(err)
			}
			cartilage := 0
			for v := 0; v < grid.Voxels(); v += 7 {
				i, j, n := v%grid.Size[0], v/grid.Size[0]%grid.Size[1], v/grid.SliceVoxels()
				want := k.Voxel(grid.Position(float64(i), float64(j), float64(n)))
				got := Voxel{a.Tissue[v], a.Region[v], a.Compartment[v], float64(a.Depth[v]), float64(a.T2[v]), float64(a.S0[v])}
				if got.Tissue != want.Tissue || got.Region != want.Region || got.Compartment != want.Compartment ||
					!near(got.Depth, want.Depth) || !near(got.T2, want.T2) || !near(got.S0, want.S0) {
					t.Fatalf("side %s, %s, voxel (%d, %d, %d): got %+v, want %+v", side, name, i, j, n, got, want)
				}
				if want.Compartment != 0 {
					cartilage++
				}
			}
			if cartilage < 50 {
				t.Errorf("side %s, %s: %d voxels of cartilage", side, name, cartilage)
			}
		}
	}
}

// near allows for float32 and for samePlace.
func near(a, b float64) bool {
	return math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) <= 1e-5*max(1, math.Abs(b))
}

func TestOutsideTheKneeIsAir(t *testing.T) {
	k := mustKnee(t, Options{})
	g := k.Grid([3]float64{4, 4, 4}).Moved(volume.Rigid{Rotation: volume.Identity().Rotation,
		Shift: [3]float64{0, 400, 0}})
	a, err := k.Sample(context.Background(), g)
	if err != nil {
		t.Fatal(err)
	}
	for v := range a.Tissue {
		if a.Tissue[v]+a.Region[v]+a.Compartment[v] != 0 || a.S0[v] != 0 || !math.IsNaN(float64(a.T2[v])) ||
			!math.IsNaN(float64(a.Depth[v])) {
			t.Fatalf("voxel %d is not air", v)
		}
	}
}

// The knee is that of the study: on its grid both say the same, whether the patient moved
// or not.
func TestKneeIsThatOfTheStudy(t *testing.T) {
	for _, side := range []string{"R", "L"} {
		o := Options{Side: side, Matrix: 72, Slices: 9, Echoes: 1, Seed: 8, Shift: [3]float64{2, -1, 0.5}}
		o.Moved = mustKnee(t, o).Motion([3]float64{4, -6, 8}, [3]float64{3, 5, -7})
		for _, moved := range []volume.Rigid{{}, volume.Identity(), o.Moved} {
			o.Moved = moved
			s := mustNew(t, o)
			a, err := s.Knee().Sample(context.Background(), s.Labels.Geometry)
			if err != nil {
				t.Fatal(err)
			}
			differ := 0
			for v, l := range s.Labels.Data {
				if uint8(l) != a.Compartment[v] || !near(float64(s.T2.Data[v]), float64(a.T2[v])) {
					differ++
				}
			}
			if differ > 0 { // a border would have to pass within 1e-9 mm of a centre
				t.Errorf("side %s, moved by %v: %d voxels differ", side, moved, differ)
			}
		}
	}
}

func TestMovedKnee(t *testing.T) {
	k := mustKnee(t, Options{Seed: 2})
	g := k.Grid([3]float64{1.5, 1.5, 3})
	move := k.Motion([3]float64{10, 5, -8}, [3]float64{4, -6, 9})
	want, got := structures(t, k, g), structures(t, k.Moved(move), g.Moved(move))
	differ := 0
	for v := range want.Region {
		if want.Region[v] != got.Region[v] || want.Tissue[v] != got.Tissue[v] {
			differ++
		}
	}
	if differ > 0 {
		t.Errorf("%d voxels differ where knee and grid move alike", differ)
	}
	// The middle of the knee turns in place and is then shifted.
	for r, c := range move.Apply(k.centre) {
		if shift := [3]float64{4, -6, 9}[r]; math.Abs(c-k.centre[r]-shift) > 1e-9 {
			t.Errorf("axis %d: the middle moved by %v mm, want %v", r, c-k.centre[r], shift)
		}
	}
	back := compose(move.Inverse(), move)
	for r := range 3 {
		for c := range 3 {
			if want := volume.Identity().Rotation[r][c]; math.Abs(back.Rotation[r][c]-want) > 1e-12 {
				t.Errorf("inverse times motion: %v", back.Rotation)
			}
		}
	}
	u, p, h := k.Place(k.Position(11, -7, 5))
	if math.Abs(u-11)+math.Abs(p+7)+math.Abs(h-5) > 1e-9 {
		t.Errorf("place of a position: got %v, %v, %v, want 11, −7, 5", u, p, h)
	}
}

func TestStructuresOnAnyNumberOfProcessors(t *testing.T) {
	bytesOf := func() []byte {
		k := mustKnee(t, Options{Seed: 5})
		a := structures(t, k, k.Grid([3]float64{2, 2, 2}).Moved(k.Motion([3]float64{3, 4, 5}, [3]float64{})))
		out := slices.Concat(a.Tissue, a.Region, a.Compartment)
		for _, d := range a.Depth {
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(d))
		}
		return out
	}
	want := bytesOf()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if !bytes.Equal(bytesOf(), want) {
		t.Error("one processor: another anatomy")
	}
}

// Depth is the distance from the bone over the sum of the distances to bone and joint
// side, here by brute force on a lattice of 0.15 mm around places in the middle of plates.
func TestDepthIsARatioOfDistances(t *testing.T) {
	k := &Knee{Side: "R", person: &knee{size: 1, cartilage: 2.5, subcutaneous: 7, effusion: 2, patellaHeight: 31}}
	k.person.division = divide(k.person)
	k.axes = [3][3]float64{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}
	for name, from := range map[string][2][3]float64{ // a place in the bone, and a direction to the joint
		"medial condyle below": {{20, 10, 4}, {0, 0, -1}}, "lateral condyle behind": {{-18, 25, 22}, {0, 1, 0}},
		"trochlea": {{8, -30, 32}, {0, -1, 0}}, "patella": {{4, -38.5, 33}, {0, 1, 0}},
		"medial plateau": {{20, 12, -6}, {0, 0, 1}}, "lateral plateau": {{-20, -4, -6}, {0, 0, 1}},
	} {
		tried := 0
		for n := range 120 {
			var at [3]float64
			for r := range at {
				at[r] = from[0][r] + 0.1*float64(n)*from[1][r]
			}
			v := k.Voxel(at)
			if v.Compartment == 0 || n%8 != 0 {
				continue
			}
			tried++
			if bone, joint := bruteDistances(t, k, at); math.Abs(bone/(bone+joint)-v.Depth) > 0.06 { // a step in 2.5 mm
				t.Errorf("%s, %v: depth %.3f, distances %.2f and %.2f mm: %.3f", name, at, v.Depth, bone, joint, bone/(bone+joint))
			}
		}
		if tried < 3 {
			t.Errorf("%s: %d places in cartilage", name, tried)
		}
	}
}

// bruteDistances are the distances to the nearest bone, and to the nearest place that is
// neither bone nor of the same cartilage.
func bruteDistances(t *testing.T, k *Knee, at [3]float64) (bone, joint float64) {
	const half, step = 30, 0.15
	g := volume.Geometry{Size: [3]int{2*half + 1, 2*half + 1, 2*half + 1}}
	for r := range g.Affine {
		g.Affine[r][r], g.Affine[r][3] = step, at[r]-half*step
	}
	a := structures(t, k, g)
	own := a.Tissue[len(a.Tissue)/2]
	bone, joint = math.Inf(1), math.Inf(1)
	for v, tissue := range a.Tissue {
		i, j, n := v%g.Size[0], v/g.Size[0]%g.Size[1], v/g.SliceVoxels()
		d := step * math.Sqrt(square(float64(i-half))+square(float64(j-half))+square(float64(n-half)))
		switch {
		case tissue >= FemurBone:
			bone = min(bone, d)
		case tissue != own:
			joint = min(joint, d)
		}
	}
	return bone, joint
}
