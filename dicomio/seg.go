package dicomio

import (
	"context"
	"slices"

	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/t2map/t2map/dicomio/internal/elements"
	"github.com/t2map/t2map/volume"
)

// framePlace selects the position and segment of a frame, in the functional groups shared
// by all frames or in those of each frame (PS3.3 C.7.6.16.2).
var framePlace = elements.Wish{
	tag.PlanePositionSequence:    {tag.ImagePositionPatient: nil},
	tag.PlaneOrientationSequence: {tag.ImageOrientationPatient: nil},
	tag.PixelMeasuresSequence:    {tag.PixelSpacing: nil},
	// Segmentation Macro, PS3.3 C.8.20.3.1.
	tag.SegmentIdentificationSequence: {tag.ReferencedSegmentNumber: nil},
}

// segmentationWish selects the attributes of a segmentation (PS3.3 C.8.20.2).
var segmentationWish = elements.Wish{
	tag.SegmentationType: nil, tag.SegmentationFractionalType: nil, tag.MaximumFractionalValue: nil,
	tag.PixelPaddingValue: nil,
	tag.SegmentSequence: {
		tag.SegmentNumber: nil, tag.SegmentLabel: nil,
		tag.SegmentedPropertyTypeCodeSequence: typeWish, tag.AnatomicRegionSequence: regionWish,
	},
	tag.SharedFunctionalGroupsSequence:   framePlace,
	tag.PerFrameFunctionalGroupsSequence: framePlace,
}

// Values of SegmentationType (0062,0001).
const (
	binaryType     = "BINARY"
	fractionalType = "FRACTIONAL"
	labelMapType   = "LABELMAP"
)

// background is the code of the background (PS3.16 CID 7150).
var background = volume.Code{Value: "125040", Scheme: "DCM"}

// segmentReader reads one segmentation.
type segmentReader struct {
	*object
	target *placer
	kind   string
	shared elements.Dataset
	groups []elements.Dataset // one for each frame

	segments []volume.Segment
	indexOf  map[int]int     // from a segment's number to its index in segments
	isBack   map[int]bool    // numbers of a label map that are background
	means    []int32         // the meaning of each stored value: an index in segments, or one of the constants below
	seen     map[[3]int]bool // segment, axis across, slice
}

// The meanings of a stored value other than a segment.
const (
	nothing = -1 - iota // background
	theirs              // the segment of the frame
	invalid             // not valid in this object
)

// readSegments reads a segmentation onto a grid.
func readSegments(ctx context.Context, h *header, target *placer, opt MaskOptions) (volume.Segmentation, string,
	error) {
	out := volume.Segmentation{Geometry: target.Geometry}
	o, err := h.openObject(segmentationWish)
	if err != nil {
		return out, "", err
	}
	defer o.Close()
	r := &segmentReader{object: o, target: target, kind: o.data.Text(tag.SegmentationType), indexOf: map[int]int{},
		isBack: map[int]bool{}, seen: map[[3]int]bool{}}
	for _, step := range []func() error{r.checkPixels, r.declare, func() error { return r.values(opt) }, r.readGroups,
		func() error { return r.readFrames(ctx) }} {
		if err := step(); err != nil {
			return out, "", err
		}
	}
	if r.kind == fractionalType {
		out.Threshold = opt.Threshold
	}
	out.Segments = r.segments
	sum, err := o.sha256()
	return out, sum, err
}

// checkPixels checks the image pixel module against the type of the segmentation (PS3.3
// C.8.20.2.1).
func (r *segmentReader) checkPixels() error {
	bits := map[string][]int{binaryType: {1}, fractionalType: {8}, labelMapType: {8, 16}}[r.kind]
	switch {
	case r.kind == "":
		return r.wrong(tag.SegmentationType, "missing")
	case bits == nil:
		return r.unsupported(tag.SegmentationType, "segmentation type %.20q", r.kind)
	case r.sopClass == labelMapClass && r.kind != labelMapType:
		return r.wrong(tag.SegmentationType, "%s in a label map", r.kind)
	case !slices.Contains(bits, r.allocated):
		return r.wrong(tag.BitsAllocated, "%d bits allocated, want %v for %s", r.allocated, bits, r.kind)
	case r.stored != r.allocated:
		return r.wrong(tag.BitsStored, "%d bits stored in %d allocated", r.stored, r.allocated)
	case r.representation != 0:
		return r.wrong(tag.PixelRepresentation, "%d, want 0", r.representation)
	case r.samples != 1:
		return r.wrong(tag.SamplesPerPixel, "%d, want 1", r.samples)
	case r.photometric != "MONOCHROME2" && !(r.photometric == "PALETTE COLOR" && r.kind == labelMapType):
		return r.unsupported(tag.PhotometricInterpretation, "photometric interpretation %.20q", r.photometric)
	case r.rows <= 0:
		return r.wrong(tag.Rows, "missing")
	case r.columns <= 0:
		return r.wrong(tag.Columns, "missing")
	case r.lossy:
		return r.wrong(tag.LossyImageCompression, "lossy compression changes what belongs to a segment").
			withHint("export the segmentation without lossy compression")
	}
	return nil
}

// declare reads the segments of the object.
func (r *segmentReader) declare() error {
	items := r.data.Items(tag.SegmentSequence)
	if len(items) == 0 {
		return r.wrong(tag.SegmentSequence, "missing")
	}
	for _, item := range items {
		n, err := r.number(item, tag.SegmentNumber)
		if err != nil {
			return err
		}
		s := volume.Segment{Number: n, Label: item.Text(tag.SegmentLabel)}
		if err := r.describe(&s, item); err != nil {
			return err
		}
		if _, twice := r.indexOf[n]; twice || r.isBack[n] {
			return r.wrong(tag.SegmentNumber, "%d appears twice", n)
		}
		if r.kind == labelMapType && s.Type.Value == background.Value && s.Type.Scheme == background.Scheme {
			r.isBack[n] = true
			continue
		}
		r.indexOf[n] = len(r.segments)
		r.segments = append(r.segments, s)
	}
	return nil
}

// values determines the meaning of the stored values.
func (r *segmentReader) values(opt MaskOptions) error {
	r.means = slices.Repeat([]int32{invalid}, 1<<max(r.allocated, 8))
	r.means[0] = nothing
	switch r.kind {
	case binaryType:
		r.means[1] = theirs
	case fractionalType:
		return r.fractions(opt.Threshold)
	case labelMapType:
		return r.labels()
	}
	return nil
}

// fractions determines which values of a fractional segmentation are at or above the
// threshold.
func (r *segmentReader) fractions(threshold float64) error {
	if t := r.data.Text(tag.SegmentationFractionalType); t != "PROBABILITY" && t != "OCCUPANCY" {
		return r.wrong(tag.SegmentationFractionalType, "%.20q, want PROBABILITY or OCCUPANCY", t)
	}
	most, err := r.number(r.data, tag.MaximumFractionalValue)
	if err != nil {
		return err
	}
	if most < 1 || most >= len(r.means) {
		return r.wrong(tag.MaximumFractionalValue, "%d, want 1 to %d", most, len(r.means)-1)
	}
	for v := 1; v <= most; v++ {
		r.means[v] = nothing
		if float64(v)/float64(most) >= threshold {
			r.means[v] = theirs
		}
	}
	return nil
}

// labels determines the segment of each value of a label map, and the background.
func (r *segmentReader) labels() error {
	padding, exists, err := r.data.Integer(tag.PixelPaddingValue)
	if err != nil {
		return r.wrong(tag.PixelPaddingValue, "%v", err)
	}
	if _, declared := r.indexOf[padding]; declared && exists {
		return r.wrong(tag.PixelPaddingValue, "%d is the background, and segment %d too", padding, padding)
	}
	if exists || len(r.isBack) > 0 {
		r.means[0] = invalid // unless a segment has it, below
	}
	if exists {
		r.isBack[padding] = true
	}
	for n := range r.isBack {
		if n >= 0 && n < len(r.means) {
			r.means[n] = nothing
		}
	}
	for n, s := range r.indexOf {
		if n < 0 || n >= len(r.means) {
			return r.wrong(tag.SegmentNumber, "%d, want 0 to %d in a label map of %d bits", n, len(r.means)-1,
				r.allocated)
		}
		r.means[n] = int32(s)
	}
	return nil
}

// readGroups finds the functional groups and checks that there is one for each frame.
func (r *segmentReader) readGroups() error {
	var err error
	if r.shared, _, err = r.one(r.data, tag.SharedFunctionalGroupsSequence); err != nil {
		return err
	}
	r.groups = r.data.Items(tag.PerFrameFunctionalGroupsSequence)
	if len(r.groups) != r.frames {
		return r.wrong(tag.PerFrameFunctionalGroupsSequence, "%d items for %d frames", len(r.groups), r.frames)
	}
	return nil
}
