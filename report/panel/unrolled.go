package panel

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/report"
)

// Colours of changes.
const (
	changeLevels = 121 // odd, so that 0 is the middle of one; with black and T2, fewer than 256
	// changeMaxMS is the end of the scale: about three times 5 % of 40 ms, the repeatability of T2 (QIBA),
	// and more for single cells.
	changeMaxMS  = 15
	changeTickMS = 5
	firstChange  = 1 + figure.T2Levels
)

// changeStops are the colours of a growing change: from the neutral one over Okabe and Ito's
// (figure.Colours) to a darker one of the same hue, at these shares of the scale.
var (
	changeNeutral = color.RGBA{0xf7, 0xf7, 0xf7, 0xff}
	changeShares  = [3]float64{0, 0.6, 1}
	changeDown    = [3]color.RGBA{changeNeutral, {0x00, 0x72, 0xb2, 0xff}, {0x00, 0x2f, 0x4d, 0xff}}
	changeUp      = [3]color.RGBA{changeNeutral, {0xd5, 0x5e, 0x00, 0xff}, {0x5a, 0x27, 0x00, 0xff}}
)

// changeColour returns the colour at x in [−1, 1] of the scale; x outside is clamped.
func changeColour(x float64) color.RGBA {
	stops := changeUp
	if x < 0 {
		stops = changeDown
	}
	x = min(math.Abs(x), 1)
	n := 0
	if x > changeShares[1] {
		n = 1
	}
	f := (x - changeShares[n]) / (changeShares[n+1] - changeShares[n])
	mix := func(a, b uint8) uint8 { return uint8(math.Round(float64(a) + f*(float64(b)-float64(a)))) }
	a, b := stops[n], stops[n+1]
	return color.RGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), 0xff}
}

// unrolledPalette is black, the colours of T2, and those of changes.
var unrolledPalette = func() color.Palette {
	p := color.Palette{color.RGBA{A: 0xff}}
	p = append(p, figure.MapPalette[figure.FirstT2:figure.FirstT2+figure.T2Levels]...)
	for n := range changeLevels {
		p = append(p, changeColour(2*float64(n)/(changeLevels-1)-1))
	}
	return p
}()

// changeIndex returns the palette index of a change in ms. Larger ones have the last colour.
func changeIndex(ms float64) uint8 {
	n := math.Round((ms/changeMaxMS + 1) / 2 * (changeLevels - 1))
	return uint8(firstChange + min(max(n, 0), changeLevels-1))
}

// unrolledPanel is what is drawn: tiles and their places.
type unrolledPanel struct {
	rows   []Row
	titles []string
	tiles  [][]unrolledTile // by row and visit
	window unrolledWindow
	layout
}

// unrolledTile is the map of a visit: T2 at the first visit, the change from it at others.
type unrolledTile struct {
	report.Unrolled
	change       bool
	side         string    // of the result
	missing      string    // why nothing is seen
	shown        [2]string // what it shows, for people
	flags, notes []string  // what was said of the visit, and what is off about it
}

// Unrolled draws the femoral cartilage unrolled from its cylinder, as in unrolled.nii.gz,
// a row for each subject and a column for each visit: at the first visit T2 on the scale of 0
// to 80 ms, at the others its change from the first visit, on a scale of −15 to 15 ms. Medial
// is at the left for both knees, anterior at the top.
//
// A cell of a change is the difference of the same cell of both maps; where either has no T2 it
// is black. Each map is about the cylinder of its own visit's mask, so that it does not depend
// on how the knee lay, but on how it was segmented, or the mask registered. Cells are not
// resampled: maps with cells of other sizes, or of another knee, are not compared.
//
// A visit without a map, or without one to compare with, is an empty tile with the reason. It is
// ErrNoMaps where no visit has an unrolled map; else errors are as those of Maps.
// Options.Row and NeedMaps, and Row.At, do not matter.
func Unrolled(ctx context.Context, rows []Row, o Options) (figure.Picture, error) {
	p, err := newUnrolledPanel(ctx, rows, o.Visits)
	if err != nil {
		return figure.Picture{}, fmt.Errorf("panel of unrolled maps: %w", err)
	}
	pic := figure.Picture{
		Name: "unrolled", Title: "Unrolled femoral T2 and its change", Caption: p.caption(), Flags: allFlags(rows),
		Remarks: p.remarks(), Width: p.width.mm(), Height: p.height.mm(),
	}
	if len(p.titles) == 1 {
		pic.Title = "Unrolled femoral T2"
	}
	return pic.Render(p.paint)
}

func newUnrolledPanel(ctx context.Context, rows []Row, titles []string) (*unrolledPanel, error) {
	if err := checkPanel(rows, len(titles)); err != nil {
		return nil, err
	}
	p := &unrolledPanel{rows: rows, titles: titles}
	none := true
	for _, row := range rows {
		tiles, found, err := unrolledTiles(ctx, row)
		if err != nil {
			return nil, err
		}
		none = none && !found
		p.tiles = append(p.tiles, tiles)
	}
	if none {
		return nil, ErrNoMaps
	}
	p.each(func(_, _ int, t *unrolledTile) { p.window.add(t) })
	p.layout = newLayout(p.window.mm(), len(rows), len(titles))
	lines := 0
	p.each(func(_, _ int, t *unrolledTile) {
		if t.missing == "" {
			lines = max(lines, len(p.notes(t.flags, t.notes)))
		}
	})
	p.setLines(lines)
	return p, nil
}

// unrolledTiles reads the maps of a row. found says that one of its visits has one.
func unrolledTiles(ctx context.Context, row Row) (tiles []unrolledTile, found bool, err error) {
	tiles = make([]unrolledTile, len(row.Visits))
	var baseline report.Unrolled
	for n, v := range row.Visits {
		if err := ctx.Err(); err != nil {
			return nil, false, err
		}
		t := &tiles[n]
		t.flags, t.missing, t.change = v.notes(), v.missing(), n > 0
		if t.missing != "" {
			continue
		}
		s, err := readUnrolled(v.Folder)
		if err != nil {
			t.missing = err.Error()
			continue
		}
		found = true
		if carried := s.result.Mask.Carried(); carried != "" {
			t.notes = append(t.notes, brief(printable.Line(carried)))
		}
		if n == 0 {
			baseline = s.unrolled
		}
		t.show(s.unrolled, baseline)
	}
	return tiles, found, nil
}

// show puts the map into the tile, or its change from baseline, which has no cells where it is
// missing.
func (t *unrolledTile) show(u, baseline report.Unrolled) {
	t.Unrolled, t.side = u, u.Side
	if !t.change {
		t.shown = [2]string{"T2", counted(cells(u), "cell")}
	} else if baseline.T2 == nil {
		t.missing = "no map of the first visit to compare with"
	} else if change, err := changeFrom(baseline, u); err != nil {
		t.missing = err.Error()
	} else {
		t.Unrolled = change
		t.shown = [2]string{"change", fmt.Sprintf("%d of %s", cells(change), counted(cells(baseline), "cell"))}
	}
	if t.missing == "" && t.Side == "" {
		t.notes = append(t.notes, "side not known: the patient’s right is at the left")
	}
}

func counted(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strconv.Itoa(n) + " " + noun
}

// The drawn size of a degree: on cartilage at 25 mm from the axis, the usual radius of the
// condyles, cells have about their true shape.
const unrolledMMPerDegree = 25 * math.Pi / 180

// Margins of a window, in mm: at the top and the bottom a line of letters has room.
const (
	unrolledMarginX = 3
	unrolledMarginY = 6
)

// unrolledWindow is what all tiles show: ranges of position in mm and of angles in degrees.
type unrolledWindow struct {
	positions, angles [2]float64
	set               bool
}

// mirrored reports whether the patient's left is drawn at the left, where medial is for a
// right knee.
func mirrored(u report.Unrolled) bool { return u.Side == "right" }

// add widens the window to the tile's map.
func (w *unrolledWindow) add(t *unrolledTile) {
	if t.missing != "" {
		return
	}
	positions := [2]float64{float64(t.Columns[0]) * t.Across, float64(t.Columns[1]) * t.Across}
	angle := [2]float64{float64(t.Rows[0]) * t.Angle, float64(t.Rows[1]) * t.Angle}
	if mirrored(t.Unrolled) {
		positions = [2]float64{-positions[1], -positions[0]}
	}
	if !w.set {
		w.positions, w.angles, w.set = positions, angle, true
	}
	w.positions = [2]float64{min(w.positions[0], positions[0]), max(w.positions[1], positions[1])}
	w.angles = [2]float64{min(w.angles[0], angle[0]), max(w.angles[1], angle[1])}
}

// mm is the size of the window as it is drawn, with its margins.
func (w unrolledWindow) mm() [2]float64 {
	if !w.set {
		return [2]float64{100, 60}
	}
	return [2]float64{w.positions[1] - w.positions[0] + 2*unrolledMarginX,
		(w.angles[1]-w.angles[0])*unrolledMMPerDegree + 2*unrolledMarginY}
}

// draw paints the map in that many pixels.
func (w unrolledWindow) draw(t *unrolledTile, size image.Point) *image.Paletted {
	img := image.NewPaletted(image.Rectangle{Max: size}, unrolledPalette)
	mm := w.mm()
	rows, columns := t.Size()
	for y := range size.Y {
		down := (float64(y) + 0.5) / float64(size.Y) * mm[1]
		row := int(math.Floor((w.angles[0]+(down-unrolledMarginY)/unrolledMMPerDegree)/t.Angle)) - t.Rows[0]
		if row < 0 || row >= rows {
			continue
		}
		for x := range size.X {
			position := w.positions[0] + (float64(x)+0.5)/float64(size.X)*mm[0] - unrolledMarginX
			if mirrored(t.Unrolled) {
				position = -position
			}
			column := int(math.Floor(position/t.Across)) - t.Columns[0]
			if column < 0 || column >= columns {
				continue
			}
			if v := t.T2[row*columns+column]; finite(v) {
				img.Pix[img.PixOffset(x, y)] = t.index(v)
			}
		}
	}
	return img
}

// index returns the palette index of a value in ms.
func (t *unrolledTile) index(ms float64) uint8 {
	if t.change {
		return changeIndex(ms)
	}
	return figure.T2Index(float32(ms)) - figure.FirstT2 + 1
}

// caption says what is drawn.
func (p *unrolledPanel) caption() string {
	text := "The femoral cartilage unrolled about the axis of the condyles: the mean T2 over its thickness, by angle " +
		"(from anterior, at the top, through the weight-bearing part to posterior) " +
		"and by position across the knee, medial at the left for both knees; the first visit is on a scale of 0 to " +
		strconv.Itoa(figure.ScaleMaxMS) + " ms."
	if len(p.titles) > 1 {
		text += fmt.Sprintf(" Later visits: the change from the first visit, later minus first, cell by cell, on a scale of "+
			"−%d to %d ms; larger changes have the last colour. "+
			"Cells without a T2 at one of the two visits are empty (black). Cells are matched by angle and position about each "+
			"visit’s own cylinder, which was fitted to that visit’s mask: "+
			"a change near an edge may come from the mask or its registration. Single cells hold few voxels: read patterns "+
			"rather than cells.", changeMaxMS, changeMaxMS)
	}
	return text + fmt.Sprintf(" All tiles are %.0f mm × %.0f°, without their margins.",
		p.window.positions[1]-p.window.positions[0], p.window.angles[1]-p.window.angles[0])
}

func (p *unrolledPanel) remarks() []string {
	var remarks []string
	p.each(func(r, v int, t *unrolledTile) {
		remarks = append(remarks, tileRemarks(p.rows[r].Label, p.titles[v], t.missing, t.notes)...)
	})
	return remarks
}

func (p *unrolledPanel) each(do func(row, visit int, t *unrolledTile)) {
	for r := range p.tiles {
		for v := range p.tiles[r] {
			do(r, v, &p.tiles[r][v])
		}
	}
}

// paint draws the panel.
func (p *unrolledPanel) paint(c draw.Canvas) {
	p.paintTitles(c, p.titles)
	for r, row := range p.rows {
		var sides []string
		for _, t := range p.tiles[r] {
			sides = append(sides, t.side)
		}
		p.paintLabel(c, r, row.Label, kneeOf(sides))
	}
	p.each(func(r, v int, t *unrolledTile) {
		corner := p.corner(r, v)
		area := p.area(corner)
		if t.missing != "" {
			p.paintMissing(c, area, t.missing)
			return
		}
		c.DrawImage(area, p.window.draw(t, p.tile))
		if !p.small() || v == 0 {
			p.paintEnds(c, area, t)
		}
		p.paintBelow(c, corner, t.shown, p.notes(t.flags, t.notes))
	})
	p.paintScales(c)
}

// paintEnds writes the sides of the knee at the ends of a tile.
func (p *unrolledPanel) paintEnds(c draw.Canvas, area vg.Rectangle, t *unrolledTile) {
	style := figure.Letters(6.5)
	ends := [2]string{"medial", "lateral"}
	if t.Side != "left" && t.Side != "right" {
		ends = [2]string{"right", "left"}
	}
	const inset = 6
	left := style.Width(ends[0])/2 + 3
	right := style.Width(ends[1])/2 + 3
	bottom := area.Min.Y + inset
	paintOnDark(c, vg.Point{X: area.Min.X + left, Y: bottom}, ends[0])
	paintOnDark(c, vg.Point{X: area.Max.X - right, Y: bottom}, ends[1])
	middle := (area.Min.X + area.Max.X) / 2
	paintOnDark(c, vg.Point{X: middle, Y: area.Max.Y - inset}, "anterior")
	if !p.small() {
		paintOnDark(c, vg.Point{X: middle, Y: bottom}, "posterior")
	}
}

// paintScales draws the colours of T2 and of its change at the bottom.
func (p *unrolledPanel) paintScales(c draw.Canvas) {
	change := scaleBar{name: "change (ms)", colours: unrolledPalette[firstChange:]}
	t2, width := t2Bar(), p.width.length()
	words := figure.Letters(7)
	const gap = 20 // between the scales, for half a tick's text and a space
	length := min(figure.MM(50), (width-words.Width(t2.name)-words.Width(change.name)-2*7-gap-16)/2)
	step := changeTickMS
	if length < figure.MM(35) {
		step = changeMaxMS
	}
	for ms := -changeMaxMS; ms <= changeMaxMS; ms += step {
		change.ticks = append(change.ticks, strings.Replace(strconv.Itoa(ms), "-", "−", 1))
	}
	change.ticks[0] = "≤" + change.ticks[0]
	change.ticks[len(change.ticks)-1] = "≥" + change.ticks[len(change.ticks)-1]
	bar := paintBar(c, 0, length, t2)
	if slices.ContainsFunc(p.tiles, func(row []unrolledTile) bool { return len(row) > 1 }) {
		paintBar(c, bar.Max.X+gap, length, change)
	}
}
