package dicomio

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/t2map/t2map/dicomio/internal/elements"
	"github.com/t2map/t2map/files"
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
var derivation = elements.Wish{
	tag.DerivationImageSequence: {tag.SourceImageSequence: {tag.ReferencedSOPInstanceUID: nil}},
}

// sourcesWish selects these references in a segmentation without a referenced series.
var sourcesWish = elements.Wish{tag.SharedFunctionalGroupsSequence: derivation,
	tag.PerFrameFunctionalGroupsSequence: derivation}

// findSources records the images from which the frames of a segmentation were made.
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

// gatherFrames completes the frames of reference of a structure set: the ones that it lists
// and its own. If there are none, they are the ones of its structures.
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

// maskObject describes a mask. err is the reason why its header could not be read, or nil.
func maskObject(h *header, err error) MaskObject {
	m := MaskObject{Name: h.name, Path: h.path, Kind: MaskSEG, Label: h.label, Description: h.description, Problem: err,
		header: h, secrets: &secrets{}}
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
		return MaskObject{}, &FileError{Path: name, Problem: "not a DICOM file", Kind: ErrNotDICOM, Hint: nameMask}
	case e.isMask():
		return maskObject(&e.header, err), nil
	case err != nil:
		return MaskObject{}, err
	}
	return MaskObject{}, &FileError{Path: name, Attribute: attribute(tag.SOPClassUID), Problem: ErrNoMask.Error(),
		Kind: ErrNoMask, Hint: nameMask}
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
		return foreign("its references are not known")
	}
	frame, frames := t.images[0].frame, h.framesOfReference()
	agree := slices.Contains(frames, frame)
	kind := fmt.Sprintf("its %s is frame %s", attribute(cmp.Or(h.frameTag, tag.FrameOfReferenceUID)),
		shortList(hashes(frames)))
	refers := slices.ContainsFunc(t.images, h.refersTo)
	switch {
	case refers && (agree || frame == "" || len(frames) == 0):
		return nil
	case refers:
		return foreign("%s, but the series it refers to is in frame %s", kind, hash(frame))
	case len(h.references) > 0:
		return foreign("it refers to another series: %s, not %s", shortList(hashes(h.references)), t.Hash)
	case len(h.sources) > 0:
		return foreign("the images that its SourceImageSequence (0008,2112) names do not belong to series %s", t.Hash)
	case len(frames) == 0:
		return foreign("it names neither a series nor a FrameOfReferenceUID (0020,0052)")
	case frame == "":
		return foreign("it names no series, and series %s has no FrameOfReferenceUID (0020,0052)", t.Hash)
	case !agree:
		return foreign("%s, but series %s is in frame %s", kind, t.Hash, hash(frame))
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

// nameMask is the hint about objects that are not masks.
const nameMask = "name a segmentation (SEG) or a structure set (RTSTRUCT)"
