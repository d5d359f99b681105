package dicomio

import (
	"context"
	"fmt"
	"math"

	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/t2map/t2map/dicomio/internal/elements"
	"github.com/t2map/t2map/volume"
)

// MaskOptions sets how a mask object is read.
type MaskOptions struct {
	// Threshold is the fraction, above 0 and at most 1, from which a voxel of a fractional
	// segmentation belongs to the segment; 0 means 0.5. Other objects ignore it.
	Threshold float64
	// Frame is the Train.Frame in which contours must be drawn. "" accepts any frame of
	// reference, if that of the series is not known or the mask belongs to another series.
	// The caller must then compare Segment.Frame.
	Frame string
	// MostVoxels limits the total number of voxels of the segments, so that they fit into
	// memory; 0 means eight times those of the grid, which is the limit in any case.
	MostVoxels int
}

// defaultThreshold is the fraction at which a voxel is more in the segment than out of it.
const defaultThreshold = 0.5

// mostOverlap limits the number of segments per voxel, on average over the grid, so that a
// small file cannot exhaust memory: knees have one or two, and whole-body structure sets
// fewer than four.
const mostOverlap = 8

// ReadMask brings the object onto the grid g: it returns the voxels of every segment
// according to the patient positions of its frames or contours, and the file with its hash.
//
// The frames of a segmentation must lie on the slices of g and their pixels on its voxels,
// within Geometry.Tolerance. Rows and columns may be flipped and exchanged, and frames may
// be smaller than a slice or lie across slices. Voxels that no frame shows are background.
// In a label map the background is PixelPaddingValue (0028,0120), or a segment with the
// code (125040, DCM, "Background"), or 0 if the object has neither.
//
// Contours must be planar and lie on slices of g, within the same tolerance. A voxel
// belongs to a structure if its centre is inside by the even-odd rule over all contours of
// the structure on the slice, or on one of them. Holes are thus contours within contours,
// and a contour through the centres of a region's outermost voxels gives the region. A
// structure has a Problem and no voxels if its contours enclose no area, lie between slices
// or outside the image, or are drawn in another frame of reference than MaskOptions.Frame;
// the other structures are read.
//
// Errors are *FileError: attributes that are missing or contradict each other and frames
// that lie elsewhere are ErrInvalid, unsupported features are ErrUnsupported.
func ReadMask(ctx context.Context, m MaskObject, g volume.Geometry, o MaskOptions) (volume.Segmentation, File, error) {
	none := volume.Segmentation{}
	switch {
	case m.Problem != nil:
		return none, File{}, m.Problem
	case m.header == nil:
		return none, File{}, &FileError{Path: m.Name, Problem: "not a mask object", Kind: ErrInvalid, Hint: nameMask}
	}
	if o.Threshold == 0 {
		o.Threshold = defaultThreshold
	}
	if !(o.Threshold > 0 && o.Threshold <= 1) {
		return none, File{}, fmt.Errorf("mask threshold %g is not above 0 and at most 1", o.Threshold)
	}
	target, err := newPlacer(g)
	if err != nil {
		return none, File{}, err
	}
	if o.MostVoxels > 0 {
		target.left = min(target.left, o.MostVoxels)
	}
	target.most = target.left
	read := readSegments
	if m.Kind == MaskRTSTRUCT {
		read = readStructures
	}
	s, sum, err := read(ctx, m.header, target, o)
	if err != nil {
		m.secrets.inError(err)
		return none, File{}, err
	}
	m.secrets.inSegments(s.Segments)
	return s, File{Path: m.Name, SHA256: sum}, nil
}

// placer converts positions to voxels of a grid.
type placer struct {
	volume.Geometry
	inverse   [3][4]float64
	spacing   [3]float64
	tolerance float64
	most      int // limit of the voxels of all segments
	left      int // voxels that segments may still take
}

func newPlacer(g volume.Geometry) (*placer, error) {
	inverse, ok := g.Inverse()
	n := g.Voxels()
	if !ok || g.Size[0] <= 0 || g.Size[1] <= 0 || g.Size[2] <= 0 || int64(n) > math.MaxUint32 {
		return nil, fmt.Errorf("a mask needs a grid: got %d×%d×%d voxels", g.Size[0], g.Size[1], g.Size[2])
	}
	return &placer{Geometry: g, inverse: inverse, spacing: g.Spacing(), tolerance: g.Tolerance(),
		left: mostOverlap * n}, nil
}

// index returns the voxel coordinates of a patient position.
func (p *placer) index(position [3]float64) [3]float64 {
	var v [3]float64
	for r, a := range p.inverse {
		v[r] = a[0]*position[0] + a[1]*position[1] + a[2]*position[2] + a[3]
	}
	return v
}

// direction is index for a difference of positions.
func (p *placer) direction(step [3]float64) [3]float64 {
	var v [3]float64
	for r, a := range p.inverse {
		v[r] = a[0]*step[0] + a[1]*step[1] + a[2]*step[2]
	}
	return v
}

// take counts voxels of a segment against the limit.
func (p *placer) take(h *header, voxels int) error {
	if p.left -= voxels; p.left < 0 {
		return h.invalid("its segments hold more than %d voxels, %.3g times those of the series", p.most,
			float64(p.most)/float64(p.Voxels()))
	}
	return nil
}

// one returns the only item of a sequence; ok is false if the sequence is absent.
func (o *object) one(d elements.Dataset, t tag.Tag) (item elements.Dataset, ok bool, err error) {
	switch items := d.Items(t); len(items) {
	case 0:
		return elements.Dataset{}, false, nil
	case 1:
		return items[0], true, nil
	default:
		return elements.Dataset{}, false, o.wrong(t, "%d items, want 1", len(items))
	}
}

// number returns a whole number that must be present.
func (o *object) number(d elements.Dataset, t tag.Tag) (int, error) {
	v, ok, err := d.Integer(t)
	switch {
	case err != nil:
		return 0, o.wrong(t, "%v", err)
	case !ok:
		return 0, o.wrong(t, "missing")
	}
	return v, nil
}

// codeWish and conceptWish select coded concepts.
var (
	codeWish = elements.Wish{tag.CodeValue: nil, tag.LongCodeValue: nil, tag.URNCodeValue: nil,
		tag.CodingSchemeDesignator: nil, tag.CodeMeaning: nil}

	typeWish = elements.Wish{tag.CodeValue: nil, tag.LongCodeValue: nil, tag.URNCodeValue: nil,
		tag.CodingSchemeDesignator: nil, tag.CodeMeaning: nil,
		tag.SegmentedPropertyTypeModifierCodeSequence: codeWish}
	regionWish = elements.Wish{tag.CodeValue: nil, tag.LongCodeValue: nil, tag.URNCodeValue: nil,
		tag.CodingSchemeDesignator: nil, tag.CodeMeaning: nil,
		tag.AnatomicRegionModifierSequence: codeWish}
)

// code reads one item of a code sequence (PS3.3 8.8): the value is in one of three
// attributes, depending on its length and kind.
func code(d elements.Dataset) volume.Code {
	c := volume.Code{Value: d.Text(tag.CodeValue), Scheme: d.Text(tag.CodingSchemeDesignator),
		Meaning: d.Text(tag.CodeMeaning)}
	for _, t := range []tag.Tag{tag.LongCodeValue, tag.URNCodeValue} {
		if c.Value == "" {
			c.Value = d.Text(t)
		}
	}
	return c
}

// describe copies the codes of an item to the segment.
func (o *object) describe(s *volume.Segment, d elements.Dataset) error {
	kind, exists, err := o.one(d, tag.SegmentedPropertyTypeCodeSequence)
	if err != nil {
		return err
	}
	if exists {
		s.Type = code(kind)
		for _, m := range kind.Items(tag.SegmentedPropertyTypeModifierCodeSequence) {
			s.Modifiers = append(s.Modifiers, code(m))
		}
	}
	for _, r := range d.Items(tag.AnatomicRegionSequence) {
		s.Regions = append(s.Regions, code(r))
		for _, m := range r.Items(tag.AnatomicRegionModifierSequence) {
			s.Modifiers = append(s.Modifiers, code(m))
		}
	}
	return nil
}
