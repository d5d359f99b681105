package main

import (
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat"

	"github.com/t2map/t2map/segment/agreement"
	"github.com/t2map/t2map/table"
	"github.com/t2map/t2map/trial/figures"
	"github.com/t2map/t2map/trial/repeat"
)

var nan = math.NaN()

// maskMeasure is a value of a row, with its decimals in the tables. A measure with a heading is also shown on the
// screen, with other decimals.
type maskMeasure struct {
	column, label string
	decimals      int
	heading       string
	shown         int // decimals on the screen
	value         func(maskRow) float64
}

var maskMeasures = []maskMeasure{
	{"dice", "Dice coefficient", 4, "DICE", 3, func(r maskRow) float64 { return r.Dice }},
	{"volume_a_mm3", "Volume in A", 1, "VOLUME A (mm³)", 0, func(r maskRow) float64 { return r.VolumeMM3[0] }},
	{"volume_b_mm3", "Volume in B", 1, "VOLUME B (mm³)", 0, func(r maskRow) float64 { return r.VolumeMM3[1] }},
	{"volume_difference_mm3", "Difference of the volumes, B − A", 1, "", 0,
		func(r maskRow) float64 { return r.DifferenceMM3 }},
	{"volume_difference_percent", "Difference of the volumes in percent of their mean", 2, "DIFFERENCE (%)", 1,
		func(r maskRow) float64 { return r.DifferencePercent }},
	{"mean_distance_mm", "Mean distance between the surfaces", 3, "MEAN DISTANCE (mm)", 2,
		func(r maskRow) float64 { return r.MeanMM }},
	{"p95_distance_mm", "95th percentile of the distances", 3, "95 % (mm)", 2,
		func(r maskRow) float64 { return r.P95MM }},
	{"largest_distance_mm", "Largest distance between the surfaces", 3, "", 0,
		func(r maskRow) float64 { return r.LargestMM }},
}

// spread describes a measure over the studies that have it.
type spread struct {
	n                         int
	mean, sd, lowest, highest float64
}

// spreadOf returns the spread of a measure over rows. It is NaN if no row has the measure.
func spreadOf(rows []maskRow, value func(maskRow) float64) spread {
	s := spread{mean: nan, sd: nan, lowest: nan, highest: nan}
	var all []float64
	for _, r := range rows {
		if x := value(r); !math.IsNaN(x) {
			all = append(all, x)
		}
	}
	if s.n = len(all); s.n == 0 {
		return s
	}
	s.mean, s.sd = stat.MeanStdDev(all, nil) // the SD of one value is NaN
	s.lowest, s.highest = slices.Min(all), slices.Max(all)
	return s
}

// agreementOf returns the agreement of T2 for a key, if there are pairs. Otherwise its values are NaN.
func (m maskComparison) agreementOf(key rowKey) (values repeat.Estimates, ok bool) {
	t2 := m.partsT2
	if key.whole() {
		t2 = m.t2
	}
	for _, c := range t2.Compartments {
		if c.Name == key.String() && len(c.Knees) > 0 {
			return c.Estimates, true
		}
	}
	values, _ = repeat.Analyse(nil, repeatLevel)
	return values, false
}

// rowsOf returns the rows with a key, one per study.
func (m maskComparison) rowsOf(key rowKey) []maskRow {
	var rows []maskRow
	for _, r := range m.rows {
		if r.rowKey == key {
			rows = append(rows, r)
		}
	}
	return rows
}

// note returns why values of a row are missing.
func (r maskRow) note() string {
	switch r.Missing {
	case agreement.EmptyFirst:
		return "no voxels in A"
	case agreement.EmptySecond:
		return "no voxels in B"
	case agreement.EmptyBoth:
		return "no voxels in A or B"
	}
	return ""
}

// keyColumns are the columns that identify a row of both tables.
var keyColumns = []table.Column[rowKey]{
	table.Text("compartment", "Compartment", table.FromResults, func(k rowKey) string { return k.compartment }),
	table.Text("region", "Region", table.FromResults, func(k rowKey) string { return k.region }),
	table.Text("layer", "Layer", table.FromResults, func(k rowKey) string { return k.layer }),
}

// studyColumns are the columns of mask_agreement_studies.csv; docs/compare-masks.md explains them.
var studyColumns = slices.Concat(
	[]table.Column[maskRow]{
		table.Text("subject", "Subject", table.FromResults, func(r maskRow) string { return r.subject }),
		table.Text("visit", "Visit", table.FromResults, func(r maskRow) string { return r.visit }),
		table.Text("side", "Side of the knee", table.FromResults, func(r maskRow) string { return r.side }),
		table.Text("study", "Study", table.FromResults, func(r maskRow) string { return r.study }),
		table.Text("series", "Series", table.FromResults, func(r maskRow) string { return r.series }),
	},
	table.Lift(func(r maskRow) rowKey { return r.rowKey }, keyColumns),
	[]table.Column[maskRow]{
		table.Count("voxels_a", "Voxels in A", func(r maskRow) int { return r.Voxels[0] }),
		table.Count("voxels_b", "Voxels in B", func(r maskRow) int { return r.Voxels[1] }),
		table.Count("voxels_common", "Voxels in both", func(r maskRow) int { return r.Common }),
	},
	measureColumns(),
	[]table.Column[maskRow]{
		decimal("mean_t2_a_ms", "Mean T2 in A", 2, func(r maskRow) float64 { return r.meanT2[0] }),
		decimal("mean_t2_b_ms", "Mean T2 in B", 2, func(r maskRow) float64 { return r.meanT2[1] }),
		decimal("t2_difference_ms", "Difference of the mean T2, B − A", 2,
			func(r maskRow) float64 { return r.meanT2[1] - r.meanT2[0] }),
		table.Text("note", "Why values are missing", table.Derived, maskRow.note),
	},
)

func measureColumns() []table.Column[maskRow] {
	var columns []table.Column[maskRow]
	for _, x := range maskMeasures {
		columns = append(columns, decimal(x.column, x.label, x.decimals, x.value))
	}
	return columns
}

// summaryRow is a row of mask_agreement.csv.
type summaryRow struct {
	rowKey
	studies []maskRow
	t2      repeat.Estimates
}

// summaryColumns are the columns of mask_agreement.csv; docs/compare-masks.md explains them.
var summaryColumns = slices.Concat(
	table.Lift(func(r summaryRow) rowKey { return r.rowKey }, keyColumns),
	[]table.Column[summaryRow]{
		table.Count("n_studies", "Studies", func(r summaryRow) int { return len(r.studies) }),
		table.Count("n_distances", "Studies with distances", func(r summaryRow) int {
			return spreadOf(r.studies, func(s maskRow) float64 { return s.MeanMM }).n
		}),
	},
	spreadColumns(),
	[]table.Column[summaryRow]{
		table.Count("n_t2_pairs", "Studies with T2 in both", func(r summaryRow) int { return r.t2.Agreement.N }),
	},
	intervalColumns("t2_bias", "ms", "Mean difference of T2, B − A",
		func(r summaryRow) repeat.Interval { return r.t2.Agreement.Bias }),
	[]table.Column[summaryRow]{
		decimal("t2_sd_difference_ms", "SD of the differences", 3,
			func(r summaryRow) float64 { return r.t2.Agreement.SD }),
	},
	intervalColumns("t2_loa_lower", "ms", "Lower limit of agreement",
		func(r summaryRow) repeat.Interval { return r.t2.Agreement.Lower }),
	intervalColumns("t2_loa_upper", "ms", "Upper limit of agreement",
		func(r summaryRow) repeat.Interval { return r.t2.Agreement.Upper }),
	intervalColumns("t2_rms_cv", "percent", "RMS coefficient of variation",
		func(r summaryRow) repeat.Interval { return r.t2.WCV }),
	[]table.Column[summaryRow]{
		table.Text("note", "Why values are missing", table.Derived,
			func(r summaryRow) string { return strings.Join(reasons(r.t2), "; ") }),
	},
)

// spreadColumns returns four columns for each measure.
func spreadColumns() []table.Column[summaryRow] {
	var columns []table.Column[summaryRow]
	for _, x := range maskMeasures {
		column := func(suffix, label string, value func(spread) float64) table.Column[summaryRow] {
			return decimal(x.column+suffix, x.label+label, x.decimals,
				func(r summaryRow) float64 { return value(spreadOf(r.studies, x.value)) })
		}
		columns = append(columns,
			column("", ", mean", func(s spread) float64 { return s.mean }),
			column("_sd", ", standard deviation", func(s spread) float64 { return s.sd }),
			column("_min", ", lowest", func(s spread) float64 { return s.lowest }),
			column("_max", ", highest", func(s spread) float64 { return s.highest }))
	}
	return columns
}

// intervalColumns returns the columns of an estimate and the limits of its interval.
func intervalColumns(
	name, unit, label string, value func(summaryRow) repeat.Interval,
) []table.Column[summaryRow] {
	return []table.Column[summaryRow]{
		decimal(name+"_"+unit, label, 3, func(r summaryRow) float64 { return value(r).Estimate }),
		decimal(name+"_low_"+unit, "Lower limit", 3, func(r summaryRow) float64 { return value(r).Low }),
		decimal(name+"_high_"+unit, "Upper limit", 3, func(r summaryRow) float64 { return value(r).High }),
	}
}

// decimal returns a column of numbers with a fixed number of decimals. A number that rounds to 0 has no minus sign.
func decimal[R any](name, label string, decimals int, value func(R) float64) table.Column[R] {
	c := table.Fixed(name, label, decimals, value)
	signed := c.Cell
	c.Cell = func(r R) string {
		text := signed(r)
		if strings.Trim(text, "-0.") == "" {
			return strings.TrimPrefix(text, "-")
		}
		return text
	}
	return c
}

// summary returns the rows of mask_agreement.csv.
func (m maskComparison) summary() []summaryRow {
	var rows []summaryRow
	for _, key := range m.keys {
		t2, _ := m.agreementOf(key)
		rows = append(rows, summaryRow{key, m.rowsOf(key), t2})
	}
	return rows
}

// reasons returns why values are missing, if one of the values in the tables is missing.
func reasons(f repeat.Estimates) []string {
	for _, i := range []repeat.Interval{f.Agreement.Bias, f.Agreement.Lower, f.WCV} {
		if math.IsNaN(i.Estimate) || math.IsNaN(i.Low) {
			return f.Reasons
		}
	}
	return nil
}

// write writes the tables and the pictures.
func (m maskComparison) write(dir string) error {
	files := []outputFile{
		{"mask_agreement.csv", table.Write(summaryColumns, m.summary())},
		{"mask_agreement_studies.csv", table.Write(studyColumns, m.rows)},
	}
	if slices.ContainsFunc(m.t2.Compartments, func(c repeat.Compartment) bool { return len(c.Knees) > 0 }) {
		pictures, err := figures.BlandAltman(m.t2)
		if err != nil {
			return err
		}
		files = append(files, pictureFiles(pictures)...)
	}
	return writeFiles(dir, files, m.inputs)
}
