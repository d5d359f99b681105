package main

import (
	"fmt"
	"io"
	"math"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"gonum.org/v1/gonum/stat"

	"github.com/t2map/t2map/batch"
	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
)

// demoDir is the default folder of the demo.
const demoDir = "t2map-demo"

// demoStudies is the trial of the demo: 24 subjects, one of whom drops out, and one whose scanner gets new software.
// Its 71 studies are as small as a knee that is well recognised, with as few echoes as are fitted, to save time. Exactly
// three slices of the DESS series lie in one of the T2 series, and their pixels coincide. With 46 slices in 14, so much joint fluid
// is in the masks of 7 subjects that they have a warning; with two or four slices in one, the deviation is 4 to 8 %.
var demoStudies = phantom.Trial{
	Subjects: 24, Dropout: 9, Upgraded: 16, Matrix: 80, Slices: 15, Echoes: 4, DESSMatrix: 80, DESSSlices: 49,
}

// demoGCPercent saves a tenth of the time: the demo needs little memory, and would otherwise collect it very often.
const demoGCPercent = 400

// demoBorder explains the largest deviation. The mask is drawn on thinner slices and selects voxels that it covers by
// half or more. package batch tests the shares (border_test.go).
const demoBorder = `The cause is partial volume at the border of the cartilage: a voxel belongs to the mask if at least half of
it is covered, but the tissue at its centre determines its T2. The mask omits up to 15 % of the voxels
whose centre is in cartilage, and up to 4 % of its voxels have their centre in another tissue.
`

// demoCommand returns the command that writes the given trial; tests write a smaller one.
func demoCommand(studies phantom.Trial) *cobra.Command {
	return &cobra.Command{
		Use:   "demo [DIR]",
		Short: "Map and analyse a synthetic trial, and compare the results with the truth",
		Long: `demo writes the studies of a synthetic trial as DICOM files with masks into DIR/studies,
and maps them into DIR/results. It prints the mean T2 of the compartments by arm and visit,
and the largest deviation from the true T2 of the images. It then compares the arms in
DIR/report, as 't2map trial' does. The default of DIR is ` + demoDir + `.

The trial has 24 subjects in two arms, T2 at baseline, 3 and 12 months, and WOMAC, KOOS and
four markers also at 6 and 9 months. The changes of WOMAC and KOOS are those of a published
trial. One subject discontinues, and the scanner of another gets new software.
DIR/studies/plan.yaml is the plan of the trial.

Exit status: 0 the demo is complete, 1 a study failed, 2 usage, 130 interrupted.`,
		Example: "  t2map demo\n  t2map demo /tmp/trial",
		Args:    usage(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			dir := demoDir
			if len(args) > 0 {
				dir = args[0]
			}
			return demo(c, dir, studies)
		},
	}
}

func demo(c *cobra.Command, dir string, synthetic phantom.Trial) error {
	start := time.Now()
	defer debug.SetGCPercent(debug.SetGCPercent(demoGCPercent))
	show := newProgress(c.ErrOrStderr(), false)
	studies, results := filepath.Join(dir, "studies"), filepath.Join(dir, "results")
	const stage = batch.Stage("writing studies")
	synthetic.Progress = func(done, total int) { show.report(stage, done, total) }
	synthetic.Form.Mask = phantom.MaskTissuesAlone // like most segmentations: tissues on thinner slices
	truth, err := phantom.WriteTrial(c.Context(), studies, synthetic)
	if err != nil {
		return err
	}
	scheme, err := segment.Named("skm-tea")
	if err != nil {
		return err
	}
	s := batch.Settings{Roots: []string{studies}, Out: results,
		// As the option sets it, so that t2map read finds what this run has found.
		Protocol: protocol.Protocol{Scheme: scheme, Segment: protocol.Segmenter{Scheme: scheme}},
		Options:  []string{"--scheme " + scheme.Name},
		Progress: show.report, Force: true}
	m := newMapped()
	var mappedStudies []report.Result
	s.Mapped = func(r report.Result) {
		mappedStudies = append(mappedStudies, r)
		m.add(r)
	}
	outcome, err := batch.Run(c.Context(), s)
	show.close()
	m.printWarnings(c.ErrOrStderr())
	printFailures(c.ErrOrStderr(), outcome.Failures)
	if err != nil {
		return err
	}
	if n := len(outcome.Failures); n > 0 {
		return failedError{printable.Counted(n, "study", "studies") + " failed"}
	}
	slices.SortFunc(mappedStudies, func(a, b report.Result) int { return strings.Compare(a.Dir, b.Dir) })
	w := c.OutOrStdout()
	cells := compare(truth, mappedStudies)
	printDemo(w, cells)
	fmt.Fprintf(w, "\n%d studies written and mapped in %.1f s.\n\n", len(mappedStudies), time.Since(start).Seconds())
	if err := demoTrial(c, dir); err != nil {
		return err
	}
	fmt.Fprintf(w,
		"  %s\tall studies with their pictures\n  %s\tone row per study and compartment\n  %s\tone study: maps, "+
			"overlay, decay\n",
		filepath.Join(results, "index.html"), filepath.Join(results, "compartments.csv"), mappedStudies[0].Dir)
	fmt.Fprintf(w, "\nTo look at the studies, draw and sign in the browser:\n  t2map read %s\n", results)
	return nil
}

// demoTrial compares the arms as t2map trial does.
func demoTrial(c *cobra.Command, dir string) error {
	studies := filepath.Join(dir, "studies")
	return runTrial(c, filepath.Join(dir, "results"), trialFlags{
		design: filepath.Join(studies, "trial.csv"), plan: filepath.Join(studies, "plan.yaml"),
		endpoints: []string{filepath.Join(studies, "scores.csv")}, out: filepath.Join(dir, "report"),
		twoStudies: "none", individuals: true, table: tableFlags{separator: ",", decimal: "point"},
	})
}

// cell holds the T2 of one compartment in one arm at one visit: measured and true, per study.
type cell struct {
	compartment, arm, visit string
	measured, truth         []float64
}

// compare pairs each result with its truth, in the order of the truth.
func compare(truth []phantom.Truth, results []report.Result) []*cell {
	type study struct{ subject, visit string }
	resultOf := map[study]report.Result{}
	for _, r := range results {
		resultOf[study{r.Subject, r.Visit}] = r
	}
	type key struct{ compartment, arm, visit string }
	cellOf := map[key]*cell{}
	var cells []*cell
	for _, t := range truth {
		for _, c := range resultOf[study{t.Subject, t.Visit}].Compartments {
			for _, truth := range t.T2 {
				if truth.Name != c.Compartment {
					continue
				}
				k := key{c.Compartment, t.Arm, t.Visit}
				if cellOf[k] == nil {
					cellOf[k] = &cell{compartment: k.compartment, arm: k.arm, visit: k.visit}
					cells = append(cells, cellOf[k])
				}
				cellOf[k].measured = append(cellOf[k].measured, float64(c.MeanT2))
				cellOf[k].truth = append(cellOf[k].truth, truth.MeanT2)
			}
		}
	}
	return cells
}

// printDemo prints a row per compartment and arm, a column per visit, and the
// deviation from the truth.
func printDemo(w io.Writer, cells []*cell) {
	visits, rows := axes(cells)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "compartment\tarm\tn\t")
	for _, v := range visits {
		fmt.Fprintf(t, "%s\t", v)
	}
	fmt.Fprintln(t, "change\ttrue change\tlargest deviation\t")
	largest := 0.0
	for _, row := range rows {
		fmt.Fprintf(t, "%s\t%s\t%d\t", row[0].compartment, row[0].arm, len(row[0].measured))
		deviation := 0.0
		for _, c := range row {
			fmt.Fprintf(t, "%.2f\t", stat.Mean(c.measured, nil))
			for i, v := range c.measured {
				deviation = math.Max(deviation, math.Abs(v/c.truth[i]-1))
			}
		}
		first, last := row[0], row[len(row)-1]
		fmt.Fprintf(t, "%s\t%s\t%.2f %%\t\n", figure.Number(stat.Mean(last.measured, nil)-stat.Mean(first.measured,
			nil), 2),
			figure.Number(stat.Mean(last.truth, nil)-stat.Mean(first.truth, nil), 2), 100*deviation)
		largest = math.Max(largest, deviation)
	}
	fmt.Fprintln(w, "Mean T2 in ms by arm and visit:")
	_ = t.Flush()
	fmt.Fprintf(w, "\nThe largest deviation of a compartment from the true T2 of its images is %.2f %%.\n", 100*largest)
	fmt.Fprint(w, demoBorder)
}

// axes returns the visits in their order, and one row of cells per compartment and arm.
func axes(cells []*cell) (visits []string, rows [][]*cell) {
	type row struct{ compartment, arm string }
	indexOf := map[row]int{}
	seen := map[string]bool{}
	for _, c := range cells {
		if !seen[c.visit] {
			seen[c.visit] = true
			visits = append(visits, c.visit)
		}
		k := row{c.compartment, c.arm}
		if _, ok := indexOf[k]; !ok {
			indexOf[k] = len(rows)
			rows = append(rows, nil)
		}
		rows[indexOf[k]] = append(rows[indexOf[k]], c)
	}
	return visits, rows
}
