package mmrm

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Why there is no model. The error that wraps one of these says more, in words.
var (
	// ErrData: rows that are no repeated measures: lengths that differ, numbers that
	// are not finite, a subject twice at one visit, gaps in the counting.
	ErrData = errors.New("no repeated measures")
	// ErrRank: the columns of X depend on each other, or there are no more rows than columns.
	ErrRank = errors.New("the effects cannot be told apart")
	// ErrSingular: the data cannot carry the covariance: nothing varies, too few
	// subjects for the structure, visits that no subject has both, or a best fit on
	// the edge of the positive definite matrices.
	ErrSingular = errors.New("the covariance cannot be estimated")
	// ErrNotConverged: the search for the maximum of the likelihood did not end.
	ErrNotConverged = errors.New("did not converge")
)

// Options of a fit. The zero value is the default.
type Options struct {
	// Covariance is the structure; default: Unstructured.
	Covariance Covariance
	// DF is how degrees of freedom are had; default: KenwardRoger.
	DF DF
	// Level of the confidence intervals; default: 0.95.
	Level float64
	// MaxIterations of the search; default: 100.
	MaxIterations int
}

// Model is a fitted model.
type Model struct {
	// Covariance is the structure that was fitted, DF how degrees of freedom are had.
	Covariance Covariance
	DF         DF
	// Subjects and Observations that are in it.
	Subjects, Observations int
	// Beta are the fixed effects, in the order of the columns of X.
	Beta []float64
	// Cov is their covariance (XᵀV⁻¹X)⁻¹ at the estimated Σ; Adjusted is that of
	// Kenward and Roger, which is larger for small samples; nil for Satterthwaite.
	Cov, Adjusted *mat.SymDense
	// Sigma is the estimated covariance of one subject's visits, visits × visits.
	Sigma *mat.SymDense
	// LogLik is the restricted log-likelihood with its constants, as R's nlme::gls
	// has it: −½[(n−p)·log 2π + log|V| + log|XᵀV⁻¹X| + rᵀV⁻¹r].
	LogLik float64
	// Iterations of the search.
	Iterations int

	level float64
	back  transform
	// In inner units: β, Φ, the covariance that standard errors come from, the Pⱼ one
	// after the other, and the covariance of θ.
	beta, phi, errors, p, theta []float64
}

// Fit fits one structure by restricted maximum likelihood. Of data with one visit
// all structures are the same: a variance. Errors wrap ErrData, ErrRank, ErrSingular or
// ErrNotConverged.
func Fit(d Data, o Options) (*Model, error) {
	p, err := prepare(d)
	if err != nil {
		return nil, err
	}
	return fit(p, o)
}

// FitFirst fits the first structure that the data carry, from o.Covariance on, in the
// order Unstructured, HeterogeneousCS, AR1, CompoundSymmetry. The strings say which
// were left, and why: "unstructured: …". Errors of the data themselves (ErrData,
// ErrRank) end the search; where every structure was left, the error is the last one's.
func FitFirst(d Data, o Options) (*Model, []string, error) {
	p, err := prepare(d)
	if err != nil {
		return nil, nil, err
	}
	var left []string
	for ; ; o.Covariance++ {
		m, err := fit(p, o)
		if err == nil {
			return m, left, nil
		}
		left = append(left, fmt.Sprintf("%v: %v", o.Covariance, err))
		if o.Covariance >= CompoundSymmetry {
			return nil, left, err
		}
	}
}

func fit(p *problem, o Options) (*Model, error) {
	if o.Level == 0 {
		o.Level = 0.95
	}
	if o.MaxIterations == 0 {
		o.MaxIterations = 100
	}
	if o.Covariance < Unstructured || o.Covariance > CompoundSymmetry || o.DF < KenwardRoger || o.DF > Satterthwaite ||
		!(o.Level > 0 && o.Level < 1) {
		return nil, fmt.Errorf("%w: no such option: %+v", ErrData, o)
	}
	s, err := maximise(p, o.Covariance, o.MaxIterations)
	if err != nil {
		return nil, err
	}
	m := &Model{
		Covariance: o.Covariance, DF: o.DF,
		Subjects: p.subjects, Observations: len(p.y),
		Iterations: s.iterations,
		level:      o.Level, back: p.back,
		beta: s.beta, phi: s.phi, errors: s.phi, p: s.p,
	}
	free := float64(len(p.y) - p.params)
	m.LogLik = -(free*math.Log(2*math.Pi)+s.value)/2 - p.logScale
	m.Beta = append([]float64(nil), s.beta...)
	p.back.apply(m.Beta)
	floats.Scale(p.unit, m.Beta)
	floats.Add(m.Beta, p.back.origin)
	v := p.visits
	m.Sigma = mat.NewSymDense(v, append([]float64(nil), s.sigma...))
	m.Sigma.ScaleSym(p.unit*p.unit, m.Sigma)
	m.Cov = m.outward(m.phi)
	information := s.observed
	if o.DF == KenwardRoger {
		information = s.expected
	}
	m.theta = append([]float64(nil), information...)
	if _, _, ok := invert(m.theta, s.scratch(), s.q); !ok {
		return nil, fmt.Errorf("%w: the information about it is singular", ErrSingular)
	}
	floats.Scale(2, m.theta) // the information is that of −2ℓ
	if o.DF == KenwardRoger {
		m.errors = s.adjusted(m.theta)
		m.Adjusted = m.outward(m.errors)
	}
	return m, m.finite()
}

// finite is the last look before a model is handed out.
func (m *Model) finite() error {
	for i, b := range m.Beta {
		se := m.errors[i*len(m.Beta)+i]
		if math.IsNaN(b) || math.IsInf(b, 0) || !(se > 0) || math.IsInf(se, 1) {
			return fmt.Errorf("%w: effect %d has no finite standard error", ErrSingular, i+1)
		}
	}
	return nil
}

// outward turns a covariance of the inner β into that of β.
func (m *Model) outward(a []float64) *mat.SymDense {
	n := len(m.beta)
	out := append([]float64(nil), a...)
	column := make([]float64, n)
	for range 2 {
		for i := range n {
			for k := range n {
				column[k] = out[k*n+i]
			}
			m.back.apply(column)
			for k := range n {
				out[k*n+i] = column[k]
			}
		}
		for i := range n {
			for k := range i {
				out[i*n+k], out[k*n+i] = out[k*n+i], out[i*n+k]
			}
		}
	}
	floats.Scale(m.back.unit*m.back.unit, out)
	return mat.NewSymDense(n, out)
}

// adjusted is Kenward and Roger's covariance of the inner β, given that of θ (W):
//
//	Φ + 2Φ{ΣΣ Wⱼₖ(Qⱼₖ − PⱼΦPₖ − ¼Rⱼₖ)}Φ
//
// with Qⱼₖ = XᵀV⁻¹VⱼV⁻¹VₖV⁻¹X and Rⱼₖ = XᵀV⁻¹VⱼₖV⁻¹X, where Vⱼₖ is the second
// derivative, 0 in structures that are linear in θ.
func (s *search) adjusted(w []float64) []float64 {
	n, q := s.n, s.q
	sum := make([]float64, n*n)
	s.addQ(sum, w)
	mirror(sum, n)
	mean, tmp := make([]float64, n*n), s.work[0]
	for j := range q {
		clear(mean)
		for k := range q {
			floats.AddScaled(mean, w[j*q+k], s.p[k*n*n:(k+1)*n*n])
		}
		transpose(tmp, s.phiP[j*n*n:(j+1)*n*n], n) // PⱼΦ
		mul(s.work[1], tmp, mean, n)
		floats.Sub(sum, s.work[1][:n*n])
	}
	mul(tmp, s.phi, sum, n)
	mul(sum, tmp, s.phi, n)
	floats.Scale(2, sum)
	floats.Add(sum, s.phi)
	for i := range n {
		for j := range i {
			mean := (sum[i*n+j] + sum[j*n+i]) / 2
			sum[i*n+j], sum[j*n+i] = mean, mean
		}
	}
	return sum
}

// addQ adds the upper triangle of ΣΣ Wⱼₖ(Qⱼₖ − ¼Rⱼₖ) to dst.
func (s *search) addQ(dst, w []float64) {
	q, v := s.q, s.shape.visits
	sum := make([]float64, v*v)
	var curved, mean []entry
	for j := range q {
		for k := range q {
			mean = s.shape.second(s.theta, j, k, mean[:0])
			gather(sum, -w[j*q+k]/4, mean, v)
		}
	}
	curved = scatter(curved, sum, v)
	for j := range q {
		clear(sum)
		for k := range q {
			gather(sum, w[j*q+k], s.d[k], v)
		}
		mean = scatter(mean[:0], sum, v)
		for i := range s.blocks {
			b := &s.blocks[i]
			m := len(b.visits)
			ds, tmp, core := s.work[0][:m*m], s.work[1][:m*m], s.work[2][:m*m]
			// Σᵢ⁻¹ Dⱼ Σᵢ⁻¹ (ΣWⱼₖDₖ) Σᵢ⁻¹
			s.timesInverse(ds, b, mean)
			mul(tmp, b.inv, ds, m)
			s.timesInverse(ds, b, s.d[j])
			transpose(core, ds, m)
			mul(ds, core, tmp, m)
			if j == 0 {
				s.timesInverse(tmp, b, curved)
				mul(core, b.inv, tmp, m)
				floats.Add(ds, core)
			}
			for _, first := range b.rows {
				s.cross(dst, ds, first, m)
			}
		}
	}
}

// gather adds w·d to the upper triangle of a v×v.
func gather(sum []float64, w float64, d []entry, v int) {
	for _, e := range d {
		sum[e.a*v+e.b] += w * e.v
	}
}

// scatter appends what is not zero in the upper triangle of a v×v.
func scatter(dst []entry, a []float64, v int) []entry {
	for i := range v {
		for j := i; j < v; j++ {
			if w := a[i*v+j]; w != 0 {
				dst = append(dst, entry{i, j, w})
			}
		}
	}
	return dst
}

// Contrast estimates lᵀβ and tests it against 0. l has a weight per column of X; it
// panics if it has not. The degrees of freedom are
//
//	2(lᵀΦl)²/(gᵀWg),   gⱼ = ∂(lᵀΦl)/∂θj,
//
// with W the covariance of θ. For Satterthwaite W is from the observed information, as
// lmerTest has it; for Kenward–Roger from the expected, which for one contrast is what
// their 1997 formulas come to (the scale is 1), with Φ not adjusted. The standard error is
// of Φ, or Φ adjusted. Where it is zero (l = 0) T, DF and P are NaN.
func (m *Model) Contrast(l []float64) Estimate {
	n := len(m.beta)
	if len(l) != n {
		panic("mmrm: contrast of the wrong length")
	}
	inner := m.back.weights(l)
	e := Estimate{Value: floats.Dot(l, m.back.origin) + m.back.unit*floats.Dot(inner, m.beta)}
	variance := quadratic(inner, m.errors, inner)
	e.SE = m.back.unit * math.Sqrt(math.Max(0, variance))
	u := make([]float64, n)
	mulVec(u, m.phi, inner)
	q := len(m.p) / (n * n)
	g := make([]float64, q)
	for j := range g {
		g[j] = quadratic(u, m.p[j*n*n:(j+1)*n*n], u)
	}
	model := floats.Dot(u, inner)
	e.DF = 2 * model * model / quadratic(g, m.theta, g)
	e.T = e.Value / e.SE
	if !(e.SE > 0) || !(e.DF > 0) {
		nan := math.NaN()
		e.T, e.DF, e.P, e.Low, e.High = nan, nan, nan, nan, nan
		return e
	}
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: e.DF}
	e.P = 2 * t.CDF(-math.Abs(e.T))
	half := e.SE * t.Quantile((1+m.level)/2)
	e.Low, e.High = e.Value-half, e.Value+half
	return e
}
