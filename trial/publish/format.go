package publish

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/trial"
)

// dash is shown on the page for a number that does not exist.
const dash = "–"

// pIs prints "p = 0.034" or "p < 0.001".
func pIs(p float64) string {
	s := figure.PValue(p)
	if strings.HasPrefix(s, "<") {
		return "p\u00a0<\u00a0" + s[1:]
	}
	return "p\u00a0=\u00a0" + s
}

// Decimals of percentages, of numbers without a unit such as a correlation, and of degrees of freedom.
const (
	percentDecimals = 1
	ratioDecimals   = 2
	dfDecimals      = 1
)

// interval prints [low, high], or a dash if either is absent.
func interval(low, high float64, decimals int) string {
	if math.IsNaN(low) || math.IsNaN(high) {
		return dash
	}
	return "[" + figure.Number(low, decimals) + ", " + figure.Number(high, decimals) + "]"
}

// unbroken prevents a line break after a comma.
func unbroken(s string) string { return strings.ReplaceAll(s, ", ", ",\u00a0") }

// pair is a cell with the numbers of subjects of an arm and of the reference.
func pair(arm, reference int) cell { return num(unbroken(fmt.Sprintf("%d, %d", arm, reference))) }

// withInterval prints an estimate, with its interval if that exists; a dash if it is absent.
func withInterval(x, low, high float64, decimals int) string {
	if math.IsNaN(x) {
		return dash
	}
	if math.IsNaN(low) || math.IsNaN(high) {
		return figure.Number(x, decimals)
	}
	return figure.Number(x, decimals) + " " + unbroken(interval(low, high, decimals))
}

// percentOf prints a fraction in percent, without trailing zeros.
func percentOf(fraction float64) string {
	return strconv.FormatFloat(math.Round(fraction*1e6)/1e4, 'f', -1, 64) + "\u00a0%"
}

// months prints a nominal month without trailing zeros.
func months(x float64) string {
	if math.IsNaN(x) {
		return dash
	}
	return strconv.FormatFloat(x, 'f', -1, 64)
}

// plural prints "1 participant", "2 participants".
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

// longestWord is the number of characters of a word that the page does not break: more than a readable
// name has, and few enough for a column on paper.
const longestWord = 30

// called returns a text of unknown origin on one line, with zero-width spaces in long words; a dash if it
// is empty. It does not truncate, since two names that begin alike would become equal.
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
				b.WriteRune('\u200b') // zero-width space
			}
			b.WriteRune(r)
		}
		words[i] = b.String()
	}
	return strings.Join(words, " ")
}

// titleOf is the title of an endpoint in figures and tables.
func titleOf(e *trial.EndpointAnalysis) string { return called(e.Title) }

// withUnit returns the title with the unit.
func withUnit(e *trial.EndpointAnalysis) string {
	if e.Unit == "" {
		return titleOf(e)
	}
	return titleOf(e) + " (" + called(e.Unit) + ")"
}

// shownTitle returns the title of an endpoint over its changes and differences, and shownDecimals their
// decimals.
func shownTitle(e *trial.EndpointAnalysis) string {
	if e.Log {
		return titleOf(e) + " (ratio of geometric means)"
	}
	return titleOf(e)
}

func shownDecimals(e *trial.EndpointAnalysis) int {
	if e.Log {
		return ratioDecimals
	}
	return e.Decimals()
}

// shownUnit is withUnit, or shownTitle on the log scale, where changes and differences have no unit.
func shownUnit(e *trial.EndpointAnalysis) string {
	if e.Log {
		return shownTitle(e)
	}
	return withUnit(e)
}

// shownDescription returns a description of changes as reports show it: with geometric means of ratios on the log
// scale. Its SD remains that of the logarithm.
func shownDescription(e *trial.EndpointAnalysis, d trial.Description) trial.Description {
	mean := e.DisplayedInterval(trial.Interval{Estimate: d.Mean, Low: d.Low, High: d.High})
	median := e.DisplayedInterval(trial.Interval{Estimate: d.Median, Low: d.Q1, High: d.Q3})
	d.Mean, d.Low, d.High, d.Median, d.Q1, d.Q3 = mean.Estimate, mean.Low, mean.High, median.Estimate, median.Low,
		median.High
	return d
}

// versus names the arms of a contrast, on one line where the names are short: "A − B", or "A / B" of a ratio.
func versus(a *trial.Analysis, e *trial.EndpointAnalysis, arm int) string {
	const short = 16 // letters; as wide as the numbers in the other columns
	one, other, sign := called(a.Design.Arms[arm]), called(a.Design.Arms[0]), "−"
	if e.Log {
		sign = "/"
	}
	if len(one)+len(other) <= short {
		return one + "\u00a0" + sign + "\u00a0" + other
	}
	return one + " " + sign + " " + other
}

// spaced returns " ms", or nothing for an endpoint whose differences have no unit.
func spaced(e *trial.EndpointAnalysis) string {
	if e.Unit == "" || e.Log {
		return ""
	}
	return " " + called(e.Unit)
}
