package panel

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/report"
)

// Colours of changes.
const (
	changeLevels = 121 // odd, so that one level is centred at 0; with black and T2, fewer than 256
	// changeMaxMS is the end of the scale. Repeatability of T2 is about 5 % of 40 ms (QIBA). The scale
	// is several times as long, because single cells vary more.
	changeMaxMS = 15
	firstChange = 1 + figure.T2Levels
)

// The colours of a change at changeShares of the scale: neutral, a colour by Okabe and Ito
// (figure.Colours), and a darker colour of the same hue.
var (
	changeNeutral = color.RGBA{0xf7, 0xf7, 0xf7, 0xff}
	changeShares  = [3]float64{0, 0.6, 1}
	changeDown    = [3]color.RGBA{changeNeutral, {0x00, 0x72, 0xb2, 0xff}, {0x00, 0x2f, 0x4d, 0xff}}
	changeUp      = [3]color.RGBA{changeNeutral, {0xd5, 0x5e, 0x00, 0xff}, {0x5a, 0x27, 0x00, 0xff}}
)

// changeColour returns the colour at x, a fraction of the scale in [−1, 1]. Other x are clamped.
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

// unrolledPalette holds black, the colours of T2, and the colours of changes.
var unrolledPalette = func() color.Palette {
	p := color.Palette{color.RGBA{A: 0xff}}
	p = append(p, figure.MapPalette[figure.FirstT2:figure.FirstT2+figure.T2Levels]...)
	for n := range changeLevels {
		p = append(p, changeColour(2*float64(n)/(changeLevels-1)-1))
	}
	return p
}()

// changeIndex returns the palette index of a change in ms. Changes outside the scale have its end colours.
func changeIndex(ms float64) uint8 {
	n := math.Round((ms/changeMaxMS + 1) / 2 * (changeLevels - 1))
	return uint8(firstChange + min(max(n, 0), changeLevels-1))
}

// unrolledPanel holds the tiles and their layout.
type unrolledPanel struct {
	rows   []Row
	titles []string
	tiles  grid[unrolledTile]
	window unrolledWindow
	layout
}

// unrolledTile is the map of a visit: T2 at the first visit, and the change since then at later visits.
type unrolledTile struct {
	report.Unrolled
	change       bool
	side         string    // of the result
	missing      string    // why there is no map; "" if there is one
	shown        [2]string // description of the content
	flags, notes []string  // Visit.Notes, and the notes of this package
}

// Unrolled draws the unrolled femoral cartilage, as in unrolled.nii.gz, with a row for each subject and a
// column for each visit. The first visit shows T2 on the scale of 0 to 80 ms, and later visits show the
// change from the first visit on a scale of −15 to 15 ms. Medial is on the left for both knees, and
// anterior at the top.
//
// A cell of a change is the difference between the same cell of both maps. It is black if either has no
// T2. Each map refers to the cylinder that was fitted to the mask of its own visit. It therefore does not
// depend on the position of the knee, but on the segmentation and on the registration of the mask. Cells
// are not resampled: maps with cells of different sizes, and maps of two knees, are not compared.
//
// A visit without a map, or without a map to compare with, is an empty tile with the reason. The error is
// ErrNoMaps if no visit has an unrolled map. Other errors are as for Maps. Options.Row, Options.NeedMaps
// and Row.Position are ignored.
func Unrolled(ctx context.Context, rows []Row, o Options) ([]figure.Picture, error) {
	p, err := newUnrolledPanel(ctx, rows, o.Visits)
	if err != nil {
		return nil, fmt.Errorf("panel of unrolled maps: %w", err)
	}
	title := "Unrolled femoral T2"
	if len(p.titles) > 1 {
		title += " and its change"
	}
	return inParts(len(p.titles), func(first, end int) (figure.Picture, error) {
		q := *p
		q.rows, q.titles, q.tiles = part(rows, first, end), p.titles[first:end], p.tiles.part(first, end)
		return figure.Picture{
			Name: "unrolled", Title: title, Caption: p.caption(), Flags: allFlags(q.rows), Remarks: q.remarks(),
			Width: q.width.mm(), Height: q.height.mm(),
		}.Render(q.paint)
	})
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
	p.tiles.each(func(_, _ int, t *unrolledTile) { p.window.add(t) })
	p.layout = newLayout(p.window.mm(), len(rows), columns(len(titles)))
	lines := 0
	p.tiles.each(func(_, _ int, t *unrolledTile) {
		if t.missing == "" {
			lines = max(lines, len(p.notes(t.flags, t.notes)))
		}
	})
	p.setLines(lines)
	return p, nil
}

// unrolledTiles reads the maps of a row. found reports whether any visit has a map.
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

// show sets the content of the tile: the map or its change from baseline. baseline has no cells if it is
// missing.
func (t *unrolledTile) show(u, baseline report.Unrolled) {
	t.Unrolled, t.side = u, u.Side
	if !t.change {
		t.shown = [2]string{"T2", counted(cells(u), "cell")}
	} else if baseline.T2 == nil {
		t.missing = "the first visit has no map to compare with"
	} else if change, err := changeFrom(baseline, u); err != nil {
		t.missing = err.Error()
	} else {
		t.Unrolled = change
		t.shown = [2]string{"change", fmt.Sprintf("%d of %s", cells(change), counted(cells(baseline), "cell"))}
	}
	if t.missing == "" && t.Side == "" {
		t.notes = append(t.notes, "side not known: the patient’s right is on the left")
	}
}

func counted(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strconv.Itoa(n) + " " + noun
}

// unrolledMMPerDegree is the drawn height of a degree. Cells have their true shape at 25 mm from the axis,
// the usual radius of the condyles.
const unrolledMMPerDegree = 25 * math.Pi / 180

// Margins of a window, in mm. Those at the top and the bottom have room for a line of text.
const (
	unrolledMarginX = 3
	unrolledMarginY = 6
)

// unrolledWindow is the part of the map that all tiles show: ranges of positions in mm and of angles in
// degrees.
type unrolledWindow struct {
	positions, angles [2]float64
	set               bool
}

// mirrored reports whether the patient's left is drawn on the left: in a right knee that is medial.
func mirrored(u report.Unrolled) bool { return u.Side == "right" }

// add extends the window to the tile's map.
func (w *unrolledWindow) add(t *unrolledTile) {
	if t.missing != "" {
		return
	}
	positions := [2]float64{float64(t.Columns[0]) * t.Width, float64(t.Columns[1]) * t.Width}
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

// mm returns the drawn size of the window with its margins.
func (w unrolledWindow) mm() [2]float64 {
	if !w.set {
		return [2]float64{100, 60}
	}
	return [2]float64{w.positions[1] - w.positions[0] + 2*unrolledMarginX,
		(w.angles[1]-w.angles[0])*unrolledMMPerDegree + 2*unrolledMarginY}
}

// draw draws the map with the given size in pixels.
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
			column := int(math.Floor(position/t.Width)) - t.Columns[0]
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

// caption describes the picture.
func (p *unrolledPanel) caption() string {
	text := fmt.Sprintf("The femoral cartilage unrolled about the axis of the condyles: mean T2 over its thickness, by "+
		"angle (from anterior, at the top, through the weight-bearing part to posterior) and by position across the "+
		"knee, medial on the left for both knees. The first visit is on a scale of 0 to %d ms.", figure.ScaleMaxMS)
	if len(p.titles) > 1 {
		text += fmt.Sprintf(" Later visits show the change from the first visit, later minus first, cell by cell, on a "+
			"scale of −%d to %d ms; larger changes have the last colour. Cells without a T2 at one of the two visits are "+
			"empty (black). Cells are matched by angle and position about each visit’s own cylinder, which was fitted to "+
			"that visit’s mask: a change near an edge may come from the mask or its registration. Single cells hold few "+
			"voxels: read patterns rather than cells.", changeMaxMS, changeMaxMS)
	}
	return text + fmt.Sprintf(" All tiles are %.0f mm × %.0f°, without their margins.",
		p.window.positions[1]-p.window.positions[0], p.window.angles[1]-p.window.angles[0])
}

func (p *unrolledPanel) remarks() []string {
	var remarks []string
	p.tiles.each(func(r, v int, t *unrolledTile) {
		remarks = append(remarks, tileRemarks(p.rows[r].Label, p.titles[v], t.missing, t.notes)...)
	})
	return remarks
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
	p.tiles.each(func(r, v int, t *unrolledTile) {
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

// paintEnds names the edges of a tile.
func (p *unrolledPanel) paintEnds(c draw.Canvas, area vg.Rectangle, t *unrolledTile) {
	style := mapLetters()
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

// paintScales draws the scales of T2 and of its change at the bottom.
func (p *unrolledPanel) paintScales(c draw.Canvas) {
	t2, width := t2Bar(), p.width.length()
	words := mapLetters()
	const gap = 20 // between the scales: half of a tick's label and a space
	length := min(figure.MM(50), (width-words.Width(t2.name)-words.Width("change (ms)")-2*7-gap-16)/2)
	change := changeBar(changeMaxMS, -1, -2./3, -1./3, 0, 1./3, 2./3, 1)
	if length < figure.MM(45) {
		change = changeBar(changeMaxMS, -1, 0, 1)
	}
	bar := paintBar(c, 0, length, t2)
	if slices.ContainsFunc(p.tiles, func(row []unrolledTile) bool { return len(row) > 1 }) {
		paintBar(c, bar.Max.X+gap, length, change)
	}
}
