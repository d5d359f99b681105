package publish

import (
	"slices"
	"strings"

	"github.com/t2map/t2map/trial"
	"github.com/t2map/t2map/trial/mmrm"
)

func modelText(a *trial.Analysis) string {
	s := "Changes from baseline were analysed with a mixed model for repeated measures, fitted by restricted " +
		"maximum likelihood. " + effects(a) + baselineSlopes(a) +
		" The planned covariance of the visits of a participant was " + a.Plan.Covariance.String()
	if a.Plan.DF == mmrm.KenwardRoger {
		s += ", with standard errors and degrees of freedom by the method of Kenward and Roger (1997)."
	} else {
		s += ", with degrees of freedom by Satterthwaite’s method."
	}
	s += " If a covariance could not be fitted, the next was used, in the order unstructured, heterogeneous " +
		"compound symmetry, first-order autoregressive (in steps of planned visits), compound symmetry."
	return s + fittedText(a) +
		" Least-squares means are estimated at the mean baseline and covariates of the observations, with the same " +
		"weight for each level of a factor, and have " +
		percentOf(a.Plan.Level) + " intervals."
}

// baselineSlopes says whether the visits have slopes on the baseline of their own.
func baselineSlopes(a *trial.Analysis) string {
	switch {
	case len(a.Design.Visits) < 3:
		return ""
	case a.Plan.CommonBaseline:
		return " The planned model has one slope on the baseline for all visits."
	}
	return " The planned model has a slope on the baseline for each visit (baseline × visit)."
}

// effects names the fixed effects of the fitted models and the planned effects that are omitted. If no model
// was fitted, it names the planned effects.
func effects(a *trial.Analysis) string {
	formulas := groupModels(a, func(m trial.Model) string { return effectNames(m.Formula) })
	if len(formulas) == 0 {
		return "The fixed effects were " + plannedEffects(a) + "."
	}
	var parts, omitted []string
	for _, g := range formulas {
		if len(formulas) > 1 {
			g.text += " for " + listed(g.endpoints)
		}
		parts = append(parts, g.text)
	}
	for _, g := range groupModels(a, func(m trial.Model) string { return omissions(a, m) }) {
		if g.text != "" {
			omitted = append(omitted, called(g.text)+" for "+listed(g.endpoints))
		}
	}
	s := "The fixed effects were " + strings.Join(parts, "; ") + "."
	if len(omitted) > 0 {
		s += " Omitted from the model were " + strings.Join(omitted, "; ") + "."
	}
	return s
}

// effectNames names the fixed effects: "baseline, arm, visit and arm × visit".
func effectNames(f trial.Formula) string {
	if len(f) == 0 {
		return "only a mean"
	}
	return listed(mapped(f, func(t trial.Term) string { return strings.Join(mapped(t, called), " × ") }))
}

// plannedEffects names the effects that the design allows: there is no effect of arm with one arm, and none
// of visit with one visit after baseline.
func plannedEffects(a *trial.Analysis) string {
	f := trial.Formula{{"baseline"}}
	for _, c := range a.ModelCovariates() {
		f = append(f, trial.Term{c})
	}
	arms, visits := len(a.Design.Arms) > 1, len(a.Design.Visits) > 2
	if arms {
		f = append(f, trial.Term{"arm"})
	}
	if visits {
		f = append(f, trial.Term{"visit"})
	}
	if visits && !a.Plan.CommonBaseline {
		f = append(f, trial.Term{"baseline", "visit"})
	}
	if arms && visits {
		f = append(f, trial.Term{"arm", "visit"})
	}
	return effectNames(f)
}

// endpointGroup has the endpoints for which a text is the same.
type endpointGroup struct {
	text      string
	endpoints []string
}

// groupModels groups the endpoints with a fitted model by a text about it.
func groupModels(a *trial.Analysis, text func(trial.Model) string) []endpointGroup {
	fitted := *a
	fitted.Endpoints = slices.DeleteFunc(slices.Clone(a.Endpoints),
		func(e trial.EndpointAnalysis) bool { return e.Model.Failed != "" })
	return groupEndpoints(&fitted, func(e *trial.EndpointAnalysis) string { return text(e.Model) })
}

// groupEndpoints groups the endpoints by a text.
func groupEndpoints(a *trial.Analysis, text func(*trial.EndpointAnalysis) string) []endpointGroup {
	var groups []endpointGroup
	for e := range endpoints(a) {
		s, n := text(e), 0
		for n < len(groups) && groups[n].text != s {
			n++
		}
		if n == len(groups) {
			groups = append(groups, endpointGroup{text: s})
		}
		groups[n].endpoints = append(groups[n].endpoints, called(e.TitleInText()))
	}
	return groups
}

// fittedText names the fitted covariances, and the endpoints without a model.
func fittedText(a *trial.Analysis) string {
	s := ""
	switch groups := groupModels(a, func(m trial.Model) string { return m.Covariance.String() }); {
	case len(groups) == 1 && len(groups[0].endpoints) == len(a.Endpoints):
		s = " The fitted covariance was " + groups[0].text + " for every endpoint."
	case len(groups) > 0:
		s = " The fitted covariance was " +
			strings.Join(mapped(groups, func(g endpointGroup) string { return g.text + " for " + listed(g.endpoints) }),
				"; ") + "."
	}
	for _, g := range groupModels(a, caution) {
		if g.text != "" {
			s += " For " + listed(g.endpoints) + ": " + g.text + "."
		}
	}
	var failed []string
	for e := range endpoints(a) {
		if e.Model.Failed != "" {
			failed = append(failed, called(e.TitleInText()))
		}
	}
	if len(failed) > 0 {
		s += " No model could be fitted for " + listed(failed) + "; the reasons are given with the results."
	}
	return s
}
