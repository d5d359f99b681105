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

// tape is a tar archive on its way.
type tape struct {
	io.Reader
	pos  func() int64 // bytes read or passed over
	size int64        // in all, or -1 where that is not known
}

// seekingTape is a tape on which the contents of files can be passed over.
type seekingTape struct {
	tape
	io.Seeker
}

// newTape returns the tar archive that is a file.
func newTape(ctx context.Context, file io.ReaderAt, size int64) seekingTape {
	s := io.NewSectionReader(file, 0, size)
	pos := func() int64 { offset, _ := s.Seek(0, io.SeekCurrent); return offset }
	return seekingTape{tape{&counter{ctx: ctx, r: s}, pos, size}, s}
}

func (t tape) position() int64 { return t.pos() }
func (t tape) length() int64   { return t.size }

// reel is a tape, seeking or not.
type reel interface {
	io.Reader
	position() int64
	length() int64
}

// indexGzip returns what is in the gzipped tar archive, and writes that tar to
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
	// What follows the end of the tar has to be read for gzip's checksum. Bytes
	// that are not gzip follow it where an archive was padded.
	if _, err := io.Copy(io.Discard, t); err != nil && !errors.Is(err, gzip.ErrHeader) {
		return nil, damaged(err, "")
	}
	return x, nil
}

// indexTar returns what is in the tar archive.
func indexTar(t reel, l Limits) (*index, error) {
	g := gatherer{limits: l}
	r := tar.NewReader(t)
	var end int64 // of the last file's contents
	for {
		h, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			// Zeros mark the end (POSIX.1 pax, ustar). An archive that was cut
			// off between two files has none, and what it lacks nobody knows.
			if t.position() <= (end+511)/512*512 {
				return nil, g.damaged(io.ErrUnexpectedEOF)
			}
			return g.index(), nil
		case err != nil && !errors.Is(err, tar.ErrInsecurePath): // that is entryName's to say
			return nil, g.damaged(err)
		}
		if err := g.enter(h.Name, h.Linkname); err != nil {
			return nil, err
		}
		end = g.addTar(h, t.position())
		if err := l.check(g.total, 1<<62); err != nil { // a sparse file may say that it holds anything
			return nil, err
		}
		if t.length() >= 0 && end > t.length() {
			return nil, g.damaged(io.ErrUnexpectedEOF)
		}
	}
}

// damaged is the error of an archive that cannot be read to its end.
func (g *gatherer) damaged(err error) error {
	if g.count == 0 && errors.Is(err, tar.ErrHeader) {
		return &Error{Problem: "is not a tar archive", Kind: ErrInvalid, Hint: copyAgain}
	}
	return damaged(err, fmt.Sprintf(" after %d entries", g.count))
}

// addTar lists an entry whose contents begin at pos, and returns where they end.
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
		it.err = &Error{Problem: fmt.Sprintf("is an entry of type %q, which is not read", h.Typeflag), Kind: ErrUnsupported,
			Hint: "pack the folder again as one ordinary archive"}
	}
	if sparse(h) {
		end = pos // how much of it is there is not known
		it.err = &Error{Problem: "is stored without its zeros", Kind: ErrUnsupported, Hint: "pack the folder again without tar's --sparse"}
	}
	if h.Typeflag == tar.TypeReg && h.Size == 0 && strings.HasSuffix(h.Name, "/") {
		return end // a folder, as some packers write it
	}
	if it.size > 0 {
		g.total += min(it.size, g.limits.TotalBytes+1) // no sum of two can overflow
	}
	g.add(h.Name, it)
	return max(end, pos)
}

// sparse reports whether holes of the file were left out, in any of GNU tar's
// ways (GNU tar manual, "Sparse Formats").
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
