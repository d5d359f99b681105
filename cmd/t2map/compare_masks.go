package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/outfile"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/segment/agreement"
	"github.com/t2map/t2map/trial"
	"github.com/t2map/t2map/trial/repeat"
)

func compareMasksCommand() *cobra.Command {
	var out, scheme string
	c := &cobra.Command{
		Use:   "compare-masks A B [--out DIR]",
		Short: "Measure the agreement of two masks of the same studies",
		Long: `compare-masks compares the masks of two readers, of a reader and a program, or of a mask
before and after a correction. For each compartment, and for each region and layer that
both masks have, it reports the Dice coefficient, the volumes, and the mean and the 95th
percentile of the distance between the surfaces. Over all studies it reports the bias of
T2 from A to B, the limits of agreement and the root mean square coefficient of variation
(RMS-CV), with 95 % confidence intervals.

A and B are two folders of results of 't2map run' on the same images, with maps, or two
label maps on one grid. Labels are paired by their meanings with --scheme, otherwise by
the names of segments if both files have names, otherwise by number. A study that only one
folder has is listed, not compared. With --out, compare-masks writes

  mask_agreement.csv          one row per compartment, region and layer
  mask_agreement_studies.csv  one row per study, compartment, region and layer
  bland-altman.*              differences of T2 over means, as SVG, PNG and PDF

Exit status: 0 the table is printed, 1 some studies cannot be compared, 2 usage,
130 interrupted.`,
		Example: `  t2map compare-masks reader1 reader2 --out agreement
  t2map compare-masks manual.nii.gz automatic.nii.gz`,
		Args: usage(cobra.ExactArgs(2)),
		RunE: func(c *cobra.Command, args []string) error {
			return runCompareMasks(c, [2]string{args[0], args[1]}, out, scheme)
		},
	}
	c.Flags().StringVar(&out, "out", "", "`folder` for tables and pictures (default: print the table only)")
	c.Flags().StringVar(&scheme, "scheme", "", "label `scheme` of two label maps, to pair labels by their meanings")
	return c
}

// maskComparison is the result of compare-masks.
type maskComparison struct {
	names [2]string // of A and B, as they were given
	rows  []maskRow
	keys  []rowKey // the distinct keys of the rows: compartments, then regions and layers
	// t2 is the agreement of T2 in compartments, partsT2 in regions and layers. Both are empty for two label maps.
	t2      repeat.Study
	partsT2 repeat.Study
	omitted []omittedMask
	failed  int // studies that cannot be read
	inputs  []string
}

// rowKey identifies a compartment, or a region or a layer of it, like the columns of compartments.csv.
type rowKey struct{ compartment, region, layer string }

func compartmentKey(name string) rowKey { return rowKey{name, segment.All, segment.All} }

func (k rowKey) whole() bool { return k.region == segment.All && k.layer == segment.All }

// String names the row as t2map trial does: medial, medial deep, medial-tibial, medial-tibial deep.
func (k rowKey) String() string {
	name := k.compartment
	if k.region != segment.All {
		name = k.region
	}
	if k.layer != segment.All {
		name += " " + k.layer
	}
	return name
}

// maskRow is a compartment, a region or a layer of a study.
type maskRow struct {
	maskedStudy
	rowKey
	agreement.Label
	meanT2 [2]float64
}

// omittedMask is a study that is not compared, and the reason.
type omittedMask struct{ study, reason string }

func runCompareMasks(c *cobra.Command, names [2]string, out, scheme string) error {
	var folders int
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			return usageError{hint.Errorf("name two folders of results, or two label maps",
				"%s: %w", printable.Line(name),
				outfile.Bare(err))}
		}
		if info.IsDir() {
			folders++
		}
	}
	var m maskComparison
	var err error
	switch folders {
	case 0:
		m, err = compareFiles(c.Context(), names, scheme)
	case 1:
		return usageError{hint.Errorf("t2map compare-masks --help",
			"compare-masks needs two folders of results, or two label maps")}
	default:
		if scheme != "" {
			return usageError{errors.New("--scheme applies to two label maps only: results have named compartments")}
		}
		m, err = compareResults(c.Context(), names)
	}
	if err != nil {
		return err
	}
	if out != "" {
		if err := m.write(out); err != nil {
			return err
		}
	}
	if err := m.print(c.OutOrStdout(), out); err != nil {
		return err
	}
	if m.failed > 0 {
		return failedError{printable.Counted(m.failed, "study", "studies") + " cannot be compared"}
	}
	return nil
}

// compareFiles compares two label maps, label by label. Labels are paired by their meanings if a scheme is named.
func compareFiles(ctx context.Context, names [2]string, scheme string) (maskComparison, error) {
	m := maskComparison{names: names, inputs: names[:]}
	var meanings *segment.Scheme
	if scheme != "" {
		s, err := protocol.ReadScheme(scheme, ".")
		if err != nil {
			return m, usageError{err}
		}
		meanings = &s
	}
	pair, err := pipeline.ReadLabelPair(names, meanings)
	if err != nil {
		return m, usageError{err}
	}
	a, b := pair.A, pair.B
	if b, err = segment.OnGrid(b, a.Geometry); err != nil {
		return m, usageError{differentVoxels(names, err)}
	}
	labels, err := agreement.Compare(ctx, a, b, nil)
	if err != nil {
		return m, err
	}
	if len(labels) == 0 {
		return m, usageError{errors.New("both masks are empty")}
	}
	for _, l := range labels {
		key := compartmentKey(pair.Names[l.Value-1])
		m.keys = append(m.keys, key)
		m.rows = append(m.rows, maskRow{rowKey: key, Label: l, meanT2: [2]float64{nan, nan}})
	}
	return m, nil
}

// differentVoxels returns an error that describes the difference between the grids of two label maps.
func differentVoxels(names [2]string, err error) error {
	a, b := filepath.Base(names[0]), filepath.Base(names[1])
	reason := err.Error()
	if g := (*segment.GridError)(nil); errors.As(err, &g) {
		reason = fmt.Sprintf("the centres of their voxels are up to %.2f mm apart (limit %.2f mm)", g.Distance,
			g.Allowed)
		if math.IsNaN(g.Distance) {
			reason = fmt.Sprintf("A has %d×%d×%d voxels, B %d×%d×%d", g.Series[0], g.Series[1], g.Series[2],
				g.Mask[0], g.Mask[1], g.Mask[2])
		}
	}
	return hint.Errorf("both label maps must have the same voxels; their axes may be in another order",
		"%s (A) and %s (B) differ in their voxels: %s", a, b, reason)
}

// compareResults compares the masks of two folders of results, study by study.
func compareResults(ctx context.Context, names [2]string) (maskComparison, error) {
	m := maskComparison{names: names}
	var studies [2][]maskedStudy
	for n, name := range names {
		all, inputs, err := maskedStudies(name)
		if err != nil {
			return m, err
		}
		studies[n], m.inputs = all, append(m.inputs, inputs...)
	}
	pairs := m.pair(studies)
	if len(pairs) == 0 {
		return m, usageError{hint.Errorf("both must be results of the same images",
			"%s and %s have no study in common", names[0], names[1])}
	}
	compared := make([]comparedStudy, len(pairs))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for n, p := range pairs {
		g.Go(func() error {
			if ctx.Err() == nil {
				compared[n] = compareStudy(ctx, p)
			}
			return ctx.Err()
		})
	}
	if err := g.Wait(); err != nil {
		return m, err
	}
	var t2, partsT2 []trial.Measurement
	for n, study := range compared {
		if study.err != nil {
			m.failed++
			m.omitted = append(m.omitted, omittedMask{pairs[n][0].String(), study.err.Error()})
			continue
		}
		m.rows, t2, partsT2 = append(m.rows, study.rows...), append(t2, study.t2...), append(partsT2, study.partsT2...)
		for _, r := range study.rows {
			if !slices.Contains(m.keys, r.rowKey) {
				m.keys = append(m.keys, r.rowKey)
			}
		}
	}
	slices.SortStableFunc(m.keys, compareKeys)
	if len(m.rows) == 0 {
		last := m.omitted[len(m.omitted)-1]
		return m, fmt.Errorf("no study can be compared: %s: %s", last.study, last.reason)
	}
	var err error
	if m.t2, err = repeat.Pair(t2, maskNames[:], repeatLevel); err != nil {
		m.t2.Notes = append(m.t2.Notes, "T2 is not compared: "+err.Error())
	}
	if len(partsT2) > 0 {
		m.partsT2, _ = repeat.Pair(partsT2, maskNames[:], repeatLevel) // an error is the same as for the compartments
	}
	return m, nil
}

// compareKeys orders whole compartments before regions and layers.
func compareKeys(a, b rowKey) int {
	switch {
	case a.whole() == b.whole():
		return 0
	case a.whole():
		return -1
	}
	return 1
}

// maskNames are the names of the two arguments in results and messages.
var maskNames = [2]string{"A", "B"}

// pair joins the studies of both folders by their series, and adds the studies of only one folder to m.omitted.
func (m *maskComparison) pair(studies [2][]maskedStudy) (pairs [][2]maskedStudy) {
	for n, own := range studies {
		others := studies[1-n]
		for _, s := range own {
			if i := slices.IndexFunc(others, func(o maskedStudy) bool { return o.series == s.series }); i >= 0 {
				if n == 0 {
					pairs = append(pairs, [2]maskedStudy{s, others[i]})
				}
				continue
			}
			reason := fmt.Sprintf("only %s has it", maskNames[n])
			if slices.ContainsFunc(others, func(o maskedStudy) bool { return o.String() == s.String() }) {
				reason = fmt.Sprintf("%s has another series of it", maskNames[1-n])
			}
			m.omitted = append(m.omitted, omittedMask{s.String(), reason})
		}
	}
	return pairs
}

// comparedStudy is the result of comparing a study of both folders.
type comparedStudy struct {
	rows        []maskRow
	t2, partsT2 []trial.Measurement // of compartments; of regions and layers
	err         error
}

// compareStudy reads both masks of a study and compares them, and their mean T2.
func compareStudy(ctx context.Context, p [2]maskedStudy) (out comparedStudy) {
	first, a, err := report.ReadMask(p[0].folder)
	if err != nil {
		return comparedStudy{err: fmt.Errorf("%s: %w", maskNames[0], err)}
	}
	second, b, err := report.ReadMask(p[1].folder)
	if err != nil {
		return comparedStudy{err: fmt.Errorf("%s: %w", maskNames[1], err)}
	}
	// Settings of masks may differ; the settings of the fit should not.
	p[0].row.Settings, p[1].row.Settings = first.Estimation(), second.Estimation()
	var names []string
	value := map[string]uint16{} // the number of each compartment, for both masks
	for _, r := range []report.Result{first, second} {
		for _, c := range r.Compartments {
			if value[c.Compartment] == 0 {
				names = append(names, c.Compartment)
				value[c.Compartment] = uint16(len(names))
			}
		}
	}
	renumber := make([]uint16, len(second.Compartments)+1)
	for n, c := range second.Compartments {
		renumber[n+1] = value[c.Compartment]
	}
	for v, n := range b.Data {
		b.Data[v] = renumber[n]
	}
	labels := make([]uint16, len(names))
	for n := range labels {
		labels[n] = uint16(n + 1)
	}
	all, err := agreement.Compare(ctx, a, b, labels)
	if err != nil {
		return comparedStudy{err: err}
	}
	for n, l := range all {
		row, t2 := comparedRow(p, compartmentKey(names[n]), l,
			[2][]segment.Summary{first.Compartments, second.Compartments})
		out.rows, out.t2 = append(out.rows, row), append(out.t2, t2...)
	}
	parts, err := comparedParts(ctx, p, [2]report.Result{first, second})
	if err != nil {
		return comparedStudy{err: err}
	}
	out.rows, out.partsT2 = append(out.rows, parts.rows...), parts.partsT2
	return out
}

// comparedRow returns a row for both masks, with the T2 of each if its results have the row.
func comparedRow(
	p [2]maskedStudy, key rowKey, l agreement.Label, results [2][]segment.Summary,
) (maskRow, []trial.Measurement) {
	row := maskRow{maskedStudy: p[0], rowKey: key, Label: l, meanT2: [2]float64{nan, nan}}
	var t2 []trial.Measurement
	for s, summaries := range results {
		index := slices.IndexFunc(summaries, func(c segment.Summary) bool { return keyOf(c) == key })
		if index < 0 {
			continue
		}
		row.meanT2[s] = float64(summaries[index].MeanT2)
		// repeat.Pair compares one knee at two visits. Here a knee is a study, and the visits are A and B.
		t := p[s].row
		t.Subject, t.Visit, t.Compartment = p[0].subject, maskNames[s], key.String()
		t.T2, t.Missing = row.meanT2[s], trial.Missing{Kind: trial.Noted, Detail: summaries[index].Note}
		t.Side, t.MaskFrom = printable.Join(", ", p[0].visit, p[0].side), ""
		t2 = append(t2, t)
	}
	return row, t2
}

func keyOf(s segment.Summary) rowKey { return rowKey{s.Compartment, s.Region, s.Layer} }
