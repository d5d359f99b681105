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
	"github.com/t2map/t2map/report"
)

// firstMasks, otherMasks and lastMasks are the usual names of label maps. The first are matched exactly. The others
// are matched regardless of case, and only if there is neither a file with one of the previous names nor a DICOM
// mask of the series, so that an additional file does not give a study two masks: 3D Slicer's own file, whose name
// is among the last, often lies beside the label map that was exported from it.
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

// maskPattern is the pattern in the rules, else that in the protocol; it may be "".
func (s *Intake) maskPattern() string { return cmp.Or(s.Mask, s.Protocol.Mask) }

// chooseMask returns the mask of the job's study and train: the mask in the manifest, else the only file that fits
// the pattern, else the only file with a usual name or DICOM object that was drawn on the train, else, if the
// protocol allows it, the only DICOM object that was drawn on another series. Several candidates are an error.
func (s *Intake) chooseMask(j pipeline.Job) (pipeline.Mask, error) {
	m, err := s.onlyMask(j)
	return m, pipeline.Because(report.ReasonMask, err)
}

func (s *Intake) onlyMask(j pipeline.Job) (pipeline.Mask, error) {
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
	if m.Object == nil || m.Object.Problem != nil { // its reader returns the error
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
	case s.Protocol.AllowForeignMask: // its grid is that of the series on which it was drawn, if the study has it
		return m, nil
	case m.Drawn != nil:
		return m, pipeline.Explained(hint.Errorf(fmt.Sprintf("align the two with --register %d, or, if the knee did "+
			"not move between them, add --allow-foreign-mask", m.Drawn.Number),
			"mask: %w: series %s (number %d), which is not in the frame of reference (0020,0052) of the mapped "+
				"series, or one of them has none", m.Foreign, m.Drawn.Hash, m.Drawn.Number))
	}
	return m, pipeline.Explained(hint.Errorf(pipeline.HintForeign, "mask: %w", m.Foreign))
}

// drawnOn returns the series of the study, of any kind, on which the object was drawn according to its references;
// nil if there is none that can be read.
func drawnOn(st dicomio.Study, o dicomio.MaskObject) *dicomio.Train {
	for _, t := range slices.Concat(st.Trains, st.Suspects, st.Others) {
		if t.Geometry.Voxels() > 0 && t.Foreign(o) == nil {
			return &t
		}
	}
	return nil
}

// masks returns the candidates for the mask: at least one, or an error.
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
			err = pipeline.Explained(s.noMask(st)) // the pattern may be mistyped
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
		return foreign, nil // chooseMask returns an error if there are several
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
		return foreign, nil // chooseMask returns an error that names its series
	}
	return nil, pipeline.Explained(hint.Errorf(pipeline.HintForeign, "%d DICOM masks, none of this series; the "+
		"first: %w", len(foreign), j.Train.Foreign(*foreign[0].Object)))
}

// noMaskError says that a study has no mask.
type noMaskError struct{ text string }

// Error lists the names that were searched for and the files that were found.
func (e *noMaskError) Error() string { return e.text }

// noMask says that no mask was found, which names were searched for, and which files could be the mask.
func (s *Intake) noMask(st dicomio.Study) error {
	return pipeline.Because(report.ReasonNoMask, s.maskAbsent(st))
}

func (s *Intake) maskAbsent(st dicomio.Study) error {
	if st.Home == "" {
		return pipeline.Explained(hint.Errorf("name the mask in a manifest, or give every study a folder of its own",
			"the folder holds several studies, so no mask there is known to be this one's"))
	}
	text := fmt.Sprintf("none found (looked for %s)", cmp.Or(s.maskPattern(), usualNames))
	possible := s.possibleMasks(st)
	if len(possible) == 0 {
		return hint.Errorf(pipeline.HintOneMask, "%w", &noMaskError{text})
	}
	text += "; possible masks: " + listMasks(possible)
	for _, m := range possible {
		if pipeline.CanRead(m.format) {
			return pipeline.Explained(hint.Errorf("if it is the mask, add "+
				"--mask "+printable.Quoted(printable.Short(m.pattern)), "%w", &noMaskError{text}))
		}
	}
	return hint.Errorf(pipeline.HintExport, "%w", &noMaskError{text})
}

// maskFiles opens the files that could be the mask. It omits images and other DICOM files that fit a pattern by
// chance, and the data files of a header that fits too. If only files in formats that are not read remain, the
// first of them is an error.
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
	known := func(m pipeline.Mask) bool { return m.Object != nil || m.Format != "" }
	if unread != nil && !slices.ContainsFunc(masks, known) {
		return nil, unread // the remaining files may be its data
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

// openMask recognizes the kind of a mask by the content of its file. A file that is neither DICOM nor of a known
// format is read as NIfTI, whose reader returns the error.
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

// dataEndings are the usual endings of files that hold the voxels for a header in the same folder.
var dataEndings = []string{".raw", ".zraw", ".raw.gz", ".gz", ".raw.bz2", ".bz2", ".txt"}

// isData reports whether the file probably holds the voxels for a header among the others: its format is unknown,
// and its name is the header's name with another ending.
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

// Candidates returns the label maps that could be the study's mask, or the files that fit the pattern.
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

// named returns the files whose name is literally the pattern, because names may contain brackets, else those that
// match it exactly, else those that match it regardless of case. A pattern with a path is also searched for below
// the folders above the study's that hold no other study.
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
	for _, dir := range places(st) { // a path may lead to a sibling folder of the images
		for _, f := range []fits{literal, alike} {
			if matches := s.matching(dir, true, f); len(matches) > 0 {
				return matches
			}
		}
	}
	return nil
}

// unused returns the files with a usual name that were not used, unless a pattern or the manifest names the mask, and
// those of them whose uncompressed content differs from the mask's. Files in different formats are not compared.
func (s *Intake) unused(j pipeline.Job, m pipeline.Mask) (all, conflicting []string) {
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
			conflicting = append(conflicting, name)
		}
	}
	return all, conflicting
}

// contentHash returns the SHA-256 of the uncompressed content of a file, or nil if it cannot be read.
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
