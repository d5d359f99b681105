package samples

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Store is where the voxels of a header are: behind it, or in data files.
type Store struct {
	// Field is that which names the data files, for messages. Names are theirs; none means that the
	// voxels follow the header. Open opens them, and may be nil.
	Field string
	Names []string
	Open  Open
	// Bytes is how many all voxels take.
	Bytes int64
	// Unpack skips what comes before n bytes of voxels and undoes compression. br reads a file
	// of that size, −1 where that is not known, of which used bytes were read.
	Unpack func(br *bufio.Reader, size, used, n int64) (io.Reader, error)
}

// SetNames takes the field that names data files: one name, LIST, or a pattern with its first
// number, last number and step, which may be omitted where it is 1. list are the names behind
// a LIST, and slices bounds how many there may be. All hold the same number of slices.
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
		if s.Names, ok = Patterned(words[0], n[0], n[1], n[2], slices); !ok {
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

// Voxels returns the stream of the voxels. br comes behind a header of used bytes in whole.
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

// Open opens a file by the name that a header gives it.
type Open func(name string) (io.ReadCloser, error)

// parts are the voxels in one or several data files as one stream. Each of several holds each
// bytes of them, no more and no less. They are opened when they are needed. Errors name
// the file, but for those of Open.
type parts struct {
	*Store
	each int64

	opened int // how many of the files were
	file   io.ReadCloser
	data   io.Reader
	left   int64 // bytes of the open one
}

// Read reads on in the open file, and opens the next one when that is done.
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

// named puts the name of the open file to an error but the end.
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

// finish closes a file that has given what it holds.
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
