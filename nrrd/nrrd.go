// Package nrrd reads label maps and segmentations in NRRD: one file (.nrrd, .seg.nrrd of
// 3D Slicer), or a header and its data files (.nhdr).
//
// A file must state the position of its voxels: space (LPS, RAS or LAS, or the long names), space
// directions and space origin. Geometries are returned as LPS in mm, for any space and unit of the
// file; voxels stay in the file's order. spacings without directions are not a position. The
// measurement frame does not concern labels and is ignored.
//
// Encodings raw, gzip, bzip2 and ascii are read, hex is not. All integer and floating-point types
// are read, in both byte orders. Memory follows the data that arrive, not the sizes that a header
// declares.
//
// Source of the format: Definition of NRRD File Format,
// https://teem.sourceforge.net/nrrd/format.html, NRRD0001 to NRRD0005. Field names in errors are those of that
// document. Source of the segments: the comments of vtkMRMLSegmentationStorageNode.h and
// https://slicer.readthedocs.io/en/latest/developer_guide/modules/segmentations.html.
package nrrd

import (
	"fmt"
	"io"

	"github.com/t2map/t2map/samples"
	"github.com/t2map/t2map/volume"
)

// Options are the options of Read.
type Options struct {
	samples.Options
	// MostVoxels is the largest number of voxels of all segments together, so that they fit into
	// memory; 0 means eight times the number of voxels of the grid, which is always the limit.
	MostVoxels int
}

// Mask is the content of a file: a label map, or a segmentation if Segments is true.
type Mask struct {
	Labels       volume.Labels
	Segmentation volume.Segmentation
	// Segments reports that the file has a table of segments, as files of 3D Slicer have.
	Segments bool
}

// Read reads a label map or a segmentation. The file has three axes with a direction, and at most
// one without, which has one element or is the axis of a segmentation's layers. Attributes of
// segments (such as Segment0_Name) make the file a segmentation. The number of a segment is its
// label value. If segments in different layers share a value, none of them has a number of its own.
//
// Labels are whole numbers of 0 to 65535 of any type; any other value is an error that names the
// first such voxel. Data that are shorter or longer than the header declares, a label without a
// segment, and a header without the position of the voxels are errors too. All errors except those
// of Check are samples.Error.
func Read(r io.Reader, o Options) (Mask, error) {
	br, length := samples.Buffered(r)
	h := header{lines: samples.NewLines(br, "blank line")}
	if err := h.read(); err != nil {
		return Mask{}, samples.Mark(samples.FaultFormat, err)
	}
	f, err := h.parse()
	if err != nil {
		return Mask{}, samples.Mark(samples.FaultFormat, err)
	}
	if o.Check != nil {
		if err := o.Check(f.geometry); err != nil {
			return Mask{}, err
		}
		f.array.Trusted = true
	}
	f.array.Length = length
	f.store.Open = o.Open
	source, err := f.store.Voxels(br, r, h.lines.Used())
	if err != nil {
		return Mask{}, err
	}
	defer source.Close()
	data := samples.NewReader(source, f.array)
	m := Mask{Segments: len(f.segments) > 0}
	if m.Segments {
		m.Segmentation, err = f.divide(data, o.MostVoxels)
	} else {
		m.Labels.Geometry = f.geometry
		m.Labels.Data, err = data.Labels()
	}
	if err == nil {
		err = data.End(fmt.Sprintf("the %s voxels that sizes declares", sizes(f.array.Size)))
	}
	if err != nil {
		return Mask{}, err
	}
	return m, nil
}
