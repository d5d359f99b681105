// Package metaimage reads label maps in MetaImage: one file (.mha), or a header (.mhd) and
// its data files (.raw, .zraw).
//
// A file must state the position of its voxels: TransformMatrix, Offset and ElementSpacing, or
// their other names. If they are missing, ITK assumes the identity, 0 and 1, which places a mask at
// a wrong position; here that is an error. Coordinates are LPS in mm, as in ITK.
// AnatomicalOrientation repeats TransformMatrix in other words; like ITK, this package does not
// read it. CenterOfRotation does not move voxels.
//
// Voxels are text or binary, uncompressed or in zlib or gzip. All integer and floating-point types
// of MetaIO are read, in both byte orders. Memory follows the data that arrive, not the sizes that
// a header declares.
//
// Sources of the format: https://docs.itk.org/en/latest/learn/metaio.html, and for the rest MetaIO
// in ITK 5.4 (metaObject.cxx, metaImage.cxx, itkMetaImageIO.cxx). Field names in errors are those
// of the header.
package metaimage

import (
	"fmt"
	"io"

	"github.com/t2map/t2map/samples"
	"github.com/t2map/t2map/volume"
)

// ReadLabels reads a label map with three dimensions; more must have one element.
//
// Labels are whole numbers of 0 to 65535 of any type; any other value is an error that names the
// first such voxel. Data that are shorter or longer than the header declares, and a header without
// the position of the voxels, are errors too. All errors except those of Check are samples.Error.
func ReadLabels(r io.Reader, o samples.Options) (volume.Labels, error) {
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
