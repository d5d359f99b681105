package register

import (
	"math"
	"testing"

	"github.com/t2map/t2map/volume"
)

// Mutual information by hand: an image of two values in equal parts has log 2 with itself, and 0
// with an image that is independent of it.
func TestMutualInformation(t *testing.T) {
	grid := volume.Geometry{Size: [3]int{64, 64, 64}, Affine: [3][4]float64{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}}}
	half := func(axis int) volume.Map {
		m := volume.Map{Geometry: grid, Data: make([]float32, grid.Voxels())}
		for v := range m.Data {
			if [3]int{v % 64, v / 64 % 64, v / 64 / 64}[axis] >= 32 {
				m.Data[v] = 1
			}
		}
		return m
	}
	for _, c := range []struct {
		moving    int
		want, tol float64
	}{
		{0, math.Log(2), 0.12}, // points between the halves, 1 of 63, fall in bins of their own
		{1, 0, 0.01},
	} {
		p, err := prepare(half(0), half(c.moving), quick.fill())
		if err != nil {
			t.Fatal(err)
		}
		before, after, overlap := p.mutualInformation(volume.Identity())
		if math.Abs(before-c.want) > c.tol || before != after || overlap < 0.999 {
			t.Errorf("axis %d: %g, %g, overlap %g; want %g", c.moving, before, after, overlap, c.want)
		}
	}
	// After a shift by half of the field, the moving image covers half of it.
	p, err := prepare(half(0), half(0), quick.fill())
	if err != nil {
		t.Fatal(err)
	}
	aside := volume.Identity()
	aside.Shift[1] = 31.5
	if _, _, overlap := p.mutualInformation(aside); math.Abs(overlap-0.5) > 0.01 {
		t.Errorf("overlap %g, want 0.5", overlap)
	}
}

// A linear function of the position is resampled exactly: at p, the value at t.Apply(p).
func TestResampled(t *testing.T) {
	value := func(p [3]float64) float64 { return 100 + 2*p[0] - 3*p[1] + 0.5*p[2] }
	moving := ball([3]int{30, 32, 12}, [3]float64{1, 1.1, 3})
	for v := range moving.Data {
		moving.Data[v] = float32(value(moving.Position(float64(v%30), float64(v/30%32), float64(v/30/32))))
	}
	grid := ball([3]int{25, 20, 9}, [3]float64{1.3, 0.9, 2}).Geometry
	grid = grid.Moved(rotationAbout([3]float64{}, [3]float64{1, 2, 3}, 20, [3]float64{1, 0, 2}))
	move := rotationAbout([3]float64{3, 0, 0}, [3]float64{0, 1, 1}, 8, [3]float64{-2, 3, 1})
	got := Resampled(moving, grid, move)
	outside := 0
	for v, g := range got.Data {
		p := move.Apply(grid.Position(float64(v%25), float64(v/25%20), float64(v/25/20)))
		inverse, _ := moving.Inverse()
		coordinates := index(inverse, p)
		in := true
		for c, x := range coordinates {
			in = in && x > 0 && x < float64(moving.Size[c]-1)
		}
		switch {
		case in && math.Abs(float64(g)-value(p)) > 1e-3:
			t.Fatalf("voxel %d: %g, want %g", v, g, value(p))
		case !in && g != g:
			outside++
		}
	}
	if outside == 0 || outside == len(got.Data) {
		t.Errorf("%d of %d voxels are outside", outside, len(got.Data))
	}
	// On its own grid, an image is unchanged, even next to NaN.
	moving.Data[5000] = float32(math.NaN())
	for v, g := range Resampled(moving, moving.Geometry, volume.Identity()).Data {
		if g != moving.Data[v] && (v != 5000 || g == g) && math.Abs(float64(g-moving.Data[v])) > 1e-3 {
			t.Fatalf("voxel %d: %g, was %g", v, g, moving.Data[v])
		}
	}
	// A single slice has values for half a voxel on both sides.
	one := ball([3]int{4, 4, 1}, [3]float64{1, 1, 3})
	for shift, want := range map[float64]bool{1.4: true, -1.4: true, 1.6: false} {
		up := volume.Identity()
		up.Shift[2] = shift
		if got := Resampled(one, one.Geometry, up).Data[5]; (got == got) != want {
			t.Errorf("%g mm beside a single slice: %g", shift, got)
		}
	}
}

// ITK's order of Euler angles: R = Rz·Rx·Ry.
func TestEuler(t *testing.T) {
	a, b, c := 0.3, -0.2, 0.5
	x := rotationAbout([3]float64{}, [3]float64{1, 0, 0}, a*180/math.Pi, [3]float64{})
	y := rotationAbout([3]float64{}, [3]float64{0, 1, 0}, b*180/math.Pi, [3]float64{})
	z := rotationAbout([3]float64{}, [3]float64{0, 0, 1}, c*180/math.Pi, [3]float64{})
	got := euler{angles: [3]float64{a, b, c}}.rigid()
	want := y.Then(x).Then(z)
	for r := range 3 {
		for k := range 3 {
			if math.Abs(got.Rotation[r][k]-want.Rotation[r][k]) > 1e-11 {
				t.Errorf("%v, want %v", got.Rotation, want.Rotation)
			}
		}
	}
	for _, degrees := range []float64{0, 1e-4, 15, 90, 179} {
		turn := rotationAbout([3]float64{5, 6, 7}, [3]float64{3, -1, 2}, degrees, [3]float64{1, 2, 3})
		if got := angle(turn); math.Abs(got-degrees) > 1e-6 {
			t.Errorf("angle %g, want %g", got, degrees)
		}
		if back := turn.Then(turn.Inverse()); angle(back) > 1e-6 ||
			distance(back.Apply([3]float64{9, 9, 9}), [3]float64{9, 9, 9}) > 1e-8 {
			t.Errorf("a transform and its inverse: %v", back)
		}
	}
}

func TestAround(t *testing.T) {
	l := volume.Labels{Geometry: ball([3]int{10, 12, 8}, [3]float64{1, 2, 3}).Geometry}
	l.Data = make([]uint16, l.Voxels())
	if got := BoundingBox(l, 5); !got.isZero() {
		t.Errorf("no labels: %v", got)
	}
	l.Data[3+10*(4+12*2)], l.Data[6+10*(5+12*2)] = 1, 7
	low, high := l.Position(2.5, 3.5, 1.5), l.Position(6.5, 5.5, 2.5)
	got := BoundingBox(l, 5)
	for r := range 3 {
		if math.Abs(got.Min[r]-low[r]+5) > 1e-9 || math.Abs(got.Max[r]-high[r]-5) > 1e-9 {
			t.Errorf("got %v, want %v to %v and 5 mm", got, low, high)
		}
	}
	// The box selects the same voxels.
	if s, ok := spanOf(l.Geometry, BoundingBox(l, 0).corners()); !ok || s != (span{[3]int{3, 4, 2}, [3]int{6, 5, 2}}) {
		t.Errorf("voxels %v, %v", s, ok)
	}
}
