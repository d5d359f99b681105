package publish

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/trial"
)

// dash stands on the page for a figure that could not be had.
const dash = "–"

// fixedTo prints x with a number of decimals and a true minus sign; a dash where it is absent.
func fixedTo(x float64, decimals int) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return dash
	}
	s := strconv.FormatFloat(x, 'f', decimals, 64)
	if strings.Trim(s, "-0.") == "" {
		s = strings.TrimPrefix(s, "-") // no −0.00
	}
	return strings.Replace(s, "-", "−", 1)
}

// pValue prints a p to three decimals, or <0.001: what journals ask for (SAMPL guidelines,
// Lang and Altman 2013).
func pValue(p float64) string {
	switch {
	case math.IsNaN(p):
		return dash
	case p < 0.001:
		return "<0.001"
	}
	return fixedTo(p, 3)
}

// pIs prints "p = 0.034" or "p < 0.001".
func pIs(p float64) string {
	s := pValue(p)
	if strings.HasPrefix(s, "<") {
		return "p\u00a0<\u00a0" + s[1:]
	}
	return "p\u00a0=\u00a0" + s
}

// decimalsOf are those of an endpoint: two for ms, since T2 is good to a percent (field
// data: 1 to 5 % between repeated scans); else such that the standard deviations show
// three digits.
func decimalsOf(e *trial.EndpointAnalysis) int {
	if e.Unit == "ms" {
		return 2
	}
	largest := 0.0
	for _, cells := range e.Cells {
		for _, c := range cells {
			for _, d := range []trial.Description{c.Value, c.Change} {
				if d.SD > largest {
					largest = d.SD
				}
			}
		}
	}
	if largest == 0 {
		return 2
	}
	const digits, most = 3, 5
	return min(max(digits-1-int(math.Floor(math.Log10(largest))), 0), most)
}

// percentDecimals and ratioDecimals are those of percentages and of numbers
// without a unit, such as a correlation.
const (
	percentDecimals = 1
	ratioDecimals   = 2
	dfDecimals      = 1
)

// interval prints [low, high]; a dash where either is absent.
func interval(low, high float64, decimals int) string {
	if math.IsNaN(low) || math.IsNaN(high) {
		return dash
	}
	return "[" + fixedTo(low, decimals) + ", " + fixedTo(high, decimals) + "]"
}

// withInterval prints an estimate with its interval, as far as they are there.
func withInterval(x, low, high float64, decimals int) string {
	if math.IsNaN(x) {
		return dash
	}
	if math.IsNaN(low) || math.IsNaN(high) {
		return fixedTo(x, decimals)
	}
	return fixedTo(x, decimals) + " " + interval(low, high, decimals)
}

// percentOf prints a level or share in percent, as short as it can be.
func percentOf(fraction float64) string {
	return strconv.FormatFloat(math.Round(fraction*1e6)/1e4, 'f', -1, 64) + "\u00a0%"
}

// months prints a nominal month as short as it can be.
func months(x float64) string {
	if math.IsNaN(x) {
		return dash
	}
	return strconv.FormatFloat(x, 'f', -1, 64)
}

// plural prints "1 subject", "2 subjects".
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%s %s", thousands(n), many)
}

// thousands prints a count with commas.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// longestWord is how many characters of a word the page keeps together: more than any
// name that is meant to be read, and few enough for a column of a table on paper.
const longestWord = 30

// called is a text of unknown origin on one line, with places to break in words without
// end; a dash where it is empty. It is never cut: two names that begin alike would be one.
func called(s string) string {
	s = strings.TrimSpace(printable.Line(s))
	if s == "" {
		return dash
	}
	words := strings.Split(s, " ")
	for i, w := range words {
		if len(w) <= longestWord {
			continue
		}
		var b strings.Builder
		for n, r := range []rune(w) {
			if n > 0 && n%longestWord == 0 {
				b.WriteRune('\u200b') // zero width space
			}
			b.WriteRune(r)
		}
		words[i] = b.String()
	}
	return strings.Join(words, " ")
}

// titleOf is what figures call an endpoint.
func titleOf(e *trial.EndpointAnalysis) string { return called(cmp.Or(e.Title, e.Name)) }

// withUnit is the title with the unit.
func withUnit(e *trial.EndpointAnalysis) string {
	if e.Unit == "" {
		return titleOf(e)
	}
	return titleOf(e) + " (" + called(e.Unit) + ")"
}

// spaced is " ms", or nothing for an endpoint without unit.
func spaced(e *trial.EndpointAnalysis) string {
	if e.Unit == "" {
		return ""
	}
	return " " + called(e.Unit)
}
