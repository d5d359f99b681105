package files

import (
	"archive/zip"
	"errors"
	"io"
	"os"
	"slices"
	"time"

	"github.com/klauspost/compress/gzip"
)

// File is an open file. Its methods, except Close, may be used concurrently.
type File struct {
	name    string
	size    int64
	content io.ReaderAt
	whole   func() (io.ReadCloser, error) // reads the file and verifies its checksum; nil if it has none
	step    int64                         // the memory that is allocated at a time
	close   func() error
	gzip    bool // a single file in gzip, not an entry of an archive
	// broken says that the file is truncated after size bytes; nil if it is not.
	broken *Error

	// stored is the file in the place: this one, or the archive that contains it. stamp is its
	// state when it was opened.
	stored source
	stamp  os.FileInfo
}

// Size returns the number of bytes. For a file in an archive, it is the number that the
// archive declares.
func (f *File) Size() int64 { return f.size }

// Broken returns why a gzipped file is truncated after Size bytes, if that is known before
// they are read, and otherwise nil.
func (f *File) Broken() error {
	if f.broken == nil {
		return nil
	}
	return f.broken
}

// Modified returns when the file, or the archive that contains it, was last written.
func (f *File) Modified() time.Time { return f.stamp.ModTime() }

// Unchanged returns an error if the file, or the archive that contains it, has been written
// since it was opened, judging by its size and modification time.
func (f *File) Unchanged() error {
	if current, err := f.stored.Stat(); err != nil || changed(f.stamp, current) {
		return (&Error{Problem: "has changed while it was read", Kind: ErrInvalid,
			Hint: "make sure that nothing writes to it, and start again"}).withPath(f.name)
	}
	return nil
}

// ReadAt implements io.ReaderAt. A file in a zip archive is inflated as far as necessary.
// Whether its length and checksum are those that the archive declares is known, and may be
// an error, only when its end is read.
func (f *File) ReadAt(p []byte, off int64) (int, error) {
	n, err := f.content.ReadAt(p, off)
	if err != nil && !errors.Is(err, io.EOF) {
		err = f.failure(err)
	}
	return n, err
}

// Direct reports whether the file is neither in a zip archive nor compressed by gzip, so that ReadAt
// reads only the requested bytes.
func (f *File) Direct() bool { return f.whole == nil }

// Bytes reads the whole file into buf, which grows as needed, and returns it. It is an
// error if the file does not have its declared size or checksum.
func (f *File) Bytes(buf []byte) ([]byte, error) {
	buf = buf[:0]
	if f.whole == nil {
		buf = slices.Grow(buf, int(f.size))[:f.size]
		n, err := f.content.ReadAt(buf, 0)
		switch {
		case int64(n) == f.size:
			return buf, nil
		case errors.Is(err, io.EOF):
			return buf[:n], (&Error{Problem: "became shorter while it was read", Kind: ErrInvalid,
				Hint: "make sure that nothing writes to it, and start again"}).withPath(f.name)
		}
		return buf[:n], f.failure(err)
	}
	r, err := f.whole()
	if err != nil {
		return buf, f.failure(err)
	}
	defer r.Close()
	for int64(len(buf)) < f.size {
		// Allocate at most as much as has been read: the declared size may be wrong.
		room := min(f.size-int64(len(buf)), max(f.step, int64(len(buf))))
		buf = slices.Grow(buf, int(room))
		n, err := io.ReadFull(r, buf[len(buf):][:room])
		buf = buf[:len(buf)+n]
		if err != nil {
			return buf, f.failure(err)
		}
	}
	if err := atEnd(r); err != nil {
		return buf, f.failure(err)
	}
	return buf, nil
}

// Close closes the file. A second Close does nothing.
func (f *File) Close() error {
	if f.close == nil {
		return nil
	}
	err := f.close()
	f.close = nil
	return err
}

// failure converts an error of reading this file.
func (f *File) failure(err error) error {
	if f.gzip && errors.Is(err, zip.ErrFormat) {
		err = gzipError(gzip.ErrChecksum) // the content is longer than its trailer declares
	}
	return named(entryError(err), f.name)
}

// entryError converts an error that the zip library returns for an entry.
func entryError(err error) error {
	var e *Error
	switch {
	case errors.As(err, &e):
		return e
	case errors.Is(err, zip.ErrChecksum):
		return &Error{Problem: "does not have the checksum declared in the archive", Kind: ErrInvalid, Hint: copyAgain}
	case errors.Is(err, zip.ErrFormat):
		return &Error{Problem: "is not where the archive declares it or is larger than declared", Kind: ErrInvalid,
			Hint: copyAgain}
	}
	return damaged(err, "")
}

// atEnd returns an error unless r is at its end and its checksum is right.
func atEnd(r io.Reader) error {
	var one [1]byte
	for {
		n, err := r.Read(one[:])
		switch {
		case n > 0:
			return zip.ErrFormat
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// unzip turns f into the entry of a zip archive.
func (f *File) unzip(archive io.ReaderAt, entry *zipFile, l Limits) error {
	offset, err := entry.DataOffset()
	if err != nil {
		return entryError(err)
	}
	f.whole, f.step = entry.Open, l.MemoryBytes
	if entry.Method == zip.Store {
		f.content = io.NewSectionReader(archive, offset, f.size)
		return nil
	}
	in := &inflater{open: entry.Open, size: f.size, memory: l.MemoryBytes}
	f.content, f.close = in, in.close
	return nil
}
