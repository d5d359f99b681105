package power

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

const (
	// minPerArm is the smallest size of an arm: one subject has no variance.
	minPerArm = 2
	// maxPerArm is the largest: 2000 trials of this size take one or two minutes.
	maxPerArm = 2000
)

// Size is the result of Smallest: the size of an arm and the simulations that led to it.
type Size struct {
	// PerArm is 0 if the largest size does not reach the power.
	PerArm int
	// Tried are the simulations in ascending order of size.
	Tried []Result
}

// Smallest searches for the smallest size from 2 to 2000 per arm whose estimated power for one contrast
// (Result.Power) is at least target. It starts
// at the size by the normal approximation, moves outwards until the answer lies between two sizes, and then bisects.
// Sizes are compared on common random numbers.
func Smallest(ctx context.Context, s Scenario, target float64, d Draw) (Size, error) {
	s, err := s.checked()
	if err != nil {
		return Size{}, err
	}
	if !(target > 0 && target < 1) {
		return Size{}, fmt.Errorf("a power of %g is not between 0 and 1", target)
	}
	if s.Difference == 0 {
		return Size{}, errors.New("the difference is 0, which no size can find")
	}
	var out Size
	low, high := minPerArm-1, maxPerArm+1 // low does not reach the target, and high does
	n := int(math.Min(math.Max(s.approximate(target), minPerArm), maxPerArm))
	for step := max(1, n/16); high-low > 1; {
		r, err := Simulate(ctx, s, n, d)
		if err != nil {
			return Size{}, err
		}
		out.Tried = append(out.Tried, r)
		outwards := step
		if float64(r.Rejected) >= target*float64(r.Simulations) {
			high, outwards = n, -step
		} else {
			low = n
		}
		if low < minPerArm || high > maxPerArm {
			n, step = min(max(n+outwards, minPerArm), maxPerArm), 2*step
		} else {
			n = (low + high) / 2
		}
	}
	if high <= maxPerArm {
		out.PerArm = high
	}
	slices.SortFunc(out.Tried, func(a, b Result) int { return a.PerArm - b.PerArm })
	return out, nil
}

// approximate returns the size by the normal approximation,
//
//	n = 2σ²(z(1−α/2m) + z(power))²/(Δ²·f)
//
// where f is the share of subjects who have the last tested visit, and m the number of primary contrasts.
func (s Scenario) approximate(target float64) float64 {
	z := distuv.UnitNormal.Quantile(1-s.Alpha/2/float64(s.Contrasts())) + distuv.UnitNormal.Quantile(target)
	last := slices.Max(s.Primary[0])
	seen, total := 0.0, 0.0
	for _, p := range s.Patterns {
		total += p.Weight
		if p.Present[last] {
			seen += p.Weight
		}
	}
	return math.Ceil(2 * s.Sigma.At(last, last) * z * z / (s.Difference * s.Difference) * total / seen)
}
