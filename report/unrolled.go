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
// mean over its thickness, by the angle about the cylinder's axis and the position along it.
type Unrolled struct {
	// AngleDegrees holds the angle of each row and PositionMM the position of each column,
	// evenly spaced.
	AngleDegrees, PositionMM []float64
	// T2 in ms by row and column, NaN where there is no cartilage or no T2.
	T2 [][]float32
	// AngleEnds names the sides of the knee at the first and the last row, such as anterior
	// and posterior, PositionEnds those at the first and the last column, such as medial and
	// lateral.
	AngleEnds, PositionEnds [2]string
}

// check returns an error where the sizes do not fit each other.
func (u Unrolled) check() error {
	rows, cols := len(u.AngleDegrees), len(u.PositionMM)
	if len(u.T2) != rows || rows < 2 || cols < 2 {
		return fmt.Errorf("unrolled map: %d rows for %d angles and %d positions, want one for each of at least two", len(u.T2), rows, cols)
	}
	for n, row := range u.T2 {
		if len(row) != cols {
			return fmt.Errorf("unrolled map: row %d: %d values, want %d", n, len(row), cols)
		}
	}
	for _, axis := range [][]float64{u.AngleDegrees, u.PositionMM} {
		if step := axis[1] - axis[0]; !isFinite(axis[0]) || !isFinite(step) || step == 0 {
			return fmt.Errorf("unrolled map: axis from %g in steps of %g, want finite ones", axis[0], step)
		}
	}
	return nil
}

// volume returns the map as a slice whose columns are positions in mm and whose rows are
// angles in degrees: a plane that lies nowhere in the patient.
func (u Unrolled) volume() volume.Map {
	m := volume.Map{Geometry: volume.Geometry{
		Size: [3]int{len(u.PositionMM), len(u.AngleDegrees), 1},
		Affine: [3][4]float64{
			{u.PositionMM[1] - u.PositionMM[0], 0, 0, u.PositionMM[0]},
			{0, u.AngleDegrees[1] - u.AngleDegrees[0], 0, u.AngleDegrees[0]},
			{0, 0, 1, 0},
		},
	}}
	for _, row := range u.T2 {
		m.Data = append(m.Data, row...)
	}
	return m
}

// The size of the map in unrolled.png, in pixels, and what stands around it.
const (
	unrolledWidth  = 840
	unrolledHeight = 560
	unrolledLeft   = 120
	unrolledRight  = 60
	unrolledTop    = 40
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
	v := newView(image.Rect(0, 0, len(u.PositionMM), len(u.AngleDegrees)), float64(unrolledWidth)/float64(len(u.PositionMM)), float64(unrolledHeight)/float64(len(u.AngleDegrees)))
	for y, j := range v.y.near {
		for x, i := range v.x.near {
			if t2 := u.T2[j][i]; t2 == t2 {
				img.Pix[img.PixOffset(area.Min.X+x, area.Min.Y+y)] = t2Index(t2)
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
	for _, t := range axisTicks(u.PositionMM, area.Dx()) {
		x := area.Min.X + t.pixel
		fill(img, image.Rect(x-1, area.Max.Y, x+1, area.Max.Y+6), greySoft)
		write(plain, t.text, greyBright, x, area.Max.Y+6+em, 0.5)
	}
	for _, t := range axisTicks(u.AngleDegrees, area.Dy()) {
		y := area.Min.Y + t.pixel
		fill(img, image.Rect(area.Min.X-6, y-1, area.Min.X, y+1), greySoft)
		write(plain, t.text+"°", greyBright, area.Min.X-10, y+em*4/10, 1)
	}
	write(plain, "position across the knee (mm)", greyBright, (area.Min.X+area.Max.X)/2, area.Max.Y+6+em+em*17/10, 0.5)
	write(bold, u.PositionEnds[0], greyWhite, area.Min.X, area.Min.Y-em*6/10, 0)
	write(bold, u.PositionEnds[1], greyWhite, area.Max.X, area.Min.Y-em*6/10, 1)
	write(bold, u.AngleEnds[0], greyWhite, area.Min.X-10, area.Min.Y-em*6/10, 1)
	write(bold, u.AngleEnds[1], greyWhite, area.Min.X-10, area.Max.Y+6+em+em*17/10, 1)
}

// axisTick is a round number at a pixel of an axis.
type axisTick struct {
	pixel int
	text  string
}

// axisTicks returns round numbers along an axis of evenly spaced cells in that many pixels.
func axisTicks(cells []float64, pixels int) []axisTick {
	n := len(cells)
	step := (cells[n-1] - cells[0]) / float64(n-1)
	first, last := cells[0]-step/2, cells[n-1]+step/2
	var out []axisTick
	for _, t := range roundTicks(min(first, last), max(first, last)) {
		p := int(math.Round((t.Value - first) / (last - first) * float64(pixels)))
		out = append(out, axisTick{min(max(p, 0), pixels), figure.Number(t.Value, 0)})
	}
	return out
}
