package files

import (
	"cmp"
	"context"
	"fmt"
	"io"
)

// Limits bound the resources that an archive may use. The zero value has the defaults.
type Limits struct {
	// Entries is the largest number of files and folders in one archive; 0 means 100 000. A
	// visit with all its series has some thousand images. Their names may take 256 bytes
	// each on average: three UIDs of 64 characters (PS3.5 9.1) and some words.
	Entries int
	// TotalBytes is the largest total size of the files of one archive; 0 means 16 GiB,
	// some 300 multi-echo series of 384 × 384 × 27 voxels and 7 echoes. It is also the disk
	// space that an unpacked archive takes.
	TotalBytes int64
	// EntryBytes is the largest size of one file in an archive; 0 means 4 GiB, the largest
	// length of an element in DICOM (PS3.5 7.1.1).
	EntryBytes int64
	// Ratio is the highest compression ratio, once more than 128 MiB have been inflated; 0
	// means 800. Images reach about 10 to 50. Masks in NIfTI reach more: a curved band 8
	// voxels wide with ragged edges in 384 × 384 × 27 voxels reached 280 (uint8), 420
	// (uint16), 590 (float32) and 730 (float64). A file with a single value reaches 1030,
	// the maximum of deflate (zlib, "Technical Details").
	Ratio int64
	// MemoryBytes is the part of a compressed entry that is kept in memory; 0 means 64 MiB,
	// more than any classic image. The rest is written to a temporary file.
	MemoryBytes int64
	// OpenArchives is the number of unused archives that are kept open, or unpacked; 0
	// means 3: the one being read, the next one, and one in reserve.
	OpenArchives int
}

const (
	// freeBytes may be inflated before the ratio counts: a quarter of a second, and enough
	// for a dozen masks that are almost empty.
	freeBytes = 128 << 20
	// nameBytes is the mean length of names that Limits.Entries allows.
	nameBytes = 256
	// longestName is the longest name: PATH_MAX of Linux (limits.h).
	longestName = 4096
)

// defaults replaces every zero by its default.
func (l Limits) defaults() Limits {
	l.Entries = cmp.Or(l.Entries, 100_000)
	l.TotalBytes = cmp.Or(l.TotalBytes, 16<<30)
	l.EntryBytes = cmp.Or(l.EntryBytes, 4<<30)
	l.Ratio = cmp.Or(l.Ratio, 800)
	l.MemoryBytes = cmp.Or(l.MemoryBytes, 64<<20)
	l.OpenArchives = cmp.Or(l.OpenArchives, 3)
	return l
}

const smaller = "pack it as several archives, or search a folder in which it is unpacked"

// check returns an error if out bytes are too many, or too many to be inflated from in
// bytes.
func (l Limits) check(out, in int64) error {
	switch {
	case out > l.TotalBytes:
		return &Error{Problem: fmt.Sprintf("holds more than %s, the limit for an archive", size(l.TotalBytes)),
			Kind: ErrLimit, Hint: smaller}
	case out > freeBytes && out/l.Ratio >= in:
		return &Error{Problem: fmt.Sprintf("holds more than %d times its own size, the limit for an archive", l.Ratio),
			Kind: ErrLimit, Hint: smaller}
	}
	return nil
}

// tooMany returns the error of an archive above Limits.Entries.
func (l Limits) tooMany() *Error {
	return &Error{Problem: fmt.Sprintf("holds more than %d files, or names too long for that number, the limit for an "+
		"archive", l.Entries), Kind: ErrLimit, Hint: smaller}
}

// checkEntry returns an error if the size of one file is out of range.
func (l Limits) checkEntry(n int64) *Error {
	switch {
	case n < 0:
		return &Error{Problem: "has an impossible size", Kind: ErrInvalid, Hint: copyAgain}
	case n > l.EntryBytes:
		return &Error{Problem: fmt.Sprintf("holds more than %s, the limit for a file in an archive",
			size(l.EntryBytes)), Kind: ErrLimit,
			Hint: "remove it from the archive, or unpack the archive and search the folder"}
	}
	return nil
}

// size formats a number of bytes, in GiB or MiB if it is a multiple of them.
func size(n int64) string {
	switch {
	case n >= 1<<30 && n%(1<<30) == 0:
		return fmt.Sprintf("%d GiB", n>>30)
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d bytes", n)
}

// counter counts the bytes read, and returns an error when its context ends.
type counter struct {
	ctx context.Context
	r   io.Reader
	n   int64
}

func (c *counter) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// metered reads an inflated stream, and returns an error when it exceeds the limits.
type metered struct {
	r      io.Reader
	in     *counter // the compressed stream
	out    int64
	limits Limits
}

func (m *metered) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	m.out += int64(n)
	if excess := m.limits.check(m.out, m.in.n); excess != nil {
		return 0, excess
	}
	return n, err
}
