// Package metaimage reads label maps in MetaImage: one file (.mha), or a header (.mhd) and
// its data files (.raw, .zraw).
//
// A file must say where its voxels lie: TransformMatrix, Offset and ElementSpacing, or their
// other names. ITK takes the identity, 0 and 1 where they are missing, which places a
// mask somewhere; here that is an error. Coordinates are LPS in mm, as ITK has them.
// AnatomicalOrientation says the same as TransformMatrix in other words, and ITK does not
// read it; nor does this package. CenterOfRotation does not move voxels.
//
// Voxels are binary, plain or in zlib or gzip, or text. All whole and real types of MetaIO are
// read, in both byte orders. Memory follows the data that arrive, not the sizes that a header
// declares.
//
// Sources of the format: https://docs.itk.org/en/latest/learn/metaio.html, and, where that
// is silent, MetaIO as ITK 5.4 has it (metaObject.cxx, metaImage.cxx, itkMetaImageIO.cxx). Field names in errors
// are those of the header.
package metaimage

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
	// Open opens a data file by the name that a header gives it. It has to refuse
	// names that lead elsewhere; its errors are returned as they are, as faults of the kind
	// samples.FaultDataFile. With a nil Open, a header without data is an error.
	Open samples.Open
}

// ReadLabels reads a label map: three dimensions, and more only if they have one element.
//
// Labels are whole numbers of 0 to 65535 in any storage; what is not is an error that names
// the first such voxel. So are data that are shorter or longer than the header declares, and
// a header that says nowhere where the voxels lie. All errors but those of Check are
// samples.Error.
func ReadLabels(r io.Reader, o Options) (volume.Labels, error) {
	br, length := samples.Buffered(r)
	h := header{lines: samples.NewLines(br, "ElementDataFile")}
	if err := h.read(); err != nil {
		return volume.Labels{}, samples.Mark(samples.FaultFormat, err)
	}
	f, err := h.parse()
	if err != nil {
		return volume.Labels{}, samples.Mark(samples.FaultFormat, err)
	}
	if o.Check != nil {
		if err := o.Check(f.geometry); err != nil {
			return volume.Labels{}, err
		}
		f.array.Trusted = true
	}
	f.array.Length = length
	f.store.Open = o.Open
	source, err := f.store.Voxels(br, r, h.lines.Used())
	if err != nil {
		return volume.Labels{}, err
	}
	defer source.Close()
	data := samples.NewReader(source, f.array)
	l := volume.Labels{Geometry: f.geometry}
	if l.Data, err = data.Labels(); err == nil {
		err = data.End(fmt.Sprintf("the %d×%d×%d voxels that DimSize declares", l.Size[0], l.Size[1], l.Size[2]))
	}
	if err != nil {
		return volume.Labels{}, err
	}
	return l, nil
}
