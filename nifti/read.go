package nifti

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"

	"github.com/t2map/t2map/volume"
)

// chunk is how many voxels are read and decoded at a time: at most 256 kB of
// file, which stays in a core's cache.
const chunk = 32 << 10

// firstCapacity is how many voxels of memory are taken on the header's word
// alone, and likelyCapacity, which is enough for a knee, where the file is long
// enough to hold them. Beyond it memory doubles as data arrive.
const (
	firstCapacity  = 1 << 20
	likelyCapacity = 1 << 23
)

// mostDeflated is the largest ratio that deflate reaches (zlib's technical notes:
// 1032 to 1).
const mostDeflated = 1032

// wholeTolerance is how far a label may lie from a whole number: scl_slope and
// scl_inter are float32, whose rounding (2⁻²⁴ of the value, twice) moves the
// highest label, 65535, by 0.008. A label that was interpolated is farther off.
const wholeTolerance = 0.01

// file is a NIfTI-1 file whose header has been read and whose next byte is the
// first of the data.
type file struct {
	header
	r        io.Reader
	raw      []byte // one chunk of the file
	capacity int    // voxels that memory is taken for at first
}

// ReadLabels reads a label map: .nii or .nii.gz, told by content, 3-D, or 4-D
// with one frame. Labels are whole numbers of 0 to 65535 in any integer or
// floating-point storage; scl_slope and scl_inter are applied.
//
// A label that is negative, fractional (by more than 0.01), not a number or
// above 65535 is an error that names the first such voxel (i, j, k) and its
// value. So are data that are shorter or longer than the header declares, a
// damaged header, and a file that says nowhere where its voxels lie
// (ErrNoGeometry). A sound file of another kind is ErrUnsupported.
func ReadLabels(r io.Reader) (volume.Labels, error) {
	return ReadCheckedLabels(r, nil)
}

// ReadCheckedLabels is ReadLabels for a label map whose grid is known beforehand. It
// calls check with the grid that the header declares before it reads a voxel, and
// returns the error of check as it is. A few compressed bytes can declare and hold more voxels than
// fit into memory: check is what bounds them. A nil check accepts every grid.
func ReadCheckedLabels(r io.Reader, check func(volume.Geometry) error) (volume.Labels, error) {
	f, err := open(r)
	if err != nil {
		return volume.Labels{}, err
	}
	if f.frames != 1 {
		return volume.Labels{}, fault(FaultFrames, fmt.Errorf("dim[4]: %d frames, a label map has one", f.frames))
	}
	g, err := f.geometry()
	if err != nil {
		return volume.Labels{}, err
	}
	if check != nil {
		if err := check(g); err != nil {
			return volume.Labels{}, err
		}
		f.capacity = f.voxels() // which is as many as the caller expects
	}
	data, err := f.labels()
	if err != nil {
		return volume.Labels{}, err
	}
	return volume.Labels{Geometry: g, Data: data}, nil
}

// ReadFrames reads a 3-D or 4-D file, .nii or .nii.gz, told by content: one
// slice of Nx·Ny·Nz values per frame (dim[4]), with scl_slope and scl_inter
// applied and rounded to float32. Values that are not finite stay as they are:
// in a map NaN says "no estimate".
//
// Errors are those of ReadLabels, without the ones about labels.
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

// ReadArrays is ReadFrames for a file whose place in the patient does not
// matter or is not known (ErrNoGeometry): it returns the number of voxels along
// i, j and k and the values of each frame, and does not look at qform and sform.
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

// open reads the header, through gzip where the content is compressed, and
// skips to the data.
func open(r io.Reader) (*file, error) {
	length := 0 // of a file in memory
	if m, ok := r.(interface{ Len() int }); ok {
		length = m.Len()
	}
	br := bufio.NewReaderSize(r, 64<<10)
	f := &file{r: br}
	// RFC 1952, 2.3.1: ID1 = 31, ID2 = 139. A shorter file fails in readHeader.
	if id, err := br.Peek(2); err == nil && id[0] == 0x1f && id[1] == 0x8b {
		z, err := gzip.NewReader(br)
		if err != nil {
			return nil, fault(FaultGzip, fmt.Errorf("compressed file: %w", err))
		}
		f.r = z
	}
	var err error
	if f.header, err = readHeader(f.r); err != nil {
		return nil, err
	}
	skip := f.offset - headerSize
	if n, err := io.CopyN(io.Discard, f.r, skip); err != nil {
		return nil, fault(streamFault(err), fmt.Errorf("vox_offset %d: the file ends at byte %d: %w", f.offset, headerSize+n, unexpected(err)))
	}
	f.raw = make([]byte, min(chunk, f.voxels())*f.voxelSize)
	f.capacity = min(f.voxels(), max(firstCapacity, min(length*mostDeflated/f.voxelSize, likelyCapacity)))
	return f, nil
}

// next reads the following n ≤ chunk voxels and returns them as little endian.
// Before them lie done voxels of the frame.
func (f *file) next(n, done int) ([]byte, error) {
	raw := f.raw[:n*f.voxelSize]
	if got, err := io.ReadFull(f.r, raw); err != nil {
		return nil, fault(streamFault(err), fmt.Errorf("data: %d of %d bytes of a frame: %w",
			int64(done)*int64(f.voxelSize)+int64(got), int64(f.voxels())*int64(f.voxelSize), unexpected(err)))
	}
	if f.bigEndian {
		swap(raw, f.voxelSize)
	}
	return raw, nil
}

// atEnd reports data beyond what the header declares. Reaching the end is also
// what makes gzip compare its checksum.
func (f *file) atEnd() error {
	var one [1]byte
	n, err := io.ReadFull(f.r, one[:])
	if n > 0 {
		return fault(FaultLength, fmt.Errorf("data: more than the %d×%d×%d×%d voxels that dim declares", f.size[0], f.size[1], f.size[2], f.frames))
	}
	if !errors.Is(err, io.EOF) {
		return fault(streamFault(err), fmt.Errorf("data: %w", err))
	}
	return nil
}

// streamFault is the kind of an error of a stream that should go on.
func streamFault(err error) Fault {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return FaultLength
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader), errors.As(err, new(flate.CorruptInputError)):
		return FaultGzip
	}
	return FaultNone
}

// unexpected makes an end of file say that more was to come.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// allFrames reads every frame and checks that the file ends there.
func (f *file) allFrames() ([][]float32, error) {
	var frames [][]float32
	values := make([]float64, min(chunk, f.voxels()))
	for e := range f.frames {
		frame, err := f.frame(values)
		if err != nil {
			return nil, fmt.Errorf("frame %d of %d: %w", e+1, f.frames, err)
		}
		frames = append(frames, frame)
	}
	return frames, f.atEnd()
}

// frame reads one frame; values is scratch of one chunk.
func (f *file) frame(values []float64) ([]float32, error) {
	n := f.voxels()
	out := make([]float32, 0, f.capacity)
	for done := 0; done < n; done = len(out) {
		m := min(chunk, n-done)
		raw, err := f.next(m, done)
		if err != nil {
			return nil, err
		}
		f.datatype.decode(values[:m], raw)
		f.scale(values[:m])
		out = extend(out, m, n)
		for i, v := range values[:m] {
			out[done+i] = float32(v)
		}
	}
	return out, nil
}

// scale applies scl_slope and scl_inter.
func (f *file) scale(values []float64) {
	if !f.scaled() {
		return
	}
	for i, v := range values {
		// The conversion keeps the product from being fused with the sum, so
		// that every machine gets the same bits.
		values[i] = float64(f.slope*v) + f.inter
	}
}

// labels reads the one frame of a label map.
func (f *file) labels() ([]uint16, error) {
	n := f.voxels()
	out := make([]uint16, 0, f.capacity)
	values := make([]float64, min(chunk, n))
	for done := 0; done < n; done = len(out) {
		m := min(chunk, n-done)
		raw, err := f.next(m, done)
		if err != nil {
			return nil, err
		}
		out = extend(out, m, n)
		if bad := f.convert(out[done:], raw, values[:m]); bad >= 0 {
			return nil, f.badLabel(done+bad, values[bad])
		}
	}
	return out, f.atEnd()
}

// convert turns one chunk into labels and returns the index of the first value
// that is none, which then stands in values, or −1. The usual storages have a
// short way that leaves values alone.
func (f *file) convert(dst []uint16, raw []byte, values []float64) int {
	switch {
	case f.scaled():
	case f.datatype == dtUint8:
		for i, v := range raw {
			dst[i] = uint16(v)
		}
		return -1
	case f.datatype == dtUint16, f.datatype == dtInt16:
		var all uint16
		for i := range dst {
			dst[i] = binary.LittleEndian.Uint16(raw[2*i:])
			all |= dst[i]
		}
		if f.datatype == dtUint16 || all < 1<<15 {
			return -1
		}
	}
	f.datatype.decode(values, raw)
	f.scale(values)
	for i, v := range values {
		whole := math.Round(v)
		if !(whole >= 0 && whole <= math.MaxUint16 && math.Abs(v-whole) <= wholeTolerance) {
			return i
		}
		dst[i] = uint16(whole)
	}
	return -1
}

// badLabel says why the value of voxel v is not a label.
func (f *file) badLabel(v int, value float64) error {
	nx, ny := f.size[0], f.size[1]
	why, kind := "not a whole number", FaultFraction
	switch {
	case math.IsNaN(value):
		why, kind = "not a number", FaultNaN
	case value < 0:
		why, kind = "negative", FaultNegative
	case value > math.MaxUint16:
		why, kind = "above 65535", FaultRange
	}
	return fault(kind, fmt.Errorf("voxel (%d, %d, %d): %.9g is not a label: %s", v%nx, v/nx%ny, v/nx/ny, value, why))
}

// extend lengthens s by m elements; capacity doubles up to n. So memory is at
// most twice what the data that arrived need.
func extend[T any](s []T, m, n int) []T {
	if cap(s)-len(s) < m {
		grown := make([]T, len(s), min(n, max(2*cap(s), len(s)+m)))
		copy(grown, s)
		s = grown
	}
	return s[:len(s)+m]
}
