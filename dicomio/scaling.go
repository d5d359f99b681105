package dicomio

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/t2map/t2map/dicomio/internal/elements"
)

// PhilipsScaling says which values of Philips images are mapped. With the stored
// value SV, RescaleSlope RS, RescaleIntercept RI and the private Scale Slope SS
// (2005,100E) there are two (Chenevert et al., Transl Oncol 2014;7:65):
//
//	DV = SV·RS + RI
//	FP = DV / (RS·SS)
type PhilipsScaling string

const (
	// DisplayValues are the values of every other vendor, and the default. Echoes with
	// different RS·SS are not comparable in them and are refused.
	DisplayValues PhilipsScaling = "dv"
	// FloatingPoint values are the values at the receiver, on one scale for all images.
	// Images without a Scale Slope are refused.
	FloatingPoint PhilipsScaling = "fp"
)

// Check returns an error if the scaling is neither of these, nor empty for the default.
func (p PhilipsScaling) Check() error {
	if p != "" && p != DisplayValues && p != FloatingPoint {
		return fmt.Errorf("%q is neither %s (displayed values) nor %s (floating-point values)", string(p),
			DisplayValues, FloatingPoint)
	}
	return nil
}

// scale brings Philips images onto the wanted scale and refuses echoes on different scales.
// A rescale slope is applied image by image, so that it may vary for other vendors. If one
// image is from Philips, all are.
func (t *Train) scale(wanted PhilipsScaling) error {
	if !slices.ContainsFunc(t.images, (*header).isPhilips) {
		return nil
	}
	for k, first := range t.grid[0] {
		for e := range t.grid {
			h := t.grid[e][k]
			check := h.comparable
			if wanted == FloatingPoint {
				check = h.measurable
			}
			if err := check(first); err != nil {
				return err
			}
		}
	}
	t.Scaling = cmp.Or(wanted, DisplayValues)
	for _, h := range t.images {
		if wanted == FloatingPoint {
			h.intercept /= h.slope * h.scaleSlope
			h.slope = 1 / h.scaleSlope
		}
	}
	return nil
}

// measurable returns an error if the image's floating-point values are not known.
func (h *header) measurable(*header) error {
	if math.Abs(h.slope*h.scaleSlope) > 0 {
		return nil
	}
	return h.wrong(elements.PhilipsScaleSlope, "missing or 0: floating-point values need it").
		withHint("map display values (--philips-scaling dv), or ask the site for images with their private attributes")
}

// comparable returns an error if the image's display values are on another scale than those
// of the first echo.
func (h *header) comparable(first *header) error {
	got, want := h.slope*h.scaleSlope, first.slope*first.scaleSlope
	unscaled := math.IsNaN(got)
	switch {
	case unscaled != math.IsNaN(want):
		states := [2]string{"given", "missing"}
		if unscaled {
			states = [2]string{"missing", "given"}
		}
		return h.wrong(elements.PhilipsScaleSlope, "%s, but %s in %s: it is not known whether the echoes of "+
			"this slice are on one scale", states[0], states[1], first.displayName()).
			withHint("ask the site for images with their private attributes")
	case unscaled && !withinShare(h.slope, first.slope, sameScale):
		return h.wrong(tag.RescaleSlope, "%g, but %g in %s, without Scale Slope (2005,100E) that could reconcile "+
			"them: the echoes of this slice are not on one scale", h.slope, first.slope, first.displayName()).
			withHint("ask the site for images with their private attributes, or with one scaling for all echoes")
	case !unscaled && !withinShare(got, want, sameScale):
		return h.wrong(elements.PhilipsScaleSlope, "rescale slope × scale slope is %g, but %g in %s: the echoes of "+
			"this slice are not on one scale", got, want, first.displayName()).
			withHint("map floating-point values (--philips-scaling fp), or export the series with one scaling for " +
				"all echoes")
	case withinShare(h.slope, first.slope, sameScale):
		return h.agrees(first)
	}
	return nil
}

// scale is an attribute, other than RescaleSlope, that determines what a stored value
// means.
type scale struct {
	tag   tag.Tag
	value float64
}

// realWorldValues selects the linear mappings of an image (PS3.3 C.7.6.16.2.11). They are
// not applied, only compared.
var realWorldValues = elements.Wish{tag.RealWorldValueSlope: nil, tag.RealWorldValueIntercept: nil}

// takeScales takes the mappings of a sequence.
func (h *header) takeScales(mappings *dicom.Element) {
	for _, item := range elements.ItemsOf(mappings) {
		for _, e := range item {
			h.takeScale(e)
		}
	}
}

// takeScale takes the element if it is a single number. Other vendors may use the private
// elements for anything.
func (h *header) takeScale(e *dicom.Element) {
	if v, err := elements.NumbersOf(e); err == nil && len(v) == 1 {
		h.otherScale = append(slices.Clip(h.otherScale), scale{e.Tag, v[0]})
	}
}

// agrees returns an error if RescaleSlope is equal or missing, but other attributes say
// that the image and another echo are on different scales: its values are then stored
// values, from which T2 cannot be computed.
func (h *header) agrees(first *header) error {
	for n := range max(len(h.otherScale), len(first.otherScale)) {
		var problem string
		var t tag.Tag
		switch {
		case n >= len(h.otherScale):
			t = first.otherScale[n].tag
			problem = fmt.Sprintf("missing, but %g in %s", first.otherScale[n].value, first.displayName())
		case n >= len(first.otherScale) || first.otherScale[n].tag != h.otherScale[n].tag:
			t = h.otherScale[n].tag
			problem = fmt.Sprintf("%g, but missing in %s", h.otherScale[n].value, first.displayName())
		case !withinShare(h.otherScale[n].value, first.otherScale[n].value, sameScale):
			t = h.otherScale[n].tag
			problem = fmt.Sprintf("%g, but %g in %s", h.otherScale[n].value, first.otherScale[n].value,
				first.displayName())
		default:
			continue
		}
		e := h.wrong(t, "%s, and RescaleSlope (0028,1053) does not account for it: the echoes of this slice are "+
			"not on one scale", problem)
		e.Hint = "ask the site for images with their RescaleSlope (0028,1053) and private attributes"
		if h.scaleSlope == h.scaleSlope {
			e.Hint = "map floating-point values (--philips-scaling fp), or " + e.Hint
		}
		return e
	}
	return nil
}
