package batch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/volume"
)

// Mask is the file that marks a study's compartments.
type Mask struct {
	// Path opens the file.
	Path string
	// Object is the segmentation or structure set that it holds; nil where it is a
	// label map in NIfTI.
	Object *dicomio.MaskObject
	// Foreign is what the object refers to instead of the study's series, where it
	// was allowed to; else nil.
	Foreign error
}

// usualMasks are the names under which a mask is looked for.
var usualMasks = []string{"labels.nii.gz", "mask.nii.gz", "*seg*.nii*"}

// maskPattern is the pattern that settings or protocol give, or "".
func (s Settings) maskPattern() string { return cmp.Or(s.Mask, s.Protocol.Mask) }

func (s Settings) maskPatterns() []string {
	if p := s.maskPattern(); p != "" {
		return []string{p}
	}
	return usualMasks
}

// checkMaskPattern returns an error when the pattern cannot be one of file names.
func checkMaskPattern(pattern string) error {
	if _, err := filepath.Match(pattern, ""); err != nil {
		return hinted("a pattern is a file name with * and ?", "mask pattern %q: %w", pattern, err)
	}
	return nil
}

// Hints for masks.
const (
	hintOneMask = "put one mask into the study's folder, or name it with --mask or in a manifest"
	hintForeign = "take the mask that was drawn on this series, or, if the two share their grid, add --allow-foreign-mask"
)

// chooseMask returns the mask of the job's study and train: the one of the
// manifest, else the one file that fits the pattern, else the one file of a usual
// name or DICOM object that was drawn on the train, else, where that is allowed,
// the one DICOM object that was drawn on another series. It is an error when there
// are several.
func (s Settings) chooseMask(j Job) (Mask, error) {
	found, err := s.masks(j)
	switch {
	case err != nil:
		return Mask{}, fmt.Errorf("mask: %w", err)
	case len(found) > 1:
		var names []string
		for _, m := range found {
			names = append(names, below(cmp.Or(j.Study.Home, j.Study.Root), m.Path))
		}
		return Mask{}, hinted(hintOneMask, "mask: %d candidates: %s", len(found), strings.Join(names, ", "))
	}
	m := found[0]
	if m.Object == nil || m.Object.Problem != nil { // reading it says what is wrong
		return m, nil
	}
	if m.Foreign = j.Train.Foreign(*m.Object); m.Foreign != nil && !s.Protocol.AllowForeignMask {
		return m, hinted(hintForeign, "mask: %w", m.Foreign)
	}
	return m, nil
}

// masks returns the candidates for the mask; without an error there is one at least.
func (s Settings) masks(j Job) ([]Mask, error) {
	st := j.Study
	if j.Identity.Mask != "" {
		m, err := s.openMask(st, j.Identity.Mask)
		if errors.Is(err, dicomio.ErrNoMask) {
			err = hinted("name a label map in NIfTI, a DICOM segmentation (SEG) or a structure set (RTSTRUCT) in the manifest", "%w", err)
		}
		return []Mask{m}, err
	}
	found, err := s.maskFiles(st)
	if err != nil {
		return nil, err
	}
	var foreign []Mask
	if s.maskPattern() == "" {
		for i, o := range st.Masks {
			m := Mask{Path: o.Path, Object: &st.Masks[i]}
			if o.Problem == nil && j.Train.Foreign(o) != nil {
				foreign = append(foreign, m)
			} else {
				found = append(found, m)
			}
		}
	}
	switch {
	case len(found) > 0:
		return found, nil
	case len(foreign) == 1 || len(foreign) > 1 && s.Protocol.AllowForeignMask:
		return foreign, nil // chooseMask says what it refers to, or that there are several
	case len(foreign) > 1:
		return nil, hinted(hintForeign, "%d DICOM masks, none of this series; the first: %w", len(foreign), j.Train.Foreign(*foreign[0].Object))
	case st.Home == "":
		return nil, hinted("name the mask in a manifest", "the folder holds several studies, so no mask there is known to be this one's")
	}
	looked := s.maskPattern()
	if looked == "" {
		looked = strings.Join(usualMasks, ", ") + " and a DICOM SEG or RTSTRUCT of the study"
	}
	return nil, hinted(hintOneMask, "none found (looked for %s)", looked)
}

// maskFiles returns the files of a usual name or of the given pattern. Images and
// other DICOM files that a pattern happens to fit are none.
func (s Settings) maskFiles(st dicomio.Study) ([]Mask, error) {
	paths := s.candidates(st)
	var found []Mask
	for _, p := range paths {
		m, err := s.openMask(st, p)
		switch {
		case errors.Is(err, dicomio.ErrNoMask):
			continue
		case err != nil:
			return nil, err
		}
		found = append(found, m)
	}
	if len(found) == 0 && len(paths) > 0 {
		return nil, hinted(hintOneMask, "%s fits %d files, none of them a label map, a segmentation or a structure set", s.maskPattern(), len(paths))
	}
	return found, nil
}

// openMask tells by the file's content what kind of mask it is: what is no DICOM
// file is to be NIfTI.
func (s Settings) openMask(st dicomio.Study, file string) (Mask, error) {
	o, err := dicomio.OpenMaskObject(s.tree, file, maskName(st, file))
	switch {
	case errors.Is(err, dicomio.ErrNotDICOM):
		return Mask{Path: file}, nil
	case err != nil:
		return Mask{}, err
	}
	return Mask{Path: file, Object: &o}, nil
}

// maskName names a mask as results do, below the searched folder.
func maskName(st dicomio.Study, file string) string {
	return path.Join(st.RootName, below(st.Root, file))
}

// candidates returns the files that could be the study's mask: those in its
// folder and below, else those right in the nearest folder above that is the
// study's alone. Folders beside it are not searched: they may be another visit's.
func (s Settings) candidates(st dicomio.Study) []string {
	if st.Home == "" {
		return nil
	}
	top := files.Absolute(st.Top())
	if !files.Inside(st.Home, top) {
		top = files.Absolute(st.Folder)
	}
	found := s.matching(top, true)
	for dir := top; len(found) == 0 && dir != st.Home && files.Inside(st.Home, dir); {
		dir = filepath.Dir(dir)
		found = s.matching(dir, false)
	}
	return found
}

// matching returns the files right in the folder, or anywhere below it where deep,
// whose name or path below the folder fits one of the patterns.
func (s Settings) matching(folder string, deep bool) []string {
	var found []string
	prefix := strings.TrimSuffix(folder, string(filepath.Separator)) + string(filepath.Separator)
	from, _ := slices.BinarySearch(s.paths, prefix)
	for _, file := range s.paths[from:] {
		if !strings.HasPrefix(file, prefix) {
			break // they are sorted
		}
		if !deep && filepath.Dir(file) != folder {
			continue
		}
		if slices.ContainsFunc(s.maskPatterns(), func(p string) bool {
			name, _ := filepath.Match(p, filepath.Base(file))
			whole, _ := filepath.Match(filepath.FromSlash(p), filepath.FromSlash(below(folder, file)))
			return name || whole
		}) {
			found = append(found, file)
		}
	}
	return found
}

// searched notes what lies under the roots.
func (s *Settings) searched(tree *files.Tree) {
	s.tree, s.paths = tree, nil
	for _, e := range tree.Entries() {
		if e.Err == nil { // what cannot be listed is the reader's to complain about
			s.paths = append(s.paths, e.Path)
		}
	}
	slices.Sort(s.paths)
}

// maskRead is a mask on the grid of the series, before a scheme has said what it
// means: labels, or segments where segmented is true.
type maskRead struct {
	file      report.File
	kind      string // NIfTI, SEG or RTSTRUCT
	segmented bool
	labels    volume.Labels
	segments  volume.Segmentation
	foreign   error
}

// readMask reads the job's mask onto the grid of its train.
func (j Job) readMask(ctx context.Context, p Protocol) (maskRead, error) {
	if j.Mask.Object != nil {
		return j.readObject(ctx, p)
	}
	return j.readLabelMap()
}

func (j Job) readObject(ctx context.Context, p Protocol) (maskRead, error) {
	m := maskRead{kind: string(j.Mask.Object.Kind), segmented: true, foreign: j.Mask.Foreign}
	o := dicomio.MaskOptions{Threshold: p.MaskThreshold}
	beside := j.Mask.Object.ReadMemory()
	if err := j.checkMemory(beside); err != nil {
		return m, err
	}
	o.MostVoxels = j.mostMarked(beside)
	if j.Mask.Foreign == nil {
		o.Frame = j.Train.Frame()
	}
	var file dicomio.File
	var err error
	m.segments, file, err = dicomio.ReadMask(ctx, *j.Mask.Object, j.Train.Geometry, o)
	m.file = report.File{Path: file.Path, SHA256: file.SHA256}
	return m, err
}

// divide sorts the mask's voxels into the scheme's compartments.
func (m maskRead) divide(scheme segment.Scheme) (segment.Regions, error) {
	if !m.segmented {
		regions, err := scheme.Divide(m.labels)
		if err != nil {
			err = hinted("name the right scheme with --scheme, or add the label to its file", "%s: %w", m.file.Path, err)
		}
		return regions, err
	}
	regions, err := scheme.DivideSegments(m.segments)
	if err != nil {
		err = hinted(hintDivide(err), "%s: %w", m.file.Path, err)
	}
	return regions, err
}

// described is what results say of the mask, as it was divided into the regions.
func (m maskRead) described(r segment.Regions) report.Mask {
	out := report.Mask{Path: m.file.Path, Kind: m.kind}
	for _, g := range r.Readings {
		g.Label = short(g.Label)
		out.Segments = append(out.Segments, g)
	}
	return out
}

// hintDivide says what to do about an error of DivideSegments.
func hintDivide(err error) string {
	var unknown *segment.UnknownSegmentsError
	var overlap *segment.OverlapError
	var frames *segment.FrameError
	switch {
	case errors.As(err, &unknown):
		return "name the segments under `segments` in a scheme file, as in `segments: {Trochlea: patellofemoral, Bone: ignore}`"
	case errors.As(err, &overlap):
		return "a voxel belongs to one compartment: correct the mask, or give one of the segments to `ignore` in a scheme file"
	case errors.As(err, &frames):
		return "give the structures of all frames of reference but one to `ignore` in a scheme file"
	case dicomio.Hint(err) != "": // what was drawn is not on the series
		return dicomio.Hint(err)
	}
	return "correct the segment's label, code or number, or say what it is under `segments` in a scheme file"
}

// note writes into the result what a reader should know of the mask.
func (m maskRead) note(r *report.Result, regions segment.Regions, p Protocol) {
	r.Mask = m.described(regions)
	if text := m.empty(regions); text != "" {
		r.Warnings = append(r.Warnings, text)
	}
	if !m.segmented {
		return
	}
	r.Protocol.Segments, r.Protocol.Codes = slices.Clone(p.Scheme.Segments), slices.Clone(p.Scheme.Codes)
	r.Protocol.MaskThreshold = m.segments.Threshold
	if r.Protocol.ForeignMask = m.foreign != nil; r.Protocol.ForeignMask {
		r.Warnings = append(r.Warnings, fmt.Sprintf("the mask was not drawn on this series, which was allowed: %v", m.foreign))
	}
}

// noVoxel begins the warning of a mask that marks nothing.
const noVoxel = "no voxel of the mask belongs to a compartment"

// empty warns of a mask that is sound and marks nothing; else it is "".
func (m maskRead) empty(r segment.Regions) string {
	switch {
	case slices.ContainsFunc(r.Data, func(region uint16) bool { return region != 0 }):
		return ""
	case m.segments.Threshold > 0:
		return fmt.Sprintf("%s, from %g of the maximum on (mask_threshold)", noVoxel, m.segments.Threshold)
	}
	return noVoxel
}
