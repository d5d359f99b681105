package pipeline

import (
	"context"
	"fmt"
	"path"
	"slices"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/segment/depth"
	"github.com/t2map/t2map/volume"
)

// Mask is the file that marks a study's compartments.
type Mask struct {
	// Path opens the file.
	Path string
	// Object is the segmentation or structure set that it holds; nil if it is a
	// file in NIfTI, NRRD or MetaImage.
	Object *dicomio.MaskObject
	// Foreign is what the object refers to instead of the study's series, if the protocol allows that;
	// else nil.
	Foreign error
	// Drawn is the series of the study that the object was drawn on, if it is not the mapped one.
	Drawn *dicomio.Train
	// Beside are files of a usual name in the study's folders that were not used, by their
	// names below its home.
	Beside []string
	// Differ are those of Beside in the same format that hold something else.
	Differ []string

	Format string // by its first bytes: NIfTI, NRRD or MetaImage; "" if they say nothing
}

// maskRead is a mask on its own grid, before a scheme has said what it means: labels, or
// segments if segmented is true.
type maskRead struct {
	file      report.File
	data      []report.File // what the file names as holding its voxels
	kind      string        // NIfTI, NRRD, MetaImage, SEG, RTSTRUCT or program
	segmented bool
	labels    volume.Labels
	// box holds all labels, and cropped says that the rest of the grid is omitted.
	box      segment.Box
	cropped  bool
	segments volume.Segmentation
	foreign  error
	unused   []string
	differ   []string
	made     *madeMask // by a program; else nil
}

// geometry is the grid of the mask.
func (m maskRead) geometry() volume.Geometry {
	if m.segmented {
		return m.segments.Geometry
	}
	return m.labels.Geometry
}

// crop limits a label map to the box that holds its labels, which halves the time and memory of dividing
// it. A map on the grid of the series is not cropped, because its voxels are taken as they are.
func (m *maskRead) crop(series volume.Geometry) {
	if m.segmented || segment.CheckGrid(m.labels.Geometry, series) == nil {
		return
	}
	m.box, m.cropped = segment.BoxOf(m.labels, depth.Margin), true
}

// readMask reads the job's mask on its own grid, or has it made. Its errors have hints.
func (j Job) readMask(ctx context.Context, p protocol.Protocol) (maskRead, error) {
	var m maskRead
	var err error
	switch {
	case j.Input.Named:
		m, err = j.segmentOnce(ctx, p)
	case j.Mask.Object != nil:
		m, err = j.readObject(ctx, p)
	default:
		m, err = j.readLabelMap()
	}
	m.unused, m.differ = j.Mask.Beside, j.Mask.Differ
	return m, HintMask(err)
}

func (j Job) readObject(ctx context.Context, p protocol.Protocol) (maskRead, error) {
	m := maskRead{kind: string(j.Mask.Object.Kind), segmented: true, foreign: j.Mask.Foreign}
	o := dicomio.MaskOptions{Threshold: p.MaskThreshold}
	extra := j.Mask.Object.ReadMemory()
	if err := j.CheckMemory(extra); err != nil {
		return m, err
	}
	o.MostVoxels = j.mostMarked(extra)
	series := j.Train
	if j.Mask.Drawn != nil {
		series = *j.Mask.Drawn
		if err := j.checkMaskGrid(series.Geometry); err != nil {
			return m, err
		}
	}
	if j.Mask.Foreign == nil {
		o.Frame = series.Frame()
	}
	var file dicomio.File
	var err error
	m.segments, file, err = dicomio.ReadMask(ctx, *j.Mask.Object, series.Geometry, o)
	m.file = report.File{Path: file.Path, SHA256: file.SHA256}
	return m, err
}

// mostMaskVoxels is more than any image of a knee has: 640³.
const mostMaskVoxels = 1 << 28

// mostExtent in mm is more than any field of view.
const mostExtent = 1500

// bytesPerMaskVoxel is what a voxel of a mask takes until the mask is on the grid of the
// series: labels, marks and parts of two bytes, tissue, region and layer of one.
const bytesPerMaskVoxel = 3*2 + 3

// checkMaskGrid returns an error if a mask of that grid takes more memory than the study
// may have.
func (j Job) checkMaskGrid(g volume.Geometry) error {
	voxels := 1.0 // a product of ints may overflow
	for _, n := range g.Size {
		voxels *= float64(n)
	}
	if voxels > mostMaskVoxels {
		return hint.Errorf("is it the mask of this study?", "the mask has %d×%d×%d voxels, more than an image of a "+
			"knee", g.Size[0], g.Size[1], g.Size[2])
	}
	for c, d := range g.Spacing() {
		if extent := d * float64(g.Size[c]); extent > mostExtent {
			return hint.Errorf("save the mask with its spacing in mm", "the mask spans %.3g mm, more than a leg: its "+
				"spacing may be in another unit", extent)
		}
	}
	return j.CheckMemory(int64(voxels) * bytesPerMaskVoxel)
}

// interpret gives the mask's voxels the meanings of the scheme.
func (m maskRead) interpret(scheme segment.Scheme) (marks segment.Marks, err error) {
	if !m.segmented {
		if m.cropped {
			marks, err = scheme.InterpretBox(m.labels, m.box)
		} else {
			marks, err = scheme.Interpret(m.labels)
		}
		if err != nil {
			err = hint.Errorf("name the right scheme with --scheme, or give the label a meaning in a scheme file "+
				"(docs/masks.md)", "%s: %w", m.file.Path, err)
		}
		return marks, err
	}
	marks, err = scheme.InterpretSegments(m.segments)
	if err != nil {
		err = hint.Errorf(hintDivide(err), "%s: %w", m.file.Path, err)
	}
	return marks, err
}

// described is what results say of the mask, as it was divided into the regions.
func (m maskRead) described(p placedMask) report.Mask {
	out := report.Mask{Path: m.file.Path, Kind: m.kind}
	if m.made != nil {
		out.Program = &m.made.facts
	}
	if p.resampled {
		size, spacing := m.geometry().Size, m.geometry().Spacing()
		out.Size, out.Spacing = &size, &spacing
	}
	for _, g := range p.regions.Readings {
		g.Label = printable.Short(g.Label)
		out.Segments = append(out.Segments, g)
	}
	return out
}

// note writes into the result what a reader should know of the mask.
func (m maskRead) note(r *report.Result, placed placedMask, p protocol.Protocol) {
	regions := placed.regions
	r.Mask, r.Division = m.described(placed), placed.record
	notes, warnings := placed.notesOf()
	r.Notes, r.Warnings = append(r.Notes, notes...), append(r.Warnings, warnings...)
	if r.Side == "" {
		r.Notes = append(r.Notes, "the side of the knee is not known: neither the images, nor a manifest, nor the "+
			"mask show it")
	}
	if len(m.unused) > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("other files that could be a mask by their names were not taken: %s",
			printable.FirstNames(m.unused)))
	}
	if len(m.differ) > 0 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("%s was taken as the mask by its name, and others that could be "+
			"it hold something else: %s. Name the right one with "+
			"--mask", printable.Short(path.Base(m.file.Path)), printable.FirstNames(m.differ)))
	}
	if m.made != nil {
		r.Warnings = append(r.Warnings, m.made.warnings...)
	}
	r.Warnings = append(r.Warnings, placed.shiftWarnings()...)
	r.Warnings = append(r.Warnings, placed.shareWarnings()...)
	if text := m.empty(regions); text != "" && placed.marked == nil { // else erosion left nothing
		r.Warnings = append(r.Warnings, text)
	}
	r.Warnings = append(r.Warnings, implausible(regions, r.Side)...)
	if !m.segmented {
		return
	}
	r.Protocol.Segments, r.Protocol.Codes = slices.Clone(p.Scheme.Segments), slices.Clone(p.Scheme.Codes)
	r.Protocol.MaskThreshold = m.segments.Threshold
	if r.Protocol.ForeignMask = m.foreign != nil; r.Protocol.ForeignMask {
		r.Warnings = append(r.Warnings, fmt.Sprintf("the mask was not drawn on this series, which was allowed: %v",
			m.foreign))
	}
}

// shiftWarnings warns of a mask whose grid is that of the series, but shifted.
func (p placedMask) shiftWarnings() []string {
	if p.shift == nil {
		return nil
	}
	return []string{fmt.Sprintf("the grid of the mask has the size and spacing of the series but lies up to %.2f mm "+
		"away: the mask may belong to another visit, or may have lost its position; look at the "+
		"overlay", p.shift.Distance)}
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

// MaskName names a mask as results do, below the searched folder.
func MaskName(st dicomio.Study, file string) string {
	return path.Join(st.RootName, files.Below(st.Root, file))
}
