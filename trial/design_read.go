package trial

import (
	"cmp"
	"fmt"
	"math"
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
// and arm, and optionally side, stratum, site, sex, age (years) and bmi (kg/m²). It ignores other
// columns. Texts of overrides replace those of the heading.
//
// Nothing is guessed. It is an error if the heading has no visits, if there are several arms and no
// reference, if a visit is before month 0 and neither a baseline nor a month 0 is given, if names are
// alike (see table.Keys), if a subject has two rows, if a side is neither left nor right, or if an age or
// BMI is not a number.
func ReadDesign(s Source, overrides Heading) (Design, Plan, error) {
	t, err := table.Read(s)
	if err != nil {
		return Design{}, Plan{}, err
	}
	h, err := parseHeading(t)
	if err != nil {
		return Design{}, Plan{}, err
	}
	h = overrides.withDefaults(h)
	d := Design{Name: h.Trial}
	if d.Visits, err = parseVisits(h.Visits); err != nil {
		return d, Plan{}, fmt.Errorf("%s: %w", s.Name, err)
	}
	if err := d.setBaseline(h.Baseline); err != nil {
		return d, Plan{}, fmt.Errorf("%s: %w", s.Name, err)
	}
	if err := d.readSubjects(t); err != nil {
		return d, Plan{}, err
	}
	if err := d.putFirst(h.Reference); err != nil {
		return d, Plan{}, fmt.Errorf("%s: %w", s.Name, err)
	}
	if err := d.setPrimary(h.Primary); err != nil {
		return d, Plan{}, fmt.Errorf("%s: %w", s.Name, err)
	}
	p, err := h.Plan()
	if err != nil {
		return d, p, fmt.Errorf("%s: %w", s.Name, err)
	}
	for _, c := range p.Covariates {
		if !t.Has(c) {
			return d, p, hint.Errorf("add the column, or omit the covariate", "%s: covariate %s has no column", s.Name, c)
		}
	}
	return d, p, nil
}

// parseVisits reads "baseline=0, month03=3".
func parseVisits(text string) ([]Visit, error) {
	if text == "" {
		return nil, hint.Errorf(designHint, "the design does not name the visits")
	}
	var visits []Visit
	for _, item := range list(text) {
		sign := strings.LastIndex(item, "=") // a name may contain one
		if sign < 1 {
			return nil, hint.Errorf(designHint, "visit %.40q has no month", item)
		}
		name, month := strings.TrimSpace(item[:sign]), strings.TrimSpace(item[sign+1:])
		m, err := table.ParseNumber(month)
		if err != nil || math.IsNaN(m) || math.IsInf(m, 0) {
			return nil, hint.Errorf(designHint, "visit %.40q: month %.20q is not a number", name, month)
		}
		for _, v := range visits {
			switch {
			case table.IsAlike(v.Name, name):
				return nil, hint.Errorf("give each visit its own name", "visits %.40q and %.40q are the same, or differ %s",
					v.Name, name, table.Alike)
			case v.Month == m:
				return nil, fmt.Errorf("visits %.40q and %.40q are both at month %g", v.Name, name, m)
			}
		}
		visits = append(visits, Visit{name, m})
	}
	slices.SortFunc(visits, func(a, b Visit) int { return cmp.Compare(a.Month, b.Month) })
	return visits, nil
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

// setBaseline moves the visits before the baseline into Earlier. Without a name the baseline is the visit
// of month 0 or, if no visit is at or before month 0, the earliest, which AssumedBaseline reports.
func (d *Design) setBaseline(name string) error {
	i := slices.IndexFunc(d.Visits, func(v Visit) bool {
		if name != "" {
			return v.Name == name
		}
		return v.Month == 0
	})
	switch {
	case i >= 0:
	case name != "":
		return hint.Errorf("write it as in the line of visits", "the baseline %.40q is not one of the visits %s", name,
			few(d.visitNames()))
	case d.Visits[0].Month < 0:
		return hint.Errorf(fmt.Sprintf("name it: a line such as \"# baseline: %s\", or --baseline",
			printable.Line(d.Visits[0].Name)),
			"no visit is at month 0, and visit %.40q is before it: the baseline is not known", d.Visits[0].Name)
	default:
		i, d.AssumedBaseline = 0, true
	}
	d.Earlier, d.Visits = d.Visits[:i:i], d.Visits[i:]
	return nil
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
func (d *Design) readSubjects(t *table.Table) error {
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
		if err := s.readRest(r); err != nil {
			return err
		}
		d.Subjects = append(d.Subjects, s)
	}
	if len(d.Subjects) == 0 {
		return hint.Errorf(designHint, "%s: the table has no subjects", t.Name)
	}
	return nil
}

// sexTerm returns F and M, the terms of CDISC, for female and male; other words are unchanged.
func sexTerm(text string) string {
	switch strings.ToLower(text) {
	case "f", "female":
		return "F"
	case "m", "male":
		return "M"
	}
	return text
}

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

// sideName returns left or right, or "" for a text that is not a side.
func sideName(text string) string {
	switch strings.ToLower(text) {
	case "l", "left":
		return "left"
	case "r", "right":
		return "right"
	}
	return ""
}

// readRest reads side, age and BMI.
func (s *Subject) readRest(r table.Row) (err error) {
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

// putFirst makes the reference the first arm, and renumbers the arms of the subjects.
func (d *Design) putFirst(reference string) error {
	if reference == "" && len(d.Arms) == 1 {
		reference = d.Arms[0]
	}
	i := slices.Index(d.Arms, reference)
	switch {
	case reference == "":
		return hint.Errorf(fmt.Sprintf("above the columns put a line such as \"# reference: %s\", or give --reference",
			d.Arms[0]),
			"the design has the arms %s, but no reference", strings.Join(d.Arms, ", "))
	case i < 0:
		return hint.Errorf("arms are "+strings.Join(d.Arms, ", "), "the reference %.40q is not an arm of the design",
			reference)
	}
	old := slices.Clone(d.Arms)
	d.Arms = slices.Insert(slices.Delete(d.Arms, i, i+1), 0, reference)
	for i, s := range d.Subjects {
		d.Subjects[i].Arm = slices.Index(d.Arms, old[s.Arm])
	}
	return nil
}

// setPrimary reads "medial@month12". Analysis.checkNames checks the endpoint.
func (d *Design) setPrimary(text string) error {
	d.Primary.Visit = len(d.Visits) - 1
	endpoint, visit, hasVisit := strings.Cut(text, "@")
	d.Primary.Endpoint = strings.TrimSpace(endpoint)
	if visit = strings.TrimSpace(visit); hasVisit {
		i := slices.IndexFunc(d.Visits, func(v Visit) bool { return v.Name == visit })
		if i < 1 {
			return hint.Errorf("write it as medial@month12, with one of the visits after baseline",
				"the primary contrast %.40q does not name a visit after baseline", text)
		}
		d.Primary.Visit = i
	}
	return nil
}
