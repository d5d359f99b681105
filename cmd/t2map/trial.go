package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/report/panel"
	"github.com/t2map/t2map/trial"
	"github.com/t2map/t2map/trial/figures"
	"github.com/t2map/t2map/trial/publish"
)

// trialFlags are the flags of `t2map trial`.
type trialFlags struct {
	design, out   string
	endpoints     []string
	plan          string
	heading       headingFlags // overrides lines of the design
	table         tableFlags
	repeatability string
	twoStudies    string
	individuals   bool
	panel         []string // IDs of subjects, or none
	slice         int      // of the first visit, from 1; 0 is the one with most of the primary compartment
	displayRange  string   // of the maps, LO,HI in ms
	permutations  int
	seed          uint64
}

// tableFlags describe the format of tables that t2map did not write.
type tableFlags struct{ separator, decimal, encoding string }

func trialCommand() *cobra.Command {
	var f trialFlags
	c := &cobra.Command{
		Use:   "trial RESULTS --design trial.csv --out DIR",
		Short: "Compare the arms of a trial over its visits: figures, tables, tests",
		Long: `trial reads the results of 't2map run' and the design of a trial: the arm of each subject
and the months of the visits. It writes a report into DIR: trial.html with figures and
tables, the figures as SVG, PNG and PDF, and the tables as CSV, including SDTM MK and
ADaM BDS. The primary analysis is a mixed model for repeated measures of the change
from baseline.

RESULTS is the folder of the results, or its compartments.csv. The design is a CSV:

  # visits: baseline=0, month03=3, month12=12
  # reference: control
  subject,arm,side,site,age
  S01,treatment,right,A,52

The lines that begin with # are the plan. Keys without brackets have a flag of the same
name, which overrides them.

Exit status: 0 if the report was written, 1 if a file could not be written, 2 for invalid
usage or input, 130 if interrupted.`,
		Example: `  t2map trial results --design trial.csv --out trial-report
  t2map trial results --design trial.csv --out trial-report --endpoints scores.csv --covariates site,age`,
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error { return runTrial(c, args[0], f) },
	}
	f.add(c)
	c.AddCommand(planCommand())
	return c
}

func (f *trialFlags) add(c *cobra.Command) {
	p := c.Flags()
	p.StringVar(&f.design, "design", "",
		"CSV `file` with the columns subject and arm, and optionally side, stratum, site, sex, age, bmi, "+
			"discontinued and the columns of sets (required)")
	p.StringVar(&f.out, "out", "", "`folder` for the report (required)")
	p.StringArrayVar(&f.endpoints, "endpoints", nil,
		"CSV `file` with other endpoints: subject, visit, name, value and optionally direction, unit, group; "+
			"may be given several times")
	p.StringVar(&f.plan, "plan", "", "YAML `file` with the plan, as 't2map trial plan init' writes it")
	f.heading = headingFlags{}
	f.heading.add(c, nil)
	p.StringVar(&f.repeatability, "repeatability", "",
		"`repeat.csv` of 't2map repeat', for the within-subject CV of each compartment")
	p.StringVar(&f.twoStudies, "two-studies", "none", "`value` to use if a visit has two studies: none, or their mean")
	p.BoolVar(&f.individuals, "individuals", false, "draw a line for each subject behind the means")
	p.StringSliceVar(&f.panel, "panel", nil,
		"`subjects` whose maps are shown at every visit, or none (default: the first subject of each arm "+
			"with all visits)")
	p.IntVar(&f.slice, "slice", 0, "`number` of the slice of the first visit whose maps are shown (default: the slice "+
		"with the most voxels of the primary compartment)")
	p.StringVar(&f.displayRange, "display-range", "",
		"`LO,HI`: range of the colours of T2 in ms (default: the range of the T2 that is shown)")
	p.IntVar(&f.permutations, "permutations", 0,
		"`number` of random arrangements if there are too many to try all (default 9999)")
	p.Uint64Var(&f.seed, "seed", 0, "`seed` of the random arrangements")
	f.table.add(c)
}

func (f *tableFlags) add(c *cobra.Command) {
	p := c.Flags()
	p.StringVar(&f.separator, "separator", ",", "`character` that separates the columns of your tables, or tab")
	p.StringVar(&f.decimal, "decimal", "point", "decimal `sign` in your tables: point or comma")
	p.StringVar(&f.encoding, "encoding", "", "`encoding` of your tables, such as windows-1252 (default UTF-8)")
}

// format returns the format of tables that t2map did not write.
func (f tableFlags) format() (trial.Format, error) {
	separator, n := utf8.DecodeRuneInString(f.separator)
	switch {
	case f.separator == `\t`, f.separator == "tab":
		separator = '\t'
	case n != len(f.separator) || n == 0 || separator == '"' || separator == '\n' || separator == '\r' ||
		separator == utf8.RuneError:
		return trial.Format{}, fmt.Errorf("--separator %q is not one character or tab", f.separator)
	}
	if f.decimal != "point" && f.decimal != "comma" {
		return trial.Format{}, fmt.Errorf("--decimal %q is neither point nor comma", f.decimal)
	}
	if f.decimal == "comma" && separator == ',' {
		return trial.Format{}, errors.New("--decimal comma needs another --separator than a comma, such as ';'")
	}
	return trial.Format{Separator: separator, DecimalComma: f.decimal == "comma", Encoding: f.encoding}, nil
}

func runTrial(c *cobra.Command, results string, f trialFlags) error {
	if f.design == "" || f.out == "" {
		return usageError{hint.Errorf("t2map trial --help", "--design and --out are required")}
	}
	if err := checkIdle(results); err != nil {
		return err
	}
	tables, err := f.tables(results)
	if err != nil {
		return err
	}
	if err := f.checkOut(results); err != nil {
		return err
	}
	a, err := trial.Analyse(c.Context(), pipeline.Version, tables, f.adjust)
	if err != nil {
		return err
	}
	if err := f.write(c.Context(), &a, results); err != nil {
		return err
	}
	printTrial(c.OutOrStdout(), a, f.out)
	return nil
}

// checkOut returns an error if the folder cannot or must not hold the report.
func (f trialFlags) checkOut(results string) error {
	if err := checkFolder(f.out); err != nil {
		return err
	}
	_, folder := compartmentsOf(results)
	if err := checkBlinded(f.out, folder); err != nil {
		return err
	}
	return checkInputs(pathsIn(f.out, publish.Files(nil, nil)), f.inputs(results))
}

// inputs returns the files that are read.
func (f trialFlags) inputs(results string) []string {
	path, folder := compartmentsOf(results)
	paths := []string{f.design, path, filepath.Join(folder, "studies.csv")}
	if f.plan != "" {
		paths = append(paths, f.plan)
	}
	if f.repeatability != "" {
		paths = append(paths, f.repeatability)
	}
	return append(paths, f.endpoints...)
}

// write writes the report of a trial. It adds notes to a about pictures and maps that could not be made.
func (f trialFlags) write(ctx context.Context, a *trial.Analysis, results string) error {
	_, folder := compartmentsOf(results)
	panels, err := f.panels(ctx, *a, folder)
	switch {
	case errors.Is(err, panel.ErrNoMaps):
		a.Notes = append(a.Notes, "no figure of T2 maps: none of the studies to show has maps")
	case err != nil:
		return err
	}
	pictures, err := figures.All(*a, figures.Options{Individuals: f.individuals, Maps: panels})
	if err != nil {
		return err
	}
	maps, notes, err := changeMaps(ctx, *a, folder)
	if err != nil {
		return err
	}
	a.Notes = append(a.Notes, notes...)
	if err := checkInputs(pathsIn(f.out, publish.Files(pictures, maps)), f.inputs(results)); err != nil {
		return err
	}
	return publish.Write(f.out, *a, pictures, maps)
}

// adjust applies the flags to the plan of the design. It also checks the subjects of --panel, before the analysis
// starts.
func (f trialFlags) adjust(d trial.Design, p *trial.Plan) error {
	if _, err := f.chosen(d); err != nil {
		return usageError{err}
	}
	if _, err := f.displayed(); err != nil {
		return usageError{err}
	}
	if f.slice < 0 {
		return usageError{fmt.Errorf("--slice %d is negative", f.slice)}
	}
	switch f.twoStudies {
	case "none":
	case "mean":
		p.MeanOfTwo = true
	default:
		return fmt.Errorf("--two-studies %q is neither none nor mean", f.twoStudies)
	}
	if f.permutations < 0 {
		return fmt.Errorf("--permutations %d is negative", f.permutations)
	}
	p.Permutations, p.Seed = f.permutations, f.seed
	if f.plan != "" {
		p.Departures = append(p.Departures, f.unplanned()...)
	}
	return nil
}

// unplanned returns the options that change the analysis and are not keys of a plan.
func (f trialFlags) unplanned() (all []trial.Departure) {
	for _, o := range []struct{ name, value, standard string }{
		{"two-studies", f.twoStudies, "none"}, {"repeatability", f.repeatability, ""},
		{"permutations", strconv.Itoa(f.permutations), "0"}, {"seed", strconv.FormatUint(f.seed, 10), "0"},
	} {
		if o.value != o.standard {
			all = append(all, trial.Departure{Key: o.name, Used: o.value, Place: "--" + o.name})
		}
	}
	return all
}

// tables reads the tables of a trial.
func (f trialFlags) tables(results string) (t trial.Tables, err error) {
	format, err := f.table.format()
	if err != nil {
		return t, err
	}
	if t.Overrides, err = f.heading.heading(); err != nil {
		return t, usageError{err}
	}
	if f.plan != "" {
		if t.Plan, err = readSource(f.plan, trial.Format{}); err != nil {
			return t, flagError("--plan", err, "t2map trial plan init writes one")
		}
	}
	if t.Compartments, err = readCompartments(results); err != nil {
		return t, err
	}
	_, folder := compartmentsOf(results)
	if t.Studies, err = readSource(filepath.Join(folder, "studies.csv"), trial.Format{}); err != nil &&
		!errors.Is(err, fs.ErrNotExist) {
		return t, err
	}
	t.Studies.MadeBy = runName
	if t.Design, err = readSource(f.design, format); err != nil {
		return t, flagError("--design", err, "a CSV with the columns subject and arm; t2map trial --help shows one")
	}
	if trial.IsResults(t.Design) {
		return t, usageError{hint.Errorf("a CSV with the columns subject and arm; t2map trial --help shows one",
			"--design %s is a table of results, not a design", t.Design.Name)}
	}
	if f.repeatability != "" {
		if t.Repeatability, err = readSource(f.repeatability, trial.Format{}); err != nil {
			return t, flagError("--repeatability", err, "the repeat.csv that 't2map repeat --out' wrote")
		}
		t.Repeatability.MadeBy = "t2map repeat"
	}
	for _, path := range f.endpoints {
		scores, err := readSource(path, format)
		if err != nil {
			return t, flagError("--endpoints", err, "a CSV with the columns subject, visit, name, value")
		}
		t.Scores = append(t.Scores, scores)
	}
	return t, nil
}

// compartmentsOf returns the path of compartments.csv, and its folder. The argument is either of them.
func compartmentsOf(results string) (path, folder string) {
	if info, err := os.Stat(results); err == nil && info.IsDir() {
		return filepath.Join(results, "compartments.csv"), results
	}
	return results, filepath.Dir(results)
}

// readCompartments reads compartments.csv; results is this file or its folder.
func readCompartments(results string) (trial.Source, error) {
	path, _ := compartmentsOf(results)
	s, err := readSource(path, trial.Format{})
	s.MadeBy = runName
	if errors.Is(err, fs.ErrNotExist) {
		err = usageError{hint.Errorf("RESULTS is the folder that 't2map run --out' wrote", "%w", err)}
	}
	return s, err
}

// runName is the command that makes RESULTS.
const runName = "t2map run"

// flagError adds to the error of reading a file the flag that names it and, unless there is a hint, a hint.
func flagError(flag string, err error, advice string) error {
	err = fmt.Errorf("%s: %w", flag, err)
	if hint.Find(err) == "" {
		err = hint.Errorf(advice, "%w", err)
	}
	return usageError{err}
}

// readSource reads the file of a table.
func readSource(path string, format trial.Format) (trial.Source, error) {
	s := trial.Source{Name: filepath.Base(path), Format: format}
	file, err := os.Open(path)
	if err != nil {
		return s, err
	}
	defer file.Close()
	return s, s.Load(file)
}
