package main

import (
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/trial"
	"github.com/t2map/t2map/trial/mmrm"
)

// printTrial prints the main contrasts, the plan, the notes and flags, and the names of the main files.
func printTrial(w io.Writer, a trial.Analysis, out string) {
	d := a.Design
	if len(d.Arms) > 1 && len(d.Visits) > 1 {
		printContrasts(w, a)
	}
	plan := "no frozen plan"
	if f := a.PlanFile; f.Name != "" {
		plan = "plan: " + printable.Line(f.Name) + ", SHA-256 " + f.SHA256
	}
	fmt.Fprintln(w, plan)
	for _, departure := range a.Plan.Departures {
		fmt.Fprintf(w, "note: not from the plan: %s (%s)\n", printable.Line(departure.Key), printable.Line(departure.Place))
	}
	for _, n := range a.Notes {
		fmt.Fprintf(w, "note: %s\n", printable.Line(n))
	}
	analysed := 0
	for _, f := range a.Flow {
		analysed += f.Analysed
	}
	fmt.Fprintf(w, "%s in %s, %d analysed; %s\n",
		printable.Counted(len(d.Subjects), "subject", "subjects"), printable.Counted(len(d.Arms), "arm", "arms"),
		analysed, flagCounts(a.Flags))
	fmt.Fprintf(w, "\nSee\n  %s\tfigures, tables, methods and flags\n  %s\tall tests and estimates\n",
		filepath.Join(out, "trial.html"), filepath.Join(out, "contrasts.csv"))
}

// ratioDecimals are the decimals of a ratio, as in trial.html.
const ratioDecimals = 2

// printContrasts prints a row for each primary and key secondary contrast, and for the other endpoints at their main
// visit, with the same decimals as trial.html.
func printContrasts(w io.Writer, a trial.Analysis) {
	d := a.Design
	fmt.Fprintf(w, "Change from %s, difference from %s (mixed model):\n", printable.Line(d.Visits[0].Name),
		printable.Line(d.Arms[0]))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "endpoint\tvisit\tarm\tn\tdifference\t%g %% CI\tHolm p\tp\tfamily\t\n", 100*a.Plan.Level)
	for _, e := range a.Endpoints {
		name, decimals := printable.Line(e.Name), e.Decimals()
		if e.Log {
			name, decimals = name+" (ratio)", ratioDecimals
		}
		for _, c := range e.Contrasts {
			if c.Family == trial.NoFamily && c.Visit != d.MainVisit(e.Endpoint) {
				continue
			}
			m := e.Displayed(c.Model)
			fmt.Fprintf(t, "%s\t%s\t%s\t%d, %d\t%s\t%s\t%s\t%s\t%s\t\n", name, printable.Line(d.Visits[c.Visit].Name),
				printable.Line(d.Arms[c.Arm]), e.Model.SubjectsAt(c.Arm, c.Visit), e.Model.SubjectsAt(0, c.Visit),
				figure.Number(m.Value, decimals), interval(m, decimals), figure.PValue(c.Holm), figure.PValue(m.P), c.Family)
		}
	}
	_ = t.Flush()
	for _, e := range a.Endpoints {
		if e.Model.Failed != "" {
			fmt.Fprintf(w, "%s has no model: %s\n", printable.Line(e.Name), printable.Line(e.Model.Failed))
		}
		for _, r := range e.Model.Rejected {
			fmt.Fprintf(w, "%s: a covariance could not be fitted: %s\n", printable.Line(e.Name),
				printable.Line(r.String()))
		}
		for _, o := range e.Model.Omitted {
			fmt.Fprintf(w, "%s: not in the model: %s: %s\n", printable.Line(e.Name), printable.Line(o.Name(d)),
				printable.Line(o.Reason))
		}
	}
	fmt.Fprintln(w)
}

// interval formats the bounds of an estimate, or a dash if there are none.
func interval(e mmrm.Estimate, decimals int) string {
	if math.IsNaN(e.Low) || math.IsNaN(e.High) {
		return "–"
	}
	return figure.Number(e.Low, decimals) + " to " + figure.Number(e.High, decimals)
}

// flagCounts returns the number of flags of each kind.
func flagCounts(flags []trial.Flag) string {
	if len(flags) == 0 {
		return "no flags"
	}
	var kinds []string
	counts := map[trial.FlagKind]int{}
	for _, f := range flags { // in the order of kinds
		if counts[f.Kind] == 0 {
			kinds = append(kinds, string(f.Kind))
		}
		counts[f.Kind]++
	}
	for i, k := range kinds {
		kinds[i] = fmt.Sprintf("%s %d", k, counts[trial.FlagKind(k)])
	}
	return "flags: " + strings.Join(kinds, ", ")
}
