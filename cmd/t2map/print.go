package main

import (
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/t2map/t2map/batch"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
)

// shownStudies is how many studies a table on the screen may have; more belong
// into a spreadsheet.
const shownStudies = 20

// printOutcome says what was done and where it is.
func printOutcome(w io.Writer, out string, o batch.Outcome) {
	if len(o.Results) <= shownStudies {
		printCompartments(w, o.Results)
	}
	fmt.Fprintf(w, "%s mapped, %d failed", count(len(o.Results), "study", "studies"), len(o.Failures))
	if n := len(o.NotDone); n > 0 {
		fmt.Fprintf(w, ", %d not done", n)
	}
	if n := len(o.Earlier); n > 0 {
		fmt.Fprintf(w, "; %d of earlier runs in the tables too", n)
	}
	if n := len(o.Listed); n > 0 {
		fmt.Fprintf(w, "; %d that earlier runs left failed or not done", n)
	}
	fmt.Fprintf(w, ". See %s and %s.\n", filepath.Join(out, "index.html"), filepath.Join(out, "compartments.csv"))
}

// printNotes says what is worth knowing though nothing failed.
func printNotes(w io.Writer, notes []string, quiet bool) {
	if quiet {
		return
	}
	for _, r := range notes {
		fmt.Fprintf(w, "note: %s\n", printable.Line(r))
	}
}

// printCompartments prints one line per compartment, its voxels all accounted
// for.
func printCompartments(w io.Writer, results []report.Result) {
	if len(results) == 0 {
		return
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "SUBJECT\tVISIT\tCOMPARTMENT\tMEAN T2 (ms)\tSD\tMEDIAN\tUSED/VOXELS\tEXCLUDED")
	for _, r := range results {
		for _, c := range r.Compartments {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%d/%d\t%s\n", printable.Line(r.Subject), printable.Line(r.Visit), printable.Line(c.Compartment),
				ms(c.MeanT2), ms(c.SDT2), ms(c.MedianT2), c.Used, c.Voxels, excluded(c))
		}
	}
	_ = t.Flush()
	fmt.Fprintln(w)
}

// ms prints a time with the two decimals that tables have.
func ms(n segment.Number) string {
	if math.IsNaN(float64(n)) {
		return "–"
	}
	return fmt.Sprintf("%.2f", float64(n))
}

// excluded names the reasons that occur, and the note where there is one.
func excluded(c segment.Summary) string {
	parts := c.Excluded.Reasons()
	if c.Note != "" {
		parts = append(parts, c.Note)
	}
	return strings.Join(parts, ", ")
}

// printDamaged lists the damaged files, where there are several: the failures that
// stand for them name the first. What several studies share stands once, with their names.
func printDamaged(w io.Writer, damaged []batch.Problem) {
	if len(damaged) < 2 {
		return
	}
	var all grouped
	for _, p := range damaged {
		all.add(p.Reason, p.Reason, "", failedName(report.Failure{Folder: p.Folder, Study: p.Study, Alike: p.Alike}))
	}
	fmt.Fprintln(w, "damaged:")
	for _, g := range all.groups {
		if len(g.names) == 1 {
			fmt.Fprintf(w, "  %s\n", printable.Line(g.text))
		} else {
			fmt.Fprintf(w, "  %d studies: %s\n    %s\n", len(g.names), printable.Line(g.text), g.list())
		}
	}
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
