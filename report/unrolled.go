package report

import (
	"fmt"
	"image"
	"io"
	"math"

	"golang.org/x/image/font"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/volume"
)

// Unrolled is the T2 of the femoral cartilage unrolled from the cylinder that it lies on: the
// mean over its thickness, by the angle about the cylinder's axis and the position along it,
// as unroll.Map has it.
type Unrolled struct {
	// Angle and Across are the height of a cell in degrees and its width in mm.
	Angle, Across float64
	// Rows and Columns are the first step, and the one after the last: the first row reaches
	// from Rows[0]·Angle to one step more. Angles grow from front to back, with 0° below, and
	// positions to the patient's left.
	Rows, Columns [2]int
	// T2 in ms, row by row; NaN where there is none.
	T2 []float64
	// Side of the knee, left or right: which end of a row is medial. Empty if it is not known.
	Side string
}

// size returns the numbers of rows and columns.
func (u Unrolled) size() (rows, columns int) {
	return u.Rows[1] - u.Rows[0], u.Columns[1] - u.Columns[0]
}

// empty reports whether there is nothing to show.
func (u *Unrolled) empty() bool { return u == nil || len(u.T2) == 0 }

// check returns an error where the sizes do not fit each other.
func (u Unrolled) check() error {
	rows, columns := u.size()
	if rows < 1 || columns < 1 || len(u.T2) != rows*columns {
		return fmt.Errorf("unrolled map: got %d values, want %d rows of %d", len(u.T2), rows, columns)
	}
	if !(u.Angle > 0 && u.Across > 0) || math.IsInf(u.Angle, 1) || math.IsInf(u.Across, 1) {
		return fmt.Errorf("unrolled map: cells of %g° and %g mm, want positive ones", u.Angle, u.Across)
	}
	return nil
}

// ends names the sides of the knee at the left and the right of the map.
func (u Unrolled) ends() [2]string {
	switch u.Side { // columns grow to the patient's left
	case "left":
		return [2]string{"medial", "lateral"}
	case "right":
		return [2]string{"lateral", "medial"}
	}
	return [2]string{"right", "left"}
}

// volume returns the map as a slice whose columns are positions in mm and whose rows are
// angles in degrees: a plane that lies nowhere in the patient.
func (u Unrolled) volume() volume.Map {
	rows, columns := u.size()
	middle := func(first int, step float64) float64 { return (float64(first) + 0.5) * step }
	m := volume.Map{Geometry: volume.Geometry{
		Size: [3]int{columns, rows, 1},
		Affine: [3][4]float64{
			{u.Across, 0, 0, middle(u.Columns[0], u.Across)},
			{0, u.Angle, 0, middle(u.Rows[0], u.Angle)},
			{0, 0, 1, 0},
		},
	}, Data: make([]float32, len(u.T2))}
	for n, t2 := range u.T2 {
		m.Data[n] = float32(t2)
	}
	return m
}

// The size of the map in unrolled.png, in pixels, and what stands around it.
const (
	unrolledWidth  = 840
	unrolledHeight = 560
	unrolledLeft   = 120
	unrolledRight  = 60
	unrolledTop    = 46
	unrolledBottom = 64
)

// writeUnrolled writes unrolled.png: T2 by angle (down) and position (across) on the scale of
// 0 to 80 ms, black where there is none.
func writeUnrolled(w io.Writer, u Unrolled, r Result) error {
	area := image.Rect(0, 0, unrolledWidth, unrolledHeight)
	sh := sheet{size: image.Pt(unrolledLeft+unrolledWidth+unrolledRight, 0)}
	sh.header = 3 * sh.textSize(sh.size.X)
	area = area.Add(image.Pt(unrolledLeft, sh.header+unrolledTop))
	sh.size.Y = area.Max.Y + unrolledBottom
	img := image.NewPaletted(image.Rectangle{Max: sh.size}, palette)
	fill(img, img.Rect, greyPanel)
	em := sh.textSize(sh.size.X)
	bar := drawScale(img, sh, typeface(figure.Sans, em*8/10, font.WeightNormal), false)
	drawWords(img, sh, words{title(r), joinKnown("; ", "femoral cartilage, unrolled about the axis of the condyles: mean T2 over its thickness", r.Mask.carried())}, bar-2*em)
	fill(img, area, 0)
	rows, columns := u.size()
	v := newView(image.Rect(0, 0, columns, rows), float64(unrolledWidth)/float64(columns), float64(unrolledHeight)/float64(rows))
	for y, j := range v.y.near {
		for x, i := range v.x.near {
			if t2 := u.T2[j*columns+i]; isFinite(t2) {
				img.Pix[img.PixOffset(area.Min.X+x, area.Min.Y+y)] = t2Index(float32(t2))
			}
		}
	}
	u.drawAxes(img, area)
	return encodePNG(w, img)
}

// drawAxes writes ticks, the names of the axes and of their ends around the map.
func (u Unrolled) drawAxes(img *image.Paletted, area image.Rectangle) {
	const em = 16
	plain, bold := typeface(figure.Sans, em, font.WeightNormal), typeface(figure.Sans, em, font.WeightBold)
	write := func(face font.Face, text string, level uint8, x, y int, share float64) {
		text = figure.Shorten(text, func(s string) bool { return textWidth(face, s) <= img.Rect.Dx()/3 })
		x -= int(share * float64(textWidth(face, text)))
		caption{face: face, text: text, level: level}.draw(img, image.Pt(x, y))
	}
	for _, t := range axisTicks(u.Columns, u.Across, area.Dx()) {
		x := area.Min.X + t.pixel
		fill(img, image.Rect(x-1, area.Max.Y, x+1, area.Max.Y+6), greySoft)
		write(plain, t.text, greyBright, x, area.Max.Y+6+em, 0.5)
	}
	for _, t := range axisTicks(u.Rows, u.Angle, area.Dy()) {
		y := area.Min.Y + t.pixel
		fill(img, image.Rect(area.Min.X-6, y-1, area.Min.X, y+1), greySoft)
		write(plain, t.text+"°", greyBright, area.Min.X-10, y+em*4/10, 1)
	}
	write(plain, "position across the knee (mm)", greyBright, (area.Min.X+area.Max.X)/2, area.Max.Y+6+em+em*17/10, 0.5)
	write(bold, u.ends()[0], greyWhite, area.Min.X, area.Min.Y-em, 0)
	write(bold, u.ends()[1], greyWhite, area.Max.X, area.Min.Y-em, 1)
	write(bold, "anterior", greyWhite, area.Min.X-24, area.Min.Y-em, 1)
	write(bold, "posterior", greyWhite, area.Min.X-10, area.Max.Y+6+em+em*17/10, 1)
}

// axisTick is a round number at a pixel of an axis.
type axisTick struct {
	pixel int
	text  string
}

// axisTicks returns round numbers along an axis of cells of that many steps in so many pixels.
func axisTicks(steps [2]int, step float64, pixels int) []axisTick {
	first, last := float64(steps[0])*step, float64(steps[1])*step
	var out []axisTick
	for _, t := range roundTicks(first, last) {
		p := int(math.Round((t.Value - first) / (last - first) * float64(pixels)))
		out = append(out, axisTick{min(max(p, 0), pixels), figure.Number(t.Value, 0)})
	}
	return out
}
