package figure

import (
	"fmt"
	"slices"
	"unicode"

	"golang.org/x/image/font/sfnt"
	plotfont "gonum.org/v1/plot/font"

	"github.com/t2map/t2map/printable"
)

// Writable reports whether a text can be written in figures: the typeface has a glyph for each letter,
// and the letters go from left to right and are not joined.
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

// hasGlyph reports whether the typeface has the letter, and fpdf can embed it, which fails outside the
// first plane of Unicode.
func hasGlyph(f *sfnt.Font, buf *sfnt.Buffer, r rune) bool {
	g, err := f.GlyphIndex(buf, r)
	return err == nil && g != 0 && r <= 0xffff
}

// ShortenAll shortens names that are shown together so that different names stay different: as Shorten
// if that suffices; otherwise names that would become equal lose their middles; and if that does not
// suffice, or the names look the same, all get a number. Equal names stay equal, empty ones empty.
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
			// If the number itself is cut, it is alone, whether it fits or not.
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

// cutMiddle makes s printable and, where it does not fit, replaces its middle by an
// ellipsis.
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
