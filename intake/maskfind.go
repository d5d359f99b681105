package intake

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/printable"
)

// firstMasks, otherMasks and lastMasks are the names under which a label map is looked for. The
// first are matched as they are written. The others are matched in upper and lower case alike, and only if
// there is neither a file of the former names nor a DICOM mask of the series, so that a further file does
// not give a study two masks: 3D Slicer's own file, which is among the last, often lies beside the label map
// that was exported from it.
var (
	firstMasks = []string{"labels.nii.gz", "mask.nii.gz", "*seg*.nii*"}
	otherMasks = []string{"*label*.nii*", "*mask*.nii*", "*seg*.nii*"}
	lastMasks  = []string{
		"*label*.nrrd", "*mask*.nrrd", "*seg*.nrrd", "*label*.nhdr", "*mask*.nhdr", "*seg*.nhdr",
		"*label*.mha", "*mask*.mha", "*seg*.mha", "*label*.mhd", "*mask*.mhd", "*seg*.mhd",
	}
)

// usualNames describes all of them; the first are special cases of the others.
const usualNames = "*label*, *mask* and *seg* with .nii, .nii.gz, .nrrd, .nhdr, .mha or .mhd, and a DICOM SEG or " +
	"RTSTRUCT of the study"

// maskPattern is the pattern that settings or protocol give, or "".
func (s *Intake) maskPattern() string { return cmp.Or(s.Mask, s.Protocol.Mask) }

// chooseMask returns the mask of the job's study and train: the one of the
// manifest, else the one file that fits the pattern, else the one file of a usual
// name or DICOM object that was drawn on the train, else, if the protocol allows it,
// the one DICOM object that was drawn on another series. Several are an error.
func (s *Intake) chooseMask(j pipeline.Job) (pipeline.Mask, error) {
	masks, err := s.masks(j)
	switch {
	case err != nil:
		return pipeline.Mask{}, pipeline.HintMask(fmt.Errorf("mask: %w", err))
	case len(masks) > 1:
		var names []string
		for _, m := range masks {
			names = append(names, files.Below(cmp.Or(j.Study.Home, j.Study.Root), m.Path))
		}
		return pipeline.Mask{}, pipeline.Explained(hint.Errorf(pipeline.HintOneMask, "mask: %d candidates: %s",
			len(masks), strings.Join(names, ", ")))
	}
	m := masks[0]
	m.Unused, m.Conflicting = s.unused(j, m)
	if m.Object == nil || m.Object.Problem != nil { // reading it says what is wrong
		return m, nil
	}
	if m.Foreign = j.Train.Foreign(*m.Object); m.Foreign == nil {
		return m, nil
	}
	m.Drawn = drawnOn(j.Study, *m.Object)
	if m.Drawn != nil && (m.Drawn.SharesFrame(j.Train) || j.AlignsWith(*m.Drawn)) {
		m.Foreign = nil
		return m, nil
	}
	switch {
	case s.Protocol.AllowForeignMask: // and lies on the grid of the series that it was drawn on, where that is here
		return m, nil
	case m.Drawn != nil:
		return m, pipeline.Explained(hint.Errorf(fmt.Sprintf("align the two with --register %d, or, if the knee did "+
			"not move between them, add --allow-foreign-mask", m.Drawn.Number),
			"mask: %w: series %s (number %d), which is not in the frame of reference (0020,0052) of the mapped "+
				"series, or one of them has none", m.Foreign, m.Drawn.Hash, m.Drawn.Number))
	}
	return m, pipeline.Explained(hint.Errorf(pipeline.HintForeign, "mask: %w", m.Foreign))
}

// drawnOn returns the series of the study, whatever its kind, that the object says it was
// drawn on; nil if there is none that can be read.
func drawnOn(st dicomio.Study, o dicomio.MaskObject) *dicomio.Train {
	for _, t := range slices.Concat(st.Trains, st.Suspects, st.Others) {
		if t.Geometry.Voxels() > 0 && t.Foreign(o) == nil {
			return &t
		}
	}
	return nil
}

// masks returns the candidates for the mask. Without an error there is at least one.
func (s *Intake) masks(j pipeline.Job) ([]pipeline.Mask, error) {
	st := j.Study
	if j.Identity.Mask != "" {
		m, err := s.openMask(st, j.Identity.Mask)
		if errors.Is(err, dicomio.ErrNoMask) {
			err = hint.Errorf("name a label map in NIfTI, NRRD or MetaImage, a DICOM segmentation (SEG) or a "+
				"structure set (RTSTRUCT) in the manifest", "%w", err)
		}
		return []pipeline.Mask{m}, err
	}
	if pattern := s.maskPattern(); pattern != "" {
		masks, err := s.maskFiles(st, s.named(st, pattern))
		if err == nil && len(masks) == 0 {
			err = pipeline.Explained(s.noMask(st)) // it may be mistyped
		}
		return masks, err
	}
	masks, err := s.maskFiles(st, s.inPlaces(st, written(firstMasks)))
	if err != nil {
		return nil, err
	}
	var foreign []pipeline.Mask
	for i, o := range st.Masks {
		m := pipeline.Mask{Path: o.Path, Object: &st.Masks[i]}
		if o.Problem == nil && j.Train.Foreign(o) != nil {
			foreign = append(foreign, m)
		} else {
			masks = append(masks, m)
		}
	}
	switch {
	case len(masks) > 0:
		return masks, nil
	case len(foreign) > 0 && s.Protocol.AllowForeignMask:
		return foreign, nil // chooseMask says that there are several
	}
	for _, names := range [][]string{otherMasks, lastMasks} {
		if masks, err = s.maskFiles(st, s.inPlaces(st, folded(names))); err != nil || len(masks) > 0 {
			return masks, err
		}
	}
	switch len(foreign) {
	case 0:
		return nil, s.noMask(st)
	case 1:
		return foreign, nil // chooseMask says what it refers to
	}
	return nil, pipeline.Explained(hint.Errorf(pipeline.HintForeign, "%d DICOM masks, none of this series; the "+
		"first: %w", len(foreign), j.Train.Foreign(*foreign[0].Object)))
}

// noMaskError says that a study has no mask.
type noMaskError struct{ text string }

// Error says what was looked for and what lies there.
func (e *noMaskError) Error() string { return e.text }

// noMask says that no mask was found, which names were looked for, and which files could be meant.
func (s *Intake) noMask(st dicomio.Study) error {
	if st.Home == "" {
		return pipeline.Explained(hint.Errorf("name the mask in a manifest, or give every study a folder of its own",
			"the folder holds several studies, so no mask there is known to be this one's"))
	}
	text := fmt.Sprintf("none found (looked for %s)", cmp.Or(s.maskPattern(), usualNames))
	lying := s.lying(st)
	if len(lying) == 0 {
		return hint.Errorf(pipeline.HintOneMask, "%w", &noMaskError{text})
	}
	text += "; what lies there is " + listed(lying)
	for _, m := range lying {
		if pipeline.CanRead(m.format) {
			return pipeline.Explained(hint.Errorf("if it is the mask, add "+
				"--mask "+printable.Quoted(printable.Short(m.pattern)), "%w", &noMaskError{text}))
		}
	}
	return hint.Errorf(pipeline.HintExport, "%w", &noMaskError{text})
}

// maskFiles opens the files that could be the mask. Images and other DICOM files that a
// pattern fits by chance are omitted, and so are the data files of a header that fits too. A file in a
// format that is not read is an error if there is no other.
func (s *Intake) maskFiles(st dicomio.Study, paths []string) ([]pipeline.Mask, error) {
	var masks []pipeline.Mask
	var unread error
	for _, p := range paths {
		m, err := s.openMask(st, p)
		var other *pipeline.FormatError
		switch {
		case errors.Is(err, dicomio.ErrNoMask):
			continue
		case errors.As(err, &other):
			unread = cmp.Or(unread, err)
			continue
		case err != nil:
			return nil, err
		}
		masks = append(masks, m)
	}
	all := slices.Clone(masks)
	masks = slices.DeleteFunc(masks, func(m pipeline.Mask) bool { return isData(m, all) })
	if unread != nil && !slices.ContainsFunc(masks, func(m pipeline.Mask) bool {
		return m.Object != nil ||
			m.Format != ""
	}) {
		return nil, unread // what is left may be its data
	}
	if len(masks) == 0 && len(paths) > 0 {
		err := hint.Errorf(pipeline.HintOneMask, "%s fits %d files, none of them a label map, a segmentation or a "+
			"structure set", cmp.Or(s.maskPattern(), "a usual name"), len(paths))
		if s.maskPattern() != "" {
			err = pipeline.Explained(err)
		}
		return nil, err
	}
	return masks, nil
}

// openMask tells the kind of a mask by the content of its file. A file that is neither DICOM nor of a known
// format is taken for NIfTI, whose reader says what is wrong.
func (s *Intake) openMask(st dicomio.Study, file string) (pipeline.Mask, error) {
	o, err := dicomio.OpenMaskObject(s.tree, file, pipeline.MaskName(st, file))
	switch {
	case errors.Is(err, dicomio.ErrNotDICOM):
		format := pipeline.Sniff(s.tree, file)
		if format != "" && !pipeline.CanRead(format) {
			return pipeline.Mask{}, &pipeline.FormatError{Name: pipeline.MaskName(st, file), Format: format}
		}
		return pipeline.Mask{Path: file, Format: format}, nil
	case err != nil:
		return pipeline.Mask{}, err
	}
	return pipeline.Mask{Path: file, Object: &o}, nil
}

// dataEndings are the usual endings of files that hold the voxels for a header beside them.
var dataEndings = []string{".raw", ".zraw", ".raw.gz", ".gz", ".raw.bz2", ".bz2", ".txt"}

// isData reports whether the file seems to hold the voxels of a header among the others:
// it has no format of its own, and the header's name with another ending.
func isData(m pipeline.Mask, others []pipeline.Mask) bool {
	if m.Object != nil || m.Format != "" {
		return false
	}
	return slices.ContainsFunc(others, func(o pipeline.Mask) bool {
		stem := strings.TrimSuffix(strings.TrimSuffix(o.Path, ".mhd"), ".nhdr")
		return pipeline.CanRead(o.Format) && stem != o.Path && slices.ContainsFunc(dataEndings,
			func(end string) bool { return m.Path == stem+end })
	})
}

// Candidates returns the label maps that could be the study's mask, or the files that fit
// the pattern.
func (s *Intake) Candidates(st dicomio.Study) []string {
	if s.Protocol.Segment.Named() {
		return nil // a program makes it
	}
	if pattern := s.maskPattern(); pattern != "" {
		return s.named(st, pattern)
	}
	if paths := s.inPlaces(st, written(firstMasks)); len(paths) > 0 {
		return paths
	}
	if paths := s.inPlaces(st, folded(otherMasks)); len(paths) > 0 {
		return paths
	}
	return s.inPlaces(st, folded(lastMasks))
}

// named returns the files whose name is the pattern itself, because names may have brackets, else those that
// match it as it is written, else those that match it in upper and lower case alike. A pattern with a path is
// also looked for below the folders above the study's, as far as they hold no other study.
func (s *Intake) named(st dicomio.Study, pattern string) []string {
	literal := func(name, whole string) bool { return name == pattern || whole == filepath.ToSlash(pattern) }
	exact, alike := written([]string{pattern}), folded([]string{pattern})
	for _, f := range []fits{literal, exact, alike} {
		if matches := s.inPlaces(st, f); len(matches) > 0 {
			return matches
		}
	}
	if !strings.Contains(pattern, "/") {
		return nil
	}
	for _, dir := range places(st) { // a path may lead to a folder beside the images
		for _, f := range []fits{literal, alike} {
			if matches := s.matching(dir, true, f); len(matches) > 0 {
				return matches
			}
		}
	}
	return nil
}

// unused returns the files of a usual name that lie beside the mask and were not used,
// unless the mask was asked for by name, and those of them whose uncompressed content differs from the
// mask's. Files of different formats are not compared.
func (s *Intake) unused(j pipeline.Job, m pipeline.Mask) (all, differ []string) {
	if s.maskPattern() != "" || j.Identity.Mask != "" {
		return nil, nil
	}
	var content []byte
	nifti := folded(otherMasks)
	for _, file := range s.inPlaces(j.Study, folded(slices.Concat(otherMasks, lastMasks))) {
		if file == m.Path {
			continue
		}
		name := files.Below(j.Study.Home, file)
		all = append(all, name)
		if m.Object != nil || nifti(filepath.Base(file), "") != nifti(filepath.Base(m.Path), "") {
			continue
		}
		if content == nil {
			content = s.contentHash(m.Path)
		}
		if other := s.contentHash(file); content != nil && other != nil && !bytes.Equal(content, other) {
			differ = append(differ, name)
		}
	}
	return all, differ
}

// contentHash returns the SHA-256 of what is in the file, unpacked, or nil if it cannot
// be read.
func (s *Intake) contentHash(file string) []byte {
	const most = 1 << 30 // bytes: four times a mask of 512 × 512 × 128 voxels in float64
	f, err := s.tree.Open(file)
	if err != nil {
		return nil
	}
	defer f.Close()
	var r io.Reader = io.NewSectionReader(f, 0, f.Size())
	if z, err := gzip.NewReader(r); err == nil {
		r = z
	} else {
		r = io.NewSectionReader(f, 0, f.Size())
	}
	h := sha256.New()
	if _, err := io.Copy(h, io.LimitReader(r, most)); err != nil {
		return nil
	}
	return h.Sum(nil)
}
