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
var glue = strings.NewReplacer(" ms", "\u00a0ms", " %", "\u00a0%", "T2 ", "T2\u00a0", "SNR ", "SNR\u00a0",
	"B1 ", "B1\u00a0", "≥ ", "≥\u00a0", "< ", "<\u00a0")

// pageView holds the texts and numbers of the page. The templates only place them.
type pageView struct {
	Version, Platform, Train string
	Met, Missed, Cells       int
	Draws, JudgedDraws       int
	Seed                     uint64
	BestSNR                  string
	Limits                   []limitView
	SNR, B1                  []string
	Methods                  []methodView // by SNR at B1 = 1
	ByB1                     []methodView // by B1 at the best SNR
	Trains                   []string
	Spans                    []spanView
	Null                     []nullView
	NullPerArm               int
	SNRPicture, B1Picture    htmltemplate.URL
}

// nullView is a test in trials without an effect, with the rates in the first trials and in all.
type nullView struct {
	Method, Words, Scope string
	First, All           rateView
}

type rateView struct{ Trials, Share, Interval, Doubtful string }

// limitView is a limit as text.
type limitView struct {
	Method, Limit, Scope, Worst, WorstAt, Verdict string
	Cells                                         int
	Met                                           bool
}

// spanView holds the ranges of the bias of a method, one for each train: at B1 = 1 and a typical SNR, and over all B1
// at the best SNR.
type spanView struct {
	Name           string
	Uniform, AnyB1 []string
}

// methodView is the table of a method, with a row for each T2.
type methodView struct {
	Name, Words string
	Rows        []t2View
}

type t2View struct {
	T2    string // ms
	Cells []cellView
}

// cellView holds the values of a cell as text: bias in percent with its sign, SD over the bound, coverage in percent,
// and the failure rate unless it is 0.
type cellView struct {
	Bias, SD, Coverage, Failed string
	// Shade is the CSS class of the background, which depends on the bias.
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
		v.Null = append(v.Null, nullView{n.Method, n.Words, n.Scope, newRateView(n.First), newRateView(n.All)})
		v.NullPerArm = n.PerArm
	}
	return v
}

func newRateView(r Rate) rateView {
	return rateView{
		Trials: fmt.Sprintf("%d of %d", r.Found, r.Trials), Share: percent(r.Share, 2),
		Interval: fmt.Sprintf("%.2f–%.2f %%", 100*r.Low, 100*r.High),
		Doubtful: fmt.Sprintf("%d, %d", r.FellBack, r.Failed),
	}
}

// typicalSNR is the SNR of cartilage in a good knee scan. Some limits apply to it, too.
const typicalSNR = 50

// addSpans adds the ranges of the bias in all trains: for T2 of 30 to 80 ms, as in cartilage, at B1 = 1, and for 20
// to 80 ms over all B1.
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
			isTrain := func(c Cell) bool {
				return c.Method == m.Name && c.Echoes == t.echoes && c.Spacing == t.spacing && c.T2 <= 80
			}
			s.Uniform = append(s.Uniform, a.span(func(c Cell) bool {
				return isTrain(c) && c.B1 == 1 && c.SNR == typicalSNR && c.T2 >= 30
			}))
			s.AnyB1 = append(s.AnyB1, a.span(func(c Cell) bool { return isTrain(c) && c.SNR == best && c.T2 >= 20 }))
		}
		v.Spans = append(v.Spans, s)
	}
}

// span formats the lowest and the highest bias of the selected cells.
func (a Result) span(selected func(Cell) bool) string {
	low, high := math.Inf(1), math.Inf(-1)
	for _, c := range a.Cells {
		if selected(c) {
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

func (a Result) methodView(m Method, columns []float64, cell func(t2, x float64) Cell) methodView {
	v := methodView{Name: m.Name, Words: m.Words}
	for _, t2 := range a.values(t2Of) {
		row := t2View{T2: fmt.Sprintf("%g", t2)}
		for _, x := range columns {
			row.Cells = append(row.Cells, newCellView(a.find(m.Name, cell(t2, x))))
		}
		v.Rows = append(v.Rows, row)
	}
	return v
}

func newCellView(c Cell) cellView {
	v := cellView{Bias: signedPercent(c.Bias), SD: ratio(c.SDOverBound()), Coverage: percent(c.Coverage, 1)}
	if c.Failed >= 0.0005 { // a lower rate would be shown as 0.0 %
		v.Failed = percent(c.Failed, 1)
	}
	switch size := math.Abs(c.Bias); {
	case math.IsNaN(size):
	case size <= 0.02: // the limit of rician-sigma-given and epg
		v.Shade = "good"
	case size <= 0.05: // scan–rescan variation of T2, PMC8574057
		v.Shade = "fair"
	default:
		v.Shade = "poor"
	}
	return v
}

// percent formats a fraction.
func percent(x float64, decimals int) string {
	if math.IsNaN(x) {
		return "–"
	}
	return fmt.Sprintf("%.*f %%", decimals, 100*x)
}

// signedPercent formats a bias in percent, with two decimals if it is small.
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

// ratio formats a standard deviation over its bound. It can be very large, because at low SNR a few estimates are far
// from the others.
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
	v := limitView{Method: l.Method, Scope: l.Scope, Cells: l.Cells, Met: l.Met, Verdict: "missed"}
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
	if l.Source != "" {
		v.WorstAt = l.Source
		return v
	}
	v.WorstAt = fmt.Sprintf("T2 %g ms, SNR %g, B1 %g", l.Worst.T2, l.Worst.SNR, l.Worst.B1)
	return v
}

func dataURI(png []byte) htmltemplate.URL {
	return htmltemplate.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(png))
}

// printView prints the bias of every method at B1 = 1, with its spread and coverage at the highest SNR and its
// failures at the lowest, and the limits.
func printView(w io.Writer, v pageView) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, m := range v.Methods {
		m.print(t, v.SNR)
	}
	if n := len(v.SNR); n > 0 {
		fmt.Fprintf(t, "Bias of the median in %%; SD over the Cramér–Rao bound and coverage of the 95 %% interval at "+
			"SNR %s,\nfailures at SNR %s; train of %s, B1 1, %d draws per cell.\n\n", v.SNR[n-1], v.SNR[0], v.Train,
			v.JudgedDraws)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	t = tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "METHOD\tLIMIT\tWHERE\tWORST\tAT\t")
	for _, l := range v.Limits {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", l.Method, l.Limit, l.Scope, l.Worst, l.WorstAt, l.Verdict)
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
