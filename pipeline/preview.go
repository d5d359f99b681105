package pipeline

import (
	"cmp"
	"context"
	"fmt"

	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
)

// MaskPlan is what Process would do with the mask of a study.
type MaskPlan struct {
	// OnSeries says that the mask lies on the voxels of the series; else Process brings it onto them.
	OnSeries bool `json:"on_series_grid"`
	// Size and Spacing are those of the mask's own grid.
	Size    [3]int     `json:"size"`
	Spacing [3]float64 `json:"spacing_mm"`
	// MinFraction is the smallest share of a voxel of the series that the mask must cover if it lies on another grid;
	// else 0.
	MinFraction float64 `json:"min_fraction"`
	// Scheme is the name of the scheme; "" if none is given, or if Process would refuse the mask. Then no field below
	// is known.
	Scheme string `json:"scheme"`
	// Side is left, right or "", and Sides are the sources that name it.
	Side  string              `json:"side"`
	Sides []report.SideSource `json:"side_sources"`
	// Division is DividedByShape, MarkedRows or MarkedTissues.
	Division DivisionKind `json:"division"`
	// Layers is the number of layers of each region, 0 for none.
	Layers int `json:"layers"`
	// Registration says which images Process aligns before it uses the mask.
	Registration Alignment `json:"registration"`
}

// DivisionKind says where the rows of a study come from.
type DivisionKind string

// The kinds of division.
const (
	DividedByShape DivisionKind = "shape"   // tissues are divided into compartments and regions
	MarkedRows     DivisionKind = "marked"  // the mask marks the rows themselves
	MarkedTissues  DivisionKind = "tissues" // each tissue is a row, see DivideNone
)

// Alignment says which image is aligned with the first echo of the series; the zero value means none.
type Alignment struct {
	// Series and Number are those of the image on which the mask was drawn.
	Series string `json:"series,omitempty"`
	Number int    `json:"number,omitempty"`
	// Visit is the visit whose mask is carried to this study.
	Visit string `json:"visit,omitempty"`
}

// gridPlan describes the grid of a mask alone.
func (j Job) gridPlan(m maskRead) *MaskPlan {
	g := m.geometry()
	return &MaskPlan{OnSeries: segment.CheckGrid(g, j.Train.Geometry) == nil, Size: g.Size, Spacing: g.Spacing(),
		Sides: []report.SideSource{}}
}

// plan returns the plan for a mask. placed is not used if no scheme is given.
func (j Job) plan(m maskRead, placed placedMask, p protocol.Protocol) *MaskPlan {
	out := j.gridPlan(m)
	out.Side, out.Registration = j.Side(), j.alignment(placed.dividedKnee)
	if !p.Scheme.Known() {
		return out
	}
	d := p.Division.WithDefaults()
	out.Scheme, out.Division = p.Scheme.Name, MarkedRows
	if !out.OnSeries || j.needsAlignment(placed.dividedKnee) {
		out.MinFraction = d.MinFraction
	}
	switch {
	case placed.record != nil:
		out.Division, out.Layers, out.Sides = DividedByShape, placed.record.Layers, placed.record.Sides
		if side := placed.sideName(); side != "" {
			out.Side = side
		}
		return out
	case d.Method == protocol.DivideNone && p.Scheme.Tissues():
		out.Division = MarkedTissues
	}
	out.Sides = append(out.Sides, recordSides(j.sideClaims())...)
	return out
}

// alignment says which images are aligned for the job.
func (j Job) alignment(k dividedKnee) (a Alignment) {
	if t := j.maskJob().Moving; t != nil && !k.onSeries {
		a.Series, a.Number = t.Hash, t.Number
	}
	if j.MaskSource != nil {
		a.Visit = printable.Short(j.MaskSource.Identity.Visit)
	}
	return a
}

// Preview is what Process would do with the mask of a study, according to headers and the mask.
type Preview struct {
	// Mask is nil if the mask was not read. It has segments only if a scheme is given.
	Mask *report.Mask
	// Plan is nil if a program makes the mask, or if the grid of the mask is unknown.
	Plan *MaskPlan
	// Warnings are the warnings of a result that need no fit.
	Warnings []string
}

// Examine checks the series and the mask as Process does. It reads headers and the mask, but no images.
func Examine(ctx context.Context, j Job, p protocol.Protocol, workers int) (out Preview, err error) {
	fit, err := p.Fit.Resolve()
	if err != nil {
		return out, err
	}
	if err := fit.CheckTE(j.Train.TE); err != nil {
		return out, fmt.Errorf("fit: %w", err)
	}
	var mask maskRead
	var placed placedMask
	known := p.Scheme.Known() // else the mask is read, but not interpreted
	switch {
	case j.Input.Named:
		out.Mask = &report.Mask{
			Path: report.SegmentationFile, Kind: KindProgram, Program: &report.ProgramMask{Series: j.Input.Train.Hash},
		}
	case known:
		mask, placed, err = j.findRegions(ctx, p, workers)
	default:
		mask, err = j.readMask(ctx, p)
	}
	if err != nil {
		if mask.geometry().Voxels() > 0 {
			out.Plan = j.gridPlan(mask)
		}
		return out, fmt.Errorf("mask: %w", err)
	}
	out.Warnings = trainWarnings(j.Train, p)
	if j.Anatomy.Problem != nil {
		out.Warnings = append(out.Warnings, j.Anatomy.warning())
	}
	if j.Input.Named {
		return out, nil
	}
	described := j.describeMask(mask, placed)
	out.Mask, out.Plan = &described, j.plan(mask, placed, p)
	if !known {
		return out, nil
	}
	if !j.needsAlignment(placed.dividedKnee) { // else the mask has no place before images are aligned
		side := cmp.Or(j.Side(), placed.sideName())
		out.Warnings = append(out.Warnings, mask.placeWarnings(placed, side)...)
	}
	out.Warnings = append(out.Warnings, j.alignmentWarnings(mask, placed.dividedKnee, p)...)
	return out, nil
}
