package panel

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"
	"strings"

	"github.com/t2map/t2map/figure"
)

// changeTile is the change of T2 from the first visit with maps in a slice.
type changeTile struct {
	missing string    // why there is no change
	ms      []float32 // by pixel; NaN where there is none
	voxels  int       // compared
}

// newChangeTile compares the slices of two visits voxel by voxel.
func newChangeTile(baseline, later *sliceMaps, c cut) *changeTile {
	distance := later.Distance(baseline.Geometry)
	switch {
	case later.side != baseline.side && later.side != "" && baseline.side != "":
		return &changeTile{missing: "the other knee: not compared"}
	case later.Size != baseline.Size:
		return &changeTile{missing: "a grid of another size than at baseline: not compared"}
	case !(distance <= baseline.Tolerance()):
		return &changeTile{missing: fmt.Sprintf("a grid up to %.1f mm from that at baseline: not compared", distance)}
	case later.slice != baseline.slice:
		return &changeTile{missing: "another slice than at baseline: not compared"}
	}
	t := &changeTile{}
	change := make([]float32, len(later.t2))
	for v := range change {
		change[v] = nan
		if later.mask[v] != 0 && baseline.mask[v] != 0 {
			change[v] = later.t2[v] - baseline.t2[v] // NaN without a T2
		}
		if change[v] == change[v] {
			t.voxels++
		}
	}
	t.ms = c.sample(func(v int) float32 { return change[v] })
	if t.voxels == 0 {
		t.missing = "no voxel has a T2 at both visits"
	}
	return t
}

const (
	rangeStep = 5 // ms
	// outside is the share of the shown T2 at either end of the scale that has the colour of its end: single voxels at
	// the border of the cartilage do not determine the scale.
	outside = 0.05
)

// percentileRange returns the range of values without a share of outside at either end, in multiples of rangeStep and
// at least two of them long.
func percentileRange(values []float32) (low, high float64) {
	if len(values) == 0 {
		return 0, figure.ScaleMaxMS
	}
	slices.Sort(values)
	rank := func(share float64) float64 { return float64(values[int(share*float64(len(values)-1)+0.5)]) }
	low = rangeStep * math.Floor(rank(outside)/rangeStep)
	high = rangeStep * math.Ceil(rank(1-outside)/rangeStep)
	return low, max(high, low+2*rangeStep)
}

// colour chooses the scales and colours the tiles.
func (p *panel) colour() {
	var t2, changes []float32
	p.tiles.each(func(_, _ int, t *tileView) {
		if t.missing != "" {
			return
		}
		t2 = append(t2, t.picture.row...)
		if t.change != nil {
			for _, x := range t.change.ms {
				if x == x {
					changes = append(changes, float32(math.Abs(float64(x))))
				}
			}
		}
	})
	if !p.given {
		p.scale[0], p.scale[1] = percentileRange(t2)
	}
	if p.hasChanges() {
		_, p.change = percentileRange(changes)
	}
	p.tiles.each(func(_, _ int, t *tileView) {
		if t.missing != "" {
			return
		}
		for n, x := range t.picture.t2 {
			switch {
			case x == excluded:
				t.picture.Pix[n] = figure.ExcludedT2
			case x == x:
				share := (float64(x) - p.scale[0]) / (p.scale[1] - p.scale[0])
				t.picture.Pix[n] = figure.T2Index(float32(share * figure.ScaleMaxMS))
			}
		}
	})
}

// hasChanges reports whether there are rows of changes.
func (p *panel) hasChanges() bool { return p.layout.rows > len(p.rows) }

// changePalette holds the greys of MapPalette, and the colours of changes.
var changePalette = append(figure.GreyPalette(), unrolledPalette[firstChange:]...)

// picture colours the change over the anatomy of its visit.
func (t *changeTile) picture(anatomy *tilePicture, end float64) *image.Paletted {
	img := image.NewPaletted(anatomy.Rect, changePalette)
	for n, index := range anatomy.Pix {
		switch x := float64(t.ms[n]); {
		case x == x:
			img.Pix[n] = changeIndex(x*changeMaxMS/end) - firstChange + figure.GreyLevels
		case index < figure.GreyLevels:
			img.Pix[n] = index
		default: // a voxel without a change
			img.Pix[n] = figure.GreyPanel
		}
	}
	return img
}

// chosenRange says how the scale was chosen.
func (p *panel) chosenRange() string {
	if p.given {
		return ""
	}
	t2 := "T2"
	if p.row != "" {
		t2 = brief(p.row) + " T2"
	}
	return fmt.Sprintf(" (from the %gth to the %gth percentile of the %s shown, rounded outwards to multiples of %d ms)",
		100*outside, 100*(1-outside), t2, rangeStep)
}

// changeWords describes the rows of changes.
func (p *panel) changeWords() string {
	if !p.hasChanges() {
		return ""
	}
	return fmt.Sprintf(" The second row of a participant is the change of T2 from the first visit with maps, later minus "+
		"first, in voxels of both masks at the same patient position, on a scale of −%g to %g ms; larger changes have "+
		"the colour of its end, and voxels without a T2 at both visits are dark. Maps on different grids are not compared.",
		p.change, p.change)
}

// bar returns the scale of T2.
func (p *panel) bar() scaleBar {
	b := scaleBar{name: "T2 (ms)", colours: figure.MapPalette[figure.FirstT2 : figure.FirstT2+figure.T2Levels]}
	b.ticks = []string{"≤" + shortest(p.scale[0]), shortest((p.scale[0] + p.scale[1]) / 2), "≥" + shortest(p.scale[1])}
	if p.scale[0] == 0 {
		b.ticks[0] = "0"
	}
	return b
}

// changeBar returns the scale of changes with an end in ms.
func changeBar(end float64, ticks ...float64) scaleBar {
	b := scaleBar{name: "change (ms)", colours: []color.Color(unrolledPalette[firstChange:])}
	for _, ms := range ticks {
		b.ticks = append(b.ticks, strings.Replace(shortest(ms*end), "-", "−", 1))
	}
	b.ticks[0] = "≤" + b.ticks[0]
	b.ticks[len(b.ticks)-1] = "≥" + b.ticks[len(b.ticks)-1]
	return b
}
