package publish

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/trial"
)

// paragraph is a part of the methods with its name.
type paragraph struct{ Name, Text string }

// methods describes the analysis as the methods section of a paper does.
func methods(a *trial.Analysis) []paragraph {
	p := []paragraph{{"Plan", planText(a)}}
	if a.Plan.Estimand != "" {
		p = append(p, paragraph{"Estimand", called(a.Plan.Estimand)})
	}
	p = append(p, []paragraph{
		{"Design", designText(a)},
		{"Endpoints", endpointText(a)},
		{"Description", descriptionText(a)},
	}...)
	if len(a.Design.Visits) > 1 {
		p = append(p, paragraph{"Model", modelText(a)})
		if len(a.Design.Arms) > 1 {
			p = append(p, paragraph{"Supporting tests", supportingText(a)},
				paragraph{"Multiplicity", multiplicityText(a)})
		}
		if compartmentCount(a) > 0 {
			p = append(p, paragraph{"Individual changes", individualText(a)})
		}
		if len(a.Correlations) > 0 {
			p = append(p, paragraph{"Correlations", correlationText(a)})
		}
	}
	return append(p, paragraph{"Software", "t2map " + called(a.Version) +
		", with its own implementation of the model, its degrees of freedom and the tests."})
}

func designText(a *trial.Analysis) string {
	d := a.Design
	s := fmt.Sprintf("The trial has %s in %s (%s)", plural(len(d.Subjects), "participant", "participants"),
		plural(len(d.Arms), "arm", "arms"), listed(mapped(d.Arms, called)))
	if len(d.Arms) > 1 {
		s += "; " + called(d.Arms[0]) + " is the reference"
	}
	visits := mapped(d.Visits, func(v trial.Visit) string {
		return called(v.Name) + " (month " + months(v.Month) +
			")"
	})
	s += ". It has " + plural(len(d.Visits), "visit", "visits") + ": " + listed(visits) +
		". The first visit is the baseline."
	if schedules := groupEndpoints(a, func(e *trial.EndpointAnalysis) string {
		return listed(listOf(e.Visits, func(v int) string { return called(d.Visits[v].Name) }))
	}); len(schedules) > 1 {
		s += " Planned visits: " + strings.Join(mapped(schedules, func(g endpointGroup) string {
			return g.text + " for " + listed(g.endpoints)
		}), "; ") + "."
	}
	if strata := a.Strata(); len(strata) > 0 {
		switch {
		case len(strata) > 1:
			s += " The randomisation was stratified by " + listed(strata) + ", which are in the model."
		case strata[0] == "stratum":
			s += " The randomisation was stratified, and the stratum is in the model."
		default:
			s += " The randomisation was stratified by " + strata[0] + ", which is in the model."
		}
	}
	return s + setText(a) +
		" Images were mapped without knowledge of the arms, which were joined to the results for this analysis."
}

// planText says whether the plan was in a file of its own.
func planText(a *trial.Analysis) string {
	if a.PlanFile.Name == "" {
		return "There was no frozen plan: the design and the options of the command say how the trial was analysed."
	}
	return "The plan is " + called(a.PlanFile.Name) + ", whose SHA-256 is " + called(a.PlanFile.SHA256) + "." +
		departureText(a)
}

// departureText names the keys that are not from the plan file.
func departureText(a *trial.Analysis) string {
	var changed, added []string
	for _, d := range a.Plan.Departures {
		if d.Planned != "" {
			changed = append(changed, fmt.Sprintf("%s (plan: %s; used: %s, %s)", called(d.Key), called(d.Planned),
				called(d.Used), called(d.Place)))
		} else {
			added = append(added, fmt.Sprintf("%s (%s)", called(d.Key), called(d.Place)))
		}
	}
	s := ""
	if len(changed) > 0 {
		s += " Changed: " + listed(changed) + "."
	}
	if len(added) > 0 {
		s += " Added: " + listed(added) + "."
	}
	return s
}

// setText names the set that is analysed, and the others.
func setText(a *trial.Analysis) string {
	parts := make([]string, len(a.Plan.Sets))
	for i, set := range a.Plan.Sets {
		n := thousands(setSize(a.Design, i))
		if i == 0 {
			n += " of " + plural(len(a.Design.Subjects), "participant", "participants")
		}
		parts[i] = called(set.Name) + " (" + n + ")"
	}
	if len(parts) == 0 {
		return ""
	}
	s := " The analysis set is " + parts[0] + "."
	if len(parts) > 1 {
		s += " Sensitivity analyses use " + listed(parts[1:]) + "."
	}
	return s
}

// setSize counts the subjects of a set of the plan.
func setSize(d trial.Design, set int) int {
	n := 0
	for _, s := range d.Subjects {
		if s.Sets[set] {
			n++
		}
	}
	return n
}

func endpointText(a *trial.Analysis) string {
	var compartments, others, logarithms, parts []string
	for e := range endpoints(a) {
		if e.Compartment {
			compartments = append(compartments, called(e.Name))
		} else {
			others = append(others, withUnit(e))
		}
		if e.Log {
			title := e.TitleInText()
			if len(logarithms) == 0 {
				title = e.Title // it begins a sentence
			}
			logarithms = append(logarithms, called(title))
		}
	}
	if len(compartments) > 0 {
		parts = append(parts, "The endpoints are the "+a.Plan.Summary()+" T2 (ms) of the voxels of the following "+
			"compartments: "+listed(compartments)+".")
	}
	if len(others) > 0 {
		parts = append(parts, "Other endpoints are "+listed(others)+".")
	}
	if len(logarithms) > 0 {
		verb := " was"
		if len(logarithms) > 1 {
			verb = " were"
		}
		parts = append(parts, listed(logarithms)+verb+
			" analysed on the logarithmic scale; differences are ratios of geometric means.")
	}
	if a.Plan.MeanOfTwo {
		parts = append(parts, "If a visit had two studies, their mean was used.")
	} else {
		parts = append(parts, "If a visit had two studies, its value was treated as missing.")
	}
	parts = append(parts, readsText(a), "Missing values were not imputed.", primaryText(a))
	switch n := len(a.Settings); {
	case n == 1:
		parts = append(parts, "T2 was estimated with these settings: "+called(a.Settings[0])+".")
	case n > 1:
		parts = append(parts, "Studies were fitted with different settings: "+
			strings.Join(mapped(a.Settings, called), "; or ")+".")
	}
	return strings.Join(nonEmpty(parts), " ")
}

// readsText says which values were left out because of who has signed their masks.
func readsText(a *trial.Analysis) string {
	who := map[trial.MaskReads]string{trial.SignedMasks: "a reader", trial.AdjudicatedMasks: "an adjudicator"}[a.Plan.Reads]
	if who == "" {
		return ""
	}
	n := "none was"
	if a.Unsigned > 0 {
		n = plural(a.Unsigned, "value was", "values were")
	}
	return "Values of T2 were used only if " + who + " had signed the mask of the study; the others were treated as missing (" +
		n + " left out)."
}

// primaryText names the primary and the key secondary contrasts.
func primaryText(a *trial.Analysis) string {
	if len(a.Design.Arms) < 2 {
		return ""
	}
	targets := targetList(a, a.Design.Primary)
	if targets == "" {
		return "There is no primary contrast."
	}
	s := "The primary contrasts are the differences"
	arms := " of each arm from the reference"
	if len(a.Design.Arms) == 2 {
		arms = " between " + called(a.Design.Arms[1]) + " and " + called(a.Design.Arms[0])
		if len(a.Design.Primary) == 1 {
			s = "The primary contrast is the difference"
		}
	}
	s += arms + " in the change of " + targets + "."
	if len(a.Design.Secondary) > 0 {
		s += " Key secondary contrasts are the differences in the change of " + targetList(a, a.Design.Secondary) + "."
	}
	return s
}

// targetList names endpoints and visits: "medial T2 and lateral T2 from baseline to month12".
func targetList(a *trial.Analysis, targets []trial.Target) string {
	var parts []string
	for v := range a.Design.Visits {
		var titles []string
		for e := range endpoints(a) {
			if slices.ContainsFunc(targets, func(t trial.Target) bool { return t.Endpoint == e.Name && t.Visit == v }) {
				titles = append(titles, called(e.TitleInText()))
			}
		}
		if len(titles) > 0 {
			parts = append(parts, listed(titles)+" from baseline to "+called(a.Design.Visits[v].Name))
		}
	}
	return strings.Join(parts, "; ")
}

func descriptionText(a *trial.Analysis) string {
	return "Values are described by endpoint, arm and visit with n, mean, SD (n − 1), median, quartiles (linear " +
		"between order statistics) and the " +
		percentOf(a.Plan.Level) +
		" t interval of the mean. Changes from baseline are described likewise, in the unit of the endpoint (as ratios " +
		"on the log scale) and in percent of baseline."
}

func supportingText(a *trial.Analysis) string {
	terms := append([]string{"arm", "baseline"}, mapped(a.ModelCovariates(), called)...)
	s := "At each visit, changes were also compared by ANCOVA with the terms " + listed(terms) +
		", except those that do not vary, and all arms in one model; by Welch’s t test; and by the " +
		"Wilcoxon–Mann–Whitney test with the Hodges–Lehmann shift, " +
		"which is exact if both arms have fewer than 50 changes and otherwise uses a normal approximation. Hedges’ " +
		"g is given with its exact interval. " +
		"Primary and key secondary contrasts were also tested by permuting the arms among participants"
	if len(a.Strata()) > 0 {
		s += " within strata"
	}
	return s +
		fmt.Sprintf(", with the t statistic of the ANCOVA of the two arms (all arrangements if there are few, "+
			"otherwise %s random ones, seed %d). These p values are not adjusted.",
			thousands(a.Plan.Permutations), a.Plan.Seed)
}

func multiplicityText(a *trial.Analysis) string {
	n, secondary := familySize(a, trial.PrimaryFamily), familySize(a, trial.SecondaryFamily)
	var parts []string
	switch {
	case n > 1:
		parts = append(parts, fmt.Sprintf("The p values of the %d primary contrasts (endpoints, visits and arms) were "+
			"adjusted together by the method of Holm (1979), which limits the probability of any false positive among "+
			"them; a contrast without a p counts as p = 1.", n))
	case n == 1:
		parts = append(parts, "There is one primary contrast, whose p value needs no adjustment.")
	}
	switch {
	case secondary > 1:
		parts = append(parts, fmt.Sprintf("The %d key secondary contrasts are a family of their own, adjusted by the method "+
			"of Holm (1979).", secondary))
	case secondary == 1:
		parts = append(parts, "The key secondary contrast is a family of its own.")
	}
	if n > 0 && secondary > 0 {
		parts = append(parts, "The error is controlled within each family, not over both.")
	}
	if n+secondary == 0 {
		return "The p values and intervals were not adjusted."
	}
	if len(a.Sensitivity) > 0 {
		analyses := []string{"without flagged values", "with complete cases alone"}
		if len(a.Plan.Sets) > 1 {
			analyses = append(analyses, "with each further set")
		}
		parts = append(parts, "Sensitivity analyses repeat the model of the primary contrasts "+listed(analyses)+".")
	}
	return strings.Join(append(parts, "All other p values, and all intervals, are not adjusted."), " ")
}

func correlationText(a *trial.Analysis) string {
	s := "Changes of T2 and of other endpoints were correlated by Spearman’s method, with intervals from Fisher’s z " +
		"and the variance of Bonett and Wright (2000)."
	if len(a.Design.Arms) > 1 {
		s += " Correlations are given within arms, as the partial rank correlation given the arm; over all " +
			"participants, where a difference between arms in both endpoints contributes; and in each arm."
	}
	return s + " These p values are not adjusted."
}

func individualText(a *trial.Analysis) string {
	cvs, isDefault := coefficients(a)
	s := "Each change of T2 was compared with the repeatability coefficient RC = 1.96·√2·wCV, where wCV is the " +
		"within-subject coefficient of variation: " + listed(cvs)
	var rc []string
	for e := range endpoints(a) {
		if !math.IsNaN(e.RC) {
			rc = append(rc, figure.Number(e.RC, percentDecimals)+"\u00a0%")
		}
	}
	slices.Sort(rc)
	if rc = slices.Compact(rc); len(rc) > 0 {
		s += " (RC " + listed(rc) + ")"
	}
	if isDefault {
		s += "; " + percentOf(qibaCV) + " is the value of the QIBA profile (PMC8574057)"
	}
	s += ". If nothing changes between two scans, their values differ by less than RC in 95 % of cases."
	if len(a.Design.Arms) > 1 {
		s += " The proportions of participants with a decrease, and with an increase, were compared between arms by " +
			"Fisher’s exact test."
	}
	return s + " The smallest detectable change of an arm’s mean is RC/√n."
}

// qibaCV is the default of a plan, the QIBA profile's (PMC8574057).
const qibaCV = 0.05

// coefficients lists the within-subject CVs: of the compartments that have one of their own, and then of
// the others, if there are any. isDefault reports that these have the default.
func coefficients(a *trial.Analysis) (cvs []string, isDefault bool) {
	others := compartmentCount(a)
	for _, c := range a.Plan.CompartmentCVs {
		cvs = append(cvs, percentOf(c.CV)+" for "+called(c.Compartment))
		if slices.ContainsFunc(a.Endpoints,
			func(e trial.EndpointAnalysis) bool { return e.Compartment && e.Name == c.Compartment }) {
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
