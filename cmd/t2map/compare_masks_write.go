package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"gonum.org/v1/gonum/stat"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/outfile"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/trial/figures"
	"github.com/t2map/t2map/trial/repeat"
)

var nan = math.NaN()

// joined joins the texts that are not empty.
func joined(texts ...string) string {
	return strings.Join(slices.DeleteFunc(texts, func(t string) bool { return t == "" }), ", ")
}

// maskMeasure is a value of a row, with its column and the decimals in the tables.
type maskMeasure struct {
	column   string
	decimals int
	value    func(r maskRow) float64
}

var maskMeasures = []maskMeasure{
	{"dice", 4, func(r maskRow) float64 { return r.Dice }},
	{"volume_a_mm3", 1, func(r maskRow) float64 { return r.VolumeMM3[0] }},
	{"volume_b_mm3", 1, func(r maskRow) float64 { return r.VolumeMM3[1] }},
	{"volume_difference_mm3", 1, func(r maskRow) float64 { return r.DifferenceMM3 }},
	{"volume_difference_percent", 2, func(r maskRow) float64 { return r.DifferencePercent }},
	{"mean_distance_mm", 3, func(r maskRow) float64 { return r.MeanMM }},
	{"p95_distance_mm", 3, func(r maskRow) float64 { return r.P95MM }},
	{"largest_distance_mm", 3, func(r maskRow) float64 { return r.LargestMM }},
}

// spread describes a measure over the studies that have it.
type spread struct {
	n                         int
	mean, sd, lowest, highest float64
}

// spreadOf returns the spread of a measure over the rows with a key. It is NaN if no study has the measure.
func (m maskComparison) spreadOf(key rowKey, value func(maskRow) float64) spread {
	s := spread{mean: nan, sd: nan, lowest: nan, highest: nan}
	var all []float64
	for _, r := range m.rows {
		if x := value(r); r.rowKey == key && !math.IsNaN(x) {
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

// agreementOf returns the agreement of T2 for a key, if there are pairs.
func (m maskComparison) agreementOf(key rowKey) (repeat.Figures, bool) {
	t2 := m.partsT2
	if key.whole() {
		t2 = m.t2
	}
	for _, c := range t2.Compartments {
		if c.Name == key.String() && len(c.Knees) > 0 {
			return c.Figures, true
		}
	}
	return repeat.Figures{}, false
}

// studyTable returns mask_agreement_studies.csv.
func (m maskComparison) studyTable() []byte {
	columns := []string{"subject", "visit", "side", "study", "series", "compartment", "region", "layer", "voxels_a",
		"voxels_b", "voxels_common"}
	for _, x := range maskMeasures {
		columns = append(columns, x.column)
	}
	columns = append(columns, "mean_t2_a_ms", "mean_t2_b_ms", "t2_difference_ms", "note")
	var rows [][]string
	for _, r := range m.rows {
		row := []string{r.subject, r.visit, r.side, r.study, r.series, r.compartment, r.region, r.layer,
			strconv.Itoa(r.Voxels[0]), strconv.Itoa(r.Voxels[1]), strconv.Itoa(r.Common)}
		for _, x := range maskMeasures {
			row = append(row, decimal(x.value(r), x.decimals))
		}
		row = append(row, decimal(r.meanT2[0], 2), decimal(r.meanT2[1], 2), decimal(r.meanT2[1]-r.meanT2[0], 2),
			r.note())
		rows = append(rows, row)
	}
	return printable.CSV(columns, rows)
}

// note returns why values of a row are missing.
func (r maskRow) note() string {
	if r.Missing == 0 {
		return ""
	}
	return strings.NewReplacer("the first mask", "A", "the second mask", "B", "either mask",
		"A or B").Replace(r.Missing.String())
}

// summaryTable returns mask_agreement.csv.
func (m maskComparison) summaryTable() []byte {
	columns := []string{"compartment", "region", "layer", "n_studies", "n_distances"}
	for _, x := range maskMeasures {
		columns = append(columns, x.column, x.column+"_sd", x.column+"_min", x.column+"_max")
	}
	columns = append(columns, "n_t2_pairs", "t2_bias_ms", "t2_bias_low_ms", "t2_bias_high_ms", "t2_sd_difference_ms",
		"t2_loa_lower_ms", "t2_loa_lower_low_ms", "t2_loa_lower_high_ms", "t2_loa_upper_ms", "t2_loa_upper_low_ms",
		"t2_loa_upper_high_ms",
		"t2_rms_cv_percent", "t2_rms_cv_low_percent", "t2_rms_cv_high_percent", "note")
	var rows [][]string
	for _, key := range m.keys {
		n := 0
		for _, r := range m.rows {
			if r.rowKey == key {
				n++
			}
		}
		row := []string{key.compartment, key.region, key.layer, strconv.Itoa(n),
			strconv.Itoa(m.spreadOf(key, func(r maskRow) float64 { return r.MeanMM }).n)}
		for _, x := range maskMeasures {
			s := m.spreadOf(key, x.value)
			for _, v := range []float64{s.mean, s.sd, s.lowest, s.highest} {
				row = append(row, decimal(v, x.decimals))
			}
		}
		f, ok := m.agreementOf(key)
		if !ok {
			f = repeat.Figures{Agreement: repeat.Agreement{SD: nan}}
			for _, i := range []*repeat.Interval{&f.Agreement.Bias, &f.Agreement.Lower, &f.Agreement.Upper, &f.WCV} {
				i.Estimate, i.Low, i.High = nan, nan, nan
			}
		}
		a := f.Agreement
		row = append(row, strconv.Itoa(a.N), decimal(a.Bias.Estimate, 3), decimal(a.Bias.Low, 3),
			decimal(a.Bias.High, 3), decimal(a.SD, 3))
		for _, i := range []repeat.Interval{a.Lower, a.Upper, f.WCV} {
			row = append(row, decimal(i.Estimate, 3), decimal(i.Low, 3), decimal(i.High, 3))
		}
		rows = append(rows, append(row, strings.Join(reasons(f), "; ")))
	}
	return printable.CSV(columns, rows)
}

// reasons returns why values are missing, if one of the values in the tables is missing.
func reasons(f repeat.Figures) []string {
	for _, i := range []repeat.Interval{f.Agreement.Bias, f.Agreement.Lower, f.WCV} {
		if math.IsNaN(i.Estimate) || math.IsNaN(i.Low) {
			return f.Reasons
		}
	}
	return nil
}

// decimal formats a number of a table. NaN is an empty cell.
func decimal(x float64, decimals int) string {
	if math.IsNaN(x) {
		return ""
	}
	text := strconv.FormatFloat(x, 'f', decimals, 64)
	if strings.Trim(text, "-0.") == "" { // no -0.00
		text = strings.TrimPrefix(text, "-")
	}
	return text
}

// write writes the tables and the pictures, but does not overwrite an input.
func (m maskComparison) write(dir string) error {
	if err := checkFolder(dir); err != nil {
		return err
	}
	names, contents := []string{"mask_agreement.csv", "mask_agreement_studies.csv"},
		[][]byte{m.summaryTable(), m.studyTable()}
	if slices.ContainsFunc(m.t2.Compartments, func(c repeat.Compartment) bool { return len(c.Knees) > 0 }) {
		pictures, err := figures.BlandAltman(m.t2)
		if err != nil {
			return err
		}
		for _, p := range pictures {
			names, contents = append(names, p.Name+".svg", p.Name+".png", p.Name+".pdf"),
				append(contents, p.SVG, p.PNG, p.PDF)
		}
	}
	paths := pathsIn(dir, names)
	if err := checkInputs(paths, m.inputs); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	var errs []error
	for i, path := range paths {
		errs = append(errs, outfile.Replace(path, contents[i]))
	}
	return errors.Join(errs...)
}

// print prints one line per compartment for the masks and one for T2, and the omitted studies.
func (m maskComparison) print(w io.Writer, out string) error {
	first, means := "COMPARTMENT", "; means over the studies, lowest and highest in brackets"
	if len(m.t2.Visits) == 0 { // two label maps
		first, means = "LABEL", ""
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t,
		first+"\tSTUDIES\tDICE\tVOLUME A (mm³)\tVOLUME B (mm³)\tDIFFERENCE (%)\tMEAN DISTANCE (mm)\t95 % (mm)")
	for _, key := range m.keys {
		if !key.whole() {
			continue // regions and layers are in the tables only
		}
		line := printable.Line(key.compartment)
		for n, x := range []int{0, 1, 2, 4, 5, 6} {
			s := m.spreadOf(key, maskMeasures[x].value)
			if n == 0 {
				line += fmt.Sprintf("\t%d", s.n)
			}
			line += "\t" + s.text([]int{3, 0, 0, 1, 2, 2}[n])
		}
		fmt.Fprintln(t, line)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nA is %s, B is %s. ", printable.Line(m.names[0]), printable.Line(m.names[1]))
	fmt.Fprintf(w, "Differences are B − A%s.\n", means)
	if err := m.printT2(w); err != nil {
		return err
	}
	for _, r := range m.rows {
		if note := r.note(); note != "" && r.whole() {
			fmt.Fprintf(w, "note: %s: %s\n", printable.Line(joined(r.maskedStudy.String(), r.compartment)), note)
		}
	}
	if len(m.omitted) > 0 {
		fmt.Fprintln(w, "omitted:")
	}
	for _, o := range m.omitted {
		fmt.Fprintf(w, "  %s: %s\n", printable.Line(o.study), printable.Line(o.reason))
	}
	if out != "" {
		fmt.Fprintf(w, "See %s.\n", filepath.Join(out, "mask_agreement.csv"))
	}
	return nil
}

// text formats the mean and, for several studies, the lowest and the highest value.
func (s spread) text(decimals int) string {
	if s.n < 2 {
		return figure.Number(s.mean, decimals)
	}
	return fmt.Sprintf("%s [%s, %s]", figure.Number(s.mean, decimals), figure.Number(s.lowest, decimals),
		figure.Number(s.highest, decimals))
}

// printT2 prints the agreement of T2.
func (m maskComparison) printT2(w io.Writer) error {
	if len(m.t2.Visits) == 0 { // two label maps
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\nCOMPARTMENT\tPAIRS\tBIAS OF T2 (ms)\tLIMITS OF AGREEMENT (ms)\tRMS-CV (%)")
	for _, key := range m.keys {
		if f, ok := m.agreementOf(key); ok && key.whole() {
			a := f.Agreement
			fmt.Fprintf(t, "%s\t%d\t%s\t%s to %s\t%s\n", printable.Line(key.compartment), a.N,
				withInterval(a.Bias, 2), figure.Number(a.Lower.Estimate, 2), figure.Number(a.Upper.Estimate, 2),
				withInterval(f.WCV, 2))
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w, "\n95 % confidence intervals in brackets.")
	for _, c := range m.t2.Compartments {
		for _, r := range reasons(c.Figures) {
			fmt.Fprintf(w, "note: T2, %s: %s\n", printable.Line(c.Name), printable.Line(r))
		}
	}
	for _, n := range m.t2.Notes {
		fmt.Fprintf(w, "note: %s\n", printable.Line(n))
	}
	return nil
}
