package trial

import (
	"cmp"
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
	// Estimate is on the scale of the analysis, as Contrast.Model. Reason says why it is NaN, or that its
	// covariance is not that of the primary analysis.
	Estimate mmrm.Estimate
	Reason   string
	// N and NReference count the subjects of the arm and of the reference in the model at the visit.
	N, NReference int
	// Omitted is the number of changes in the model of the primary analysis that this one does not use; with 0
	// both are the same.
	Omitted int
}

// selects reports whether a sensitivity analysis uses the change of a subject at a visit.
func (a *Analysis) selects(kind SensitivityKind, set int, e *EndpointAnalysis, subject, visit int) bool {
	flagged := func(v Value) bool {
		return slices.ContainsFunc(v.Flags, func(i int) bool {
			kind := a.Flags[i].Kind
			return kind == Quality || kind.OnFigures()
		})
	}
	switch values := e.Values[subject]; kind {
	case WithoutFlagged:
		return !flagged(values[0]) && !flagged(values[visit])
	case CompleteCases:
		return !slices.ContainsFunc(e.After(), func(v int) bool { return math.IsNaN(e.Changes[subject][v].Scaled) })
	}
	return a.Design.Subjects[subject].Sets[set]
}

// analyseSensitivity repeats the primary contrasts with fewer data.
func (a *Analysis) analyseSensitivity() {
	for i := range a.Endpoints {
		e := &a.Endpoints[i]
		if !slices.ContainsFunc(e.Contrasts, Contrast.Primary) {
			continue
		}
		all := slices.Concat(a.sensitivity(WithoutFlagged, 0, e), a.sensitivity(CompleteCases, 0, e))
		for set := 1; set < len(a.Plan.Sets); set++ {
			all = append(all, a.sensitivity(OtherSet, set, e)...)
		}
		slices.SortStableFunc(all, func(x, y Sensitivity) int { return cmp.Or(x.Arm-y.Arm, x.Visit-y.Visit) })
		a.Sensitivity = append(a.Sensitivity, all...)
	}
}

// sensitivity returns a sensitivity analysis of the primary contrasts of an endpoint. set is an index into Plan.Sets
// for OtherSet.
func (a *Analysis) sensitivity(kind SensitivityKind, set int, e *EndpointAnalysis) []Sensitivity {
	r := a.Repeated(e)
	for subject, changes := range r.Change {
		for i, v := range e.After() {
			if !a.selects(kind, set, e, subject, v) {
				changes[i] = math.NaN()
			}
		}
	}
	remaining := slices.ContainsFunc(r.Change, func(changes []float64) bool { return len(present(changes)) > 0 })
	f, err := a.fit(r)
	var all []Sensitivity
	for _, c := range e.Contrasts {
		if !c.Primary() {
			continue
		}
		i := slices.Index(e.After(), c.Visit)
		s := Sensitivity{Target: Target{Endpoint: e.Name, Visit: c.Visit}, Arm: c.Arm,
			Kind: kind, Estimate: f.Difference(c.Arm, i), Reason: words(err)}
		if s.Kind == OtherSet {
			s.Set = a.Plan.Sets[set].Name
		}
		if !remaining {
			s.Reason = "no change remains"
		} else if err == nil {
			s.N, s.NReference, s.Omitted = f.N[c.Arm][i], f.N[0][i], max(e.Model.Observations-f.Observations, 0)
			if math.IsNaN(s.Estimate.Value) {
				s.Reason = "too few changes remain at the visit"
			} else if f.Covariance != e.Model.Covariance {
				s.Reason = "covariance: " + f.Covariance.String()
			}
		}
		all = append(all, s)
	}
	return all
}
