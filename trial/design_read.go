package trial

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/table"
)

// designHint shows a design.
const designHint = "a design is a CSV such as\n" +
	"  # visits: baseline=0, month03=3, month12=12\n" +
	"  # reference: control\n" +
	"  subject,arm,side\n" +
	"  S01,treatment,right"

// ReadDesign reads the design of a trial: a heading, and one row per subject with the columns subject
// and arm, and optionally side, stratum, site, sex, age (years), bmi (kg/m²), discontinued (a reason), and
// the columns of analysis sets. It ignores other columns. The heading may be in a plan file, too; overrides
// replace its lines.
//
// Nothing is guessed. It is an error if the heading has no visits, if there are several arms and no
// reference, if a visit is before month 0 and neither a baseline nor a month 0 is given, if names are
// alike (see table.Keys), if a subject has two rows, if a side is neither left nor right, if an age or
// BMI is not a number, or if the plan file contradicts the heading.
func ReadDesign(s, plan Source, overrides Heading) (d Design, p Plan, err error) {
	t, err := table.Read(s)
	if err != nil {
		return d, p, err
	}
	h, err := headingOf(t)
	if err != nil {
		return d, p, err
	}
	planned, err := ReadPlan(plan)
	if err != nil {
		return d, p, err
	}
	if err := cmp.Or(h.agree(planned), h.moveBaseline(), planned.moveBaseline(), overrides.moveBaseline()); err != nil {
		return d, p, err
	}
	h = overrides.withDefaults(planned.withDefaults(h))
	d.Name = h["trial"].Text
	if err := d.readSchedule(s.Name, h); err != nil {
		return d, p, err
	}
	if p, err = h.Plan(); err != nil {
		return d, p, err
	}
	if plan.Data != nil {
		p.Departures = h.departures(planned)
	}
	if err := p.checkColumns(t, h); err != nil {
		return d, p, err
	}
	if err := d.readSubjects(t, p.Sets); err != nil {
		return d, p, err
	}
	if err := d.putFirst(s.Name, h["reference"]); err != nil {
		return d, p, err
	}
	return d, p, cmp.Or(d.checkSets(h["sets"].Place, p.Sets), d.checkScreened(h, p))
}

// agree returns an error if a line of a plan file differs from that of the heading in more than blanks.
func (h Heading) agree(plan Heading) error {
	blanks := strings.NewReplacer(" ", "", "\t", "", "\n", "")
	for _, key := range slices.Sorted(maps.Keys(plan)) {
		if line, both := h[key]; both && blanks.Replace(line.Text) != blanks.Replace(plan[key].Text) {
			return hint.Errorf("remove one of them", "%s: %s is %.60q, and %.60q at %s", line.Place, printable.Line(key),
				line.Text, plan[key].Text, plan[key].Place)
		}
	}
	return nil
}

// departures returns the keys of h that a plan file does not have, or has with another value.
func (h Heading) departures(plan Heading) (all []Departure) {
	for _, key := range slices.Sorted(maps.Keys(h)) {
		if line, ok := plan[key]; !ok || line.Text != h[key].Text {
			all = append(all, Departure{key, h[key].Place})
		}
	}
	return all
}

// checkColumns returns an error if the table does not have a column of the plan.
func (p Plan) checkColumns(t *table.Table, h Heading) error {
	columns := map[string][]string{"covariates": p.Covariates, "strata": p.Strata}
	for _, set := range p.Sets {
		columns["sets"] = append(columns["sets"], set.Column)
	}
	for _, key := range slices.Sorted(maps.Keys(columns)) {
		for _, name := range columns[key] {
			if !t.Has(name) {
				return hint.Errorf("add the column to the design, or omit it from the plan", "%s: %s: %s has no column %.40q",
					h[key].Place, key, t.Name, name)
			}
		}
	}
	return nil
}

// checkSets returns an error if a set is empty, or has a subject that the first set does not have.
func (d Design) checkSets(place string, sets []Set) error {
	for i, set := range sets {
		size := 0
		var outside []string
		for _, s := range d.Subjects {
			if s.Sets[i] {
				size++
				if !s.Sets[0] {
					outside = append(outside, s.ID)
				}
			}
		}
		if size == 0 {
			return hint.Errorf("write yes for its subjects", "%s: the set %.40q (column %s) has no subjects", place, set.Name,
				set.Column)
		}
		if len(outside) > 0 {
			return hint.Errorf("the first set has all subjects of the others", "%s: the set %.40q has subjects that %.40q "+
				"does not have: %s", place, set.Name, sets[0].Name, few(outside))
		}
	}
	return nil
}

// checkScreened returns an error if the numbers of persons do not add up.
func (d Design) checkScreened(h Heading, p Plan) error {
	excluded := 0
	for _, e := range p.Excluded {
		excluded += e.N
	}
	switch {
	case p.Screened == 0 && excluded == 0:
		return nil
	case p.Screened == 0:
		return hint.Errorf("add a line such as \"screened: 40\"", "%s: there are excluded persons, and no number of "+
			"screened persons", h["excluded"].Place)
	case p.Screened-excluded != len(d.Subjects):
		return hint.Errorf("screened = excluded + subjects of the design", "%s: %d persons were screened and %d excluded, "+
			"but the design has %d subjects", h["screened"].Place, p.Screened, excluded, len(d.Subjects))
	}
	return nil
}

// list splits a text at its commas.
func list(text string) []string {
	var items []string
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

// spelling checks that names of one kind have one spelling.
type spelling struct {
	names table.Names
	line  map[string]int
}

// check adds a name. A name that is alike to an earlier one, but not the same, is an error.
func (s *spelling) check(r table.Row, column, name string) error {
	if other, alike := s.names.Add(name); alike {
		return hint.Errorf(r.Way("use one spelling"), "%s: %.40q differs from %.40q (line %d) %s", r.Place(column), name,
			other, s.line[other], table.Alike)
	}
	if s.line == nil {
		s.line = map[string]int{}
	}
	if s.line[name] == 0 {
		s.line[name] = r.Line
	}
	return nil
}

// readSubjects fills Arms, in the order of the file, and Subjects.
func (d *Design) readSubjects(t *table.Table, sets []Set) error {
	if err := t.Need("subject", "arm"); err != nil {
		return err
	}
	var subjects table.Names
	line := map[string]int{}
	levels := map[string]*spelling{"arm": {}, "stratum": {}, "site": {}, "sex": {}}
	for _, r := range t.Rows {
		s := Subject{ID: r.Text("subject"), Stratum: r.Text("stratum"), Site: r.Text("site"),
			Sex: sexTerm(r.Text("sex"))}
		arm := r.Text("arm")
		if s.ID == "" || arm == "" {
			return hint.Errorf("complete the row, or delete it", "%s: line %d has no subject or no arm", t.Name, r.Line)
		}
		if t.Has("side") && sideName(arm) != "" {
			return hint.Errorf("write a separator for each empty cell",
				"%s: the arm has the name of a side, %.40q: the values may be in the wrong columns", r.Place("arm"),
				arm)
		}
		for _, level := range [][2]string{{"stratum", s.Stratum}, {"site", s.Site}, {"sex", s.Sex}, {"arm", arm}} {
			if err := levels[level[0]].check(r, level[0], level[1]); err != nil {
				return err
			}
		}
		if other, alike := subjects.Add(s.ID); alike || line[s.ID] > 0 {
			return d.subjectTwice(t.Name, r, cmp.Or(other, s.ID), line[cmp.Or(other, s.ID)])
		}
		line[s.ID] = r.Line
		s.Arm = slices.Index(d.Arms, arm)
		if s.Arm < 0 {
			s.Arm = len(d.Arms)
			d.Arms = append(d.Arms, arm)
		}
		if err := s.readRest(r, sets); err != nil {
			return err
		}
		d.Subjects = append(d.Subjects, s)
	}
	if len(d.Subjects) == 0 {
		return hint.Errorf(designHint, "%s: the table has no subjects", t.Name)
	}
	return nil
}

var sexTerms = map[string]string{"f": "F", "female": "F", "m": "M", "male": "M"}

// sexTerm returns F and M, the terms of CDISC, for female and male; other words are unchanged.
func sexTerm(text string) string { return cmp.Or(sexTerms[strings.ToLower(text)], text) }

// subjectTwice returns the error of a row whose subject is in an earlier line, as other.
func (d *Design) subjectTwice(name string, r table.Row, other string, line int) error {
	id, arm := r.Text("subject"), r.Text("arm")
	for _, s := range d.Subjects {
		if s.ID == other && d.Arms[s.Arm] != arm && other == id {
			return hint.Errorf("give each subject one arm",
				"%s: subject %.40q is in two arms: %.40q (line %d) and %.40q (line %d)", name, id, d.Arms[s.Arm], line,
				arm, r.Line)
		}
	}
	if other == id {
		return hint.Errorf("give each subject one row", "%s: subject %.40q appears twice (lines %d and %d)", name, id, line,
			r.Line)
	}
	return hint.Errorf("give each subject one row; different subjects need names that cannot be confused",
		"%s: subjects %.40q (line %d) and %.40q (line %d) differ %s", name, other, line, id, r.Line, table.Alike)
}

var sides = map[string]string{"l": "left", "left": "left", "r": "right", "right": "right"}

// sideName returns left or right, or "" for a text that is not a side.
func sideName(text string) string { return sides[strings.ToLower(text)] }

// readRest reads side, sets, discontinuation, age and BMI.
func (s *Subject) readRest(r table.Row, sets []Set) (err error) {
	for _, set := range sets {
		member, known := yesNo[strings.ToLower(r.Text(set.Column))]
		if !known {
			return hint.Errorf("write yes or no", "%s: %.20q is neither yes nor no", r.Place(set.Column), r.Text(set.Column))
		}
		s.Sets = append(s.Sets, member)
	}
	s.Discontinued = r.Text("discontinued")
	if left, isWord := yesNo[strings.ToLower(s.Discontinued)]; isWord {
		s.Discontinued = map[bool]string{true: "no reason given"}[left]
	}
	side := r.Text("side")
	if s.Side = sideName(side); s.Side == "" && side != "" {
		return hint.Errorf("write left, right, L or R: one knee for each subject", "%s: %.20q is not a side",
			r.Place("side"), side)
	}
	if s.Age, err = r.Number("age"); err != nil {
		return err
	}
	s.BMI, err = r.Number("bmi")
	return err
}

var yesNo = map[string]bool{"yes": true, "y": true, "1": true, "true": true, "no": false, "n": false, "0": false,
	"false": false}

// putFirst makes the reference the first arm, and renumbers the arms of the subjects.
func (d *Design) putFirst(name string, line Line) error {
	reference := line.Text
	if reference == "" && len(d.Arms) == 1 {
		reference = d.Arms[0]
	}
	i := slices.Index(d.Arms, reference)
	switch {
	case reference == "":
		return hint.Errorf(fmt.Sprintf("above the columns put a line such as \"# reference: %s\", or give --reference",
			d.Arms[0]),
			"%s: the design has the arms %s, but no reference", name, strings.Join(d.Arms, ", "))
	case i < 0:
		return hint.Errorf("arms are "+strings.Join(d.Arms, ", "), "%s: the reference %.40q is not an arm of the design",
			line.Place, reference)
	}
	old := slices.Clone(d.Arms)
	d.Arms = slices.Insert(slices.Delete(d.Arms, i, i+1), 0, reference)
	for i, s := range d.Subjects {
		d.Subjects[i].Arm = slices.Index(d.Arms, old[s.Arm])
	}
	return nil
}
