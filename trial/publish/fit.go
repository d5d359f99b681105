package publish

import (
	"math"
	"slices"
	"strings"

	"github.com/t2map/t2map/trial"
	"github.com/t2map/t2map/trial/mmrm"
)

// Remarks on mixed models: how a model differs from the planned one, and the effect on p.

// emptyArm says why a fitted model has no estimate at a visit.
const emptyArm = "an arm has nobody in the model at this visit"

// fallback says why the covariance is not the planned one; empty if it is.
func fallback(a *trial.Analysis, m trial.Model) string {
	if m.Failed != "" || len(m.Rejected) == 0 {
		return ""
	}
	reasons := mapped(m.Rejected, mmrm.Rejected.String)
	reasons[0] = m.Rejected[0].Reason // of the planned one
	return "planned " + a.Plan.Covariance.String() + ", could not be fitted: " + strings.Join(reasons, "; ")
}

// caution states the assumption of a fallback covariance; empty for NoCaution.
func caution(m trial.Model) string {
	s := "the " + m.Covariance.String() + " covariance assumes the same variance at every visit"
	switch m.Caution() {
	case trial.EqualVariances:
		return s + "; ANCOVA does not"
	case trial.EqualVariancesOfFew:
		return s + ", and with so few participants the test rejects too often; ANCOVA does not assume it"
	}
	return ""
}

// omissionText names the terms and visits that are not in the model; empty if there are none.
func omissionText(a *trial.Analysis, m trial.Model) string {
	if len(m.Omitted) == 0 {
		return ""
	}
	return "not in the model: " + omissions(a, m)
}

// omissions lists the terms and visits that are not in the model: "site (the same for all)".
func omissions(a *trial.Analysis, m trial.Model) string {
	return strings.Join(mapped(m.Omitted, func(o trial.Omission) string {
		return o.Name(a.Design) + " (" + o.Reason + ")"
	}), "; ")
}

// modelNotes returns notes on an estimate of the model: why it does not exist, and how the model differs
// from the planned one. Notes may be empty.
func modelNotes(p place, estimate float64) []string {
	m := p.e.Model
	switch {
	case m.Failed == "" && math.IsNaN(estimate):
		return []string{absent(p.a, m, p.visit), fallback(p.a, m), caution(m), omissionText(p.a, m)}
	case m.Failed == "":
		return []string{fallback(p.a, m), caution(m), omissionText(p.a, m)}
	case len(m.Rejected) > 0:
		return []string{m.Failed, "tried: " + strings.Join(mapped(m.Rejected, mmrm.Rejected.String), "; "),
			omissionText(p.a, m)}
	}
	return []string{m.Failed, omissionText(p.a, m)}
}

// nonEmpty returns the texts that are not empty.
func nonEmpty(texts []string) []string {
	return slices.DeleteFunc(slices.Clone(texts), func(s string) bool { return s == "" })
}

// absent says why the model has no estimate at a visit. The reason why there is no model at all is shown
// above the rows.
func absent(a *trial.Analysis, m trial.Model, visit int) string {
	if m.Failed != "" {
		return "no model"
	}
	for _, o := range m.Omitted {
		if o.Term == "" && o.Visit == visit {
			return o.Name(a.Design) + ": " + o.Reason
		}
	}
	return emptyArm
}

// familySize returns the number of contrasts of a family, over which Holm's method adjusts.
func familySize(a *trial.Analysis, f trial.Family) int {
	n := 0
	for _, c := range contrasts(a) {
		if c.Family == f {
			n++
		}
	}
	return n
}

// compartmentCount returns the number of compartments among the endpoints.
func compartmentCount(a *trial.Analysis) int {
	n := 0
	for e := range endpoints(a) {
		if e.Compartment {
			n++
		}
	}
	return n
}
