package mmrm

import (
	"errors"

	"gonum.org/v1/gonum/mat"
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
}

// Fit fits one structure. Errors wrap ErrData, ErrRank, ErrSingular or
// ErrNotConverged.
func Fit(d Data, o Options) (*Model, error) { return nil, ErrNotConverged }

// FitFirst fits the first structure that the data carry, from o.Covariance on, in the
// order Unstructured, HeterogeneousCS, AR1, CompoundSymmetry. The strings say which
// were left, and why: "unstructured: …". Errors of the data themselves (ErrData,
// ErrRank) end the search; where every structure was left, the error is the last one's.
func FitFirst(d Data, o Options) (*Model, []string, error) { return nil, nil, ErrNotConverged }

// Contrast estimates lᵀβ and tests it against 0. l has a weight per column of X; it
// panics if it has not.
func (m *Model) Contrast(l []float64) Estimate { return Estimate{} }
