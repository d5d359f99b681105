package samples

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// mostHeader is the largest size in bytes of a header of lines, including the names of its data
// files. Segmentations of a hundred structures have some 60 kB.
const mostHeader = 1 << 20

// Lines reads the lines of a header.
type Lines struct {
	r    *bufio.Reader
	end  string // the end of the header, for messages
	used int
}

// NewLines returns the lines of br. end names the end of the header, for the message if it is
// missing.
func NewLines(br *bufio.Reader, end string) *Lines { return &Lines{r: br, end: end} }

// Next returns the next line without its line ending. If the last line has none, it returns io.EOF
// with it.
func (l *Lines) Next() (string, error) {
	var b []byte
	for {
		part, err := l.r.ReadSlice('\n')
		b = append(b, part...)
		if l.used += len(part); l.used > mostHeader {
			return "", Mark(FaultFormat, fmt.Errorf("header: no %s in the first %d bytes", l.end, mostHeader))
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return "", Mark(StreamFault(err), fmt.Errorf("header: %w", err))
		}
		return strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r"), err
	}
}

// Rest returns the remaining lines that are not blank, without surrounding blanks.
func (l *Lines) Rest() ([]string, error) {
	var out []string
	for {
		text, err := l.Next()
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		if text = strings.TrimSpace(text); text != "" {
			out = append(out, text)
		}
		if err != nil {
			return out, nil
		}
	}
}

// Used returns the number of bytes read.
func (l *Lines) Used() int64 { return int64(l.used) }
