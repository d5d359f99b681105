package volume

import (
	"math"
	"testing"
)

// A quarter turn about z and a shift, by hand: x becomes y.
func TestRigid(t *testing.T) {
	turn := Rigid{Rotation: [3][3]float64{{0, -1, 0}, {1, 0, 0}, {0, 0, 1}}, Shift: [3]float64{10, 20, 30}}
	if got, want := turn.Apply([3]float64{1, 2, 3}), ([3]float64{8, 21, 33}); got != want {
		t.Errorf("Apply = %v, want %v", got, want)
	}
	if got, want := turn.Inverse().Apply([3]float64{8, 21, 33}), ([3]float64{1, 2, 3}); got != want {
		t.Errorf("Inverse = %v, want %v", got, want)
	}
	p := [3]float64{1, 2, 3}
	if got, want := turn.Then(turn).Apply(p), turn.Apply(turn.Apply(p)); got != want {
		t.Errorf("Then = %v, want %v", got, want)
	}
	if got := Identity().Apply(p); got != p {
		t.Errorf("Identity moves %v to %v", p, got)
	}
	g := oblique()
	moved := g.Moved(turn)
	want := turn.Apply(g.Position(3, 2, 1))
	for r, got := range moved.Position(3, 2, 1) {
		if math.Abs(got-want[r]) > 1e-12 {
			t.Errorf("Moved: coordinate %d = %g, want %g", r, got, want[r])
		}
	}
}
