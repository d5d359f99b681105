package trial

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Results are the tables of `t2map run`.
type Results struct {
	// compartments holds the names in the order of their first row.
	compartments []string
	measures     []measure
	failures     []failure
	// settings are the ways in which T2 was estimated.
	settings []string
	notes    []string
}

// measure is a row of compartments.csv.
type measure struct {
	subject, visit, compartment string
	side, study, series, folder string
	method, settings            string
	scanner, acquisition        string
	lossy, note                 string
	meanT2                      float64
	line                        int
}

// failure is a study of studies.csv that gave no result.
type failure struct{ subject, visit, reason string }

// ReadResults reads compartments.csv and, if it is there, studies.csv, which says which
// studies failed and why; its Data may be nil. Needed are the columns subject, visit,
// compartment and mean_t2_ms; others may be missing, and what cannot be seen
// without them stands in the analysis' notes.
func ReadResults(compartments, studies Source) (Results, error) {
	t, err := readTable(compartments)
	if err != nil {
		return Results{}, err
	}
	if err := t.need("subject", "visit", "compartment", "mean_t2_ms"); err != nil {
		return Results{}, err
	}
	res := Results{notes: t.unseen()}
	for _, r := range t.rows {
		m := measure{
			subject: r.text("subject"), visit: r.text("visit"), compartment: r.text("compartment"),
			side: r.text("side"), study: r.text("study"), series: r.text("series"),
			method: r.text("method"), settings: r.text("settings"),
			scanner: r.text("scanner"), acquisition: r.text("acquisition"),
			lossy: r.text("lossy_images"), note: r.text("note"), line: r.line,
		}
		if m.subject == "" || m.compartment == "" {
			return res, fmt.Errorf("%s: line %d has no subject or no compartment", t.name, r.line)
		}
		if m.meanT2, err = r.number("mean_t2_ms"); err != nil {
			return res, err
		}
		if m.meanT2 <= 0 {
			return res, hinted("a T2 that could not be had is an empty cell", "%s: %g ms is no T2", r.place("mean_t2_ms"), m.meanT2)
		}
		if !slices.Contains(res.compartments, m.compartment) {
			res.compartments = append(res.compartments, m.compartment)
		}
		if m.settings != "" && !slices.Contains(res.settings, m.settings) {
			res.settings = append(res.settings, m.settings)
		}
		res.measures = append(res.measures, m)
	}
	if err := res.checkTwins(t.name); err != nil {
		return res, err
	}
	return res, res.readStudies(studies)
}

// unseen says what cannot be seen without the columns that a table lacks.
func (t *table) unseen() []string {
	var notes []string
	for _, c := range []struct{ column, what string }{
		{"scanner", "changes of the scanner"},
		{"acquisition", "changes of the acquisition"},
		{"settings", "changes of how T2 was estimated"},
		{"series", "several studies at one visit, but for equal rows,"},
		{"side", "results of the other knee"},
	} {
		if !t.has(c.column) {
			notes = append(notes, fmt.Sprintf("%s could not be looked for: %s has no column %s", c.what, t.name, c.column))
		}
	}
	return notes
}

// checkTwins refuses a table that holds one series' compartment twice.
func (res Results) checkTwins(name string) error {
	type key struct{ subject, visit, series, compartment string }
	line := map[key]int{}
	for _, m := range res.measures {
		if m.series == "" {
			continue
		}
		k := key{m.subject, m.visit, m.series, m.compartment}
		if line[k] != 0 {
			return hinted("make the tables again: t2map run", "%s: lines %d and %d hold the same compartment of one series", name, line[k], m.line)
		}
		line[k] = m.line
	}
	return nil
}

// readStudies reads which studies failed, and where the others are.
func (res *Results) readStudies(studies Source) error {
	if studies.Data == nil {
		res.notes = append(res.notes, "studies that failed are not told from studies that were not made: there is no studies.csv")
		return nil
	}
	t, err := readTable(studies)
	if err != nil {
		return err
	}
	if err := t.need("subject", "visit", "status", "reason"); err != nil {
		return err
	}
	folder := map[string]string{} // by series
	for _, r := range t.rows {
		if r.text("status") == "failed" {
			res.failures = append(res.failures, failure{r.text("subject"), r.text("visit"), r.text("reason")})
		} else if s := r.text("series"); s != "" {
			folder[s] = r.text("folder")
		}
	}
	for i, m := range res.measures {
		res.measures[i].folder = folder[m.series]
	}
	return nil
}

// ReadRepeatability reads within-subject coefficients of variation from the table of
// `t2map repeat`: its columns compartment and wcv_percent.
func ReadRepeatability(s Source) ([]CompartmentCV, error) {
	t, err := readTable(s)
	if err != nil {
		return nil, err
	}
	if err := t.need("compartment", "wcv_percent"); err != nil {
		return nil, err
	}
	var all []CompartmentCV
	for _, r := range t.rows {
		percent, err := r.number("wcv_percent")
		if err != nil {
			return nil, err
		}
		if !(percent > 0 && percent < 100) {
			return nil, hinted("take the row out, or give --wcv", "%s: %g is no coefficient of variation in percent", r.place("wcv_percent"), percent)
		}
		all = append(all, CompartmentCV{r.text("compartment"), percent / 100})
	}
	return all, nil
}

// Score is a value of another endpoint.
type score struct {
	subject, visit string
	value          float64
	line           int
}

// Scores is another endpoint's values, as tables have them.
type Scores struct {
	name, unit string
	direction  Direction
	table      string
	values     []score
}

// ReadScores reads other endpoints from a tidy table with the columns subject, visit,
// name, value, and where wanted direction (higher is better, higher is worse) and unit.
// They come in the order of their first row.
//
// Errors: names that differ only in case or blanks; an endpoint with two directions or units; what is
// no number.
func ReadScores(s Source) ([]Scores, error) {
	t, err := readTable(s)
	if err != nil {
		return nil, err
	}
	if err := t.need("subject", "visit", "name", "value"); err != nil {
		return nil, err
	}
	var all []Scores
	for _, r := range t.rows {
		name := r.text("name")
		if name == "" || r.text("subject") == "" {
			return nil, fmt.Errorf("%s: line %d has no subject or no name", t.name, r.line)
		}
		direction, err := parseDirection(r)
		if err != nil {
			return nil, err
		}
		v, err := r.number("value")
		if err != nil {
			return nil, err
		}
		at := slices.IndexFunc(all, func(e Scores) bool { return sameName(e.name, name) })
		if at < 0 {
			at = len(all)
			all = append(all, Scores{name: name, unit: r.text("unit"), direction: direction, table: t.name})
		}
		switch e := &all[at]; {
		case e.name != name:
			return nil, fmt.Errorf("%s: line %d: endpoints %.40q and %.40q differ only in case or blanks", t.name, r.line, e.name, name)
		case e.direction != direction:
			return nil, fmt.Errorf("%s: line %d: endpoint %.40q has another direction than above", t.name, r.line, name)
		case e.unit != r.text("unit"):
			return nil, fmt.Errorf("%s: line %d: endpoint %.40q has another unit than above", t.name, r.line, name)
		default:
			e.values = append(e.values, score{r.text("subject"), r.text("visit"), v, r.line})
		}
	}
	return all, nil
}

func parseDirection(r row) (Direction, error) {
	switch strings.Join(strings.Fields(strings.ToLower(r.text("direction"))), " ") {
	case "", "unknown":
		return Unknown, nil
	case "higher is worse":
		return HigherIsWorse, nil
	case "higher is better":
		return HigherIsBetter, nil
	}
	return Unknown, hinted("higher is better, higher is worse, or empty", "%s: %.40q is no direction", r.place("direction"), r.text("direction"))
}

// missingText is what a table says of a value that is not there.
func missingText(x float64, note string) string {
	switch {
	case !math.IsNaN(x):
		return ""
	case note != "":
		return note
	}
	return "empty in the table"
}
