package batch

import (
	"context"
	"fmt"
	"path"
	"slices"

	"github.com/t2map/t2map/dicomio"
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
	// Beside are files of a usual name in the study's folders that were not taken, by their
	// names below its home.
	Beside []string
	// Differ are those of Beside that hold something else than a mask in NIfTI does.
	Differ []string

	sniffed bool // its first bytes are those of a file in NIfTI
}

// maskRead is a mask on the grid of the series, before a scheme has said what it
// means: labels, or segments where segmented is true.
type maskRead struct {
	file      report.File
	kind      string // NIfTI, SEG, RTSTRUCT or program
	segmented bool
	labels    volume.Labels
	segments  volume.Segmentation
	foreign   error
	beside    []string
	differ    []string
	made      *madeMask // by a program; else nil
}

// readMask reads the job's mask onto the grid of its train, or has it made. Its errors have hints.
func (j Job) readMask(ctx context.Context, p Protocol) (maskRead, error) {
	var m maskRead
	var err error
	switch {
	case j.Input.Named:
		m, err = j.segment(ctx, p)
	case j.Mask.Object != nil:
		m, err = j.readObject(ctx, p)
	default:
		m, err = j.readLabelMap()
	}
	m.beside, m.differ = j.Mask.Beside, j.Mask.Differ
	return m, hintMask(err)
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
		marks, err := scheme.Undivided().Interpret(m.labels)
		if err != nil {
			err = hinted("name the right scheme with --scheme, or add the label to its file", "%s: %w", m.file.Path, err)
		}
		return marks.Whole().OnGrid(marks.Geometry, marks.Data, nil), err
	}
	marks, err := scheme.Undivided().InterpretSegments(m.segments)
	if err != nil {
		err = hinted(hintDivide(err), "%s: %w", m.file.Path, err)
	}
	return marks.Whole().OnGrid(marks.Geometry, marks.Data, nil), err
}

// described is what results say of the mask, as it was divided into the regions.
func (m maskRead) described(r segment.Regions) report.Mask {
	out := report.Mask{Path: m.file.Path, Kind: m.kind}
	if m.made != nil {
		out.Program = &m.made.facts
	}
	for _, g := range r.Readings {
		g.Label = short(g.Label)
		out.Segments = append(out.Segments, g)
	}
	return out
}

// note writes into the result what a reader should know of the mask.
func (m maskRead) note(r *report.Result, regions segment.Regions, p Protocol) {
	r.Mask = m.described(regions)
	if len(m.beside) > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("other files that could be a mask by their names were not taken: %s", firstNames(m.beside)))
	}
	if len(m.differ) > 0 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("%s was taken as the mask by its name, and others that could be it hold something else: %s. Name the right one with --mask", short(path.Base(m.file.Path)), firstNames(m.differ)))
	}
	if m.made != nil {
		r.Warnings = append(r.Warnings, m.made.warnings...)
	}
	if text := m.empty(regions); text != "" {
		r.Warnings = append(r.Warnings, text)
	}
	r.Warnings = append(r.Warnings, implausible(regions, r.Side)...)
	if !m.segmented {
		return
	}
	r.Protocol.Segments, r.Protocol.Codes = slices.Clone(p.Scheme.Segments), slices.Clone(p.Scheme.Codes)
	r.Protocol.MaskThreshold = m.segments.Threshold
	if r.Protocol.ForeignMask = m.foreign != nil; r.Protocol.ForeignMask {
		r.Warnings = append(r.Warnings, fmt.Sprintf("the mask was not drawn on this series, which was allowed: %v", m.foreign))
	}
}

// empty warns of a mask that is sound and marks nothing; else it is "".
func (m maskRead) empty(r segment.Regions) string {
	const noVoxel = "no voxel of the mask belongs to a compartment"
	switch {
	case slices.ContainsFunc(r.Data, func(region uint16) bool { return region != 0 }):
		return ""
	case m.segments.Threshold > 0:
		return fmt.Sprintf("%s, from %g of the maximum on (mask_threshold)", noVoxel, m.segments.Threshold)
	}
	return noVoxel
}
