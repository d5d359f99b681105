package segmenter

import (
	"path/filepath"
	"regexp"
	"strings"

	"github.com/t2map/t2map/printable"
)

// kept is how many bytes of a stream are kept at its beginning and at its end. Programs
// that report their progress write without end.
const kept = 4 << 10

// mostRunes bounds what is shown of a program's words, and mostLines their lines: a traceback
// of Python ends with the place, the line of code and the exception.
const (
	mostRunes = 300
	mostLines = 3
)

// capture is a writer that keeps the beginning and the end of what is written.
type capture struct {
	head, tail []byte
}

func (c *capture) Write(p []byte) (int, error) {
	c.head = append(c.head, p[:min(len(p), kept-len(c.head))]...)
	last := p[max(0, len(p)-kept):]
	c.tail = append(c.tail, last...)
	if n := len(c.tail) - kept; n > 0 {
		c.tail = append(c.tail[:0], c.tail[n:]...)
	}
	return len(p), nil
}

// firstLine returns the first line that is not blank. The folder dir is written as {dir}.
func (c *capture) firstLine(dir string) string {
	all := lines(string(c.head), dir)
	if len(all) == 0 {
		return ""
	}
	if r := []rune(all[0]); len(r) > mostRunes {
		return string(r[:mostRunes]) + "…"
	}
	return all[0]
}

// end returns the last lines that are not blank as one. The folder dir is written as {dir}: its
// name differs from study to study, and what many studies fail by is listed once.
func (c *capture) end(dir string) string {
	all := lines(string(c.tail), dir)
	text := strings.Join(all[max(0, len(all)-mostLines):], " | ")
	if r := []rune(text); len(r) > mostRunes {
		text = "…" + string(r[len(r)-mostRunes:])
	}
	return text
}

// escapes are the sequences that colour a terminal (ECMA-48, 5.4).
var escapes = regexp.MustCompile("\x1b\\[[0-?]*[ -/]*[@-~]")

// lines returns the lines of a text that are not blank, safe to print. A carriage return ends
// a line: bars of progress are lines that replace each other.
func lines(text, dir string) []string {
	text = escapes.ReplaceAllString(text, "")
	for _, path := range []string{dir, filepath.ToSlash(dir)} {
		text = strings.ReplaceAll(text, path, "{dir}")
	}
	var out []string
	for _, line := range strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }) {
		if line = strings.Join(strings.Fields(printable.Line(line)), " "); line != "" {
			out = append(out, line)
		}
	}
	return out
}
