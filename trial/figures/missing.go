package figures

import (
	"cmp"
	"fmt"
	"image/color"
	"maps"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/trial"
)

// missing draws a tile for each subject and visit that is planned for the family, by arm, which shows whether there
// is a value or why it is missing: "missing" of the compartments, "missing-scores" and "missing-markers".
func missing(a trial.Analysis, f family, _ Options) ([]figure.Picture, error) {
	a, names := renamed(a)
	flags := newFlagged(names)
	t := newTiles(a, f, flags)
	t.Frame = newFrame(f.name("missing"), "Available "+f.noun(),
		fmt.Sprintf("%s at each planned visit, by arm: one column per participant in the order of the design, one "+
			"row per visit, of %s. Counts at the right are participants with a value in at least one %s.",
			word(f.familyKind == compartments, "T2", capital(f.measure(a))), population(a.Design),
			word(f.familyKind == compartments, "compartment", "of them")))
	t.Legend = t.entries()
	flags.annotate(&t.Frame)
	p, err := t.picture()
	return []figure.Picture{p}, err
}

// tile is the state of a subject at a visit.
type tile struct {
	state   tileState
	flagged bool
}

// tileState is whole, part, or the index of a reason.
type tileState int

const (
	whole tileState = -2 // every endpoint has a value
	part  tileState = -1 // some have
)

// tiles are the tiles of a figure.
type tiles struct {
	figure.Frame
	design  trial.Design // its visits are those that are planned for the family
	reasons []string
	tiles   [][]tile // by subject and visit
	byArm   [][]int  // subjects
	size    struct{ w, h vg.Length }
	most    int       // subjects of the largest arm
	columns int       // of arms
	names   vg.Length // room for names of subjects below
}

// Sizes of tiles in points.
const (
	tileMost    = 10
	tilesHeight = 560 // of all arms together, where there are many visits
	tileLabels  = 66
	tileCounts  = 44
	tileHead    = 14
	tileGap     = 8
	tileNames   = 44  // the largest height of the subjects below their tiles
	namedTile   = 8.5 // the smallest width for which these fit
	reasonsMost = 5
)

func newTiles(a trial.Analysis, f family, flags *flagged) tiles {
	visits := f.visits(a)
	a.Design.Visits = pick(a.Design.Visits, visits)
	t := tiles{design: a.Design, byArm: make([][]int, len(a.Design.Arms))}
	missing := make([][]trial.Missing, len(a.Design.Subjects))
	counts := map[trial.Missing]int{}
	for s, subject := range a.Design.Subjects {
		t.byArm[subject.Arm] = append(t.byArm[subject.Arm], s)
		t.tiles = append(t.tiles, make([]tile, len(a.Design.Visits)))
		missing[s] = make([]trial.Missing, len(a.Design.Visits))
		for v := range a.Design.Visits {
			t.tiles[s][v], missing[s][v] = f.tileOf(a, [2]int{s, visits[v]}, flags)
			if missing[s][v].Kind != trial.Present {
				counts[missing[s][v]]++
			}
		}
	}
	reasons := frequent(counts)
	for s := range missing {
		for v, w := range missing[s] {
			if w.Kind == trial.Present {
				continue
			}
			n := slices.Index(reasons, w)
			if n < 0 {
				n = reasonsMost - 1 // other reasons
			}
			t.tiles[s][v].state = tileState(n)
		}
	}
	for _, r := range reasons {
		t.reasons = append(t.reasons, r.String())
	}
	if len(counts) > len(reasons) {
		t.reasons = append(t.reasons, "other reasons")
	}
	t.measure()
	return t
}

// tileOf returns the tile of a subject at a visit, and why there is no value.
func (f family) tileOf(a trial.Analysis, subjectVisit [2]int, flags *flagged) (tile, trial.Missing) {
	t := tile{state: whole}
	have, planned, missing := 0, 0, trial.Missing{}
	for _, n := range f.endpoints {
		if !a.Endpoints[n].Planned(subjectVisit[1]) {
			continue
		}
		planned++
		value := a.Endpoints[n].Values[subjectVisit[0]][subjectVisit[1]]
		t.flagged = flags.touch(value.Flags) || t.flagged
		if figure.Drawable(value.X) {
			have++
		} else if missing.Kind == trial.Present {
			missing = category(value.Missing)
		}
	}
	switch {
	case have == planned:
		return t, trial.Missing{}
	case have > 0:
		t.state = part
		return t, trial.Missing{}
	}
	return t, missing
}

// category returns a reason without the details of one study: why it failed.
func category(reason trial.Missing) trial.Missing {
	if reason.Kind == trial.StudyFailed {
		reason.Detail = ""
	}
	return reason
}

// frequent returns the most frequent reasons: all, or so many that one sign remains for the others.
func frequent(counts map[trial.Missing]int) []trial.Missing {
	all := slices.SortedFunc(maps.Keys(counts), func(x, y trial.Missing) int {
		return cmp.Or(counts[y]-counts[x], cmp.Compare(x.String(), y.String()))
	})
	if len(all) > reasonsMost {
		all = all[:reasonsMost-1]
	}
	return all
}

// entries returns the legend of the tiles.
func (t tiles) entries() []figure.Symbol {
	used := map[tileState]bool{}
	flagged := false
	for _, row := range t.tiles {
		for _, x := range row {
			used[x.state] = true
			flagged = flagged || x.flagged
		}
	}
	var symbols []figure.Symbol
	add := func(words string, x tile) {
		symbols = append(symbols, figure.Symbol{Words: words, Width: 9, Draw: func(c draw.Canvas, box vg.Rectangle) {
			box.Min.Y--
			x.draw(c, box)
		}})
	}
	add("value", tile{state: whole})
	if used[part] {
		add("some values", tile{state: part})
	}
	for n, r := range t.reasons {
		add(r, tile{state: tileState(n)})
	}
	if flagged {
		add("flagged", tile{state: whole, flagged: true})
	}
	return symbols
}

// measure sets the size of a tile so that all fit a page, with arms side by side if there is room.
func (t *tiles) measure() {
	t.most = 1
	for _, s := range t.byArm {
		t.most = max(t.most, len(s))
	}
	t.size.w = min(tileMost, (figure.BodyWidth-tileLabels-tileCounts)/vg.Length(t.most))
	t.columns = max(1, min(int(figure.BodyWidth/t.armWidth()), len(t.byArm)))
	rows := (len(t.byArm) + t.columns - 1) / t.columns
	t.size.h = min(tileMost, tilesHeight/vg.Length(max(1, rows*len(t.design.Visits))))
	if t.size.w < namedTile {
		return
	}
	for _, s := range t.design.Subjects {
		t.names = max(t.names, min(tileNames, small.Width(printable.Line(s.ID))+4))
	}
}

func (t tiles) armWidth() vg.Length {
	return tileLabels + t.size.w*vg.Length(t.most) + tileCounts
}

func (t tiles) armHeight() vg.Length {
	return tileHead + t.size.h*vg.Length(len(t.design.Visits)) + t.names + tileGap
}

func (t tiles) picture() (figure.Picture, error) {
	rows := (len(t.byArm) + t.columns - 1) / t.columns
	return t.Draw(vg.Length(rows)*t.armHeight(), func(c draw.Canvas, body vg.Rectangle) {
		for arm := range t.byArm {
			place := body
			place.Min.X += vg.Length(arm%t.columns) * t.armWidth()
			place.Max.X = place.Min.X + t.armWidth()
			place.Max.Y -= vg.Length(arm/t.columns) * t.armHeight()
			t.paint(c, place, arm)
		}
	})
}

// paint draws the tiles of an arm at the top of the body.
func (t tiles) paint(c draw.Canvas, body vg.Rectangle, arm int) {
	subjects := t.byArm[arm]
	number := fmt.Sprintf(" (%d)", len(subjects))
	heading := figure.FitAll(strong, t.design.Arms, body.Size().X-strong.Width(" (999)")-8)[arm]
	figure.Write(c, strong, vg.Point{X: body.Min.X, Y: body.Max.Y - 9}, heading+number)
	corner := vg.Point{X: body.Min.X + tileLabels, Y: body.Max.Y - tileHead}
	right := corner.X + t.size.w*vg.Length(len(subjects)) + 6
	places := make([]vg.Length, len(t.design.Visits))
	for v := range t.design.Visits {
		places[v] = t.size.h * (vg.Length(v) + 0.5)
		for n, s := range subjects {
			pos := vg.Point{X: corner.X + t.size.w*vg.Length(n), Y: corner.Y - t.size.h*vg.Length(v+1)}
			t.tiles[s][v].draw(c, vg.Rectangle{Min: pos, Max: pos.Add(vg.Point{X: t.size.w, Y: t.size.h})})
		}
	}
	visits := make([]string, len(places))
	for v := range visits {
		visits[v] = visitLabel(t.design.Visits[v])
	}
	visits = figure.FitAll(small, visits, tileLabels-6)
	for _, v := range figure.Sparse(places, slices.Repeat([]vg.Length{small.Font.Size}, len(places)), 0.5) {
		y := corner.Y - places[v]
		figure.Write(c, figure.Align(small, figure.Right, figure.Middle), vg.Point{X: corner.X - 5, Y: y}, visits[v])
		figure.Write(c, figure.Align(small, figure.Left, figure.Middle), vg.Point{X: right, Y: y},
			fmt.Sprintf("%d/%d", t.present(subjects, v), len(subjects)))
	}
	t.codes(c, corner, subjects)
}

// codes writes the codes of the subjects below their columns, if there is room.
func (t tiles) codes(c draw.Canvas, corner vg.Point, subjects []int) {
	if t.names == 0 {
		return
	}
	name := small
	name.Rotation = math.Pi / 2
	var codes []string
	for _, s := range t.design.Subjects {
		codes = append(codes, s.ID)
	}
	codes = figure.FitAll(name, codes, tileNames-4)
	for n, s := range subjects {
		pos := vg.Point{X: corner.X + t.size.w*(vg.Length(n)+0.5) + 2.2,
			Y: corner.Y - t.size.h*vg.Length(len(t.design.Visits)) - 3}
		figure.Write(c, figure.Align(name, figure.Right, figure.Base), pos, codes[s])
	}
}

func (t tiles) present(subjects []int, visit int) int {
	n := 0
	for _, s := range subjects {
		if t.tiles[s][visit].state < 0 {
			n++
		}
	}
	return n
}

// draw draws a tile: pale if there is a value, half dark if there are some values, and dark with a sign
// for the reason if there is none.
func (t tile) draw(c draw.Canvas, box vg.Rectangle) {
	w, h := box.Size().X, box.Size().Y
	pale := figure.Tint(figure.Colours[0], 0.22)
	dark := []color.RGBA{figure.Colours[1], {0x66, 0x66, 0x66, 0xff}, figure.Colours[6], figure.Colours[0],
		{0x99, 0x99, 0x99, 0xff}}
	if t.state < 0 {
		figure.FillRect(c, pale, box)
	} else {
		figure.FillRect(c, dark[int(t.state)%len(dark)], box)
	}
	if t.state == part {
		c.FillPolygon(figure.Tint(figure.Colours[0], 0.6), []vg.Point{box.Min, {X: box.Max.X, Y: box.Min.Y}, box.Max})
	}
	if w > 2.5 && h > 2.5 {
		figure.StrokeRect(c, draw.LineStyle{Color: color.White, Width: min(0.8, min(w, h)/8)}, box)
	}
	middle := figure.Centre(box)
	roomy := w >= 5 && h >= 5
	side, r := vg.Length(0), min(w, h)*0.27
	if t.state >= 0 && t.flagged {
		side, r = w*0.22, r*0.75 // the sign at the left, the dagger at the right
	}
	if t.state >= 0 && roomy {
		reasonSign(c, int(t.state), vg.Point{X: middle.X - side, Y: middle.Y}, r)
	}
	switch {
	case !t.flagged:
	case roomy:
		style := figure.Bold(small)
		if t.state >= 0 {
			style.Color = color.White
		}
		figure.Write(c, figure.Align(style, figure.Center, figure.Middle), vg.Point{X: middle.X + side, Y: middle.Y},
			figure.Dagger)
	default:
		figure.FillRect(c, color.Black,
			vg.Rectangle{Min: vg.Point{X: box.Min.X + w/3, Y: box.Min.Y},
				Max: vg.Point{X: box.Max.X - w/3, Y: box.Max.Y}})
	}
}

// reasonSign draws a white sign for a reason: a cross, a bar, a ring, a stroke, nothing.
func reasonSign(c draw.Canvas, reason int, pos vg.Point, r vg.Length) {
	white := draw.LineStyle{Color: color.White, Width: 0.8}
	switch reason % reasonsMost {
	case 0:
		c.StrokeLine2(white, pos.X-r, pos.Y-r, pos.X+r, pos.Y+r)
		c.StrokeLine2(white, pos.X-r, pos.Y+r, pos.X+r, pos.Y-r)
	case 1:
		c.StrokeLine2(white, pos.X-r, pos.Y, pos.X+r, pos.Y)
	case 2:
		c.DrawGlyphNoClip(draw.GlyphStyle{Color: color.White, Radius: r * 0.8, Shape: draw.CircleGlyph{}}, pos)
	case 3:
		c.StrokeLine2(white, pos.X-r, pos.Y-r, pos.X+r, pos.Y+r)
	}
}
