package segmenter

import (
	"path/filepath"
	"regexp"
	"strings"

	"github.com/t2map/t2map/printable"
)

// kept is the number of bytes that are kept of the beginning and of the end of a stream. Programs that report their
// progress may write any amount.
const kept = 4 << 10

// mostRunes and mostLines limit how much of a program's output is shown. A traceback of Python ends with three lines:
// the place, the line of code and the exception.
const (
	mostRunes = 300
	mostLines = 3
)

// capture is a writer that keeps the beginning and the end of its input.
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

// end joins the last lines that are not blank. The folder dir is written as {dir}: its name differs from study to
// study, and a failure that many studies share is listed once.
func (c *capture) end(dir string) string {
	all := lines(string(c.tail), dir)
	text := strings.Join(all[max(0, len(all)-mostLines):], " | ")
	if r := []rune(text); len(r) > mostRunes {
		text = "…" + string(r[len(r)-mostRunes:])
	}
	return text
}

// escapes matches the control sequences that set colours in a terminal (ECMA-48, 5.4).
var escapes = regexp.MustCompile("\x1b\\[[0-?]*[ -/]*[@-~]")

// lines returns the lines of a text that are not blank, safe to print. A carriage return ends a line: progress bars
// are lines that replace each other.
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
