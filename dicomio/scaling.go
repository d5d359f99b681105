package dicomio

import (
	"cmp"
	"fmt"
	"math"

	"github.com/t2map/t2map/dicomio/internal/elements"

	"github.com/suyashkumar/dicom/pkg/tag"
)

// PhilipsScaling says which values of Philips images are mapped. With the stored
// value SV, RescaleSlope RS, RescaleIntercept RI and the private Scale Slope SS
// (2005,100E) there are two (Chenevert et al., Transl Oncol 2014;7:65):
//
//	DV = SV·RS + RI
//	FP = DV / (RS·SS)
type PhilipsScaling string

const (
	// DisplayValues are those of every other vendor, and the default. Echoes whose RS·SS
	// differ are not comparable in them and refused.
	DisplayValues PhilipsScaling = "dv"
	// FloatingPoint values are what the receiver saw, on one scale for all images;
	// images without a Scale Slope are refused.
	FloatingPoint PhilipsScaling = "fp"
)

// Check returns an error when the scaling is none of the above, or empty for the
// default.
func (p PhilipsScaling) Check() error {
	if p != "" && p != DisplayValues && p != FloatingPoint {
		return fmt.Errorf("%q is neither %s (displayed values) nor %s (floating-point values)", string(p), DisplayValues, FloatingPoint)
	}
	return nil
}

// scale puts Philips images on the scale that is asked for and refuses echoes that
// are not on one. A rescale slope is applied image by image, so that for other
// vendors it may change.
func (t *Train) scale(to PhilipsScaling) error {
	for k := range t.grid[0] {
		for e := range t.grid {
			h := t.grid[e][k]
			if !h.isPhilips() {
				continue
			}
			if err := h.comparable(t.grid[0][k], to); err != nil {
				return err
			}
		}
	}
	if t.grid[0][0].isPhilips() {
		t.Scaling = cmp.Or(to, DisplayValues)
	}
	for _, h := range t.images {
		if to == FloatingPoint && h.isPhilips() {
			h.intercept /= h.slope * h.scaleSlope
			h.slope = 1 / h.scaleSlope
		}
	}
	return nil
}

// comparable returns an error when the image's values are not on the scale of those
// of another echo.
func (h *header) comparable(first *header, to PhilipsScaling) error {
	switch {
	case to == FloatingPoint && !(math.Abs(h.slope*h.scaleSlope) > 0):
		e := h.wrong(elements.PhilipsScaleSlope, "missing or 0: floating-point values need it")
		e.Hint = "map display values (--philips-scaling dv), or ask the site for images with their private attributes"
		return e
	case to == FloatingPoint:
		return nil
	}
	got, want := h.slope*h.scaleSlope, first.slope*first.scaleSlope
	if got != got && want != want {
		if near(h.slope, first.slope) {
			return nil
		}
		e := h.wrong(tag.RescaleSlope, "%g, but %g in %s, without Scale Slope (2005,100E) that could reconcile them: the echoes of this slice are not on one scale", h.slope, first.slope, first.where())
		e.Hint = "ask the site for images with their private attributes, or with one scaling for all echoes"
		return e
	}
	if !near(got, want) {
		e := h.wrong(elements.PhilipsScaleSlope, "rescale slope × scale slope is %g, but %g in %s: the echoes of this slice are not on one scale", got, want, first.where())
		e.Hint = "map floating-point values (--philips-scaling fp), or export the series with one scaling for all echoes"
		return e
	}
	return nil
}

// near reports whether two factors of values agree as well as those of one grid.
func near(a, b float64) bool { return math.Abs(a-b) <= sameGrid*math.Abs(b) }
