package figures

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/t2map/t2map/trial"
	"github.com/t2map/t2map/trial/mmrm"
)

// shape is what a made-up trial is like.
type shape struct {
	arms, perArm int
	months       []float64
	compartments int
	scores       int
	missing      float64 // share of values
	flags        int
	seed         uint64
}

var founding = shape{arms: 2, perArm: 12, months: []float64{0, 3, 12}, compartments: 3, scores: 3, missing: 0.08, flags: 3, seed: 1}

// trialOf makes up an analysis, the same for the same shape: values at random, figures
// of them as the analysis has them, and models and tests that look like such.
func trialOf(s shape) trial.Analysis {
	rng := rand.New(rand.NewPCG(s.seed, 5))
	a := trial.Analysis{Design: trial.Design{Name: "DEMO", Primary: trial.Primary{Visit: len(s.months) - 1}}}
	a.Design.Arms = []string{"Control", "Cell therapy", "Dose B", "Dose C", "Dose D", "Dose E"}[:s.arms]
	for _, m := range s.months {
		a.Design.Visits = append(a.Design.Visits, trial.Visit{Name: fmt.Sprintf("month%g", m), Month: m})
	}
	for n := range s.arms * s.perArm {
		a.Design.Subjects = append(a.Design.Subjects, trial.Subject{ID: fmt.Sprintf("S%03d", n+1), Arm: n % s.arms, Age: math.NaN(), BMI: math.NaN()})
	}
	kinds := []trial.Flag{
		{Kind: trial.ScannerChange, Text: "another scanner than at baseline"},
		{Kind: trial.TwoStudies, Text: "two studies, neither is taken"},
		{Kind: trial.ProtocolChange, Text: "echo spacing 12 ms, 10 ms at baseline"},
		{Kind: trial.Quality, Text: "lossy images"},
	}
	for n := range s.flags {
		f := kinds[n%len(kinds)]
		f.Subject, f.Visit = a.Design.Subjects[n*7%len(a.Design.Subjects)].ID, a.Design.Visits[n%len(a.Design.Visits)].Name
		a.Flags = append(a.Flags, f)
	}
	endpoints := []trial.Endpoint{
		{Name: "medial", Title: "Medial T2"}, {Name: "lateral", Title: "Lateral T2"}, {Name: "patellofemoral", Title: "Patellofemoral T2"},
		{Name: "VAS", Title: "VAS pain", Unit: "mm"}, {Name: "WOMAC", Title: "WOMAC"}, {Name: "CTX-I", Title: "CTX-I", Unit: "ng/ml"},
	}
	for n := range s.compartments + s.scores {
		e := endpoints[n%3]
		if n >= s.compartments {
			e = endpoints[3+(n-s.compartments)%3]
		} else {
			e.Compartment, e.Unit = true, "ms"
		}
		if n >= 3 && n < s.compartments {
			e.Title = fmt.Sprintf("Region %d T2", n+1)
		}
		e.Direction = trial.HigherIsWorse
		a.Endpoints = append(a.Endpoints, endpointOf(rng, &a, e, s))
	}
	for x := range s.compartments {
		for y := range s.scores {
			c := trial.Correlation{X: x, Y: s.compartments + y, Visit: len(s.months) - 1, Arm: trial.AllSubjects, N: 20, Rho: trial.Interval{Estimate: 0.71, Low: 0.37, High: 0.88}, P: 0.001}
			within, one := c, c
			within.Arm, within.Rho = trial.WithinArms, trial.Interval{Estimate: -0.06, Low: -0.49, High: 0.39}
			one.Arm, one.N = 0, 10
			a.Correlations = append(a.Correlations, c, within, one)
		}
	}
	return a
}

func endpointOf(rng *rand.Rand, a *trial.Analysis, e trial.Endpoint, s shape) trial.EndpointAnalysis {
	reasons := []trial.Missing{
		{Kind: trial.NoStudy}, {Kind: trial.StudyFailed, Detail: "s07: read: EchoTime: missing"}, {Kind: trial.SeveralStudies, Count: 2},
		{Kind: trial.Noted, Detail: "fewer than 50 voxels"}, {Kind: trial.Noted, Detail: "withdrawn"},
	}
	base := 30 + 8*rng.Float64()
	for _, subject := range a.Design.Subjects {
		own := base + 2*rng.NormFloat64()
		row := make([]trial.Value, len(s.months))
		for v, m := range s.months {
			row[v].X = own + 1.1*rng.NormFloat64() + 0.12*m*(1-2*float64(min(subject.Arm, 1)))
			if rng.Float64() < s.missing {
				row[v] = trial.Value{X: math.NaN(), Missing: reasons[rng.IntN(len(reasons))]}
			}
			for f, flag := range a.Flags {
				if flag.Subject == subject.ID && flag.Visit == a.Design.Visits[v].Name {
					row[v].Flags = append(row[v].Flags, f)
				}
			}
		}
		e.Values = append(e.Values, row)
	}
	out := trial.EndpointAnalysis{Endpoint: e, RC: math.NaN()}
	if e.Compartment {
		out.RC = 13.859
	}
	describe(a, &out)
	return out
}

// describe fills in what follows from the values.
func describe(a *trial.Analysis, e *trial.EndpointAnalysis) {
	visits := len(a.Design.Visits)
	e.Changes, e.Cells, e.Contrasts, e.Model = nil, nil, nil, trial.Model{}
	for s := range a.Design.Subjects {
		e.Changes = append(e.Changes, changes(e.Values[s], e.RC))
	}
	for arm := range a.Design.Arms {
		var cells []trial.Cell
		var means []mmrm.Estimate
		var counts []int
		for v := range visits {
			var c trial.Cell
			var values, changes []float64
			for s, subject := range a.Design.Subjects {
				if subject.Arm != arm {
					continue
				}
				values, changes = append(values, e.Values[s][v].X), append(changes, e.Changes[s][v].Delta)
				for _, f := range e.Values[s][v].Flags {
					if !slices.Contains(c.ValueFlags, f) {
						c.ValueFlags, c.ChangeFlags = append(c.ValueFlags, f), append(c.ChangeFlags, f)
					}
				}
			}
			c.Value, c.Change = summary(values), summary(changes)
			cells = append(cells, c)
			if v > 0 {
				d := c.Change
				counts = append(counts, d.N)
				means = append(means, mmrm.Estimate{Value: d.Mean, SE: (d.High - d.Low) / 4, Low: d.Low, High: d.High, P: 0.04})
			}
		}
		e.Cells = append(e.Cells, cells)
		e.Model.LSMeans, e.Model.N = append(e.Model.LSMeans, means), append(e.Model.N, counts)
	}
	for arm := 1; arm < len(a.Design.Arms); arm++ {
		for v := 1; v < visits; v++ {
			x, r := e.Cells[arm][v].Change, e.Cells[0][v].Change
			se := math.Hypot((x.High-x.Low)/4, (r.High-r.Low)/4)
			c := trial.Contrast{Arm: arm, Visit: v, N: x.N, NReference: r.N, NAdjusted: x.N, NAdjustedReference: r.N, Primary: v == a.Design.Primary.Visit && e.Compartment, Holm: math.NaN()}
			c.Model = mmrm.Estimate{Value: x.Mean - r.Mean, SE: se, Low: x.Mean - r.Mean - 2*se, High: x.Mean - r.Mean + 2*se}
			c.Model.P = 2 * distuv.UnitNormal.Survival(math.Abs(c.Model.Value)/se)
			if e.Compartment {
				c.Holm = min(1, 3*c.Model.P)
			}
			e.Contrasts = append(e.Contrasts, c)
		}
	}
}

// changes follow from the values of a subject.
func changes(values []trial.Value, rc float64) []trial.Change {
	row := make([]trial.Change, len(values))
	for v := range row {
		row[v].Delta = values[v].X - values[0].X
		row[v].Percent = 100 * row[v].Delta / values[0].X
		switch percent := row[v].Percent; {
		case percent > rc:
			row[v].Verdict = trial.Increase
		case percent < -rc:
			row[v].Verdict = trial.Decrease
		case math.Abs(percent) <= rc:
			row[v].Verdict = trial.Within
		}
		if v == 0 {
			row[v] = trial.Change{Delta: math.NaN(), Percent: math.NaN()}
		}
	}
	return row
}

func summary(values []float64) trial.Description {
	values = slices.DeleteFunc(slices.Clone(values), math.IsNaN)
	d := trial.Description{N: len(values), Mean: math.NaN(), SD: math.NaN(), Low: math.NaN(), High: math.NaN()}
	if d.N > 0 {
		d.Mean = stat.Mean(values, nil)
	}
	if d.N > 1 {
		d.SD = stat.StdDev(values, nil)
		half := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(d.N - 1)}.Quantile(0.975) * d.SD / math.Sqrt(float64(d.N))
		d.Low, d.High = d.Mean-half, d.Mean+half
	}
	return d
}
