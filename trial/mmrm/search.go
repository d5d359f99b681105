package mmrm

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
)

const (
	// maxMatrices is the largest number of elements of the matrices Pⱼ, covariance parameters times
	// effects squared: 64 MB, which is needed twice. Heterogeneous compound symmetry of 100 visits in
	// two arms is below it, of 200 visits is not.
	maxMatrices = 1 << 23
	// maxWork is the largest number of multiplications per iteration for a structure with a variance for
	// each visit, which take a third of a second: heterogeneous compound symmetry of 50 visits and 24
	// patterns, or unstructured of 20 visits and 60 patterns. A fit takes 4 to 100 iterations.
	maxWork = 3e8
	// maxVisits is the largest number of visits for any structure: Σ then takes 8 MB.
	maxVisits = 1000
	// maxIterations ends a search that does not converge.
	maxIterations = 100
	// edge is the limit below which Σ counts as singular: of the part of a visit's variance that other
	// visits do not explain, and of a variance relative to that of the moments.
	edge = 1e-9
	// The Newton decrement gᵀH⁻¹g is the squared distance to the optimum in standard errors of θ. A
	// search ends below closeEnough, or below enough if rounding prevents a further decrease. Below near,
	// Newton steps are not shortened, since rounding hides their effect on −2ℓ.
	closeEnough = 1e-20
	enough      = 1e-12
	near        = 1e-8
)

// search minimises −2ℓ.
type search struct {
	*likelihood
	value      float64
	floor      []float64 // smallest variances
	step, next []float64
	hessian    []float64
	last       float64 // the decrement before the last step
}

// maximise finds the θ of the largest restricted likelihood, by Fisher scoring in the natural
// parameters, which takes one step if the moments are the solution, and then by Newton's method. Both
// halve the step until −2ℓ decreases and Σ is positive definite.
func maximise(p *problem, kind Covariance) (*search, error) {
	if err := p.feasible(kind); err != nil {
		return nil, err
	}
	moments, err := p.moments(kind)
	if err != nil {
		return nil, err
	}
	f := newLikelihood(p, kind)
	s := &search{likelihood: f, floor: make([]float64, p.visits)}
	for i := range s.floor {
		s.floor[i] = edge * moments[i*p.visits+i]
	}
	all := make([]float64, 2*f.q+f.q*f.q)
	s.step, s.next, s.hessian = all[:f.q:f.q], all[f.q:2*f.q:2*f.q], all[2*f.q:]
	var ok bool
	if s.value, ok = f.eval(f.shape.start(moments)); !ok {
		return nil, fmt.Errorf("%w: the starting value is not positive definite", ErrSingular)
	}
	for range maxIterations + 1 {
		f.derive()
		done, err := s.advance()
		if done || err != nil {
			return s, err
		}
	}
	return nil, fmt.Errorf("%w in %d iterations", ErrNotConverged, maxIterations)
}

// advance takes one step, or reports that the search is done.
func (s *search) advance() (done bool, err error) {
	decrement, newton, ok := s.direction()
	if !ok {
		return false, fmt.Errorf("%w: the information about it is singular", ErrSingular)
	}
	if newton && (decrement < closeEnough || decrement < enough && decrement > s.last/4) {
		return true, nil
	}
	s.last = decrement
	size := 1.0
	blocked := false
	for range 40 {
		copy(s.next, s.theta)
		floats.AddScaled(s.next, size, s.step)
		before := append(s.work[3][:0], s.theta...)
		value, ok := s.eval(s.next)
		// The decrease must be at least 1e-4 of that predicted by the slope (Armijo).
		if ok && (newton && decrement < near || value <= s.value-1e-4*size*decrement) {
			s.value = value
			return false, s.inside()
		}
		blocked = blocked || !ok
		s.eval(before)
		size /= 2
	}
	if blocked {
		return false, fmt.Errorf("%w: the best fit is on the boundary of the positive definite matrices", ErrSingular)
	}
	// The possible decrease is below the rounding error of −2ℓ.
	if newton && decrement < near {
		s.derive()
		return true, nil
	}
	return false, fmt.Errorf("%w: no step increases the likelihood", ErrNotConverged)
}

// direction sets the step: Newton's if the observed information is positive definite and the optimum is
// near, otherwise that of Fisher scoring. It returns gᵀH⁻¹g.
func (s *search) direction() (decrement float64, newton, ok bool) {
	try := func(information []float64) bool {
		copy(s.hessian, information)
		if _, pivot, ok := invert(s.hessian, s.scratch(), s.q); !ok || pivot < 1e-14 {
			return false
		}
		mulVec(s.step, s.hessian, s.gradient)
		decrement = floats.Dot(s.step, s.gradient)
		floats.Scale(-1, s.step)
		return true
	}
	if try(s.observed) && decrement < 1 {
		return decrement, true, true
	}
	ok = try(s.expected)
	return decrement, false, ok
}

// scratch returns room for q×q numbers.
func (s *search) scratch() []float64 {
	if k := s.q * s.q; k > len(s.work[0]) {
		s.work[0] = make([]float64, k)
	}
	return s.work[0]
}

// inside returns an error if Σ is close to singular.
func (s *search) inside() error {
	v := s.shape.visits
	for i, least := range s.floor {
		if s.sigma[i*v+i] < least {
			return fmt.Errorf("%w: the variance at %s approaches zero", ErrSingular, visitName(s.data.visitNames, i))
		}
	}
	if s.least < edge {
		return fmt.Errorf("%w: a correlation approaches its limit", ErrSingular)
	}
	return nil
}

// feasible returns an error if a structure cannot be fitted.
func (p *problem) feasible(kind Covariance) error {
	// Two visits of unequal variance are unstructured.
	if p.visits > 1 && (kind == Unstructured || kind == HeterogeneousCS && p.visits == 2) {
		if err := p.supportsUnstructured(); err != nil {
			return err
		}
	}
	if p.visits > maxVisits {
		return fmt.Errorf("%w: %d visits, more than the limit of %d", ErrSingular, p.visits, maxVisits)
	}
	q := structure{kind: kind, visits: p.visits}.params()
	if q*p.params*p.params > maxMatrices || (kind == Unstructured || kind == HeterogeneousCS) &&
		p.work(kind) > maxWork {
		return fmt.Errorf("%w: a fit of %d parameters, with %d effects and %d patterns of visits, would take too long",
			ErrSingular, q, p.params, len(p.patterns))
	}
	if p.visits == 1 {
		return nil
	}
	together := p.together()
	most := 0
	for i := range p.visits {
		for j := range i {
			n := together[i*p.visits+j]
			most = max(most, n)
			if kind == Unstructured && n < 2 {
				return fmt.Errorf("%w: %d subjects have both %s and %s", ErrSingular, n, visitName(p.visitNames, j),
					visitName(p.visitNames, i))
			}
		}
	}
	if most == 0 {
		return fmt.Errorf("%w: no subject has two visits", ErrSingular)
	}
	return nil
}

// work estimates the number of multiplications of an iteration; see likelihood.derive.
func (p *problem) work(kind Covariance) float64 {
	q, n := float64(structure{kind: kind, visits: p.visits}.params()), float64(p.params)
	work := q*n*n*n + q*q*n*n/2 + q*q*q/3
	for _, t := range p.patterns {
		m := float64(len(t.visits))
		if kind == Unstructured {
			work += q * 6 * m * m
		} else {
			work += q * 3 * m * m * m
		}
		for _, first := range t.rows {
			entries := float64(p.first[first+len(t.visits)] - p.first[first])
			work += q * entries * entries
		}
	}
	return work
}

// supportsUnstructured returns an error if there are not enough subjects for an unstructured Σ. With as
// many visits as subjects minus effects at a visit, some combination of visits can be fitted exactly,
// and the likelihood has no maximum.
func (p *problem) supportsUnstructured() error {
	if p.visits >= p.subjects {
		return fmt.Errorf("%w: %d subjects for %d visits", ErrSingular, p.subjects, p.visits)
	}
	visit := make([]int, len(p.y))
	for _, t := range p.patterns {
		for _, first := range t.rows {
			copy(visit[first:], t.visits)
		}
	}
	least := p.params
	gram := make([]float64, p.params*p.params)
	for v := range p.visits {
		clear(gram)
		p.gram(gram, func(row int) bool { return visit[row] == v })
		rank := 0
		for _, skip := range dependent(gram, p.params) {
			if !skip {
				rank++
			}
		}
		least = min(least, rank)
	}
	if p.subjects-least < p.visits {
		return fmt.Errorf("%w: %d subjects minus %d effects at a visit are %d, for %d visits",
			ErrSingular, p.subjects, least, p.subjects-least, p.visits)
	}
	return nil
}

// together counts the subjects with both of two visits.
func (p *problem) together() []int {
	out := make([]int, p.visits*p.visits)
	for _, t := range p.patterns {
		for _, a := range t.visits {
			for _, b := range t.visits {
				out[a*p.visits+b] += len(t.rows)
			}
		}
	}
	return out
}

// moments returns the mean products of the residuals of ordinary least squares, from which the search
// starts.
func (p *problem) moments(kind Covariance) ([]float64, error) {
	v := p.visits
	out := make([]float64, v*v)
	for _, t := range p.patterns {
		for _, first := range t.rows {
			for i, a := range t.visits {
				for j, b := range t.visits {
					out[a*v+b] += p.y[first+i] * p.y[first+j]
				}
			}
		}
	}
	for i, n := range p.together() {
		out[i] /= math.Max(1, float64(n))
	}
	for i := range v {
		// The mean of all is about 1 here.
		if out[i*v+i] > 1e-20 {
			continue
		}
		if kind == Unstructured || kind == HeterogeneousCS {
			return nil, fmt.Errorf("%w: nothing varies at %s", ErrSingular, visitName(p.visitNames, i))
		}
		out[i*v+i] = 1e-20
	}
	return out, nil
}
