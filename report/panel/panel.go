package panel

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/printable"
)

// Row is one subject of a panel of maps.
type Row struct {
	// Label names the row: the subject and, for example, the arm.
	Label string
	// At asks for the slice nearest to that patient position, mm LPS along the axis of
	// the patient that the slices follow; nil takes the slice with the most voxels of
	// Options.Row.
	Position *float64
	// Visits holds one for each title of Options.
	Visits []Visit
}

// Visit is one tile.
type Visit struct {
	// Folder is a study's folder as WriteStudy makes it; where it is empty, Missing says
	// why there is none.
	Folder, Missing string
	// Notes are remarks on the visit, one line each. They are printed below the tile, before the
	// remarks of the tile.
	Notes []string
	// Flags are the flags of the notes, for the Flags of the picture.
	Flags []int
}

// Options are common to the rows of a panel.
type Options struct {
	// Visits are the titles of the columns; there must be one.
	Visits []string
	// Row names the row of results that the trial is about, such as medial or
	// medial-tibial: a slice is chosen by its compartment. Empty: all compartments.
	Row string
	// NeedMaps makes a panel without maps an error, ErrNoMaps.
	NeedMaps bool
}

// ErrNoMaps is the error of a panel whose tiles are all empty.
var ErrNoMaps = errors.New("no visit has maps")

// The limits of a picture.
const (
	MostVisits = 8  // columns of 20 mm on a page
	MostRows   = 12 // of 33 mm, and the words between
)

// Maps draws T2 in colour over anatomy in grey, a row for each subject and a column for
// each visit, all on the scale of 0 to 80 ms and in one size.
//
// The slice is chosen at the first visit that has maps, the row's baseline: the one with the
// most voxels of the compartment of Options.Row or, without it, of all compartments, or
// the one at Row.At. At the others it is the slice whose
// plane is nearest to the middle of that one's joint in patient coordinates. Each tile says
// where its slice lies, and if it is more than half a slice away from baseline's, or
// turned by more than 5°. Patient coordinates are each session's own: nothing is registered. The
// cut-out has the same size in mm in all tiles, around the middle of the mask. Anatomy on
// another grid is resampled to the plane of the slice (trilinear); T2 is not resampled but for
// pixels being repeated. Grey levels are each tile's own.
//
// A visit without maps is an empty tile with the reason: no folder, no maps, a file
// that is missing, damaged or on another grid. What tiles say of their place, and why
// they are empty, is in the picture's Remarks too. It is an error where there are no rows or no
// visits, more than 12 or 8 of them, a row with another number of visits than titles, or ctx
// ends.
func Maps(ctx context.Context, rows []Row, o Options) (figure.Picture, error) {
	p, err := newPanel(ctx, rows, o)
	if err != nil {
		return figure.Picture{}, fmt.Errorf("panel of maps: %w", err)
	}
	pic := figure.Picture{
		Name: "maps", Title: "T2 maps by visit", Caption: p.caption(), Flags: allFlags(rows), Remarks: p.remarks(),
		Width: p.width.mm(), Height: p.height.mm(),
	}
	return pic.Render(p.paint)
}

// panel is what is drawn: tiles and their places.
type panel struct {
	rows   []Row
	titles []string
	row    string       // by which slices are chosen; empty: all
	tiles  [][]tileView // by row and visit
	window [2]float64   // mm, across and down
	layout
}

// tileView is a tile and what it says.
type tileView struct {
	sight
	picture *tilePicture // nil where it is empty
}

func newPanel(ctx context.Context, rows []Row, o Options) (*panel, error) {
	if err := checkPanel(rows, len(o.Visits)); err != nil {
		return nil, err
	}
	p := &panel{rows: rows, titles: o.Visits, row: o.Row}
	for _, row := range rows {
		sights, err := openRow(ctx, row, o.Row)
		if err != nil {
			return nil, err
		}
		tiles := make([]tileView, len(sights))
		for n, s := range sights {
			tiles[n].sight = s
			size := s.extent()
			p.window[0], p.window[1] = max(p.window[0], size[0]), max(p.window[1], size[1])
		}
		p.tiles = append(p.tiles, tiles)
	}
	if p.window[0] == 0 { // no visit has maps
		p.window = [2]float64{100, 60}
	}
	p.layout = newLayout(p.window, len(rows), len(o.Visits))
	if err := p.drawTiles(ctx); err != nil {
		return nil, err
	}
	if o.NeedMaps && p.empty() {
		return nil, ErrNoMaps
	}
	p.setLines(p.lines())
	return p, nil
}

// checkPanel refuses what has no room on a page, or is not one tile for each visit.
func checkPanel(rows []Row, visits int) error {
	switch {
	case len(rows) == 0 || visits == 0:
		return errors.New("no subject, or no visit")
	case visits > MostVisits:
		return fmt.Errorf("%d visits, at most %d have room on a page", visits, MostVisits)
	case len(rows) > MostRows:
		return fmt.Errorf("%d subjects, at most %d have room", len(rows), MostRows)
	}
	for _, row := range rows {
		if len(row.Visits) != visits {
			return fmt.Errorf("%q has %d visits, want %d", printable.Line(row.Label), len(row.Visits), visits)
		}
	}
	return nil
}

// drawTiles reads the maps of one visit after the other, so that those of one are in
// memory at a time.
func (p *panel) drawTiles(ctx context.Context) error {
	mmPerDot := p.window[0] / float64(p.tile.X)
	for _, row := range p.tiles {
		for n := range row {
			t := &row[n]
			if t.missing != "" {
				continue
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			var err error
			if t.picture, err = t.draw(p.tile, mmPerDot); err != nil {
				t.missing = err.Error()
			}
		}
	}
	return nil
}

// caption says what is drawn.
func (p *panel) caption() string {
	lossy := ""
	if p.anyLossy() {
		lossy = " Some of the images were compressed with loss."
	}
	return fmt.Sprintf("T2 in the voxels of compartments over %s, on one scale of 0 to %d ms; longer T2 has its last "+
		"colour, and voxels without a T2 in the accepted range have the flat one. "+
		"The slice with the most voxels of %s at a subject's first visit, or the one asked for, and at later visits the "+
		"slice nearest in patient position, which is printed in mm; "+
		"positions are each session's own, and nothing is registered. All tiles are %.0f × %.0f mm. Grey levels are each "+
		"tile's own.%s",
		p.background(), figure.ScaleMaxMS, p.chosenBy(), p.window[0], p.window[1], lossy)
}

// chosenBy names what the slices have most of.
func (p *panel) chosenBy() string {
	if p.row == "" {
		return "compartments"
	}
	return "the compartment of the primary endpoint, " + brief(p.row)
}

// beneath says over what the maps are drawn.
func (p *panel) background() string {
	first, named, none := false, false, false
	p.each(func(_, _ int, t *tileView) {
		switch a := t.result.Anatomy; {
		case t.missing != "":
		case a == nil || !t.picture.anatomy:
			none = true
		case a.Series == t.result.Series:
			first = true
		default:
			named = true
		}
	})
	switch {
	case first && named:
		return "the first echo or the series named as anatomy"
	case named:
		return "the series named as anatomy"
	case none && !first:
		return "black, for want of anatomy"
	}
	return "the first echo"
}

func (p *panel) anyLossy() bool {
	lossy := false
	p.each(func(_, _ int, t *tileView) { lossy = lossy || t.missing == "" && t.result.LossyImages })
	return lossy
}

// empty reports whether no tile has a picture.
func (p *panel) empty() bool {
	empty := true
	p.each(func(_, _ int, t *tileView) { empty = empty && t.missing != "" })
	return empty
}

func (p *panel) each(do func(row, visit int, t *tileView)) {
	for r := range p.tiles {
		for v := range p.tiles[r] {
			do(r, v, &p.tiles[r][v])
		}
	}
}

// remarks are what tiles say beside their position, with the names of row and visit.
func (p *panel) remarks() []string {
	var remarks []string
	p.each(func(r, v int, t *tileView) {
		remarks = append(remarks, tileRemarks(p.rows[r].Label, p.titles[v], t.missing, t.notes)...)
	})
	return remarks
}

// tileRemarks are a tile's sentences in the remarks of a picture.
func tileRemarks(label, title, missing string, notes []string) []string {
	if missing != "" { // the notes are about a place that is not shown
		notes = []string{missing}
	}
	var remarks []string
	for _, n := range notes {
		remarks = append(remarks, brief(label)+", "+brief(title)+": "+n+".")
	}
	return remarks
}

// flagsOf returns the flags of all visits, each once, in ascending order.
func allFlags(rows []Row) []int {
	var flags []int
	for _, row := range rows {
		for _, v := range row.Visits {
			flags = append(flags, v.Flags...)
		}
	}
	slices.Sort(flags)
	return slices.Compact(flags)
}

// brief is a name in a sentence.
func brief(name string) string {
	const most = 60 // letters
	return figure.Shorten(strings.TrimSpace(name), func(s string) bool { return utf8.RuneCountInString(s) <= most })
}

// side names the knee of a row, or says that its visits differ.
func (p *panel) side(row int) string {
	var sides []string
	for _, t := range p.tiles[row] {
		if t.missing == "" {
			sides = append(sides, t.result.Side)
		}
	}
	return kneeOf(sides)
}

// kneeOf names the knee that the sides of visits are of; those that are empty do not say.
func kneeOf(sides []string) string {
	side := ""
	for _, s := range sides {
		switch {
		case s == "":
		case side == "":
			side = s
		case side != s:
			return "both knees"
		}
	}
	if side == "" {
		return ""
	}
	return side + " knee"
}

// angle returns the angle between two unit vectors in degrees.
func angle(a, b [3]float64) float64 {
	return math.Acos(min(max(dot3(a, b), -1), 1)) * 180 / math.Pi
}

func dot3(a, b [3]float64) float64 { return a[0]*b[0] + a[1]*b[1] + a[2]*b[2] }

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// shortest prints x with as many digits as it needs.
func shortest(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }
