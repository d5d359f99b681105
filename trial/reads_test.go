package trial

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/hint"
)

// readTables returns the tables of a trial whose column mask_read has the text for a subject and visit.
func readTables(read func(subject, visit string) string) Tables {
	tables := made{arms: twoArms, visits: threeVisits, perArm: 3}.tables()
	lines := strings.Split(strings.TrimSpace(string(tables.Compartments.Data)), "\n")
	for n, line := range lines {
		if n == 0 {
			lines[n] += ",mask_read"
			continue
		}
		cells := strings.Split(line, ",")
		lines[n] += "," + read(cells[0], cells[1])
	}
	tables.Compartments.Data = []byte(strings.Join(lines, "\n") + "\n")
	studies := "subject,visit,status,reason,series,folder,median_sigma\n"
	for s := range 6 {
		for v, visit := range threeVisits {
			studies += fmt.Sprintf("S%02d,%s,done,,se-S%02d-%d,S%02d/%s,2\n", s+1, visit, s+1, v, s+1, visit)
		}
	}
	tables.Studies.Data = []byte(studies)
	return tables
}

// mixedReads has each state: S01 has no signed mask at month03, and S02 none at all. Adjudicators have signed the masks
// of S03 and S04.
func mixedReads(subject, visit string) string {
	switch {
	case subject == "S01" && visit == "month03", subject == "S02":
		return ""
	case subject == "S03", subject == "S04":
		return "adjudicated"
	}
	return "signed"
}

func TestReads(t *testing.T) {
	for rule, c := range map[string]struct {
		used     func(state string) bool
		kind     MissingKind
		unsigned int // of two compartments
		note     string
	}{
		"any": {used: func(string) bool { return true }},
		"signed": {func(state string) bool { return state != "" }, NotSigned, 8, "left out because no reader has signed " +
			"the mask (reads: signed): 8 of 36 values of T2; see missing in values.csv"},
		"Adjudicated": {func(state string) bool { return state == "adjudicated" }, NotAdjudicated, 24, "left out because no " +
			"adjudicator has signed the mask (reads: adjudicated): 24 of 36 values of T2; see missing in values.csv"},
	} {
		tables := readTables(mixedReads)
		tables.Overrides = lines("reads", rule)
		a := analyse(t, tables)
		if string(a.Plan.Reads) != strings.ToLower(rule) || a.Unsigned != c.unsigned {
			t.Errorf("%s: plan %q, %d values are left out, want %d", rule, a.Plan.Reads, a.Unsigned, c.unsigned)
		}
		if c.note == "" != !slices.ContainsFunc(a.Notes, func(n string) bool { return strings.Contains(n, "left out") }) ||
			c.note != "" && !slices.Contains(a.Notes, c.note) {
			t.Errorf("%s: notes %q, want %q", rule, a.Notes, c.note)
		}
		for _, e := range a.Endpoints {
			for s, values := range e.Values {
				subject := a.Design.Subjects[s].ID
				for v, value := range values {
					used := c.used(mixedReads(subject, threeVisits[v]))
					switch {
					case used != !math.IsNaN(value.X), used != (value.Quality != nil), used != (value.Folder != ""),
						value.Study == "":
						t.Errorf("%s: %s of %s at %s: %+v", rule, e.Name, subject, threeVisits[v], value)
					case !used && value.Missing != Missing{Kind: c.kind}:
						t.Errorf("%s: %s of %s at %s is missing: %v", rule, e.Name, subject, threeVisits[v], value.Missing)
					}
				}
			}
		}
		checkUnsignedFlags(t, a, c.unsigned/2)
	}
}

// checkUnsignedFlags checks that each visit whose values are left out has one flag, and that its subject is in the trial.
func checkUnsignedFlags(t *testing.T, a Analysis, visits int) {
	t.Helper()
	flags := flagged(a, NoResult)
	if len(flags) != visits {
		t.Errorf("%s: %d flags, want %d: %+v", a.Plan.Reads, len(flags), visits, flags)
	}
	missing := 0
	for _, f := range a.Flow {
		for _, v := range f.Visits {
			if v.InTrial != 3 {
				t.Errorf("%s: %d in the trial, want 3", a.Plan.Reads, v.InTrial)
			}
			for _, m := range v.Missing {
				missing += m.N
			}
		}
	}
	if missing != visits {
		t.Errorf("%s: T2 is missing at %d visits, want %d", a.Plan.Reads, missing, visits)
	}
}

// A value that is missing for another reason is not one that is left out.
func TestReadsOfMissingValues(t *testing.T) {
	tables := readTables(func(string, string) string { return "" })
	tables.Overrides = lines("reads", "signed")
	rows := strings.Split(string(tables.Compartments.Data), "\n")
	cells := strings.Split(rows[1], ",")
	cells[6], cells[12] = "", "no voxels in the mask"
	rows[1] = strings.Join(cells, ",")
	tables.Compartments.Data = []byte(strings.Join(rows, "\n"))
	a := analyse(t, tables)
	noted := Missing{Kind: Noted, Detail: "no voxels in the mask"}
	if m := a.Endpoints[0].Values[0][0].Missing; m != noted || a.Unsigned != 35 {
		t.Errorf("missing: %v; %d values are left out", m, a.Unsigned)
	}
}

// Of two studies at a visit, the mean is that of the studies whose masks are signed.
func TestReadsOfTwoStudies(t *testing.T) {
	tables := readTables(mixedReads).and("S05,month12,st-2nd,se-2nd,right,medial,40.00,nlls,plain,Maker One,7 echoes")
	tables.Overrides = lines("reads", "signed")
	for _, mean := range []bool{false, true} {
		a, err := Analyse(context.Background(), "test", tables, func(_ Design, p *Plan) error { p.MeanOfTwo = mean; return nil })
		if err != nil {
			t.Fatal(err)
		}
		v := a.Endpoints[0].Values[subjectIndex(t, a, "S05")][2]
		switch {
		case !mean && v.Missing != Missing{Kind: SeveralStudies, Count: 2}:
			t.Errorf("%+v", v)
		case mean && (math.IsNaN(v.X) || v.Series != "se-S05-2"):
			t.Errorf("mean of two: %+v", v)
		}
		if a.Unsigned != 8 {
			t.Errorf("mean %v: %d values are left out, want 8", mean, a.Unsigned)
		}
	}
}

func TestReadsErrors(t *testing.T) {
	old := made{arms: twoArms, visits: threeVisits, perArm: 3}.tables()
	odd := readTables(func(string, string) string { return "drawn" })
	for _, c := range []struct {
		tables              Tables
		rule, problem, hint string
	}{
		{old, "signed", "compartments.csv has no column mask_read, which reads: signed needs",
			"rebuild the tables (t2map tables), or plan reads: any"},
		{old, "adjudicated", "compartments.csv has no column mask_read, which reads: adjudicated needs", "rebuild the tables"},
		{odd, "signed", `line 2: mask_read: "drawn" is neither empty nor signed nor adjudicated`, "rebuild the tables"},
		{old, "sealed", `--reads: reads "sealed" is not known`, "any, signed or adjudicated"},
		{old, "any", "", ""},
		{odd, "any", "", ""},
		{old, "", "", ""},
	} {
		c.tables.Overrides = nil
		if c.rule != "" {
			c.tables.Overrides = lines("reads", c.rule)
		}
		_, err := Analyse(context.Background(), "test", c.tables, nil)
		switch {
		case c.problem == "" && err != nil:
			t.Errorf("%s: %v", c.rule, err)
		case c.problem != "" && (err == nil || !strings.Contains(err.Error(), c.problem) ||
			!strings.Contains(hint.Find(err), c.hint)):
			t.Errorf("%s: %v, hint %q", c.rule, err, hint.Find(err))
		}
	}
}
