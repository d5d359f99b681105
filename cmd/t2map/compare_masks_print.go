package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/printable"
)

// print prints one line per compartment for the masks and one for T2, and the omitted studies.
func (m maskComparison) print(w io.Writer, out string) error {
	first, means := "COMPARTMENT", "; means over the studies, lowest and highest in brackets"
	if len(m.t2.Visits) == 0 { // two label maps
		first, means = "LABEL", ""
	}
	if err := m.printAgreement(w, first); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nA is %s, B is %s. ", printable.Line(m.names[0]), printable.Line(m.names[1]))
	fmt.Fprintf(w, "Differences are B − A%s.\n", means)
	if err := m.printT2(w); err != nil {
		return err
	}
	for _, r := range m.rows {
		if note := r.note(); note != "" && r.whole() {
			name := printable.Join(", ", r.maskedStudy.String(), r.compartment)
			fmt.Fprintf(w, "note: %s: %s\n", printable.Line(name), note)
		}
	}
	if len(m.omitted) > 0 {
		fmt.Fprintln(w, "omitted:")
	}
	for _, o := range m.omitted {
		fmt.Fprintf(w, "  %s: %s\n", printable.Line(o.study), printable.Line(o.reason))
	}
	if out != "" {
		fmt.Fprintf(w, "See %s.\n", filepath.Join(out, "mask_agreement.csv"))
	}
	return nil
}

// printAgreement prints one line per compartment. Regions and layers are in the tables only. STUDIES counts the studies
// with a Dice coefficient.
func (m maskComparison) printAgreement(w io.Writer, first string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	header := []string{first, "STUDIES"}
	for _, x := range maskMeasures {
		if x.heading != "" {
			header = append(header, x.heading)
		}
	}
	fmt.Fprintln(t, strings.Join(header, "\t"))
	for _, key := range m.keys {
		if !key.whole() {
			continue
		}
		rows := m.rowsOf(key)
		dice := spreadOf(rows, func(r maskRow) float64 { return r.Dice })
		line := []string{printable.Line(key.compartment), strconv.Itoa(dice.n)}
		for _, x := range maskMeasures {
			if x.heading != "" {
				line = append(line, spreadOf(rows, x.value).text(x.shown))
			}
		}
		fmt.Fprintln(t, strings.Join(line, "\t"))
	}
	return t.Flush()
}

// text formats the mean and, for several studies, the lowest and the highest value.
func (s spread) text(decimals int) string {
	if s.n < 2 {
		return figure.Number(s.mean, decimals)
	}
	return fmt.Sprintf("%s [%s, %s]", figure.Number(s.mean, decimals), figure.Number(s.lowest, decimals),
		figure.Number(s.highest, decimals))
}

// printT2 prints the agreement of T2.
func (m maskComparison) printT2(w io.Writer) error {
	if len(m.t2.Visits) == 0 { // two label maps
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\nCOMPARTMENT\tPAIRS\tBIAS OF T2 (ms)\tLIMITS OF AGREEMENT (ms)\tRMS-CV (%)")
	for _, key := range m.keys {
		if f, ok := m.agreementOf(key); ok && key.whole() {
			a := f.Agreement
			fmt.Fprintf(t, "%s\t%d\t%s\t%s to %s\t%s\n", printable.Line(key.compartment), a.N,
				withInterval(a.Bias, 2), figure.Number(a.Lower.Estimate, 2), figure.Number(a.Upper.Estimate, 2),
				withInterval(f.WCV, 2))
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w, "\n95 % confidence intervals in brackets.")
	for _, c := range m.t2.Compartments {
		for _, r := range reasons(c.Estimates) {
			fmt.Fprintf(w, "note: T2, %s: %s\n", printable.Line(c.Name), printable.Line(r))
		}
	}
	for _, n := range m.t2.Notes {
		fmt.Fprintf(w, "note: %s\n", printable.Line(n))
	}
	return nil
}
