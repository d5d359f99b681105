package publish

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/trial"
	"github.com/t2map/t2map/trial/mmrm"
)

// paragraph is a part of the methods with its name.
type paragraph struct{ Name, Text string }

// methods describes what was done, from the design, the plan and the analysis.
func methods(a *trial.Analysis) []paragraph {
	p := []paragraph{
		{"Design", designText(a)},
		{"Endpoints", endpointText(a)},
		{"Description", descriptionText(a)},
	}
	if len(a.Design.Visits) < 2 {
		return append(p, paragraph{"Software", softwareText(a)})
	}
	p = append(p, paragraph{"Model", modelText(a)})
	if len(a.Design.Arms) > 1 {
		p = append(p, paragraph{"Beside the model", besideText(a)}, paragraph{"Multiplicity", multiplicityText(a)})
	}
	if familyOf(a) > 0 {
		p = append(p, paragraph{"Individuals", individualText(a)})
	}
	if len(a.Correlations) > 0 {
		p = append(p, paragraph{"Correlations", correlationText(a)})
	}
	return append(p, paragraph{"Software", softwareText(a)})
}

// listed joins names, as in a, b and c. It counts the names after the tenth.
func listed(names []string) string {
	const most = 10
	switch n := len(names); {
	case n == 0:
		return "none"
	case n == 1:
		return names[0]
	case n > most:
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), n-most)
	default:
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
}

func mapped[T any](in []T, f func(T) string) []string {
	out := make([]string, len(in))
	for i, x := range in {
		out[i] = f(x)
	}
	return out
}

func designText(a *trial.Analysis) string {
	d := a.Design
	s := fmt.Sprintf("%s in %s", plural(len(d.Subjects), "participant", "participants"), plural(len(d.Arms), "arm", "arms"))
	if len(d.Arms) > 0 {
		s += " (" + listed(mapped(d.Arms, called)) + ")"
	}
	if len(d.Arms) > 1 {
		s += "; reference: " + called(d.Arms[0])
	}
	visits := mapped(d.Visits, func(v trial.Visit) string { return called(v.Name) + " (month " + months(v.Month) + ")" })
	s += ". " + plural(len(d.Visits), "visit", "visits") + ": " + listed(visits) + "; the first is the baseline."
	return s + " The arms were joined to the results in this analysis only: images were read and mapped without them."
}

func endpointText(a *trial.Analysis) string {
	var parts []string
	compartments, others := split(a)
	if len(compartments) > 0 {
		parts = append(parts, "Mean T2 (ms) of the compartments "+listed(compartments)+".")
	}
	if len(others) > 0 {
		parts = append(parts, "Other endpoints: "+listed(others)+".")
	}
	if a.Plan.MeanOfTwo {
		parts = append(parts, "If a visit had two studies, their mean was used.")
	} else {
		parts = append(parts, "A visit with two studies has no value, because it is not known which of them is meant.")
	}
	parts = append(parts, "Missing values stay missing: nothing was carried forward or imputed.")
	if primary := primaryText(a); primary != "" {
		parts = append(parts, primary)
	}
	switch n := len(a.Settings); {
	case n == 1:
		parts = append(parts, "Estimation of T2: "+called(a.Settings[0])+".")
	case n > 1:
		parts = append(parts, fmt.Sprintf("T2 was estimated in different ways: %s.", strings.Join(mapped(a.Settings, called), "; or ")))
	}
	return strings.Join(parts, " ")
}

// split returns the titles of compartments and of other endpoints.
func split(a *trial.Analysis) (compartments, others []string) {
	for i := range a.Endpoints {
		e := &a.Endpoints[i]
		if e.Compartment {
			compartments = append(compartments, called(e.Name))
		} else {
			others = append(others, withUnit(e))
		}
	}
	return compartments, others
}

func primaryText(a *trial.Analysis) string {
	p := a.Design.Primary
	if len(a.Design.Arms) < 2 || p.Visit <= 0 || p.Visit >= len(a.Design.Visits) {
		return ""
	}
	family := familyOf(a)
	if p.Endpoint == "" && family == 0 {
		return "There is no primary contrast: the design names no endpoint, and there is no compartment."
	}
	what := "each compartment"
	if p.Endpoint != "" {
		what = called(p.Endpoint)
	}
	s := "Primary: the change of " + what + " to " + called(a.Design.Visits[p.Visit].Name) + ", each arm against the reference"
	if p.Endpoint == "" && family > 1 {
		s += ", adjusted over the compartments"
	}
	return s + "."
}

func descriptionText(a *trial.Analysis) string {
	return "Per endpoint, arm and visit: n, mean, SD (n − 1), median, quartiles (linear between order statistics) and the " + percentOf(a.Plan.Level) +
		" t interval of the mean. The same was computed for the change from baseline, in the endpoint’s unit and in percent of baseline."
}

func modelText(a *trial.Analysis) string {
	s := "Mixed model for repeated measures by restricted maximum likelihood on the change from baseline: fixed effects of " + effects(a)
	s += "; planned covariance of a participant’s visits: " + a.Plan.Covariance.String() + "; "
	if a.Plan.DF == mmrm.KenwardRoger {
		s += "standard errors and degrees of freedom by Kenward and Roger (1997)."
	} else {
		s += "degrees of freedom by Satterthwaite."
	}
	s += " If a covariance could not be fitted, the next one was used, in the order unstructured, heterogeneous compound symmetry, first-order autoregressive (in steps of planned visits), compound symmetry."
	if fits := fittedText(a); fits != "" {
		s += " " + fits
	}
	return s + " Least-squares means are computed at the mean baseline and covariates of the observations, with the same weight for each level of a factor. Intervals are at " + percentOf(a.Plan.Level) + "."
}

// effects names the effects of the fitted models, and those that were planned and are not in them.
func effects(a *trial.Analysis) string {
	formulas, of := grouped(a, func(m trial.Model) string { return effectNames(m.Formula) })
	if len(formulas) == 0 {
		return plannedEffects(a)
	}
	var parts []string
	for i, effects := range formulas {
		if len(formulas) > 1 {
			effects += " for " + listed(of[i])
		}
		parts = append(parts, effects)
	}
	s := strings.Join(parts, "; ")
	reasons, of := grouped(a, func(m trial.Model) string { return omissions(a, m) })
	var left []string
	for i, r := range reasons {
		if r != "" {
			left = append(left, called(r)+" ("+listed(of[i])+")")
		}
	}
	if len(left) > 0 {
		s += "; planned, but not in the model: " + strings.Join(left, "; ")
	}
	return s
}

// effectNames names the fixed effects: "baseline, arm, visit and arm × visit".
func effectNames(f trial.Formula) string {
	if len(f) == 0 {
		return "none but a mean"
	}
	return listed(mapped(f, func(t trial.Term) string { return strings.Join(mapped(t, called), " × ") }))
}

// grouped returns the distinct texts that of returns for the models, and the endpoints of each.
func grouped(a *trial.Analysis, of func(trial.Model) string) (said []string, endpoints [][]string) {
	for i := range a.Endpoints {
		e := &a.Endpoints[i]
		if e.Model.Failed != "" {
			continue
		}
		at := slices.Index(said, of(e.Model))
		if at < 0 {
			at = len(said)
			said, endpoints = append(said, of(e.Model)), append(endpoints, nil)
		}
		endpoints[at] = append(endpoints[at], titleOf(e))
	}
	return said, endpoints
}

// plannedEffects names those that the design leaves: one arm has no effect of arm, one
// later visit none of visit.
func plannedEffects(a *trial.Analysis) string {
	d := a.Design
	names := append([]string{"baseline"}, mapped(a.Plan.Covariates, called)...)
	arms, visits := len(d.Arms) > 1, len(d.Visits) > 2
	if arms {
		names = append(names, "arm")
	}
	if visits {
		names = append(names, "visit")
	}
	if arms && visits {
		names = append(names, "arm × visit")
	}
	return listed(names)
}

// fittedText says which covariance was fitted, and for which endpoints there is no model.
func fittedText(a *trial.Analysis) string {
	by := map[mmrm.Covariance][]string{}
	var order []mmrm.Covariance
	var failed []string
	for i := range a.Endpoints {
		e := &a.Endpoints[i]
		if e.Model.Failed != "" {
			failed = append(failed, titleOf(e))
			continue
		}
		if by[e.Model.Covariance] == nil {
			order = append(order, e.Model.Covariance)
		}
		by[e.Model.Covariance] = append(by[e.Model.Covariance], titleOf(e))
	}
	slices.Sort(order)
	var parts []string
	for _, c := range order {
		parts = append(parts, c.String()+" for "+listed(by[c]))
	}
	s := ""
	if len(parts) > 0 {
		s = "Fitted: " + strings.Join(parts, "; ") + "."
	}
	cautions, of := grouped(a, caution)
	for i, c := range cautions {
		if c != "" {
			s += " For " + listed(of[i]) + ": " + c + "."
		}
	}
	if len(failed) > 0 {
		s = strings.TrimSpace(s + " No model for " + listed(failed) + "; the reason is beside the table.")
	}
	return s
}

func besideText(a *trial.Analysis) string {
	s := "Per visit: ANCOVA of the change on arm and baseline" + with(a.Plan.Covariates) + ", omitting those that do not vary, all arms in one model; Welch’s t test; the Wilcoxon–Mann–Whitney test with the Hodges–Lehmann shift, exact if both arms have fewer than 50 changes and otherwise by a normal approximation; Hedges’ g with its exact interval. None of these p is adjusted. Contrasts at the primary visit were also tested by permutation of arms among participants"
	if a.Stratified() {
		s += " within strata"
	}
	s += ", with the t of the ANCOVA of the two arms as statistic"
	return s + fmt.Sprintf(" (all arrangements if they are few, otherwise %s at random, seed %d).", thousands(a.Plan.Permutations), a.Plan.Seed)
}

// with names the covariates of the plan, if any.
func with(covariates []string) string {
	if len(covariates) == 0 {
		return ""
	}
	return " with " + listed(mapped(covariates, called))
}

func multiplicityText(a *trial.Analysis) string {
	n := familyOf(a)
	if n < 2 {
		return "No p is adjusted, nor are intervals, because there are not several compartments."
	}
	return "The p of the model are adjusted over " + holmOver(n) + " at each visit and arm by Holm (1979); a compartment without a p counts as p = 1. The unadjusted p are shown beside them. No other p is adjusted, nor are intervals, and there is no adjustment over visits or arms."
}

func correlationText(a *trial.Analysis) string {
	s := "Spearman’s correlation of the changes, with an interval by Fisher’s z and the variance of Bonett and Wright (2000)."
	if len(a.Design.Arms) > 1 {
		s += " It is given within arms, as the partial rank correlation given the arm; over all participants, where it includes a difference between arms in both endpoints; and in each arm."
	}
	return s + " No p is adjusted."
}

func individualText(a *trial.Analysis) string {
	cvs, isDefault := coefficients(a)
	cv := "A change of T2 is compared with the repeatability coefficient RC = 1.96·√2·wCV, with a within-subject coefficient of variation of " + listed(cvs)
	var rc []string
	for i := range a.Endpoints {
		if e := &a.Endpoints[i]; !math.IsNaN(e.RC) {
			rc = append(rc, figure.Number(e.RC, percentDecimals)+"\u00a0%")
		}
	}
	slices.Sort(rc)
	if rc = slices.Compact(rc); len(rc) > 0 {
		cv += " (RC " + listed(rc) + ")"
	}
	if isDefault {
		cv += "; " + percentOf(qibaCV) + " is the value of the QIBA profile (PMC8574057)"
	}
	cv += ". If nothing changes between two scans, 95 % of such pairs differ by less than RC."
	if len(a.Design.Arms) > 1 {
		cv += " Arms were compared by Fisher’s exact test of decrease, and of increase, against the rest."
	}
	return cv + " The smallest detectable change of an arm’s mean is RC/√n."
}

// qibaCV is the default of a plan, the QIBA profile's (PMC8574057).
const qibaCV = 0.05

// coefficients names the within-subject CV of the compartments that have one of their own, and
// then that of the others, if there are any; isDefault says that these have the default.
func coefficients(a *trial.Analysis) (cvs []string, isDefault bool) {
	others := familyOf(a)
	for _, c := range a.Plan.WithinCVOf {
		cvs = append(cvs, percentOf(c.CV)+" for "+called(c.Compartment))
		if slices.ContainsFunc(a.Endpoints, func(e trial.EndpointAnalysis) bool { return e.Compartment && e.Name == c.Compartment }) {
			others--
		}
	}
	if others < 1 {
		return cvs, false
	}
	rest := percentOf(a.Plan.WithinCV)
	if len(cvs) > 0 {
		rest += " for the others"
	}
	return append(cvs, rest), a.Plan.WithinCV == qibaCV
}

func softwareText(a *trial.Analysis) string {
	return "t2map " + called(a.Version) + "; the model, its degrees of freedom and the tests are t2map’s own."
}
