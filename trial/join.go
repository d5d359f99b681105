package trial

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// joiner puts results to the subjects and visits of a design, and flags what does not fit.
type joiner struct {
	d     Design
	plan  Plan
	flags []Flag
	// subject and visit are the design's indices by name.
	subject, visit map[string]int
	sides          bool // the results have a column of them
	notes          []string
}

func newJoiner(d Design, p Plan) *joiner {
	j := &joiner{d: d, plan: p, subject: map[string]int{}, visit: map[string]int{}}
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

// place returns the indices of a subject and visit. What the design does not have is
// flagged, once.
func (j *joiner) place(subject, visit, what string) (s, v int, ok bool) {
	s, knownSubject := j.subject[subject]
	v, knownVisit := j.visit[visit]
	if slices.ContainsFunc(j.d.Before, func(b Visit) bool { return b.Name == visit }) && knownSubject {
		return 0, 0, false // planned, and in no analysis: Design.notes says so
	}
	if knownSubject && knownVisit {
		return s, v, true
	}
	text := what + ": the design does not have "
	switch {
	case !knownSubject && !knownVisit:
		text += "this subject, nor this visit"
	case !knownSubject:
		text += "this subject"
	default:
		text += "this visit"
	}
	f := Flag{Kind: NotInDesign, Subject: subject, Visit: visit, Text: text}
	if !slices.Contains(j.flags, f) {
		j.flag(f)
	}
	return 0, 0, false
}

// empty returns values that are all missing for one reason.
func (d Design) empty(reason MissingKind) [][]Value {
	all := make([][]Value, len(d.Subjects))
	for s := range all {
		all[s] = make([]Value, len(d.Visits))
		for v := range all[s] {
			all[s][v] = Value{X: math.NaN(), Missing: Missing{Kind: reason}}
		}
	}
	return all
}

// compartments joins the results of the pipeline: one endpoint per compartment.
func (j *joiner) compartments(res Results) []Endpoint {
	j.sides = res.sides
	endpoints := make([]Endpoint, len(res.compartments))
	for i, name := range res.compartments {
		endpoints[i] = Endpoint{Name: name, Title: title(name) + " T2", Unit: "ms", Compartment: true, Direction: HigherIsWorse, Values: j.d.empty(NoStudy)}
	}
	at := make([][][]Measurement, len(j.d.Subjects)) // by subject and visit
	for s := range at {
		at[s] = make([][]Measurement, len(j.d.Visits))
	}
	for _, m := range res.measurements {
		if s, v, ok := j.place(m.Subject, m.Visit, "results"); ok {
			at[s][v] = append(at[s][v], m)
		}
	}
	failed := j.failures(res.failures)
	firsts := make([]*Measurement, len(at))
	for s := range at {
		bothKnees := j.pickSide(s, at[s])
		var first *Measurement // the earliest, which later ones are held against
		for v, found := range at[s] {
			flags := j.changed(&first, found)
			firsts[s] = first
			for e := range endpoints {
				value := &endpoints[e].Values[s][v]
				*value = j.choose(found, endpoints[e].Name, bothKnees)
				if len(found) == 0 {
					value.Missing = cmp.Or(failed[[2]int{s, v}], Missing{Kind: NoStudy})
				}
				value.Flags = append(value.Flags, flags...)
			}
			j.noResult(endpoints, s, v)
			if reason, ok := failed[[2]int{s, v}]; ok && len(found) > 0 {
				j.flag(Flag{Kind: Quality, Subject: j.d.Subjects[s].ID, Visit: j.d.Visits[v].Name, Text: "another study at this visit: " + reason.String()})
			}
		}
	}
	j.flagWays(endpoints, firsts)
	j.flagMasks(endpoints)
	return endpoints
}

// title makes a name begin with a capital.
func title(name string) string {
	r := []rune(name)
	return strings.ToUpper(string(r[:1])) + string(r[1:])
}

// failures returns the reasons of failed studies by subject and visit.
func (j *joiner) failures(failures []failure) map[[2]int]Missing {
	reasons := map[[2]int]Missing{}
	for _, f := range failures {
		if s, v, ok := j.place(f.subject, f.visit, "a failed study"); ok {
			reasons[[2]int{s, v}] = Missing{Kind: StudyFailed, Detail: f.reason}
		}
	}
	return reasons
}

// pickSide leaves only the studied knee in a subject's measures, and flags the others. It
// returns whether both knees are among them and the design does not say which is
// studied: then no value can be told from another.
func (j *joiner) pickSide(s int, visits [][]Measurement) (both bool) {
	want := j.d.Subjects[s].Side
	seen := map[string]bool{}
	for v, found := range visits {
		var kept []Measurement
		flagged := map[string]bool{}
		for _, m := range found {
			switch {
			case want == "" || m.Side == want:
				kept = append(kept, m)
			case m.Side == "":
				kept = append(kept, m)
				if !flagged[m.Series] && j.sides {
					j.flag(Flag{Kind: Quality, Subject: m.Subject, Visit: m.Visit, Text: "the images do not say which knee they show; the design says the " + want})
				}
			case !flagged[m.Series]:
				j.flag(Flag{Kind: OtherSide, Subject: m.Subject, Visit: m.Visit, Text: fmt.Sprintf("results of the %s knee are not used: the design says the %s", m.Side, want)})
			}
			flagged[m.Series] = true
			if m.Side != "" {
				seen[m.Side] = true
			}
		}
		visits[v] = kept
	}
	if both = want == "" && len(seen) > 1; both {
		j.flag(Flag{Kind: OtherSide, Subject: j.d.Subjects[s].ID, Text: "results of both knees, and the design does not say which is studied: none is used"})
	}
	return both
}

// changed flags a scanner or protocol that is not the one of the subject's first study.
func (j *joiner) changed(first **Measurement, found []Measurement) []int {
	if len(found) == 0 {
		return nil
	}
	if *first == nil {
		*first = &found[0]
	}
	var flags []int
	add := func(kind FlagKind, m Measurement, what, was, is string) {
		if was == is {
			return
		}
		f := Flag{Kind: kind, Subject: m.Subject, Visit: m.Visit, Text: fmt.Sprintf("%s: %s; at %s: %s", what, cmp.Or(is, "not said"), (*first).Visit, cmp.Or(was, "not said"))}
		i := slices.Index(j.flags, f)
		if i < 0 {
			i = j.flag(f)
		}
		if !slices.Contains(flags, i) {
			flags = append(flags, i)
		}
	}
	lossy := false
	for _, m := range found {
		add(ScannerChange, m, "scanner", (*first).Scanner, m.Scanner)
		if m.Scanner == (*first).Scanner {
			add(ScannerChange, m, "software of the scanner", (*first).ScannerSoftware, m.ScannerSoftware)
		}
		was, is := differing((*first).Acquisition, m.Acquisition)
		add(ProtocolChange, m, "acquisition", was, is)
		was, is = differing((*first).Settings, m.Settings)
		add(ProtocolChange, m, "settings", was, is)
		if was == is {
			add(ProtocolChange, m, "method", (*first).Method, m.Method) // of a table without settings
		}
		lossy = lossy || m.Lossy
	}
	if lossy {
		flags = append(flags, j.flag(Flag{Kind: Quality, Subject: found[0].Subject, Visit: found[0].Visit, Text: "images were compressed with loss"}))
	}
	return flags
}

// differing returns the parts of two texts, between commas, that the other does not have.
func differing(a, b string) (onlyA, onlyB string) {
	const between = ", "
	x, y := strings.Split(a, between), strings.Split(b, between)
	only := func(in, other []string) string {
		return strings.Join(slices.DeleteFunc(slices.Clone(in), func(part string) bool { return slices.Contains(other, part) }), between)
	}
	return only(x, y), only(y, x)
}

// choose returns the value of a compartment among a visit's measures.
func (j *joiner) choose(found []Measurement, compartment string, bothKnees bool) Value {
	var of []Measurement
	for _, m := range found {
		if m.Compartment == compartment {
			of = append(of, m)
		}
	}
	nan := math.NaN()
	switch {
	case len(of) == 0:
		return Value{X: nan, Missing: Missing{Kind: NoCompartment}}
	case bothKnees:
		return Value{X: nan, Missing: Missing{Kind: BothKnees}}
	case len(of) == 1:
		return single(of[0])
	}
	return j.chooseOfSeveral(of)
}

// chooseOfSeveral returns the value of a visit with several studies: none, or the mean of those
// that have one.
func (j *joiner) chooseOfSeveral(of []Measurement) Value {
	m := of[0]
	f := Flag{Kind: TwoStudies, Subject: m.Subject, Visit: m.Visit, Text: numeral(len(of)) + " studies at this visit: none is used"}
	value := Value{X: math.NaN(), Missing: Missing{Kind: SeveralStudies, Count: len(of)}, Side: m.Side, Method: m.Method}
	if j.plan.MeanOfTwo {
		sound := slices.DeleteFunc(slices.Clone(of), func(m Measurement) bool { return math.IsNaN(m.MeanT2) })
		switch len(sound) {
		case 0:
			value.Missing = m.Missing
			f.Text = numeral(len(of)) + " studies at this visit: none has a value"
		case 1:
			value = single(sound[0])
			f.Text = fmt.Sprintf("%s studies at this visit: one has a value, which is used", numeral(len(of)))
		default:
			value.X, value.Missing, value.MaskFrom = meanT2(sound), Missing{}, maskOfSeveral(sound)
			f.Text = fmt.Sprintf("%s studies at this visit: the mean of %s is used", numeral(len(of)), numeral(len(sound)))
		}
	}
	at := slices.Index(j.flags, f)
	if at < 0 {
		at = j.flag(f)
	}
	value.Flags = []int{at}
	return value
}

// single is the value of one study.
func single(m Measurement) Value {
	return Value{X: m.MeanT2, Missing: m.Missing, Side: m.Side, Study: m.Study, Series: m.Series, Folder: m.Folder, Method: m.Method, MaskFrom: m.MaskFrom}
}

// maskOfSeveral names the visits that the masks of studies were carried from; "" where all were
// drawn.
func maskOfSeveral(of []Measurement) string {
	var from []string
	for _, m := range of {
		if m.MaskFrom != "" && !slices.Contains(from, m.MaskFrom) {
			from = append(from, m.MaskFrom)
		}
	}
	return strings.Join(from, ", ")
}

func meanT2(of []Measurement) float64 {
	sum := 0.0
	for _, m := range of {
		sum += m.MeanT2
	}
	return sum / float64(len(of))
}

// noResult flags what a visit lacks: once where it lacks every compartment for
// one reason, else for each.
func (j *joiner) noResult(endpoints []Endpoint, s, v int) {
	subject, visit := j.d.Subjects[s].ID, j.d.Visits[v].Name
	reasons := map[Missing]int{}
	for _, e := range endpoints {
		if m := e.Values[s][v].Missing; m.Kind != Present {
			reasons[m]++
		}
	}
	for i, e := range endpoints {
		m := e.Values[s][v].Missing
		switch {
		case m.Kind == Present:
		case reasons[m] == len(endpoints) && i == 0:
			j.flag(Flag{Kind: NoResult, Subject: subject, Visit: visit, Text: m.String()})
		case reasons[m] < len(endpoints):
			j.flag(Flag{Kind: NoResult, Subject: subject, Visit: visit, Endpoint: e.Name, Text: m.String()})
		}
	}
}

// scores joins another endpoint.
func (j *joiner) scores(sc Scores) Endpoint {
	e := Endpoint{Name: sc.name, Title: sc.name, Unit: sc.unit, Direction: sc.direction, Values: j.d.empty(NoValue)}
	taken := map[[2]int]bool{}
	for _, value := range sc.values {
		s, v, ok := j.place(value.subject, value.visit, "values of "+sc.name)
		if !ok {
			continue
		}
		at := &e.Values[s][v]
		if taken[[2]int{s, v}] {
			// The line is that of the second, at which a reader will find it.
			i := j.flag(Flag{Kind: TwoStudies, Subject: value.subject, Visit: value.visit, Endpoint: sc.name,
				Text: fmt.Sprintf("two values at this visit (%s, line %d): none is used", sc.table, value.line)})
			*at = Value{X: math.NaN(), Missing: Missing{Kind: SeveralValues}, Flags: append(at.Flags, i)}
			continue
		}
		taken[[2]int{s, v}] = true
		*at = Value{X: value.value, Missing: missingCell(value.value, "")}
	}
	for s := range e.Values {
		for v, value := range e.Values[s] {
			if value.Missing.Kind != Present {
				j.flag(Flag{Kind: NoResult, Subject: j.d.Subjects[s].ID, Visit: j.d.Visits[v].Name, Endpoint: sc.name, Text: value.Missing.String()})
			}
		}
	}
	return e
}

// sorted returns the flags in the order of kind, subject, visit, and makes the values
// point to where they now are.
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
	now := make([]int, len(order))
	for to, from := range order {
		flags[to], now[from] = j.flags[from], to
	}
	for _, e := range endpoints {
		for s := range e.Values {
			for v := range e.Values[s] {
				for i, f := range e.Values[s][v].Flags {
					e.Values[s][v].Flags[i] = now[f]
				}
			}
		}
	}
	return flags
}
