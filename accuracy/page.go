package accuracy

import (
	_ "embed"
	"encoding/base64"
	"fmt"
	htmltemplate "html/template"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"text/template"

	"github.com/t2map/t2map/printable"
)

var (
	//go:embed page.html
	pageText string
	//go:embed page.md.tmpl
	markdownText string

	pageTemplate = htmltemplate.Must(htmltemplate.New(filePage).
			Funcs(htmltemplate.FuncMap{"glue": glue.Replace}).Parse(pageText))
	markdownTemplate = template.Must(template.New(fileMarkdown).Parse(markdownText))
)

// glue keeps a quantity, its value and its unit on one line of a page.
var glue = strings.NewReplacer(" ms", "\u00a0ms", " %", "\u00a0%", "T2 ", "T2\u00a0", "SNR ", "SNR\u00a0", "B1 ", "B1\u00a0", "≥ ", "≥\u00a0", "< ", "<\u00a0")

// pageView holds the texts and numbers of the page. The templates only place them.
type pageView struct {
	Version, Platform, Train string
	Met, Missed, Cells       int
	Draws, JudgedDraws       int
	Seed                     uint64
	BestSNR                  string
	Limits                   []limitView
	SNR, B1                  []string
	Methods                  []methodView // against SNR at B1 = 1
	ByB1                     []methodView // against B1 at the best SNR
	Trains                   []string
	Spans                    []spanView
	Null                     []nullView
	NullPerArm               int
	SNRPicture, B1Picture    htmltemplate.URL
}

// nullView is a test where there is no effect: the rates of the first trials and of all.
type nullView struct {
	Method, Words, Where string
	First, All           rateView
}

type rateView struct{ Trials, Share, Interval, Left string }

// limitView is a limit in words.
type limitView struct {
	Method, Limit, Where, Worst, WorstAt, Verdict string
	Cells                                         int
	Met                                           bool
}

// spanView is the biases of a method from least to greatest, one for each train:
// at B1 = 1 and a typical SNR, and over all B1 at the best.
type spanView struct {
	Name           string
	Uniform, AnyB1 []string
}

// methodView is a table of a method, a row for each T2.
type methodView struct {
	Name, Words string
	Rows        []t2View
}

type t2View struct {
	T2    string // ms
	Cells []cellView
}

// cellView is the figures of a cell: bias in percent with its sign, SD over the
// bound, coverage in percent, and the failure rate where there is any.
type cellView struct {
	Bias, SD, Coverage, Failed string
	// Shade is the class of its background, by the size of the bias.
	Shade string
}

func newPageView(a Result) pageView {
	v := pageView{
		Version: printable.Line(a.Version), Platform: printable.Line(a.Platform), Train: a.judgedTrain(),
		Met: len(a.Limits) - a.Missed(), Missed: a.Missed(), Cells: len(a.Cells),
		Draws: a.Draws, JudgedDraws: a.JudgedDraws, Seed: a.Seed, BestSNR: fmt.Sprintf("%g", a.bestSNR()),
	}
	for _, l := range a.Limits {
		v.Limits = append(v.Limits, newLimitView(l))
	}
	snr, b1 := a.values(snrOf), a.values(b1Of)
	v.SNR, v.B1 = plain(snr), plain(b1)
	for _, m := range a.Methods {
		v.Methods = append(v.Methods, a.methodView(m, snr, func(t2, x float64) Cell { return a.judged(t2, x, 1) }))
		v.ByB1 = append(v.ByB1, a.methodView(m, b1, func(t2, x float64) Cell { return a.judged(t2, a.bestSNR(), x) }))
	}
	v.addSpans(a)
	for _, n := range a.Null {
		v.Null = append(v.Null, nullView{n.Method, n.Words, n.Where, newRateView(n.First), newRateView(n.All)})
		v.NullPerArm = n.PerArm
	}
	return v
}

func newRateView(r Rate) rateView {
	return rateView{
		Trials: fmt.Sprintf("%d of %d", r.Found, r.Trials), Share: percent(r.Share, 2),
		Interval: fmt.Sprintf("%.2f–%.2f %%", 100*r.Low, 100*r.High), Left: fmt.Sprintf("%d, %d", r.FellBack, r.Failed),
	}
}

// typicalSNR is the SNR of cartilage in a good knee scan; some limits are for it too.
const typicalSNR = 50

// addSpans adds the biases of all trains: for T2 of 30 to 80 ms, as in cartilage, at B1 = 1, and for
// 20 to 80 ms over all B1.
func (v *pageView) addSpans(a Result) {
	type train struct {
		echoes  int
		spacing float64
	}
	var trains []train
	for _, c := range a.Cells {
		if t := (train{c.Echoes, c.Spacing}); !slices.Contains(trains, t) {
			trains = append(trains, t)
			v.Trains = append(v.Trains, trainName(t.echoes, t.spacing))
		}
	}
	best := a.bestSNR()
	for _, m := range a.Methods {
		s := spanView{Name: m.Name}
		for _, t := range trains {
			ofTrain := func(c Cell) bool {
				return c.Method == m.Name && c.Echoes == t.echoes && c.Spacing == t.spacing && c.T2 <= 80
			}
			s.Uniform = append(s.Uniform, a.span(func(c Cell) bool {
				return ofTrain(c) && c.B1 == 1 && c.SNR == typicalSNR && c.T2 >= 30
			}))
			s.AnyB1 = append(s.AnyB1, a.span(func(c Cell) bool { return ofTrain(c) && c.SNR == best && c.T2 >= 20 }))
		}
		v.Spans = append(v.Spans, s)
	}
}

// span prints the least and the greatest bias of some cells.
func (a Result) span(in func(Cell) bool) string {
	low, high := math.Inf(1), math.Inf(-1)
	for _, c := range a.Cells {
		if in(c) {
			low, high = min(low, c.Bias), max(high, c.Bias)
		}
	}
	if low > high {
		return "–"
	}
	return signedPercent(low) + " … " + signedPercent(high)
}

func plain(list []float64) []string {
	var out []string
	for _, x := range list {
		out = append(out, fmt.Sprintf("%g", x))
	}
	return out
}

func (a Result) methodView(m Method, columns []float64, at func(t2, x float64) Cell) methodView {
	v := methodView{Name: m.Name, Words: m.Words}
	for _, t2 := range a.values(t2Of) {
		row := t2View{T2: fmt.Sprintf("%g", t2)}
		for _, x := range columns {
			row.Cells = append(row.Cells, newCellView(a.find(m.Name, at(t2, x))))
		}
		v.Rows = append(v.Rows, row)
	}
	return v
}

func newCellView(c Cell) cellView {
	v := cellView{Bias: signedPercent(c.Bias), SD: ratio(c.SDOverBound()), Coverage: percent(c.Coverage, 1)}
	if c.Failed >= 0.0005 { // else it would be printed as 0.0 %
		v.Failed = percent(c.Failed, 1)
	}
	switch size := math.Abs(c.Bias); {
	case math.IsNaN(size):
	case size <= 0.02: // as the limits of rician and epg
		v.Shade = "good"
	case size <= 0.05: // scan–rescan variation of T2, PMC8574057
		v.Shade = "fair"
	default:
		v.Shade = "poor"
	}
	return v
}

// percent prints a fraction.
func percent(x float64, decimals int) string {
	if math.IsNaN(x) {
		return "–"
	}
	return fmt.Sprintf("%.*f %%", decimals, 100*x)
}

// signedPercent prints a bias to a hundredth of a percent where it is small.
func signedPercent(x float64) string {
	switch x *= 100; {
	case math.IsNaN(x):
		return "–"
	case math.IsInf(x, 0):
		return "∞"
	case math.Abs(x) < 9.995:
		return strings.Replace(fmt.Sprintf("%+.2f", x), "-", "−", 1)
	}
	return strings.Replace(fmt.Sprintf("%+.0f", x), "-", "−", 1)
}

// ratio prints a standard deviation over its bound. It has no upper limit: at low SNR, a few
// estimates are far from the others.
func ratio(x float64) string {
	switch {
	case math.IsNaN(x):
		return "–"
	case x >= 100:
		return "> 100"
	case x >= 9.995:
		return fmt.Sprintf("%.0f", x)
	}
	return fmt.Sprintf("%.2f", x)
}

func newLimitView(l Limit) limitView {
	v := limitView{Method: l.Method, Where: l.Where, Cells: l.Cells, Met: l.Met, Verdict: "missed"}
	if l.Met {
		v.Verdict = "met"
	}
	switch l.Quantity {
	case QuantityBias:
		v.Limit = fmt.Sprintf("bias within ±%g %%", 100*l.High)
		v.Worst = fmt.Sprintf("%s ± %.2f %%", signedPercent(l.Value), 100*l.Chance)
	case QuantityCoverage:
		v.Limit = fmt.Sprintf("coverage %g–%g %%", 100*l.Low, 100*l.High)
		v.Worst = fmt.Sprintf("%.1f ± %.1f %%", 100*l.Value, 100*l.Chance)
	case QuantityFalsePositives:
		v.Limit = fmt.Sprintf("false positives %g–%g %%", 100*l.Low, 100*l.High)
		v.Worst = fmt.Sprintf("%.2f ± %.2f %%", 100*l.Value, 100*l.Chance)
	default:
		v.Limit = fmt.Sprintf("%s ≤ %g", l.Quantity, l.High)
		v.Worst = fmt.Sprintf("%.3f ± %.3f", l.Value, l.Chance)
	}
	if l.Cells == 0 {
		v.Worst, v.WorstAt = "–", "no such cell"
		return v
	}
	if l.At != "" {
		v.WorstAt = l.At
		return v
	}
	v.WorstAt = fmt.Sprintf("T2 %g ms, SNR %g, B1 %g", l.Worst.T2, l.Worst.SNR, l.Worst.B1)
	return v
}

func dataURI(png []byte) htmltemplate.URL {
	return htmltemplate.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(png))
}

// printView prints the bias of every method at B1 = 1, with its spread and
// coverage at the best SNR and its failures at the worst, and the limits.
func printView(w io.Writer, v pageView) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, m := range v.Methods {
		m.print(t, v.SNR)
	}
	if n := len(v.SNR); n > 0 {
		fmt.Fprintf(t, "Bias of the median in %%; SD over the Cramér–Rao bound and coverage of the 95 %% interval at SNR %s,\n", v.SNR[n-1])
		fmt.Fprintf(t, "failures at SNR %s; train of %s, B1 1, %d draws a cell.\n\n", v.SNR[0], v.Train, v.JudgedDraws)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	t = tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "METHOD\tLIMIT\tWHERE\tWORST\tAT\t")
	for _, l := range v.Limits {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", l.Method, l.Limit, l.Where, l.Worst, l.WorstAt, l.Verdict)
	}
	return t.Flush()
}

func (m methodView) print(w io.Writer, snr []string) {
	fmt.Fprintf(w, "%s: %s\nT2 (ms)\t", m.Name, m.Words)
	for _, s := range snr {
		fmt.Fprintf(w, "SNR %s\t", s)
	}
	fmt.Fprintf(w, "SD/bound\tcovers\tfailed\t\n")
	for _, r := range m.Rows {
		fmt.Fprintf(w, "%s\t", r.T2)
		for _, c := range r.Cells {
			fmt.Fprintf(w, "%s\t", c.Bias)
		}
		best := r.Cells[len(r.Cells)-1]
		fmt.Fprintf(w, "%s\t%s\t%s\t\n", best.SD, best.Coverage, r.Cells[0].Failed)
	}
	fmt.Fprintln(w)
}
