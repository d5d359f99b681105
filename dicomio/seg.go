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
	*maskReader
	kind   string
	shared elements.Dataset
	groups []elements.Dataset // one for each frame
	means  []int32            // the meaning of each stored value: an index in segments, or a constant below
	seen   map[[3]int]bool    // segment, normal axis, slice
}

// The meanings of a stored value other than a segment.
const (
	noSegment = -1 - iota // background
	member                // in the segment of the frame
	invalid               // not valid in this object
)

// readSegments reads the segments of a segmentation.
func readSegments(ctx context.Context, m *maskReader, opt MaskOptions) error {
	r := &segmentReader{maskReader: m, kind: m.data.Text(tag.SegmentationType), seen: map[[3]int]bool{}}
	if err := r.checkPixels(); err != nil {
		return err
	}
	if err := r.declare(tag.SegmentSequence, tag.SegmentNumber, tag.SegmentLabel, r.describe); err != nil {
		return err
	}
	if err := r.interpretValues(opt.Threshold); err != nil {
		return err
	}
	if err := r.readGroups(); err != nil {
		return err
	}
	return r.readFrames(ctx)
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
		return r.wrong(tag.LossyImageCompression, "lossy compression changes the extent of segments").
			withHint("export the segmentation without lossy compression")
	}
	return nil
}

// interpretValues determines the meaning of the stored values.
func (r *segmentReader) interpretValues(threshold float64) error {
	r.means = slices.Repeat([]int32{invalid}, 1<<max(r.allocated, 8))
	r.means[0] = noSegment
	switch r.kind {
	case binaryType:
		r.means[1] = member
	case fractionalType:
		r.threshold = threshold
		return r.fractions()
	case labelMapType:
		return r.labels()
	}
	return nil
}

// fractions determines which values of a fractional segmentation are at or above the
// threshold.
func (r *segmentReader) fractions() error {
	if t := r.data.Text(tag.SegmentationFractionalType); t != "PROBABILITY" && t != "OCCUPANCY" {
		return r.wrong(tag.SegmentationFractionalType, "%.20q, want PROBABILITY or OCCUPANCY", t)
	}
	most, wrong := r.number(r.data, tag.MaximumFractionalValue)
	if wrong != nil {
		return wrong
	}
	if most < 1 || most >= len(r.means) {
		return r.wrong(tag.MaximumFractionalValue, "%d, want 1 to %d", most, len(r.means)-1)
	}
	for v := 1; v <= most; v++ {
		r.means[v] = noSegment
		if float64(v)/float64(most) >= r.threshold {
			r.means[v] = member
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
	empty := r.removeBackground()
	if _, declared := r.indexOf[padding]; declared && exists {
		return r.wrong(tag.PixelPaddingValue, "%d is both the background and segment %d", padding, padding)
	}
	if exists {
		empty = append(empty, padding)
	}
	if len(empty) > 0 {
		r.means[0] = invalid // unless 0 is among them or a segment's number
	}
	for _, n := range empty {
		if n >= 0 && n < len(r.means) {
			r.means[n] = noSegment
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

// removeBackground removes the segments that are the background, and returns their numbers.
func (r *segmentReader) removeBackground() (numbers []int) {
	kept := r.segments[:0]
	for _, s := range r.segments {
		if s.Type.Value == background.Value && s.Type.Scheme == background.Scheme {
			numbers = append(numbers, s.Number)
			delete(r.indexOf, s.Number)
			continue
		}
		r.indexOf[s.Number] = len(kept)
		kept = append(kept, s)
	}
	r.segments = kept
	return numbers
}

// readGroups finds the functional groups and checks that there is one for each frame.
func (r *segmentReader) readGroups() error {
	var err error
	if r.shared, _, err = r.onlyItem(r.data, tag.SharedFunctionalGroupsSequence); err != nil {
		return err
	}
	r.groups = r.data.Items(tag.PerFrameFunctionalGroupsSequence)
	if len(r.groups) != r.frames {
		return r.wrong(tag.PerFrameFunctionalGroupsSequence, "%d items for %d frames", len(r.groups), r.frames)
	}
	return nil
}
