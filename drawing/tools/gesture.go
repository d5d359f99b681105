// Package tools makes strokes of a drawing from what a reader does with a mouse: a line with a brush, an outline, a click.
//
// Points are continuous indices (i, j) of a slice. The centre of a voxel has whole numbers, and its area reaches half a
// voxel to each side. Lengths are in mm, with the spacing of the grid along i and j; the grid's directions play no part,
// so that a mirrored or transposed grid gives the mirrored or transposed stroke. Only voxels exactly between two choices,
// such as a click on the border of two voxels, depend on the directions of i and j.
//
// The package knows neither what labels mean nor which of them may be drawn: drawing.Drawing checks that.
package tools

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/t2map/t2map/drawing"
	"github.com/t2map/t2map/volume"
)

// Tool names a tool, in a gesture and in the journal of a drawing.
type Tool string

// The tools. Unless stated otherwise they change voxels of Slice.
const (
	// Brush sweeps a disc along Points. It gives Label to each voxel whose centre is within RadiusMM of the path, and to
	// each voxel whose area the path enters, so that a disc smaller than a voxel draws a line without gaps.
	Brush Tool = "brush"
	// Polygon gives Label to each voxel whose centre is inside the closed outline through Points or on it.
	Polygon Tool = "polygon"
	// Spline does the same with a smooth closed curve through Points: a closed centripetal Catmull-Rom spline.
	Spline Tool = "spline"
	// Fill gives Label to the voxel at the first point, and to all voxels that have the same present label and are
	// connected with it through edges of voxels. It does not go beyond RadiusMM from the point, unless RadiusMM is 0, nor
	// across voxels that Only excludes.
	Fill Tool = "fill"
	// Copy copies the voxels of slice From that have Label, or any label if Label is 0. It erases nothing.
	Copy Tool = "copy"
	// Interpolate gives Label to voxels of the slices between From and Slice, so that the shape of Label in one of them
	// becomes that in the other. It erases nothing.
	Interpolate Tool = "interpolate"
	// Smooth smooths the outlines of Label; bumps and notches narrower than about half of RadiusMM vanish. Layers
	// keep their thickness, and no piece vanishes. RadiusMM is at most MostSmoothingMM.
	Smooth Tool = "smooth"
	// Holes gives Label to the voxels that Label encloses: those from which no path through edges of voxels without Label
	// leads to the border of the slice.
	Holes Tool = "holes"
	// Clear erases Label, or all labels if Label is 0.
	Clear Tool = "clear"
)

// Limits of a gesture.
const (
	// MostPoints is the largest number of points: a mouse sends about a hundred per second.
	MostPoints = 10_000
	// MostRadiusMM is the largest radius. No joint in a knee coil is larger.
	MostRadiusMM = 100
	// MostSmoothingMM is the largest radius of Smooth. It is far below the radii of the condyles, about 20 mm, so that
	// their cartilage remains as curved as it is.
	MostSmoothingMM = 3
	// FarthestPoint is the largest absolute value of a coordinate of a point. The arithmetic of outlines is exact up to
	// it.
	FarthestPoint = 100_000
)

// Gesture is what a reader does with a tool.
type Gesture struct {
	Tool Tool
	// Label is the label that voxels get. With Brush, Polygon, Spline and Fill, 0 erases.
	Label uint16
	// Slice is the index of the slice, from 0.
	Slice    int
	Points   [][2]float64
	RadiusMM float64
	// Only limits Brush, Polygon, Spline and Fill to voxels with certain values. The other tools ignore it; nil does not
	// limit.
	Only *Limits
	// Keep protects earlier labels: voxels with another label than 0 and the new one do not change. Smooth always protects
	// them, and Clear ignores Keep.
	Keep bool
	// Erase is the label that Brush, Polygon, Spline and Fill erase if Label is 0; 0 erases all labels. An eraser with
	// Keep must have it, because Keep protects all other labels.
	Erase uint16
	// From is the index of the other slice of Copy and Interpolate.
	From int
	// All applies Smooth, Holes and Clear to each slice instead of Slice alone.
	All bool
}

// Limits selects the voxels whose value is at least Low and at most High, which may be infinite. NaN is never selected.
type Limits struct {
	// Map has a value for each voxel of the mask.
	Map       []float32
	Low, High float64
}

// Stroke returns the stroke that a gesture makes on a mask. Its runs are merged and have only voxels whose label changes;
// there are none if the gesture changes nothing. The mask is not changed. An error wraps drawing.ErrStroke and says in
// plain English why the gesture cannot be used.
func (g Gesture) Stroke(mask volume.Labels) (drawing.Stroke, error) {
	p, err := newPainter(g, mask)
	if err == nil {
		err = p.draw()
	}
	if err == nil && len(p.runs) > drawing.MostRuns {
		err = errors.New("it changes too many separate voxels: use it on fewer slices")
	}
	if err != nil {
		return drawing.Stroke{}, fmt.Errorf("%w: %w", drawing.ErrStroke, err)
	}
	return drawing.Stroke{Tool: string(g.Tool), Runs: p.runs}, nil
}

// freehand are the tools to which Only and Erase apply.
var freehand = []Tool{Brush, Polygon, Spline, Fill}

// check returns an error if a gesture cannot be used on any mask of the grid.
func (g Gesture) check(grid volume.Geometry) error {
	if g.Slice < 0 || g.Slice >= grid.Size[2] {
		return fmt.Errorf("the index of the slice is %d, want 0 to %d", g.Slice, grid.Size[2]-1)
	}
	if (g.Tool == Copy || g.Tool == Interpolate) && (g.From < 0 || g.From >= grid.Size[2]) {
		return fmt.Errorf("the index of the other slice is %d, want 0 to %d", g.From, grid.Size[2]-1)
	}
	if !(g.RadiusMM >= 0 && g.RadiusMM <= MostRadiusMM) {
		return fmt.Errorf("the radius is %v mm, want 0 to %d", g.RadiusMM, MostRadiusMM)
	}
	if g.Tool == Smooth && (g.RadiusMM == 0 || g.RadiusMM > MostSmoothingMM) {
		return fmt.Errorf("the radius is %v mm, want more than 0 and at most %d to smooth", g.RadiusMM, MostSmoothingMM)
	}
	if g.Label == 0 && (g.Tool == Interpolate || g.Tool == Smooth || g.Tool == Holes) {
		return fmt.Errorf("the tool %q needs a label", g.Tool)
	}
	if slices.Contains(freehand, g.Tool) {
		if g.Label != 0 && g.Erase != 0 {
			return fmt.Errorf("label %d cannot be erased while label %d is drawn", g.Erase, g.Label)
		}
		if g.Label == 0 && g.Erase == 0 && g.Keep {
			return errors.New("all labels are kept: choose the label to erase")
		}
	}
	if err := g.checkPoints(); err != nil {
		return err
	}
	return g.Only.check(grid.Voxels())
}

// checkPoints returns an error if the points of a gesture cannot be used.
func (g Gesture) checkPoints() error {
	least := 0
	switch g.Tool {
	case Brush, Fill:
		least = 1
	case Polygon, Spline:
		least = 3
	}
	if n := len(g.Points); n < least || n > MostPoints {
		return fmt.Errorf("%d points, want %d to %d", n, least, MostPoints)
	}
	for n, point := range g.Points {
		for _, c := range point {
			if !(math.Abs(c) <= FarthestPoint) {
				return fmt.Errorf("point %d is at (%v, %v), too far from the slice", n+1, point[0], point[1])
			}
		}
	}
	return nil
}

// check returns an error if limits cannot be used on a mask with that many voxels.
func (l *Limits) check(voxels int) error {
	switch {
	case l == nil:
		return nil
	case len(l.Map) != voxels:
		return fmt.Errorf("the map has %d values, want %d, one for each voxel of the mask", len(l.Map), voxels)
	case !(l.Low <= l.High):
		return fmt.Errorf("the limits are %v to %v, want two numbers in increasing order", l.Low, l.High)
	}
	return nil
}

// contains reports whether voxel v is selected.
func (l *Limits) contains(v int) bool {
	value := float64(l.Map[v])
	return value >= l.Low && value <= l.High
}
