package mmrm

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// simulated draws a trial of y = base slope + arm × visit + AR(1)-like errors; keep
// says which of subject and visit stay.
func simulated(rng *rand.Rand, arms, perArm, visits int, keep func(subject, visit int) bool) []observation {
	var rows []observation
	for s := range arms * perArm {
		base := 40 + 4*rng.NormFloat64()
		e := rng.NormFloat64()
		for v := range visits {
			e = 0.6*e + 0.8*rng.NormFloat64()
			y := -0.3*(base-40) + 0.4*float64(v*(s/perArm)) + 2*e*(1+0.2*float64(v))
			if keep == nil || keep(s, v) {
				rows = append(rows, observation{subject: s, arm: s / perArm, visit: v, base: base, y: y})
			}
		}
	}
	return rows
}

func everyKind(t *testing.T, test func(t *testing.T, o Options)) {
	for c := Unstructured; c <= CompoundSymmetry; c++ {
		for _, df := range []DF{KenwardRoger, Satterthwaite} {
			t.Run(fmt.Sprint(c, ", ", df), func(t *testing.T) { test(t, Options{Covariance: c, DF: df}) })
		}
	}
}

func relative(t *testing.T, name string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance*math.Max(math.Abs(want), 1e-300)) {
		t.Errorf("%s is %.12g, want %.12g", name, got, want)
	}
}

func difference(l layout, arm, visit int) []float64 {
	out := l.mean(arm, visit)
	for i, x := range l.mean(0, visit) {
		out[i] -= x
	}
	return out
}

// TestOneVisit: with one visit every structure is ordinary least squares, with n − p
// degrees of freedom.
func TestOneVisit(t *testing.T) {
	rows := simulated(rand.New(rand.NewPCG(1, 0)), 2, 9, 1, nil)
	d, l := assemble(rows)
	n, p := d.X.Dims()
	var q mat.QR
	q.Factorize(d.X)
	var beta mat.VecDense
	if err := q.SolveVecTo(&beta, false, mat.NewVecDense(n, d.Y)); err != nil {
		t.Fatal(err)
	}
	var r mat.VecDense
	r.MulVec(d.X, &beta)
	r.SubVec(mat.NewVecDense(n, d.Y), &r)
	s2 := mat.Dot(&r, &r) / float64(n-p)
	var gram, inverse mat.Dense
	gram.Mul(d.X.T(), d.X)
	if err := inverse.Inverse(&gram); err != nil {
		t.Fatal(err)
	}
	everyKind(t, func(t *testing.T, o Options) {
		m, err := Fit(d, o)
		if err != nil {
			t.Fatal(err)
		}
		e := m.Contrast(difference(l, 1, 0))
		relative(t, "difference", e.Value, beta.AtVec(2), 1e-10)
		relative(t, "standard error", e.SE, math.Sqrt(s2*inverse.At(2, 2)), 1e-9)
		relative(t, "degrees of freedom", e.DF, float64(n-p), 1e-9)
		relative(t, "variance", m.Sigma.At(0, 0), s2, 1e-9)
	})
}

// TestComplete: with complete data, an unstructured covariance and separate effects for each visit, the
// estimates of a visit are those of its data alone: the t test with equal variances and, with a slope for
// each visit, the analysis of covariance. The
// degrees of freedom of both methods are theirs, and the adjustment is nothing.
func TestComplete(t *testing.T) {
	const perArm, visits = 8, 3
	rows := simulated(rand.New(rand.NewPCG(2, 0)), 2, perArm, visits, nil)
	d := Data{X: mat.NewDense(len(rows), 2*visits, nil)}
	for i, o := range rows {
		d.Subject, d.Visit, d.Y = append(d.Subject, o.subject), append(d.Visit, o.visit), append(d.Y, o.y)
		d.X.Set(i, o.visit, 1)
		d.X.Set(i, visits+o.visit, float64(o.arm))
	}
	slopes := d
	slopes.X = mat.NewDense(len(rows), 3*visits, nil)
	slopes.X.Slice(0, len(rows), 0, 2*visits).(*mat.Dense).Copy(d.X)
	for i, o := range rows {
		slopes.X.Set(i, 2*visits+o.visit, o.base)
	}
	for _, df := range []DF{KenwardRoger, Satterthwaite} {
		m, err := Fit(d, Options{DF: df})
		if err != nil {
			t.Fatal(err)
		}
		ancova, err := Fit(slopes, Options{DF: df})
		if err != nil {
			t.Fatal(err)
		}
		for v := range visits {
			var arms [2][]float64
			one := Data{}
			var x []float64
			for _, o := range rows {
				if o.visit == v {
					arms[o.arm] = append(arms[o.arm], o.y)
					one.Subject, one.Visit, one.Y = append(one.Subject, o.subject), append(one.Visit, 0),
						append(one.Y, o.y)
					x = append(x, 1, float64(o.arm), o.base)
				}
			}
			one.X = mat.NewDense(len(one.Y), 3, x)
			m0, v0 := stat.MeanVariance(arms[0], nil)
			m1, v1 := stat.MeanVariance(arms[1], nil)
			e := m.Contrast(unit(2*visits, visits+v))
			relative(t, "difference", e.Value, m1-m0, 1e-9)
			relative(t, "standard error", e.SE, math.Sqrt((v0+v1)/perArm), 1e-7)
			relative(t, "degrees of freedom", e.DF, 2*perArm-2, 1e-6)

			alone, err := Fit(one, Options{DF: df})
			if err != nil {
				t.Fatal(err)
			}
			want, got := alone.Contrast(unit(3, 1)), ancova.Contrast(unit(3*visits, visits+v))
			relative(t, "ANCOVA difference", got.Value, want.Value, 1e-7)
			relative(t, "ANCOVA standard error", got.SE, want.SE, 1e-7)
			relative(t, "ANCOVA degrees of freedom", got.DF, want.DF, 1e-6)
		}
	}
}

func unit(n, i int) []float64 {
	l := make([]float64, n)
	l[i] = 1
	return l
}

// TestUnits: y → a·y + Xb, and other units and origins of the baseline, transform the results accordingly.
func TestUnits(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 0))
	rows := simulated(rng, 2, 12, 3, func(s, v int) bool { return (s*5+v*3)%7 != 0 })
	d, l := assemble(rows)
	l2 := difference(l, 1, 2)
	everyKind(t, func(t *testing.T, o Options) {
		m, err := Fit(d, o)
		if err != nil {
			t.Fatal(err)
		}
		want := m.Contrast(l2)
		for _, a := range []float64{1e-6, -3, 1e7} {
			moved := d
			moved.Y = slices.Clone(d.Y)
			add := 0.0
			for i := range moved.Y {
				moved.Y[i] *= a
				row := d.X.RawRowView(i)
				for c, x := range row {
					moved.Y[i] += a * float64(c-3) * x
				}
			}
			for c, x := range l2 {
				add += a * float64(c-3) * x
			}
			m2, err := Fit(moved, o)
			if err != nil {
				t.Fatal(err)
			}
			got := m2.Contrast(l2)
			relative(t, "value", got.Value, a*want.Value+add, 1e-8)
			relative(t, "standard error", got.SE, math.Abs(a)*want.SE, 1e-7)
			relative(t, "degrees of freedom", got.DF, want.DF, 1e-6)
			n, p := d.X.Dims()
			relative(t, "log-likelihood", m2.LogLik, m.LogLik-float64(n-p)*math.Log(math.Abs(a)), 1e-9)
		}
		for _, shift := range []float64{0, 1e5} {
			moved := d
			moved.X = mat.DenseCopyOf(d.X)
			for i := range d.Y {
				moved.X.Set(i, 1, 1e3*d.X.At(i, 1)+shift)
			}
			m2, err := Fit(moved, o)
			if err != nil {
				t.Fatal(err)
			}
			got := m2.Contrast(l2)
			relative(t, "value, baseline in other units", got.Value, want.Value, 1e-7)
			relative(t, "standard error, baseline in other units", got.SE, want.SE, 1e-7)
			relative(t, "slope", m2.Beta[1], m.Beta[1]/1e3, 1e-6)
			weights := func(slope, other float64) []float64 {
				l := make([]float64, len(m.Beta))
				l[1], l[2] = slope, other
				return l
			}
			relative(t, "error of the slope", m2.Contrast(weights(1e3, 0)).SE, m.Contrast(weights(1, 0)).SE, 1e-6)
			relative(t, "error of a sum of effects", m2.Contrast(weights(1e3, 1)).SE, m.Contrast(weights(1, 1)).SE, 1e-5)
		}
	})
}

// TestOrderOfRows: results are the same, bit by bit, for any order of rows.
func TestOrderOfRows(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 0))
	rows := simulated(rng, 3, 7, 3, func(s, v int) bool { return s%4 != 0 || v != 1 })
	d, l := assemble(rows)
	everyKind(t, func(t *testing.T, o Options) {
		m, err := Fit(d, o)
		if err != nil {
			t.Fatal(err)
		}
		var shuffled Data
		shuffled.X = mat.NewDense(len(rows), l.columns(), nil)
		for k, i := range rng.Perm(len(rows)) {
			shuffled.Subject = append(shuffled.Subject, d.Subject[i])
			shuffled.Visit = append(shuffled.Visit, d.Visit[i])
			shuffled.Y = append(shuffled.Y, d.Y[i])
			shuffled.X.SetRow(k, d.X.RawRowView(i))
		}
		m2, err := Fit(shuffled, o)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := m2.Contrast(difference(l, 2, 2)),
			m.Contrast(difference(l, 2, 2)); math.Abs(got.P-want.P) > 1e-9 {
			t.Errorf("%+v, was %+v", got, want)
		}
	})
}

// TestDerivatives compares gradient and observed information with differences of −2ℓ, and the derivatives
// of Σ with differences of Σ.
func TestDerivatives(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 0))
	rows := simulated(rng, 2, 8, 4, func(s, v int) bool { return (s+2*v)%5 != 0 })
	d, _ := assemble(rows)
	p, err := prepare(d)
	if err != nil {
		t.Fatal(err)
	}
	for c := Unstructured; c <= CompoundSymmetry; c++ {
		moments, err := p.moments(c)
		if err != nil {
			t.Fatal(err)
		}
		f := newLikelihood(p, c)
		theta := f.shape.start(moments)
		for j := range theta {
			theta[j] *= 1 + 0.1*rng.Float64() // not where anything is by chance zero
		}
		// value takes −2ℓ, then its gradient, then Σ, at θ + h in direction j.
		value := func(j int, h float64) []float64 {
			moved := slices.Clone(theta)
			moved[j] += h
			v, ok := f.eval(moved)
			if !ok {
				t.Fatalf("%v: not positive definite", c)
			}
			f.derive()
			out := append([]float64{v}, f.gradient...)
			for _, e := range f.d {
				dense := make([]float64, p.visits*p.visits)
				gather(dense, 1, e, p.visits)
				out = append(out, dense...)
			}
			return append(out, f.sigma...)
		}
		value(0, 0)
		gradient, observed := slices.Clone(f.gradient), slices.Clone(f.observed)
		q := len(theta)
		for j := range theta {
			const h = 1e-5
			up, down := value(j, h), value(j, -h)
			slope := make([]float64, len(up))
			for i := range up {
				slope[i] = (up[i] - down[i]) / (2 * h)
			}
			value(0, 0)
			compare := func(name string, got, want float64) {
				t.Helper()
				if math.Abs(got-want) > 1e-5*(1+math.Abs(want)) {
					t.Errorf("%v, %s by θ%d is %v, differences say %v", c, name, j, got, want)
				}
			}
			compare("−2ℓ", gradient[j], slope[0])
			for k := range theta {
				compare(fmt.Sprintf("gradient %d", k), observed[j*q+k], slope[1+k])
				dense := make([]float64, p.visits*p.visits)
				gather(dense, 1, f.shape.second(f.theta, j, k, nil), p.visits)
				for i, got := range dense {
					compare(fmt.Sprintf("derivative %d of Σ", k), got, slope[1+q+k*len(dense)+i])
				}
			}
			dense := make([]float64, p.visits*p.visits)
			gather(dense, 1, f.d[j], p.visits)
			for i, got := range dense {
				if i%p.visits >= i/p.visits { // the upper triangle
					compare("Σ", got, slope[len(slope)-len(dense)+i])
				}
			}
		}
	}
}

// TestExpectedInformation: the expected information is the mean of the observed information over data drawn
// from the model.
func TestExpectedInformation(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 0))
	rows := simulated(rng, 2, 6, 2, func(s, v int) bool { return s%5 != 0 || v == 0 })
	const draws = 20000
	for _, c := range []Covariance{Unstructured, HeterogeneousCS, AR1, CompoundSymmetry} {
		d, _ := assemble(rows)
		p, err := prepare(d)
		if err != nil {
			t.Fatal(err)
		}
		f := newLikelihood(p, c)
		theta := map[Covariance][]float64{
			Unstructured: {1, 0.5, 2}, HeterogeneousCS: {1, 2, 0.4}, AR1: {1.5, 0.5}, CompoundSymmetry: {0.5, 1},
		}[c]
		f.eval(theta)
		factor := make([]float64, 4)
		cholesky(f.sigma, factor, 2)
		mean := make([]float64, f.q*f.q)
		for range draws {
			for _, b := range p.patterns {
				for _, first := range b.rows {
					z0, z1 := rng.NormFloat64(), rng.NormFloat64()
					p.y[first] = factor[0] * z0
					if len(b.visits) > 1 {
						p.y[first+1] = factor[2]*z0 + factor[3]*z1
					}
				}
			}
			f.eval(theta)
			f.derive()
			for i, o := range f.observed {
				mean[i] += o / draws
			}
		}
		for i, want := range f.expected {
			scale := math.Sqrt(f.expected[i/f.q*(f.q+1)] * f.expected[i%f.q*(f.q+1)])
			if math.Abs(mean[i]-want) > 0.03*scale {
				t.Errorf("%v: observed information %d is %v in the mean, expected %v", c, i, mean[i], want)
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 0))
	good := simulated(rng, 2, 12, 3, nil)
	change := func(f func(d *Data)) Data {
		d, _ := assemble(good)
		d.Subject, d.Visit = slices.Clone(d.Subject), slices.Clone(d.Visit)
		f(&d)
		return d
	}
	dataOf := func(rows []observation) Data { d, _ := assemble(rows); return d }
	flat := slices.Clone(good)
	for i := range flat {
		flat[i].y = 3
	}
	atOne := slices.Clone(good)
	for i := range atOne {
		if atOne[i].visit == 1 {
			atOne[i].y = 7
		}
	}
	for _, c := range []struct {
		name string
		d    Data
		want error
		says string
	}{
		{"no rows", Data{}, ErrData, "no observation"},
		{"lengths", change(func(d *Data) { d.Visit = d.Visit[1:] }), ErrData, "rows of X"},
		{"a gap in subjects", change(func(d *Data) { d.Subject[0], d.Subject[1], d.Subject[2] = 30, 30, 30 }), ErrData,
			"without gaps"},
		{"a negative visit", change(func(d *Data) { d.Visit[0] = -1 }), ErrData, "numbers from 0"},
		{"a huge visit", change(func(d *Data) { d.Visit[0] = math.MaxInt }), ErrData, "numbers from 0"},
		{"not a number", change(func(d *Data) { d.Y[4] = math.NaN() }), ErrData, "not a number"},
		{"infinite baseline", change(func(d *Data) { d.X.Set(4, 1, math.Inf(1)) }), ErrData, "not a number"},
		{"twice at a visit", change(func(d *Data) { d.Visit[1] = 0 }), ErrData, "subject 1 appears twice at visit 1"},
		{"a column twice", change(func(d *Data) {
			for i := range d.Y {
				d.X.Set(i, 3, d.X.At(i, 1)*2)
			}
		}), ErrRank, "column 4 of X"},
		{"a column of zeros", change(func(d *Data) {
			for i := range d.Y {
				d.X.Set(i, 2, 0)
			}
		}), ErrRank, "column 3"},
		{"two rows", dataOf(good[:2]), ErrRank, "2 observations"},
		{"nothing varies", dataOf(flat), ErrSingular, "residuals are zero"},
		{"nothing varies at a visit", dataOf(atOne), ErrSingular, "visit 2"},
		{"one visit of each", dataOf(simulated(rng, 2, 12, 2, func(s, v int) bool { return s%2 == v })), ErrSingular,
			"0 subjects have both"},
		{"two in each arm", dataOf(simulated(rng, 2, 2, 2, nil)), ErrSingular, "are 1, for 2 visits"},
		{"200 visits", dataOf(simulated(rng, 2, 12, 200, nil)), ErrSingular, "24 subjects for 200 visits"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Fit(c.d, Options{})
			if !errors.Is(err, c.want) || !strings.Contains(fmt.Sprint(err), c.says) {
				t.Errorf("%v, want %v and %q", err, c.want, c.says)
			}
		})
	}
}

func TestFitFirst(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 0))
	d, l := assemble(simulated(rng, 2, 12, 200, nil))
	m, rejected, err := FitFirst(d, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if m.Covariance != AR1 || len(rejected) != 2 || rejected[0].Covariance != Unstructured ||
		!strings.HasPrefix(rejected[0].Reason, "the covariance cannot") ||
		rejected[1].Covariance != HeterogeneousCS {
		t.Errorf("%v after %q", m.Covariance, rejected)
	}
	if e := m.Contrast(difference(l, 1, 199)); !(e.SE > 0) || !(e.DF > 10) {
		t.Errorf("last visit: %+v", e)
	}

	d, _ = assemble(simulated(rng, 2, 12, 3, nil))
	if m, rejected, err := FitFirst(d, Options{}); err != nil || m.Covariance != Unstructured || rejected != nil {
		t.Errorf("%v, %q, %v", m, rejected, err)
	}
	if m, _, err := FitFirst(d, Options{Covariance: AR1}); err != nil || m.Covariance != AR1 {
		t.Errorf("%v, %v", m, err)
	}
	for i := range d.Y {
		d.Y[i] = 1
	}
	if _, _, err := FitFirst(d, Options{}); !errors.Is(err, ErrSingular) {
		t.Errorf("%v", err)
	}
	d, _ = assemble(simulated(rng, 2, 12, 2, func(s, v int) bool { return s%2 == v }))
	if _, rejected, err := FitFirst(d, Options{}); !errors.Is(err, ErrSingular) || len(rejected) != 4 {
		t.Errorf("%q, %v", rejected, err)
	}
}

// checkModel says what may not be in a model.
func checkModel(t *testing.T, m *Model, l []float64) {
	t.Helper()
	for i := range m.Beta {
		e := m.Contrast(unit(len(m.Beta), i))
		for _, x := range []float64{e.Value, e.SE, e.DF, e.T, e.P, e.Low, e.High, m.LogLik} {
			if math.IsNaN(x) {
				t.Fatalf("effect %d: %+v", i, e)
			}
		}
		if e.P < 0 || e.P > 1 || e.Low > e.Value || e.High < e.Value {
			t.Fatalf("effect %d: %+v", i, e)
		}
	}
	var factor mat.Cholesky
	if !factor.Factorize(m.Sigma) {
		t.Fatalf("Σ is not positive definite: %v", mat.Formatted(m.Sigma))
	}
	if e := m.Contrast(make([]float64, len(l))); e.Value != 0 || e.SE != 0 || !math.IsNaN(e.P) {
		t.Fatalf("nothing: %+v", e)
	}
}

// FuzzFit: small trials of any pattern result in a model without NaN, or in one of the errors.
func FuzzFit(f *testing.F) {
	for seed := range uint64(50) {
		f.Add(seed, uint8(seed%4), uint8(2+seed%3), uint8(1+seed%7), uint8(1+seed%5), uint8(seed*37))
	}
	f.Fuzz(func(t *testing.T, seed uint64, kind, arms, perArm, visits, missing uint8) {
		rng := rand.New(rand.NewPCG(seed, 1))
		rows := simulated(rng, 1+int(arms%4), 1+int(perArm%12), 1+int(visits%6), func(int, int) bool {
			return rng.IntN(256) >= int(missing)
		})
		switch seed % 5 { // values that coincide
		case 0:
			for i := range rows {
				rows[i].y = math.Round(rows[i].y / 4)
			}
		case 1:
			for i := range rows {
				rows[i].y = math.Round(rows[i].y/4) * 1e300
			}
		}
		if len(rows) == 0 {
			return
		}
		d, l := assemble(rows)
		o := Options{Covariance: Covariance(kind % 4), DF: DF(kind / 4 % 2)}
		m, err := Fit(d, o)
		if err != nil {
			for _, known := range []error{ErrData, ErrRank, ErrSingular, ErrNotConverged} {
				if errors.Is(err, known) {
					return
				}
			}
			t.Fatalf("an error of no kind: %v", err)
		}
		checkModel(t, m, l.mean(0, 0))
	})
}

func BenchmarkFit(b *testing.B) {
	for _, c := range []struct {
		name           string
		perArm, visits int
		kind           Covariance
	}{
		{"12perArm2visits", 12, 2, Unstructured},
		{"12perArm4visits", 12, 4, Unstructured},
		{"12perArm200visitsAR1", 12, 200, AR1},
	} {
		b.Run(c.name, func(b *testing.B) {
			d, l := assemble(simulated(rand.New(rand.NewPCG(9, 0)), 2, c.perArm, c.visits,
				func(s, v int) bool { return s%5 != 0 || v != 1 }))
			contrast := difference(l, 1, c.visits-1)
			b.ReportAllocs()
			for b.Loop() {
				m, err := Fit(d, Options{Covariance: c.kind})
				if err != nil {
					b.Fatal(err)
				}
				m.Contrast(contrast)
			}
		})
	}
}

// AR1 counts by planned places: a visit without data is a step, too.
func TestPlacesOfAR1(t *testing.T) {
	s := structure{kind: AR1, visits: 3, place: []int{0, 2, 3}}
	got := make([]float64, 9)
	theta := []float64{4, 0.5}
	s.sigma(theta, got)
	want := []float64{4, 1, 0.5, 1, 4, 2, 0.5, 2, 4}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	const h = 1e-5
	for j := range theta {
		up, down := slices.Clone(theta), slices.Clone(theta)
		up[j], down[j] = up[j]+h, down[j]-h
		high, low := make([]float64, 9), make([]float64, 9)
		s.sigma(up, high)
		s.sigma(down, low)
		for _, e := range s.derivative(theta, j, nil) {
			if slope := (high[e.a*3+e.b] - low[e.a*3+e.b]) / (2 * h); math.Abs(slope-e.v) > 1e-8 {
				t.Errorf("by parameter %d at %d, %d: %g, want %g", j, e.a, e.b, e.v, slope)
			}
		}
	}
	d := Data{Subject: []int{0, 1}, Visit: []int{0, 0}, X: mat.NewDense(2, 1, []float64{1, 1}), Y: []float64{1, 2},
		Place: []int{3, 1}}
	if _, err := Fit(d, Options{}); !errors.Is(err, ErrData) {
		t.Errorf("places of other visits: %v", err)
	}
}
