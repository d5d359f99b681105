package main

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/reads"
	"github.com/t2map/t2map/reads/agree"
)

// printReads prints the state of each reader, the agreement over all months, what is beyond a limit, and the questions.
func printReads(w io.Writer, r agree.Report, out string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "READER\tSIGNED\tQUERIES\tREJECTED\tDRAFTS\tREVISIONS\tREPEATS")
	for _, one := range r.Readers {
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%d\t%d\n", printable.Line(one.Name()), one.Signed, one.Query, one.Rejected,
			one.Drafts, one.Revisions, one.Repeats)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, kind := range []agree.Kind{agree.Between, agree.Within} {
		if err := printAgreementOf(w, r, kind); err != nil {
			return err
		}
	}
	if len(r.Comparisons) == 0 {
		fmt.Fprintln(w, "\nNo study has two signed reads: there is no agreement yet.")
	} else {
		fmt.Fprintln(w, "\nMeans over the studies, with the lowest and highest value in brackets; for T2, 95 % confidence intervals.")
	}
	printLimits(w, r)
	printMissingT2(w, r)
	printQueries(w, r)
	if out != "" {
		fmt.Fprintf(w, "See %s and %s.\n", filepath.Join(out, "agreement_summary.csv"), filepath.Join(out, "reads.csv"))
	}
	return nil
}

// printAgreementOf prints a line for each label of each comparison of a kind.
func printAgreementOf(w io.Writer, r agree.Report, kind agree.Kind) error {
	heading := "\nREADERS\tLABEL\tPAIRS\tDICE\tDISTANCE (mm)\tBIAS OF T2 (ms)\tLIMITS OF AGREEMENT (ms)\twCV (%)"
	if kind == agree.Within {
		heading = strings.Replace(heading, "READERS", "REPEATS OF", 1)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, c := range r.Comparisons {
		if c.Kind != kind || c.Month != "" {
			continue
		}
		if heading != "" {
			fmt.Fprintln(t, heading)
			heading = ""
		}
		for _, l := range c.Labels {
			a := l.T2.Agreement
			fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%s\t%s\t%s to %s\t%s\n", readersOf(c), printable.Short(l.Name), l.Pairs,
				spreadText(l.Dice, 3), spreadText(l.Distance, 2), withInterval(a.Bias, 2),
				figure.Number(a.Lower.Estimate, 2), figure.Number(a.Upper.Estimate, 2), withInterval(l.T2.WCV, 1))
		}
	}
	return t.Flush()
}

// readersOf names the readers of a comparison.
func readersOf(c agree.Comparison) string {
	if c.IsPooled() {
		return "all " + fmt.Sprint(len(c.Readers))
	}
	return printable.Line(strings.Join(c.Readers, ", "))
}

// spreadText formats the mean and, of several pairs, the lowest and the highest value.
func spreadText(s agree.Spread, decimals int) string {
	if s.N < 2 {
		return figure.Number(s.Mean, decimals)
	}
	return fmt.Sprintf("%s [%s, %s]", figure.Number(s.Mean, decimals), figure.Number(s.Lowest, decimals),
		figure.Number(s.Highest, decimals))
}

// shownBeyond is the largest number of pairs below the limit of Dice on the screen; agreement.csv has all.
const shownBeyond = 20

// printLimits prints what is beyond the limits of the protocol.
func printLimits(w io.Writer, r agree.Report) {
	if l := r.Limits.MaxWCVPercent; l > 0 {
		var above []string
		for n, c := range r.Comparisons {
			// The only month of a comparison is the same as all months.
			isOnly := c.Month != "" && r.Comparisons[n-1].Month == "" &&
				(n+1 == len(r.Comparisons) || r.Comparisons[n+1].Month == "")
			for _, one := range c.Labels {
				if one.IsAboveWCV && !isOnly {
					above = append(above, printable.Join(", ", readersOf(c), printable.Short(one.Name), c.Month)+": "+
						figure.Number(one.T2.WCV.Estimate, 1)+" %")
				}
			}
		}
		printBeyond(w, above, fmt.Sprintf("wCV within a reader above %g %%", l))
	}
	if l := r.Limits.MinDice; l > 0 {
		var below []string
		for _, p := range r.Pairs {
			if r.Limits.IsBelow(p) {
				readers := p.A.Reader + " and " + p.B.Reader
				if p.Kind == agree.Within {
					readers = p.A.Reader + ", " + p.B.Part()
				}
				below = append(below, printable.Join(", ", readers, printable.Line(p.A.Name()), printable.Short(p.Name))+
					": "+figure.Number(p.Dice, 3))
			}
		}
		printBeyond(w, below, fmt.Sprintf("Dice below %g", l))
	}
}

func printBeyond(w io.Writer, beyond []string, limit string) {
	if len(beyond) == 0 {
		fmt.Fprintf(w, "%s: none.\n", limit)
		return
	}
	fmt.Fprintf(w, "%s:\n", limit)
	for _, line := range beyond[:min(shownBeyond, len(beyond))] {
		fmt.Fprintf(w, "  %s\n", line)
	}
	if n := len(beyond) - shownBeyond; n > 0 {
		fmt.Fprintf(w, "  and %d more\n", n)
	}
}

// printMissingT2 says once for each reason why T2 of pairs and estimates over the studies are missing.
func printMissingT2(w io.Writer, r agree.Report) {
	var g grouped
	for _, p := range r.Pairs {
		if note := p.Note(); note != "" {
			g.add(note, note, "", printable.Join(", ", printable.Line(p.A.Name()), printable.Short(p.Name)))
		}
	}
	for _, c := range r.Comparisons {
		for _, l := range c.Labels {
			for _, reason := range l.Reasons {
				if c.Month == "" {
					g.add(reason, reason, "", readersOf(c)+" "+printable.Short(l.Name))
				}
			}
		}
	}
	for _, one := range g.groups {
		one.names = slices.Compact(one.names)
		fmt.Fprintf(w, "note: %s: %s\n", printable.Line(one.text), one.list())
	}
}

// longestQuestion is the largest number of characters of a question on the screen; reads.csv has all of it.
const longestQuestion = 300

// printQueries prints the questions that no later revision has answered.
func printQueries(w io.Writer, r agree.Report) {
	heading := "\nopen queries:\n"
	for _, one := range r.Reads {
		last := one.Last()
		if last == nil || last.State != reads.Query {
			continue
		}
		text := []rune(printable.Line(last.Text))
		if len(text) > longestQuestion {
			text = append(text[:longestQuestion-1], '…')
		}
		fmt.Fprintf(w, "%s  %s: %s\n", heading, printable.Join(", ", one.Reader, printable.Line(one.Name()), one.Part()),
			string(text))
		heading = ""
	}
}
