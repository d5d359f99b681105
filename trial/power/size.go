package power

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

const (
	// fewest is the smallest arm that is tried: one subject has no variance.
	fewest = 2
	// most is the largest: 2000 trials of it take a minute or two.
	most = 2000
)

// Size is the smallest arm that reaches a power, and what was drawn to find it.
type Size struct {
	// PerArm is 0 where not even the largest arm that is tried reaches it.
	PerArm int
	// Tried is in ascending order of size.
	Tried []Result
}

// Smallest searches the smallest arm whose estimated power is at least target: from the size
// by the normal approximation outwards until the target is bracketed, then by
// bisection, all on common random numbers. Sizes are from 2 to 2000 per arm.
func Smallest(ctx context.Context, s Scenario, target float64, d Draw) (Size, error) {
	s, err := s.checked()
	if err != nil {
		return Size{}, err
	}
	if !(target > 0 && target < 1) {
		return Size{}, fmt.Errorf("a power of %g is not between 0 and 1", target)
	}
	if s.Difference == 0 {
		return Size{}, fmt.Errorf("no size finds a difference of 0")
	}
	var out Size
	reaches := func(n int) (bool, error) {
		r, err := Simulate(ctx, s, n, d)
		if err != nil {
			return false, err
		}
		out.Tried = append(out.Tried, r)
		return float64(r.Rejected) >= target*float64(r.Simulations), nil
	}
	low, high, err := s.bracket(target, reaches)
	if err != nil {
		return Size{}, err
	}
	for high <= most && high-low > 1 {
		middle := (low + high) / 2
		ok, err := reaches(middle)
		if err != nil {
			return Size{}, err
		}
		if ok {
			high = middle
		} else {
			low = middle
		}
	}
	if high <= most {
		out.PerArm = high
	}
	slices.SortFunc(out.Tried, func(a, b Result) int { return a.PerArm - b.PerArm })
	return out, nil
}

// bracket returns a size that does not reach the target (or fewest − 1) and one that does
// (or most + 1).
func (s Scenario) bracket(target float64, reaches func(int) (bool, error)) (low, high int, err error) {
	n := int(math.Min(math.Max(s.approximate(target), fewest), most))
	ok, err := reaches(n)
	if err != nil {
		return 0, 0, err
	}
	low, high = fewest-1, most+1
	for step := max(1, n/16); ; step *= 2 {
		next := n + step
		if ok {
			high = n
			next = n - step
		} else {
			low = n
		}
		next = min(max(next, fewest), most)
		if next >= high || next <= low {
			return low, high, nil
		}
		was := ok
		if ok, err = reaches(next); err != nil {
			return 0, 0, err
		}
		n = next
		if ok != was {
			if ok {
				high = n
			} else {
				low = n
			}
			return low, high, nil
		}
	}
}

// approximate is the size by the normal approximation,
//
//	n = 2σ²(z(1−α/2) + z(power))²/Δ², over the share of subjects seen at the visit.
func (s Scenario) approximate(target float64) float64 {
	z := distuv.UnitNormal.Quantile(1-s.Alpha/2) + distuv.UnitNormal.Quantile(target)
	seen, total := 0.0, 0.0
	for _, p := range s.Patterns {
		total += p.Weight
		if p.Present[s.Primary] {
			seen += p.Weight
		}
	}
	return math.Ceil(2 * s.Sigma.At(s.Primary, s.Primary) * z * z / (s.Difference * s.Difference) * total / seen)
}
