package mmrm

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// problem is the data in the form in which they are fitted: rows by subject and visit, subjects with the
// same visits together, and X sparse. y and the columns of X are scaled by their spread and shifted, so
// that the fit does not depend on the unit or the origin of y or of a covariate.
type problem struct {
	visits, params, subjects int
	visitNames               []string
	place                    []int
	// y are the residuals of the fit by ordinary least squares, divided by unit.
	y    []float64
	unit float64
	// Row i of X has the entries first[i] to before first[i+1].
	first  []int
	column []int
	value  []float64

	patterns []pattern
	back     transform
	// logScale is the term of the log-likelihood that the scales of y and X remove.
	logScale float64
}

// pattern is a set of visits, and the first row of each subject with exactly these visits.
type pattern struct {
	visits []int
	rows   []int
}

// transform converts the inner parameters β' to those of X:
// β = origin + unit·Tβ', T = (I − constant·centreᵀ)·diag(1/scale).
type transform struct {
	origin, constant, centre, scale []float64
	unit                            float64
}

// weights converts weights l of β to weights of β'.
func (t *transform) weights(l []float64) []float64 {
	out := slices.Clone(l)
	floats.AddScaled(out, -floats.Dot(t.constant, l), t.centre)
	floats.Div(out, t.scale)
	return out
}

// apply puts Tv into v.
func (t *transform) apply(v []float64) {
	floats.Div(v, t.scale)
	floats.AddScaled(v, -floats.Dot(t.centre, v), t.constant)
}

func prepare(d Data) (*problem, error) {
	p := &problem{visitNames: d.VisitNames, place: d.Place}
	order, err := p.order(d)
	if err != nil {
		return nil, err
	}
	p.sparse(d, order)
	p.centre()
	if err := p.scaleColumns(); err != nil {
		return nil, err
	}
	if err := p.leastSquares(); err != nil {
		return nil, err
	}
	return p, nil
}

// order checks the rows and returns their order by pattern, subject and visit.
func (p *problem) order(d Data) ([]int, error) {
	if err := check(d); err != nil {
		return nil, err
	}
	n := len(d.Y)
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		return cmp.Or(cmp.Compare(d.Subject[i], d.Subject[j]), cmp.Compare(d.Visit[i], d.Visit[j]))
	})
	var subjects [][]int // the rows of each, in the order of its visits
	start := 0
	for k, i := range order {
		p.visits = max(p.visits, d.Visit[i]+1)
		switch {
		case k+1 == n || d.Subject[order[k+1]] != d.Subject[i]:
			subjects, start = append(subjects, order[start:k+1]), k+1
		case d.Visit[order[k+1]] == d.Visit[i]:
			return nil, fmt.Errorf("%w: subject %d appears twice at %s", ErrData, d.Subject[i]+1,
				visitName(d.VisitNames, d.Visit[i]))
		}
	}
	if p.place != nil && (len(p.place) != p.visits || !slices.IsSorted(p.place) ||
		len(slices.Compact(slices.Clone(p.place))) != p.visits) {
		return nil, fmt.Errorf("%w: places %v of %d visits", ErrData, p.place, p.visits)
	}
	p.subjects = len(subjects)
	byVisits := func(a, b []int) int {
		return slices.CompareFunc(a, b, func(i, j int) int { return cmp.Compare(d.Visit[i], d.Visit[j]) })
	}
	slices.SortStableFunc(subjects, byVisits)
	sorted := make([]int, 0, n)
	for s, rows := range subjects {
		if s == 0 || byVisits(subjects[s-1], rows) != 0 {
			visits := make([]int, len(rows))
			for k, i := range rows {
				visits[k] = d.Visit[i]
			}
			p.patterns = append(p.patterns, pattern{visits: visits})
		}
		last := &p.patterns[len(p.patterns)-1]
		last.rows = append(last.rows, len(sorted))
		sorted = append(sorted, rows...)
	}
	return sorted, nil
}

func check(d Data) error {
	n := len(d.Y)
	if n == 0 || d.X == nil {
		return fmt.Errorf("%w: no observation", ErrData)
	}
	rows, columns := d.X.Dims()
	if len(d.Subject) != n || len(d.Visit) != n || rows != n {
		return fmt.Errorf("%w: %d values, %d subjects, %d visits, %d rows of X", ErrData, n, len(d.Subject),
			len(d.Visit), rows)
	}
	if n <= columns {
		return fmt.Errorf("%w: %d observations for %d effects", ErrRank, n, columns)
	}
	for i, y := range d.Y {
		if math.IsNaN(y) || math.IsInf(y, 0) {
			return fmt.Errorf("%w: value %d is not a number", ErrData, i+1)
		}
		for _, x := range d.X.RawRowView(i) {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return fmt.Errorf("%w: row %d of X has a value that is not a number", ErrData, i+1)
			}
		}
	}
	if err := counted("subject", d.Subject); err != nil {
		return err
	}
	return counted("visit", d.Visit)
}

// counted checks that x holds 0 … max without gaps.
func counted(name string, x []int) error {
	seen := make([]bool, len(x))
	top := 0
	for _, v := range x {
		if v < 0 || v >= len(x) {
			return fmt.Errorf("%w: %s %d: want numbers from 0 without gaps", ErrData, name, v)
		}
		seen[v] = true
		top = max(top, v)
	}
	if k := slices.Index(seen[:top+1], false); k >= 0 {
		return fmt.Errorf("%w: no row has %s %d: want numbers from 0 without gaps", ErrData, name, k)
	}
	return nil
}

// sparse stores y and the nonzero entries of X in an order of rows.
func (p *problem) sparse(d Data, order []int) {
	n, columns := d.X.Dims()
	p.params = columns
	p.y = make([]float64, n)
	p.first = make([]int, n+1)
	for k, i := range order {
		p.y[k] = d.Y[i]
		for _, x := range d.X.RawRowView(i) {
			if x != 0 {
				p.first[k+1]++
			}
		}
		p.first[k+1] += p.first[k]
	}
	p.column = make([]int, 0, p.first[n])
	p.value = make([]float64, 0, p.first[n])
	for _, i := range order {
		for c, x := range d.X.RawRowView(i) {
			if x != 0 {
				p.column = append(p.column, c)
				p.value = append(p.value, x)
			}
		}
	}
	slab := make([]float64, 4*columns)
	p.back = transform{
		origin: slab[:columns], constant: slab[columns : 2*columns],
		centre: slab[2*columns : 3*columns], scale: slab[3*columns:],
	}
}

// row returns the entries of row i.
func (p *problem) row(i int) ([]int, []float64) {
	a, b := p.first[i], p.first[i+1]
	return p.column[a:b:b], p.value[a:b:b]
}

// centre shifts columns without zeros that vary, such as a baseline or an age, to mean 0, if the other
// columns contain a constant: 1 = X·constant.
func (p *problem) centre() {
	n := len(p.y)
	low, high := slices.Repeat([]float64{math.Inf(1)}, p.params), slices.Repeat([]float64{math.Inf(-1)}, p.params)
	count, mean := make([]int, p.params), p.back.centre
	for k, c := range p.column {
		low[c], high[c] = min(low[c], p.value[k]), max(high[c], p.value[k])
		count[c]++
		mean[c] += p.value[k] / float64(n)
	}
	varies := false
	for c := range p.params {
		if count[c] == n && low[c] != high[c] {
			varies = true
		} else {
			mean[c] = 0
		}
	}
	if !varies || !p.findConstant(low, high) {
		clear(mean)
		clear(p.back.constant)
		return
	}
	for k, c := range p.column {
		p.value[k] -= mean[c]
	}
}

// findConstant solves X·constant = 1 with the columns that have a single value other than zero. It
// reports whether there is a solution.
func (p *problem) findConstant(low, high []float64) bool {
	n := p.params
	gram := make([]float64, n*n)
	right := make([]float64, n)
	for i := range p.y {
		columns, values := p.row(i)
		for k, a := range columns {
			if low[a] != high[a] {
				continue
			}
			right[a] += values[k]
			for l, b := range columns {
				if low[b] == high[b] {
					gram[a*n+b] += values[k] * values[l]
				}
			}
		}
	}
	skip := dependent(gram, n)
	for a := range n {
		if skip[a] {
			for b := range n {
				gram[a*n+b], gram[b*n+a] = 0, 0
			}
			gram[a*n+a], right[a] = 1, 0
		}
	}
	if _, _, ok := invert(gram, make([]float64, n*n), n); !ok {
		return false
	}
	mulVec(p.back.constant, gram, right)
	for i := range p.y {
		columns, values := p.row(i)
		sum := 0.0
		for k, c := range columns {
			sum += values[k] * p.back.constant[c]
		}
		if math.Abs(sum-1) > 1e-9 {
			return false
		}
	}
	return true
}

// smallPivot is the smallest part of a column's square that other columns may leave unexplained:
// 3·10⁻⁶ of its length. Below it the column counts as a combination of the others. R's lm, which uses
// the more exact QR, has 10⁻⁷.
const smallPivot = 1e-11

// dependent reports which columns, whose products are gram, are combinations of the columns before
// them.
func dependent(gram []float64, n int) []bool {
	l := make([]float64, n*n)
	skip := make([]bool, n)
	for i := range n {
		ri := l[i*n : i*n+n]
		for j := range i {
			if !skip[j] {
				ri[j] = (gram[i*n+j] - floats.Dot(ri[:j], l[j*n:j*n+j])) / l[j*n+j]
			}
		}
		d := gram[i*n+i] - floats.Dot(ri[:i], ri[:i])
		if !(d > smallPivot*gram[i*n+i]) {
			skip[i] = true
			clear(ri)
			continue
		}
		ri[i] = math.Sqrt(d)
	}
	return skip
}

// scaleColumns gives every column a mean square of 1.
func (p *problem) scaleColumns() error {
	scale := p.back.scale
	for k, c := range p.column {
		scale[c] = math.Hypot(scale[c], p.value[k])
	}
	for c := range scale {
		scale[c] /= math.Sqrt(float64(len(p.y)))
		if scale[c] == 0 || math.IsInf(scale[c], 0) {
			return fmt.Errorf("%w: column %d of X is zero, or too large", ErrRank, c+1)
		}
		p.logScale += math.Log(scale[c])
	}
	for k, c := range p.column {
		p.value[k] /= scale[c]
	}
	return nil
}

// leastSquares replaces y by its residuals in units of their standard deviation.
func (p *problem) leastSquares() error {
	n := p.params
	gram := make([]float64, n*n)
	p.gram(gram, func(int) bool { return true })
	if skip := slices.Index(dependent(gram, n), true); skip >= 0 {
		return fmt.Errorf("%w: column %d of X is a combination of the columns before it", ErrRank, skip+1)
	}
	if _, _, ok := invert(gram, make([]float64, n*n), n); !ok {
		return fmt.Errorf("%w: they are almost combinations of each other", ErrRank)
	}
	size := floats.Norm(p.y, 2)
	right, step := make([]float64, n), make([]float64, n)
	// The second pass removes the rounding error of the first.
	for range 2 {
		clear(right)
		for i, y := range p.y {
			columns, values := p.row(i)
			for k, c := range columns {
				right[c] += values[k] * y
			}
		}
		mulVec(step, gram, right)
		floats.Add(p.back.origin, step)
		for i := range p.y {
			columns, values := p.row(i)
			for k, c := range columns {
				p.y[i] -= values[k] * step[c]
			}
		}
	}
	// The residual of an exact fit is about 10⁻¹⁵ of y times the condition of X.
	remainder := floats.Norm(p.y, 2)
	if !(remainder > 1e-11*size) || math.IsInf(remainder, 0) {
		return fmt.Errorf("%w: the residuals are zero", ErrSingular)
	}
	p.unit = remainder / math.Sqrt(float64(len(p.y)-n))
	floats.Scale(1/p.unit, p.y)
	p.back.unit = p.unit
	p.back.apply(p.back.origin)
	p.logScale += float64(len(p.y)-n) * math.Log(p.unit)
	return nil
}

// gram adds xxᵀ of the wanted rows to dst.
func (p *problem) gram(dst []float64, want func(row int) bool) {
	for i := range p.y {
		if !want(i) {
			continue
		}
		columns, values := p.row(i)
		for k, a := range columns {
			for l, b := range columns {
				dst[a*p.params+b] += values[k] * values[l]
			}
		}
	}
}
