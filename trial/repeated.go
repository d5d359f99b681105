package trial

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/t2map/t2map/trial/mmrm"
)

// Repeated is the data of the mixed model of a trial: the changes of its subjects at the visits after
// baseline.
type Repeated struct {
	// Arms is the number of arms; arm 0 is the reference.
	Arms int
	// Arm and Baseline of each subject.
	Arm      []int
	Baseline []float64
	// Change is subjects × visits after baseline; NaN for a missing change.
	Change [][]float64
	// VisitNames name the visits after baseline in errors. Default: visit 1, visit 2.
	VisitNames []string
	// CommonBaseline gives all visits one slope on the baseline. Default: each visit has its own.
	CommonBaseline bool
	// Covariates in addition to baseline, arm and visit.
	Covariates []Covariate
}

// Covariate is a property of each subject: a number, or the level of a factor.
type Covariate struct {
	Name string
	// Levels is the number of levels of a factor; 0 for a number.
	Levels int
	// X has the number of each subject, or its level, counted from 0; NaN if it is not known.
	X []float64
}

// RepeatedFit is the fitted model of a trial: change = baseline × visit + covariates + arm × visit, with a
// mean for each arm, and a slope on the baseline, at each visit.
type RepeatedFit struct {
	*mmrm.Model
	// Rejected are the covariances that could not be fitted.
	Rejected []mmrm.Rejected
	// BaselineMean is the mean baseline of the observations, at which least-squares means are estimated.
	BaselineMean float64
	// Visits has the row of Sigma for each visit after baseline; −1 if nobody has a change.
	Visits []int
	// Formula is the fixed effects.
	Formula Formula
	// Omitted are terms and visits that are not in the model. Visits are counted from 1, after the
	// baseline.
	Omitted []Omission
	// NoMeans reports that differences can be estimated, but least-squares means cannot.
	NoMeans bool
	// N counts the subjects of each arm at each visit.
	N [][]int

	cell    [][]int   // the column of X, by arm and visit; −1 if nobody has a change
	average []float64 // the weights of a least-squares mean, except the weight of its cell
}

// Fit fits the model with the first covariance that can be fitted (mmrm.FitFirst). It omits subjects
// without a baseline or a covariate, terms that are the same for all subjects or follow from others,
// and visits with no more changes than arms, which the means of the arms would fit exactly. Omitted lists
// these terms and visits.
//
// Errors are those of mmrm, and ErrData if nobody has a change. With an error, the result has Omitted, N
// and Rejected.
func (r Repeated) Fit(o mmrm.Options) (*RepeatedFit, error) {
	f := &RepeatedFit{}
	rows := r.omitThin(r.rows(), f)
	if len(rows) == 0 {
		if len(r.Change) > 0 && len(r.Change[0]) == 0 {
			return f, fmt.Errorf("%w: no visit after baseline is planned", mmrm.ErrData)
		}
		return f, fmt.Errorf("%w: too few participants have a baseline, a later visit and known covariates", mmrm.ErrData)
	}
	columns := r.columns(rows, f)
	x, data := r.matrix(rows, columns, f)
	f.setFormula(columns)
	data.X = x
	var err error
	f.Model, f.Rejected, err = mmrm.FitFirst(data, o)
	if errors.Is(err, mmrm.ErrRank) {
		err = explainRank(err, x, columns)
	}
	return f, err
}

// omitThin removes the observations of visits that have no more of them than arms.
func (r Repeated) omitThin(rows [][2]int, f *RepeatedFit) [][2]int {
	if len(r.Change) == 0 {
		return nil
	}
	f.N = make([][]int, r.Arms)
	for arm := range f.N {
		f.N[arm] = make([]int, len(r.Change[0]))
	}
	for _, row := range rows {
		f.N[r.Arm[row[0]]][row[1]]++
	}
	thin := make([]bool, len(r.Change[0]))
	for v := range thin {
		changes, arms := 0, 0
		for arm := range f.N {
			changes += f.N[arm][v]
			arms += min(f.N[arm][v], 1)
		}
		if thin[v] = changes > 0 && changes <= arms; thin[v] {
			f.Omitted = append(f.Omitted,
				Omission{Visit: v + 1, Reason: fmt.Sprintf("too few changes (%d, in as many arms)", changes)})
			for arm := range f.N {
				f.N[arm][v] = 0
			}
		}
	}
	return slices.DeleteFunc(rows, func(row [2]int) bool { return thin[row[1]] })
}

func (r Repeated) visitName(v int) string {
	if v < len(r.VisitNames) {
		return r.VisitNames[v]
	}
	return fmt.Sprintf("visit %d", v+1)
}

// rows returns subject and visit of each observation, by subject.
func (r Repeated) rows() [][2]int {
	var rows [][2]int
	for s, changes := range r.Change {
		known := !math.IsNaN(r.Baseline[s]) && r.complete(s)
		for v, change := range changes {
			if known && !math.IsNaN(change) {
				rows = append(rows, [2]int{s, v})
			}
		}
	}
	return rows
}

// matrix returns X, with the columns and then one for each arm at each visit, and the other data.
func (r Repeated) matrix(rows [][2]int, columns []column, f *RepeatedFit) (*mat.Dense, mmrm.Data) {
	visits := len(r.Change[0])
	f.Visits = make([]int, visits)
	f.cell = make([][]int, r.Arms)
	for arm := range f.cell {
		f.cell[arm] = slices.Repeat([]int{-1}, visits)
	}
	seen := make([]bool, visits)
	for _, row := range rows {
		seen[row[1]] = true
		f.cell[r.Arm[row[0]]][row[1]] = 0 // to be numbered
	}
	var d mmrm.Data
	n := len(columns)
	for v, row := 0, 0; v < visits; v++ {
		f.Visits[v] = -1
		if seen[v] {
			f.Visits[v] = row
			row++
			d.VisitNames, d.Place = append(d.VisitNames, r.visitName(v)), append(d.Place, v)
		}
		for arm := range f.cell {
			if f.cell[arm][v] == 0 {
				f.cell[arm][v] = n
				n++
			}
		}
	}
	f.average = make([]float64, n)
	for j, c := range columns {
		f.average[j] = c.average
	}
	x := mat.NewDense(len(rows), n, nil)
	subject := -1
	for i, row := range rows {
		if i == 0 || row[0] != rows[i-1][0] {
			subject++
		}
		for j, c := range columns {
			x.Set(i, j, c.x[i])
		}
		x.Set(i, f.cell[r.Arm[row[0]]][row[1]], 1)
		d.Subject = append(d.Subject, subject)
		d.Visit = append(d.Visit, f.Visits[row[1]])
		d.Y = append(d.Y, r.Change[row[0]][row[1]])
	}
	return x, d
}

// nothing is an estimate that does not exist.
var nothing = mmrm.Estimate{Value: math.NaN(), SE: math.NaN(), DF: math.NaN(), T: math.NaN(), P: math.NaN(),
	Low: math.NaN(), High: math.NaN()}

// LSMean returns the least-squares mean of an arm at a visit after baseline, counted from 0. It is NaN if
// nobody in the arm has a change at the visit, and with NoMeans.
func (f *RepeatedFit) LSMean(arm, visit int) mmrm.Estimate {
	cell := f.cell[arm][visit]
	if cell < 0 || f.NoMeans {
		return nothing
	}
	l := slices.Clone(f.average)
	l[cell] = 1
	return f.Contrast(l)
}

// Difference returns the difference of the least-squares means of an arm and the reference at a visit.
// It is NaN if there is no model, or if one of them has no change at the visit.
func (f *RepeatedFit) Difference(arm, visit int) mmrm.Estimate {
	if f.Model == nil {
		return nothing
	}
	cell, reference := f.cell[arm][visit], f.cell[0][visit]
	if cell < 0 || reference < 0 {
		return nothing
	}
	l := make([]float64, len(f.average))
	l[cell], l[reference] = 1, -1
	return f.Contrast(l)
}

// setFormula fills in the fixed effects: the terms of the columns, and arm and visit if there are several
// of each.
func (f *RepeatedFit) setFormula(columns []column) {
	byVisit := false
	for _, c := range columns {
		if n := len(f.Formula); n == 0 || f.Formula[n-1][0] != c.name() {
			f.Formula = append(f.Formula, Term{c.name()})
		}
		byVisit = byVisit || slices.Equal(c.term, baselineByVisit)
	}
	arms, visits := len(f.cell) > 1, 0
	for _, index := range f.Visits {
		if index >= 0 {
			visits++
		}
	}
	if arms {
		f.Formula = append(f.Formula, Term{"arm"})
	}
	if visits > 1 {
		f.Formula = append(f.Formula, Term{"visit"})
	}
	if byVisit {
		f.Formula = append(f.Formula, baselineByVisit)
	}
	if arms && visits > 1 {
		f.Formula = append(f.Formula, Term{"arm", "visit"})
	}
}
