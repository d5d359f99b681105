package files

import (
	"bufio"
	"os"
)

// spool is a temporary file without a name, which nobody else can open and which disappears
// with the process. Windows cannot remove an open file: there it is removed by close.
type spool struct {
	file *os.File
	buf  *bufio.Writer
	name string // if it still has one
}

func newSpool() (*spool, error) {
	f, err := os.CreateTemp("", "t2map-*") // mode 0600
	if err != nil {
		return nil, spoolError(err)
	}
	s := &spool{file: f, buf: bufio.NewWriterSize(f, 1<<20)}
	if os.Remove(f.Name()) != nil {
		s.name = f.Name()
	}
	return s, nil
}

// Write appends to the file. The bytes are in the file after flush.
func (s *spool) Write(p []byte) (int, error) {
	n, err := s.buf.Write(p)
	if err != nil {
		err = spoolError(err)
	}
	return n, err
}

func (s *spool) flush() error {
	if err := s.buf.Flush(); err != nil {
		return spoolError(err)
	}
	return nil
}

func (s *spool) close() error {
	err := s.file.Close()
	if s.name != "" {
		err = os.Remove(s.name)
	}
	return err
}
