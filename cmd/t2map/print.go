package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/t2map/t2map/batch"
	"github.com/t2map/t2map/objects"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
)

// shownStudies is the largest number of studies in the table on the screen.
const shownStudies = 20

// printOutcome prints a summary of a run whose results are in the folder dir and, if the tables are written, where they
// are: out is dir or the place in a bucket that it mirrors.
func printOutcome(w io.Writer, dir, out string, o batch.Outcome, m *mapped, written bool) {
	printCompartments(w, m.shown())
	if text := choiceCounts(o.Choices); text != "" {
		fmt.Fprintln(w, text)
	}
	fmt.Fprintf(w, "%s mapped, %d failed", printable.Counted(o.Mapped, "study", "studies"), len(o.Failures))
	if n := len(o.NotDone); n > 0 {
		fmt.Fprintf(w, ", %d not done", n)
	}
	if o.Earlier > 0 {
		fmt.Fprintf(w, "; the tables also have %d from earlier runs", o.Earlier)
	}
	if n := len(o.Listed); n > 0 {
		fmt.Fprintf(w, "; %d failed or not done in earlier runs", n)
	}
	if !written { // the error says which tables
		fmt.Fprintln(w, ". Not all tables are written.")
		return
	}
	table := "compartments.csv"
	if o.Mapped+o.Earlier == 0 {
		table = "studies.csv" // it has the reasons
	}
	fmt.Fprintf(w, ". See %s and %s.\n", inPlace(out, "index.html"), inPlace(out, table))
	const failures = "failures.html"
	// It is absent if all have earlier results.
	if _, err := os.Stat(filepath.Join(dir, failures)); err == nil && len(o.Failures) > 0 {
		fmt.Fprintf(w, "What to ask the sites about studies without a result: %s.\n", inPlace(out, failures))
	}
	m.printFlagged(w, out)
}

// inPlace returns the path of a file of the results, which may be in a bucket.
func inPlace(place, name string) string {
	if objects.Is(place) {
		return place + "/" + name
	}
	return filepath.Join(place, name)
}

// choiceCounts counts the studies by what is done with them and why; empty if all are new.
func choiceCounts(counts map[batch.Why]int) string {
	var parts []string
	for _, why := range batch.Whys {
		if n := counts[why]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, why))
		}
	}
	if len(parts) == 0 || len(parts) == 1 && counts[batch.New] > 0 {
		return ""
	}
	return "studies: " + strings.Join(parts, ", ")
}

// printChoices prints what a run would do with each study and why.
func printChoices(w io.Writer, choices []batch.Choice) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, c := range choices {
		action := "map"
		if c.Why == batch.Done {
			action = "keep"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", action, printable.Line(c.Folder), c.Why)
	}
	_ = t.Flush()
}

// printNotes prints the notes of a run.
func printNotes(w io.Writer, notes []string, quiet bool) {
	if quiet {
		return
	}
	for _, note := range notes {
		fmt.Fprintf(w, "note: %s\n", printable.Line(note))
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
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%d/%d\t%s\n", printable.Line(r.Subject), printable.Line(r.Visit),
				printable.Line(c.Compartment),
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

// remarks returns the reasons for excluded voxels of a row, its note, and the visit that its mask was carried from.
func remarks(r report.Result, c segment.Summary) string {
	parts := []string{strings.Join(c.Excluded.Reasons(), ", "), c.Note}
	if r.Mask.SourceVisit != "" {
		parts = append(parts, "mask carried from "+printable.Line(r.Mask.SourceVisit))
	}
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), "; ")
}

// printDamaged lists the files that cannot be read, if there are several: a failure names only the first. Files with
// the same reason are listed together. Damaged and unsupported files have lists of their own.
func printDamaged(w io.Writer, problems []batch.Problem) {
	if len(problems) < 2 {
		return
	}
	for _, kind := range []struct {
		heading     string
		unsupported bool
	}{{"damaged:", false}, {"not supported:", true}} {
		var all grouped
		seen := map[[2]string]bool{}
		for _, p := range problems {
			switch {
			case p.Unsupported != kind.unsupported || seen[[2]string{p.File, p.FileReason}]:
			case p.File == "":
				all.add(p.Reason, p.Reason, "", failedName(report.Failure{Folder: p.Folder, Study: p.Study,
					SharedFolder: p.Alike}))
			default:
				seen[[2]string{p.File, p.FileReason}] = true // once for all studies of its folder
				all.add(p.FileReason, p.Reason, "", printable.Line(p.File)).files = true
			}
		}
		if len(all.groups) > 0 {
			fmt.Fprintln(w, kind.heading)
		}
		for _, g := range all.groups {
			noun := "studies"
			if g.files {
				noun = "files"
			}
			if len(g.names) == 1 {
				fmt.Fprintf(w, "  %s\n", printable.Line(g.text))
			} else {
				fmt.Fprintf(w, "  %d %s: %s\n    %s\n", len(g.names), noun, printable.Line(g.text), g.list())
			}
		}
	}
}
