package main

import (
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/t2map/t2map/batch"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
)

// shownStudies is the largest number of studies in a table on the screen; more belong in a
// spreadsheet.
const shownStudies = 20

// printOutcome prints what was done and, if the tables are written, where the results are.
func printOutcome(w io.Writer, out string, o batch.Outcome, written bool) {
	if len(o.Results) <= shownStudies {
		printCompartments(w, o.Results)
	}
	fmt.Fprintf(w, "%s mapped, %d failed", count(len(o.Results), "study", "studies"), len(o.Failures))
	if n := len(o.NotDone); n > 0 {
		fmt.Fprintf(w, ", %d not done", n)
	}
	if n := len(o.Earlier); n > 0 {
		fmt.Fprintf(w, "; the tables also have %d of earlier runs", n)
	}
	if n := len(o.Listed); n > 0 {
		fmt.Fprintf(w, "; %d that earlier runs left failed or not done", n)
	}
	if !written { // the error says which
		fmt.Fprintln(w, ". The tables are not all written.")
		return
	}
	table := "compartments.csv"
	if len(o.Results) == 0 {
		table = "studies.csv" // which has the reasons
	}
	fmt.Fprintf(w, ". See %s and %s.\n", filepath.Join(out, "index.html"), filepath.Join(out, table))
}

// printNotes prints remarks about a run that are not failures.
func printNotes(w io.Writer, notes []string, quiet bool) {
	if quiet {
		return
	}
	for _, r := range notes {
		fmt.Fprintf(w, "note: %s\n", printable.Line(r))
	}
}

// printCompartments prints one line per compartment that accounts for all its voxels.
func printCompartments(w io.Writer, results []report.Result) {
	if len(results) == 0 {
		return
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "SUBJECT\tVISIT\tCOMPARTMENT\tMEAN T2 (ms)\tSD\tMEDIAN\tUSED/VOXELS\tEXCLUDED; NOTES")
	for _, r := range results {
		for _, c := range r.Compartments {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%d/%d\t%s\n", printable.Line(r.Subject), printable.Line(r.Visit), printable.Line(c.Compartment),
				ms(c.MeanT2), ms(c.SDT2), ms(c.MedianT2), c.Used, c.Voxels, remarks(r, c))
		}
	}
	_ = t.Flush()
	fmt.Fprintln(w)
}

// ms prints a time with two decimals, as in tables.
func ms(n segment.Number) string {
	if math.IsNaN(float64(n)) {
		return "–"
	}
	return fmt.Sprintf("%.2f", float64(n))
}

// remarks returns why voxels of a row are excluded, its note, and the visit that its mask comes from,
// as far as there are any.
func remarks(r report.Result, c segment.Summary) string {
	parts := []string{strings.Join(c.Excluded.Reasons(), ", "), c.Note}
	if r.Mask.From != "" {
		parts = append(parts, "mask carried from "+printable.Line(r.Mask.From))
	}
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), "; ")
}

// printDamaged lists the files that cannot be read, where there are several: the failures that
// stand for them name the first. Files with one reason are listed together, those that are damaged apart
// from those that are not supported.
func printDamaged(w io.Writer, problems []batch.Problem) {
	if len(problems) < 2 {
		return
	}
	for _, kind := range []struct {
		heading     string
		unsupported bool
	}{{"damaged:", false}, {"not supported:", true}} {
		var all grouped
		ofFiles := map[string]bool{} // texts that files share, not studies
		seen := map[[2]string]bool{}
		for _, p := range problems {
			switch {
			case p.Unsupported != kind.unsupported || seen[[2]string{p.File, p.FileReason}]:
			case p.File == "":
				all.add(p.Reason, p.Reason, "", failedName(report.Failure{Folder: p.Folder, Study: p.Study, Alike: p.Alike}))
			default:
				seen[[2]string{p.File, p.FileReason}] = true // once for all studies of its folder
				ofFiles[p.FileReason] = true
				all.add(p.FileReason, p.Reason, "", printable.Line(p.File))
			}
		}
		if len(all.groups) > 0 {
			fmt.Fprintln(w, kind.heading)
		}
		for _, g := range all.groups {
			what := "studies"
			if ofFiles[g.text] {
				what = "files"
			}
			if len(g.names) == 1 {
				fmt.Fprintf(w, "  %s\n", printable.Line(g.text))
			} else {
				fmt.Fprintf(w, "  %d %s: %s\n    %s\n", len(g.names), what, printable.Line(g.text), g.list())
			}
		}
	}
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
