package publish

import (
	"math"
	"strings"

	"github.com/t2map/t2map/trial"
	"github.com/t2map/t2map/trial/mmrm"
)

// What a reader has to know of a mixed model beside its figures: that it is not the planned
// one, what that does to p, and what is not in it.

// noneThere is why a model that there is has no figure for a visit.
const noneThere = "an arm has nobody in the model at this visit"

// fallback says that the covariance is not the planned one, and why; empty where it is.
func fallback(a *trial.Analysis, m trial.Model) string {
	if m.Failed != "" || len(m.Rejected) == 0 {
		return ""
	}
	reasons := mapped(m.Rejected, mmrm.Rejected.String)
	reasons[0] = m.Rejected[0].Why // of the planned one
	return "planned " + a.Plan.Covariance.String() + ", could not be fitted: " + strings.Join(reasons, "; ")
}

// fewPerArm is the number of subjects per arm from which on a test with a covariance that
// assumes equal variances holds its level though it was a fallback: of 2,000 simulated trials
// without an effect for each number, it rejects about 10 % at 2 per arm, 7 % at 3, and 5.4 % at 4
// and more, where 5 % are due.
const fewPerArm = 4

// caution says what a fallback takes for granted; empty where there was none, or one that has a
// variance for each visit.
func caution(m trial.Model) string {
	equal := m.Covariance == mmrm.AR1 || m.Covariance == mmrm.CompoundSymmetry
	if m.Failed != "" || len(m.Rejected) == 0 || !equal {
		return ""
	}
	s := m.Covariance.String() + " assumes the same variance at every visit"
	if n := fewest(m); n > 0 && n < fewPerArm {
		return s + "; with so few subjects p is too small too often: look at ANCOVA, which does not assume it"
	}
	return s + "; ANCOVA does not"
}

// fewest is the smallest number of an arm's subjects at a visit that the model holds; 0 where
// it is not known.
func fewest(m trial.Model) int {
	least := 0
	for _, visits := range m.N {
		for _, n := range visits {
			if n > 0 && (least == 0 || n < least) {
				least = n
			}
		}
	}
	return least
}

// omissionText names the terms and visits that are not in the model; empty for none.
func omissionText(a *trial.Analysis, m trial.Model) string {
	if len(m.Omitted) == 0 {
		return ""
	}
	return "not in the model: " + omissions(a, m)
}

// omissions lists what is not in the model: "site (the same for all)".
func omissions(a *trial.Analysis, m trial.Model) string {
	return strings.Join(mapped(m.Omitted, func(o trial.Omission) string {
		return o.Of(a.Design) + " (" + o.Why + ")"
	}), "; ")
}

// modelNotes returns what a reader has to know of an estimate of the model: why it does not exist,
// and how the model differs from the planned one.
func modelNotes(p place, estimate float64) []string {
	m := p.e.Model
	switch {
	case m.Failed == "" && math.IsNaN(estimate):
		return []string{absent(p.a, m, p.visit), fallback(p.a, m), caution(m), omissionText(p.a, m)}
	case m.Failed == "":
		return []string{fallback(p.a, m), caution(m), omissionText(p.a, m)}
	case len(m.Rejected) > 0:
		return []string{m.Failed, "tried: " + strings.Join(mapped(m.Rejected, mmrm.Rejected.String), "; "), omissionText(p.a, m)}
	}
	return []string{m.Failed, omissionText(p.a, m)}
}

// without returns the texts that are not empty.
func without(texts []string) []string {
	var there []string
	for _, s := range texts {
		if s != "" {
			there = append(there, s)
		}
	}
	return there
}

// absent says why the model has no figure at a visit; why there is no model at all stands above
// the rows.
func absent(a *trial.Analysis, m trial.Model, visit int) string {
	if m.Failed != "" {
		return "no model"
	}
	for _, o := range m.Omitted {
		if o.Term == "" && o.Visit == visit {
			return o.Of(a.Design) + ": " + o.Why
		}
	}
	return noneThere
}

// familyOf counts the compartments that Holm's adjustment is over.
func familyOf(a *trial.Analysis) int {
	n := 0
	for i := range a.Endpoints {
		if a.Endpoints[i].Compartment {
			n++
		}
	}
	return n
}
