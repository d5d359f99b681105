package trial

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// joiner assigns results to the subjects and visits of a design, and flags results that do not fit.
type joiner struct {
	d     Design
	plan  Plan
	flags []Flag
	// subject and visit are the design's indices by name.
	subject, visit map[string]int
	sides          bool // the results have a column side
	notes          []string
	// last is the last visit of the design at which each subject was seen, used or not; −1 if there is none.
	last []int
}

func newJoiner(d Design, p Plan) *joiner {
	j := &joiner{d: d, plan: p, subject: map[string]int{}, visit: map[string]int{},
		last: slices.Repeat([]int{-1}, len(d.Subjects))}
	for i, s := range d.Subjects {
		j.subject[s.ID] = i
	}
	for i, v := range d.Visits {
		j.visit[v.Name] = i
	}
	return j
}

// flag adds a flag and returns its index.
func (j *joiner) flag(f Flag) int {
	j.flags = append(j.flags, f)
	return len(j.flags) - 1
}

// flagAt adds a flag of a subject of the design at a visit.
func (j *joiner) flagAt(s, v int, f Flag) int {
	f.Subject, f.Visit = j.d.Subjects[s].ID, j.d.Visits[v].Name
	return j.flag(f)
}

// flagOnce returns the index of a flag, which it adds unless the same flag exists.
func (j *joiner) flagOnce(f Flag) int {
	if i := slices.Index(j.flags, f); i >= 0 {
		return i
	}
	return j.flag(f)
}

// flagValues adds a flag to every value that exists and is chosen.
func flagValues(endpoints []Endpoint, flag int, chosen func(Value) bool) {
	for _, e := range endpoints {
		for _, values := range e.Values {
			for v := range values {
				if !math.IsNaN(values[v].X) && chosen(values[v]) {
					values[v].Flags = append(values[v].Flags, flag)
				}
			}
		}
	}
}

// place returns the indices of a subject and visit. It flags a place that is not in the design, once.
// source describes the rows of the place, for the flag.
func (j *joiner) place(subject, visit, source string) (s, v int, ok bool) {
	s, knownSubject := j.subject[subject]
	v, knownVisit := j.visit[visit]
	absent := "subject and visit"
	switch {
	case knownSubject && knownVisit:
		return s, v, true
	case knownSubject && slices.ContainsFunc(j.d.Earlier, func(b Visit) bool { return b.Name == visit }):
		return 0, 0, false // planned, but not analysed; see Design.notes
	case knownSubject:
		absent = "visit"
	case knownVisit:
		absent = "subject"
	}
	j.flagOnce(Flag{Kind: NotInDesign, Subject: subject, Visit: visit,
		Text: source + ": the design does not have this " + absent})
	return 0, 0, false
}

// setEmpty fills Values with values that are missing: for a reason at planned visits.
func (e *Endpoint) setEmpty(d Design, reason MissingKind) {
	e.Visits = d.VisitsOf(e.Name, e.Compartment)
	e.Values = make([][]Value, len(d.Subjects))
	for s := range e.Values {
		e.Values[s] = slices.Repeat([]Value{{X: math.NaN(), Missing: Missing{Kind: NotPlanned}}}, len(d.Visits))
		for _, v := range e.Visits {
			e.Values[s][v].Missing.Kind = reason
		}
	}
}

// compartments joins the results of the pipeline: one endpoint per compartment.
func (j *joiner) compartments(res Results) []Endpoint {
	j.sides = res.sides
	endpoints := make([]Endpoint, len(res.compartments))
	t2 := map[bool]string{false: " T2", true: " median T2"}[j.plan.Median]
	for i, name := range res.compartments {
		endpoints[i] = Endpoint{Name: name, Title: title(name) + t2, Unit: "ms", Compartment: true,
			Direction: HigherIsWorse}
		endpoints[i].setEmpty(j.d, NoStudy)
	}
	measured := make([][][]Measurement, len(j.d.Subjects)) // by subject and visit
	for s := range measured {
		measured[s] = make([][]Measurement, len(j.d.Visits))
	}
	for _, m := range res.measurements {
		s, v, ok := j.place(m.Subject, m.Visit, "results")
		if !ok {
			continue
		}
		j.last[s] = max(j.last[s], v)
		if j.planned(endpoints, s, v) {
			measured[s][v] = append(measured[s][v], m)
		}
	}
	failed := j.failures(res.failures)
	firsts := make([]*Measurement, len(measured))
	for s := range measured {
		bothKnees := j.pickSide(s, measured[s])
		for v, here := range measured[s] {
			if firsts[s] == nil && len(here) > 0 {
				firsts[s] = &here[0]
			}
			flags := j.changed(firsts[s], here)
			for e := range endpoints {
				if !endpoints[e].Planned(v) {
					continue
				}
				value := &endpoints[e].Values[s][v]
				*value = j.choose(here, endpoints[e].Name, bothKnees)
				if len(here) == 0 {
					value.Missing = cmp.Or(failed[[2]int{s, v}], Missing{Kind: NoStudy})
				}
				value.Flags = append(value.Flags, flags...)
			}
			if reason, ok := failed[[2]int{s, v}]; ok && len(here) > 0 {
				j.flagAt(s, v, Flag{Kind: Quality, Text: "another study at this visit: " + reason.String()})
			}
		}
	}
	j.flagLimits(endpoints)
	j.flagSettings(endpoints, firsts)
	j.flagMasks(endpoints)
	return endpoints
}

// planned reports whether a visit of the design is planned for one of the endpoints, and flags results of a
// subject at one that is not.
func (j *joiner) planned(endpoints []Endpoint, s, v int) bool {
	if slices.ContainsFunc(endpoints, func(e Endpoint) bool { return e.Planned(v) }) {
		return true
	}
	name := AllT2
	if !endpoints[0].Compartment {
		name = endpoints[0].Name
	}
	j.flagOnce(Flag{Kind: NotInDesign, Subject: j.d.Subjects[s].ID, Visit: j.d.Visits[v].Name,
		Text: "results: the visit is not planned for " + name})
	return false
}

// title capitalises the first letter of a name.
func title(name string) string {
	r := []rune(name)
	return strings.ToUpper(string(r[:1])) + string(r[1:])
}

// failures returns the reasons of failed studies by subject and visit.
func (j *joiner) failures(failures []failure) map[[2]int]Missing {
	reasons := map[[2]int]Missing{}
	for _, f := range failures {
		if s, v, ok := j.place(f.subject, f.visit, "a failed study"); ok {
			j.last[s] = max(j.last[s], v)
			reasons[[2]int{s, v}] = Missing{Kind: StudyFailed, Detail: f.reason}
		}
	}
	return reasons
}

// flagMissing flags missing values. After the last visit of a subject who discontinued, none is expected.
func (j *joiner) flagMissing(endpoints []Endpoint) {
	others := slices.IndexFunc(append(endpoints, Endpoint{}), func(e Endpoint) bool { return !e.Compartment })
	for s, subject := range j.d.Subjects {
		for v := range j.d.Visits {
			if subject.Discontinued != "" && v > j.last[s] {
				break
			}
			j.noResult(endpoints[:others], s, v)
			for i := range endpoints[others:] {
				j.noResult(endpoints[others+i:][:1], s, v)
			}
		}
	}
}

// noResult flags the missing values of a visit: once if all compartments are missing for the same reason,
// otherwise each.
func (j *joiner) noResult(endpoints []Endpoint, s, v int) {
	endpoints = slices.DeleteFunc(slices.Clone(endpoints), func(e Endpoint) bool { return !e.Planned(v) })
	reasons := map[Missing]int{}
	for _, e := range endpoints {
		if m := e.Values[s][v].Missing; m.Kind != Present {
			reasons[m]++
		}
	}
	for i, e := range endpoints {
		m := e.Values[s][v].Missing
		shared := e.Compartment && reasons[m] == len(endpoints)
		switch {
		case m.Kind == Present:
		case shared && i == 0:
			j.flagAt(s, v, Flag{Kind: NoResult, Text: m.String()})
		case !shared:
			j.flagAt(s, v, Flag{Kind: NoResult, Endpoint: e.Name, Text: m.String()})
		}
	}
}

// scores joins another endpoint.
func (j *joiner) scores(sc Scores) Endpoint {
	e := Endpoint{Name: sc.name, Title: sc.name, Unit: sc.unit, Group: sc.group, Direction: sc.direction}
	e.setEmpty(j.d, NoValue)
	seen := map[[2]int]bool{}
	for _, value := range sc.values {
		s, v, ok := j.place(value.subject, value.visit, "values of "+sc.name)
		if ok && !math.IsNaN(value.value) {
			j.last[s] = max(j.last[s], v)
		}
		if !ok || !j.planned([]Endpoint{e}, s, v) {
			continue
		}
		cell := &e.Values[s][v]
		if seen[[2]int{s, v}] {
			i := j.flag(Flag{Kind: TwoStudies, Subject: value.subject, Visit: value.visit, Endpoint: sc.name,
				Text: fmt.Sprintf("two values at this visit (%s, line %d): none is used", sc.table, value.line)})
			*cell = Value{X: math.NaN(), Missing: Missing{Kind: SeveralValues}, Flags: append(cell.Flags, i)}
			continue
		}
		seen[[2]int{s, v}] = true
		*cell = Value{X: value.value, Missing: missingCell(value.value, "")}
	}
	return e
}

// sorted returns the flags in the order of kind, subject and visit, and updates the indices of the
// values.
func (j *joiner) sorted(endpoints []Endpoint) []Flag {
	order := make([]int, len(j.flags))
	for i := range order {
		order[i] = i
	}
	rank := func(f Flag) int {
		if v, known := j.visit[f.Visit]; known {
			return v
		}
		return len(j.visit)
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := j.flags[a], j.flags[b]
		return cmp.Or(cmp.Compare(slices.Index(FlagKinds, x.Kind), slices.Index(FlagKinds, y.Kind)),
			cmp.Compare(x.Subject, y.Subject), cmp.Compare(rank(x), rank(y)), cmp.Compare(x.Visit, y.Visit))
	})
	flags := make([]Flag, len(order))
	index := make([]int, len(order)) // by the earlier index
	for i, before := range order {
		flags[i], index[before] = j.flags[before], i
	}
	for _, e := range endpoints {
		for s := range e.Values {
			for v := range e.Values[s] {
				for i, f := range e.Values[s][v].Flags {
					e.Values[s][v].Flags[i] = index[f]
				}
			}
		}
	}
	return flags
}
