package yamlfile

import (
	"bytes"
	"fmt"
	"io"

	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"
)

// Bounds of a file. The longest real file, a scheme with all 1,300 labels of FreeSurfer's table, has 40 kB and 1,300
// lines. Without bounds a short text can need any amount of memory or time: aliases of aliases multiply, the
// library's parser is recursive, and the time of its lexer grows with the square of the number of lines in a text
// block.
const (
	maxBytes   = 128 << 10
	maxLines   = 4096
	maxLevels  = 32
	maxAliases = 16
)

// ErrTooLarge reports that a text has more bytes than a protocol or a scheme needs.
var ErrTooLarge = fmt.Errorf("larger than %d KiB, the limit of a protocol or label scheme", maxBytes>>10)

// ReadAll reads a text of at most 128 KiB. It returns ErrTooLarge for a longer text, or the error of the reader. It
// never reads more, so that an endless device does no harm.
func ReadAll(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	if err == nil && len(text) > maxBytes {
		err = ErrTooLarge
	}
	if err != nil {
		return nil, err
	}
	return text, nil
}

// checkBounds returns an error if the text exceeds one of the bounds.
func checkBounds(text []byte) error {
	if len(text) > maxBytes {
		return ErrTooLarge
	}
	// Lines end with LF, with CR, or on Windows with both.
	if n := max(bytes.Count(text, []byte{'\n'}), bytes.Count(text, []byte{'\r'})); n > maxLines {
		return fmt.Errorf("more than %d lines", maxLines)
	}
	aliases := 0
	var depth nesting
	for _, t := range lexer.Tokenize(string(text)) {
		if t.Type == token.AliasType {
			aliases++
		}
		if depth.add(t); depth.levels() > maxLevels {
			return problem(t, "more than %d levels of nesting", maxLevels)
		}
	}
	if aliases > maxAliases {
		return fmt.Errorf("%d aliases (*name), want at most %d", aliases, maxAliases)
	}
	return nil
}

// nesting tracks the depth of nested collections in a text.
type nesting struct {
	flow    int   // open brackets and braces
	columns []int // columns of the open collections in block style, increasing
	marks   int   // tags and anchors since the last other token, each a level of the parser
}

// levels returns an upper bound of the parser's depth of recursion.
func (n *nesting) levels() int { return n.flow + len(n.columns) + n.marks }

// add processes the next token. A collection in block style is another level only if it begins further to the right
// than the collection that contains it.
func (n *nesting) add(t *token.Token) {
	switch t.Type {
	case token.TagType, token.AnchorType:
		n.marks++
		return
	case token.SequenceStartType, token.MappingStartType:
		n.flow++
	case token.SequenceEndType, token.MappingEndType:
		n.flow = max(n.flow-1, 0)
	case token.SequenceEntryType, token.MappingKeyType:
		n.open(t.Position.Column)
	case token.MappingValueType:
		if key := t.Prev; key != nil && n.flow == 0 {
			n.open(key.Position.Column)
		}
	}
	n.marks = 0
}

// open records a collection in block style that begins in the column.
func (n *nesting) open(column int) {
	last := len(n.columns)
	for last > 0 && n.columns[last-1] >= column {
		last--
	}
	n.columns = append(n.columns[:last], column)
}
