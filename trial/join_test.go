package trial

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/hint"
)

// flagged returns the flags of a kind.
func flagged(a Analysis, kind FlagKind) []Flag {
	var found []Flag
	for _, f := range a.Flags {
		if f.Kind == kind {
			found = append(found, f)
		}
	}
	return found
}

func TestJoinsEveryValue(t *testing.T) {
	a := made{arms: twoArms, visits: threeVisits, perArm: 3,
		t2: func(arm, n, v int) float64 { return 30 + float64(10*arm+3*v+n) }}.analyse(t)
	if len(a.Endpoints) != 2 || a.Endpoints[0].Name != "medial" || a.Endpoints[0].Title != "Medial T2" ||
		a.Endpoints[0].Unit != "ms" {
		t.Fatalf("endpoints: %+v", a.Endpoints)
	}
	s := subjectIndex(t, a, "S04") // the second of treatment
	v := a.Endpoints[1].Values[s][2]
	if v.X != 30+10+6+1 || v.Missing.Kind != Present || v.Side != "right" || v.Series != "se-S04-2" ||
		v.Method != "nlls" {
		t.Errorf("value: %+v", v)
	}
	c := a.Endpoints[1].Changes[s][2]
	if c.Delta != 6 || math.Abs(c.Percent-100*6.0/41) > 1e-12 || c.Verdict != Increase {
		t.Errorf("change: %+v", c)
	}
	if len(a.Flags) != 0 || len(a.Notes) != 0 {
		t.Errorf("flags %+v, notes %q", a.Flags, a.Notes)
	}
}

func TestListsWhatDoesNotFit(t *testing.T) {
	base := made{arms: twoArms, visits: threeVisits, perArm: 3, t2: func(_, n, v int) float64 {
		if n == 2 && v == 2 {
			return math.NaN()
		}
		return 35
	}}.tables()
	tables := base.and(
		"S99,baseline,x,x,right,medial,33,nlls,plain,Maker One,7 echoes,,",
		"S01,month06,x3,x3,right,medial,33,nlls,plain,Maker One,7 echoes,,",
		"S02,month03,second,second,right,medial,39,nlls,plain,Maker One,7 echoes,,",
	)
	tables.Studies.Data = []byte("subject,visit,status,reason\nS05,month12,failed,no mask\n" +
		"S77,month03,failed,x\nstudy (no study),,failed,damaged\n")
	a := analyse(t, tables)
	for _, want := range []Flag{
		{Kind: NotInDesign, Subject: "S99", Visit: "baseline", Text: "results: the design does not have this subject"},
		{Kind: NotInDesign, Subject: "S01", Visit: "month06", Text: "results: the design does not have this visit"},
		{Kind: NotInDesign, Subject: "S77", Visit: "month03",
			Text: "a failed study: the design does not have this subject"},
		{Kind: NoResult, Subject: "S05", Visit: "month12", Text: "study failed: no mask"},
		{Kind: NoResult, Subject: "S06", Visit: "month12", Text: "no study"},
		{Kind: NoResult, Subject: "S02", Visit: "month03", Endpoint: "medial",
			Text: "two studies at one visit, none chosen"},
		{Kind: TwoStudies, Subject: "S02", Visit: "month03", Text: "two studies at this visit: none is used"},
	} {
		if !contains(a.Flags, want) {
			t.Errorf("not flagged: %+v", want)
		}
	}
	s := subjectIndex(t, a, "S02")
	if v := a.Endpoints[0].Values[s][1]; !math.IsNaN(v.X) || len(v.Flags) != 1 ||
		a.Flags[v.Flags[0]].Kind != TwoStudies {
		t.Errorf("two studies: %+v", v)
	}
	if a.Endpoints[1].Values[s][1].X != 35 {
		t.Error("the compartment that only one study has is lost")
	}
	if t.Failed() {
		t.Logf("flags: %+v", a.Flags)
	}
}

// After a recorded discontinuation no result is expected; before it, and without a record, a missing one is flagged.
func TestDiscontinuedIsNotMissing(t *testing.T) {
	t2 := func(_, n, v int) float64 {
		if n == 0 && v == 2 || n == 1 && v == 1 {
			return math.NaN()
		}
		return 35
	}
	for _, reason := range []string{"moved away", ""} {
		tables := made{arms: twoArms, visits: threeVisits, perArm: 3, t2: t2}.tables()
		design := string(tables.Design.Data)
		design = strings.Replace(design, "subject,arm", "subject,discontinued,arm", 1)
		for n := range 6 {
			id := fmt.Sprintf("\nS%02d,", n+1)
			design = strings.Replace(design, id, id+reason+",", 1)
		}
		tables.Design.Data = []byte(design)
		a := analyse(t, tables)
		before := Flag{Kind: NoResult, Subject: "S03", Visit: "month03", Text: "no study"}
		after := Flag{Kind: NoResult, Subject: "S01", Visit: "month12", Text: "no study"}
		if !contains(a.Flags, before) || contains(a.Flags, after) != (reason == "") {
			t.Errorf("reason %q: flags %+v", reason, a.Flags)
		}
	}
}

func contains(flags []Flag, f Flag) bool {
	for _, g := range flags {
		if g == f {
			return true
		}
	}
	return false
}

func TestMeanOfTwoStudies(t *testing.T) {
	tables := made{arms: twoArms, visits: threeVisits, perArm: 3, t2: func(_, _, _ int) float64 { return 35 }}.tables().
		and("S02,month03,second,second,right,medial,39,nlls,plain,Maker One,7 echoes,,")
	a, err := Analyse(t.Context(), "test", tables, func(_ Design, p *Plan) error { p.MeanOfTwo = true; return nil })
	if err != nil {
		t.Fatal(err)
	}
	v := a.Endpoints[0].Values[subjectIndex(t, a, "S02")][1]
	if v.X != 37 || len(v.Flags) != 1 ||
		a.Flags[v.Flags[0]].Text != "two studies at this visit: the mean of two is used" {
		t.Errorf("%+v", v)
	}
	if f := a.Endpoints[0].Cells[1][1].ValueFlags; len(f) != 1 {
		t.Errorf("the cell's flags: %v", f)
	}
}

// One of two studies may have no value; a failed study beside a good one is flagged.
func TestTwoStudiesOfWhichOneHasNoValue(t *testing.T) {
	tables := made{arms: twoArms, visits: threeVisits, perArm: 3, t2: func(_, _, _ int) float64 { return 35 }}.tables().
		and("S02,month03,second,second,right,medial,,nlls,plain,Maker One,7 echoes,,no voxels",
			"S03,month03,third,third,right,medial,39,nlls,plain,Maker One,7 echoes,,")
	tables.Studies.Data = []byte("subject,visit,status,reason\nS04,month12,failed,no mask\n")
	a, err := Analyse(t.Context(), "test", tables, func(_ Design, p *Plan) error { p.MeanOfTwo = true; return nil })
	if err != nil {
		t.Fatal(err)
	}
	v := a.Endpoints[0].Values[subjectIndex(t, a, "S02")][1]
	if v.X != 35 || v.Study != "st-S02-1" || len(v.Flags) != 1 ||
		a.Flags[v.Flags[0]].Text != "two studies at this visit: one has a value, which is used" {
		t.Errorf("%+v", v)
	}
	if v := a.Endpoints[0].Values[subjectIndex(t, a, "S03")][1]; v.X != 37 || v.Study != "" {
		t.Errorf("%+v", v)
	}
	if f := flagged(a, Quality); len(f) != 1 || f[0].Text != "another study at this visit: study failed: no mask" {
		t.Errorf("%+v", f)
	}
}

// A note names a planned visit without any result; it is not only a set of missing values.
func TestVisitWithoutAnyResult(t *testing.T) {
	tables := made{arms: twoArms, visits: threeVisits, perArm: 3}.tables()
	tables.Overrides = lines("visits", "baseline=0, month03=3, m12=12")
	a := analyse(t, tables)
	if len(a.Notes) != 1 ||
		a.Notes[0] != `visit "m12" has no results; the results have "month12", which the design does not` {
		t.Errorf("%q", a.Notes)
	}
}

func TestFlagsChangesWithinASubject(t *testing.T) {
	base := made{arms: twoArms, visits: threeVisits, perArm: 3}.tables()
	scanner := "se-S01-2,right,medial"
	line := func(tables Tables, with string) string {
		for l := range strings.SplitSeq(string(tables.Compartments.Data), "\n") {
			if strings.Contains(l, with) {
				return l
			}
		}
		t.Fatalf("no line with %s", with)
		return ""
	}
	old := line(base, scanner)
	tables := base.with(t, old, strings.Replace(old, "Maker One", "Maker Two", 1))
	old = line(tables, "se-S02-1,right,lateral")
	tables = tables.with(t, old, strings.Replace(old, "7 echoes", "8 echoes", 1))
	a := analyse(t, tables)
	if f := flagged(a, ScannerChange); len(f) != 1 || f[0].Subject != "S01" || f[0].Visit != "month12" ||
		f[0].Text != "scanner: Maker Two; at baseline: Maker One" {
		t.Errorf("scanner: %+v", f)
	}
	if f := flagged(a, ProtocolChange); len(f) != 1 || f[0].Subject != "S02" || f[0].Visit != "month03" ||
		f[0].Text != "acquisition: 8 echoes; at baseline: 7 echoes" {
		t.Errorf("protocol: %+v", f)
	}
	cells := a.Endpoints[0].Cells
	if len(cells[0][2].ValueFlags) != 1 || len(cells[0][2].ChangeFlags) != 1 || len(cells[0][1].ChangeFlags) != 0 ||
		len(cells[1][1].ValueFlags) != 1 || len(cells[1][2].ValueFlags) != 0 {
		t.Errorf("flags of cells: %v %v", cells[0], cells[1])
	}
}

func TestFlagsNewSoftwareOfAScanner(t *testing.T) {
	tables := made{arms: twoArms, visits: threeVisits, perArm: 3}.tables().with(t, "Maker One", "Maker One,1").with(t,
		",scanner,", ",scanner,scanner_software,")
	row := "S01,month12,st-S01-2,se-S01-2,right,medial,"
	_, rest, _ := strings.Cut(string(tables.Compartments.Data), row)
	value, _, _ := strings.Cut(rest, ",")
	row += value + ",nlls,plain,Maker One,"
	a := analyse(t, tables.with(t, row+"1", row+"2"))
	if f := flagged(a, ScannerChange); len(f) != 1 || f[0].Text != "software of the scanner: 2; at baseline: 1" {
		t.Errorf("%+v", f)
	}
}

func TestSides(t *testing.T) {
	m := made{arms: twoArms, visits: threeVisits, perArm: 3}
	left := "S01,baseline,l,l,left,medial,50,nlls,plain,Maker One,7 echoes,,"
	t.Run("the design says right", func(t *testing.T) {
		tables := m.tables().and(left)
		tables.Design.Data = []byte(strings.Replace(strings.Replace(m.design(), "subject,arm", "subject,arm,side", 1),
			"S01,control", "S01,control,R", 1))
		a := analyse(t, tables)
		if v := a.Endpoints[0].Values[0][0]; math.IsNaN(v.X) || v.Side != "right" {
			t.Errorf("%+v", v)
		}
		if f := flagged(a, OtherSide); len(f) != 1 || !strings.Contains(f[0].Text, "left knee are not used") {
			t.Errorf("%+v", f)
		}
	})
	t.Run("the design does not say", func(t *testing.T) {
		a := analyse(t, m.tables().and(left))
		for _, v := range a.Endpoints[0].Values[0] {
			if !math.IsNaN(v.X) || v.Missing.Kind != BothKnees {
				t.Errorf("%+v", v)
			}
		}
		if f := flagged(a, OtherSide); len(f) != 1 {
			t.Errorf("%+v", f)
		}
	})
}

func TestScores(t *testing.T) {
	tables := made{arms: twoArms, visits: threeVisits, perArm: 3}.tables()
	tables.Scores = []Source{{Name: "scores.csv", Format: Format{Separator: ';', DecimalComma: true}, Data: []byte(
		"subject;visit;name;value;direction;unit\n" +
			"S01;baseline;WOMAC;50,5;higher is worse;\nS01;month03;WOMAC;40;Higher is  Worse;\n" +
			"S02;baseline;WOMAC;;higher is worse;\n" +
			"S01;baseline;CRP;1,5;;mg/L\nS01;baseline;CRP;1,6;;mg/L\nS88;baseline;CRP;1,5;;mg/L\n")}}
	a := analyse(t, tables)
	if len(a.Endpoints) != 4 || a.Endpoints[2].Name != "WOMAC" || a.Endpoints[2].Direction != HigherIsWorse ||
		a.Endpoints[3].Unit != "mg/L" || a.Endpoints[2].Compartment {
		t.Fatalf("%+v", a.Endpoints)
	}
	if c := a.Endpoints[2].Changes[0][1]; c.Delta != -10.5 || c.Verdict != NoVerdict {
		t.Errorf("%+v", c)
	}
	if v := a.Endpoints[2].Values[1][0]; v.Missing.Kind != EmptyCell {
		t.Errorf("%+v", v)
	}
	if v := a.Endpoints[3].Values[0][0]; !math.IsNaN(v.X) || v.Missing.Kind != SeveralValues {
		t.Errorf("%+v", v)
	}
	if f := flagged(a, NotInDesign); len(f) != 1 ||
		f[0].Text != "values of CRP: the design does not have this subject" {
		t.Errorf("%+v", f)
	}
	if len(a.Correlations) != 2*2*2*4 {
		t.Errorf("%d correlations", len(a.Correlations))
	}
}

func TestBadTables(t *testing.T) {
	good := made{arms: twoArms, visits: threeVisits, perArm: 2}.tables()
	score := func(text string) Tables {
		x := good
		x.Scores = []Source{{Name: "scores.csv", Data: []byte(text)}}
		return x
	}
	results := func(text string) Tables {
		x := good
		x.Compartments.Data = []byte(text)
		return x
	}
	for _, test := range []struct {
		name, want string
		tables     Tables
	}{
		{"a subject in another case",
			`compartments.csv: line 2: subject "s01" differs from the design's "S01" only in case, ` +
				`spaces, leading zeros, Unicode form, or a hyphen for an underscore`,
			results("subject,visit,compartment,mean_t2_ms\ns01,baseline,medial,30\n")},
		{"a visit with a blank", `line 2: visit "month 03" differs from the design's "month03"`,
			results("subject,visit,compartment,mean_t2_ms\nS01,month 03,medial,30\n")},
		{"other subjects", `none of its subjects ("X1", "X2") is in the design ("S01", "S02", "S03", "S04")`,
			results("subject,visit,compartment,mean_t2_ms\nX1,baseline,medial,30\nX2,baseline,medial,30\n")},
		{"other visits", `none of its visits ("v0") is in the design ("baseline", "month03", "month12")`,
			results("subject,visit,compartment,mean_t2_ms\nS01,v0,medial,30\n")},
		{"scores of other subjects", `scores.csv: none of its subjects`,
			score("subject,visit,name,value\nX1,baseline,VAS,1\n")},
		{"no T2", `compartments.csv: no column mean_t2_ms`, results("subject,visit,compartment\n")},
		{"T2 of 0", "line 2: mean_t2_ms: 0 ms is not a T2",
			results("subject,visit,compartment,mean_t2_ms\nS01,baseline,medial,0\n")},
		{"no rows", "the results have no compartment", results("subject,visit,compartment,mean_t2_ms\n")},
		{"a series twice", "lines 2 and 3 have the same compartment of one series",
			results("subject,visit,series,compartment,mean_t2_ms\n" +
				"S01,baseline,a,medial,30\nS01,baseline,a,medial,30\n")},
		{"not a table", "no column subject", results("<html>\n")},
		{"an endpoint called as a compartment", "appears twice",
			score("subject,visit,name,value\nS01,baseline,Medial,1\n")},
		{"an endpoint called as all compartments", "has the name of the compartments",
			score("subject,visit,name,value\nS01,baseline,T2,1\n")},
		{"a value below the limit of detection", `line 2: value: "<0.5" is not a number`,
			score("subject,visit,name,value\nS01,baseline,CRP,<0.5\n")},
		{"names that differ in case", "differ only in case, spaces",
			score("subject,visit,name,value\nS01,baseline,VAS,1\nS01,month03,vas,1\n")},
		{"two directions", "another direction",
			score("subject,visit,name,value,direction\nS01,baseline,VAS,1,higher is worse\nS01,month03,VAS,1,\n")},
		{"no direction", `"up" is not a direction`,
			score("subject,visit,name,value,direction\nS01,baseline,VAS,1,up\n")},
		{"two units", "another unit",
			score("subject,visit,name,value,unit\nS01,baseline,VAS,1,mm\nS01,month03,VAS,1,cm\n")},
		{"no number", `line 2: value: "++" is not a number`, score("subject,visit,name,value\nS01,baseline,VAS,++\n")},
		{"infinity", "is not a number", score("subject,visit,name,value\nS01,baseline,VAS,Inf\n")},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Analyse(t.Context(), "test", test.tables, nil)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	primary := good
	primary.Overrides = lines("primary", "patella")
	if _, err := Analyse(t.Context(), "test", primary, nil); err == nil ||
		!strings.Contains(hint.Find(err), "known are medial, lateral") {
		t.Errorf("got %v, hint %q", err, hint.Find(err))
	}
}

// A message has the parts of long texts that differ.
func TestDistinctParts(t *testing.T) {
	for _, c := range []struct{ texts, want []string }{
		{[]string{"7 echoes 10–70 ms, TR 2700 ms, 384x384", "7 echoes 10–70 ms, TR 3000 ms, 384x384, flip 180°"},
			[]string{"TR 2700 ms", "TR 3000 ms, flip 180°"}},
		{[]string{"nlls", "nlls, R² ≥ 0.8"}, []string{"not given", "R² ≥ 0.8"}},
		{[]string{"", "nlls"}, []string{"not given", "nlls"}},
		{[]string{"a, x", "a, y", "a, x, z"}, []string{"x", "y", "x, z"}},
		{[]string{"profile 1, 0.5", "profile 0.5, 1"}, []string{"profile 1, 0.5", "profile 0.5, 1"}},
		{[]string{"x, y", "y, x"}, []string{"x, y", "y, x"}}, // the parts do not distinguish them
		{[]string{"x", "x, x"}, []string{"x", "x, x"}},
	} {
		got := distinctParts(c.texts...)
		if !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, want %q", c.texts, got, c.want)
		}
	}
}

// Settings and acquisition are compared as whole texts: their wording, and commas in it, change no
// flag.
func TestPropertiesAreComparedWhole(t *testing.T) {
	base := made{arms: twoArms, visits: threeVisits, perArm: 3}.tables()
	for name, c := range map[string]struct {
		plain, other string
		flags        int
	}{
		"one word":         {"plain", "other", 1},
		"the same":         {"plain", "plain", 0},
		"order of parts":   {`"x, y"`, `"y, x"`, 1},
		"a repeated part":  {`"x, y"`, `"x, y, y"`, 1},
		"a part is absent": {`"x, y"`, "x", 1},
		"a sentence":       {"scanner: Maker; software 2", "none chosen", 1},
	} {
		for _, column := range []string{"settings", "acquisition"} {
			tables := base
			old := map[string]string{"settings": ",plain,", "acquisition": ",7 echoes,"}[column]
			tables = tables.with(t, old, ","+c.plain+",")
			lines := strings.Split(string(tables.Compartments.Data), "\n")
			for i, line := range lines {
				if strings.HasPrefix(line, "S02,month03,") {
					lines[i] = strings.Replace(line, ","+c.plain+",", ","+c.other+",", 1)
				}
			}
			tables.Compartments.Data = []byte(strings.Join(lines, "\n"))
			a := analyse(t, tables)
			if f := flagged(a, ProtocolChange); len(f) != c.flags || len(a.Flags) != c.flags {
				t.Errorf("%s, %s: %+v, want %d", name, column, a.Flags, c.flags)
			}
		}
	}
}
