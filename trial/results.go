package trial

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/table"
)

// Results are the tables of `t2map run`.
type Results struct {
	// compartments are the names in the order of their first rows.
	compartments []string
	measurements []Measurement
	failures     []failure
	// settings are the different texts of the column settings.
	settings []string
	notes    []string
	// sides reports whether there is a column side.
	sides bool
}

// Measurement is a row of compartments.csv: one compartment, region or layer of one series.
// Texts are as in the table, and empty if it has no such column.
type Measurement struct {
	// Compartment is the name of the row, see rowName.
	Subject, Visit, Side, Compartment string
	// T2 in ms, the mean of the voxels, or their median if that is planned; NaN if it is missing, and Missing
	// says why.
	T2      float64
	Missing Missing
	Quality ImageQuality
	// Study and Series are hashes; Folder is the folder of the study below the results, as in
	// studies.csv.
	Study, Series, Folder string
	// Method and Settings describe how T2 was estimated, the others how the images were acquired.
	Method, Settings, Scanner, ScannerSoftware, Acquisition string
	// MaskFrom is the visit whose mask was carried to this one; empty if the mask was drawn.
	MaskFrom string
	// Lossy reports whether images were compressed with loss.
	Lossy bool
	// Line of the table.
	Line int
}

// Measurements returns the rows of compartments.csv in their order, for comparisons without a
// design.
func (res Results) Measurements() []Measurement { return slices.Clone(res.measurements) }

func (m Measurement) place() placed { return placed{m.Subject, m.Visit, m.Line} }

// failure is a study of studies.csv without a result.
type failure struct {
	placed
	reason string
}

// ReadResults reads compartments.csv and studies.csv, which says which studies failed and why; the
// Data of studies may be nil. The columns subject, visit, compartment and mean_t2_ms are required, or
// median_t2_ms if the plan uses medians. Notes of the analysis say what cannot be detected without other
// columns.
//
// Plan.Rows names the rows to analyse, in their order: a compartment (medial), a region (medial-tibial),
// or a layer of either (medial deep, medial-tibial deep). Default: the whole compartments, with menisci
// only if there are no others. If Plan.Reads is not AnyMask, the column mask_read is required, and T2 of masks that are
// not signed as planned is missing.
func ReadResults(compartments, studies Source, p Plan) (Results, error) {
	t, err := table.Read(compartments)
	if err != nil {
		return Results{}, err
	}
	column := p.Summary() + "_t2_ms"
	if p.Median && !t.Has(column) {
		return Results{}, hint.Errorf("rebuild the tables (t2map tables), or plan summary: mean",
			"%s has no column %s, which the summary median needs", t.Name, column)
	}
	if err := t.Need("subject", "visit", "compartment", column); err != nil {
		return Results{}, err
	}
	if err := p.Reads.checkColumn(t); err != nil {
		return Results{}, err
	}
	res := Results{notes: undetected(t), sides: t.Has("side")}
	wanted, err := wantedRows(t, p)
	if err != nil {
		return res, err
	}
	var names, subjects, visits spelling
	for _, r := range t.Rows {
		if !wanted[rowName(r)] {
			continue
		}
		m, err := readMeasurement(t, r, column)
		if err != nil {
			return res, err
		}
		if kind, err := p.Reads.leftOut(r); err != nil {
			return res, err
		} else if kind != Present && !math.IsNaN(m.T2) {
			m.T2, m.Missing = math.NaN(), Missing{Kind: kind}
		}
		if err := cmp.Or(names.check(r, "compartment", m.Compartment), subjects.check(r, "subject", m.Subject),
			visits.check(r, "visit", m.Visit)); err != nil {
			return res, err
		}
		res.compartments = include(res.compartments, m.Compartment)
		if m.Settings != "" {
			res.settings = include(res.settings, m.Settings)
		}
		res.measurements = append(res.measurements, m)
	}
	if err := res.checkTwins(t.Name); err != nil {
		return res, err
	}
	res.order(p.Rows)
	return res, res.readStudies(studies)
}

// readMeasurement reads a row of compartments.csv, with T2 from a column.
func readMeasurement(t *table.Table, r table.Row, column string) (m Measurement, err error) {
	m = Measurement{
		Subject: r.Text("subject"), Visit: r.Text("visit"), Compartment: rowName(r),
		Side: r.Text("side"), Study: r.Text("study"), Series: r.Text("series"),
		Method: r.Text("method"), Settings: r.Text("settings"),
		Scanner: r.Text("scanner"), ScannerSoftware: r.Text("scanner_software"), Acquisition: r.Text("acquisition"),
		MaskFrom: r.Text("mask_from"), Lossy: r.Text("lossy_images") != "", Line: r.Line,
	}
	if m.Subject == "" || m.Compartment == "" {
		return m, fmt.Errorf("%s: line %d has no subject or no compartment", t.Name, r.Line)
	}
	if m.T2, err = r.Number(column); err != nil {
		return m, err
	}
	if m.T2 <= 0 {
		return m, hint.Errorf("leave the cell empty if T2 is missing", "%s: %g ms is not a T2", r.Place(column), m.T2)
	}
	if m.Quality, err = readQuality(r); err != nil {
		return m, err
	}
	m.Missing = missingCell(m.T2, r.Text("note"))
	return m, nil
}

// undetected notes the problems that cannot be detected without the columns that a table lacks.
func undetected(t *table.Table) []string {
	var notes []string
	for _, c := range []struct{ column, problem string }{
		{"scanner", "changes of the scanner"},
		{"acquisition", "changes of the acquisition"},
		{"settings", "changes of the settings"},
		{"series", "several studies at one visit"},
		{"side", "results of the other knee"},
	} {
		if !t.Has(c.column) {
			notes = append(notes, fmt.Sprintf("%s cannot be detected: %s has no column %s", c.problem, t.Name,
				c.column))
		}
	}
	absent := slices.DeleteFunc([]string{"voxels", "used", "volume_mm3", "snr_first"}, t.Has)
	if len(absent) > 0 {
		notes = append(notes, fmt.Sprintf("not all limits of quality can be checked: %s has no %s", t.Name,
			strings.Join(absent, ", ")))
	}
	return notes
}

// checkTwins returns an error if a table has a compartment of one series twice.
func (res Results) checkTwins(name string) error {
	type key struct{ subject, visit, series, compartment string }
	line := map[key]int{}
	for _, m := range res.measurements {
		if m.Series == "" {
			continue
		}
		k := key{m.Subject, m.Visit, m.Series, m.Compartment}
		if line[k] != 0 {
			return hint.Errorf("rebuild the tables: t2map tables",
				"%s: lines %d and %d have the same compartment of one series", name, line[k], m.Line)
		}
		line[k] = m.Line
	}
	return nil
}

// readStudies reads which studies failed, and the folders and the noise of the others.
func (res *Results) readStudies(studies Source) error {
	if studies.Data == nil {
		res.notes = append(res.notes, "failed and missing studies cannot be distinguished: there is no studies.csv")
		return nil
	}
	t, err := table.Read(studies)
	if err != nil {
		return err
	}
	if err := t.Need("subject", "visit", "status", "reason"); err != nil {
		return err
	}
	type study struct {
		folder string
		sigma  float64
	}
	done := map[string]study{} // by series
	for _, r := range t.Rows {
		if status := r.Text("status"); status == "failed" || status == "not done" {
			if r.Text("subject") == "" {
				continue // files that belong to no study
			}
			res.failures = append(res.failures, failure{placeOf(r), r.Text("reason")})
		} else if s := r.Text("series"); s != "" {
			sigma, err := r.Number("median_sigma")
			if err != nil {
				return err
			}
			if sigma < 0 {
				return hint.Errorf("rebuild the tables: t2map tables", "%s: %g is not a noise", r.Place("median_sigma"), sigma)
			}
			done[s] = study{r.Text("folder"), sigma}
		}
	}
	for i := range res.measurements {
		m := &res.measurements[i]
		if s, ok := done[m.Series]; ok {
			m.Folder, m.Quality.Sigma = s.folder, s.sigma
		}
	}
	return nil
}

// ReadRepeatability reads within-subject coefficients of variation from the table of `t2map repeat`:
// its columns compartment and wcv_percent. It omits compartments without one.
func ReadRepeatability(s Source) ([]CompartmentCV, error) {
	t, err := table.Read(s)
	if err != nil {
		return nil, err
	}
	if err := t.Need("compartment", "wcv_percent"); err != nil {
		return nil, err
	}
	var all []CompartmentCV
	for _, r := range t.Rows {
		percent, err := r.Number("wcv_percent")
		switch {
		case err != nil:
			return nil, err
		case math.IsNaN(percent):
			continue
		case !(percent > 0 && percent < 100):
			return nil, hint.Errorf("delete the row, or give --wcv", "%s: %g is not a coefficient of variation in percent",
				r.Place("wcv_percent"), percent)
		}
		all = append(all, CompartmentCV{r.Text("compartment"), percent / 100})
	}
	return all, nil
}

// score is a value of another endpoint.
type score struct {
	placed
	value float64
}

// Scores are the values of another endpoint, as in its table.
type Scores struct {
	name, unit, group string
	direction         Direction
	table             string
	values            []score
}

// ReadScores reads other endpoints, in the order of their first rows, from a tidy table with the
// columns subject, visit, name and value, and optionally direction (higher is better, higher is
// worse), unit and group (see Endpoint.Group).
//
// It is an error if names are alike (see table.Keys), if an endpoint has two directions, units or groups, or if a
// value is not a number.
func ReadScores(s Source) ([]Scores, error) {
	t, err := table.Read(s)
	if err != nil {
		return nil, err
	}
	if err := t.Need("subject", "visit", "name", "value"); err != nil {
		return nil, err
	}
	var all []Scores
	var subjects, visits spelling
	for _, r := range t.Rows {
		name := r.Text("name")
		if name == "" || r.Text("subject") == "" {
			return nil, fmt.Errorf("%s: line %d has no subject or no name", t.Name, r.Line)
		}
		if err := cmp.Or(subjects.check(r, "subject", r.Text("subject")),
			visits.check(r, "visit", r.Text("visit"))); err != nil {
			return nil, err
		}
		direction, err := parseDirection(r)
		if err != nil {
			return nil, err
		}
		v, err := r.Number("value")
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(all, func(e Scores) bool { return table.IsAlike(e.name, name) })
		if i < 0 {
			i = len(all)
			all = append(all, Scores{name: name, unit: r.Text("unit"), group: r.Text("group"), direction: direction,
				table: t.Name})
		}
		e := &all[i]
		if e.name != name {
			return nil, fmt.Errorf("%s: line %d: endpoints %.40q and %.40q differ %s", t.Name, r.Line, e.name, name,
				table.Alike)
		}
		for _, c := range []struct {
			property string
			same     bool
		}{{"direction", e.direction == direction}, {"group", e.group == r.Text("group")},
			{"unit", e.unit == r.Text("unit")}} {
			if !c.same {
				return nil, fmt.Errorf("%s: line %d: endpoint %.40q has another %s than in an earlier line", t.Name, r.Line,
					name, c.property)
			}
		}
		e.values = append(e.values, score{placeOf(r), v})
	}
	return all, nil
}

func parseDirection(r table.Row) (Direction, error) {
	switch strings.Join(strings.Fields(strings.ToLower(r.Text("direction"))), " ") {
	case "", "unknown":
		return Unknown, nil
	case "higher is worse":
		return HigherIsWorse, nil
	case "higher is better":
		return HigherIsBetter, nil
	}
	return Unknown, hint.Errorf("write higher is better or higher is worse, or leave the cell empty",
		"%s: %.40q is not a direction", r.Place("direction"), r.Text("direction"))
}

// missingCell returns why a number of a table is missing.
func missingCell(x float64, note string) Missing {
	switch {
	case !math.IsNaN(x):
		return Missing{}
	case note != "":
		return Missing{Kind: Noted, Detail: note}
	}
	return Missing{Kind: EmptyCell}
}
