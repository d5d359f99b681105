package batch

import (
	"context"
	"fmt"

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
	// Scheme is the name of the scheme; "" where none is given, or Run would refuse the mask. Then no
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

// Alignment says which image is aligned with the first echo of the series; the zero value that
// none is.
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
	return &MaskPlan{OnSeries: segment.CheckGrid(g, j.Train.Geometry) == nil, Size: g.Size, Spacing: g.Spacing(), Sides: []report.SideSource{}}
}

// plan says what Run would do with the mask. placed is not read where no scheme is given.
func (j Job) plan(m maskRead, placed placedMask, p Protocol) *MaskPlan {
	out := j.gridPlan(m)
	out.Side, out.Registration = sideOf(j), j.alignment(placed.dividedKnee)
	if !p.Scheme.Known() {
		return out
	}
	d := p.Division.withDefaults()
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
	case d.By == DivideNone && p.Scheme.Tissues():
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
		a.Visit = short(j.From.Identity.Visit)
	}
	return a
}

// tryCarried looks at the studies to which the mask of another visit would be carried, now that
// the jobs of all are known. The jobs are those of the studies.
func (s Settings) tryCarried(ctx context.Context, jobs []Job, in *Inspection) {
	var mapped []Job // those that Run would map, and carry masks from
	for n := range jobs {
		if in.Studies[n].Action != "fail" && in.Studies[n].Action != passOver {
			mapped = append(mapped, jobs[n])
		}
	}
	for n := range jobs {
		st := &in.Studies[n]
		if !jobs[n].carried || st.Action == "fail" {
			continue
		}
		from, err := sourceOf(mapped, jobs[n], s.Protocol.Masks.From)
		if err == nil {
			jobs[n].From = from
			err = s.try(ctx, jobs[n], st)
		}
		if err != nil {
			st.Action = "fail"
			st.Problems = append(st.Problems, problem(err))
			continue
		}
		st.Action = fmt.Sprintf("map series %s (number %d) with the mask of the visit %s", jobs[n].Train.Hash, jobs[n].Train.Number, short(from.Identity.Visit))
	}
}
