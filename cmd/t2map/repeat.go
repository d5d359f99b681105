package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/trial"
	"github.com/t2map/t2map/trial/figures"
	"github.com/t2map/t2map/trial/repeat"
)

// repeatLevel is the level of all intervals of t2map repeat.
const repeatLevel = 0.95

// repeatFlags are the flags of `t2map repeat`.
type repeatFlags struct {
	scan, out string
	rescans   []string
	rows      []string
	table     tableFlags
}

func repeatCommand() *cobra.Command {
	var f repeatFlags
	c := &cobra.Command{
		Use:   "repeat RESULTS [--scan NAME --rescan NAME] [--out DIR]",
		Short: "Measure the repeatability of T2 from repeated scans",
		Long: `repeat analyses the T2 of knees that were scanned twice while nothing changed. For each
compartment it reports the within-subject standard deviation (wSD) and coefficient of
variation (wCV, the root mean square), the repeatability coefficient (RC), the smallest
detectable change, intraclass correlations, the bias of the rescan and the limits of
agreement, with 95 % confidence intervals.

RESULTS is the folder of the results of 't2map run', its compartments.csv, or a CSV
with the columns subject, visit, compartment, mean_t2_ms and optionally side. Scan and
rescan are two of its visits; you need not name them if there are only two. Values of
one knee are compared, where a knee is a subject and a side. With --out, repeat writes

  repeat.csv       one row per compartment, for 't2map trial --repeatability'
  repeat.json      the same values unrounded, and the values of each knee
  bland-altman.*   differences over means, as SVG, PNG and PDF

Exit status: 0 the table is printed, 2 usage, 130 interrupted.`,
		Example: `  t2map repeat results --out repeatability
  t2map repeat results --scan visit1 --rescan visit1b --out repeatability
  t2map repeat pairs.csv --separator ';' --decimal comma`,
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error { return runRepeat(c, args[0], f) },
	}
	p := c.Flags()
	p.StringVar(&f.scan, "scan", "", "`visit` of the first scan")
	p.StringArrayVar(&f.rescans, "rescan", nil, "`visit` of the repeated scan; may be given several times")
	p.StringSliceVar(&f.rows, "rows", nil,
		"`rows` of the results to compare: compartments, regions or layers, such as medial-tibial or 'medial "+
			"deep' (default: the compartments)")
	p.StringVar(&f.out, "out", "", "`folder` for tables and pictures (default: print the table only)")
	f.table.add(c)
	return c
}

// visits returns the named visits, scan first.
func (f repeatFlags) visits() ([]string, error) {
	switch {
	case f.scan == "" && len(f.rescans) == 0:
		return nil, nil
	case f.scan == "" || len(f.rescans) == 0:
		return nil, usageError{hint.Errorf("t2map repeat --help",
			"--scan and --rescan go together: name both or neither")}
	}
	return append([]string{f.scan}, f.rescans...), nil
}

func runRepeat(c *cobra.Command, results string, f repeatFlags) error {
	visits, err := f.visits()
	if err != nil {
		return err
	}
	if err := checkIdle(results); err != nil {
		return err
	}
	source, err := f.source(results)
	if err != nil {
		return err
	}
	table, err := trial.ReadResults(source, trial.Source{}, trial.Plan{Rows: f.rows})
	if err != nil {
		return err
	}
	s, err := repeat.Pair(table.Measurements(), visits, repeatLevel)
	if unknown := (*repeat.VisitsError)(nil); errors.As(err, &unknown) {
		return usageError{hint.Errorf("name two of them: --scan NAME --rescan NAME", "%s: %w", source.Name, err)}
	} else if err != nil {
		return fmt.Errorf("%s: %w", source.Name, err)
	}
	if f.out != "" {
		path, _ := compartmentsOf(results)
		if err := writeRepeat(f.out, s, source, path); err != nil {
			return err
		}
	}
	return printRepeat(c.OutOrStdout(), s, f.out)
}

// source reads the table that results names or contains. The format flags apply only to a table
// that is named, because t2map may not have written it.
func (f repeatFlags) source(results string) (trial.Source, error) {
	if info, err := os.Stat(results); err == nil && info.IsDir() {
		return readCompartments(results)
	}
	format, err := f.table.format()
	if err != nil {
		return trial.Source{}, usageError{err}
	}
	return readSource(results, format)
}

// writeRepeat writes the tables and the pictures. The study was read from source, the file at path.
func writeRepeat(dir string, s repeat.Study, source trial.Source, path string) error {
	sum := sha256.Sum256(source.Data)
	doc, err := s.JSON(repeat.Origin{Version: pipeline.Version, Input: source.Name, SHA256: hex.EncodeToString(sum[:])})
	if err != nil {
		return err
	}
	pictures, err := figures.BlandAltman(s)
	if err != nil {
		return err
	}
	files := append([]outputFile{{"repeat.csv", s.CSV()}, {"repeat.json", doc}}, pictureFiles(pictures)...)
	return writeFiles(dir, files, []string{path})
}

// printRepeat prints one line per compartment, the omitted knees, and the names of the files.
func printRepeat(w io.Writer, s repeat.Study, out string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "COMPARTMENT\tKNEES\tMEAN T2 (ms)\twSD (ms)\twCV (%)\tRC (ms)\tRC (%)\tICC (agreement)\tBIAS (ms)")
	for _, c := range s.Compartments {
		fmt.Fprintf(t, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", printable.Line(c.Name), c.N, figure.Number(c.Mean, 2),
			withInterval(c.WSD, 2),
			withInterval(c.WCV, 1), withInterval(c.RC, 2), withInterval(c.RCPercent, 1), withInterval(c.ICC21, 2),
			withInterval(c.Agreement.Bias, 2))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nScan %s, rescan %s; 95 %% confidence intervals in brackets.\n", printable.Line(s.Visits[0]),
		printable.Line(strings.Join(s.Visits[1:], ", ")))
	for _, c := range s.Compartments {
		for _, r := range c.Reasons {
			fmt.Fprintf(w, "note: %s: %s\n", printable.Line(c.Name), printable.Line(r))
		}
	}
	for _, n := range s.Notes {
		fmt.Fprintf(w, "note: %s\n", printable.Line(n))
	}
	if len(s.Excluded) > 0 {
		fmt.Fprintln(w, "omitted:")
	}
	for _, l := range s.Excluded {
		name := l.Knee.String()
		if l.Compartment != "" {
			name += ", " + l.Compartment
		}
		fmt.Fprintf(w, "  %s: %s\n", printable.Line(name), printable.Line(l.Reason))
	}
	if out != "" {
		fmt.Fprintf(w, "See %s and %s.\n", filepath.Join(out, "repeat.csv"), filepath.Join(out, "bland-altman.svg"))
	}
	return nil
}

// withInterval formats an estimate with its interval, if it has one.
func withInterval(i repeat.Interval, decimals int) string {
	n := func(x float64) string { return figure.Number(x, decimals) }
	if math.IsNaN(i.Low) {
		return n(i.Estimate)
	}
	return fmt.Sprintf("%s [%s, %s]", n(i.Estimate), n(i.Low), n(i.High))
}
