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

// MaskPlan is what Run would do with the mask of a study.
type MaskPlan struct {
	// OnSeries says that the mask lies on the voxels of the series; else Run brings it there.
	OnSeries bool `json:"on_series_grid"`
	// Size and Spacing are those of the mask's own grid.
	Size    [3]int     `json:"size"`
	Spacing [3]float64 `json:"spacing_mm"`
	// MinFraction is the least part of a voxel of the series that the mask has to cover, where
	// it lies on another grid; else 0.
	MinFraction float64 `json:"min_fraction"`
	// Scheme is the name of the scheme; "" if none is given, or Run would refuse the mask. Then no
	// field below is known.
	Scheme string `json:"scheme"`
	// Side is left, right or "", and Sides are the sources that name it.
	Side  string              `json:"side"`
	Sides []report.SideSource `json:"side_sources"`
	// Division says what the rows are: DividedByShape, MarkedRows or MarkedTissues.
	Division DivisionKind `json:"division"`
	// Layers is the number of layers of each region, 0 for none.
	Layers int `json:"layers"`
	// Registration says which images Run aligns before it uses the mask.
	Registration Alignment `json:"registration"`
}

// DivisionKind says what the rows of a study are.
type DivisionKind string

// The kinds of division.
const (
	DividedByShape DivisionKind = "shape"   // tissues are divided into compartments and regions
	MarkedRows     DivisionKind = "marked"  // the mask marks the rows themselves
	MarkedTissues  DivisionKind = "tissues" // each tissue is a row, see DivideNone
)

// Alignment says which image is aligned with the first echo of the series; the zero value means
// that none is.
type Alignment struct {
	// Series and Number are those of the image that the mask was drawn on.
	Series string `json:"series,omitempty"`
	Number int    `json:"number,omitempty"`
	// Visit is the one whose mask is carried to this study.
	Visit string `json:"visit,omitempty"`
}

// gridPlan describes the grid of a mask alone.
func (j Job) gridPlan(m maskRead) *MaskPlan {
	g := m.geometry()
	return &MaskPlan{OnSeries: segment.CheckGrid(g, j.Train.Geometry) == nil, Size: g.Size, Spacing: g.Spacing(),
		Sides: []report.SideSource{}}
}

// plan says what Run would do with the mask. placed is not read if no scheme is given.
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
	case d.By == protocol.DivideNone && p.Scheme.Tissues():
		out.Division = MarkedTissues
	}
	for _, c := range j.sideClaims() {
		out.Sides = append(out.Sides, report.SideSource{Source: c.Source, Side: c.Side.String()})
	}
	return out
}

// alignment says which images are aligned for the job.
func (j Job) alignment(k dividedKnee) (a Alignment) {
	if t := j.source().Moving; t != nil && !k.onSeries {
		a.Series, a.Number = t.Hash, t.Number
	}
	if j.From != nil {
		a.Visit = printable.Short(j.From.Identity.Visit)
	}
	return a
}

// Preview is what Process would do with the mask of a study, as far as headers and the mask tell.
type Preview struct {
	// Mask is nil if the mask was not read. Its segments are there if a scheme is given.
	Mask *report.Mask
	// Plan is nil if a program makes the mask, or nothing is known of its grid.
	Plan *MaskPlan
	// Warnings are the warnings of a result that do not need a fit.
	Warnings []string
}

// Examine asks what Process will ask, as far as headers and the mask tell. It reads the mask, and no
// images.
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
	known := p.Scheme.Known() // else what the labels mean is not asked yet
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
	out.Warnings = doubts(j.Train, p)
	if j.Anatomy.Problem != nil {
		out.Warnings = append(out.Warnings, j.Anatomy.warning())
	}
	if j.Input.Named {
		return out, nil
	}
	out.Warnings = append(out.Warnings, placed.shiftWarnings()...)
	described := mask.described(placed)
	if j.From != nil {
		described.SourceVisit = j.From.Identity.Visit
	}
	out.Mask, out.Plan = &described, j.plan(mask, placed, p)
	if !known {
		return out, nil
	}
	out.Warnings = append(out.Warnings, j.alignmentWarnings(mask, placed.dividedKnee, p)...)
	if j.needsAlignment(placed.dividedKnee) {
		return out, nil // what depends on where the mask comes to lie is known to run alone
	}
	if text := mask.empty(placed.regions); text != "" && placed.marked == nil {
		out.Warnings = append(out.Warnings, text)
	}
	out.Warnings = append(out.Warnings, placed.shareWarnings()...)
	side := cmp.Or(j.Side(), placed.sideName())
	out.Warnings = append(out.Warnings, implausible(placed.regions, side)...)
	return out, nil
}
