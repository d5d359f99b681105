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

// zippedNames are the endings of images under which files in gzip are found too, by programs
// that compress without renaming.
var zippedNames = []string{".dcm", ".ima"}

// mayBeGzip reports whether a file of that name is opened as what is in it where it begins
// like gzip.
func mayBeGzip(name string) bool {
	lower := strings.ToLower(name)
	return gzipName(name) || slices.ContainsFunc(zippedNames, func(end string) bool { return strings.HasSuffix(lower, end) })
}

// gzipMagic begins a member in gzip with deflate (RFC 1952 2.3.1), as in signatures.
const gzipMagic = "\x1f\x8b\x08"

// mostDeflated is how many bytes deflate makes of one at most (zlib, "Technical Details").
const mostDeflated = 1032

// gunzipped returns the file that is compressed in f, or f where that is not gzip. It
// closes f when it is closed. The size is what gzip's trailer says (ISIZE, RFC 1952
// 2.3.1); that it is true, and the checksum right, is known once the end is read. Where
// there may be several members, as in BGZF, or the trailer says what cannot be, the stream
// is inflated to find its size, within the limits of archives. One that breaks off has the
// size of what comes before, and reading it to its end is an error.
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
	if errors.Is(err, ErrLimit) { // said of an archive until now
		err = &Error{Problem: fmt.Sprintf("holds more than %d times its own size or more than %s, the limits for a file in gzip", l.Ratio, limit), Kind: ErrLimit,
			Hint: "unpack it, and look whether it is an image"}
	}
	if err != nil {
		return f, named(err, f.name)
	}
	if broken != nil {
		broken = broken.withPath(f.name)
	}
	in := &inflater{open: open, size: size, memory: l.MemoryBytes}
	return &File{broken: broken, name: f.name, size: size, content: in, whole: open, step: l.MemoryBytes, disk: f.disk, stamp: f.stamp, gzip: true, close: func() error {
		return errors.Join(in.close(), f.Close())
	}}, nil
}

// severalMembers reports whether the first bytes of a member stand in the file behind its
// beginning: by chance they do in one of a hundred files of a megabyte.
func severalMembers(ctx context.Context, f *File) (bool, error) {
	const reserved = 0xE0 // flags that are 0 (RFC 1952 2.3.1.2)
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
		_, _ = r.Discard(len(buf) - len(gzipMagic)) // it is in the buffer
	}
}

// gunzippedSize inflates the file to find how many bytes are in it, or come before it
// breaks off: then broken says so. It is an error when none does, or they are more than the
// limits allow.
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

// gunzip reads a file in gzip, of any number of members; its errors are of this package.
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

// gzipError turns what the library says of a single file in gzip into an error of this
// package.
func gzipError(err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return &Error{Problem: "is truncated: it ends before its gzip stream does", Kind: ErrInvalid, Hint: gunzipAgain}
	case errors.Is(err, gzip.ErrChecksum):
		return &Error{Problem: "is damaged: its content does not have the length or checksum that gzip recorded", Kind: ErrInvalid, Hint: gunzipAgain}
	case errors.Is(err, gzip.ErrHeader):
		return &Error{Problem: "is damaged: the data after its gzip stream are not gzip", Kind: ErrInvalid, Hint: gunzipAgain}
	}
	if e := damaged(err, ""); errors.Is(e, ErrInvalid) {
		return &Error{Problem: "is damaged: it cannot be inflated", Kind: ErrInvalid, Hint: gunzipAgain}
	}
	return damaged(err, "")
}

const gunzipAgain = "copy the file again from where it was compressed"
