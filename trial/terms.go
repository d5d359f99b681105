package trial

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/t2map/t2map/trial/mmrm"
)

// column is a column of X, other than the columns of arms at visits.
type column struct {
	term    Term
	x       []float64 // by observation
	average float64   // its value in least-squares means
}

// baselineTerm and baselineByVisit are the terms of one slope on the baseline, and of one for each visit.
var baselineTerm, baselineByVisit = Term{"baseline"}, Term{"baseline", "visit"}

// columns returns the columns of baseline and covariates. Numbers are centred on the mean of the
// observations, where least-squares means are estimated; a factor has a column for each level except
// the first, and least-squares means give each level the same weight. Both are as in emmeans. Terms
// that are the same for all observations, and covariates that are combinations of other terms, are
// omitted.
func (r Repeated) columns(rows [][2]int, f *RepeatedFit) []column {
	baseline, mean := centred(baselineTerm, r.Baseline, rows)
	f.BaselineMean = mean
	terms := [][]column{r.byVisit(baseline, rows, f)}
	for _, c := range r.Covariates {
		if c.Levels == 0 {
			number, _ := centred(Term{c.Name}, c.X, rows)
			terms = append(terms, []column{number})
		} else if columns := c.indicators(rows); len(columns) > 0 {
			terms = append(terms, columns)
		} else {
			f.omit(c.Name, sameForAll)
		}
	}
	terms = slices.DeleteFunc(terms, func(term []column) bool {
		same := inSpan(nil, term)
		if same {
			f.omit(term[0].name(), sameForAll)
		}
		return same
	})
	// Starting with the last, so that the first of two equivalent terms remains.
	for i := len(terms) - 1; i >= 0; i-- {
		others := slices.Delete(slices.Clone(terms), i, i+1)
		if terms[i][0].name() == "baseline" || !inSpan(others, terms[i]) {
			continue
		}
		f.omit(terms[i][0].name(), "it follows from "+follows(others, terms[i]))
		terms = others
	}
	return slices.Concat(f.omitLevels(terms)...)
}

// name is the first variable of the column's term.
func (c column) name() string { return c.term[0] }

// byVisit divides the column of the baseline into one for each visit, so that each visit has its own slope
// on the baseline. It returns the column itself if the model has one slope, if there is one visit, or if a
// visit has no slope of its own, which it notes: if the arms' means and a slope fit its changes exactly, or
// if the baseline follows from the arm there.
func (r Repeated) byVisit(baseline column, rows [][2]int, f *RepeatedFit) []column {
	at := map[int][]int{} // observations by visit
	var visits []int
	for i, row := range rows {
		if at[row[1]] == nil {
			visits = append(visits, row[1])
		}
		at[row[1]] = append(at[row[1]], i)
	}
	slices.Sort(visits)
	if r.CommonBaseline || len(visits) < 2 || inSpan(nil, []column{baseline}) {
		return []column{baseline}
	}
	var columns []column
	for _, v := range visits {
		if reason := r.noSlope(baseline, rows, at[v]); reason != "" {
			f.omit(baselineByVisit.String(), fmt.Sprintf("%s at %s", reason, r.visitName(v)))
			return []column{baseline}
		}
		c := column{term: baselineByVisit, x: make([]float64, len(rows))}
		for _, i := range at[v] {
			c.x[i] = baseline.x[i]
		}
		columns = append(columns, c)
	}
	return columns
}

// noSlope returns why some observations, all of one visit, have no slope on the baseline of their own;
// empty if they have.
func (r Repeated) noSlope(baseline column, rows [][2]int, observations []int) string {
	arms := make([][]float64, r.Arms)
	x := make([]float64, len(observations))
	for k, i := range observations {
		arm := r.Arm[rows[i][0]]
		if arms[arm] == nil {
			arms[arm] = make([]float64, len(observations))
		}
		arms[arm][k], x[k] = 1, baseline.x[i]
	}
	var basis [][]float64
	for _, indicator := range arms {
		if indicator != nil {
			basis = orthonormal(basis, indicator)
		}
	}
	switch {
	case len(observations) <= len(basis)+1:
		return "too few changes"
	case len(orthonormal(basis, x)) == len(basis):
		return "the baseline follows from the arm"
	}
	return ""
}

// omitLevels removes single columns of factors that follow from the columns before them, such as
// sites that are all of one stratum. Differences of arms are the same without them, but levels can no
// longer have equal weights, so that there are no least-squares means.
func (f *RepeatedFit) omitLevels(terms [][]column) [][]column {
	var kept [][]column
	var basis [][]float64
	for _, term := range terms {
		if basis == nil {
			basis = constant(len(term[0].x))
		}
		var independent []column
		for _, c := range term {
			if next := orthonormal(basis, slices.Clone(c.x)); len(next) > len(basis) {
				basis, independent = next, append(independent, c)
			}
		}
		if len(independent) < len(term) {
			f.NoMeans = true
			f.omit(term[0].name(), "levels follow from the other terms, so that there are no least-squares means")
		}
		if len(independent) > 0 {
			kept = append(kept, independent)
		}
	}
	return kept
}

// omit notes a term that is not in the model.
func (f *RepeatedFit) omit(term, reason string) {
	f.Omitted = append(f.Omitted, Omission{Term: term, Reason: reason})
}

const sameForAll = "the same for all"

// follows names the terms that a term follows from: a single one if that suffices.
func follows(others [][]column, term []column) string {
	var names []string
	for _, other := range others {
		if inSpan([][]column{other}, term) {
			return other[0].name()
		}
		names = append(names, other[0].name())
	}
	return strings.Join(names, " and ")
}

// aliased is the share of a column's length that must remain when the other columns are projected out.
// It is larger than that of mmrm, which therefore accepts every term that is kept here.
const aliased = 1e-5

// inSpan reports whether all columns of a term are, over the observations, combinations of a constant
// and the other terms.
func inSpan(others [][]column, term []column) bool {
	basis := constant(len(term[0].x))
	for _, c := range slices.Concat(others...) {
		basis = orthonormal(basis, slices.Clone(c.x))
	}
	return !slices.ContainsFunc(term, func(c column) bool {
		return len(orthonormal(basis, slices.Clone(c.x))) > len(basis)
	})
}

// constant returns the basis of the columns that are the same at each of n observations.
func constant(n int) [][]float64 { return orthonormal(nil, slices.Repeat([]float64{1}, n)) }

// orthonormal adds to an orthonormal basis the part of x that is not in its span. It modifies x.
func orthonormal(basis [][]float64, x []float64) [][]float64 {
	length := floats.Norm(x, 2)
	for range 2 { // the second pass removes the rounding error of the first
		for _, b := range basis {
			floats.AddScaled(x, -floats.Dot(b, x), b)
		}
	}
	remainder := floats.Norm(x, 2)
	if !(remainder > aliased*length) {
		return basis
	}
	floats.Scale(1/remainder, x)
	return append(slices.Clip(basis), x)
}

// explainRank names the term that makes an X rank-deficient.
func explainRank(err error, x *mat.Dense, columns []column) error {
	rows, n := x.Dims()
	var names []string
	for _, c := range columns {
		names = include(names, c.name())
	}
	var basis [][]float64
	for j := n - 1; j >= 0; j-- { // arms and visits first, so that the term is a covariate
		x := mat.Col(nil, j, x)
		if next := orthonormal(basis, x); len(next) > len(basis) {
			basis = next
			continue
		}
		if j < len(columns) {
			return fmt.Errorf("%w: %s cannot be distinguished from arm, visit and the other terms", mmrm.ErrRank,
				columns[j].name())
		}
	}
	if rows <= n {
		return fmt.Errorf("%w: %d changes for the effects of arm and visit and of %s", mmrm.ErrRank, rows,
			strings.Join(names, ", "))
	}
	return err
}

// centred returns a number minus its mean over the observations, and that mean.
func centred(term Term, x []float64, rows [][2]int) (column, float64) {
	mean, same := 0.0, true
	for _, row := range rows {
		mean += x[row[0]]
		same = same && x[row[0]] == x[rows[0][0]]
	}
	mean /= float64(len(rows))
	if same {
		mean = x[rows[0][0]] // exactly, so that the column is 0
	}
	c := column{term: term, x: make([]float64, len(rows))}
	for i, row := range rows {
		c.x[i] = x[row[0]] - mean
	}
	return c, mean
}

// indicators returns a column for each level that occurs, except the first.
func (c Covariate) indicators(rows [][2]int) []column {
	occurs := make([]bool, c.Levels)
	for _, row := range rows {
		occurs[int(c.X[row[0]])] = true
	}
	var levels []int
	for level, yes := range occurs {
		if yes {
			levels = append(levels, level)
		}
	}
	var columns []column
	for _, level := range levels[1:] {
		one := column{term: Term{c.Name}, x: make([]float64, len(rows)), average: 1 / float64(len(levels))}
		for i, row := range rows {
			if c.X[row[0]] == float64(level) {
				one.x[i] = 1
			}
		}
		columns = append(columns, one)
	}
	return columns
}

// complete reports whether every covariate of a subject is known.
func (r Repeated) complete(subject int) bool {
	return !slices.ContainsFunc(r.Covariates, func(c Covariate) bool { return math.IsNaN(c.X[subject]) })
}
