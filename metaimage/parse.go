package metaimage

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/t2map/t2map/samples"
	"github.com/t2map/t2map/volume"
)

// file holds the values of a header that this package uses.
type file struct {
	geometry   volume.Geometry
	array      samples.Array
	compressed bool
	packed     int64 // number of compressed bytes, 0 if the header does not say
	headerSize int64 // bytes before the voxels; −1 means that the voxels are at the end of the file
	store      samples.Store
}

// kinds are the element types (metaTypes.h). MET_LONG has four bytes on every machine. An array of
// one channel has the type of its element.
var kinds = map[string]samples.Kind{
	"MET_CHAR": samples.Int8, "MET_ASCII_CHAR": samples.Int8, "MET_UCHAR": samples.Uint8,
	"MET_SHORT": samples.Int16, "MET_USHORT": samples.Uint16,
	"MET_INT": samples.Int32, "MET_UINT": samples.Uint32, "MET_LONG": samples.Int32, "MET_ULONG": samples.Uint32,
	"MET_LONG_LONG": samples.Int64, "MET_ULONG_LONG": samples.Uint64,
	"MET_FLOAT": samples.Float32, "MET_DOUBLE": samples.Float64,
}

// parse interprets the fields and checks all that does not need the data.
func (h *header) parse() (*file, error) {
	f := new(file)
	for _, step := range []func(*header) error{f.setType, f.setSize, f.setPlace, f.setData} {
		if err := step(h); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// setType interprets ObjectType and the fields that describe how an element is stored.
func (f *file) setType(h *header) error {
	if t := h.fields["ObjectType"]; t != "" && t != "Image" {
		return fmt.Errorf("ObjectType: %.20q, want Image", t)
	}
	name := h.fields["ElementType"]
	kind, ok := kinds[strings.TrimSuffix(name, "_ARRAY")]
	if !ok {
		return samples.Mark(
			samples.FaultDatatype,
			fmt.Errorf("ElementType: %.40q: %w (want one whole or real number)", name, samples.ErrUnsupported),
		)
	}
	channels, there, err := h.whole("ElementNumberOfChannels", 1)
	switch {
	case err != nil:
		return err
	case there && channels > 1:
		return samples.Mark(
			samples.FaultDatatype,
			fmt.Errorf("ElementNumberOfChannels: %d: %w (want 1)", channels, samples.ErrUnsupported),
		)
	}
	f.array.Kind = kind
	if f.array.BigEndian, err = h.flag("BinaryDataByteOrderMSB", false); err != nil {
		return err
	}
	binary, err := h.flag("BinaryData", true)
	f.array.Text = !binary
	if err != nil {
		return err
	}
	return f.checkIntensity(h)
}

// checkIntensity refuses scaled values: MetaIO has a scale, but ITK does not apply it.
func (f *file) checkIntensity(h *header) error {
	for key, none := range map[string]float64{
		"ElementToIntensityFunctionSlope": 1, "ElementToIntensityFunctionOffset": 0,
	} {
		if h.fields[key] == "" {
			continue
		}
		v, err := h.floats(key, 1)
		if err != nil {
			return err
		}
		if v[0] != none {
			return samples.Mark(
				samples.FaultDatatype,
				fmt.Errorf("%s: %g: %w (want %g: labels are not scaled)", key, v[0], samples.ErrUnsupported, none),
			)
		}
	}
	return nil
}

// mostDimensions is the limit of MetaIO.
const mostDimensions = 10

// setSize interprets NDims and DimSize.
func (f *file) setSize(h *header) error {
	n, there, err := h.whole("NDims", 1)
	switch {
	case err != nil:
		return err
	case !there || n > mostDimensions:
		return fmt.Errorf("NDims: %.20q, want 3", h.fields["NDims"])
	case n < 3:
		return samples.Mark(samples.FaultFrames, fmt.Errorf("NDims: %d, a mask has 3", n))
	}
	words := strings.Fields(h.fields["DimSize"])
	if len(words) != int(n) {
		return fmt.Errorf("DimSize: %d numbers for %d dimensions", len(words), n)
	}
	total := int64(1)
	for d, word := range words {
		size, err := strconv.ParseInt(word, 10, 32)
		if err != nil || size < 1 {
			return fmt.Errorf("DimSize: %.20q, want a number of voxels", word)
		}
		if total *= size; total > samples.MostVoxels || int64(int(total)) != total {
			return fmt.Errorf("DimSize: %s: more voxels than a mask has", strings.Join(words, "×"))
		}
		if d >= 3 {
			if size > 1 {
				return samples.Mark(samples.FaultFrames, fmt.Errorf("DimSize: %d frames, a label map has one", size))
			}
			continue
		}
		f.geometry.Size[d] = int(size)
	}
	f.array.Size = f.geometry.Size[:]
	return nil
}

// setPlace interprets TransformMatrix, whose rows are the directions of the axes, Offset and
// ElementSpacing. As in MetaIO, ElementSize replaces a missing ElementSpacing.
func (f *file) setPlace(h *header) error {
	spacing := "ElementSpacing"
	if h.fields[spacing] == "" {
		spacing = "ElementSize"
	}
	for _, key := range []string{"TransformMatrix", "Offset", spacing} {
		if h.fields[key] == "" {
			if key == spacing {
				key = "ElementSpacing"
			}
			return samples.Mark(
				samples.FaultPlace,
				fmt.Errorf("%s: missing: the position of the voxels in the patient is unknown", key),
			)
		}
	}
	n := len(strings.Fields(h.fields["DimSize"]))
	matrix, err := h.floats("TransformMatrix", n*n)
	if err != nil {
		return err
	}
	offset, err := h.floats("Offset", n)
	if err != nil {
		return err
	}
	step, err := h.floats(spacing, n)
	if err != nil {
		return err
	}
	a := &f.geometry.Affine
	for c := range 3 {
		if !(step[c] > 0) {
			return samples.Mark(samples.FaultAffine, fmt.Errorf("%s: %g, want a spacing above 0", spacing, step[c]))
		}
		for r := range 3 {
			a[r][c] = matrix[c*n+r]*step[c] + 0 // turns −0 into 0
		}
		a[c][3] = offset[c] + 0
	}
	if !samples.SpansSpace(*a) {
		return samples.Mark(
			samples.FaultAffine,
			fmt.Errorf("TransformMatrix, Offset: the affine %v is not finite, or its axes lie in one plane", *a),
		)
	}
	return nil
}

// setData interprets the fields that describe where the voxels are stored.
func (f *file) setData(h *header) error {
	var err error
	if f.compressed, err = h.flag("CompressedData", false); err != nil {
		return err
	}
	if f.packed, _, err = h.whole("CompressedDataSize", 0); err != nil {
		return err
	}
	if f.headerSize, _, err = h.whole("HeaderSize", -1); err != nil {
		return err
	}
	switch {
	case f.headerSize > samples.MostSkipped:
		return fmt.Errorf("HeaderSize: %d, more than %d bytes", f.headerSize, samples.MostSkipped)
	case f.headerSize < 0 && (f.compressed || f.array.Text):
		return samples.Mark(
			samples.FaultEncoding,
			fmt.Errorf("HeaderSize: -1 for voxels that are not raw: %w", samples.ErrUnsupported),
		)
	case f.compressed && f.array.Text:
		return samples.Mark(samples.FaultEncoding, fmt.Errorf("CompressedData: with text: %w", samples.ErrUnsupported))
	}
	return f.setNames(h)
}

// setNames interprets ElementDataFile: LOCAL, or the names of data files.
func (f *file) setNames(h *header) error {
	f.store = samples.Store{
		Field: "ElementDataFile", Bytes: int64(f.array.Kind.Size()) * int64(f.geometry.Voxels()), Unpack: f.unpack,
	}
	text := h.fields["ElementDataFile"]
	if strings.EqualFold(text, "local") {
		if used := h.lines.Used(); f.headerSize > 0 && f.headerSize < used { // counted from the beginning of the file
			return fmt.Errorf("HeaderSize: %d, but the header has %d bytes", f.headerSize, used)
		}
		return nil
	}
	if err := f.store.SetNames(text, h.names, f.geometry.Size[2]); err != nil {
		return err
	}
	if n := len(f.store.Names); n > 1 && f.array.Text {
		return samples.Mark(
			samples.FaultEncoding, fmt.Errorf("ElementDataFile: %d files of text: %w", n, samples.ErrUnsupported),
		)
	}
	return nil
}

// unpack skips the data before the n bytes of voxels, and decompresses. br reads a file of the
// given size, −1 if unknown, of which used bytes were read.
func (f *file) unpack(br *bufio.Reader, size, used, n int64) (io.Reader, error) {
	skip := max(0, f.headerSize-used)
	if f.headerSize < 0 {
		if skip = size - used - n; skip < 0 {
			return nil, samples.Mark(
				samples.FaultLength,
				fmt.Errorf("HeaderSize: -1, but the file has fewer than the %d bytes of the voxels", n),
			)
		}
	}
	if err := samples.Skip(br, skip); err != nil {
		return nil, samples.Mark(samples.FaultOf(err), fmt.Errorf("HeaderSize: %w", err))
	}
	if !f.compressed {
		return br, nil
	}
	if f.packed > 0 && len(f.store.Names) < 2 {
		br, _ = samples.Buffered(&limited{br, f.packed})
	}
	if samples.IsGzip(br) { // MetaIO lets zlib detect the format
		return samples.Gunzip(br)
	}
	return samples.Inflate(br)
}

// limited reads up to left bytes; if more data follow, it returns an error.
type limited struct {
	r    *bufio.Reader
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left == 0 {
		if _, err := l.r.Peek(1); err == nil {
			return 0, samples.Mark(
				samples.FaultLength, fmt.Errorf("more than the bytes that CompressedDataSize declares"),
			)
		}
		return 0, io.EOF
	}
	n, err := l.r.Read(p[:min(int64(len(p)), l.left)])
	l.left -= int64(n)
	return n, err
}
