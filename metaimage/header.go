package metaimage

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/t2map/t2map/samples"
)

// header holds the lines of a MetaImage up to ElementDataFile, which is the last.
type header struct {
	lines  *samples.Lines
	fields map[string]string
	names  []string // of data files, where the header ends with a list
}

// read reads the lines, key = value. MetaIO accepts a colon instead of the sign.
func (h *header) read() error {
	h.fields = map[string]string{}
	for {
		text, err := h.lines.Next()
		if err != nil && (!errors.Is(err, io.EOF) || text == "") {
			if errors.Is(err, io.EOF) {
				err = samples.Mark(
					samples.FaultLength, fmt.Errorf("header: ElementDataFile: missing: %w", io.ErrUnexpectedEOF),
				)
			}
			return err
		}
		if strings.TrimSpace(text) == "" {
			continue
		}
		separator := strings.IndexAny(text, "=:")
		if separator < 0 {
			return fmt.Errorf("header: the line %.40q is not key = value: not a MetaImage", text)
		}
		key := strings.TrimSpace(text[:separator])
		if long, ok := alias[key]; ok {
			key = long
		}
		value := strings.TrimSpace(text[separator+1:])
		if was, twice := h.fields[key]; twice && was != value {
			return fmt.Errorf("%.40q: given twice, as %.40q and as %.40q", key, was, value)
		}
		h.fields[key] = value
		if key != "ElementDataFile" {
			continue
		}
		if words := strings.Fields(value); len(words) > 0 && words[0] == "LIST" {
			h.names, err = h.lines.Rest()
			return err
		}
		return nil
	}
}

// alias holds the other names of fields (metaObject.cxx, metaImage.cxx).
var alias = map[string]string{
	"Orientation": "TransformMatrix", "Rotation": "TransformMatrix",
	"Position": "Offset", "Origin": "Offset",
	"ElementByteOrderMSB": "BinaryDataByteOrderMSB",
}

// flag returns a field that is true or false. Like MetaIO, it decides by the first letter.
func (h *header) flag(key string, missing bool) (bool, error) {
	switch text := h.fields[key]; {
	case text == "":
		return missing, nil
	case strings.ContainsAny(text[:1], "Tt1"):
		return true, nil
	case strings.ContainsAny(text[:1], "Ff0"):
		return false, nil
	default:
		return false, fmt.Errorf("%s: %.20q is neither True nor False", key, text)
	}
}

// floats returns n numbers of a field.
func (h *header) floats(key string, n int) ([]float64, error) {
	words := strings.Fields(h.fields[key])
	if len(words) != n {
		return nil, fmt.Errorf("%s: %d numbers, want %d", key, len(words), n)
	}
	out := make([]float64, n)
	for i, word := range words {
		var err error
		if out[i], err = strconv.ParseFloat(word, 64); err != nil {
			return nil, fmt.Errorf("%s: %.20q is not a number", key, word)
		}
	}
	return out, nil
}

// whole returns a field that is a whole number of at least least, and whether the field is present.
func (h *header) whole(key string, least int64) (n int64, there bool, err error) {
	text, there := h.fields[key]
	if !there {
		return 0, false, nil
	}
	if n, err = strconv.ParseInt(text, 10, 64); err != nil || n < least {
		return 0, true, fmt.Errorf("%s: %.20q, want a number of at least %d", key, text, least)
	}
	return n, true, nil
}
