package files

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"path"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// keptZipped are the endings of files that their readers take in gzip as they are: their
// bytes, and so their hashes, are those of the compressed file.
var keptZipped = []string{".nii.gz", ".hdr.gz", ".img.gz", ".tar.gz"}

// gzipEnding is that of a single file in gzip, in lower case.
const gzipEnding = ".gz"

// gzipName reports whether a path ends like that of a single file in gzip, IM_0001.dcm.gz.
func gzipName(name string) bool {
	lower := strings.ToLower(path.Base(name))
	for _, end := range keptZipped {
		if strings.HasSuffix(lower, end) {
			return false
		}
	}
	return strings.HasSuffix(lower, gzipEnding)
}

// smallestGzip is the size of an empty file in gzip: header, one empty block, trailer
// (RFC 1952 2.3).
const smallestGzip = 10 + 2 + 8

// gunzipped returns the file that is compressed in f, or f where that is not gzip. It
// closes f when it is closed. The size is what gzip's trailer says (ISIZE, RFC 1952
// 2.3.1); that it is true, and the checksum right, is known once the end is read. A
// file is inflated as far as it is asked for, within the limits of archives.
func gunzipped(f *File, l Limits) (*File, error) {
	var head [3]byte
	var isize [4]byte
	if f.size < smallestGzip {
		return f, nil
	}
	if _, err := f.ReadAt(head[:], 0); err != nil && !errors.Is(err, io.EOF) {
		return f, err
	}
	if !bytes.Equal(head[:], []byte("\x1f\x8b\x08")) { // as in signatures
		return f, nil
	}
	if _, err := f.ReadAt(isize[:], f.size-int64(len(isize))); err != nil && !errors.Is(err, io.EOF) {
		return f, err
	}
	size := int64(binary.LittleEndian.Uint32(isize[:]))
	over := l.checkEntry(size)
	if over == nil && size > freeBytes && size/l.Ratio >= f.size {
		over = &Error{Problem: "says that it holds more than deflate can put into it", Kind: ErrInvalid, Hint: copyAgain}
	}
	if over != nil {
		return f, over.at(f.name)
	}
	open := func() (io.ReadCloser, error) {
		return gzip.NewReader(bufio.NewReaderSize(io.NewSectionReader(f, 0, f.size), 1<<16))
	}
	in := &inflater{open: open, size: size, memory: l.MemoryBytes}
	return &File{name: f.name, size: size, at: in, whole: open, step: l.MemoryBytes, disk: f.disk, stamp: f.stamp, close: func() error {
		return errors.Join(in.close(), f.Close())
	}}, nil
}
