package nrrd

import (
	"bufio"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/t2map/t2map/samples"
)

// setData interprets data file, line skip and byte skip.
func (f *file) setData(h *header) error {
	var err error
	if text := h.fields["line skip"]; text != "" {
		if f.lineSkip, err = strconv.Atoi(text); err != nil || f.lineSkip < 0 || f.lineSkip > samples.MostSkipped {
			return fmt.Errorf("line skip: %.20q, want a number of lines", text)
		}
	}
	if text := h.fields["byte skip"]; text != "" {
		f.byteSkip, err = strconv.ParseInt(text, 10, 64)
		if err != nil || f.byteSkip < -1 || f.byteSkip > samples.MostSkipped {
			return fmt.Errorf("byte skip: %.20q, want a number of bytes", text)
		}
	}
	if f.byteSkip < 0 && f.encoding != raw {
		return errors.New("byte skip: -1, which is only possible with the encoding raw")
	}
	return f.setNames(h)
}

// setNames interprets the names of data files (section 3 of the definition).
func (f *file) setNames(h *header) error {
	f.store = samples.Store{Field: "data file", Bytes: int64(f.array.Kind.Size()), Unpack: f.unpack}
	for _, n := range f.array.Size {
		f.store.Bytes *= int64(n)
	}
	text, there := h.fields["data file"]
	if !there {
		return nil
	}
	if err := f.store.SetNames(text, h.names, f.array.Size[len(f.array.Size)-1]); err != nil {
		return err
	}
	if n := len(f.store.Names); n > 1 && f.array.Text {
		return samples.Mark(
			samples.FaultEncoding, fmt.Errorf("data file: %d files in ascii: %w", n, samples.ErrUnsupported),
		)
	}
	return nil
}

// unpack skips the data before the n bytes of voxels, and decompresses. Lines are skipped in the
// file, bytes in the decompressed data ("byte skip" in section 5 of the definition). br reads a
// file of the given size, −1 if unknown, of which used bytes were read.
func (f *file) unpack(br *bufio.Reader, size, used, n int64) (io.Reader, error) {
	if f.byteSkip < 0 { // overrides line skip
		if size-used < n {
			return nil, samples.Mark(
				samples.FaultLength,
				fmt.Errorf("byte skip: -1, but the file has fewer than the %d bytes of the voxels", n),
			)
		}
		return br, fieldError("byte skip", samples.Skip(br, size-used-n))
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
		data = bzip2.NewReader(br)
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
