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

// AllT2 names all compartments in a key of a heading and in a target: visits[T2], T2@month12.
const AllT2 = "T2"

// Target is a planned contrast of one endpoint at one visit: each arm against the reference.
type Target struct {
	// Endpoint is its name; AllT2 for every compartment, before the results are read.
	Endpoint string
	// Visit is an index into Design.Visits; −1 for the last visit of the endpoint, before the results are
	// read.
	Visit int
	// Place is the line that names it; empty for the default.
	Place string
}

// VisitsOf returns the planned visits of an endpoint: ascending indices into Visits, the baseline first. They are
// those of its own line, of T2 for a compartment, or of all endpoints; nil if no line plans them.
func (d Design) VisitsOf(endpoint string, compartment bool) []int {
	if own, ok := d.Schedules[endpoint]; ok {
		return own
	}
	if own, ok := d.Schedules[AllT2]; ok && compartment {
		return own
	}
	return d.Schedules[""]
}

// readSchedule reads the visits and the primary and secondary contrasts.
func (d *Design) readSchedule(name string, h Heading) (err error) {
	if err = d.readVisits(name, h); err != nil {
		return err
	}
	if line, ok := h["primary"]; ok {
		d.Primary, err = d.targets(line)
	}
	if line, ok := h["secondary"]; ok && err == nil {
		d.Secondary, err = d.targets(line)
	}
	return cmp.Or(err, d.checkFamilies())
}

// visitsHint shows a line of visits.
const visitsHint = "write it as baseline=0, month03=3, month12=12; a plan file also takes {baseline: 0, month03: 3}"

// readVisits fills Visits with the visits of all lines, and Schedules.
func (d *Design) readVisits(name string, h Heading) error {
	lines := h.lines("visits")
	if len(lines) == 0 {
		return hint.Errorf(designHint, "%s: the design does not name the visits", name)
	}
	own := make([][]string, len(lines))
	for i, line := range lines {
		var err error
		if own[i], err = d.addVisits(line.Line); err != nil {
			return err
		}
	}
	if len(d.Visits) == 0 {
		return hint.Errorf(visitsHint, "%s: the line does not name a visit", lines[0].Place)
	}
	slices.SortFunc(d.Visits, func(a, b Visit) int { return cmp.Compare(a.Month, b.Month) })
	if err := d.readBaseline(name, h); err != nil {
		return err
	}
	d.Schedules = map[string][]int{}
	for i, line := range lines {
		var visits []int
		for v, visit := range d.Visits {
			if slices.Contains(own[i], visit.Name) {
				visits = append(visits, v)
			}
		}
		if len(visits) == 0 || visits[0] != 0 {
			return hint.Errorf("add "+printable.Line(d.Visits[0].Name)+" to the line", "%s: %s do not "+
				"include the baseline visit %.40q", line.Place, printable.Line(joinKey("visits", line.endpoint)),
				d.Visits[0].Name)
		}
		d.Schedules[line.endpoint] = visits
	}
	return nil
}

// addVisits adds the visits of a line to Visits, and returns their names: "baseline=0, month03=3". A visit
// that is there already may omit its month.
func (d *Design) addVisits(line Line) ([]string, error) {
	items, err := pairs(line.Text)
	if err != nil {
		return nil, fmt.Errorf("%s: visit %w", line.Place, err)
	}
	var names []string
	for _, item := range items {
		name, hasMonth := item.name, item.value != ""
		i := slices.IndexFunc(d.Visits, func(v Visit) bool { return v.Name == name })
		m, err := table.ParseNumber(item.value)
		switch {
		case !hasMonth && i < 0:
			return nil, hint.Errorf(visitsHint, "%s: visit %.40q has no month", line.Place, name)
		case hasMonth && (err != nil || math.IsNaN(m) || math.IsInf(m, 0)):
			return nil, hint.Errorf(visitsHint, "%s: visit %.40q: month %.20q is not a number", line.Place, name, item.value)
		case i >= 0 && hasMonth && d.Visits[i].Month != m:
			return nil, hint.Errorf("a visit has the same month for all endpoints", "%s: visit %.40q is at month %g here, and "+
				"at month %g in another line", line.Place, name, m, d.Visits[i].Month)
		}
		names = append(names, name)
		if i >= 0 {
			continue
		}
		for _, v := range d.Visits {
			switch {
			case table.IsAlike(v.Name, name):
				return nil, hint.Errorf("give each visit its own name", "%s: visits %.40q and %.40q differ %s", line.Place,
					v.Name, name, table.Alike)
			case v.Month == m:
				return nil, hint.Errorf("give each visit its own month", "%s: visits %.40q and %.40q are both at month %g",
					line.Place, v.Name, name, m)
			}
		}
		d.Visits = append(d.Visits, Visit{name, m})
	}
	return names, nil
}

// readBaseline moves the visits before the baseline into Earlier. Without a name the baseline is the visit
// of month 0 or, if no visit is at or before month 0, the earliest, which AssumedBaseline reports.
func (d *Design) readBaseline(name string, h Heading) error {
	line := h["baseline visit"]
	i := slices.IndexFunc(d.Visits, func(v Visit) bool {
		if line.Text != "" {
			return v.Name == line.Text
		}
		return v.Month == 0
	})
	switch {
	case i >= 0:
	case line.Text != "":
		return hint.Errorf("write it as in the line of visits", "%s: the baseline %.40q is not one of the visits %s",
			line.Place, line.Text, few(visitNames(d.Visits)))
	case d.Visits[0].Month < 0:
		first := d.Visits[0]
		for _, v := range d.Visits {
			if first.Month < 0 {
				first = v
			}
		}
		return hint.Errorf(fmt.Sprintf("name it: a line such as \"# baseline visit: %s\"", printable.Line(first.Name)),
			"%s: no visit is at month 0, and visit %.40q is before it: the baseline is not known", name, d.Visits[0].Name)
	default:
		i, d.AssumedBaseline = 0, true
	}
	d.Earlier, d.Visits = d.Visits[:i:i], d.Visits[i:]
	return nil
}

// moveBaseline moves the visit in a line "baseline: month00", as designs of earlier versions have it, to the
// key baseline visit.
func (h Heading) moveBaseline() error {
	line, ok := h["baseline"]
	if !ok || new(Plan).setBaseline("", line.Text) == nil {
		return nil
	}
	if other, both := h["baseline visit"]; both && other.Text != line.Text {
		return hint.Errorf("baseline is by visit or common", "%s: baseline is the visit %.40q, and baseline visit is %.40q",
			line.Place, line.Text, other.Text)
	}
	h["baseline visit"] = line
	delete(h, "baseline")
	return nil
}

// targets reads "medial@month12, WOMAC". resolve checks the endpoints.
func (d Design) targets(line Line) ([]Target, error) {
	var all []Target
	for _, item := range list(line.Text) {
		endpoint, visit, hasVisit := strings.Cut(item, "@")
		t := Target{Endpoint: cmp.Or(strings.TrimSpace(endpoint), AllT2), Visit: -1, Place: line.Place}
		if visit = strings.TrimSpace(visit); hasVisit {
			if t.Visit = slices.IndexFunc(d.Visits, func(v Visit) bool { return v.Name == visit }); t.Visit < 1 {
				return nil, hint.Errorf("write it as medial@month12, with one of the visits after baseline",
					"%s: %.40q does not name a visit after baseline", line.Place, item)
			}
			if own, ok := d.Schedules[t.Endpoint]; ok && !slices.Contains(own, t.Visit) {
				return nil, t.notPlanned(visit)
			}
		}
		if slices.ContainsFunc(all, t.same) {
			return nil, t.twice(visit)
		}
		all = append(all, t)
	}
	if len(all) == 0 {
		return nil, hint.Errorf("write ENDPOINT@VISIT, or omit the line", "%s: the line does not name a contrast", line.Place)
	}
	return all, nil
}

// twice is the error of a contrast that appears twice.
func (t Target) twice(visit string) error {
	return hint.Errorf("name each contrast once", "%s: the contrast %s appears twice", t.Place,
		printable.Line(strings.TrimSuffix(t.Endpoint+"@"+visit, "@")))
}

// notPlanned is the error of a contrast at a visit that is not planned for its endpoint.
func (t Target) notPlanned(visit string) error {
	name := printable.Line(t.Endpoint)
	return hint.Errorf(fmt.Sprintf("add the visit to visits[%s], or choose another", name),
		"%s: %s has no planned visit %s after baseline", t.Place, name, printable.Line(visit))
}

// resolve returns the targets of the endpoints of the results: AllT2 becomes the compartments, and visit −1
// the last planned visit. It is an error if an endpoint is not in the results, if it has no value at the visit
// or the visit is not planned for it, or if a target appears twice.
func (d Design) resolve(kind string, targets []Target, endpoints []Endpoint) ([]Target, error) {
	var all []Target
	for _, t := range targets {
		found := false
		for _, e := range endpoints {
			if e.Name != t.Endpoint && !(t.Endpoint == AllT2 && e.Compartment) {
				continue
			}
			found = true
			if t.Place == "" && len(e.Visits) < 2 {
				continue // by default, contrasts are those of the endpoints with changes
			}
			one := Target{Endpoint: e.Name, Visit: t.Visit, Place: t.Place}
			if one.Visit < 0 {
				one.Visit = e.Visits[len(e.Visits)-1]
			}
			if err := e.checkTarget(d, kind, one); err != nil {
				return nil, err
			}
			if slices.ContainsFunc(all, one.same) {
				return nil, one.twice(d.Visits[one.Visit].Name)
			}
			all = append(all, one)
		}
		if !found {
			return nil, hint.Errorf(hint.Nearest(t.Endpoint, endpointNames(endpoints)),
				"%s: the %s endpoint %.40q is not in the results", t.Place, kind, t.Endpoint)
		}
	}
	return all, nil
}

// checkTarget returns an error if there is nothing to compare.
func (e Endpoint) checkTarget(d Design, kind string, t Target) error {
	name, visit := printable.Line(e.Name), printable.Line(d.Visits[t.Visit].Name)
	if !e.Planned(t.Visit) || t.Visit == 0 && len(d.Visits) > 1 {
		return t.notPlanned(visit)
	}
	changes := make([]bool, len(d.Arms)) // whether an arm has a change
	for i, values := range e.Values {
		s := d.Subjects[i]
		changes[s.Arm] = changes[s.Arm] || s.Analysed() && !math.IsNaN(values[0].X) && !math.IsNaN(values[t.Visit].X)
	}
	if t.Place == "" || changes[0] && (len(d.Arms) == 1 || slices.Contains(changes[1:], true)) {
		return nil // for the default contrasts the reasons are in the tables
	}
	arms := "the other arms"
	if !changes[0] {
		arms = fmt.Sprintf("the arm %.40q", d.Arms[0])
	}
	return hint.Errorf("check the names of visits and endpoints in the tables, the first set of the plan, its key reads and "+
		"the column of arms", "%s: the %s endpoint %s has no change at %s among the analysed subjects of %s", t.Place, kind,
		name, visit, arms)
}

func (t Target) same(other Target) bool {
	return t.Endpoint == other.Endpoint && t.Visit == other.Visit
}

// setTargets resolves the primary and secondary contrasts.
func (d *Design) setTargets(endpoints []Endpoint) (err error) {
	if len(d.Visits) < 2 {
		d.Primary, d.Secondary = nil, nil
		return nil
	}
	primary := d.Primary
	if len(primary) == 0 && slices.ContainsFunc(endpoints, func(e Endpoint) bool { return e.Compartment }) {
		primary = []Target{{Endpoint: AllT2, Visit: -1}}
	}
	if d.Primary, err = d.resolve("primary", primary, endpoints); err != nil {
		return err
	}
	if len(primary) > 0 && len(d.Primary) == 0 {
		return hint.Errorf("name them, as in primary: WOMAC@month12", "no compartment has a planned visit after baseline, so "+
			"that the primary contrasts are not known")
	}
	if d.Secondary, err = d.resolve("secondary", d.Secondary, endpoints); err != nil {
		return err
	}
	return d.checkFamilies()
}

// checkFamilies returns an error if a contrast is both primary and secondary.
func (d Design) checkFamilies() error {
	for _, t := range d.Secondary {
		if slices.ContainsFunc(d.Primary, t.same) {
			return hint.Errorf("remove it from one of them", "%s: the contrast %s@%s is both primary and secondary", t.Place,
				printable.Line(t.Endpoint), d.visitName(t.Visit))
		}
	}
	return nil
}

// visitName returns the name of a visit of a target, for an error.
func (d Design) visitName(visit int) string {
	if visit < 0 {
		return "its last visit"
	}
	return printable.Line(d.Visits[visit].Name)
}

// family returns the family of the contrasts of an endpoint at a visit.
func (d Design) family(endpoint string, visit int) Family {
	t := Target{Endpoint: endpoint, Visit: visit}
	switch {
	case slices.ContainsFunc(d.Primary, t.same):
		return PrimaryFamily
	case slices.ContainsFunc(d.Secondary, t.same):
		return SecondaryFamily
	}
	return NoFamily
}

// MainVisit returns the visit of an endpoint that figures and tables emphasise: the last visit of its primary
// contrasts, or else of its key secondary ones, or else of any primary contrast that it has, or else its last visit.
func (d Design) MainVisit(e Endpoint) int {
	for _, targets := range [][]Target{d.Primary, d.Secondary} {
		last := -1
		for _, t := range targets {
			if t.Endpoint == e.Name {
				last = max(last, t.Visit)
			}
		}
		if last >= 0 {
			return last
		}
	}
	for _, v := range slices.Backward(d.PrimaryVisits()) {
		if e.Planned(v) && v > 0 {
			return v
		}
	}
	return e.Visits[len(e.Visits)-1]
}

// PrimaryVisits returns the visits of the primary contrasts, in ascending order.
func (d Design) PrimaryVisits() []int {
	visits := mapped(d.Primary, func(t Target) int { return t.Visit })
	slices.Sort(visits)
	return slices.Compact(visits)
}
