package power

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/trial"
)

// FromStudy returns a scenario like an analysed trial: it has the covariance of the changes in the trial's mixed
// model, the trial's patterns of missing visits in all arms, its arms, its covariance structure and degrees of freedom,
// and its primary contrasts: the other primary endpoints are like this one, and as many of its last visits are tested as
// the trial tests of theirs; several endpoints stand for one with more visits than this one has. An endpoint that is not
// primary is planned as the only primary one. Covariates of the trial's model reduce the covariance. The simulated trials
// have no covariates, and do not lose their degrees of freedom.
//
// It also returns caveats: remarks on differences between the trial and the simulated ones. It is an error if the
// endpoint does not exist or has no model, or if no subject has a primary visit.
func FromStudy(a trial.Analysis, endpoint string) (s Scenario, notes []string, err error) {
	i := slices.IndexFunc(a.Endpoints, func(e trial.EndpointAnalysis) bool { return e.Name == endpoint })
	if i < 0 {
		var names []string
		for _, e := range a.Endpoints {
			names = append(names, e.Name)
		}
		return s, nil, fmt.Errorf("the endpoint %.40q is not in the results; they have %s", endpoint,
			printable.Line(strings.Join(names, ", ")))
	}
	e := &a.Endpoints[i]
	if e.Model.Failed != "" {
		return s, nil, fmt.Errorf("%s has no model to take a variance from: %s", endpoint, e.Model.Failed)
	}
	s = Scenario{Arms: max(len(a.Design.Arms), 2), CommonBaseline: a.Plan.CommonBaseline}
	s.Model.Covariance, s.Model.DF, s.Model.Level = a.Plan.Covariance, a.Plan.DF, a.Plan.Level
	tested := map[string][]int{} // visits of each primary endpoint
	for _, t := range a.Design.Primary {
		tested[t.Endpoint] = append(tested[t.Endpoint], t.Visit)
	}
	if tested[endpoint] == nil {
		tested = map[string][]int{endpoint: {a.Design.MainVisit(e.Endpoint)}}
	}
	after := e.After()
	var visits []int // indices into after of the visits with changes
	for i, v := range after {
		if !math.IsNaN(e.Model.Sigma[v-1][v-1]) {
			visits = append(visits, i)
		}
	}
	own := slices.Sorted(slices.Values(tested[endpoint]))
	for i, v := range own {
		k := slices.Index(visits, slices.Index(after, v))
		if k < 0 {
			return s, nil, fmt.Errorf("no subject has a change of %s at the primary visit %.40q", endpoint,
				a.Design.Visits[v].Name)
		}
		own[i] = k
	}
	s.Primary = [][]int{own}
	for name, theirs := range tested {
		if name == endpoint {
			continue
		}
		// An endpoint with more tested visits than this one has is simulated as several.
		for n := len(theirs); n > 0; n -= len(visits) {
			s.Primary = append(s.Primary, lastOf(len(visits), n))
		}
	}
	slices.SortFunc(s.Primary[1:], slices.Compare)
	s.Sigma = mat.NewSymDense(len(visits), nil)
	for i, v := range visits {
		for j, w := range visits {
			s.Sigma.SetSym(i, j, e.Model.Sigma[after[v]-1][after[w]-1])
		}
	}
	s.patternsOf(a.Repeated(e), visits)
	return s, caveats(a, e), nil
}

// lastOf returns the indices of the last k of n visits, or of all if there are fewer.
func lastOf(n, k int) []int {
	var all []int
	for v := max(n-k, 0); v < n; v++ {
		all = append(all, v)
	}
	return all
}

func caveats(a trial.Analysis, e *trial.EndpointAnalysis) (out []string) {
	m := e.Model
	var sources []string
	for _, v := range slices.Concat(e.Values...) {
		if v.MaskFrom != "" && !math.IsNaN(v.X) && !slices.Contains(sources, v.MaskFrom) {
			sources = append(sources, v.MaskFrom)
		}
	}
	if len(sources) > 0 {
		out = append(out, fmt.Sprintf("masks were carried from %s by registration (see mask_from in values.csv of "+
			"t2map trial): trials whose masks are drawn at each visit may vary more", strings.Join(sources, ", ")))
	}
	if len(a.ModelCovariates()) > 0 {
		out = append(out, fmt.Sprintf("the standard deviation is adjusted for %s (%s); the simulated trials have no "+
			"covariates and do not lose their degrees of freedom", strings.Join(a.ModelCovariates(), ", "), m.Formula))
	}
	if len(m.Rejected) > 0 {
		var rejected []string
		for _, r := range m.Rejected {
			rejected = append(rejected, r.String())
		}
		out = append(out, fmt.Sprintf("the variances are from a fallback covariance, %v: %s",
			m.Covariance, strings.Join(rejected, "; ")))
	}
	if a.Unsigned > 0 {
		out = append(out, fmt.Sprintf("values whose masks are not signed count as missing here (reads: %s)", a.Plan.Reads))
	}
	if slices.ContainsFunc(a.Flags, func(f trial.Flag) bool {
		return f.Kind == trial.TwoStudies && (f.Endpoint == "" || f.Endpoint == e.Name)
	}) {
		if a.Plan.MeanOfTwo {
			out = append(out, "the changes include means of two studies at one visit")
		} else {
			out = append(out, "visits with two studies count as missing here (t2map trial --two-studies)")
		}
	}
	return out
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

// Assumed describes a trial by a few numbers.
type Assumed struct {
	// Visits is the number of visits after baseline. The last is tested.
	Visits int
	// SD is the standard deviation of the change at every visit, for a given baseline, in the endpoint's unit.
	// Correlation is that of the changes at any two visits.
	SD, Correlation float64
	// Dropout is the share of subjects who leave before the last visit, at an even rate, and do not return.
	Dropout float64
	// Arms and Between are as in Scenario, and Endpoints is the number of primary endpoints. Default: 1.
	Arms, Endpoints int
	Between         float64
}

// Scenario returns the trial. It returns an error if a number is out of its range.
func (a Assumed) Scenario() (Scenario, error) {
	a.Endpoints = cmp.Or(a.Endpoints, 1)
	switch {
	case a.Endpoints < 0 || a.Endpoints > Most:
		return Scenario{}, fmt.Errorf("%d primary endpoints: wanted 1 to %d", a.Endpoints, Most)
	case a.Visits < 1 || a.Visits > 50:
		return Scenario{}, fmt.Errorf("%d visits after baseline: want 1 to 50", a.Visits)
	case !(a.SD > 0) || math.IsInf(a.SD, 0):
		return Scenario{}, fmt.Errorf("a standard deviation of %g is not above 0", a.SD)
	case !(a.Dropout >= 0 && a.Dropout < 1):
		return Scenario{}, fmt.Errorf("a dropout of %g is not at least 0 and below 1", a.Dropout)
	case a.Visits > 1 && !(a.Correlation > -1/float64(a.Visits-1) && a.Correlation < 1):
		return Scenario{}, fmt.Errorf("a correlation of %g between %d visits is not possible", a.Correlation, a.Visits)
	}
	s := Scenario{Sigma: mat.NewSymDense(a.Visits, nil), Arms: a.Arms, Between: a.Between,
		Primary: slices.Repeat([][]int{{a.Visits - 1}}, a.Endpoints)}
	for i := range a.Visits {
		for j := range i {
			s.Sigma.SetSym(i, j, a.Correlation*a.SD*a.SD)
		}
		s.Sigma.SetSym(i, i, a.SD*a.SD)
	}
	for attended := range a.Visits + 1 {
		p := Pattern{Weight: a.Dropout / float64(a.Visits),
			Present: append(slices.Repeat([]bool{true}, attended), make([]bool, a.Visits-attended)...)}
		if attended == a.Visits {
			p.Weight = 1 - a.Dropout
		}
		s.Patterns = append(s.Patterns, p)
	}
	return s, nil
}
