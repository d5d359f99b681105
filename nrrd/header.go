package nrrd

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/t2map/t2map/samples"
)

// header holds the lines of a NRRD file up to the blank one.
type header struct {
	lines  *samples.Lines
	fields map[string]string
	keys   map[string]string
	names  []string // of data files, where the header ends with a list
}

// magic is the first line: "NRRD0005", or "NRRD00.01" of the first versions.
var magic = regexp.MustCompile(`^NRRD(00\.01|\d{4})$`)

// read reads the lines. A field with a list of names, one per line, ends the header: no blank line
// and no data follow.
func (h *header) read() error {
	h.fields, h.keys = map[string]string{}, map[string]string{}
	first, err := h.lines.Next()
	switch m := magic.FindStringSubmatch(first); {
	case m == nil && err != nil && !errors.Is(err, io.EOF):
		return err
	case m == nil:
		return fmt.Errorf("magic %.20q, want NRRD0001 to NRRD0005: not a NRRD file", first)
	case m[1] != "00.01" && (m[1] < "0001" || m[1] > "0005"):
		return samples.Mark(
			samples.FaultVersion,
			fmt.Errorf("magic %q: %w (want NRRD0001 to NRRD0005)", first, samples.ErrUnsupported),
		)
	}
	for err == nil {
		var text string
		text, err = h.lines.Next()
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
			h.names, err = h.lines.Rest()
			return err
		}
	}
	return nil
}

// take adds one line to fields or keys. Line breaks and backslashes are escaped in the values of
// keys (section 1.2 of the definition).
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

// alias holds the other spellings of the fields that are used here.
var alias = map[string]string{
	"datafile": "data file", "lineskip": "line skip", "byteskip": "byte skip",
}
