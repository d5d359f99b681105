package publish

import (
	"fmt"
	"iter"
	"strings"

	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/trial"
	"github.com/t2map/t2map/trial/mmrm"
)

// verdictName returns the name of a verdict in tables; empty for NoVerdict.
func verdictName(v trial.Verdict) string {
	return [...]string{trial.NoVerdict: "", trial.Within: "within", trial.Decrease: "decrease",
		trial.Increase: "increase"}[v]
}

// dfTerm returns the name of a method for degrees of freedom in tables and designs. t2map's own words in
// tables are ASCII, since spreadsheets misread UTF-8 without a byte-order mark.
func dfTerm(d mmrm.DF) string {
	if d == mmrm.KenwardRoger {
		return "kenward-roger"
	}
	return strings.ToLower(d.String())
}

// directionName says whether an increase of an endpoint is better or worse.
func directionName(d trial.Direction) string {
	return [...]string{trial.Unknown: "unknown", trial.HigherIsWorse: "higher is worse",
		trial.HigherIsBetter: "higher is better"}[d]
}

// trialName returns the trial's code on one line; it may be empty.
func trialName(d trial.Design) string { return strings.TrimSpace(printable.Line(d.Name)) }

// kindsOf joins the kinds of the flags, each once, in the order of trial.FlagKinds.
func kindsOf(a *trial.Analysis, flags []int) string {
	found := map[trial.FlagKind]bool{}
	for _, i := range flags {
		found[a.Flags[i].Kind] = true
	}
	var names []string
	for _, k := range trial.FlagKinds {
		if found[k] {
			names = append(names, string(k))
		}
	}
	return strings.Join(names, "; ")
}

// endpoints iterates over the endpoints, and contrasts over their contrasts, in the order of the analysis.
func endpoints(a *trial.Analysis) iter.Seq[*trial.EndpointAnalysis] {
	return func(yield func(*trial.EndpointAnalysis) bool) {
		for i := range a.Endpoints {
			if !yield(&a.Endpoints[i]) {
				return
			}
		}
	}
}

func contrasts(a *trial.Analysis) iter.Seq2[*trial.EndpointAnalysis, trial.Contrast] {
	return func(yield func(*trial.EndpointAnalysis, trial.Contrast) bool) {
		for e := range endpoints(a) {
			for _, c := range e.Contrasts {
				if !yield(e, c) {
					return
				}
			}
		}
	}
}

// armSizes counts the subjects of each arm in the set that is analysed.
func armSizes(d trial.Design) []int {
	n := make([]int, len(d.Arms))
	for _, s := range d.Subjects {
		if s.Analysed() {
			n[s.Arm]++
		}
	}
	return n
}

// inSet returns ", in the set NAME" for the set that is analysed; empty if the plan has no sets.
func inSet(a *trial.Analysis) string {
	if len(a.Plan.Sets) == 0 {
		return ""
	}
	return ", in the set “" + called(a.Plan.Sets[0].Name) + "”"
}

// listed joins names, as in "a, b and c". It counts the names after the sixtieth, so that a methods
// section names every endpoint of a usual trial.
func listed(names []string) string {
	const most = 60
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

func mapped[T any](list []T, f func(T) string) []string { return listOf(list, f) }
