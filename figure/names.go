package figure

import (
	"fmt"
	"slices"
	"unicode"

	"golang.org/x/image/font/sfnt"
	plotfont "gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/t2map/t2map/printable"
)

// Writable reports whether a text can be written in figures. The typeface must have a glyph for each
// letter, and the script must run from left to right without joined letters.
func Writable(s string) bool {
	face := plotfont.DefaultCache.Lookup(Sans, 1).Face
	var buf sfnt.Buffer
	for _, r := range printable.Line(s) {
		if !hasGlyph(face, &buf, r) || unicode.In(r, unicode.Hebrew, unicode.Arabic, unicode.Syriac, unicode.Thaana,
			unicode.Nko) {
			return false
		}
	}
	return true
}

// hasGlyph reports whether the typeface has the letter and fpdf can embed it. fpdf cannot embed letters
// outside the first plane of Unicode.
func hasGlyph(f *sfnt.Font, buf *sfnt.Buffer, r rune) bool {
	g, err := f.GlyphIndex(buf, r)
	return err == nil && g != 0 && r <= 0xffff
}

// ShortenAll shortens names that are shown together, so that different names remain different. It uses
// Shorten. If names become equal, it cuts these in the middle instead. If some are still equal, it adds a
// number to all names. Equal names remain equal, and empty names empty.
func ShortenAll(names []string, fits func(string) bool) []string {
	var unique []string
	number := map[string]int{}
	for _, n := range names {
		if _, known := number[n]; !known {
			number[n] = len(unique)
			unique = append(unique, n)
		}
	}
	short := make([]string, len(unique))
	for i, n := range unique {
		short[i] = Shorten(n, fits)
	}
	if clash := clashes(short); slices.Contains(clash, true) {
		for i, n := range unique {
			if clash[i] {
				short[i] = cutMiddle(n, fits)
			}
		}
	}
	if slices.Contains(clashes(short), true) {
		for i, n := range unique {
			if n == "" {
				continue
			}
			bare := fmt.Sprint(i + 1)
			short[i] = Shorten(bare+": "+n, fits)
			// If the number itself is cut, use it alone, even if it does not fit.
			if len([]rune(short[i])) <= len(bare)+3 {
				short[i] = bare
			}
		}
	}
	shortened := make([]string, len(names))
	for i, n := range names {
		shortened[i] = short[number[n]]
	}
	return shortened
}

// clashes reports for each name whether another one is equal.
func clashes(names []string) []bool {
	count := map[string]int{}
	for _, n := range names {
		count[n]++
	}
	clash := make([]bool, len(names))
	for i, n := range names {
		clash[i] = count[n] > 1
	}
	return clash
}

// cutMiddle makes s printable and, if it does not fit, replaces its middle with an ellipsis.
func cutMiddle(s string, fits func(string) bool) string {
	s = printable.Line(s)
	if fits(s) {
		return s
	}
	r := []rune(s)
	cut := func(keep int) string { return string(r[:(keep+1)/2]) + "…" + string(r[len(r)-keep/2:]) }
	keep := 0
	for keep+1 < len(r) && fits(cut(keep+1)) {
		keep++
	}
	return cut(keep)
}

// FitAll shortens names that are shown together to a width in a style. Different names stay different.
func FitAll(style draw.TextStyle, names []string, width vg.Length) []string {
	return ShortenAll(names, func(s string) bool { return style.Width(s) <= width })
}
