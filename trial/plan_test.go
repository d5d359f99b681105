package trial

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/hint"
)

// The line visits plans its own visits alone: a visit of another line is planned for that endpoint only.
func TestVisitsOfOtherLines(t *testing.T) {
	tables := made{arms: twoArms, visits: threeVisits, perArm: 6}.tables()
	tables.Overrides = lines("visits", "baseline=0, month03=3, month12=12", "visits[WOMAC]",
		"baseline, month06=6, month12")
	tables.Scores = []Source{{Name: "scores.csv",
		Data: []byte("subject,visit,name,value\nS01,baseline,WOMAC,4\nS01,month06,WOMAC,5\n")}}
	a := analyse(t, tables)
	planned := func(e EndpointAnalysis) (names []string) {
		for _, v := range e.Visits {
			names = append(names, a.Design.Visits[v].Name)
		}
		return names
	}
	for i, want := range [][]string{threeVisits, threeVisits, {"baseline", "month06", "month12"}} {
		if diff := cmp.Diff(want, planned(a.Endpoints[i])); diff != "" {
			t.Error(a.Endpoints[i].Name, diff)
		}
	}
	for _, f := range a.Flags {
		if f.Visit == "month06" && f.Endpoint != "WOMAC" {
			t.Errorf("a flag of a visit that is not planned: %+v", f)
		}
	}
	if cell := a.Endpoints[0].Cells[0][2]; a.Design.Visits[2].Name != "month06" || cell.Value.N != 0 ||
		!math.IsNaN(cell.Value.Mean) || !math.IsNaN(cell.Change.Low) || !math.IsNaN(cell.Quality.Voxels) {
		t.Errorf("a place that is not planned has numbers: %+v", cell)
	}
	// Without a line for all endpoints, an endpoint without a line of its own is an error.
	tables.Overrides = nil
	tables.Design.Data = []byte(strings.Replace(string(tables.Design.Data), "# visits: ", "# visits[T2]: ", 1))
	_, err := Analyse(context.Background(), "test", tables, nil)
	if err == nil || !strings.Contains(err.Error(), `the visits of the endpoint "WOMAC" are not planned`) ||
		!strings.Contains(hint.Find(err), "visits[WOMAC]") {
		t.Errorf("%v, hint %q", err, hint.Find(err))
	}
}

// A line of its own is stronger than that of T2.
func TestOwnScale(t *testing.T) {
	a := made{arms: twoArms, visits: threeVisits, perArm: 6,
		heading: "# scale[T2]: log\n# scale[medial]: linear\n"}.analyse(t)
	for _, e := range a.Endpoints {
		if e.Log != (e.Name == "lateral") {
			t.Errorf("%s: log %v", e.Name, e.Log)
		}
	}
}

// Permutations stay within the planned strata, whatever their column is called: with two sites of 6, of whom 3 are
// in each arm, there are (6 over 3)² arrangements.
func TestPermutationsWithinPlannedStrata(t *testing.T) {
	m := made{arms: twoArms, visits: threeVisits, perArm: 6, heading: "# strata: site\n",
		column: func(_, n int) string { return string(rune('A'+n%2)) + ",50" }}
	if p := m.analyse(t).Endpoints[0].Contrasts[1].Permutation; p.Arrangements != 400 {
		t.Errorf("within sites: %+v", p)
	}
	m.heading = ""
	if p := m.analyse(t).Endpoints[0].Contrasts[1].Permutation; p.Arrangements != 924 {
		t.Errorf("without strata: %+v", p)
	}
}

// The main visit of an endpoint is the last of its primary contrasts, of its key secondary ones, or else the last
// primary visit that is planned for it.
func TestMainVisit(t *testing.T) {
	a := made{arms: twoArms, visits: []string{"v0", "v1", "v2", "v3"}, perArm: 6,
		heading: "# primary: medial@v2, medial@v1\n"}.analyse(t)
	if m, l := a.Design.MainVisit(a.Endpoints[0].Endpoint), a.Design.MainVisit(a.Endpoints[1].Endpoint); m != 2 || l != 2 {
		t.Errorf("main visits %d and %d", m, l)
	}
	a.Design.Secondary = []Target{{Endpoint: "lateral", Visit: 1}}
	if l := a.Design.MainVisit(a.Endpoints[1].Endpoint); l != 1 {
		t.Errorf("main visit of a key secondary endpoint %d", l)
	}
}

// A stratum with one level is in no model and in no text, and a note says so.
func TestStratumWithOneLevel(t *testing.T) {
	a := made{arms: twoArms, visits: threeVisits, perArm: 6, heading: "# strata: site\n",
		column: func(_, _ int) string { return "A,50" }}.analyse(t)
	if len(a.Strata()) > 0 || !slices.ContainsFunc(a.Notes, func(n string) bool {
		return strings.Contains(n, "site has only one level")
	}) {
		t.Errorf("strata %q, notes %q", a.Strata(), a.Notes)
	}
}

// Those who were seen are in the trial, although their studies have no value.
func TestFlowCountsThosePresent(t *testing.T) {
	tables := made{arms: twoArms, visits: threeVisits, perArm: 4}.tables()
	var kept []string
	for row := range strings.Lines(string(tables.Compartments.Data)) {
		if !strings.HasPrefix(row, "S01,month12") && !strings.HasPrefix(row, "S04,month12") {
			kept = append(kept, row)
		}
	}
	tables.Compartments.Data = []byte(strings.Join(kept, ""))
	tables = tables.and("S02,month12,again,again,right,medial,40,nlls,plain,Maker One,7 echoes")
	tables.Studies.Data = append(tables.Studies.Data, "S01,month12,failed,no mask\n"...)
	a := analyse(t, tables)
	var left []int
	for _, f := range a.Flow {
		n := 0
		for _, l := range f.Visits[2].Left {
			n += l.N
		}
		left = append(left, f.Visits[2].InTrial, n)
	}
	// S01 (control) has a failed study, S02 (treatment) two; S04 (treatment) has none.
	if diff := cmp.Diff([]int{4, 0, 3, 1}, left); diff != "" {
		t.Error(diff)
	}
}

// The words yes and no are not reasons for leaving, and a reason of a subject who stayed is noted.
func TestReasonsForLeaving(t *testing.T) {
	tables := made{arms: twoArms, visits: threeVisits, perArm: 4, column: func(arm, n int) string {
		return []string{"no", "yes", "moved", ""}[n] + ",50"
	}}.tables()
	tables.Design.Data = []byte(strings.Replace(string(tables.Design.Data), ",site,age", ",discontinued,age", 1))
	a := analyse(t, tables)
	var reasons []string
	for _, s := range a.Design.Subjects {
		if s.Arm == 0 {
			reasons = append(reasons, s.Discontinued)
		}
	}
	if diff := cmp.Diff([]string{"", "no reason given", "moved", ""}, reasons); diff != "" {
		t.Error(diff)
	}
	if !slices.ContainsFunc(a.Notes, func(n string) bool { return strings.HasPrefix(n, `"S05" has a reason`) }) {
		t.Errorf("notes %q", a.Notes)
	}
}

// Analysed are those in the model of a primary endpoint.
func TestFlowCountsThoseInThePrimaryModel(t *testing.T) {
	m := made{arms: twoArms, visits: threeVisits, perArm: 6, heading: "# primary: WOMAC@month12\n"}
	tables := m.tables()
	scores := "subject,visit,name,value\n"
	m.each(func(id string, arm, n int) {
		if arm == 1 && n == 0 {
			return // no score at all
		}
		for v, visit := range threeVisits {
			scores += id + "," + visit + ",WOMAC," + string(rune('1'+(n*n+v*arm)%7)) + "\n"
		}
	})
	tables.Scores = []Source{{Name: "scores.csv", Data: []byte(scores)}}
	a := analyse(t, tables)
	if a.Flow[0].Analysed != 6 || a.Flow[1].Analysed != 5 {
		t.Errorf("analysed %d and %d", a.Flow[0].Analysed, a.Flow[1].Analysed)
	}
}

// The keys that are not from the plan file are named.
func TestDepartures(t *testing.T) {
	tables := made{arms: twoArms, visits: threeVisits, perArm: 6}.tables()
	tables.Plan = Source{Name: "plan.yaml", Data: []byte("primary: medial@month12\nreference: control\n")}
	tables.Overrides = lines("primary", "lateral@month12", "reference", "control")
	a := analyse(t, tables)
	if diff := cmp.Diff([]Departure{{"primary", "medial@month12", "lateral@month12", "--primary"},
		{"visits", "", "baseline=0,month03=3,month12=6", "trial.csv, line 1"}}, a.Plan.Departures); diff != "" {
		t.Error(diff)
	}
	tables.Plan = Source{}
	if a := analyse(t, tables); a.Plan.Departures != nil {
		t.Errorf("without a plan file: %+v", a.Plan.Departures)
	}
}

// A primary contrast without data in the analysed set or in an arm is an error of its line.
func TestPrimaryWithoutData(t *testing.T) {
	m := made{arms: twoArms, visits: threeVisits, perArm: 6,
		column: func(arm, n int) string { return []string{"no,50", "yes,50"}[arm] }}
	m.heading = "# sets: full=site\n# primary: medial@month12\n"
	absent := func(arm int) func(a, n, v int) float64 {
		return func(a, n, v int) float64 {
			if a == arm && v == 2 {
				return math.NaN()
			}
			return 38 + float64((n+v)%3)
		}
	}
	other := made{arms: twoArms, visits: threeVisits, perArm: 6, heading: "# primary: medial@month12\n"}
	reference := other
	other.t2, reference.t2 = absent(1), absent(0)
	for want, m := range map[string]made{
		`line 4: the primary endpoint medial has no change at month12 among the analysed subjects of the arm "control"`: m,
		`line 3: the primary endpoint medial has no change at month12 among the analysed subjects of the other arms`:    other,
		`line 3: the primary endpoint medial has no change at month12 among the analysed subjects of the arm "contr`:    reference,
	} {
		_, err := Analyse(context.Background(), "test", m.tables(), nil)
		if err == nil || !strings.Contains(err.Error(), want) || hint.Find(err) == "" {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
