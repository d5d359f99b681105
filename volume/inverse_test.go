package volume

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The inverse maps every position back to its index, on grids that are oblique, flat or far away.
func TestInverse(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 1000 {
		g := Geometry{Size: [3]int{9, 8, 7}}
		for i := range g.Affine {
			for j := range g.Affine[i] {
				g.Affine[i][j] = r.NormFloat64()
			}
			g.Affine[i][i] += 3
			g.Affine[i][3] *= 300
		}
		inv, ok := g.Inverse()
		if !ok {
			t.Fatalf("no inverse of %v", g.Affine)
		}
		want := [3]float64{9 * r.Float64(), 8 * r.Float64(), 7 * r.Float64()}
		p := g.Position(want[0], want[1], want[2])
		for d, a := range inv {
			// Condition numbers are below 100, positions below 1000.
			if got := a[0]*p[0] + a[1]*p[1] + a[2]*p[2] + a[3]; math.Abs(got-want[d]) > 1e-9 {
				t.Fatalf("index %d: got %g, want %g", d, got, want[d])
			}
		}
	}
	flat := Geometry{Affine: [3][4]float64{{1, 2}, {2, 4}, {0, 0, 1}}}
	if _, ok := flat.Inverse(); ok {
		t.Error("a flat grid has an inverse")
	}
	if _, ok := (Geometry{Affine: [3][4]float64{{math.NaN()}, {0, 1}, {0, 0, 1}}}).Inverse(); ok {
		t.Error("a grid that is not a number has an inverse")
	}
}

func TestTolerance(t *testing.T) {
	for _, c := range []struct{ spacing, want float64 }{{0.6, 0.1}, {3, 0.1}, {0.15, 0.05}} {
		g := Geometry{Affine: [3][4]float64{{c.spacing}, {0, 1}, {0, 0, 4}}}
		if got := g.Tolerance(); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("spacing %g: tolerance %g, want %g", c.spacing, got, c.want)
		}
	}
}
