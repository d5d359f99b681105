package publish

import (
	"fmt"
	"strings"
	"testing"

	"github.com/t2map/t2map/trial"
	"github.com/t2map/t2map/trial/mmrm"
)

// methodsOf is the text of the methods.
func methodsOf(a trial.Analysis) string {
	var parts []string
	for _, p := range methods(&a) {
		parts = append(parts, p.Name+". "+p.Text)
	}
	return strings.ReplaceAll(strings.Join(parts, "\n"), "\u00a0", " ")
}

// The methods describe the analysis that was done.
func TestMethodsOfStrata(t *testing.T) {
	a := usual.analysis()
	never(t, "a design without strata", methodsOf(a), "within strata")
	a.Design.Subjects[3].Stratum = "early"
	never(t, "one stratum and blanks", methodsOf(a), "within strata")
	a.Design.Subjects[4].Stratum = "late"
	says(t, "two strata", methodsOf(a), "by permuting the arms among participants within strata,")
}

func TestMethodsNameTheEffectsThatWereFitted(t *testing.T) {
	a := usual.analysis()
	a.Plan.Covariates = []string{"site", "age"}
	for i := range a.Endpoints {
		m := &a.Endpoints[i].Model
		m.Formula = trial.Formula{{"baseline"}, {"age"}, {"arm"}, {"visit"}, {"arm", "visit"}}
		m.Omitted = []trial.Omission{{Term: "site", Reason: "the same for all"}}
	}
	says(t, "one formula", methodsOf(a),
		"The fixed effects were baseline, age, arm, visit and arm × visit. Omitted from the model were site (the "+
			"same for all) for medial T2, lateral T2, patellofemoral T2 and WOMAC pain. The planned model has")
	m := &a.Endpoints[3].Model
	m.Formula, m.Omitted = trial.Formula{{"arm"}, {"visit"}, {"arm", "visit"}},
		[]trial.Omission{{Term: "baseline", Reason: "the same for all"}}
	says(t, "two formulas", methodsOf(a),
		"The fixed effects were baseline, age, arm, visit and arm × visit for medial T2, lateral T2 and "+
			"patellofemoral T2; arm, visit and arm × visit for WOMAC pain. Omitted",
		"site (the same for all) for medial T2, lateral T2 and patellofemoral T2; baseline (the same for all) for "+
			"WOMAC pain. The planned model has")
	for i := range a.Endpoints {
		fail(&a.Endpoints[i].Model, "nobody has a change")
	}
	says(t, "no model", methodsOf(a),
		"The fixed effects were baseline, site, age, arm, visit, baseline × visit and arm × visit. The planned model has a "+
			"slope on the baseline for each visit (baseline × visit). The planned covariance")
}

func TestMethodsOfRepeatability(t *testing.T) {
	for _, c := range []struct {
		plan        trial.Plan
		want, never string
	}{
		{trial.Plan{WithinCV: 0.05},
			"variation: 5 % (RC 13.9 %); 5 % is the value of the QIBA profile (PMC8574057). If nothing changes",
			"others"},
		{trial.Plan{WithinCV: 0.04}, "variation: 4 % (RC 13.9 %). If nothing changes", "QIBA"},
		{trial.Plan{WithinCV: 0.05, CompartmentCVs: []trial.CompartmentCV{{Compartment: "medial", CV: 0.04}}},
			"variation: 4 % for medial and 5 % for the others (RC 13.9 %); 5 % is the value of the QIBA",
			"; the default"},
		{trial.Plan{WithinCV: 0.05, CompartmentCVs: []trial.CompartmentCV{{Compartment: "medial", CV: 0.04},
			{Compartment: "lateral", CV: 0.03}, {Compartment: "patellofemoral", CV: 0.06}}},
			"variation: 4 % for medial, 3 % for lateral and 6 % for patellofemoral (RC", "QIBA"},
	} {
		a := usual.analysis()
		a.Plan.WithinCV, a.Plan.CompartmentCVs = c.plan.WithinCV, c.plan.CompartmentCVs
		says(t, fmt.Sprint(c.plan.CompartmentCVs), methodsOf(a), c.want)
		never(t, fmt.Sprint(c.plan.CompartmentCVs), methodsOf(a), c.never)
	}
}

func TestMethodsOfReads(t *testing.T) {
	a := usual.analysis()
	never(t, "any mask", methodsOf(a), "signed")
	for _, c := range []struct {
		reads    trial.MaskReads
		unsigned int
		want     string
	}{
		{trial.SignedMasks, 0, "Values of T2 were used only if a reader had signed the mask of the study; the others were " +
			"treated as missing (none was left out)."},
		{trial.SignedMasks, 1, "(1 value was left out)"},
		{trial.AdjudicatedMasks, 1200, "only if an adjudicator had signed the mask of the study; the others were treated as " +
			"missing (1,200 values were left out)."},
	} {
		a.Plan.Reads, a.Unsigned = c.reads, c.unsigned
		says(t, string(c.reads), methodsOf(a), c.want)
	}
}

// Scores alone have neither a family nor a repeatability coefficient.
func TestMethodsOfScoresAlone(t *testing.T) {
	a := usual.analysis()
	a.Endpoints, a.Correlations = a.Endpoints[3:], nil
	text := methodsOf(a)
	says(t, "scores alone", text,
		"There is no primary contrast.", "The p values and intervals were not adjusted.")
	never(t, "scores alone", text, "each compartment", "Individual changes.", "RC", "Holm", "QIBA")
	a.Design.Primary = []trial.Target{{Endpoint: "WOMAC pain", Visit: 2}}
	says(t, "a primary score", methodsOf(a),
		"The primary contrast is the difference between low dose and control in the change of WOMAC pain from baseline "+
			"to visit 2.")
}

func TestMethodsNameWhatAFallbackAssumes(t *testing.T) {
	a := usual.analysis()
	m := &a.Endpoints[1].Model
	m.Covariance, m.N, m.Rejected = mmrm.AR1, [][]int{{2, 3}, {3, 3}},
		[]mmrm.Rejected{{Covariance: mmrm.Unstructured, Reason: "did not converge"}}
	says(t, "a fallback", methodsOf(a),
		"For lateral T2: the first-order autoregressive covariance assumes the same variance at every visit, and "+
			"with so few participants the test rejects too often")
}
