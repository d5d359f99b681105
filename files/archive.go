package files

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// kind is the type of an archive, by its first bytes.
type kind int

const (
	noArchive kind = iota
	zipped
	taped   // tar
	gzipped // gzipped tar
)

// endings are the extensions of archives, in any case. The first bytes decide what is
// inside: a gzipped tar that is named .tar is still one, and a .docx is a zip archive only
// to the program that reads documents.
var endings = []string{".zip", ".tar", ".tar.gz", ".tgz"}

// archiveName reports whether a path has the extension of an archive.
func archiveName(path string) bool {
	return slices.ContainsFunc(endings, func(end string) bool {
		return len(path) > len(end) && strings.EqualFold(path[len(path)-len(end):], end)
	})
}

// WithoutEndings returns a name, with slashes, without the extensions of archives in it:
// S01/M00 for S01/M00.tar.gz.
func WithoutEndings(name string) string {
	parts := strings.Split(name, "/")
	for i, part := range parts {
		for _, end := range endings {
			if n := len(part) - len(end); n > 0 && strings.EqualFold(part[n:], end) {
				parts[i] = part[:n]
			}
		}
	}
	return strings.Join(parts, "/")
}

// signatures are the first bytes of archives: zip's local file header, or its end of
// central directory if it is empty (APPNOTE.TXT 4.3.7, 4.3.16); gzip with deflate (RFC 1952
// 2.3.1); and tar's magic (POSIX.1-2001 pax, ustar; GNU's has the same beginning).
var signatures = []struct {
	kind   kind
	offset int
	bytes  string
}{
	{zipped, 0, "PK\x03\x04"},
	{zipped, 0, "PK\x05\x06"},
	{gzipped, 0, gzipMagic},
	{taped, 257, "ustar"},
}

// kindOf returns the type of the file.
func kindOf(r io.ReaderAt) (kind, error) {
	var head [512]byte
	n, err := r.ReadAt(head[:], 0)
	if err != nil && err != io.EOF {
		return noArchive, err
	}
	for _, s := range signatures {
		if s.offset < n && bytes.HasPrefix(head[s.offset:n], []byte(s.bytes)) {
			return s.kind, nil
		}
	}
	return noArchive, nil
}

// isArchive reports whether a file with the extension of an archive is one. A file that
// cannot be read is not: it fails like any other file when it is opened.
func (t *Tree) isArchive(path string) bool {
	k, err := t.kindAt(path)
	return err == nil && k != noArchive
}

// kindAt returns the kind of the archive at path, or noArchive.
func (t *Tree) kindAt(path string) (kind, error) {
	f, err := t.place(path).open(path)
	if err != nil {
		return noArchive, err
	}
	defer f.Close()
	return kindOf(f)
}

// archive is an open archive. Once it is ready, any number of goroutines may read from it.
type archive struct {
	kind  kind
	file  source
	stamp os.FileInfo // of file, when it was opened
	*index
	spool *spool // the tar that gzip compressed, or nil
}

// openArchive opens an archive. It is an error if its stamp is no longer the listed one;
// nil means that it was not listed.
func (t *Tree) openArchive(path string, listed os.FileInfo) (*archive, error) {
	f, err := t.place(path).open(path)
	if err != nil {
		return nil, openError(err)
	}
	a := &archive{file: f}
	if a.stamp, err = f.Stat(); err == nil {
		a.kind, err = kindOf(f)
	}
	switch {
	case err != nil:
		err = ioError(err)
	case listed != nil && changed(listed, a.stamp), a.kind == noArchive:
		err = errChanged
	default:
		return a, nil
	}
	f.Close()
	return nil, err
}

func changed(earlier, current os.FileInfo) bool {
	if object, ok := earlier.(objectInfo); ok {
		return object != current
	}
	return earlier.Size() != current.Size() || !earlier.ModTime().Equal(current.ModTime()) ||
		!os.SameFile(earlier, current)
}

// list returns the index of the archive. It keeps nothing open.
func (a *archive) list(ctx context.Context, l Limits) (*index, error) {
	switch a.kind {
	case zipped:
		return indexZip(a.file, a.stamp.Size(), l)
	case taped:
		return indexTar(newTape(ctx, a.file, a.stamp.Size()), l)
	default:
		return indexGzip(ctx, a.file, io.Discard, l)
	}
}

// ready prepares the archive for reading. A gzipped tar can only be read from its
// beginning, so that it is written to a temporary file.
func (a *archive) ready(ctx context.Context, l Limits) (err error) {
	if a.file, err = onDisk(ctx, a.file, a.stamp); err != nil {
		return err
	}
	if a.kind != gzipped {
		a.index, err = a.list(ctx, l)
		return err
	}
	if a.spool, err = newSpool(); err != nil {
		return err
	}
	if a.index, err = indexGzip(ctx, a.file, a.spool, l); err != nil {
		return err
	}
	return a.spool.flush()
}

// open opens the entry with the given name.
func (a *archive) open(name string, l Limits) (*File, error) {
	if current, err := a.file.Stat(); err != nil || changed(a.stamp, current) {
		return nil, errChanged
	}
	it := a.find(name)
	switch {
	case it == nil:
		return nil, &Error{Problem: "is not in the archive", Kind: fs.ErrNotExist}
	case it.err != nil:
		return nil, it.err
	case it.irregular:
		return nil, notRegular
	}
	f := &File{size: it.size, close: func() error { return nil }, stored: a.file, stamp: a.stamp}
	switch {
	case it.zip != nil:
		return f, f.unzip(a.file, it.zip, l)
	case a.spool != nil:
		f.content = io.NewSectionReader(a.spool.file, it.offset, it.size)
	default:
		f.content = io.NewSectionReader(a.file, it.offset, it.size)
	}
	return f, nil
}

func (a *archive) close() {
	a.file.Close()
	if a.spool != nil {
		a.spool.close()
	}
}
