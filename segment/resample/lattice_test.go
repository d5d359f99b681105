package resample

import (
	"math"
	"testing"
)

// p2 is the figure P₂ of a lattice, its squared worst-case error for periodic integrands (Sloan
// and Joe 1994): the mean of Π(1 + 2π²·B₂(x)) less 1, B₂ = x² − x + 1/6.
func p2(n, step int) float64 {
	sum := 0.0
	for k := range n {
		product, g := 1.0, 1
		for range 3 {
			x := float64(k*g%n) / float64(n)
			product *= 1 + 2*math.Pi*math.Pi*(x*x-x+1.0/6)
			g = g * step % n
		}
		sum += product
	}
	return sum/float64(n) - 1
}

// bestStep returns the odd step of least P₂; of a step and its mirror image n − step, the
// smaller one.
func bestStep(n int) int {
	best, least := 0, math.Inf(1)
	for step := 3; step < n/2; step += 2 {
		if e := p2(n, step); e < least {
			best, least = step, e
		}
	}
	return best
}

func TestLattice(t *testing.T) {
	if got := bestStep(latticeSize); got != latticeStep {
		t.Errorf(
			"the step of least P₂ is %d, not %d: P₂ %.4g and %.4g", got, latticeStep, p2(latticeSize, got),
			p2(latticeSize, latticeStep),
		)
	}
	cube := points(latticeSize, latticeStep)
	for a := range 3 {
		seen := make([]bool, latticeSize)
		for _, u := range cube {
			n := u[a]*latticeSize - 0.5
			if n != math.Trunc(n) || n < 0 || n >= latticeSize || seen[int(n)] {
				t.Fatalf(
					"axis %d: position %g is not one of %d in the middle of equal parts, each taken once", a, u[a],
					latticeSize,
				)
			}
			seen[int(n)] = true
		}
	}
	in := map[[3]float64]bool{}
	for _, u := range cube {
		in[u] = true
	}
	for _, u := range cube {
		if !in[[3]float64{1 - u[0], 1 - u[1], 1 - u[2]}] {
			t.Fatalf("the points are not symmetric about the centre: %v", u)
		}
	}
}
