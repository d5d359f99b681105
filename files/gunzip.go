package files

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// keptZipped are the extensions of files that stay gzipped, because their readers expect
// it: their bytes, and so their hashes, are those of the compressed file.
var keptZipped = []string{".nii.gz", ".hdr.gz", ".img.gz", ".tar.gz"}

// gzipEnding is the extension of a single gzipped file, in lower case.
const gzipEnding = ".gz"

// gzipName reports whether a path is that of a single gzipped file, IM_0001.dcm.gz.
func gzipName(name string) bool {
	if n := len(name) - len(gzipEnding); n < 0 || !strings.EqualFold(name[n:], gzipEnding) {
		return false // most files
	}
	lower := strings.ToLower(path.Base(name))
	for _, end := range keptZipped {
		if strings.HasSuffix(lower, end) {
			return false
		}
	}
	return true
}

// smallestGzip is the size of an empty gzipped file: header, one empty block, trailer (RFC
// 1952 2.3).
const smallestGzip = 10 + 2 + 8

// zippedNames are extensions of images that may be gzipped, because some programs compress
// files without renaming them.
var zippedNames = []string{".dcm", ".ima"}

// mayBeGzip reports whether a file with that name is opened uncompressed if it begins like
// gzip.
func mayBeGzip(name string) bool {
	lower := strings.ToLower(name)
	return gzipName(name) || slices.ContainsFunc(zippedNames,
		func(end string) bool { return strings.HasSuffix(lower, end) })
}

// gzipMagic begins a member in gzip with deflate (RFC 1952 2.3.1), as in signatures.
const gzipMagic = "\x1f\x8b\x08"

// mostDeflated is the highest compression ratio of deflate (zlib, "Technical Details").
const mostDeflated = 1032

// gunzipped returns the content of the gzipped file f, or f itself if it is not gzipped.
// Closing the result closes f. The size comes from gzip's trailer (ISIZE, RFC 1952 2.3.1);
// whether it and the checksum are right is known when the end is read. If there may be
// several members, as in BGZF, or the trailer is implausible, the stream is inflated to
// find its size, within the limits of archives. A truncated stream has the size of the part
// that is there, and reading to its end is an error.
func gunzipped(ctx context.Context, f *File, l Limits) (*File, error) {
	var head [len(gzipMagic)]byte
	var isize [4]byte
	if f.size < smallestGzip {
		return f, nil
	}
	if _, err := f.ReadAt(head[:], 0); err != nil && !errors.Is(err, io.EOF) {
		return f, err
	}
	if string(head[:]) != gzipMagic {
		return f, nil
	}
	if _, err := f.ReadAt(isize[:], f.size-int64(len(isize))); err != nil && !errors.Is(err, io.EOF) {
		return f, err
	}
	open := func() (io.ReadCloser, error) { return newGunzip(io.NewSectionReader(f, 0, f.size)) }
	limit, size := size(l.EntryBytes), int64(binary.LittleEndian.Uint32(isize[:]))
	var broken *Error
	several, err := severalMembers(ctx, f)
	if err == nil && (several || size == 0 || size/mostDeflated > f.size) {
		size, broken, err = gunzippedSize(ctx, f, l)
	}
	if err == nil {
		if excess := l.checkEntry(size); excess != nil {
			err = excess
		}
	}
	if errors.Is(err, ErrLimit) { // the message is about an archive
		err = &Error{Problem: fmt.Sprintf("holds more than %d times its own size or more than %s, the limits for a "+
			"file in gzip", l.Ratio, limit), Kind: ErrLimit,
			Hint: "unpack it and check that it is an image"}
	}
	if err != nil {
		return f, named(err, f.name)
	}
	if broken != nil {
		broken = broken.withPath(f.name)
	}
	in := &inflater{open: open, size: size, memory: l.MemoryBytes}
	return &File{broken: broken, name: f.name, size: size, content: in, whole: open, step: l.MemoryBytes,
		stored: f.stored, stamp: f.stamp, gzip: true, close: func() error {
			return errors.Join(in.close(), f.Close())
		}}, nil
}

// severalMembers reports whether the signature of a gzip member occurs again after the
// beginning of the file. By chance it does so in one of a hundred files of a megabyte.
func severalMembers(ctx context.Context, f *File) (bool, error) {
	const reserved = 0xE0 // flags that must be 0 (RFC 1952 2.3.1.2)
	r := bufio.NewReaderSize(&counter{ctx: ctx, r: io.NewSectionReader(f, 1, f.size-1)}, 1<<18)
	for {
		buf, err := r.Peek(1 << 18)
		for start := 0; ; start++ {
			n := bytes.Index(buf[start:], []byte(gzipMagic))
			if n < 0 || start+n+len(gzipMagic) >= len(buf) {
				break
			}
			if start += n; buf[start+len(gzipMagic)]&reserved == 0 {
				return true, nil
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return false, nil
		case err != nil:
			return false, err
		}
		_, _ = r.Discard(len(buf) - len(gzipMagic)) // all of it is in the buffer
	}
}

// gunzippedSize inflates the file to find its size. If the stream is truncated, n is the
// size of the part that is there and broken says so. It is an error if nothing can be
// inflated, or more than the limits allow.
func gunzippedSize(ctx context.Context, f *File, l Limits) (n int64, broken *Error, err error) {
	in := &counter{ctx: ctx, r: io.NewSectionReader(f, 0, f.size)}
	z, err := newGunzip(in)
	if err != nil {
		return 0, nil, err
	}
	defer z.Close()
	n, err = io.Copy(io.Discard, io.LimitReader(&metered{r: z, in: in, limits: l}, l.EntryBytes+1))
	if n > 0 && errors.As(err, &broken) && broken.Kind == ErrInvalid {
		return n, broken, nil
	}
	return n, nil, err
}

// gunzip reads a gzipped file with any number of members, and returns errors of this
// package.
type gunzip struct{ *gzip.Reader }

func newGunzip(r io.Reader) (io.ReadCloser, error) {
	z, err := gzip.NewReader(bufio.NewReaderSize(r, 1<<16))
	if err != nil {
		return nil, gzipError(err)
	}
	return gunzip{z}, nil
}

func (g gunzip) Read(p []byte) (int, error) {
	n, err := g.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = gzipError(err)
	}
	return n, err
}

// gzipError converts an error of the gzip library about a single gzipped file.
func gzipError(err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return &Error{Problem: "is truncated: it ends before its gzip stream does", Kind: ErrInvalid, Hint: gunzipAgain}
	case errors.Is(err, gzip.ErrChecksum):
		return &Error{Problem: "is damaged: its content does not have the length or checksum that gzip recorded",
			Kind: ErrInvalid, Hint: gunzipAgain}
	case errors.Is(err, gzip.ErrHeader):
		return &Error{Problem: "is damaged: the data after its gzip stream are not gzip", Kind: ErrInvalid,
			Hint: gunzipAgain}
	}
	if e := damaged(err, ""); errors.Is(e, ErrInvalid) {
		return &Error{Problem: "is damaged: it cannot be inflated", Kind: ErrInvalid, Hint: gunzipAgain}
	}
	return damaged(err, "")
}

const gunzipAgain = "copy the file again from the place where it was compressed"
