package nrrd

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/t2map/t2map/samples"
)

// setData takes data file, line skip and byte skip.
func (f *file) setData(h *header) error {
	var err error
	if text := h.fields["line skip"]; text != "" {
		if f.lineSkip, err = strconv.Atoi(text); err != nil || f.lineSkip < 0 || f.lineSkip > mostSkipped {
			return fmt.Errorf("line skip: %.20q, want a number of lines", text)
		}
	}
	if text := h.fields["byte skip"]; text != "" {
		if f.byteSkip, err = strconv.ParseInt(text, 10, 64); err != nil || f.byteSkip < -1 || f.byteSkip > mostSkipped {
			return fmt.Errorf("byte skip: %.20q, want a number of bytes", text)
		}
	}
	if f.byteSkip < 0 && f.encoding != raw {
		return errors.New("byte skip: -1, which only the encoding raw has")
	}
	return f.setNames(h)
}

// mostSkipped bounds what is skipped, so that a header cannot ask for hours of skipping in a small
// compressed file.
const mostSkipped = 1 << 28

// setNames takes the names of data files: one, a LIST, or a pattern with its first number,
// last number and step (section 3 of the definition).
func (f *file) setNames(h *header) error {
	text, there := h.fields["data file"]
	if !there {
		return nil
	}
	words := strings.Fields(text)
	slices := f.array.Size[len(f.array.Size)-1]
	switch {
	case len(words) == 0:
		return errors.New("data file: no name")
	case words[0] == "LIST":
		f.names = h.names
	case len(words) >= 4 && strings.Contains(words[0], "%"):
		var n [3]int
		for d := range n {
			var err error
			if n[d], err = strconv.Atoi(words[d+1]); err != nil {
				return fmt.Errorf("data file: %.60q, want a pattern, the first number, the last and the step", text)
			}
		}
		var ok bool
		if f.names, ok = samples.Patterned(words[0], n[0], n[1], n[2], slices); !ok {
			return fmt.Errorf("data file: %.60q does not name 1 to %d files", text, slices)
		}
	default:
		f.names = []string{text}
	}
	switch n := len(f.names); {
	case n == 0 || n > slices || slices%n != 0:
		return fmt.Errorf("data file: %d files for %d slices", n, slices)
	case n > 1 && f.array.Text:
		return samples.Mark(samples.FaultEncoding, fmt.Errorf("data file: %d files in ascii: %w", n, samples.ErrUnsupported))
	}
	return nil
}

// bytes returns how many bytes the voxels take.
func (f *file) bytes() int64 {
	n := int64(f.array.Kind.Size())
	for _, s := range f.array.Size {
		n *= int64(s)
	}
	return n
}

// source returns the stream of the voxels: what follows the header of used bytes in br, or
// what is in the data files. whole is what br reads.
func (f *file) source(br *bufio.Reader, whole io.Reader, used int64, open samples.Open) (io.ReadCloser, error) {
	if f.names == nil {
		left := int64(-1)
		if size, ok := samples.SizeOf(whole); ok {
			left = size - used
		}
		data, err := f.unpack(br, left, f.bytes())
		return io.NopCloser(data), err
	}
	if open == nil {
		return nil, samples.Mark(samples.FaultDataFile, fmt.Errorf("data file: the voxels are in %.80q, which is not at hand", f.names[0]))
	}
	each := f.bytes() / int64(len(f.names))
	return samples.Parts(f.names, each, open, func(r io.Reader) (io.Reader, error) {
		size, ok := samples.SizeOf(r)
		if !ok {
			size = -1
		}
		br, _ := samples.Buffered(r)
		return f.unpack(br, size, each)
	}), nil
}

// unpack skips what comes before the voxels, which take n bytes, and undoes compression.
// Lines are skipped in the file, bytes in what is unpacked ("byte skip" in section 5 of the
// definition). left is what br still has, −1 where that is not known.
func (f *file) unpack(br *bufio.Reader, left, n int64) (io.Reader, error) {
	if f.byteSkip < 0 { // which goes before line skip
		if left < n {
			return nil, samples.Mark(samples.FaultLength, fmt.Errorf("byte skip: -1, and the file does not have the %d bytes of the voxels", n))
		}
		return br, fieldError("byte skip", samples.Skip(br, left-n))
	}
	if err := samples.SkipLines(br, f.lineSkip); err != nil {
		return nil, fieldError("line skip", err)
	}
	var data io.Reader = br
	var err error
	switch f.encoding {
	case gzipped:
		data, err = samples.Gunzip(br)
	case bzipped:
		data = samples.Bunzip2(br)
	}
	if err != nil {
		return nil, err
	}
	return data, fieldError("byte skip", samples.Skip(data, f.byteSkip))
}

func fieldError(field string, err error) error {
	if err == nil {
		return nil
	}
	return samples.Mark(samples.FaultOf(err), fmt.Errorf("%s: %w", field, err))
}
