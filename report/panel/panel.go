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
	// Position selects the slice nearest to this patient position, mm LPS along the axis of the
	// patient that is closest to the normal of the slices. nil selects the slice with the most
	// voxels of Options.Row.
	Position *float64
	// Slice selects the slice of this number of the first visit with maps, from 1; 0 selects none.
	Slice int
	// Visits holds one visit for each title in Options.
	Visits []Visit
}

// Visit is one tile.
type Visit struct {
	// Folder is a study's folder, as report.WriteStudy writes it. If it is empty, Missing is the
	// reason.
	Folder, Missing string
	// Notes are remarks on the visit, one line each. They are printed below the tile, before the
	// notes of this package.
	Notes []string
	// Flags are the flags of the notes. They become Flags of the picture.
	Flags []int
}

// Options are common to the rows of a panel.
type Options struct {
	// Visits are the titles of the columns. There must be at least one.
	Visits []string
	// Row names the row of results with the primary endpoint, such as medial or medial-tibial. Its
	// compartment determines the slice. "" means all compartments.
	Row string
	// NeedMaps makes a panel without any maps the error ErrNoMaps.
	NeedMaps bool
	// DisplayRange is the range of the colours of T2 in ms. Default: from the 5th to the 95th percentile of the
	// T2 of Options.Row in the slices shown, rounded outwards to multiples of 5 ms.
	DisplayRange [2]float64
}

// ErrNoMaps is the error of a panel whose tiles are all empty.
var ErrNoMaps = errors.New("no visit has maps")

// The limits of a picture.
const (
	MostVisits = 8  // in two pictures
	MostRows   = 12 // rows of 33 mm with the text between them
	// MostChangeRows is the number of subjects whose changes have room.
	MostChangeRows = MostRows / 2
)

// Maps draws T2 in colour over anatomy in grey, with a row for each subject and a column for each visit. More than five
// visits are divided into pictures of one figure, so that letters stay legible at column width.
// All tiles have one scale and the same size. For at most MostChangeRows subjects with several visits, a second row
// shows the change of T2 from the first visit with maps, in the voxels that are in both masks and have a T2 at both
// visits. Only maps on one grid are compared; other tiles have the reason.
//
// The first visit with maps is the baseline of a row. Its slice is the one of Row.Slice, or at Row.Position or, if
// neither is given, the one with the most voxels of the compartment of Options.Row, or of all compartments. At other
// visits it is the slice whose plane is nearest, in patient coordinates, to the middle of the mask in the
// slice at baseline. Each tile states the position of its slice. A note says if the slice is more than
// half a slice from the one at baseline, or turned by more than 5°. Nothing is registered: each session
// has its own patient coordinates. All tiles show an area of the same size in mm around the middle of the
// mask. Anatomy on another grid is resampled to the plane of the slice (trilinear interpolation). T2 is
// that of the nearest voxel. Each tile has its own grey levels.
//
// A visit without maps is an empty tile with the reason: no folder, no maps, or a file that is missing,
// damaged or on another grid. The notes and these reasons are also in the picture's Remarks. It is an
// error if there are no rows or visits, more than MostRows or MostVisits, or a row whose number of visits
// differs from that of titles. The error is that of ctx when it ends.
func Maps(ctx context.Context, rows []Row, o Options) ([]figure.Picture, error) {
	p, err := newPanel(ctx, rows, o)
	if err != nil {
		return nil, fmt.Errorf("panel of maps: %w", err)
	}
	return inParts(len(o.Visits), func(first, end int) (figure.Picture, error) {
		q := *p
		q.rows, q.titles, q.tiles = part(rows, first, end), p.titles[first:end], p.tiles.part(first, end)
		return figure.Picture{
			Name: "maps", Title: "T2 maps by visit", Caption: p.caption(),
			Flags: allFlags(q.rows), Remarks: q.remarks(), Width: q.width.mm(), Height: q.height.mm(),
		}.Render(q.paint)
	})
}

// panel holds the tiles and their layout.
type panel struct {
	rows   []Row
	titles []string
	row    string // Options.Row
	given  bool   // whether Options has a range
	tiles  grid[tileView]
	window [2]float64 // mm, across and down
	scale  [2]float64 // of T2 in ms
	change float64    // the end of the scale of changes in ms; 0 if there are no rows of changes
	layout
}

// tileView is a tile with its texts.
type tileView struct {
	sight
	picture *tilePicture // nil if the tile is empty
	change  *changeTile  // nil at the first visit with maps, and where there are no rows of changes
}

func newPanel(ctx context.Context, rows []Row, o Options) (*panel, error) {
	if err := checkPanel(rows, len(o.Visits)); err != nil {
		return nil, err
	}
	p := &panel{rows: rows, titles: o.Visits, row: o.Row, scale: o.DisplayRange, given: o.DisplayRange != [2]float64{}}
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
	each := 1 // rows of tiles of a subject
	if len(o.Visits) > 1 && len(rows) <= MostChangeRows {
		each = 2
	}
	p.layout = newLayout(p.window, each*len(rows), columns(len(o.Visits)))
	if err := p.drawTiles(ctx, each > 1); err != nil {
		return nil, err
	}
	p.colour()
	if o.NeedMaps && p.empty() {
		return nil, ErrNoMaps
	}
	p.setLines(p.lines())
	return p, nil
}

// checkPanel returns an error if there are no tiles, or too many for a page, or if a row does not have one
// visit for each title.
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

// drawTiles draws one visit after the other, so that the maps of only one visit are in memory.
func (p *panel) drawTiles(ctx context.Context, changes bool) error {
	mmPerDot := p.window[0] / float64(p.tile.X)
	for _, row := range p.tiles {
		var baseline *sliceMaps
		for n := range row {
			t := &row[n]
			if t.missing != "" {
				continue
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			picture, here, err := t.draw(p.tile, mmPerDot)
			switch {
			case err != nil:
				t.missing = err.Error()
				continue
			case changes && baseline != nil:
				t.change = newChangeTile(baseline, here, cut{sight: &t.sight, size: p.tile, mm: mmPerDot})
			case changes:
				baseline = here
			}
			t.picture = picture
		}
	}
	return nil
}

// caption describes the picture.
func (p *panel) caption() string {
	lossy := ""
	if p.anyLossy() {
		lossy = " Some of the images were compressed with loss."
	}
	return fmt.Sprintf("T2 in the voxels of compartments over %s, on one scale of %g to %g ms%s. T2 outside has the "+
		"colour of the end of the scale, and voxels without a T2 in the accepted range have the colour “excluded”. "+
		"At a participant's first visit, the slice is %s. At later visits it is the slice nearest in "+
		"patient position, which is printed in mm. "+
		"Each session has its own patient coordinates, and nothing is registered. All tiles are %.0f × %.0f mm. "+
		"Each tile has its own grey levels.%s%s",
		p.background(), p.scale[0], p.scale[1], p.chosenRange(), p.chosenSlice(), p.window[0], p.window[1],
		p.changeWords(), lossy)
}

// chosenSlice says how the slices of the first visits were chosen.
func (p *panel) chosenSlice() string {
	const requested = "the requested one"
	fullest := "the one with the most voxels of " + p.chosenBy()
	n := 0 // rows with a request
	for _, row := range p.rows {
		if row.Slice > 0 || row.Position != nil {
			n++
		}
	}
	switch n {
	case 0:
		return fullest
	case len(p.rows):
		return requested
	}
	return requested + " or, without a request, " + fullest
}

// chosenBy names the structure whose voxels determine the slice.
func (p *panel) chosenBy() string {
	if p.row == "" {
		return "compartments"
	}
	return "the compartment of the primary endpoint, " + brief(p.row)
}

// background names the images over which the maps are drawn.
func (p *panel) background() string {
	first, named, none := false, false, false
	p.tiles.each(func(_, _ int, t *tileView) {
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
		return "black, because there is no anatomy"
	}
	return "the first echo"
}

func (p *panel) anyLossy() bool {
	lossy := false
	p.tiles.each(func(_, _ int, t *tileView) { lossy = lossy || t.missing == "" && t.result.LossyImages })
	return lossy
}

// empty reports whether no tile has a picture.
func (p *panel) empty() bool {
	empty := true
	p.tiles.each(func(_, _ int, t *tileView) { empty = empty && t.missing != "" })
	return empty
}

// grid holds the tiles of a panel by row and visit.
type grid[T any] [][]T

// each calls do for every tile, row by row.
func (g grid[T]) each(do func(row, visit int, t *T)) {
	for r := range g {
		for v := range g[r] {
			do(r, v, &g[r][v])
		}
	}
}

// remarks returns the notes of all tiles, with the names of row and visit.
func (p *panel) remarks() []string {
	var remarks []string
	p.tiles.each(func(r, v int, t *tileView) {
		remarks = append(remarks, tileRemarks(p.rows[r].Label, p.titles[v], t.missing, t.notes)...)
	})
	return remarks
}

// tileRemarks returns the notes of a tile as sentences. If the tile is empty, it returns only the reason.
func tileRemarks(label, title, missing string, notes []string) []string {
	if missing != "" { // the notes describe a slice that is not shown
		notes = []string{missing}
	}
	var remarks []string
	for _, n := range notes {
		remarks = append(remarks, brief(label)+", "+brief(title)+": "+n+".")
	}
	return remarks
}

// allFlags returns the flags of all visits, each once, in ascending order.
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

// brief shortens a name for a sentence.
func brief(name string) string {
	const most = 60 // letters
	return figure.Shorten(strings.TrimSpace(name), func(s string) bool { return utf8.RuneCountInString(s) <= most })
}

// side names the knee of a row; see kneeOf.
func (p *panel) side(row int) string {
	var sides []string
	for _, t := range p.tiles[row] {
		if t.missing == "" {
			sides = append(sides, t.result.Side)
		}
	}
	return kneeOf(sides)
}

// kneeOf names the knee, given the sides of visits: "left knee", "right knee", or "both knees" if they
// differ. Empty sides are ignored. It returns "" if all are empty.
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

// shortest formats x with the fewest digits that identify it.
func shortest(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }
