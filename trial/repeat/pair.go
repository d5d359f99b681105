package repeat

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/trial"
)

// Study is scans of knees that were repeated, by compartment.
type Study struct {
	// Visits are the names of scan and rescan, of which there may be several.
	Visits []string
	// Level of the confidence intervals.
	Level        float64
	Compartments []Compartment
	// Left are the knees that are in no figure.
	Left []Left
	// Notes are remarks, such as repeats by another scanner.
	Notes []string
}

// Compartment is one compartment's repeats, T2 in ms.
type Compartment struct {
	Name string
	// Knees have two or more values, which are indexed by knee and visit, NaN where one is
	// missing.
	Knees  []Knee
	Values [][]float64
	Figures
}

// Knee is one of a subject's; Side is empty where the table does not say.
type Knee struct{ Subject, Side string }

// Left is a knee that is in no figure, and why. Compartment is empty where it is in that
// of none.
type Left struct {
	Knee
	Compartment, Reason string
}

// Subjects counts the subjects whose knees these are.
func (c Compartment) Subjects() int {
	seen := map[string]bool{}
	for _, k := range c.Knees {
		seen[k.Subject] = true
	}
	return len(seen)
}

// VisitsError reports that the visits of scan and rescan are not known.
type VisitsError struct {
	// Problem in words.
	Problem string
	// Found are the visits of the table.
	Found []string
}

func (e *VisitsError) Error() string {
	if len(e.Found) == 0 {
		return e.Problem
	}
	names := make([]string, len(e.Found))
	for i, v := range e.Found {
		names[i] = fmt.Sprintf("%.40q", printable.Line(v))
	}
	const most = 20
	if len(names) > most {
		names = append(names[:most], "…")
	}
	return e.Problem + "; the table has " + strings.Join(names, ", ")
}

// Pair joins the rows of a table by subject, side and compartment over the visits, and
// analyses each compartment, in the order of the table. Without visits they are those of
// the table, if these are two. A knee that has a compartment twice at a visit is excluded
// there, as it is not known which is the rescan of what.
//
// It is an error (VisitsError) if a visit is not in the table, is named twice, or if there
// are fewer than two; and if no compartment has a knee that was measured twice.
func Pair(rows []trial.Measurement, visits []string, level float64) (Study, error) {
	s := Study{Visits: visits, Level: level}
	found := visitsOf(rows)
	if len(visits) == 0 {
		if len(found) != 2 {
			return s, &VisitsError{fmt.Sprintf("which visits are scan and rescan? There are %d", len(found)), found}
		}
		s.Visits = found
	}
	for i, v := range s.Visits {
		if !slices.Contains(found, v) {
			return s, &VisitsError{fmt.Sprintf("no visit %.40q", v), found}
		}
		if slices.Contains(s.Visits[:i], v) {
			return s, &VisitsError{fmt.Sprintf("visit %.40q is named twice", v), found}
		}
	}
	if len(s.Visits) < 2 {
		return s, &VisitsError{"scan and rescan are two visits", found}
	}
	s.gather(rows)
	s.noteMasks(rows)
	any := false
	for i := range s.Compartments {
		c := &s.Compartments[i]
		var err error
		if c.Figures, err = Analyse(c.Values, level); err != nil && len(c.Knees) > 0 {
			return s, fmt.Errorf("%s: %w", c.Name, err)
		} else if err != nil {
			c.Reasons = append(c.Reasons, err.Error())
		}
		any = any || len(c.Knees) > 0
	}
	if !any {
		return s, errors.New("no knee was measured at two of the visits")
	}
	return s, nil
}

// visitsOf returns the visits in the order of their first row.
func visitsOf(rows []trial.Measurement) []string {
	var all []string
	for _, r := range rows {
		if !slices.Contains(all, r.Visit) {
			all = append(all, r.Visit)
		}
	}
	return all
}

// place is a compartment of a knee.
type place struct {
	Knee
	compartment string
}

// gather fills in the knees and values of the compartments, and the excluded knees.
func (s *Study) gather(rows []trial.Measurement) {
	var knees []Knee
	seen := map[Knee]bool{}
	at := map[place][][]trial.Measurement{} // by visit
	for _, r := range rows {
		k := Knee{r.Subject, r.Side}
		if !slices.ContainsFunc(s.Compartments, func(c Compartment) bool { return c.Name == r.Compartment }) {
			s.Compartments = append(s.Compartments, Compartment{Name: r.Compartment})
		}
		if !seen[k] {
			seen[k] = true
			knees = append(knees, k)
		}
		v := slices.Index(s.Visits, r.Visit)
		if v < 0 {
			continue
		}
		p := place{k, r.Compartment}
		if at[p] == nil {
			at[p] = make([][]trial.Measurement, len(s.Visits))
		}
		at[p][v] = append(at[p][v], r)
	}
	for _, k := range knees {
		var left []Left
		for i := range s.Compartments {
			c := &s.Compartments[i]
			values, reason := s.repeats(at[place{k, c.Name}])
			if reason != "" {
				left = append(left, Left{k, c.Name, reason})
				continue
			}
			c.Knees, c.Values = append(c.Knees, k), append(c.Values, values)
			s.note(k, at[place{k, c.Name}])
		}
		s.Left = append(s.Left, merged(left, len(s.Compartments))...)
	}
}

// repeats returns the values of a place by visit, or why they are of no use.
func (s *Study) repeats(measured [][]trial.Measurement) (values []float64, reason string) {
	n := 0
	var missing []string
	for v, visit := range s.Visits {
		values = append(values, nan)
		var here []trial.Measurement
		if measured != nil {
			here = measured[v]
		}
		switch {
		case len(here) == 0:
			missing = append(missing, fmt.Sprintf("no row at %s", visit))
		case len(here) > 1:
			return nil, fmt.Sprintf("%d rows at %s", len(here), visit)
		case math.IsNaN(here[0].MeanT2):
			missing = append(missing, fmt.Sprintf("no value at %s: %s", visit, here[0].Missing))
		default:
			values[v] = here[0].MeanT2
			n++
		}
	}
	if n < 2 {
		return nil, strings.Join(missing, ", ")
	}
	return values, ""
}

// note adds remarks on differences between the repeats of a knee, each once.
func (s *Study) note(k Knee, measured [][]trial.Measurement) {
	var first *trial.Measurement
	for v, here := range measured {
		if len(here) == 0 {
			continue
		}
		m := &here[0]
		if first == nil {
			first = m
			continue
		}
		for _, c := range []struct{ what, a, b string }{
			{"another scanner", first.Scanner, m.Scanner},
			{"other software of the scanner", first.ScannerSoftware, m.ScannerSoftware},
			{"another acquisition", first.Acquisition, m.Acquisition},
			{"T2 estimated in another way", first.Settings, m.Settings},
		} {
			text := fmt.Sprintf("%s: %s at %s than at %s", k, c.what, s.Visits[v], first.Visit)
			if c.a != c.b && !slices.Contains(s.Notes, text) {
				s.Notes = append(s.Notes, text)
			}
		}
	}
}

// noteMasks notes how many knees have repeats whose mask was carried from another visit: such
// repeats share one drawing.
func (s *Study) noteMasks(rows []trial.Measurement) {
	var used, carried []Knee
	for _, c := range s.Compartments {
		for _, k := range c.Knees {
			if !slices.Contains(used, k) {
				used = append(used, k)
			}
		}
	}
	var from []string
	for _, r := range rows {
		k := Knee{r.Subject, r.Side}
		if r.MaskFrom == "" || math.IsNaN(r.MeanT2) || !slices.Contains(s.Visits, r.Visit) || !slices.Contains(used, k) {
			continue
		}
		if !slices.Contains(carried, k) {
			carried = append(carried, k)
		}
		if !slices.Contains(from, r.MaskFrom) {
			from = append(from, r.MaskFrom)
		}
	}
	if len(carried) > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("%d of %d knees have a mask that was carried from %s by registration, not drawn: "+
			"their repeats do not show how well a mask is drawn again", len(carried), len(used), strings.Join(from, ", ")))
	}
}

// String names a knee: "S01, left".
func (k Knee) String() string {
	if k.Side == "" {
		return k.Subject
	}
	return k.Subject + ", " + k.Side
}

// merged joins the entries of a knee that is excluded from every compartment for the same reason.
func merged(left []Left, compartments int) []Left {
	if len(left) < compartments || len(left) == 0 {
		return left
	}
	for _, l := range left[1:] {
		if l.Reason != left[0].Reason {
			return left
		}
	}
	left[0].Compartment = ""
	return left[:1]
}
