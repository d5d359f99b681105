package nifti

import (
	"fmt"
	"io"

	"github.com/t2map/t2map/samples"
	"github.com/t2map/t2map/volume"
)

// file is a NIfTI-1 file whose header has been read. Its next byte is the first of the data.
type file struct {
	header
	*samples.Reader // of one frame
}

// ReadLabels reads a label map: .nii or .nii.gz, recognised by content, 3-D, or 4-D with one frame.
// Labels are whole numbers of 0 to 65535 of any integer or floating-point type; scl_slope and
// scl_inter are applied.
//
// A label that is negative, fractional (by more than 0.01), not a number or above 65535 is an error
// that names the first such voxel (i, j, k) and its value. Data that are shorter or longer than the
// header declares, a damaged header, and a file without the position of its voxels (ErrNoGeometry)
// are errors too. A valid file of another kind is ErrUnsupported.
func ReadLabels(r io.Reader) (volume.Labels, error) {
	return ReadCheckedLabels(r, nil)
}

// ReadCheckedLabels is ReadLabels for a label map whose grid is known beforehand. It calls check
// with the grid that the header declares before it reads a voxel, and returns the error of check as
// it is. check bounds memory, because a few compressed bytes can declare and hold more voxels than
// fit into it. A nil check accepts every grid.
func ReadCheckedLabels(r io.Reader, check func(volume.Geometry) error) (volume.Labels, error) {
	f, err := open(r)
	if err != nil {
		return volume.Labels{}, err
	}
	if f.frames != 1 {
		return volume.Labels{}, samples.Mark(
			samples.FaultFrames, fmt.Errorf("dim[4]: %d frames, a label map has one", f.frames),
		)
	}
	g, err := f.geometry()
	if err != nil {
		return volume.Labels{}, err
	}
	if check != nil {
		if err := check(g); err != nil {
			return volume.Labels{}, err
		}
		f.Trusted = true
	}
	data, err := f.Labels()
	if err == nil {
		err = f.end()
	}
	if err != nil {
		return volume.Labels{}, err
	}
	return volume.Labels{Geometry: g, Data: data}, nil
}

// ReadFrames reads a 3-D or 4-D file, .nii or .nii.gz, recognised by content: one slice of Nx·Ny·Nz
// values per frame (dim[4]), with scl_slope and scl_inter applied, rounded to float32. Values that
// are not finite are kept: in a map, NaN means that there is no estimate.
//
// Errors are those of ReadLabels, except those about labels.
func ReadFrames(r io.Reader) (volume.Geometry, [][]float32, error) {
	f, err := open(r)
	if err != nil {
		return volume.Geometry{}, nil, err
	}
	g, err := f.geometry()
	if err != nil {
		return volume.Geometry{}, nil, err
	}
	frames, err := f.allFrames()
	if err != nil {
		return volume.Geometry{}, nil, err
	}
	return g, frames, nil
}

// ReadArrays is ReadFrames for a file whose position in the patient is irrelevant or unknown
// (ErrNoGeometry): it returns the number of voxels along i, j and k and the values of each frame,
// and ignores qform and sform.
func ReadArrays(r io.Reader) (size [3]int, frames [][]float32, err error) {
	f, err := open(r)
	if err != nil {
		return size, nil, err
	}
	if frames, err = f.allFrames(); err != nil {
		return size, nil, err
	}
	return f.size, frames, nil
}

// open reads the header, through gzip if the content is compressed, and skips to the data.
func open(r io.Reader) (*file, error) {
	br, length := samples.Buffered(r)
	var stream io.Reader = br
	if samples.IsGzip(br) { // false for a file that is too short, which fails in readHeader
		z, err := samples.Gunzip(br)
		if err != nil {
			return nil, err
		}
		stream = z
	}
	h, err := readHeader(stream)
	if err != nil {
		return nil, err
	}
	skip := h.offset - headerSize
	if n, err := io.CopyN(io.Discard, stream, skip); err != nil {
		return nil, samples.Mark(
			samples.StreamFault(err),
			fmt.Errorf("vox_offset %d: the file ends at byte %d: %w", h.offset, headerSize+n, samples.Unexpected(err)),
		)
	}
	a := samples.Array{
		Kind: h.kind, BigEndian: h.bigEndian, Slope: h.slope, Inter: h.inter, Size: h.size[:], Length: length,
	}
	return &file{header: h, Reader: samples.NewReader(stream, a)}, nil
}

// allFrames reads every frame and checks that the file ends there.
func (f *file) allFrames() ([][]float32, error) {
	var frames [][]float32
	for e := range f.frames {
		frame, err := f.Float32()
		if err != nil {
			return nil, fmt.Errorf("frame %d of %d: %w", e+1, f.frames, err)
		}
		frames = append(frames, frame)
	}
	return frames, f.end()
}

// end returns an error if data follow that the header does not declare.
func (f *file) end() error {
	return f.End(fmt.Sprintf("the %d×%d×%d×%d voxels that dim declares", f.size[0], f.size[1], f.size[2], f.frames))
}
