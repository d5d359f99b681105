package pipeline

import (
	"cmp"
	"context"
	"path"
	"strings"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/segment/depth"
	"github.com/t2map/t2map/volume"
)

// Mask is the file that marks a study's compartments.
type Mask struct {
	// Path is the path of the file, and Name its name in results; "" means MaskName.
	Path, Name string
	// Read is the read in which a reader has signed the mask, and SHA256 that of the file that was signed; nil and "" if
	// the mask is not a reader's.
	Read   *report.SignedRead
	SHA256 string
	// Object is the segmentation or structure set in the file; nil if it is a file in NIfTI, NRRD or MetaImage.
	Object *dicomio.MaskObject
	// Foreign says which series the object refers to instead of the study's series, if the protocol allows that; else
	// nil.
	Foreign error
	// Drawn is the series of the study on which the object was drawn, if it is not the mapped one.
	Drawn *dicomio.Train
	// Unused are files in the study's folders that have a usual name and were not used, by their names below its
	// home.
	Unused []string
	// Conflicting are the files of Unused in the same format with different content.
	Conflicting []string
	// Format is NIfTI, NRRD or MetaImage, according to the first bytes of the file; "" if they are not specific.
	Format string
}

// maskRead is a mask on its own grid, before a scheme gives it a meaning: labels, or segments if segmented is true.
type maskRead struct {
	file      report.File
	data      []report.File // files that hold the voxels for a header
	kind      string        // NIfTI, NRRD, MetaImage, SEG, RTSTRUCT or program
	segmented bool
	labels    volume.Labels
	// box holds all labels, and cropped says that the rest of the grid is omitted.
	box         segment.Box
	cropped     bool
	segments    volume.Segmentation
	foreign     error     // see Mask.Foreign
	unused      []string  // see Mask.Unused
	conflicting []string  // see Mask.Conflicting
	made        *madeMask // by a program; else nil
}

// geometry is the grid of the mask.
func (m maskRead) geometry() volume.Geometry {
	if m.segmented {
		return m.segments.Geometry
	}
	return m.labels.Geometry
}

// crop limits a label map to the box that holds its labels, which halves the time and memory of its division. A map
// on the grid of the series is not cropped, because it is used voxel by voxel.
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
	m.unused, m.conflicting = j.Mask.Unused, j.Mask.Conflicting
	return m, HintMask(err)
}

// readObject reads the job's mask, a DICOM object.
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

// mostMaskVoxels is the largest number of voxels, 640³. No image of a knee has more.
const mostMaskVoxels = 1 << 28

// mostExtent is the largest extent in mm. No field of view is larger.
const mostExtent = 1500

// bytesPerMaskVoxel is the memory for a voxel of a mask until the mask is on the grid of the series: labels, marks
// and parts of two bytes; tissue, region and layer of one byte.
const bytesPerMaskVoxel = 3*2 + 3

// checkMaskGrid returns an error if a mask on that grid is larger than a knee, or needs more memory than the study
// may use.
func (j Job) checkMaskGrid(g volume.Geometry) error {
	voxels := 1.0 // a product of ints may overflow
	for _, n := range g.Size {
		voxels *= float64(n)
	}
	if voxels > mostMaskVoxels {
		return hint.Errorf("check that it is the mask of this study",
			"the mask has %d×%d×%d voxels, more than an image of a knee", g.Size[0], g.Size[1], g.Size[2])
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

// MayBeDetached reports whether a mask may be a header whose voxels lie in another file, by its name.
func MayBeDetached(file string) bool {
	name := strings.ToLower(file)
	return strings.HasSuffix(name, ".mhd") || strings.HasSuffix(name, ".nhdr") || strings.HasSuffix(name, ".hdr")
}

// nameIn returns the name of the mask in the results of a study.
func (m Mask) nameIn(st dicomio.Study) string { return cmp.Or(m.Name, MaskName(st, m.Path)) }

// MaskName is the name of a mask in results: its path below the searched folder.
func MaskName(st dicomio.Study, file string) string {
	return path.Join(st.RootName, files.Below(st.Root, file))
}
