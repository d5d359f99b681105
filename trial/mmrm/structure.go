package mmrm

import "math"

// entry is a number at (a, b) and (b, a) of a symmetric visits × visits matrix, a ≤ b.
type entry struct {
	a, b int
	v    float64
}

// structure is Σ as a function of its natural parameters θ:
//
//	Unstructured      the upper triangle, row by row
//	HeterogeneousCS   the variances, then ρ
//	AR1               σ², ρ
//	CompoundSymmetry  the covariance, then the variance minus the covariance
//
// The first and the last are linear in θ. SAS differentiates with respect to the same parameters for
// ddfm=kr; Kenward and Roger's adjusted errors depend on that choice.
type structure struct {
	kind   Covariance
	visits int
	place  []int // of each visit; nil: 0, 1, 2
}

// lag returns the distance between two visits, a ≤ b.
func (s structure) lag(a, b int) int {
	if s.place == nil {
		return b - a
	}
	return s.place[b] - s.place[a]
}

// params returns the number of parameters θ.
func (s structure) params() int {
	switch {
	case s.visits == 1:
		return 1
	case s.kind == Unstructured:
		return s.visits * (s.visits + 1) / 2
	case s.kind == HeterogeneousCS:
		return s.visits + 1
	}
	return 2
}

// linear reports whether second derivatives are zero.
func (s structure) linear() bool {
	return s.kind == Unstructured || s.kind == CompoundSymmetry || s.visits == 1
}

// sigma puts Σ(θ) into dst. For parameters outside their range, the matrix is not positive definite.
func (s structure) sigma(theta, dst []float64) {
	n, k := s.visits, 0
	for a := range n {
		for b := a; b < n; b++ {
			v := 0.0
			switch {
			case s.kind == Unstructured || n == 1:
				v = theta[k]
				k++
			case s.kind == HeterogeneousCS && a == b:
				v = theta[a]
			case s.kind == HeterogeneousCS:
				v = theta[n] * math.Sqrt(theta[a]*theta[b])
			case s.kind == AR1:
				v = theta[0] * power(theta[1], s.lag(a, b))
			case a == b:
				v = theta[0] + theta[1]
			default:
				v = theta[0]
			}
			dst[a*n+b], dst[b*n+a] = v, v
		}
	}
}

// power returns xᵏ for k ≥ 0, and 0 for negative k, which the derivatives multiply by 0.
func power(x float64, k int) float64 {
	if k < 0 {
		return 0
	}
	return math.Pow(x, float64(k))
}

// derivative appends ∂Σ/∂θj to dst.
func (s structure) derivative(theta []float64, j int, dst []entry) []entry {
	n := s.visits
	if s.kind == Unstructured || n == 1 {
		a := 0
		for j >= n-a {
			j -= n - a
			a++
		}
		return append(dst, entry{a, a + j, 1})
	}
	if s.kind == HeterogeneousCS && j < n {
		for b := range n {
			if b == j {
				dst = append(dst, entry{j, j, 1})
			} else {
				dst = append(dst, entry{min(j, b), max(j, b), theta[n] / 2 * math.Sqrt(theta[b]/theta[j])})
			}
		}
		return dst
	}
	for a := range n {
		for b := a; b < n; b++ {
			k, v := s.lag(a, b), 0.0
			switch {
			case s.kind == HeterogeneousCS && k > 0:
				v = math.Sqrt(theta[a] * theta[b])
			case s.kind == AR1 && j == 0:
				v = power(theta[1], k)
			case s.kind == AR1:
				v = theta[0] * float64(k) * power(theta[1], k-1)
			case s.kind == CompoundSymmetry && (j == 0 || k == 0):
				v = 1
			}
			if v != 0 {
				dst = append(dst, entry{a, b, v})
			}
		}
	}
	return dst
}

// second appends ∂²Σ/∂θj∂θk to dst.
func (s structure) second(theta []float64, j, k int, dst []entry) []entry {
	if s.linear() {
		return dst
	}
	if j > k {
		j, k = k, j
	}
	n := s.visits
	if s.kind == HeterogeneousCS {
		return s.secondHCS(theta, j, k, dst)
	}
	if k == 0 { // σ² twice
		return dst
	}
	for a := range n {
		for b := a + 1; b < n; b++ {
			apart := s.lag(a, b)
			lag := float64(apart)
			v := lag * power(theta[1], apart-1)
			if j == 1 {
				v = theta[0] * lag * (lag - 1) * power(theta[1], apart-2)
			}
			dst = append(dst, entry{a, b, v})
		}
	}
	return dst
}

func (s structure) secondHCS(theta []float64, j, k int, dst []entry) []entry {
	n := s.visits
	rho := theta[n]
	switch {
	case j == n: // ρ twice
		return dst
	case k < n && j != k:
		return append(dst, entry{j, k, rho / 4 / math.Sqrt(theta[j]*theta[k])})
	}
	for b := range n {
		if b == j {
			continue
		}
		v := math.Sqrt(theta[b]/theta[j]) / 2
		if k == j {
			v *= -rho / 2 / theta[j]
		}
		dst = append(dst, entry{min(j, b), max(j, b), v})
	}
	return dst
}

// start returns a θ inside its range from a matrix of moments with a positive diagonal, which it
// modifies.
func (s structure) start(moments []float64) []float64 {
	n := s.visits
	theta := make([]float64, 0, s.params())
	if s.kind == Unstructured || n == 1 {
		// Moments over different subjects need not be positive definite: shrink the covariances until
		// the matrix is clearly positive definite.
		work := make([]float64, n*n)
		for {
			if _, pivot, ok := cholesky(moments, work, n); ok && pivot > 1e-3 {
				break
			}
			for i := range moments {
				if i%(n+1) != 0 {
					moments[i] *= 0.9
				}
			}
		}
		for a := range n {
			theta = append(theta, moments[a*n+a:a*n+n]...)
		}
		return theta
	}
	variance, rho, neighbours := 0.0, 0.0, 0.0
	for a := range n {
		variance += moments[a*n+a] / float64(n)
		for b := range a {
			r := moments[a*n+b] / math.Sqrt(moments[a*n+a]*moments[b*n+b])
			rho += r / float64(n*(n-1)/2)
			if b == a-1 {
				neighbours += r / float64(n-1)
			}
		}
	}
	// Σ is positive definite for ρ > −1/(n − 1).
	rho = min(max(rho, -0.9/float64(n-1)), 0.95)
	switch s.kind {
	case HeterogeneousCS:
		for a := range n {
			theta = append(theta, moments[a*n+a])
		}
		return append(theta, rho)
	case AR1:
		return append(theta, variance, min(max(neighbours, -0.95), 0.95))
	}
	return append(theta, variance*rho, variance*(1-rho))
}
