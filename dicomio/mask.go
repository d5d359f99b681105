package dicomio

import (
	"context"
	"fmt"
	"maps"
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

// defaultThreshold is the fraction from which most of a voxel is in the segment.
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
// and a contour through the centres of a region's outermost voxels encloses that region. A
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
	s, sum, err := m.read(ctx, target, o)
	if err != nil {
		m.secrets.inError(err)
		return none, File{}, err
	}
	m.secrets.inSegments(s.Segments)
	return s, File{Path: m.Name, SHA256: sum}, nil
}

// read reads the segments of the object and hashes its file.
func (m MaskObject) read(ctx context.Context, target *placer, opt MaskOptions) (out volume.Segmentation, sum string,
	err error) {
	wish, read := segmentationWish, readSegments
	if m.Kind == MaskRTSTRUCT {
		wish, read = structureWish, readStructures
	}
	o, err := m.header.openObject(wish)
	if err != nil {
		return out, "", err
	}
	defer o.Close()
	r := &maskReader{object: o, target: target, indexOf: map[int]int{}}
	if err := read(ctx, r, opt); err != nil {
		return out, "", err
	}
	sum, err = o.sha256()
	return volume.Segmentation{Geometry: target.Geometry, Segments: r.segments, Threshold: r.threshold}, sum, err
}

// maskReader holds what the readers of segmentations and of structure sets have in common.
// Segments are those of the one and the structures of the other.
type maskReader struct {
	*object
	target    *placer
	segments  []volume.Segment
	indexOf   map[int]int // from a segment's number to its index in segments
	threshold float64     // volume.Segmentation.Threshold
}

// declare reads the segments from the items of a sequence: number and label from these
// attributes, and the rest with complete.
func (r *maskReader) declare(sequence, number, label tag.Tag,
	complete func(*volume.Segment, elements.Dataset) error) error {
	items := r.data.Items(sequence)
	if len(items) == 0 {
		return r.wrong(sequence, "missing")
	}
	for _, item := range items {
		n, wrong := r.number(item, number)
		if wrong != nil {
			return wrong
		}
		if _, twice := r.indexOf[n]; twice {
			return r.wrong(number, "%d appears twice", n)
		}
		s := volume.Segment{Number: n, Label: item.Text(label)}
		if err := complete(&s, item); err != nil {
			return err
		}
		r.indexOf[n] = len(r.segments)
		r.segments = append(r.segments, s)
	}
	return nil
}

// referenced returns the index in segments of the segment whose number is in the attribute.
func (r *maskReader) referenced(item elements.Dataset, number tag.Tag) (int, *FileError) {
	n, wrong := r.number(item, number)
	if wrong != nil {
		return 0, wrong
	}
	i, exists := r.indexOf[n]
	if !exists {
		return 0, r.wrong(number, "%d is not declared in this object", n).withHint(hintAgain)
	}
	return i, nil
}

// hintAgain is the hint about an object that refers to something that it does not contain.
const hintAgain = "the file contradicts itself: save the mask again with the program that drew it"

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

// count counts voxels of a segment against the limit.
func (p *placer) count(h *header, voxels int) error {
	if p.left -= voxels; p.left < 0 {
		return h.invalid("its segments hold more than %d voxels, %.3g times those of the series", p.most,
			float64(p.most)/float64(p.Voxels()))
	}
	return nil
}

// onlyItem returns the only item of a sequence; ok is false if the sequence is absent.
func (o *object) onlyItem(d elements.Dataset, t tag.Tag) (item elements.Dataset, ok bool, err error) {
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
func (o *object) number(d elements.Dataset, t tag.Tag) (int, *FileError) {
	v, ok, err := d.Integer(t)
	switch {
	case err != nil:
		return 0, o.wrong(t, "%v", err)
	case !ok:
		return 0, o.wrong(t, "missing")
	}
	return v, nil
}

// These select coded concepts.
var (
	codeWish = elements.Wish{tag.CodeValue: nil, tag.LongCodeValue: nil, tag.URNCodeValue: nil,
		tag.CodingSchemeDesignator: nil, tag.CodeMeaning: nil}
	typeWish   = codeWithModifiers(tag.SegmentedPropertyTypeModifierCodeSequence)
	regionWish = codeWithModifiers(tag.AnatomicRegionModifierSequence)
)

func codeWithModifiers(sequence tag.Tag) elements.Wish {
	wish := maps.Clone(codeWish)
	wish[sequence] = codeWish
	return wish
}

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
	kind, exists, err := o.onlyItem(d, tag.SegmentedPropertyTypeCodeSequence)
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
