package compare

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/t2map/t2map/trial/mmrm"
)

// rankTolerance is the share of a column's length that must remain when the columns before it are
// projected out, as in R's lm.
const rankTolerance = 1e-7

// perfectFit is the residual sum of squares, as a fraction of that of y, below which it is rounding
// error: a double has a relative error of 2e-16, and errors of rows add up.
const perfectFit = 1e-26

var errPerfect = errors.New("the fit has no residual: the variance is 0")

// Fit is a linear model, fitted by least squares.
type Fit struct {
	// Beta holds the coefficients, in the order of the columns.
	Beta []float64
	// DF is the number of rows minus columns, Sigma2 the residual variance RSS/DF.
	DF, Sigma2 float64

	r *mat.Dense // the triangle of X = QR
}

// OLS fits y = Xβ + e by least squares, with a QR decomposition of X, which is given by columns. It is an error if
// there are not more rows than columns, if a column is a combination of those before it, which the error names, or if
// the residuals are 0.
func OLS(columns [][]float64, names []string, y []float64) (*Fit, error) {
	if len(y) <= len(columns) {
		return nil, fmt.Errorf("%d subjects for %d parameters: too few", len(y), len(columns))
	}
	q, r, err := decompose(columns, names)
	if err != nil {
		return nil, err
	}
	f := &Fit{Beta: make([]float64, len(columns)), DF: float64(len(y) - len(columns)), r: r}
	residual := slices.Clone(y)
	for j := range columns {
		column := mat.Col(nil, j, q)
		f.Beta[j] = floats.Dot(column, residual)
		floats.AddScaled(residual, -f.Beta[j], column)
	}
	for j := len(columns) - 1; j >= 0; j-- {
		for k := j + 1; k < len(columns); k++ {
			f.Beta[j] -= r.At(j, k) * f.Beta[k]
		}
		f.Beta[j] /= r.At(j, j)
	}
	rss := floats.Dot(residual, residual)
	if rss <= perfectFit*floats.Dot(y, y) {
		return nil, errPerfect
	}
	f.Sigma2 = rss / f.DF
	return f, nil
}

// decompose returns the factors of X = QR, Q with as many columns as X.
func decompose(columns [][]float64, names []string) (q, r *mat.Dense, err error) {
	x := mat.NewDense(len(columns[0]), len(columns), nil)
	for j, c := range columns {
		x.SetCol(j, c)
	}
	var qr mat.QR
	qr.Factorize(x)
	var fullQ, fullR mat.Dense
	qr.QTo(&fullQ)
	qr.RTo(&fullR)
	for j, c := range columns {
		if !(math.Abs(fullR.At(j, j)) > rankTolerance*floats.Norm(c, 2)) {
			return nil, nil, rankError(names[j])
		}
	}
	n := len(columns)
	return fullQ.Slice(0, len(columns[0]), 0, n).(*mat.Dense), fullR.Slice(0, n, 0, n).(*mat.Dense), nil
}

func rankError(name string) error {
	return errors.New(name + " is a combination of the terms before it, or constant")
}

// Contrast returns the combination Σ cⱼβⱼ with its t test against 0: SE = σ·√(c'(X'X)⁻¹c), DF degrees of
// freedom. c has one value per column.
func (f *Fit) Contrast(c []float64, level float64) (mmrm.Estimate, error) {
	if len(c) != len(f.Beta) {
		return noEstimate, fmt.Errorf("a contrast of %d values for %d parameters", len(c), len(f.Beta))
	}
	if err := errors.Join(checkFinite("contrast", c), checkLevel(level)); err != nil {
		return noEstimate, err
	}
	// c'(R'R)⁻¹c is the square of z, where R'z = c.
	z := slices.Clone(c)
	for j := range z {
		for k := range j {
			z[j] -= f.r.At(k, j) * z[k]
		}
		z[j] /= f.r.At(j, j)
	}
	se := math.Sqrt(f.Sigma2) * floats.Norm(z, 2)
	if se == 0 {
		return noEstimate, errors.New("a contrast of zeros")
	}
	return estimate(floats.Dot(c, f.Beta), se, f.DF, level), nil
}

// Subjects are the subjects of a comparison at one visit, one row each, in any order.
type Subjects struct {
	// Change from baseline, and Baseline; if Baseline is nil, comparisons are not adjusted for it.
	Change, Baseline []float64
	// Arm of each, 0 for the reference.
	Arm []int
	// Covariates are further columns, such as indicators of all sites but one.
	Covariates [][]float64
	// Names of the covariates, for errors. Default: covariate 1, covariate 2.
	Names []string
	// Stratum of the randomisation of each; nil for a trial without strata. Only Permutation uses it; to
	// adjust a model for strata, add them to Covariates.
	Stratum []int
}

// name returns the name of a covariate in errors.
func (s Subjects) name(i int) string {
	if i < len(s.Names) {
		return s.Names[i]
	}
	return fmt.Sprintf("covariate %d", i+1)
}

// check returns an error unless all columns have the same length and finite values.
func (s Subjects) check() error {
	n := len(s.Change)
	errs := []error{checkFinite("change", s.Change), checkFinite("baseline", s.Baseline)}
	for i, c := range s.Covariates {
		errs = append(errs, checkFinite(fmt.Sprintf("covariate %d", i+1), c))
		if len(c) != n {
			errs = append(errs, fmt.Errorf("%d changes, but %d values of covariate %d", n, len(c), i+1))
		}
	}
	if s.Baseline != nil && len(s.Baseline) != n || len(s.Arm) != n || s.Stratum != nil && len(s.Stratum) != n {
		errs = append(errs, fmt.Errorf("%d changes, but %d baselines, %d arms, %d strata", n, len(s.Baseline),
			len(s.Arm), len(s.Stratum)))
	}
	for _, a := range s.Arm {
		if a < 0 {
			errs = append(errs, fmt.Errorf("arm %d is negative", a))
			break
		}
	}
	return errors.Join(errs...)
}

// adjustment returns the columns that a difference is adjusted for, the intercept first, and their
// names. Columns are centred, which leaves differences unchanged and preserves digits.
func (s Subjects) adjustment() (columns [][]float64, names []string) {
	columns, names = [][]float64{slices.Repeat([]float64{1}, len(s.Change))}, []string{"the intercept"}
	if s.Baseline != nil {
		columns, names = append(columns, centred(s.Baseline)), append(names, "baseline")
	}
	for i, c := range s.Covariates {
		columns, names = append(columns, centred(c)), append(names, s.name(i))
	}
	return columns, names
}

// centred returns x minus its mean, or zeros if only rounding error remains, so that a constant is
// detected.
func centred(x []float64) []float64 {
	c := slices.Clone(x)
	if len(x) == 0 {
		return c
	}
	mean := floats.Sum(x) / float64(len(x))
	floats.AddConst(-mean, c)
	if floats.Norm(c, 2) <= rankTolerance*floats.Norm(x, 2) {
		clear(c)
	}
	return c
}

// Ancova compares the arms 1 … arms − 1 with the reference by analysis of covariance: least squares of
// change on baseline, the covariates and the arms. All arms are in one model and share its residual
// variance. Element a − 1 is the adjusted difference of arm a minus the reference, as in R's lm.
//
// An arm without a row has no estimate, which is not an error, and takes no parameter. It is an error
// if the reference or all other arms have no row, if there are not more rows than parameters, if a
// term is constant or a combination of others, which the error names, or if the residuals are 0.
func Ancova(s Subjects, arms int, level float64) ([]mmrm.Estimate, error) {
	out := slices.Repeat([]mmrm.Estimate{noEstimate}, max(arms-1, 0))
	if err := errors.Join(s.check(), checkLevel(level)); err != nil {
		return out, err
	}
	present, err := s.present(arms)
	if err != nil {
		return out, err
	}
	columns, names := s.adjustment()
	first := len(columns) // the columns of the arms that are present begin here
	for _, a := range present {
		indicator := make([]float64, len(s.Arm))
		for i, arm := range s.Arm {
			if arm == a {
				indicator[i] = 1
			}
		}
		columns, names = append(columns, indicator), append(names, fmt.Sprintf("arm %d", a))
	}
	f, err := OLS(columns, names, s.Change)
	if err != nil {
		return out, err
	}
	for i, a := range present {
		c := make([]float64, len(columns))
		c[first+i] = 1
		if out[a-1], err = f.Contrast(c, level); err != nil {
			return out, err
		}
	}
	return out, nil
}

// present returns the arms other than the reference that have a row.
func (s Subjects) present(arms int) ([]int, error) {
	counts := make([]int, max(arms, 1))
	for _, a := range s.Arm {
		if a >= len(counts) {
			return nil, fmt.Errorf("arm %d of %d", a, arms)
		}
		counts[a]++
	}
	var present []int
	for a := 1; a < len(counts); a++ {
		if counts[a] > 0 {
			present = append(present, a)
		}
	}
	switch {
	case counts[0] == 0:
		return nil, errors.New("nobody in the reference arm has a change")
	case len(present) == 0:
		return nil, errors.New("nobody in an arm other than the reference has a change")
	}
	return present, nil
}
