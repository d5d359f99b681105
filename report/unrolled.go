package report

import (
	"fmt"
	"image"
	"io"
	"math"

	"golang.org/x/image/font"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/segment/unroll"
	"github.com/t2map/t2map/volume"
)

// Unrolled is the unrolled T2 of the femoral cartilage of a knee. Positions grow to the
// patient's left.
type Unrolled struct {
	unroll.Map
	// Side of the knee, left or right, decides which end of a row is medial. It is empty if
	// it is not known.
	Side string
}

// empty reports whether the map has no cells. u may be nil.
func (u *Unrolled) empty() bool { return u == nil || len(u.T2) == 0 }

// Check returns an error if the number of values disagrees with the numbers of rows and columns,
// or if the size of a cell is not positive and finite.
func (u Unrolled) Check() error {
	rows, columns := u.Size()
	if rows < 1 || columns < 1 || len(u.T2) != rows*columns {
		return fmt.Errorf("unrolled map: got %d values, want %d rows of %d", len(u.T2), rows, columns)
	}
	if !(u.Angle > 0 && u.Width > 0) || math.IsInf(u.Angle, 1) || math.IsInf(u.Width, 1) {
		return fmt.Errorf("unrolled map: cells of %g° and %g mm, want positive ones", u.Angle, u.Width)
	}
	return nil
}

// ends names the left and the right end of the map: the sides of the knee or, if the knee's side
// is not known, those of the patient.
func (u Unrolled) ends() [2]string {
	switch u.Side { // columns grow to the patient's left
	case "left":
		return [2]string{"medial", "lateral"}
	case "right":
		return [2]string{"lateral", "medial"}
	}
	return [2]string{"right", "left"}
}

// Volume returns the map as one slice. Its columns are positions in mm and its rows angles in
// degrees, so that it has no place in the patient.
func (u Unrolled) Volume() volume.Map {
	rows, columns := u.Size()
	middle := func(first int, step float64) float64 { return (float64(first) + 0.5) * step }
	m := volume.Map{Geometry: volume.Geometry{
		Size: [3]int{columns, rows, 1},
		Affine: [3][4]float64{
			{u.Width, 0, 0, middle(u.Columns[0], u.Width)},
			{0, u.Angle, 0, middle(u.Rows[0], u.Angle)},
			{0, 0, 1, 0},
		},
	}, Data: make([]float32, len(u.T2))}
	for n, t2 := range u.T2 {
		m.Data[n] = float32(t2)
	}
	return m
}

// The size of the map in unrolled.png and its margins, in pixels.
const (
	unrolledWidth  = 840
	unrolledHeight = 560
	unrolledLeft   = 120
	unrolledRight  = 60
	unrolledTop    = 46
	unrolledBottom = 64
)

// writeUnrolled writes unrolled.png: T2 on the scale of 0 to 80 ms, with a row for each angle and
// a column for each position. Cells without a T2 are black.
func writeUnrolled(w io.Writer, u Unrolled, r Result) error {
	area := image.Rect(0, 0, unrolledWidth, unrolledHeight)
	sh := sheet{size: image.Pt(unrolledLeft+unrolledWidth+unrolledRight, 0)}
	sh.header = 3 * sh.textSize(sh.size.X)
	area = area.Add(image.Pt(unrolledLeft, sh.header+unrolledTop))
	sh.size.Y = area.Max.Y + unrolledBottom
	img := image.NewPaletted(image.Rectangle{Max: sh.size}, palette)
	figure.Fill(img, img.Rect, figure.GreyPanel)
	em := sh.textSize(sh.size.X)
	bar := drawScale(img, sh, figure.Typeface(figure.Sans, em*8/10, font.WeightNormal), false)
	const subtitle = "femoral cartilage, unrolled about the axis of the condyles: mean T2 over its thickness"
	drawWords(img, sh, words{title(r), printable.Join("; ", subtitle, r.Mask.Carried())}, bar-2*em)
	figure.Fill(img, area, 0)
	rows, columns := u.Size()
	v := newView(image.Rect(0, 0, columns, rows),
		float64(unrolledWidth)/float64(columns), float64(unrolledHeight)/float64(rows))
	for y, j := range v.y.near {
		for x, i := range v.x.near {
			if t2 := u.T2[j*columns+i]; isFinite(t2) {
				img.Pix[img.PixOffset(area.Min.X+x, area.Min.Y+y)] = figure.T2Index(float32(t2))
			}
		}
	}
	u.drawAxes(img, area)
	return figure.EncodePNG(w, img)
}

// drawAxes draws ticks around the map and names the axes and their ends.
func (u Unrolled) drawAxes(img *image.Paletted, area image.Rectangle) {
	const em = 16
	plain, bold := figure.Typeface(figure.Sans, em, font.WeightNormal), figure.Typeface(figure.Sans, em, font.WeightBold)
	write := func(face font.Face, text string, level uint8, x, y int, share float64) {
		text = figure.Shorten(text, func(s string) bool { return figure.TextWidth(face, s) <= img.Rect.Dx()/3 })
		x -= int(share * float64(figure.TextWidth(face, text)))
		figure.Caption{Face: face, Text: text, Level: level}.Draw(img, image.Pt(x, y))
	}
	for _, t := range axisTicks(u.Columns, u.Width, area.Dx()) {
		x := area.Min.X + t.pixel
		figure.Fill(img, image.Rect(x-1, area.Max.Y, x+1, area.Max.Y+6), figure.GreySoft)
		write(plain, t.text, figure.GreyBright, x, area.Max.Y+6+em, 0.5)
	}
	for _, t := range axisTicks(u.Rows, u.Angle, area.Dy()) {
		y := area.Min.Y + t.pixel
		figure.Fill(img, image.Rect(area.Min.X-6, y-1, area.Min.X, y+1), figure.GreySoft)
		write(plain, t.text+"°", figure.GreyBright, area.Min.X-10, y+em*4/10, 1)
	}
	write(plain, "position across the knee (mm)", figure.GreyBright, (area.Min.X+area.Max.X)/2, area.Max.Y+6+em+em*17/10,
		0.5)
	write(bold, u.ends()[0], figure.GreyWhite, area.Min.X, area.Min.Y-em, 0)
	write(bold, u.ends()[1], figure.GreyWhite, area.Max.X, area.Min.Y-em, 1)
	write(bold, "anterior", figure.GreyWhite, area.Min.X-24, area.Min.Y-em, 1)
	write(bold, "posterior", figure.GreyWhite, area.Min.X-10, area.Max.Y+6+em+em*17/10, 1)
}

// axisTick is a round number at a pixel of an axis.
type axisTick struct {
	pixel int
	text  string
}

// axisTicks returns ticks at round numbers along an axis. The axis takes the range of steps, each
// of the length step, and is drawn in the given number of pixels.
func axisTicks(steps [2]int, step float64, pixels int) []axisTick {
	first, last := float64(steps[0])*step, float64(steps[1])*step
	var ticks []axisTick
	for _, t := range figure.RoundTicks(first, last) {
		p := int(math.Round((t.Value - first) / (last - first) * float64(pixels)))
		ticks = append(ticks, axisTick{min(max(p, 0), pixels), figure.Number(t.Value, 0)})
	}
	return ticks
}
