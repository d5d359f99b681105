package figure

import (
	"math"
	"sort"
	"strconv"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/t2map/t2map/printable"
)

// Shorten makes s printable and, if it does not fit, replaces its end with an ellipsis.
func Shorten(s string, fits func(string) bool) string {
	s = printable.Line(s)
	if fits(s) {
		return s
	}
	r := []rune(s)
	kept := sort.Search(len(r), func(n int) bool { return !fits(string(r[:n+1]) + "…") })
	return string(r[:kept]) + "…"
}

// Fit shortens s to a width in the given style.
func Fit(style draw.TextStyle, s string, width vg.Length) string {
	return Shorten(s, func(s string) bool { return style.Width(s) <= width })
}

// Wrap breaks s between words into lines of at most the given width. Words that are too wide, and text that
// does not fit into the number of lines, are cut with an ellipsis.
func Wrap(style draw.TextStyle, s string, width vg.Length, lines int) []string {
	words := strings.Fields(printable.Line(s))
	var wrapped []string
	for len(words) > 0 {
		if len(wrapped) == lines-1 {
			return append(wrapped, Fit(style, strings.Join(words, " "), width))
		}
		n := 1
		for n < len(words) && style.Width(strings.Join(words[:n+1], " ")) <= width {
			n++
		}
		wrapped = append(wrapped, Fit(style, strings.Join(words[:n], " "), width))
		words = words[n:]
	}
	return wrapped
}

// Number formats x with the given number of decimals and a minus sign (U+2212). Numbers that are not finite
// are "–", and numbers that round to 0 have no sign.
func Number(x float64, decimals int) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return "–"
	}
	s := strconv.FormatFloat(x, 'f', decimals, 64)
	switch {
	case len(s) <= 12:
	case x == 0:
		s = "0"
	default: // too long for a column
		s = strconv.FormatFloat(x, 'e', 2, 64)
	}
	if strings.Trim(s, "-0.") == "" {
		s = strings.TrimPrefix(s, "-")
	}
	return strings.ReplaceAll(s, "-", "−")
}
