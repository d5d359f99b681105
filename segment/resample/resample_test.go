package resample

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/t2map/t2map/volume"
)

// turned returns a rotation by the angles in degrees about x, then y, then z.
func turned(x, y, z float64) [3][3]float64 {
	out := volume.Identity().Rotation
	for a, degrees := range [3]float64{x, y, z} {
		s, c := math.Sincos(degrees * math.Pi / 180)
		p, q := (a+1)%3, (a+2)%3
		for col := range 3 {
			u, v := out[p][col], out[q][col]
			out[p][col], out[q][col] = float64(c*u)-float64(s*v), float64(s*u)+float64(c*v)
		}
	}
	return out
}

// grid is centred at a position, its axes along the columns of a rotation.
func grid(size [3]int, spacing [3]float64, rotation [3][3]float64, centre [3]float64) volume.Geometry {
	g := volume.Geometry{Size: size}
	for r := range 3 {
		g.Affine[r][3] = centre[r]
		for c := range 3 {
			g.Affine[r][c] = float64(rotation[r][c] * spacing[c])
			g.Affine[r][3] -= float64(g.Affine[r][c] * float64(size[c]-1) / 2)
		}
	}
	return g
}

// painted labels the voxels of g whose centre is in a shape.
func painted(g volume.Geometry, label func(p [3]float64) uint16) volume.Labels {
	l := volume.Labels{Geometry: g, Data: make([]uint16, g.Voxels())}
	v := 0
	for k := range g.Size[2] {
		for j := range g.Size[1] {
			for i := range g.Size[0] {
				l.Data[v] = label(g.Position(float64(i), float64(j), float64(k)))
				v++
			}
		}
	}
	return l
}

// ellipsoid returns label 1 in an ellipsoid with these semi-axes, turned.
func ellipsoid(centre, axes [3]float64, rotation [3][3]float64) func([3]float64) uint16 {
	return func(p [3]float64) uint16 {
		sum := 0.0
		for c := range 3 {
			x := 0.0
			for r := range 3 {
				x += rotation[r][c] * (p[r] - centre[r])
			}
			sum += x * x / (axes[c] * axes[c])
		}
		if sum <= 1 {
			return 1
		}
		return 0
	}
}

func mustOnto(t *testing.T, mask volume.Labels, series volume.Geometry, o Options) Fractions {
	t.Helper()
	f, err := ComputeFractions(context.Background(), mask, series, o)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// full returns the fractions of a label in every voxel.
func full(f Fractions, label uint16) []float64 {
	out := make([]float64, f.Geometry.Voxels())
	for n, voxel := range f.Voxels {
		for e := f.Start[n]; e < f.Start[n+1]; e++ {
			if f.Label[e] == label {
				out[voxel] = float64(f.Fraction[e])
			}
		}
	}
	return out
}

// farthest returns the largest difference of two arrays.
func farthest(t *testing.T, a, b []float64) float64 {
	t.Helper()
	if len(a) != len(b) {
		t.Fatalf("%d and %d voxels", len(a), len(b))
	}
	d := 0.0
	for v := range a {
		d = max(d, math.Abs(a[v]-b[v]))
	}
	return d
}

// The volume of spheres and ellipsoids is right within 1 % and their centroid within 0.1
// voxels of the series, on oblique grids of thick slices, with gaps and without.
func TestEllipsoids(t *testing.T) {
	bent := turned(20, -35, 50)
	for _, c := range []struct {
		name              string
		axes              [3]float64
		shape             [3][3]float64
		spacing           [3]float64
		series, mask      [3][3]float64
		thickness, finest float64
	}{
		{"sphere", [3]float64{15, 15, 15}, bent, [3]float64{0.5, 0.5, 3}, turned(10, 85, 4), turned(0, 0, 0), 0, 0.5},
		{"sphere, gaps", [3]float64{15, 15, 15}, bent, [3]float64{0.5, 0.5, 3.5}, turned(10, 85, 4),
			turned(-8, 90, 0), 3, 0.5},
		{"ellipsoid", [3]float64{9, 14, 18}, bent, [3]float64{0.4, 0.7, 3}, turned(-25, 70, 30), turned(3, 88, 2), 0, 0.4},
		{"ellipsoid, gaps", [3]float64{9, 14, 18}, bent, [3]float64{0.4, 0.4, 4}, turned(-25, 70, 30),
			turned(3, 88, 2), 3, 0.4},
		{"finer than the mask", [3]float64{9, 14, 18}, bent, [3]float64{0.3, 0.3, 1}, turned(5, 40, 30),
			turned(3, 88, 2), 0, 0.6},
		{"axial slices", [3]float64{10, 10, 14}, turned(0, 0, 0), [3]float64{0.6, 0.6, 4}, turned(0, 0, 0),
			turned(3, 88, 2), 0, 0.4},
	} {
		centre := [3]float64{-71.3, 12.1, 33.7}
		g := grid([3]int{96, 96, 16}, c.spacing, c.series, [3]float64{-70, 13, 33})
		for a, n := range [3]float64{48, 48, 48} { // the shape and some more
			g.Size[a] = int(n / c.spacing[a])
		}
		g = grid(g.Size, c.spacing, c.series, [3]float64{-70, 13, 33})
		fine := grid(
			[3]int{int(44 / c.finest), int(44 / c.finest), 63}, [3]float64{c.finest, c.finest, 0.7}, c.mask,
			[3]float64{-72, 11, 34},
		)
		f := mustOnto(t, painted(fine, ellipsoid(centre, c.axes, c.shape)), g, Options{ThicknessMM: c.thickness})
		sum, moment := 0.0, [3]float64{}
		for v, x := range full(f, 1) {
			i, j, k := v%g.Size[0], v/g.Size[0]%g.Size[1], v/g.SliceVoxels()
			sum += x
			for r, p := range g.Position(float64(i), float64(j), float64(k)) {
				moment[r] += x * (p - centre[r])
			}
		}
		want := 4 * math.Pi / 3 * c.axes[0] * c.axes[1] * c.axes[2]
		excess := sum*g.VoxelVolume()/want - 1
		inv, _ := g.Inverse()
		shift := 0.0
		for a := range 3 { // in voxels
			x := (inv[a][0]*moment[0] + inv[a][1]*moment[1] + inv[a][2]*moment[2]) / sum
			shift = max(shift, math.Abs(x))
		}
		if math.Abs(excess) > 0.01 || shift > 0.1 {
			t.Errorf("%s: volume %+.2f %%, centroid %.3f voxels off", c.name, 100*excess, shift)
		}
		t.Logf("%s: volume %+.3f %%, centroid %.4f voxels off", c.name, 100*excess, shift)
		assigned, err := f.Assign(0, nil)
		if err != nil || math.Abs(assigned.Means[0].VolumeMM3/want-1) > 0.01 {
			t.Errorf("%s: Assign says %+v, %v", c.name, assigned.Means, err)
		}
	}
}

// noise gives every voxel a label from 0 to 6 at random.
func noise(g volume.Geometry, seed uint64) volume.Labels {
	r := rand.New(rand.NewPCG(seed, 1))
	l := volume.Labels{Geometry: g, Data: make([]uint16, g.Voxels())}
	for v := range l.Data {
		l.Data[v] = uint16(r.IntN(7)) * 1000
	}
	return l
}

// naive counts the points of every voxel one by one, in patient space.
func naive(mask volume.Labels, g volume.Geometry, thickness float64, move volume.Rigid) map[[2]uint32]float32 {
	out := map[[2]uint32]float32{}
	inv, _ := mask.Inverse()
	normal, _ := normalOf(g)
	cube := points(latticeSize, latticeStep)
	for v := range g.Voxels() {
		i, j, k := v%g.Size[0], v/g.Size[0]%g.Size[1], v/g.SliceVoxels()
		for _, u := range cube {
			p := g.Position(float64(i)+u[0]-0.5, float64(j)+u[1]-0.5, float64(k))
			for r := range p {
				p[r] += normal[r] * thickness * (u[2] - 0.5)
			}
			p = move.Apply(p)
			index, inside := [3]int{}, true
			for a := range 3 {
				index[a] = int(math.Floor(inv[a][0]*p[0] + inv[a][1]*p[1] + inv[a][2]*p[2] + inv[a][3] + 0.5))
				inside = inside && index[a] >= 0 && index[a] < mask.Size[a]
			}
			if inside {
				if label := mask.Data[index[0]+mask.Size[0]*(index[1]+mask.Size[1]*index[2])]; label != 0 {
					out[[2]uint32{uint32(v), uint32(label)}] += 1.0 / latticeSize
				}
			}
		}
	}
	return out
}

// All shortcuts together give what counting the points one by one gives, for masks of noise
// that the series covers in part, with many labels in a voxel. The
// positions differ by 2^−12 voxels of the mask, which moves some of 1024 points.
func TestAgainstNaive(t *testing.T) {
	const allowed = 6.0 / 1024
	for n, c := range []struct {
		mask, series     [3]int
		spacing, coarser [3]float64
		thickness        float64
	}{
		{[3]int{20, 17, 11}, [3]int{14, 9, 5}, [3]float64{0.5, 0.6, 0.9}, [3]float64{0.7, 0.7, 3}, 2.5},
		{[3]int{20, 17, 11}, [3]int{20, 21, 9}, [3]float64{0.5, 0.6, 0.9}, [3]float64{0.3, 0.4, 0.7}, 0.5},
		{[3]int{9, 8, 1}, [3]int{12, 12, 2}, [3]float64{1, 1, 5}, [3]float64{0.9, 0.8, 4}, 6},
		{[3]int{5, 40, 30}, [3]int{6, 6, 6}, [3]float64{3, 0.3, 0.3}, [3]float64{2.5, 2.4, 2.2}, 2.2},
		{[3]int{1, 1, 1}, [3]int{8, 7, 6}, [3]float64{3, 3, 3}, [3]float64{0.8, 0.8, 1}, 0.5},
	} {
		for seed := range uint64(3) {
			r := rand.New(rand.NewPCG(uint64(n), seed))
			angle := func() float64 { return 360 * r.Float64() }
			mask := noise(grid(c.mask, c.spacing, turned(angle(), angle(), angle()), [3]float64{1, 2, 3}), seed)
			mask.Data[0] = 1000 // one at least
			g := grid(c.series, c.coarser, turned(angle(), angle(), angle()), [3]float64{})
			move := volume.Rigid{Rotation: turned(angle(), angle(), angle()), Shift: [3]float64{1.5, 2.5, 3.5}}
			f := mustOnto(t, mask, g, Options{ThicknessMM: c.thickness, Transform: &move, LeastCovered: AnyCover})
			got, want := dense(f), naive(mask, g, c.thickness, move)
			worst := 0.0
			for key := range want {
				worst = max(worst, math.Abs(float64(got[key]-want[key])))
			}
			for key := range got {
				worst = max(worst, math.Abs(float64(got[key]-want[key])))
			}
			if worst > allowed || len(want) == 0 {
				t.Errorf("case %d, seed %d: fractions differ by up to %.4f of %d", n, seed, worst, len(want))
			}
			check(t, f)
		}
	}
}

// check checks the order of the lists.
func check(t *testing.T, f Fractions) {
	t.Helper()
	if len(f.Start) != len(f.Voxels)+1 || int(f.Start[len(f.Voxels)]) != len(f.Label) ||
		len(f.Label) != len(f.Fraction) {
		t.Fatalf(
			"%d voxels, %d starts, %d labels, %d fractions", len(f.Voxels), len(f.Start), len(f.Label),
			len(f.Fraction),
		)
	}
	for n, voxel := range f.Voxels {
		sum := float32(0)
		for e := f.Start[n]; e < f.Start[n+1]; e++ {
			sum += f.Fraction[e]
			if f.Fraction[e] <= 0 || e > f.Start[n] && f.Label[e] <= f.Label[e-1] {
				t.Fatalf("voxel %d: entry %d: label %d, fraction %g", voxel, e, f.Label[e], f.Fraction[e])
			}
		}
		if sum > 1 || f.Start[n] == f.Start[n+1] || n > 0 && voxel <= f.Voxels[n-1] {
			t.Fatalf("voxel %d: fractions sum to %g", voxel, sum)
		}
	}
}

// The same bytes come out for any number of workers, and on every machine.
func TestDeterministic(t *testing.T) {
	g := grid([3]int{60, 60, 9}, [3]float64{0.5, 0.5, 3}, turned(10, 80, 3), [3]float64{})
	mask := painted(
		grid([3]int{50, 50, 40}, [3]float64{0.5, 0.5, 0.7}, turned(2, 90, 0), [3]float64{}),
		func(p [3]float64) uint16 {
			if math.Hypot(p[0], p[1]) > 8 || math.Abs(p[2]) > 8 {
				return 0
			}
			return uint16(1 + int(p[2]+8)/4)
		},
	)
	want := mustOnto(t, mask, g, Options{ThicknessMM: 2.5, Workers: 1})
	for _, workers := range []int{2, 3, 16} {
		if got := mustOnto(t, mask, g, Options{ThicknessMM: 2.5, Workers: workers}); !reflect.DeepEqual(got, want) {
			t.Errorf("%d workers give something else", workers)
		}
	}
	h := sha256.New()
	for _, list := range []any{want.Voxels, want.Start, want.Label, want.Fraction} {
		if err := binary.Write(h, binary.LittleEndian, list); err != nil {
			t.Fatal(err)
		}
	}
	if got := fmt.Sprintf("%x", h.Sum(nil))[:16]; got != "6f64776c2a47f17e" {
		t.Errorf("the fractions have the hash %s", got)
	}
}
