package files

import (
	"archive/tar"
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// tape is a tar archive that is read from its beginning.
type tape struct {
	io.Reader
	pos  func() int64 // the number of bytes read or skipped
	size int64        // of the archive, or −1 if unknown
}

// seekingTape is a tape on which the contents of files can be skipped.
type seekingTape struct {
	tape
	io.Seeker
}

// newTape returns a tape for a file.
func newTape(ctx context.Context, file io.ReaderAt, size int64) seekingTape {
	s := io.NewSectionReader(file, 0, size)
	pos := func() int64 { offset, _ := s.Seek(0, io.SeekCurrent); return offset }
	return seekingTape{tape{&counter{ctx: ctx, r: s}, pos, size}, s}
}

func (t tape) position() int64 { return t.pos() }
func (t tape) length() int64   { return t.size }

// reel is a tape or a seekingTape.
type reel interface {
	io.Reader
	position() int64
	length() int64
}

// indexGzip lists the entries of the gzipped tar archive, and writes the tar archive to
// spool.
func indexGzip(ctx context.Context, file io.ReaderAt, spool io.Writer, l Limits) (*index, error) {
	in := &counter{ctx: ctx, r: io.NewSectionReader(file, 0, 1<<63-1)}
	z, err := gzip.NewReader(bufio.NewReaderSize(in, 1<<16))
	if err != nil {
		return nil, damaged(err, "")
	}
	defer z.Close()
	out := &metered{r: z, in: in, limits: l}
	t := tape{io.TeeReader(out, spool), func() int64 { return out.out }, -1}
	x, err := indexTar(t, l)
	if err != nil {
		return nil, err
	}
	// The rest must be read to verify gzip's checksum. A padded archive ends with bytes
	// that are not gzip.
	if _, err := io.Copy(io.Discard, t); err != nil && !errors.Is(err, gzip.ErrHeader) {
		return nil, damaged(err, "")
	}
	return x, nil
}

// indexTar lists the entries of the tar archive.
func indexTar(t reel, l Limits) (*index, error) {
	g := gatherer{limits: l}
	r := tar.NewReader(t)
	var end int64 // of the contents of the last file
	for {
		h, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			// Zeros mark the end (POSIX.1 pax, ustar). An archive that was truncated
			// between two files lacks them, and an unknown number of files.
			if t.position() <= (end+511)/512*512 {
				return nil, g.damaged(io.ErrUnexpectedEOF)
			}
			return g.index(), nil
		case err != nil && !errors.Is(err, tar.ErrInsecurePath): // entryName checks the names
			return nil, g.damaged(err)
		}
		if err := g.enter(h.Name, h.Linkname); err != nil {
			return nil, err
		}
		end = g.addTar(h, t.position())
		if err := l.check(g.total, 1<<62); err != nil { // a sparse file may declare any size
			return nil, err
		}
		if t.length() >= 0 && end > t.length() {
			return nil, g.damaged(io.ErrUnexpectedEOF)
		}
	}
}

// damaged returns the error of an archive that cannot be read to its end.
func (g *gatherer) damaged(err error) error {
	if g.count == 0 && errors.Is(err, tar.ErrHeader) {
		return &Error{Problem: "is not a tar archive", Kind: ErrInvalid, Hint: copyAgain}
	}
	return damaged(err, fmt.Sprintf(" after %d entries", g.count))
}

// addTar lists an entry whose contents begin at pos, and returns the end of the contents.
func (g *gatherer) addTar(h *tar.Header, pos int64) (end int64) {
	it := item{offset: pos, size: h.Size}
	switch h.Typeflag {
	case tar.TypeDir, tar.TypeXGlobalHeader:
		return pos
	case tar.TypeSymlink:
		it.link, it.target, it.size = true, linkTarget(h.Name, h.Linkname), 0
	case tar.TypeLink:
		it.link, it.size = true, 0
		it.target, _ = entryName(h.Linkname)
	case tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		it.irregular, it.size = true, 0
	case tar.TypeReg, tar.TypeCont:
		end = pos + max(h.Size, 0)
	default:
		end = pos
		it.err = &Error{Problem: fmt.Sprintf("is an entry of type %q, which is not read", h.Typeflag),
			Kind: ErrUnsupported,
			Hint: "pack the folder again as one ordinary archive"}
	}
	if sparse(h) {
		end = pos // the stored size is not known
		it.err = &Error{Problem: "is stored as a sparse file", Kind: ErrUnsupported,
			Hint: "pack the folder again without tar's --sparse"}
	}
	if h.Typeflag == tar.TypeReg && h.Size == 0 && strings.HasSuffix(h.Name, "/") {
		return end // a folder, as written by some programs
	}
	if it.size > 0 {
		g.total += min(it.size, g.limits.TotalBytes+1) // so that the sum cannot overflow
	}
	g.add(h.Name, it)
	return max(end, pos)
}

// sparse reports whether the file is stored without its holes, in any format of GNU tar
// (GNU tar manual, "Sparse Formats").
func sparse(h *tar.Header) bool {
	if h.Typeflag == tar.TypeGNUSparse {
		return true
	}
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return false
}
