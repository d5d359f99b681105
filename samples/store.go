package samples

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/t2map/t2map/volume"
)

// Store is the place of the voxels of a header: after the header, or in data files.
type Store struct {
	// Field is the header's field that names the data files, for messages. Names are their names;
	// nil means that the voxels follow the header. Open opens them, and may be nil.
	Field string
	Names []string
	Open  Open
	// Bytes is the number of bytes of all voxels.
	Bytes int64
	// Unpack skips the data before n bytes of voxels and decompresses. br reads a file of the given
	// size, −1 if unknown, of which used bytes were read.
	Unpack func(br *bufio.Reader, size, used, n int64) (io.Reader, error)
}

// SetNames sets Names from the field that names data files: one name, LIST, or a pattern with the
// first number, the last number and the step, which may be omitted if it is 1. list holds the names
// that follow a LIST, and slices is the largest number of files. All files hold the same number of
// slices.
func (s *Store) SetNames(text string, list []string, slices int) error {
	words := strings.Fields(text)
	switch {
	case len(words) == 0:
		return fmt.Errorf("%s: no name", s.Field)
	case words[0] == "LIST":
		s.Names = list
	case len(words) >= 3 && strings.Contains(words[0], "%"):
		n := [3]int{0, 0, 1}
		for d := range min(3, len(words)-1) {
			var err error
			if n[d], err = strconv.Atoi(words[d+1]); err != nil {
				return fmt.Errorf("%s: %.60q, want a pattern, the first number, the last and the step", s.Field, text)
			}
		}
		var ok bool
		if s.Names, ok = patterned(words[0], n[0], n[1], n[2], slices); !ok {
			return fmt.Errorf("%s: %.60q does not name 1 to %d files", s.Field, text, slices)
		}
	default:
		s.Names = []string{text}
	}
	if n := len(s.Names); n == 0 || n > slices || slices%n != 0 {
		return fmt.Errorf("%s: %d files for %d slices", s.Field, n, slices)
	}
	return nil
}

// Voxels returns the stream of the voxels. br is at the end of the header, after used bytes of
// whole.
func (s *Store) Voxels(br *bufio.Reader, whole io.Reader, used int64) (io.ReadCloser, error) {
	if s.Names == nil {
		data, err := s.Unpack(br, sizeOf(whole), used, s.Bytes)
		return io.NopCloser(data), err
	}
	if s.Open == nil {
		return nil, Mark(
			FaultDataFile,
			fmt.Errorf("%s: the voxels are in %.80q, which cannot be opened here", s.Field, s.Names[0]),
		)
	}
	return &parts{Store: s, each: s.Bytes / int64(len(s.Names))}, nil
}

// sizeOf returns the number of bytes of the file that r reads, or −1 if r does not report it.
func sizeOf(r io.Reader) int64 {
	if s, ok := r.(interface{ Size() int64 }); ok {
		return s.Size()
	}
	return -1
}

// Open opens a data file by the name in a header.
type Open func(name string) (io.ReadCloser, error)

// Options are the options of readers of a header with data files.
type Options struct {
	// Check is called with the grid that the header declares, before a voxel is read or a data file
	// is opened; its error is returned as it is. It bounds memory, because a few compressed bytes can
	// declare and hold more voxels than fit into it. A nil Check accepts every grid.
	Check func(volume.Geometry) error
	// Open opens a data file by the name in the header. It must refuse names that lead elsewhere. Its
	// errors are returned unchanged, marked as FaultDataFile. If it is nil, a header without data is
	// an error.
	Open Open
}

// parts reads the voxels in one or several data files as one stream. If there are several, each
// holds exactly each bytes of them. They are opened when they are needed. Errors name the file,
// except those of Open.
type parts struct {
	*Store
	each int64

	opened int // number of files opened
	file   io.ReadCloser
	data   io.Reader
	left   int64 // bytes left in the open file
}

// Read continues in the open file, and opens the next one at its end.
func (p *parts) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	for {
		if p.file == nil {
			if p.opened == len(p.Names) {
				return 0, io.EOF
			}
			if err := p.next(); err != nil {
				return 0, err
			}
		}
		if len(p.Names) == 1 {
			n, err := p.data.Read(b)
			return n, p.named(err)
		}
		if p.left == 0 {
			if err := p.finish(); err != nil {
				return 0, err
			}
			continue
		}
		n, err := p.data.Read(b[:min(int64(len(b)), p.left)])
		p.left -= int64(n)
		if errors.Is(err, io.EOF) {
			err = nil
			if p.left > 0 {
				err = fmt.Errorf("%d of %d bytes: %w", p.each-p.left, p.each, io.ErrUnexpectedEOF)
			}
		}
		if n > 0 || err != nil {
			return n, p.named(err)
		}
	}
}

// named adds the name of the open file to an error other than io.EOF.
func (p *parts) named(err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return Mark(StreamFault(err), fmt.Errorf("%.80q: %w", p.Names[p.opened-1], err))
}

func (p *parts) next() error {
	f, err := p.Open(p.Names[p.opened])
	if err != nil {
		return Mark(FaultDataFile, err)
	}
	p.file, p.left = f, p.each
	p.opened++
	br, _ := Buffered(f)
	p.data, err = p.Unpack(br, sizeOf(f), 0, p.each)
	return p.named(err)
}

// finish closes a file after its last byte, and checks that it ends there.
func (p *parts) finish() error {
	var one [1]byte
	n, err := io.ReadFull(p.data, one[:])
	switch {
	case n > 0:
		return p.named(Mark(FaultLength, fmt.Errorf("more than %d bytes", p.each)))
	case !errors.Is(err, io.EOF):
		return p.named(err)
	}
	return p.Close()
}

// Close closes the open file.
func (p *parts) Close() error {
	if p.file == nil {
		return nil
	}
	err := p.file.Close()
	p.file = nil
	return err
}
