package trial

import (
	"math"
	"slices"

	"github.com/t2map/t2map/trial/mmrm"
)

// SensitivityKind says which data a sensitivity analysis uses.
type SensitivityKind int8

// The kinds.
const (
	// WithoutFlagged omits values that carry a flag of quality, or one that figures show.
	WithoutFlagged SensitivityKind = iota
	// CompleteCases uses the subjects who have a change at every planned visit of the endpoint.
	CompleteCases
	// OtherSet uses the subjects of a further set of the plan.
	OtherSet
)

// Sensitivity is the difference of a primary contrast by the same model, from fewer data.
type Sensitivity struct {
	// Target is the endpoint and its visit, Arm an index into Design.Arms.
	Target
	Arm  int
	Kind SensitivityKind
	// Set is the name of the set; empty for the other kinds.
	Set string
	// Estimate is on the scale of the analysis, as Contrast.Model; NaN where Reason says why.
	Estimate mmrm.Estimate
	Reason   string
	// N and NReference count the subjects of the arm and of the reference in the model at the visit.
	N, NReference int
	// Omitted counts the changes of the endpoint that the primary analysis uses and this one does not; with
	// 0 both are the same.
	Omitted int
	// Covariance is the structure that was fitted.
	Covariance mmrm.Covariance
}

// selection selects the changes of a sensitivity analysis.
type selection struct {
	kind SensitivityKind
	set  string
	use  func(e *EndpointAnalysis, subject, visit int) bool
}

func (a *Analysis) selections() []selection {
	all := []selection{
		{kind: WithoutFlagged, use: func(e *EndpointAnalysis, s, v int) bool {
			return !a.flagged(e.Values[s][v]) && !a.flagged(e.Values[s][0])
		}},
		{kind: CompleteCases, use: func(e *EndpointAnalysis, s, _ int) bool {
			return !slices.ContainsFunc(e.After(), func(v int) bool { return math.IsNaN(e.Changes[s][v].Scaled) })
		}},
	}
	for i := 1; i < len(a.Plan.Sets); i++ {
		all = append(all, selection{OtherSet, a.Plan.Sets[i].Name, func(_ *EndpointAnalysis, s, _ int) bool {
			return a.Design.Subjects[s].Sets[i]
		}})
	}
	return all
}

// flagged reports whether a value is omitted in an analysis without flagged values.
func (a *Analysis) flagged(v Value) bool {
	return slices.ContainsFunc(v.Flags, func(i int) bool {
		kind := a.Flags[i].Kind
		return kind == Quality || kind.OnFigures()
	})
}

// analyseSensitivity repeats the primary contrasts with other selections of the data.
func (a *Analysis) analyseSensitivity() {
	for i := range a.Endpoints {
		e := &a.Endpoints[i]
		if !slices.ContainsFunc(e.Contrasts, Contrast.Primary) {
			continue
		}
		var all [][]Sensitivity
		for _, s := range a.selections() {
			all = append(all, a.sensitivity(e, s))
		}
		for k := range e.Contrasts {
			if e.Contrasts[k].Primary() {
				for _, byContrast := range all {
					a.Sensitivity = append(a.Sensitivity, byContrast[k])
				}
			}
		}
	}
}

// sensitivity returns a sensitivity analysis of each contrast of an endpoint.
func (a *Analysis) sensitivity(e *EndpointAnalysis, s selection) []Sensitivity {
	r := a.Repeated(e)
	omitted := 0
	for subject, changes := range r.Change {
		for i, v := range e.After() {
			if !s.use(e, subject, v) {
				if a.InModel(e, subject, v) {
					omitted++
				}
				changes[i] = math.NaN()
			}
		}
	}
	f, err := a.fit(r)
	var all []Sensitivity
	for _, c := range e.Contrasts {
		i := slices.Index(e.After(), c.Visit)
		one := Sensitivity{Target: Target{Endpoint: e.Name, Visit: c.Visit}, Arm: c.Arm, Kind: s.kind, Set: s.set,
			Estimate: nothing, Reason: words(err), Omitted: omitted}
		if f.N != nil {
			one.N, one.NReference = f.N[c.Arm][i], f.N[0][i]
		}
		if err == nil {
			one.Covariance, one.Estimate = f.Covariance, f.Difference(c.Arm, i)
			if math.IsNaN(one.Estimate.Value) {
				one.Reason = "an arm has no change at the visit, or too few changes remain"
			}
		}
		all = append(all, one)
	}
	return all
}
