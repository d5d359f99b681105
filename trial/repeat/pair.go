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

// Study holds the repeated scans of knees, and their repeatability by compartment.
type Study struct {
	// Visits are the names of the scan and of one or more rescans.
	Visits []string
	// Level of the confidence intervals.
	Level        float64
	Compartments []Compartment
	// Excluded are the knees that are omitted from a compartment, or from all.
	Excluded []Excluded
	// Notes are remarks, such as repeats on another scanner.
	Notes []string
}

// Compartment holds the repeats of one compartment, with T2 in ms.
type Compartment struct {
	Name string
	// Knees are the knees with two or more values. Values is indexed by knee and visit; a missing value is NaN.
	Knees  []Knee
	Values [][]float64
	Estimates
}

// Knee is a knee of a subject. Side is "" if the table does not have it.
type Knee struct{ Subject, Side string }

// Excluded is a knee that is omitted, with the reason. Compartment is "" if it is omitted from all compartments.
type Excluded struct {
	Knee
	Compartment, Reason string
}

// Subjects returns the number of subjects with knees in the compartment.
func (c Compartment) Subjects() int {
	seen := map[string]bool{}
	for _, k := range c.Knees {
		seen[k.Subject] = true
	}
	return len(seen)
}

// VisitsError reports that the visits of scan and rescan are not known.
type VisitsError struct {
	Problem string
	// Visits are the visits in the table.
	Visits []string
}

func (e *VisitsError) Error() string {
	if len(e.Visits) == 0 {
		return e.Problem
	}
	names := make([]string, len(e.Visits))
	for i, v := range e.Visits {
		names[i] = fmt.Sprintf("%.40q", printable.Line(v))
	}
	const shown = 20
	if len(names) > shown {
		names = append(names[:shown], "…")
	}
	return e.Problem + "; the table has " + strings.Join(names, ", ")
}

// Pair joins the rows of a table by subject, side and compartment over the visits, and analyses each compartment, in
// the order of the table. The default visits are those of the table if there are two. A knee with two rows of a
// compartment at one visit is excluded from the compartment, because it is not known which row is the rescan.
//
// The error is a *VisitsError if a visit is not in the table or is named twice, or if there are fewer than two. It is
// also an error if no compartment has a knee that was measured twice.
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
	hasKnees := false
	for i := range s.Compartments {
		c := &s.Compartments[i]
		var err error
		if c.Estimates, err = Analyse(c.Values, level); err != nil && len(c.Knees) > 0 {
			return s, fmt.Errorf("%s: %w", c.Name, err)
		} else if err != nil {
			c.Reasons = append(c.Reasons, err.Error())
		}
		hasKnees = hasKnees || len(c.Knees) > 0
	}
	if !hasKnees {
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

// gather sets the knees and values of the compartments, and the excluded knees.
func (s *Study) gather(rows []trial.Measurement) {
	var knees []Knee
	seen := map[Knee]bool{}
	measured := map[place][][]trial.Measurement{} // by visit
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
		if measured[p] == nil {
			measured[p] = make([][]trial.Measurement, len(s.Visits))
		}
		measured[p][v] = append(measured[p][v], r)
	}
	for _, k := range knees {
		var excluded []Excluded
		for i := range s.Compartments {
			c := &s.Compartments[i]
			values, reason := s.repeats(measured[place{k, c.Name}])
			if reason != "" {
				excluded = append(excluded, Excluded{k, c.Name, reason})
				continue
			}
			c.Knees, c.Values = append(c.Knees, k), append(c.Values, values)
			s.note(k, measured[place{k, c.Name}])
		}
		s.Excluded = append(s.Excluded, merged(excluded, len(s.Compartments))...)
	}
}

// repeats returns the values of a place by visit, or the reason for omitting them.
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
		case math.IsNaN(here[0].T2):
			missing = append(missing, fmt.Sprintf("no value at %s: %s", visit, here[0].Missing))
		default:
			values[v] = here[0].T2
			n++
		}
	}
	if n < 2 {
		return nil, strings.Join(missing, ", ")
	}
	return values, ""
}

// note adds remarks on differences between the first repeat of a knee and the others, each once.
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
		for _, c := range []struct{ difference, a, b string }{
			{"scanned on different scanners", first.Scanner, m.Scanner},
			{"scanned with different software versions", first.ScannerSoftware, m.ScannerSoftware},
			{"scanned with different acquisitions", first.Acquisition, m.Acquisition},
			{"fitted with different settings", first.Settings, m.Settings},
		} {
			text := fmt.Sprintf("%s: %s at %s and %s", k, c.difference, first.Visit, s.Visits[v])
			if c.a != c.b && !slices.Contains(s.Notes, text) {
				s.Notes = append(s.Notes, text)
			}
		}
	}
}

// noteMasks adds a remark if masks were carried from another visit, because such repeats share one drawing.
func (s *Study) noteMasks(rows []trial.Measurement) {
	used, carried := map[Knee]bool{}, map[Knee]bool{}
	for _, c := range s.Compartments {
		for _, k := range c.Knees {
			used[k] = true
		}
	}
	var sources []string // visits
	for _, r := range rows {
		k := Knee{r.Subject, r.Side}
		if r.MaskFrom == "" || math.IsNaN(r.T2) || !slices.Contains(s.Visits, r.Visit) || !used[k] {
			continue
		}
		carried[k] = true
		if !slices.Contains(sources, r.MaskFrom) {
			sources = append(sources, r.MaskFrom)
		}
	}
	if len(carried) > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("%d of %d knees have a mask that was carried from %s by registration, "+
			"not drawn: their repeats do not show how reproducibly masks are drawn", len(carried), len(used),
			strings.Join(sources, ", ")))
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
func merged(excluded []Excluded, compartments int) []Excluded {
	if len(excluded) < compartments || len(excluded) == 0 {
		return excluded
	}
	for _, e := range excluded[1:] {
		if e.Reason != excluded[0].Reason {
			return excluded
		}
	}
	excluded[0].Compartment = ""
	return excluded[:1]
}
