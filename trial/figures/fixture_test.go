package figures

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/t2map/t2map/trial"
	"github.com/t2map/t2map/trial/mmrm"
)

// shape describes a made-up trial.
type shape struct {
	arms, perArm int
	months       []float64
	compartments int
	scores       int
	missing      float64 // share of values
	flags        int
	withinCV     float64
	value        func(x float64) float64 // changes every value
	seed         uint64
}

var founding = shape{arms: 2, perArm: 12, months: []float64{0, 3, 12}, compartments: 3, scores: 3, missing: 0.08,
	flags: 3, seed: 1}

// trialOf returns the analysis of small tables, the same for the same shape.
func trialOf(s shape) trial.Analysis {
	rng := rand.New(rand.NewPCG(s.seed, 5))
	arms := []string{"Control", "Cell therapy", "Dose B", "Dose C", "Dose D", "Dose E"}
	scores := []string{"VAS pain,mm", "WOMAC,", "CTX-I,ng/ml"}
	var visits []string
	for _, m := range s.months {
		visits = append(visits, fmt.Sprintf("month%g=%g", m, m))
	}
	var design, results, others strings.Builder
	fmt.Fprintf(&design, "# trial: DEMO\n# visits: %s\n# reference: Control\nsubject,arm\n", strings.Join(visits, ", "))
	results.WriteString("subject,visit,compartment,mean_t2_ms\n")
	others.WriteString("subject,visit,name,unit,value,direction\n")
	for n := range s.arms * s.perArm {
		fmt.Fprintf(&design, "S%03d,%s\n", n+1, arms[n%s.arms])
	}
	for e := range s.compartments + s.scores {
		base := 30 + 8*rng.Float64()
		for n := range s.arms * s.perArm {
			own := base + 2*rng.NormFloat64()
			for _, m := range s.months {
				x := own + 1.1*rng.NormFloat64() + 0.12*m*(1-2*float64(min(n%s.arms, 1)))
				if s.value != nil {
					x = s.value(x)
				}
				value := fmt.Sprint(x)
				if rng.Float64() < s.missing {
					value = ""
				}
				if e < s.compartments {
					name := fmt.Sprintf("region %d", e+1)
					if e < 3 {
						name = []string{"medial", "lateral", "patellofemoral"}[e]
					}
					fmt.Fprintf(&results, "S%03d,month%g,%s,%s\n", n+1, m, name, value)
				} else {
					fmt.Fprintf(&others, "S%03d,month%g,%s,%s,higher is worse\n", n+1, m, scores[e-s.compartments],
						value)
				}
			}
		}
	}
	tables := trial.Tables{
		Design:       trial.Source{Name: "trial.csv", Data: []byte(design.String())},
		Compartments: trial.Source{Name: "compartments.csv", Data: []byte(results.String())},
	}
	if s.scores > 0 {
		tables.Scores = []trial.Source{{Name: "scores.csv", Data: []byte(others.String())}}
	}
	a, err := trial.Analyse(context.Background(), "test", tables, func(_ trial.Design, p *trial.Plan) error {
		p.Permutations, p.WithinCV = 20, s.withinCV
		if len(s.months) > 20 {
			p.Covariance = mmrm.CompoundSymmetry
		}
		return nil
	})
	if err != nil {
		panic(err)
	}
	s.vary(&a, rng)
	return a
}

// vary sets reasons of the missing values, flags, and the numbers of the correlations.
func (s shape) vary(a *trial.Analysis, rng *rand.Rand) {
	reasons := []trial.Missing{
		{Kind: trial.NoStudy}, {Kind: trial.StudyFailed, Detail: "s07: read: EchoTime: missing"},
		{Kind: trial.SeveralStudies, Count: 2},
		{Kind: trial.Noted, Detail: "fewer than 50 voxels"}, {Kind: trial.Noted, Detail: "withdrawn"},
	}
	kinds := []trial.Flag{
		{Kind: trial.ScannerChange, Text: "another scanner than at baseline"},
		{Kind: trial.TwoStudies, Text: "two studies, neither is taken"},
		{Kind: trial.ProtocolChange, Text: "echo spacing 12 ms, 10 ms at baseline"},
		{Kind: trial.Quality, Text: "lossy images"},
	}
	a.Flags = nil
	for _, e := range a.Endpoints {
		for _, values := range e.Values {
			for v := range values {
				values[v].Flags = nil
			}
		}
	}
	for n := range s.flags {
		f := kinds[n%len(kinds)]
		subject, visit := n*7%len(a.Design.Subjects), n%len(a.Design.Visits)
		f.Subject, f.Visit = a.Design.Subjects[subject].ID, a.Design.Visits[visit].Name
		a.Flags = append(a.Flags, f)
		for _, e := range a.Endpoints {
			v := &e.Values[subject][visit]
			v.Flags = append(v.Flags, n)
		}
	}
	for _, e := range a.Endpoints {
		for _, values := range e.Values {
			for v := range values {
				if values[v].Missing.Kind != trial.Present {
					values[v].Missing = reasons[rng.IntN(len(reasons))]
				}
			}
		}
	}
	spreadFlags(a)
	for i := range a.Correlations {
		c := &a.Correlations[i]
		c.N, c.Rho, c.P = 20, trial.Interval{Estimate: 0.71, Low: 0.37, High: 0.88}, 0.001
		if c.Arm == trial.WithinArms {
			c.Rho = trial.Interval{Estimate: -0.06, Low: -0.49, High: 0.39}
		}
	}
}

// spreadFlags sets the flags of the cells from those of the values.
func spreadFlags(a *trial.Analysis) {
	for _, e := range a.Endpoints {
		for arm := range e.Cells {
			for v := range e.Cells[arm] {
				var flags []int
				for s, subject := range a.Design.Subjects {
					if subject.Arm == arm {
						flags = append(flags, e.Values[s][v].Flags...)
					}
				}
				slices.Sort(flags)
				flags = slices.Compact(flags)
				e.Cells[arm][v].ValueFlags, e.Cells[arm][v].ChangeFlags = flags, flags
			}
		}
	}
}

// fail makes a model one that could not be fitted.
func fail(m *trial.Model, reason string) {
	nan := math.NaN()
	*m = trial.Model{Failed: reason, LSMeans: m.LSMeans}
	for arm := range m.LSMeans {
		for v := range m.LSMeans[arm] {
			m.LSMeans[arm][v] = mmrm.Estimate{Value: nan, SE: nan, DF: nan, T: nan, P: nan, Low: nan, High: nan}
		}
	}
}
