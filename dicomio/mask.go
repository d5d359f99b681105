package dicomio

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/t2map/t2map/dicomio/internal/elements"
	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/volume"
)

// SOP classes of the objects that mark voxels (PS3.4 B.5).
const (
	segmentationClass = elements.SegmentationStorage
	labelMapClass     = elements.LabelMapSegmentationStorage
	structureSetClass = elements.RTStructureSetStorage
)

// MaskKind is the kind of a mask object.
type MaskKind string

// The kinds of mask objects.
const (
	MaskSEG      MaskKind = "SEG"      // Segmentation, or Label Map Segmentation
	MaskRTSTRUCT MaskKind = "RTSTRUCT" // RT Structure Set
)

// MaskObject is a DICOM object that marks voxels of a series. The zero value means that
// there is none.
type MaskObject struct {
	// Name is the file's path relative to the searched folder, with slashes; Path opens it.
	Name, Path string
	Kind       MaskKind
	// Label is ContentLabel (0070,0080) or StructureSetLabel (3006,0002),
	// Description SeriesDescription (0008,103E); both are free text.
	Label, Description string
	// Problem says why its header cannot be read, or is nil.
	Problem error

	header  *header
	secrets *secrets // of the study or, for a mask without a study, of the object itself
}

func (h *header) isMask() bool { return h.isSegmentation() || h.sopClass == structureSetClass }

func (h *header) isSegmentation() bool {
	return h.sopClass == segmentationClass || h.sopClass == labelMapClass
}

// derivation selects the references to the images from which the frames of an object were
// made (PS3.3 C.7.6.16.2.6), for all frames or for each.
var derivation = elements.Wish{tag.DerivationImageSequence: {tag.SourceImageSequence: {tag.ReferencedSOPInstanceUID: nil}}}

// sourcesWish selects them in a segmentation without a referenced series.
var sourcesWish = elements.Wish{tag.SharedFunctionalGroupsSequence: derivation, tag.PerFrameFunctionalGroupsSequence: derivation}

// findSources records the images from which the segmentation's frames were made.
func (h *header) findSources(file io.ReaderAt) error {
	out, err := elements.Guard(file, h.size, sourcesWish)
	if err != nil {
		return h.broken(err)
	}
	d, err := out.Parse()
	if err != nil {
		return h.broken(err)
	}
	h.noteTooLong(&out)
	for _, t := range []tag.Tag{tag.SharedFunctionalGroupsSequence, tag.PerFrameFunctionalGroupsSequence} {
		for _, group := range d.Items(t) {
			for _, source := range group.Items(tag.DerivationImageSequence) {
				for _, image := range source.Items(tag.SourceImageSequence) {
					h.sources = append(h.sources, image.Text(tag.ReferencedSOPInstanceUID))
				}
			}
		}
	}
	h.sources = distinct(h.sources)
	return nil
}

// gatherFrames completes the frames of reference of a structure set: those that it lists
// and its own or, if there are none, those of its structures.
func (h *header) gatherFrames(structures []elements.Dataset) {
	if h.sopClass != structureSetClass {
		h.frameUIDs = nil
		return
	}
	if h.frameUIDs = distinct(append(h.frameUIDs, h.frame)); len(h.frameUIDs) > 0 {
		return
	}
	h.frameTag = tag.ReferencedFrameOfReferenceUID
	for _, s := range structures {
		h.frameUIDs = append(h.frameUIDs, s.Text(tag.ReferencedFrameOfReferenceUID))
	}
	h.frameUIDs = distinct(h.frameUIDs)
}

// framesOfReference returns the frames of reference of the mask; empty if it has none.
func (h *header) framesOfReference() []string {
	if len(h.frameUIDs) == 0 {
		return distinct([]string{h.frame})
	}
	return h.frameUIDs
}

// distinct sorts the texts in place and returns each once, without the empty one.
func distinct(texts []string) []string {
	slices.Sort(texts)
	texts = slices.Compact(texts)
	if len(texts) > 0 && texts[0] == "" {
		texts = texts[1:]
	}
	return slices.Clip(texts)
}

// maskObject describes a mask whose header has been read or could not be read because of
// the error.
func maskObject(h *header, err error) MaskObject {
	m := MaskObject{Name: h.name, Path: h.path, Kind: MaskSEG, Label: h.label, Description: h.description, Problem: err, header: h, secrets: &secrets{}}
	m.secrets.add(h.identity)
	m.keepSecrets()
	if h.sopClass == structureSetClass {
		m.Kind = MaskRTSTRUCT
	}
	return m
}

// ErrNotDICOM means that a file is not a DICOM file, and ErrNoMask that it is not a mask.
var (
	ErrNotDICOM = elements.ErrNotDICOM
	ErrNoMask   = errors.New("neither a segmentation (SEG) nor a structure set (RTSTRUCT)")
)

// OpenMaskObject reads the header of the mask object that the tree opens at path. Errors
// and results call it name. A damaged mask is returned with its Problem. Errors are
// ErrNotDICOM, ErrNoMask, and those of a file that cannot be read.
func OpenMaskObject(tree *files.Tree, path, name string) (MaskObject, error) {
	e := entry{header: header{path: path, name: name, tree: tree, texts: &texts{}}}
	err := e.parseFile()
	switch {
	case errors.Is(err, elements.ErrNotDICOM):
		return MaskObject{}, &FileError{Path: name, Problem: "no DICOM file", Kind: ErrNotDICOM, Hint: nameMask}
	case e.isMask():
		return maskObject(&e.header, err), nil
	case err != nil:
		return MaskObject{}, err
	}
	return MaskObject{}, &FileError{Path: name, Attribute: attribute(tag.SOPClassUID), Problem: ErrNoMask.Error(), Kind: ErrNoMask, Hint: nameMask}
}

// ForeignError says that a mask was not drawn on a train.
type ForeignError struct {
	// Path is the mask's path relative to the searched folder.
	Path string
	// Problem says what the mask refers to instead.
	Problem string
}

// Error returns path: problem.
func (e *ForeignError) Error() string { return e.Path + ": " + e.Problem }

// Foreign returns nil if the mask was drawn on the train according to its references: it
// refers to one of the train's series or, if it refers to no series, to one of its images
// or, if it refers to no image either, to its frame of reference; and the train's frame of
// reference is among those of the mask. Otherwise it returns a *ForeignError that says what
// differs. It compares neither geometry nor the frame of reference of each structure, which
// ReadMask does.
func (t Train) Foreign(m MaskObject) error {
	h := m.header
	foreign := func(format string, a ...any) error {
		return &ForeignError{Path: m.Name, Problem: fmt.Sprintf(format, a...)}
	}
	if h == nil || len(t.images) == 0 {
		return foreign("nothing is known of what it refers to")
	}
	frame, frames := t.images[0].frame, h.framesOfReference()
	agree := slices.Contains(frames, frame)
	kind := fmt.Sprintf("its %s is frame %s", attribute(cmp.Or(h.frameTag, tag.FrameOfReferenceUID)), shortList(hashes(frames)))
	refers := slices.ContainsFunc(t.images, h.refersTo)
	switch {
	case refers && (agree || frame == "" || len(frames) == 0):
		return nil
	case refers:
		return foreign("%s, that of the series it refers to is frame %s", kind, hash(frame))
	case len(h.references) > 0:
		return foreign("it refers to another series: %s, not %s", shortList(hashes(h.references)), t.Hash)
	case len(h.sources) > 0:
		return foreign("the images that its SourceImageSequence (0008,2112) names are none of series %s", t.Hash)
	case len(frames) == 0:
		return foreign("it names neither a series nor a FrameOfReferenceUID (0020,0052)")
	case frame == "":
		return foreign("it names no series, and series %s has no FrameOfReferenceUID (0020,0052)", t.Hash)
	case !agree:
		return foreign("%s, that of series %s is frame %s", kind, t.Hash, hash(frame))
	}
	return nil
}

// refersTo reports whether the mask refers to the image's series or, if it refers to no
// series, to the image.
func (h *header) refersTo(image *header) bool {
	if len(h.references) > 0 {
		return image.series != "" && slices.Contains(h.references, image.series)
	}
	_, named := slices.BinarySearch(h.sources, image.instance)
	return named
}

// Frame returns the hash of the train's frame of reference, in the form of Hash; "" if it
// is missing.
func (t Train) Frame() string {
	if len(t.images) == 0 || t.images[0].frame == "" {
		return ""
	}
	return hash(t.images[0].frame)
}

// hashes returns the distinct hashes of the UIDs.
func hashes(uids []string) []string {
	out := distinct(slices.Clone(uids))
	for i, uid := range out {
		out[i] = hash(uid)
	}
	return out
}

// shortList joins the first few of the texts.
func shortList(texts []string) string {
	const shown = 3
	out := ""
	for i, s := range texts[:min(shown, len(texts))] {
		if i > 0 {
			out += ", "
		}
		out += s
	}
	if n := len(texts) - shown; n > 0 {
		out += fmt.Sprintf(" and %d more", n)
	}
	return out
}

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
		return none, File{}, &FileError{Path: m.Name, Problem: "no mask object", Kind: ErrInvalid, Hint: nameMask}
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
		return nil, fmt.Errorf("a mask needs a grid, and %d×%d×%d voxels are none", g.Size[0], g.Size[1], g.Size[2])
	}
	return &placer{Geometry: g, inverse: inverse, spacing: g.Spacing(), tolerance: g.Tolerance(), left: mostOverlap * n}, nil
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
		return h.invalid("its segments hold more than %d voxels, %.3g times those of the series", p.most, float64(p.most)/float64(p.Voxels()))
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
	codeWish = elements.Wish{tag.CodeValue: nil, tag.LongCodeValue: nil, tag.URNCodeValue: nil, tag.CodingSchemeDesignator: nil, tag.CodeMeaning: nil}

	typeWish = elements.Wish{tag.CodeValue: nil, tag.LongCodeValue: nil, tag.URNCodeValue: nil, tag.CodingSchemeDesignator: nil, tag.CodeMeaning: nil,
		tag.SegmentedPropertyTypeModifierCodeSequence: codeWish}
	regionWish = elements.Wish{tag.CodeValue: nil, tag.LongCodeValue: nil, tag.URNCodeValue: nil, tag.CodingSchemeDesignator: nil, tag.CodeMeaning: nil,
		tag.AnatomicRegionModifierSequence: codeWish}
)

// code reads one item of a code sequence (PS3.3 8.8): the value is in one of three
// attributes, depending on its length and kind.
func code(d elements.Dataset) volume.Code {
	c := volume.Code{Value: d.Text(tag.CodeValue), Scheme: d.Text(tag.CodingSchemeDesignator), Meaning: d.Text(tag.CodeMeaning)}
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

// nameMask is the hint about objects that are not masks.
const nameMask = "name a segmentation (SEG) or a structure set (RTSTRUCT)"
