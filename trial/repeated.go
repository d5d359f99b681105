package trial

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"github.com/t2map/t2map/trial/mmrm"
)

// Repeated is what the mixed model sees of a trial: the changes of its subjects at the
// visits after baseline.
type Repeated struct {
	// Arms is their number; the first, 0, is the reference.
	Arms int
	// Arm and Baseline of each subject.
	Arm      []int
	Baseline []float64
	// Change is subjects × visits after baseline, NaN where there is none.
	Change [][]float64
	// Covariates beside baseline, arm and visit.
	Covariates []Covariate
}

// Covariate is a property of each subject: a number, or the level of a factor.
type Covariate struct {
	Name string
	// Levels is the number of levels of a factor; 0 says that it is a number.
	Levels int
	// X holds each subject's number, or its level from 0 on; NaN where it is not known.
	X []float64
}

// RepeatedFit is the model of a trial: change = baseline + covariates + arm × visit, with
// a mean for each arm at each visit.
type RepeatedFit struct {
	*mmrm.Model
	// Fallbacks are the covariances that were left, and why.
	Fallbacks []string
	// BaselineMean is that of the observations, at which least-squares means stand.
	BaselineMean float64
	// Visits holds, for each visit after baseline, its place in Sigma, −1 where nobody has
	// a change.
	Visits []int
	// Terms are the columns but for those of arm and visit.
	Terms []string

	cell    [][]int   // by arm and visit: the column of X, −1 where nobody has a change
	average []float64 // the weights of a least-squares mean, but for its cell
}

// column is one column of X that is no cell.
type column struct {
	name    string
	subject []float64 // by subject
	average float64   // its value at which least-squares means stand
}

// Fit fits the model with the first covariance that the data carry (mmrm.FitFirst).
// Subjects without a baseline or a covariate are not in it, nor are
// columns that are the same for all, which Terms does not hold.
//
// Errors are those of mmrm, and that nobody has a change.
func (r Repeated) Fit(o mmrm.Options) (*RepeatedFit, error) {
	rows := r.rows()
	if len(rows) == 0 {
		return nil, fmt.Errorf("%w: nobody has a baseline, a later visit and the covariates", mmrm.ErrData)
	}
	f := &RepeatedFit{}
	columns := r.columns(rows, f)
	x, data := r.matrix(rows, columns, f)
	data.X = x
	var err error
	f.Model, f.Fallbacks, err = mmrm.FitFirst(data, o)
	return f, err
}

// rows returns subject and visit of each observation, by subject.
func (r Repeated) rows() [][2]int {
	var rows [][2]int
	for s, changes := range r.Change {
		known := !math.IsNaN(r.Baseline[s])
		for _, c := range r.Covariates {
			known = known && !math.IsNaN(c.X[s])
		}
		for v, change := range changes {
			if known && !math.IsNaN(change) {
				rows = append(rows, [2]int{s, v})
			}
		}
	}
	return rows
}

// columns returns baseline and covariates. Numbers are centred on the mean of the
// observations, where least-squares means stand; a factor has a column for each level but
// the first, and least-squares means give each level the same weight. Both as emmeans.
func (r Repeated) columns(rows [][2]int, f *RepeatedFit) []column {
	var columns []column
	add := func(c column) {
		first := c.subject[rows[0][0]]
		if slices.ContainsFunc(rows, func(row [2]int) bool { return c.subject[row[0]] != first }) {
			columns = append(columns, c)
			if !slices.Contains(f.Terms, c.name) {
				f.Terms = append(f.Terms, c.name)
			}
		}
	}
	var baseline column
	baseline, f.BaselineMean = centred("baseline", r.Baseline, rows)
	add(baseline)
	for _, c := range r.Covariates {
		if c.Levels == 0 {
			number, _ := centred(c.Name, c.X, rows)
			add(number)
			continue
		}
		for _, indicator := range c.indicators(rows) {
			add(indicator)
		}
	}
	return columns
}

// centred returns a number less its mean over the observations, and that mean.
func centred(name string, x []float64, rows [][2]int) (column, float64) {
	mean := 0.0
	for _, row := range rows {
		mean += x[row[0]]
	}
	mean /= float64(len(rows))
	c := column{name: name, subject: make([]float64, len(x))}
	for s := range x {
		c.subject[s] = x[s] - mean
	}
	return c, mean
}

// indicators returns a column for each level that is there, but the first.
func (c Covariate) indicators(rows [][2]int) []column {
	there := make([]bool, c.Levels)
	for _, row := range rows {
		there[int(c.X[row[0]])] = true
	}
	var levels []int
	for level, is := range there {
		if is {
			levels = append(levels, level)
		}
	}
	var columns []column
	for _, level := range levels[1:] {
		one := column{name: c.Name, subject: make([]float64, len(c.X)), average: 1 / float64(len(levels))}
		for s, x := range c.X {
			if x == float64(level) {
				one.subject[s] = 1
			}
		}
		columns = append(columns, one)
	}
	return columns
}

// matrix returns X — the columns, then one for each arm at each visit — and the rest of the data.
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
		f.cell[r.Arm[row[0]]][row[1]] = 0 // a place to be numbered
	}
	n := len(columns)
	for v, at := 0, 0; v < visits; v++ {
		f.Visits[v] = -1
		if seen[v] {
			f.Visits[v] = at
			at++
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
	var d mmrm.Data
	subject := -1
	for i, row := range rows {
		if i == 0 || row[0] != rows[i-1][0] {
			subject++
		}
		for j, c := range columns {
			x.Set(i, j, c.subject[row[0]])
		}
		x.Set(i, f.cell[r.Arm[row[0]]][row[1]], 1)
		d.Subject = append(d.Subject, subject)
		d.Visit = append(d.Visit, f.Visits[row[1]])
		d.Y = append(d.Y, r.Change[row[0]][row[1]])
	}
	return x, d
}

// nothing is an estimate that could not be had.
var nothing = mmrm.Estimate{Value: math.NaN(), SE: math.NaN(), DF: math.NaN(), T: math.NaN(), P: math.NaN(), Low: math.NaN(), High: math.NaN()}

// LSMean returns the least-squares mean of an arm at a visit after baseline, counted
// from 0; NaN where nobody of the arm has a change there.
func (f *RepeatedFit) LSMean(arm, visit int) mmrm.Estimate {
	at := f.cell[arm][visit]
	if at < 0 {
		return nothing
	}
	l := slices.Clone(f.average)
	l[at] = 1
	return f.Contrast(l)
}

// Difference returns the difference of an arm's least-squares mean to the reference's at a
// visit; NaN where nobody of the one or the other has a change there.
func (f *RepeatedFit) Difference(arm, visit int) mmrm.Estimate {
	at, reference := f.cell[arm][visit], f.cell[0][visit]
	if at < 0 || reference < 0 {
		return nothing
	}
	l := make([]float64, len(f.average))
	l[at], l[reference] = 1, -1
	return f.Contrast(l)
}

// formula writes the model in words; arms and visits that there are several of.
func (f *RepeatedFit) formula() string {
	arms := len(f.cell)
	visits := 0
	for _, at := range f.Visits {
		if at >= 0 {
			visits++
		}
	}
	terms := slices.Clone(f.Terms)
	if arms > 1 {
		terms = append(terms, "arm")
	}
	if visits > 1 {
		terms = append(terms, "visit")
	}
	if arms > 1 && visits > 1 {
		terms = append(terms, "arm:visit")
	}
	return "change ~ " + cmp.Or(strings.Join(terms, " + "), "1")
}
