// Package nrrd reads label maps and segmentations in NRRD: one file (.nrrd, .seg.nrrd of
// 3D Slicer), or a header and its data files (.nhdr).
//
// A file must say where its voxels lie: space (LPS, RAS or LAS, or the long names), space
// directions and space origin. Geometries that come out are LPS in mm, whatever the file's
// space and unit; voxels stay in the file's order. spacings without directions do not
// place them. The measurement frame does not concern labels and is not read.
//
// Encodings raw, gzip, bzip2 and ascii are read, hex is not. Every whole and real type is,
// in both byte orders. Memory follows the data that arrive, not the sizes that a header declares.
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

// Options are what a reader needs beside the file.
type Options struct {
	// Check is called with the grid that the header declares before a voxel is read or a
	// data file opened; its error is returned as it is. A few compressed bytes can declare
	// and hold more voxels than fit into memory: Check is what bounds them. A nil Check
	// accepts every grid.
	Check func(volume.Geometry) error
	// Open opens a data file by the name that a detached header gives it. It has to refuse
	// names that lead elsewhere; its errors are returned as they are, as faults of the kind
	// samples.FaultDataFile. With a nil Open, a detached header is an error.
	Open samples.Open
	// MostVoxels bounds how many voxels the segments may have together, so that they fit into
	// memory; 0 means eight times those of the grid, which more never may have.
	MostVoxels int
}

// Mask is what a file holds: a label map, or a segmentation where Segments is true.
type Mask struct {
	Labels       volume.Labels
	Segmentation volume.Segmentation
	// Segments reports that the file has a table of segments, as those of 3D Slicer do.
	Segments bool
}

// Read reads a label map or a segmentation: three axes with a direction, and at most one
// without, which has one element or is that of a segmentation's layers. The attributes of segments
// (Segment0_Name and such) make it a segmentation. The number of a segment is its label value.
// Where segments in different layers share a value, none of them has a number of its own.
//
// Labels are whole numbers of 0 to 65535 in any storage; what is not is an error that names
// the first such voxel. So are data that are shorter or longer than the header declares, a
// label that no segment has, and a header that says nowhere where the voxels lie. All errors
// but those of Check are samples.Error.
func Read(r io.Reader, o Options) (Mask, error) {
	m, err := read(r, o)
	if err != nil {
		return Mask{}, err
	}
	return m, nil
}

func read(r io.Reader, o Options) (Mask, error) {
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
	if err != nil {
		return Mask{}, err
	}
	return m, data.End(fmt.Sprintf("the %s voxels that sizes declares", sizes(f.array.Size)))
}
