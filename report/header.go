package report

import (
	"fmt"
	"image"
	"strconv"

	"golang.org/x/image/font"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/printable"
)

// words is the text above the tiles of a picture.
type words struct{ title, subtitle string }

func (s scene) words(r Result) words { return words{title(r), s.subtitle(r)} }

// drawHeader draws the strip above the tiles of a picture of T2: title and subtitle on the left, the
// colour scale of T2 on the right, and the keys below.
func drawHeader(img *image.Paletted, sh sheet, text words) {
	em := sh.textSize(sh.size.X)
	figure.Fill(img, image.Rect(0, 0, sh.size.X, sh.header), figure.GreyPanel)
	bar := drawScale(img, sh, figure.Typeface(figure.Sans, em*8/10, font.WeightNormal), true)
	drawWords(img, sh, text, bar-2*em)
}

// drawWords writes title, subtitle and keys. Title and subtitle are cut to the width in pixels.
func drawWords(img *image.Paletted, sh sheet, text words, width int) {
	em := sh.textSize(sh.size.X)
	put := func(face font.Face, text string, level uint8, baseline int) {
		text = figure.Shorten(text, func(s string) bool { return figure.TextWidth(face, s) <= width })
		figure.Caption{Face: face, Text: text, Level: level}.Draw(img, image.Pt(em*6/10, baseline))
	}
	put(figure.Typeface(figure.Sans, em, font.WeightBold), text.title, figure.GreyWhite, em*13/10)
	put(figure.Typeface(figure.Sans, em*8/10, font.WeightNormal), text.subtitle, figure.GreySoft, em*25/10)
	sh.keys.Draw(img, 3*em)
}

// title names a study in pictures by its subject, visit and side, omitting those that are not known.
func title(r Result) string {
	return printable.Join(" · ", r.Subject, r.Visit, r.Side)
}

func (s scene) subtitle(r Result) string {
	if s.mask.Voxels == 0 {
		return "no voxels in the mask; middle slice"
	}
	background := "the echo image"
	if n := r.Protocol.SkippedEchoes; n < len(r.TE) {
		background = fmt.Sprintf("echo %d (TE %s ms)", n+1, short(r.TE[n]))
	}
	first, last := s.mask.Slices[0]+1, s.mask.Slices[len(s.mask.Slices)-1]+1
	text := fmt.Sprintf("T2 over %s, slices %d to %d of %d", background, first, last, s.echo.Size[2])
	return printable.Join("; ", text, r.Mask.Carried())
}

// short prints a number with as many decimals as it needs.
func short(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

// drawScale draws the colour bar with ticks in ms and, if excluded is set, the colour of excluded
// voxels, at the right end of the header. It returns the left end of the drawing.
func drawScale(img *image.Paletted, sh sheet, face font.Face, excluded bool) int {
	em := sh.textSize(sh.size.X)
	x := sh.size.X - em
	top, bottom := em*5/10, em*14/10
	baseline := em * 25 / 10
	if excluded {
		const flat = "excluded"
		w := figure.TextWidth(face, flat)
		x -= w
		figure.Caption{Face: face, Text: flat, Level: figure.GreySoft}.Draw(img, image.Pt(x, baseline))
		figure.Fill(img, image.Rect(x, top, x+w, bottom), figure.ExcludedT2)
	}
	x -= 2 * em
	length := max(sh.size.X/5, 8*em)
	left := x - length
	for p := range length {
		figure.Fill(img, image.Rect(left+p, top, left+p+1, bottom), uint8(figure.FirstT2+p*figure.T2Levels/length))
	}
	for ms := 0; ms <= figure.ScaleMaxMS; ms += figure.ScaleTickMS {
		text := strconv.Itoa(ms)
		if ms == figure.ScaleMaxMS {
			text = "≥" + text
		}
		tick := left + ms*length/figure.ScaleMaxMS
		figure.Fill(img, image.Rect(tick-1, bottom, tick+1, bottom+em/4), figure.GreySoft)
		start := image.Pt(tick-figure.TextWidth(face, text)/2, baseline)
		figure.Caption{Face: face, Text: text, Level: figure.GreySoft}.Draw(img, start)
	}
	const unit = "T2 (ms)"
	left -= figure.TextWidth(face, unit) + em
	figure.Caption{Face: face, Text: unit, Level: figure.GreyWhite}.Draw(img, image.Pt(left, bottom-em/10))
	return left
}
