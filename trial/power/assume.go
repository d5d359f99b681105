package power

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/trial"
)

// FromStudy returns a trial like one that was analysed: the covariance of its changes at a
// given baseline, as its own mixed model has it, its visits with those missing as
// they are missing there (over all arms), and its way of analysis. Of more than two
// arms, one is compared with the reference. Covariates of its model have made the
// covariance smaller; drawn trials have none, and the degrees of freedom that they cost.
//
// Errors: an endpoint that is not there, or without a model, and a primary visit at which
// nobody was seen.
func FromStudy(a trial.Analysis, endpoint string) (Scenario, error) {
	i := slices.IndexFunc(a.Endpoints, func(e trial.EndpointAnalysis) bool { return e.Name == endpoint })
	if i < 0 {
		var names []string
		for _, e := range a.Endpoints {
			names = append(names, e.Name)
		}
		return Scenario{}, fmt.Errorf("the endpoint %.40q is not in the results; there are %s", endpoint,
			printable.Line(strings.Join(names, ", ")))
	}
	e := &a.Endpoints[i]
	if e.Model.Failed != "" {
		return Scenario{}, fmt.Errorf("%s has no model to take a variance from: %s", endpoint, e.Model.Failed)
	}
	s := Scenario{Primary: -1}
	primary := a.Design.MainVisit(e.Endpoint)
	s.Model.Covariance, s.Model.DF, s.Model.Level = a.Plan.Covariance, a.Plan.DF, a.Plan.Level
	var visits []int // those at which somebody was seen
	for v := range e.Model.Sigma {
		if math.IsNaN(e.Model.Sigma[v][v]) {
			continue
		}
		if v+1 == primary {
			s.Primary = len(visits)
		}
		visits = append(visits, v)
	}
	if s.Primary < 0 {
		return Scenario{}, fmt.Errorf("nobody has a change of %s at the primary visit %.40q", endpoint,
			a.Design.Visits[primary].Name)
	}
	s.Sigma = mat.NewSymDense(len(visits), nil)
	for i, v := range visits {
		for j, w := range visits {
			s.Sigma.SetSym(i, j, e.Model.Sigma[v][w])
		}
	}
	s.patternsOf(a.Repeated(e), visits)
	return s, nil
}

// Caveats returns remarks on the variance of an analysed endpoint that the trials of FromStudy do not
// reproduce. There are none for an endpoint that does not exist.
func Caveats(a trial.Analysis, endpoint string) []string {
	i := slices.IndexFunc(a.Endpoints, func(e trial.EndpointAnalysis) bool { return e.Name == endpoint })
	if i < 0 {
		return nil
	}
	m := a.Endpoints[i].Model
	var out []string
	if from := carriedFrom(a.Endpoints[i].Values); from != "" {
		out = append(out, fmt.Sprintf("masks were carried from %s by registration (see mask_from in values.csv of t2map trial): "+
			"trials whose masks are drawn at each visit may vary more", from))
	}
	if len(a.Plan.Covariates) > 0 {
		text := fmt.Sprintf("the standard deviation is adjusted for %s (%s); the trials that are drawn have no "+
			"covariates and do not pay their degrees of freedom",
			strings.Join(a.Plan.Covariates, ", "), m.Formula)
		out = append(out, text)
	}
	if len(m.Rejected) > 0 {
		var rejected []string
		for _, r := range m.Rejected {
			rejected = append(rejected, r.String())
		}
		out = append(out, fmt.Sprintf("the variances are from a covariance that was fallen back on, %v: %s",
			m.Covariance, strings.Join(rejected, "; ")))
	}
	if slices.ContainsFunc(a.Flags, func(f trial.Flag) bool {
		return f.Kind == trial.TwoStudies && (f.Endpoint == "" || f.Endpoint == endpoint)
	}) {
		if a.Plan.MeanOfTwo {
			out = append(out, "where a visit has two studies, their mean is among the changes")
		} else {
			out = append(out, "visits with two studies count as missing here (t2map trial --two-studies)")
		}
	}
	return out
}

// carriedFrom lists the visits from which masks of the values were carried; "" where none was.
func carriedFrom(values [][]trial.Value) string {
	var from []string
	for _, visits := range values {
		for _, v := range visits {
			if v.MaskFrom != "" && !math.IsNaN(v.X) && !slices.Contains(from, v.MaskFrom) {
				from = append(from, v.MaskFrom)
			}
		}
	}
	return strings.Join(from, ", ")
}

// patternsOf counts the patterns of visits of a trial.
func (s *Scenario) patternsOf(r trial.Repeated, visits []int) {
	for subject, changes := range r.Change {
		present := make([]bool, len(visits))
		for i, v := range visits {
			present[i] = !math.IsNaN(changes[v]) && !math.IsNaN(r.Baseline[subject])
		}
		k := slices.IndexFunc(s.Patterns, func(p Pattern) bool { return slices.Equal(p.Present, present) })
		if k < 0 {
			k = len(s.Patterns)
			s.Patterns = append(s.Patterns, Pattern{Present: present})
		}
		s.Patterns[k].Weight++
	}
}

// Assumed is a trial that is described by a few figures.
type Assumed struct {
	// Visits after baseline; the last is tested.
	Visits int
	// SD of the change at a given baseline, the same at each visit, and its correlation
	// between any two visits.
	SD, Correlation float64
	// Dropout is the share of subjects who leave before the last visit, at an
	// even rate and do not come back.
	Dropout float64
}

// Scenario returns the trial. Errors are figures out of their range.
func (a Assumed) Scenario() (Scenario, error) {
	switch {
	case a.Visits < 1 || a.Visits > 50:
		return Scenario{}, fmt.Errorf("%d visits after baseline: want 1 to 50", a.Visits)
	case !(a.SD > 0) || math.IsInf(a.SD, 0):
		return Scenario{}, fmt.Errorf("a standard deviation of %g is not above 0", a.SD)
	case !(a.Dropout >= 0 && a.Dropout < 1):
		return Scenario{}, fmt.Errorf("a dropout of %g is not from 0 to below 1", a.Dropout)
	case a.Visits > 1 && !(a.Correlation > -1/float64(a.Visits-1) && a.Correlation < 1):
		return Scenario{}, fmt.Errorf("a correlation of %g between %d visits is not possible", a.Correlation, a.Visits)
	}
	s := Scenario{Sigma: mat.NewSymDense(a.Visits, nil), Primary: a.Visits - 1}
	for i := range a.Visits {
		for j := range i {
			s.Sigma.SetSym(i, j, a.Correlation*a.SD*a.SD)
		}
		s.Sigma.SetSym(i, i, a.SD*a.SD)
	}
	for seen := range a.Visits + 1 {
		p := Pattern{Weight: a.Dropout / float64(a.Visits), Present: make([]bool, a.Visits)}
		if seen == a.Visits {
			p.Weight = 1 - a.Dropout
		}
		for v := range seen {
			p.Present[v] = true
		}
		s.Patterns = append(s.Patterns, p)
	}
	return s, nil
}
