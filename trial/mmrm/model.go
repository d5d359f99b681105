package mmrm

import (
	"cmp"
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Kinds of errors. The error that wraps one of these has the details.
var (
	// ErrData: the rows are not repeated measures: lengths differ, numbers are not finite, a subject
	// appears twice at one visit, or the numbers of subjects or visits have gaps.
	ErrData = errors.New("no repeated measures")
	// ErrRank: the columns of X depend on each other, or there are no more rows than columns.
	ErrRank = errors.New("the effects cannot be distinguished")
	// ErrSingular: the covariance cannot be estimated: nothing varies, there are too few subjects for
	// the structure, no subject has both of two visits, or the best fit is on the boundary of the
	// positive definite matrices.
	ErrSingular = errors.New("the covariance cannot be estimated")
	// ErrNotConverged: the search for the maximum of the likelihood did not end.
	ErrNotConverged = errors.New("did not converge")
)

// Options of a fit. The zero value is the default.
type Options struct {
	// Covariance is the structure. Default: Unstructured.
	Covariance Covariance
	// DF is the method for degrees of freedom. Default: KenwardRoger.
	DF DF
	// Level of the confidence intervals. Default: 0.95.
	Level float64
}

// Model is a fitted model.
type Model struct {
	// Covariance is the fitted structure, DF the method for degrees of freedom.
	Covariance Covariance
	DF         DF
	// Subjects and Observations are their numbers.
	Subjects, Observations int
	// Beta holds the fixed effects, in the order of the columns of X.
	Beta []float64
	// Sigma is the estimated covariance of one subject's visits, visits × visits.
	Sigma *mat.SymDense
	// LogLik is the restricted log-likelihood with its constants, as in R's nlme::gls:
	// −½[(n−p)·log 2π + log|V| + log|XᵀV⁻¹X| + rᵀV⁻¹r].
	LogLik float64

	level float64
	back  transform
	// In inner units: β, Φ, the covariance for standard errors, the Pⱼ in sequence, and the covariance
	// of θ.
	beta, phi, errors, p, theta []float64
}

// Rejected is a structure that could not be fitted.
type Rejected struct {
	Covariance Covariance
	// Reason says why it could not be fitted.
	Reason string
}

// String returns "unstructured: did not converge".
func (r Rejected) String() string { return r.Covariance.String() + ": " + r.Reason }

// FitFirst fits the first structure that can be fitted, starting with o.Covariance, in the order
// Unstructured, HeterogeneousCS, AR1, CompoundSymmetry. It also returns the structures that could not
// be fitted. It fits none if the data themselves are at fault (ErrData, ErrRank). If no structure can be
// fitted, the error is that of the last one.
func FitFirst(d Data, o Options) (*Model, []Rejected, error) {
	p, err := prepare(d)
	if err != nil {
		return nil, nil, err
	}
	var rejected []Rejected
	for ; ; o.Covariance++ {
		m, err := fit(p, o)
		if err == nil {
			return m, rejected, nil
		}
		rejected = append(rejected, Rejected{o.Covariance, err.Error()})
		if o.Covariance >= CompoundSymmetry {
			return nil, rejected, err
		}
	}
}

// fit fits one structure. For data with one visit, every structure is a single variance. Errors wrap ErrRank,
// ErrSingular or ErrNotConverged, or ErrData if an option is invalid.
func fit(p *problem, o Options) (*Model, error) {
	o.Level = cmp.Or(o.Level, 0.95)
	if o.Covariance < Unstructured || o.Covariance > CompoundSymmetry || o.DF < KenwardRoger || o.DF > Satterthwaite ||
		!(o.Level > 0 && o.Level < 1) {
		return nil, fmt.Errorf("%w: no such option: %+v", ErrData, o)
	}
	s, err := maximise(p, o.Covariance)
	if err != nil {
		return nil, err
	}
	m := &Model{
		Covariance: o.Covariance, DF: o.DF,
		Subjects: p.subjects, Observations: len(p.y),
		level: o.Level, back: p.back,
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
		// The adjustment is the first term of a series, which must be small.
		if _, _, ok := cholesky(m.errors, s.work[0], s.n); !ok {
			return nil, fmt.Errorf("%w: too few data for Kenward and Roger's adjustment", ErrSingular)
		}
	}
	return m, m.finite()
}

// finite returns an error if an effect or its standard error is not finite.
func (m *Model) finite() error {
	for i, b := range m.Beta {
		se := m.errors[i*len(m.Beta)+i]
		if math.IsNaN(b) || math.IsInf(b, 0) || !(se > 0) || math.IsInf(se, 1) {
			return fmt.Errorf("%w: effect %d has no finite standard error", ErrSingular, i+1)
		}
	}
	return nil
}

// Contrast estimates lᵀβ and tests it against 0. l has a weight for each column of X; another length is
// a panic. The degrees of freedom are
//
//	2(lᵀΦl)²/(gᵀWg),   gⱼ = ∂(lᵀΦl)/∂θj,
//
// with the unadjusted Φ and the covariance W of θ. W comes from the observed information for
// Satterthwaite, as in lmerTest, and from the expected information for Kenward–Roger: for one contrast
// their formulas reduce to this one, and their scale factor of F is 1. The standard error comes from Φ,
// or from the adjusted Φ. If it is zero (l = 0), all other numbers are NaN.
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
