package nrrd

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/t2map/t2map/samples"
)

// mostHeader bounds a header. Segmentations of a hundred structures have some 60 kB.
const mostHeader = 1 << 20

// header is the lines of a NRRD file up to the blank one.
type header struct {
	r      *bufio.Reader
	left   int // bytes that it may still have
	fields map[string]string
	keys   map[string]string
	names  []string // of data files, where the header ends with a list
}

// magic is the first line: "NRRD0005", or "NRRD00.01" of the first versions.
var magic = regexp.MustCompile(`^NRRD(00\.01|\d{4})$`)

// read takes the lines as they are. Fields with a list of names, one to a line, end the
// header: then there is no blank line and no data behind it.
func (h *header) read() error {
	h.fields, h.keys = map[string]string{}, map[string]string{}
	first, err := h.line()
	switch m := magic.FindStringSubmatch(first); {
	case m == nil && err != nil && !errors.Is(err, io.EOF):
		return err
	case m == nil:
		return fmt.Errorf("magic %.20q, want NRRD0001 to NRRD0005: not a NRRD file", first)
	case m[1] != "00.01" && (m[1] < "0001" || m[1] > "0005"):
		return samples.Mark(samples.FaultVersion, fmt.Errorf("magic %q: %w (want NRRD0001 to NRRD0005)", first, samples.ErrUnsupported))
	}
	for err == nil {
		var text string
		text, err = h.line()
		switch {
		case err != nil && !errors.Is(err, io.EOF):
			return err
		case text == "":
			return nil // at the blank line, or the end of a detached header
		}
		if err := h.take(text); err != nil {
			return err
		}
		if words := strings.Fields(h.fields["data file"]); len(words) > 0 && words[0] == "LIST" {
			return h.list()
		}
	}
	return nil
}

// line returns the next line without its end, and io.EOF with the last one where that has
// none.
func (h *header) line() (string, error) {
	var b []byte
	for {
		part, err := h.r.ReadSlice('\n')
		b = append(b, part...)
		if h.left -= len(part); h.left < 0 {
			return "", fmt.Errorf("header: no blank line in the first %d bytes", mostHeader)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return "", samples.Mark(samples.StreamFault(err), fmt.Errorf("header: %w", err))
		}
		return strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r"), err
	}
}

// take sorts one line into fields and keys. The ends of lines and backslashes are escaped in
// the values of keys (section 1.2 of the definition).
func (h *header) take(text string) error {
	if strings.HasPrefix(text, "#") {
		return nil
	}
	colon := strings.IndexByte(text, ':')
	if colon < 0 {
		return fmt.Errorf("header: the line %.40q is neither a field nor a key", text)
	}
	if strings.HasPrefix(text[colon:], ":=") {
		h.keys[text[:colon]] = unescape.Replace(text[colon+len(":="):])
		return nil
	}
	name := strings.ToLower(strings.TrimSpace(text[:colon]))
	if long, ok := alias[name]; ok {
		name = long
	}
	if _, twice := h.fields[name]; twice {
		return fmt.Errorf("%.40q: given twice", name)
	}
	h.fields[name] = strings.TrimSpace(text[colon+1:])
	return nil
}

var unescape = strings.NewReplacer(`\\`, `\`, `\n`, "\n")

// alias are the other spellings of fields that matter here.
var alias = map[string]string{
	"datafile": "data file", "lineskip": "line skip", "byteskip": "byte skip",
}

// list takes the names of data files, one to a line, up to the end.
func (h *header) list() error {
	for {
		text, err := h.line()
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if text = strings.TrimSpace(text); text != "" {
			h.names = append(h.names, text)
		}
		if err != nil {
			return nil
		}
	}
}

// used returns the bytes of the header.
func (h *header) used() int64 { return int64(mostHeader - h.left) }
