package publish

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/t2map/t2map/trial"
)

// planned is a trial of two arms with a plan: T2 at months 0, 3 and 12, WOMAC and CRP also at months 6 and 9,
// strata, two sets and screened persons.
func planned(t *testing.T, plan string) trial.Analysis {
	t.Helper()
	visits, months := []string{"baseline", "month03", "month06", "month09", "month12"}, []int{0, 3, 6, 9, 12}
	design := "# trial: T-7\n# reference: control\nsubject,arm,stratum,fas,pp,discontinued\n"
	results := "subject,visit,series,side,compartment,mean_t2_ms,median_t2_ms,scanner\n"
	scores := "subject,visit,name,value,unit\n"
	for n := range 24 {
		id, last := subjectID(n), 4
		fas, pp, left := "yes", "yes", ""
		switch n {
		case 3:
			fas, pp = "no", "no"
		case 6:
			pp, last, left = "no", 1, "adverse event"
		}
		design += fmt.Sprintf("%s,%s,%s,%s,%s,%s\n", id, []string{"control", "cells"}[n%2],
			[]string{"early", "late"}[n/2%2], fas, pp, left)
		for v := range visits[:last+1] {
			effect := -float64(months[v]*(n%2)) / 4
			if v == 0 || v == 1 || v == 4 {
				scanner := "one"
				if n == 1 && v == 4 {
					scanner = "two"
				}
				results += fmt.Sprintf("%s,%s,s%d%d,right,medial,%.2f,%.2[5]f,%[6]s\n", id, visits[v], n, v,
					38+4*noise(n)+noise(n, v)+effect, scanner)
			}
			scores += fmt.Sprintf("%s,%s,WOMAC,%.1f,\n%s,%s,CRP,%.2f,mg/L\n", id, visits[v], 45+10*noise(n, 9)+
				3*noise(n, v, 9)+effect, id, visits[v], 3+2*noise(n, 8)+0.3*noise(n, v, 8)+effect/9)
		}
	}
	const head = "visits: {baseline: 0, month03: 3, month06: 6, month09: 9, month12: 12}\n" +
		"visits[T2]: [baseline, month03, month12]\nscale[CRP]: log\n"
	tables := trial.Tables{
		Design:       trial.Source{Name: "trial.csv", Data: []byte(design)},
		Plan:         trial.Source{Name: "plan.yaml", Data: []byte(head + plan)},
		Compartments: trial.Source{Name: "compartments.csv", Data: []byte(results)},
		Scores:       []trial.Source{{Name: "scores.csv", Data: []byte(scores)}},
	}
	a, err := trial.Analyse(context.Background(), "1.2.3", tables, func(_ trial.Design, p *trial.Plan) error {
		p.Permutations = permutations
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

const wholePlan = `primary: [medial@month12, WOMAC@month09, CRP@month12]
secondary: WOMAC@month12
sets: {full analysis: fas, per protocol: pp}
screened: 40
excluded: {not eligible: 12, declined: 4}
summary: median
estimand: treatment policy for <all> events
`

// The page says everything that the plan decides.
func TestPageSaysThePlan(t *testing.T) {
	a := planned(t, strings.Replace(wholePlan, "summary: median\n", "", 1))
	got := strings.ReplaceAll(readable(page(t, a)), "\u00a0", " ")
	says(t, "the page", got,
		"Plan: plan.yaml, SHA-256 "+a.PlanFile.SHA256, "The plan is plan.yaml, whose SHA-256 is",
		"Estimand. treatment policy for <all> events",
		"Planned visits: baseline, month03 and month12 for medial T2; baseline, month03, month06, month09 and month12 "+
			"for WOMAC and CRP.",
		"The randomisation was stratified, and the stratum is in the model.",
		"The analysis set is full analysis (23 of 24 participants). Sensitivity analyses use per protocol (22).",
		"CRP was analysed on the logarithmic scale; differences are ratios of geometric means.",
		"The p values of the 3 primary contrasts (endpoints, visits and arms)",
		"The primary contrasts are the differences between cells and control in the change of WOMAC from baseline to "+
			"month09; medial T2 and CRP from baseline to month12. Key secondary contrasts are the differences in the "+
			"change of WOMAC from baseline to month12.",
		"The key secondary contrast is a family of its own. The error is controlled within each family, not over both.",
		"CRP (ratio of geometric means), change to month12, cells / control", "CRP (mg/L): ratio to baseline",
		"† S002 at month12: scanner change (see Flags )",
	)
}

// The parts of the page are in their order.
func TestOrderOfThePage(t *testing.T) {
	p := string(page(t, usual.analysis(), picture("means")))
	last := -1
	for _, part := range []string{`id="result"`, `id="participants"`, `id="baseline"`, `id="methods"`, `id="results"`,
		"<figure>", `id="quality"`, `id="individuals"`, `id="listings"`} {
		i := strings.Index(p, part)
		if i < last {
			t.Errorf("%s is at %d, before the part that it follows", part, i)
		}
		last = i
	}
}

// The other choices of a plan.
func TestMethodsOfOtherPlans(t *testing.T) {
	a := planned(t, "summary: median\nstrata: none\nbaseline: common\n")
	text := methodsOf(a)
	says(t, "other choices", text, "the median T2 (ms) of the voxels",
		"The planned model has one slope on the baseline for all visits.")
	never(t, "no sets", text, "set is", "Estimand", "stratified")
	a.PlanFile = trial.Input{}
	says(t, "no plan", methodsOf(a), "There was no frozen plan")
	a = planned(t, "covariates: stratum\n")
	if got := plannedEffects(&a); strings.Count(got, "stratum") != 1 {
		t.Errorf("a stratum that is also a covariate: %s", got)
	}
}

// A ratio is the exponential of a difference of logarithms, everywhere on the page.
func TestRatiosOfGeometricMeans(t *testing.T) {
	a := planned(t, wholePlan)
	crp := &a.Endpoints[2]
	c := &crp.Contrasts[3]
	c.Model.Value, c.Model.Low, c.Model.High = -0.2231, -0.3567, 0.0953 // ln 0.80, 0.70, 1.10
	crp.Cells[1][4].Change.Mean, crp.Cells[1][4].Change.Low, crp.Cells[1][4].Change.High = 0.4055, 0.2624, 0.5306
	c.Ancova.Value, c.Ancova.Low, c.Ancova.High = -0.1054, -0.2877, 0.1823
	got := strings.ReplaceAll(readable(page(t, a)), "\u00a0", " ")
	says(t, "the page", got, "0.80 [95 % CI 0.70 to 1.10], adjusted p", "cells / control 11, 11 0.80",
		"[1.30, 1.70]", "0.90 [0.75, 1.20]")
	never(t, "the page", got, "[−0.36, 0.10]", "0.80 mg/L")
}

// Tables have rows only at planned visits.
func TestUnplannedVisitsHaveNoRows(t *testing.T) {
	a := planned(t, wholePlan)
	medial := &a.Endpoints[0]
	for name, g := range map[string]grid{
		"values": valueGrid(&a, medial), "changes": changeGrid(&a, medial), "individuals": individualGrid(&a, medial),
	} {
		for _, block := range g.Groups {
			for _, r := range block.Rows {
				for _, c := range r.Cells {
					if c.Text == "month06" || c.Text == "month09" {
						t.Fatalf("%s: a row at %s", name, c.Text)
					}
				}
			}
		}
	}
	if c := residualCell(medial); strings.Count(c.Text, ",") != 1 || strings.Contains(c.Text, dash) {
		t.Errorf("residual SDs at two visits: %q", c.Text)
	}
}

// The sensitivity analyses stand beside their primary contrast, with their reasons.
func TestSensitivityBesideThePrimaryResult(t *testing.T) {
	a := planned(t, wholePlan)
	a.Sensitivity = nil
	if g := sensitivityGrid(&a); len(g.Groups) != 0 {
		t.Errorf("none: %d groups", len(g.Groups))
	}
	target := trial.Target{Endpoint: "CRP", Visit: 4}
	estimate := a.Endpoints[0].Contrasts[1].Model
	estimate.Value, estimate.Low, estimate.High, estimate.P = -0.2231, -0.3567, 0.0953, 0.0421
	a.Sensitivity = []trial.Sensitivity{
		{Target: target, Arm: 1, Kind: trial.WithoutFlagged, Estimate: estimate, N: 10, NReference: 9, Omitted: 3},
		{Target: target, Arm: 1, Kind: trial.CompleteCases, Estimate: none, Reason: "too few changes"},
		{Target: target, Arm: 1, Kind: trial.OtherSet, Set: "per protocol", Estimate: estimate, N: 11, NReference: 11},
	}
	got := strings.ReplaceAll(readable(page(t, a)), "\u00a0", " ")
	says(t, "the page", got, "Sensitivity analyses Analysis omitted n Difference 95 % CI p primary 0 11, 11 0.82 [0.71, 0.94] 0.006",
		"without flagged values 3 10, 9 0.80 [0.70, 1.10] 0.042",
		"complete cases 0 0, 0 – a – a per protocol 0 11, 11 0.80", "a too few changes.",
		"Sensitivity analyses repeat the model", "Omitted: number of changes not used.")
	const bias = "The limits on T2 and its change depend on the outcome"
	never(t, "an endpoint other than T2", got, bias)
	a.Sensitivity[0].Endpoint = "medial"
	says(t, "T2", readable(page(t, a)), bias)
	p := string(page(t, a))
	if strings.Index(p, `<table class="sensitivity">`) > strings.Index(p, `id="participants"`) {
		t.Error("the sensitivity analyses are not in the box of the primary result")
	}
}

// trial.json has the facts of the plan.
func TestJSONOfThePlan(t *testing.T) {
	a := planned(t, wholePlan)
	a.Sensitivity = []trial.Sensitivity{{Target: trial.Target{Endpoint: "CRP", Visit: 4}, Kind: trial.OtherSet,
		Set: "per protocol"}}
	data, err := encode(&a, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Schema   string
		PlanFile trial.Input `json:"plan_file"`
		Plan     struct {
			Sets     []struct{ Name, Column string }
			Estimand string
			Screened int
			Excluded []struct {
				Reason string
				N      int
			}
			Median bool
			Limits struct {
				SNR *float64
				T2  []float64
			}
			CompartmentCVs []struct{} `json:"compartment_cvs"`
		}
		Design struct {
			Secondary []struct {
				Endpoint string
				Visit    int
			}
		}
		Endpoints []struct {
			Log       bool
			Visits    []int
			Contrasts []struct {
				Family string
				Holm   *float64
			}
		}
		Sensitivity []struct {
			Endpoint  string
			Visit     int
			Kind, Set string
		}
		Flow []struct {
			Visits []struct {
				InTrial   int  `json:"in_trial"`
				T2Planned bool `json:"t2_planned"`
				Left      []struct {
					Reason string
					N      int
				}
			}
		}
	}
	if err := json.Unmarshal(data, &d); err != nil {
		t.Fatal(err)
	}
	p := d.Plan
	got := fmt.Sprintln(d.Schema, d.PlanFile == a.PlanFile && len(d.PlanFile.SHA256) == 64, p.Sets, p.Median, p.Screened,
		p.Excluded, *p.Limits.SNR, p.Limits.T2, d.Design.Secondary, d.Sensitivity, p.CompartmentCVs)
	if want := "t2map-trial/3 true [{full analysis fas} {per protocol pp}] true 40 [{not eligible 12} {declined 4}] 2 " +
		"[20 70] [{WOMAC 4}] [{CRP 4 other set per protocol}] []\n"; got != want {
		t.Errorf("the plan: %s\nwant %s", got, want)
	}
	if e := d.Endpoints; fmt.Sprintln(e[0].Visits, e[0].Log, e[2].Log, e[1].Contrasts[3].Family) !=
		"[0 1 4] false true secondary\n" || e[0].Contrasts[0].Holm != nil {
		t.Errorf("endpoints: %+v", e)
	}
	if v := d.Flow[0].Visits[2]; v.T2Planned || v.InTrial != 11 || fmt.Sprint(v.Left) != "[{adverse event 1}]" {
		t.Errorf("flow at month06: %+v", v)
	}
}
