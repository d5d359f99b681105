package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/t2map/t2map/batch"
	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/outfile"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/reads"
	"github.com/t2map/t2map/reads/agree"
	"github.com/t2map/t2map/trial/figures"
)

const readsHelp = `reads prints the state of the reads in DIR, a folder of results: for each reader, how many
are signed, are questions, are rejections and are not finished; and all open questions. It
compares the masks of two readers of one study, and those of a reader's first read and
hidden repeats: the Dice
coefficient and the distance between the surfaces of each label, the bias of the mean T2
with the limits of agreement, and the coefficient of variation (wCV, the root mean square),
with 95 % confidence intervals. With --protocol, it names what is beyond the limits of the
protocol (max_wcv_percent and min_dice of ` + "`reads`" + `).

The tables show which reads are hidden repeats, and to which subject and visit a read
belongs: a blinded reader must not see them.

With --out, reads writes
  reads.csv              one row per reader, study and repeat
  agreement.csv          one row per pair of reads and label
  agreement_summary.csv  agreement over the studies, by readers, label and month
  dictionary/            the columns of these tables
  bland-altman-*         differences of T2 over means, as SVG, PNG and PDF

Exit status: 0 all reads are evaluated, 1 some reads cannot be evaluated, 2 usage,
130 interrupted.`

func readsCommand() *cobra.Command {
	var out, protocolFile string
	var workers int
	c := &cobra.Command{
		Use:   "reads DIR [--protocol FILE] [--out DIR]",
		Short: "Show the state and the agreement of readers",
		Long:  readsHelp,
		Example: "  t2map reads results\n" +
			"  t2map reads results --protocol trial-7.yaml --out agreement",
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			if workers < 0 {
				return usageError{fmt.Errorf("--workers %d is negative", workers)}
			}
			return runReads(c, args[0], out, protocolFile, workers)
		},
	}
	c.Flags().StringVar(&protocolFile, "protocol", "", "YAML `file` with the limits of the trial")
	c.Flags().StringVar(&out, "out", "", "`folder` for tables and pictures (default: print only)")
	c.Flags().IntVar(&workers, "workers", 0, "`number` of studies compared at a time (default: one per processor)")
	return c
}

func runReads(c *cobra.Command, results, out, protocolFile string, workers int) error {
	o := agree.Options{Workers: workers}
	if protocolFile != "" {
		p, err := protocol.ReadProtocol(protocolFile)
		if err != nil {
			return usageError{err}
		}
		o.Limits = agree.Limits{MaxWCVPercent: p.Reads.MaxWCVPercent, MinDice: p.Reads.MinDice}
	}
	if out != "" {
		if err := checkFolder(out); err != nil {
			return err
		}
	}
	if out != "" && files.Inside(results, out) {
		return usageError{hint.Errorf("readers may see the folder of results but must not see which reads are repeats; "+
			"choose a folder elsewhere", "--out %s lies in the folder of results", printable.Line(out))}
	}
	if err := checkReads(results); err != nil {
		return err
	}
	folders, unreadable, err := batch.Folders(results)
	if err != nil {
		return err
	}
	o.Folders = folders
	r, err := agree.Examine(c.Context(), results, o)
	if err != nil {
		return err
	}
	for _, f := range unreadable {
		r.Problems = append(r.Problems, agree.Problem{Place: f.Place, Text: f.Problem})
	}
	if out != "" {
		if err := writeReads(out, r); err != nil {
			return err
		}
	}
	if err := printReads(c.OutOrStdout(), r, out); err != nil {
		return err
	}
	if n := len(r.Problems); n > 0 {
		for _, p := range r.Problems {
			fmt.Fprintf(c.ErrOrStderr(), "%s: %s\n", printable.Line(p.Place), printable.Line(p.Text))
		}
		return failedError{printable.Counted(n, "read or file", "reads or files") + " cannot be evaluated"}
	}
	return nil
}

// checkReads returns an error if a folder has no reads.
func checkReads(results string) error {
	_, err := os.Stat(results)
	if err == nil {
		if _, err = os.Stat(filepath.Join(results, reads.Folder)); errors.Is(err, fs.ErrNotExist) {
			err = errors.New("it has no reads")
		}
	}
	if err != nil {
		return usageError{hint.Errorf("name a folder of results that has reads", "%s: %w",
			printable.Line(results), outfile.Bare(err))}
	}
	return nil
}

// writeReads writes the tables and the pictures.
func writeReads(dir string, r agree.Report) error {
	var all []outputFile
	for _, t := range r.Tables() {
		all = append(all, outputFile{t.Name + ".csv", t.CSV()},
			outputFile{"dictionary/" + t.Name + ".csv", t.DictionaryCSV()})
	}
	for _, c := range r.Comparisons {
		picture, exists := pictureOf(c)
		if !exists {
			continue
		}
		pictures, err := figures.BlandAltmanOf(c.T2, picture)
		if err != nil {
			return err
		}
		all = append(all, pictureFiles(pictures)...)
	}
	if err := os.MkdirAll(filepath.Join(dir, "dictionary"), 0o777); err != nil {
		return err
	}
	return writeFiles(dir, all, nil)
}

// pictureOf returns the texts of the picture of a comparison. A picture exists for a comparison over all months that has T2,
// of two readers or of the repeats of one. Codes of readers have no dots, so that no two pictures have the same name.
func pictureOf(c agree.Comparison) (picture figures.Agreement, exists bool) {
	picture = figures.Agreement{Name: "bland-altman-" + strings.Join(c.Readers, "."), Title: "Agreement of readers " +
		strings.Join(c.Readers, " and "), Point: "study"}
	if c.Kind == agree.Within {
		picture.Title = "Repeated reads of " + c.Readers[0]
	}
	for _, one := range c.T2.Compartments {
		exists = exists || len(one.Knees) > 0
	}
	return picture, exists && c.Month == "" && !c.IsPooled()
}
