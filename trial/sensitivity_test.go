package trial

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// A sensitivity analysis is the primary analysis of tables from which the values were removed.
func TestSensitivityIsTheModelOfFewerData(t *testing.T) {
	m := made{arms: []string{"control", "low", "high"}, visits: threeVisits, perArm: 8,
		heading: "# primary: medial@month03, medial@month12\n",
		column:  func(_, n int) string { return "yes," + []string{"yes", "no"}[n/7] }}
	tables := m.tables()
	tables.Design.Data = []byte(strings.Replace(string(tables.Design.Data), ",site,age", ",fas,pps", 1))
	tables.Overrides = lines("sets", "full=fas, protocol=pps")
	// edit changes the rows that begin with one of the texts; an empty row is removed.
	edit := func(tables Tables, change func(string) string, rows ...string) Tables {
		var edited strings.Builder
		for line := range strings.Lines(string(tables.Compartments.Data)) {
			if slices.ContainsFunc(rows, func(row string) bool { return strings.HasPrefix(line, row) }) {
				line = change(line)
			}
			edited.WriteString(line)
		}
		tables.Compartments.Data = []byte(edited.String())
		return tables
	}
	remove := func(string) string { return "" }
	tables = edit(tables, remove, "S04,month03,") // S04 is not a complete case
	flagged := edit(tables, func(line string) string { return strings.Replace(line, "Maker One", "Maker Two", 1) },
		"S05,month12,")
	flagged = edit(flagged, func(line string) string { return strings.Replace(line, "echoes,,", "echoes,7,", 1) },
		"S06,baseline,")
	a := analyse(t, flagged)
	want := map[string]Analysis{
		"flagged":  analyse(t, edit(tables, remove, "S05,month12,", "S06,")),
		"complete": analyse(t, edit(tables, remove, "S04,")),
		"protocol": analyse(t, edit(tables, remove, "S22,", "S23,", "S24,")),
	}
	names := map[SensitivityKind]string{WithoutFlagged: "flagged", CompleteCases: "complete", OtherSet: "protocol"}
	omitted := map[string]int{"flagged": 3, "complete": 1, "protocol": 6}
	if len(a.Sensitivity) != 2*2*3 {
		t.Fatalf("%d analyses: two arms, two visits and three selections", len(a.Sensitivity))
	}
	for _, s := range a.Sensitivity {
		name := names[s.Kind]
		var c Contrast
		for _, one := range want[name].Endpoints[0].Contrasts {
			if one.Arm == s.Arm && one.Visit == s.Visit {
				c = one
			}
		}
		if s.Endpoint != "medial" || (s.Kind == OtherSet) != (s.Set == "protocol") || s.Reason != "" ||
			math.Abs(s.Estimate.Value-c.Model.Value) > 1e-9 || math.Abs(s.Estimate.P-c.Model.P) > 1e-9 ||
			s.N != c.N || s.NReference != c.NReference || s.Omitted != omitted[name] {
			t.Errorf("%s: %+v, the tables without the values have %+v", name, s, c)
		}
	}
}

// If few subjects remain, another covariance is fitted, and the reason names it.
func TestSensitivityFallsBack(t *testing.T) {
	tables := made{arms: twoArms, visits: threeVisits, perArm: 8, heading: "# primary: medial\n",
		column: func(_, n int) string { return "yes," + []string{"yes", "no"}[min(n/2, 1)] }}.tables()
	tables.Design.Data = []byte(strings.Replace(string(tables.Design.Data), ",site,age", ",fas,pps", 1))
	tables.Overrides = lines("sets", "full=fas, protocol=pps")
	all := analyse(t, tables).Sensitivity
	last := all[len(all)-1]
	if last.Set != "protocol" || last.N != 2 || last.Omitted != 24 || math.IsNaN(last.Estimate.Value) ||
		!strings.HasPrefix(last.Reason, "covariance: ") || all[0].Reason != "" {
		t.Errorf("%+v", all)
	}
}

// A selection that leaves an arm empty, or too few data for a model, has a reason.
func TestSensitivityWithoutData(t *testing.T) {
	tables := made{arms: twoArms, visits: threeVisits, perArm: 6, heading: "# primary: medial\n",
		column: func(arm, _ int) string { return []string{"yes,no", "yes,yes"}[arm] }}.tables()
	tables.Design.Data = []byte(strings.Replace(string(tables.Design.Data), ",site,age", ",fas,pps", 1))
	tables.Overrides = lines("sets", "full=fas, protocol=pps")
	tables.Compartments.Data = []byte(strings.ReplaceAll(string(tables.Compartments.Data), "echoes,,", "echoes,7,"))
	for _, s := range analyse(t, tables).Sensitivity {
		if s.Kind == CompleteCases {
			if s.Reason != "" || s.Omitted != 0 || math.IsNaN(s.Estimate.P) {
				t.Errorf("nothing is omitted: %+v", s)
			}
		} else if s.Reason == "" || !math.IsNaN(s.Estimate.P) {
			t.Errorf("no reason: %+v", s)
		}
	}
}
