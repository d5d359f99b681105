package batch

import (
	"bytes"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/t2map/t2map/t2fit"
)

var update = flag.Bool("update", false, "write the tables of real scans in docs/real-scans.md anew")

// The marks between which docs/real-scans.md holds the tables of this test.
const (
	scansBegin = "<!-- tables of real scans, written by go test ./batch -run RealScanTables -update -->\n"
	scansEnd   = "<!-- end of the tables of real scans -->\n"
)

// fit is a way to fit, as a column of a table.
type fit struct {
	name string
	o    t2fit.Options
}

// everyFit is every method, those that can do without it also with the first echo.
var everyFit = []fit{
	{"nlls", t2fit.Options{}},
	{"nlls, all echoes", t2fit.Options{SkipEchoes: t2fit.NoSkip}},
	{"loglinear", t2fit.Options{Method: t2fit.LogLinear}},
	{"loglinear-unweighted", t2fit.Options{Method: t2fit.LogLinearUnweighted}},
	{"arlo", t2fit.Options{Method: t2fit.ARLO}},
	{"nlls-offset", t2fit.Options{Method: t2fit.NLLSOffset}},
	{"rician", t2fit.Options{Method: t2fit.Rician}},
	{"epg", t2fit.Options{Method: t2fit.EPG}},
}

// docs/real-scans.md shows what this version makes of the real scans.
func TestRealScanTables(t *testing.T) {
	var got bytes.Buffer
	phantomTable(t, &got, "nist-ge-1.5t", "NIST system phantom, GE 1.5 T, 8 echoes of 9.64 ms: median T2 in ms")
	phantomTable(t, &got, "nist-philips-3t", "NIST system phantom, Philips 3 T, 32 echoes of 8 ms: median T2 in ms")
	kneeTable(t, &got)
	path := filepath.Join("..", "docs", "real-scans.md")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok1 := strings.Cut(string(text), scansBegin)
	now, after, ok2 := strings.Cut(rest, scansEnd)
	if !ok1 || !ok2 {
		t.Fatalf("%s has no place for the tables", path)
	}
	if *update {
		if err := os.WriteFile(path, []byte(before+scansBegin+"\n"+got.String()+scansEnd+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if now != "\n"+got.String() {
		t.Errorf("%s shows other tables; write them anew with -update:\n%s", path, got.String())
	}
}

// phantomTable writes one row per sphere: the published T2, the reference fit's and
// every method's.
func phantomTable(t *testing.T, w *bytes.Buffer, name, title string) {
	series, labels, want := realStudy(t, realData(t, name))
	r := schemeOf(t, name).mustDivide(t, labels)
	fmt.Fprintf(w, "%s.\n\n| sphere | published | reference fit |", title)
	rule := "|---|---|---|"
	var columns [][]string
	for _, f := range everyFit {
		fmt.Fprintf(w, " %s |", f.name)
		rule += "---|"
		f.o.T2Range = everyT2
		all, _ := summarize(t, series, r, f.o)
		var column []string
		for _, s := range all {
			column = append(column, milliseconds(float64(s.MedianT2)))
		}
		columns = append(columns, column)
	}
	fmt.Fprintf(w, "\n%s\n", rule)
	for i, sphere := range r.Names {
		label := labelOf(t, name, sphere)
		reference := "–"
		if m := want.SkipFirst.Labels[label].Median; m != nil {
			reference = milliseconds(*m)
		}
		published := "–"
		if p := want.Published[label]; p > 0 {
			published = milliseconds(p)
		}
		fmt.Fprintf(w, "| %s | %s | %s |", label, published, reference)
		for _, c := range columns {
			fmt.Fprintf(w, " %s |", c[i])
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w)
}

// kneeTable writes the knee's labels with all echoes, without the first, and by
// epg.
func kneeTable(t *testing.T, w *bytes.Buffer) {
	series, labels, _ := realStudy(t, realData(t, "knee-ge-mese"))
	r := schemeOf(t, "knee-ge-mese").mustDivide(t, labels)
	fmt.Fprintln(w, "Knee, GE 3 T, 8 echoes of 6.31 ms: T2 in ms of the voxels with T2 up to 150 ms.")
	fmt.Fprintln(w, "\n| label | | nlls, all echoes | nlls, without the first echo | epg |\n|---|---|---|---|---|")
	fits := []fit{everyFit[1], everyFit[0], everyFit[len(everyFit)-1]}
	for i, name := range r.Names {
		rows := []string{"mean", "median", "mean R²", "voxels used"}
		for _, f := range fits {
			all, _ := summarize(t, series, r, f.o)
			s := all[i]
			for j, cell := range []string{
				milliseconds(float64(s.MeanT2)), milliseconds(float64(s.MedianT2)),
				strconv.FormatFloat(float64(s.MeanR2), 'f', 4, 64), fmt.Sprintf("%d of %d", s.Used, s.Voxels),
			} {
				rows[j] += " | " + cell
			}
		}
		for _, row := range rows {
			fmt.Fprintf(w, "| %s | %s |\n", name, row)
		}
	}
	fmt.Fprintln(w)
}

// milliseconds prints a T2 with as many digits as mean something.
func milliseconds(t2 float64) string {
	switch {
	case math.IsNaN(t2):
		return "–"
	case t2 >= 1000:
		return strconv.FormatFloat(t2, 'f', 0, 64)
	case t2 >= 100:
		return strconv.FormatFloat(t2, 'f', 1, 64)
	}
	return strconv.FormatFloat(t2, 'f', 2, 64)
}
