package files

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/flate"
)

// zipFile is an entry of a zip archive.
type zipFile = zip.File

// Bits of a zip entry's flags (APPNOTE.TXT 4.4.4).
const (
	encrypted       = 1 << 0
	maskedDirectory = 1 << 13
)

// methodAE marks an entry encrypted by WinZip (AE-x, "AES Encryption Information", II.C);
// flags mark the others.
const methodAE = 99

// indexZip lists the entries of the zip archive.
func indexZip(file io.ReaderAt, fileSize int64, l Limits) (*index, error) {
	if n, err := zipRecords(file, fileSize); err != nil {
		return nil, err
	} else if n > uint64(l.Entries) {
		return nil, l.tooMany()
	}
	b := &budget{r: file, excess: l.tooMany()}
	// The directory at the end is read several times: allow one MiB and some records more.
	b.left.Store(int64(l.Entries)*nameBytes + 1<<20)
	b.records.Store(int64(l.Entries) + 1<<12)
	z, err := zip.NewReader(b, fileSize)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, damaged(err, "")
	}
	b.left.Store(-1)
	z.RegisterDecompressor(zip.Deflate, inflate)
	g := gatherer{limits: l}
	var in uint64
	for _, f := range z.File {
		if err := g.enter(f.Name, ""); err != nil {
			return nil, err
		}
		in += f.CompressedSize64
		if in > uint64(fileSize) {
			return nil, &Error{Problem: "its files overlap or lie beyond its end", Kind: ErrInvalid, Hint: copyAgain}
		}
		if f.UncompressedSize64 > uint64(l.TotalBytes) {
			return nil, l.check(l.TotalBytes+1, fileSize)
		}
		g.total += int64(f.UncompressedSize64)
		if err := l.check(g.total, fileSize); err != nil {
			return nil, err
		}
		g.addZip(f)
	}
	return g.index(), nil
}

// addZip lists an entry that is a file.
func (g *gatherer) addZip(f *zipFile) {
	name := f.Name
	if f.NonUTF8 {
		name = from437(name)
	}
	it := item{zip: f, size: int64(f.UncompressedSize64)}
	mode := f.Mode()
	switch {
	case strings.HasSuffix(name, "/"), strings.HasSuffix(name, `\`), mode.IsDir():
		if f.UncompressedSize64 > 0 {
			g.refuse(name, "it is a folder with content of its own")
		}
		return
	case f.Flags&(encrypted|maskedDirectory) != 0, f.Method == methodAE:
		it.err = &Error{Problem: "is encrypted", Kind: ErrUnsupported,
			Hint: "unpack the archive with its password and search the folder"}
	case f.Method != zip.Store && f.Method != zip.Deflate:
		it.err = &Error{Problem: fmt.Sprintf("is compressed by method %d, want stored (0) or deflated (8)", f.Method),
			Kind: ErrUnsupported,
			Hint: "pack the archive again with deflate, the usual method"}
	case f.Method == zip.Store && f.CompressedSize64 != f.UncompressedSize64:
		it.err = &Error{Problem: fmt.Sprintf("is stored in %d bytes, want %d", f.CompressedSize64,
			f.UncompressedSize64), Kind: ErrInvalid, Hint: copyAgain}
	case mode&fs.ModeSymlink != 0:
		it.link, it.target = true, zipTarget(f)
	case !mode.IsRegular():
		it.irregular = true
	}
	g.add(name, it)
}

// zipTarget returns the target of a symbolic link relative to the top of the archive, or ""
// if it leads out of the archive or cannot be read.
func zipTarget(f *zipFile) string {
	if f.UncompressedSize64 > longestName {
		return ""
	}
	r, err := f.Open()
	if err != nil {
		return ""
	}
	defer r.Close()
	target, err := io.ReadAll(r)
	if err != nil {
		return ""
	}
	name := f.Name
	if f.NonUTF8 {
		name = from437(name)
	}
	return linkTarget(name, from437(string(target)))
}

// linkTarget returns the target of a symbolic link with that name, or "".
func linkTarget(link, target string) string {
	link, problem := entryName(link)
	if problem != "" || target == "" || path.IsAbs(target) {
		return ""
	}
	return path.Join(path.Dir(link), escapeInvalid(target))
}

// zipRecords returns the number of files that the archive declares. The library allocates
// memory for that many before it reads the first.
func zipRecords(r io.ReaderAt, size int64) (uint64, error) {
	// Sizes of the end of the central directory, its longest comment, and the locator and
	// record of zip64 (APPNOTE.TXT 4.3.14 to 4.3.16).
	const end, comment, locator, end64 = 22, 1<<16 - 1, 20, 56
	tail := make([]byte, min(size, locator+end+comment))
	if _, err := r.ReadAt(tail, size-int64(len(tail))); err != nil && err != io.EOF {
		return 0, ioError(err)
	}
	start := bytes.LastIndex(tail[:max(0, len(tail)-end+4)], []byte("PK\x05\x06"))
	if start < 0 {
		return 0, damaged(io.ErrUnexpectedEOF, ": it has no directory")
	}
	n := uint64(binary.LittleEndian.Uint16(tail[start+10:]))
	if start < locator || !bytes.HasPrefix(tail[start-locator:], []byte("PK\x06\x07")) {
		return n, nil
	}
	var record [end64]byte
	if _, err := r.ReadAt(record[:], int64(binary.LittleEndian.Uint64(tail[start-locator+8:]))); err != nil ||
		!bytes.HasPrefix(record[:], []byte("PK\x06\x06")) {
		return n, nil // the library refuses it
	}
	return max(n, binary.LittleEndian.Uint64(record[32:])), nil
}

// budget limits the bytes and directory records that the library reads: the library takes
// the number of files modulo 65536, and allocates more than ten bytes for each byte. There
// is no limit while left is negative.
type budget struct {
	r             io.ReaderAt
	left, records atomic.Int64
	excess        error
}

func (b *budget) ReadAt(p []byte, off int64) (int, error) {
	n, err := b.r.ReadAt(p, off)
	if b.left.Load() < 0 {
		return n, err
	}
	// Signatures across two reads are missed. They are few unless the records are long, and
	// then the limit of bytes applies.
	records := bytes.Count(p[:n], []byte("PK\x01\x02"))
	if b.left.Add(-int64(n)) < 0 || b.records.Add(-int64(records)) < 0 {
		b.left.Store(0)
		return 0, b.excess
	}
	return n, err
}

// inflaters are readers of deflate that are used again: each has tables of some 40 kB.
var inflaters sync.Pool

type pooledInflater struct{ io.ReadCloser }

// inflate returns a reader of deflate.
func inflate(r io.Reader) io.ReadCloser {
	if f, ok := inflaters.Get().(io.ReadCloser); ok {
		if err := f.(flate.Resetter).Reset(r, nil); err == nil {
			return &pooledInflater{f}
		}
	}
	return &pooledInflater{flate.NewReader(r)}
}

// Close returns the reader to the pool. It must not be read afterwards.
func (p *pooledInflater) Close() error {
	err := p.ReadCloser.Close()
	inflaters.Put(p.ReadCloser)
	p.ReadCloser = nil
	return err
}
