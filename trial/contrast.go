package trial

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/t2map/t2map/trial/compare"
)

// contrasts compares each arm with the reference at each planned visit after baseline.
func (a *Analysis) contrasts(e *EndpointAnalysis, f *RepeatedFit) {
	for arm := 1; arm < len(a.Design.Arms); arm++ {
		for i, v := range e.After() {
			c := Contrast{Arm: arm, Visit: v, Family: a.Design.family(e.Name, v), Model: f.Difference(arm, i), Holm: math.NaN(),
				Permutation: PermutationTest{P: math.NaN()}}
			a.twoArms(e, &c)
			e.Contrasts = append(e.Contrasts, c)
		}
	}
	a.ancova(e)
	for i := range e.Contrasts {
		if c := &e.Contrasts[i]; c.Family != NoFamily {
			a.permute(e, c)
		}
	}
}

// twoArms fills in the comparisons that use the changes of the two arms alone.
func (a *Analysis) twoArms(e *EndpointAnalysis, c *Contrast) {
	var arm, reference []float64
	for s, subject := range a.Design.Subjects {
		switch delta := e.Changes[s][c.Visit].Scaled; {
		case math.IsNaN(delta):
		case subject.Arm == c.Arm:
			arm = append(arm, delta)
		case subject.Arm == 0:
			reference = append(reference, delta)
		}
	}
	c.N, c.NReference = len(arm), len(reference)
	var err error
	c.Welch, err = compare.Welch(arm, reference, a.Plan.Level)
	c.Reasons.Welch = words(err)
	c.Effect, err = compare.HedgesG(arm, reference, a.Plan.Level)
	c.Reasons.Effect = words(err)
	c.Wilcoxon, err = compare.Wilcoxon(arm, reference, a.Plan.Level)
	c.Reasons.Wilcoxon = words(err)
}

// words returns the text of an error; empty for nil.
func words(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// adjustedReason returns the reason of a test with covariates: why it failed, or which terms it is not
// adjusted for.
func adjustedReason(err error, omitted []Omission) string {
	if err != nil {
		return err.Error()
	}
	var parts []string
	for _, o := range omitted {
		parts = append(parts, fmt.Sprintf("not adjusted for %s: %s", o.Term, o.Reason))
	}
	return strings.Join(parts, "; ")
}

// subjects returns the subjects of the arms with a change at a visit, with baseline and covariates. Terms
// that do not vary among them are omitted, and returned.
func (a *Analysis) subjects(e *EndpointAnalysis, visit int, arms ...int) (compare.Subjects, []Omission) {
	r := a.Repeated(e)
	var s compare.Subjects
	index := slices.Index(e.After(), visit)
	rows := slices.DeleteFunc(r.rows(), func(row [2]int) bool {
		return row[1] != index || !slices.Contains(arms, r.Arm[row[0]])
	})
	if len(rows) == 0 {
		return s, nil
	}
	var strata []Covariate
	for _, name := range a.Strata() {
		strata = append(strata, a.covariate(name))
	}
	numbers := map[string]int{} // of the combinations of levels
	for _, row := range rows {
		i := row[0]
		s.Change = append(s.Change, r.Change[i][index])
		s.Arm = append(s.Arm, slices.Index(arms, r.Arm[i]))
		if len(strata) > 0 {
			levels := ""
			for _, c := range strata {
				levels += fmt.Sprintln(c.X[i])
			}
			if _, known := numbers[levels]; !known {
				numbers[levels] = len(numbers)
			}
			s.Stratum = append(s.Stratum, numbers[levels])
		}
	}
	var fit RepeatedFit
	for _, c := range r.columns(rows, &fit) {
		if c.name() == "baseline" {
			s.Baseline = c.x
		} else {
			s.Covariates, s.Names = append(s.Covariates, c.x), append(s.Names, c.name())
		}
	}
	return s, fit.Omitted
}

// ancova fills in the analysis of covariance of each visit, over all arms.
func (a *Analysis) ancova(e *EndpointAnalysis) {
	var arms []int
	for arm := range a.Design.Arms {
		arms = append(arms, arm)
	}
	for _, v := range e.After() {
		if len(arms) < 2 {
			break
		}
		subjects, omitted := a.subjects(e, v, arms...)
		estimates, err := compare.Ancova(subjects, len(arms), a.Plan.Level)
		n := make([]int, len(arms))
		for _, arm := range subjects.Arm {
			n[arm]++
		}
		for i := range e.Contrasts {
			c := &e.Contrasts[i]
			if c.Visit != v {
				continue
			}
			c.Ancova, c.NAdjusted, c.NAdjustedReference = estimates[c.Arm-1], n[c.Arm], n[0]
			c.Reasons.Ancova = adjustedReason(err, omitted)
			if err == nil && c.NAdjusted == 0 {
				c.Reasons.Ancova = "nobody in this arm has a change and known covariates"
			}
		}
	}
}

// permute fills in the permutation test.
func (a *Analysis) permute(e *EndpointAnalysis, c *Contrast) {
	subjects, omitted := a.subjects(e, c.Visit, 0, c.Arm)
	var err error
	c.Permutation, err = compare.Permutation(subjects,
		compare.Permutations{Draws: a.Plan.Permutations, Seed: a.Plan.Seed})
	c.Reasons.Permutation = adjustedReason(err, omitted)
}

// adjustFamilies fills in Holm's p over each family: all its endpoints, visits and arms.
func (a *Analysis) adjustFamilies() {
	for _, family := range []Family{PrimaryFamily, SecondaryFamily} {
		var p []float64
		var members []*Contrast
		for i := range a.Endpoints {
			for k := range a.Endpoints[i].Contrasts {
				if c := &a.Endpoints[i].Contrasts[k]; c.Family == family {
					members, p = append(members, c), append(p, c.Model.P)
				}
			}
		}
		for i, adjusted := range compare.Holm(p) {
			members[i].Holm = adjusted
		}
	}
}

// correlate fills in the correlations of the changes of compartments with those of other endpoints:
// within arms, over all subjects and in each arm.
func (a *Analysis) correlate(ctx context.Context) error {
	groups := []int{AllSubjects}
	if len(a.Design.Arms) > 1 {
		groups = []int{WithinArms, AllSubjects}
		for arm := range a.Design.Arms {
			groups = append(groups, arm)
		}
	}
	for x := range a.Endpoints {
		for y := range a.Endpoints {
			if !a.Endpoints[x].Compartment || a.Endpoints[y].Compartment {
				continue
			}
			for _, v := range a.Endpoints[x].After() {
				if !a.Endpoints[y].Planned(v) {
					continue
				}
				for _, arm := range groups {
					a.Correlations = append(a.Correlations, Correlation{X: x, Y: y, Visit: v, Arm: arm})
				}
			}
		}
	}
	return each(ctx, len(a.Correlations), func(i int) { a.fillCorrelation(&a.Correlations[i]) })
}

// CorrelationVisit returns the visit at which a figure shows the correlation of two endpoints: the main visit
// of the first, or, if that is not planned for the other, the last visit of both.
func (a *Analysis) CorrelationVisit(x, y int) int {
	one, other := a.Endpoints[x].Endpoint, a.Endpoints[y].Endpoint
	visit := a.Design.MainVisit(one)
	if other.Planned(visit) {
		return visit
	}
	for _, v := range one.After() {
		if other.Planned(v) {
			visit = v
		}
	}
	return visit
}

func (a *Analysis) fillCorrelation(c *Correlation) {
	var xs, ys []float64
	var arms []int
	for s, subject := range a.Design.Subjects {
		x, y := a.Endpoints[c.X].Changes[s][c.Visit].Scaled, a.Endpoints[c.Y].Changes[s][c.Visit].Scaled
		if (c.Arm < 0 || subject.Arm == c.Arm) && !math.IsNaN(x) && !math.IsNaN(y) {
			xs, ys, arms = append(xs, x), append(ys, y), append(arms, subject.Arm)
		}
	}
	var r compare.Correlation
	var err error
	if c.Arm == WithinArms {
		r, err = compare.SpearmanWithin(xs, ys, arms, a.Plan.Level)
	} else {
		r, err = compare.Spearman(xs, ys, a.Plan.Level)
	}
	c.N, c.Rho, c.P = len(xs), r.Rho, r.P
	if err != nil {
		c.Reason = err.Error()
	}
}
