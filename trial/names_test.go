package trial

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/table"
)

// Names that are alike, in one table or in two, are an error that names both; they are not missing
// subjects.
func TestAlikeNames(t *testing.T) {
	whole := made{arms: twoArms, visits: threeVisits, perArm: 3}.tables()
	renamed := func(s Source, old, text string) Source {
		if !bytes.Contains(s.Data, []byte(old)) {
			t.Fatalf("%s does not hold %q", s.Name, old)
		}
		s.Data = bytes.ReplaceAll(s.Data, []byte(old), []byte(text))
		return s
	}
	scores := func(text string) Source {
		return Source{Name: "scores.csv", Data: []byte("subject,visit,name,value\n" + text)}
	}
	for name, c := range map[string]struct {
		change func(*Tables)
		want   []string
	}{
		"a design without zeros": {func(x *Tables) { x.Design = renamed(x.Design, "S0", "S") },
			[]string{"compartments.csv: line 2", `"S01"`, `"S1"`}},
		"results with a dash": {func(x *Tables) {
			x.Design, x.Compartments = renamed(x.Design, "S0", "S_0"), renamed(x.Compartments, "S03,", "S-03,")
		}, []string{`"S-03"`, `"S_03"`}},
		"one subject in two forms": {func(x *Tables) {
			*x = x.and("S-01,baseline,x,x,right,medial,33,nlls,plain,Maker One,7 echoes,,",
				"S_01,month03,y,y,right,medial,33,nlls,plain,Maker One,7 echoes,,")
		}, []string{`"S_01" differs from "S-01"`}},
		"visits without zeros": {func(x *Tables) { x.Compartments = renamed(x.Compartments, "month03", "month3") },
			[]string{`visit "month3"`, `"month03"`}},
		"scores without zeros": {func(x *Tables) { x.Scores = []Source{scores("S1,baseline,VAS,3\n")} },
			[]string{"scores.csv: line 2", `"S1"`, `"S01"`}},
		"scores in two forms": {func(x *Tables) {
			x.Scores = []Source{scores("S99,baseline,VAS,3\ns99,month03,VAS,3\n")}
		}, []string{"scores.csv: line 3", `"s99"`, `"S99"`}},
		"a failed study": {func(x *Tables) {
			x.Studies = renamed(x.Studies, "reason\n",
				"reason\nS1,baseline,failed,no mask\n")
		}, []string{"studies.csv: line 2", `"S1"`}},
	} {
		tables := whole
		c.change(&tables)
		_, err := Analyse(t.Context(), "test", tables, nil)
		if err == nil || !strings.Contains(err.Error(), table.Alike) || hint.Find(err) == "" {
			t.Errorf("%s: %v (hint %q)", name, err, hint.Find(err))
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %s", name, err, want)
			}
		}
	}
}

// Notes count the subjects without a result, and the subjects of results that are not in the design.
func TestUnmatchedSubjectsAreNoted(t *testing.T) {
	one := made{arms: twoArms, visits: threeVisits,
		perArm: 10}.tables().and("Z0,baseline,z0,z0,right,medial,33,nlls,plain,Maker One,7 echoes,,")
	if notes := strings.Join(analyse(t, one).Notes, "\n"); !strings.Contains(notes,
		`1 of 21 subjects in compartments.csv is not in the design, and its values are not used: "Z0"`) {
		t.Errorf("%s", notes)
	}
	tables := made{arms: twoArms, visits: threeVisits, perArm: 10}.tables()
	tables.Design.Data = append(tables.Design.Data, "X1,control\nX2,control\n"...)
	for i := range 7 {
		tables = tables.and(fmt.Sprintf("Z%d,baseline,z%d,z%d,right,medial,33,nlls,plain,Maker One,7 echoes,,", i, i,
			i))
	}
	tables.Scores = []Source{{Name: "scores.csv", Data: []byte("subject,visit,name,value\nS01,baseline,VAS,3\n")}}
	a := analyse(t, tables)
	for _, want := range []string{
		`2 of 22 subjects of the design have no result in compartments.csv: "X1", "X2"`,
		`7 of 27 subjects in compartments.csv are not in the design, and their values are not used: "Z0", "Z1", ` +
			`"Z2", "Z3", "Z4", …`,
		`21 of 22 subjects of the design have no "VAS" in scores.csv: "S02", "S03", "S04", "S05", "S06", …`,
	} {
		if !slices.Contains(a.Notes, want) {
			t.Errorf("not noted: %s\n%q", want, a.Notes)
		}
	}
}

// The baseline is the visit of month 0 or the named one. Earlier visits are not analysed.
func TestBaseline(t *testing.T) {
	visits := []string{"screening", "baseline", "month03"}
	for _, c := range []struct {
		line, over, heading string
		want                string // visits that are analysed, the baseline first
		notes               int
	}{
		{"# visits: screening=-1, baseline=0, month03=3", "", "", "baseline month03", 1},
		{"# visits: month03=3, baseline=0, screening=-1", "", "", "baseline month03", 1},
		{"# visits: screening=-1, baseline=0, month03=3", "", "# baseline: screening\n", "screening baseline month03",
			0},
		{"# visits: screening=-1, baseline=0, month03=3", "screening", "# baseline: baseline\n",
			"screening baseline month03", 0},
		{"# visits: screening=-2, baseline=-0.5, month03=3", "", "# baseline: baseline\n", "baseline month03", 1},
		{"# visits: screening=0, baseline=1, month03=3", "baseline", "", "baseline month03", 1},
		{"# visits: screening=1, baseline=2, month03=3", "", "", "screening baseline month03",
			1}, // no month 0: the earliest, which a note says
	} {
		tables := made{arms: twoArms, visits: visits, perArm: 6}.tables()
		text := strings.Replace(string(tables.Design.Data), "# visits: screening=0, baseline=3, month03=6", c.line, 1)
		if !strings.Contains(text, c.line) {
			t.Fatal(text)
		}
		tables.Design.Data = []byte(c.heading + text)
		if c.over != "" {
			tables.Overrides = lines("baseline visit", c.over)
		}
		a := analyse(t, tables)
		if got := strings.Join(visitNames(a.Design.Visits), " "); got != c.want {
			t.Errorf("%+v: visits %s", c, got)
		}
		if len(a.Notes) != c.notes || len(a.Flags) != 0 {
			t.Errorf("%+v: notes %q, flags %+v", c, a.Notes, a.Flags)
		}
		n := len(a.Design.Visits)
		e := a.Endpoints[0]
		// The values have two decimals.
		if delta := e.Values[0][n-1].X - e.Values[0][0].X; math.Abs(e.Changes[0][n-1].Delta-delta) > 1e-9 {
			t.Errorf("%+v: change %g, want %g from %s", c, e.Changes[0][n-1].Delta, delta, a.Design.Visits[0].Name)
		}
	}
}

// If subjects were fitted with different settings, every value is flagged.
func TestWaysBetweenSubjects(t *testing.T) {
	const text = "studies were fitted with 2 different settings: "
	m := made{arms: twoArms, visits: threeVisits, perArm: 5}
	one := m.tables()
	if a := analyse(t, one); len(flagged(a, ProtocolChange)) != 0 {
		t.Errorf("the same settings: %+v", a.Flags)
	}
	// All of one subject's studies were mapped by another method, so that nothing changes within a subject.
	var rows []string
	for line := range strings.Lines(string(one.Compartments.Data)) {
		if strings.HasPrefix(line, "S02,") {
			line = strings.Replace(line, "nlls,plain", `arlo,"arlo, plain"`, 1)
		}
		rows = append(rows, line)
	}
	two := one
	two.Compartments.Data = []byte(strings.Join(rows, ""))
	a := analyse(t, two)
	flags := flagged(a, ProtocolChange)
	if len(flags) != 1 || flags[0].Subject != "" || !strings.HasPrefix(flags[0].Text, text) ||
		!strings.Contains(flags[0].Text, `arlo in 1 participant ("S02")`) {
		t.Fatalf("%+v", flags)
	}
	if len(a.Notes) != 1 || !strings.HasPrefix(a.Notes[0], text) {
		t.Errorf("notes %q", a.Notes)
	}
	for _, e := range a.Endpoints {
		for arm := range e.Cells {
			for v, cell := range e.Cells[arm] {
				if len(cell.ValueFlags) != 1 || v > 0 && len(cell.ChangeFlags) != 1 {
					t.Errorf("%s, arm %d, visit %d: not on the figure: %+v", e.Name, arm, v, cell)
				}
			}
		}
	}
	// The same where a table has the method alone.
	two.Compartments.Data = bytes.ReplaceAll(two.Compartments.Data, []byte(",settings,"), []byte(",other,"))
	if flags := flagged(analyse(t, two), ProtocolChange); len(flags) != 1 ||
		!strings.Contains(flags[0].Text, "nlls in 9 participants; arlo in 1 participant") {
		t.Errorf("%+v", flags)
	}
}

// Tables may have other columns and compartments, as those of later versions.
func TestResultsWithOtherColumns(t *testing.T) {
	tables := made{arms: twoArms, visits: threeVisits, perArm: 3}.tables()
	var b strings.Builder
	for i, line := range strings.Split(strings.TrimSpace(string(tables.Compartments.Data)), "\n") {
		if i == 0 {
			b.WriteString("excluded_saturated," + line + ",later\n")
			continue
		}
		b.WriteString("0," + strings.Replace(line, ",medial,", ",medial-tibial,", 1) + ",\"x, y\"\n")
	}
	tables.Compartments.Data = []byte(b.String())
	a := analyse(t, tables)
	if len(a.Endpoints) != 2 || a.Endpoints[0].Name != "medial-tibial" || a.Endpoints[0].Title != "Medial-tibial T2" ||
		len(a.Flags)+len(a.Notes) != 0 {
		t.Errorf("%+v, %q", a.Flags, a.Notes)
	}
}

// A table in UTF-16 is read, and a note says so.
func TestUTF16IsNoted(t *testing.T) {
	tables := made{arms: twoArms, visits: threeVisits, perArm: 3}.tables()
	wide := []byte("\xff\xfe")
	for _, c := range tables.Design.Data {
		wide = append(wide, c, 0)
	}
	tables.Design.Data = wide
	if a := analyse(t, tables); len(a.Notes) != 1 ||
		a.Notes[0] != "trial.csv is read as UTF-16, as its byte-order mark says" {
		t.Errorf("%q", a.Notes)
	}
}
