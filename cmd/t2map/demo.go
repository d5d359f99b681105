package main

import (
	"fmt"
	"io"
	"math"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"gonum.org/v1/gonum/stat"

	"github.com/t2map/t2map/batch"
	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
)

// demoDir is the default folder of the demo.
const demoDir = "t2map-demo"

// demoTrialOf is the trial of the demo. On slices of 4 mm fewer voxels of the mask lie mostly, but not
// with their centres, in the cartilage than on the phantom's default of 6 mm, where these voxels move the
// means by 4 %.
var demoTrialOf = phantom.Trial{Slices: 18}

// demoBorder explains the deviation. The mask is drawn on another series, as masks usually are: it
// selects voxels that it covers by half, and some of these have the T2 of bone (12 ms) or fluid (92 ms).
const demoBorder = `Voxels at the border of the cartilage cause it: the mask covers at least half of each, but in
2 to 5 % of a compartment's voxels the centre, which sets their T2, lies in bone, fluid or meniscus.
`

// demoCommand makes the command; of is the trial that it writes, which is smaller in tests.
func demoCommand(of phantom.Trial) *cobra.Command {
	return &cobra.Command{
		Use:   "demo [DIR]",
		Short: "Map and analyse a synthetic trial, and compare the results with the truth",
		Long: `demo writes the studies of a synthetic trial (12 subjects in two arms; baseline, 3 and 12
months) as DICOM files with masks into DIR/studies, and maps them into DIR/results. It
prints the mean T2 of the compartments by arm and visit, and the largest deviation from
the true T2 of the images. It then compares the arms in DIR/report, as 't2map trial' does.
The default of DIR is ` + demoDir + `.

Exit status: 0 the demo is complete, 1 a study failed, 2 usage, 130 interrupted.`,
		Example: "  t2map demo\n  t2map demo /tmp/trial",
		Args:    usage(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			dir := demoDir
			if len(args) > 0 {
				dir = args[0]
			}
			return demo(c, dir, of)
		},
	}
}

func demo(c *cobra.Command, dir string, of phantom.Trial) error {
	start := time.Now()
	show := newProgress(c.ErrOrStderr(), false)
	studies, results := filepath.Join(dir, "studies"), filepath.Join(dir, "results")
	const stage = batch.Stage("writing studies")
	of.Progress = func(done, all int) { show.report(stage, done, all) }
	of.Form.Mask = phantom.MaskTissues // as segmentations are drawn: tissues, on a series of thin slices
	truth, err := phantom.WriteTrial(c.Context(), studies, of)
	if err != nil {
		return err
	}
	scheme, err := segment.Named("skm-tea")
	if err != nil {
		return err
	}
	s := batch.Settings{Roots: []string{studies}, Out: results, Protocol: protocol.Protocol{Name: "demo", Scheme: scheme}, Progress: show.report}
	outcome, err := batch.Run(c.Context(), s)
	show.close()
	printWarnings(c.ErrOrStderr(), outcome.Results, false)
	printFailures(c.ErrOrStderr(), outcome.Failures)
	if err != nil {
		return err
	}
	if n := len(outcome.Failures); n > 0 {
		return failedError{count(n, "study", "studies") + " failed"}
	}
	w := c.OutOrStdout()
	cells := compare(truth, outcome.Results)
	printDemo(w, cells)
	fmt.Fprintf(w, "\n%d studies written and mapped in %.1f s.\n\n", len(outcome.Results), time.Since(start).Seconds())
	if err := demoTrial(c, dir); err != nil {
		return err
	}
	fmt.Fprintf(w, "  %s\tevery study with its pictures\n  %s\tone row per study and compartment\n  %s\tone study: maps, overlay, decay\n",
		filepath.Join(results, "index.html"), filepath.Join(results, "compartments.csv"), outcome.Results[0].Dir)
	return nil
}

// demoTrial runs t2map trial on the results.
func demoTrial(c *cobra.Command, dir string) error {
	studies := filepath.Join(dir, "studies")
	return runTrial(c, filepath.Join(dir, "results"), trialFlags{
		design: filepath.Join(studies, "trial.csv"), endpoints: []string{filepath.Join(studies, "scores.csv")},
		out: filepath.Join(dir, "report"), twoStudies: "none", individuals: true,
		table: tableFlags{separator: ",", decimal: "point"},
	})
}

// cell is one arm at one visit in one compartment: the measured T2 of its studies, and
// the T2 that their images were made with.
type cell struct {
	compartment, arm, visit string
	measured, truth         []float64
}

// compare pairs each result with its truth, in the truth's order.
func compare(truth []phantom.Truth, results []report.Result) []*cell {
	type study struct{ subject, visit string }
	found := map[study]report.Result{}
	for _, r := range results {
		found[study{r.Subject, r.Visit}] = r
	}
	type key struct{ compartment, arm, visit string }
	at := map[key]*cell{}
	var cells []*cell
	for _, t := range truth {
		for _, c := range found[study{t.Subject, t.Visit}].Compartments {
			for _, want := range t.T2 {
				if want.Name != c.Compartment {
					continue
				}
				k := key{c.Compartment, t.Arm, t.Visit}
				if at[k] == nil {
					at[k] = &cell{compartment: k.compartment, arm: k.arm, visit: k.visit}
					cells = append(cells, at[k])
				}
				at[k].measured = append(at[k].measured, float64(c.MeanT2))
				at[k].truth = append(at[k].truth, want.MeanT2)
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
	worst := 0.0
	for _, row := range rows {
		fmt.Fprintf(t, "%s\t%s\t%d\t", row[0].compartment, row[0].arm, len(row[0].measured))
		off := 0.0
		for _, c := range row {
			fmt.Fprintf(t, "%.2f\t", stat.Mean(c.measured, nil))
			for i, v := range c.measured {
				off = math.Max(off, math.Abs(v/c.truth[i]-1))
			}
		}
		first, last := row[0], row[len(row)-1]
		fmt.Fprintf(t, "%s\t%s\t%.2f %%\t\n", figure.Number(stat.Mean(last.measured, nil)-stat.Mean(first.measured, nil), 2),
			figure.Number(stat.Mean(last.truth, nil)-stat.Mean(first.truth, nil), 2), 100*off)
		worst = math.Max(worst, off)
	}
	fmt.Fprintln(w, "Mean T2 in ms by arm and visit:")
	_ = t.Flush()
	fmt.Fprintf(w, "\nThe largest deviation of a compartment from the true T2 of its images is %.2f %%.\n", 100*worst)
	fmt.Fprint(w, demoBorder)
}

// axes returns the visits in their order, and the cells row by row: a compartment
// and arm over all visits.
func axes(cells []*cell) (visits []string, rows [][]*cell) {
	type row struct{ compartment, arm string }
	at := map[row]int{}
	seen := map[string]bool{}
	for _, c := range cells {
		if !seen[c.visit] {
			seen[c.visit] = true
			visits = append(visits, c.visit)
		}
		k := row{c.compartment, c.arm}
		if _, ok := at[k]; !ok {
			at[k] = len(rows)
			rows = append(rows, nil)
		}
		rows[at[k]] = append(rows[at[k]], c)
	}
	return visits, rows
}
