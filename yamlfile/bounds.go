package yamlfile

import (
	"bytes"
	"fmt"
	"io"

	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"
)

// Bounds of a file. The longest real one, a scheme with all 1,300 labels of FreeSurfer's
// table, has 40 kB and 1,300 lines. Without bounds a short text can cost any amount of
// memory or time: aliases of aliases multiply, the library's parser calls itself at each level,
// and its lexer takes time that grows with the square of the lines of a text block.
const (
	mostBytes   = 128 << 10
	mostLines   = 4096
	mostLevels  = 32
	mostAliases = 16
)

// ErrTooLarge reports that a text has more bytes than a protocol or a scheme can need.
var ErrTooLarge = fmt.Errorf("larger than %d KiB, the limit of a protocol or label scheme", mostBytes>>10)

// ReadAll returns all of a text of at most 128 KiB. It reads no further, so that a
// device that never ends does no harm.
//
// Errors: ErrTooLarge, and those of the reader.
func ReadAll(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, mostBytes+1))
	if err == nil && len(text) > mostBytes {
		err = ErrTooLarge
	}
	if err != nil {
		return nil, err
	}
	return text, nil
}

// checkBounds returns an error when the text goes beyond one of the bounds.
func checkBounds(text []byte) error {
	if len(text) > mostBytes {
		return ErrTooLarge
	}
	// A line of Windows ends with both.
	if n := max(bytes.Count(text, []byte{'\n'}), bytes.Count(text, []byte{'\r'})); n > mostLines {
		return fmt.Errorf("more than %d lines", mostLines)
	}
	aliases := 0
	var depth nesting
	for _, t := range lexer.Tokenize(string(text)) {
		if t.Type == token.AliasType {
			aliases++
		}
		if depth.take(t); depth.levels() > mostLevels {
			return fmt.Errorf("line %d: more than %d levels of nesting", t.Position.Line, mostLevels)
		}
	}
	if aliases > mostAliases {
		return fmt.Errorf("%d aliases (*name), want at most %d", aliases, mostAliases)
	}
	return nil
}

// nesting follows how deep the collections of a text are nested.
type nesting struct {
	flow    int   // brackets and braces that are open
	columns []int // where the open collections in block style begin, increasing
	marks   int   // tags and anchors since the last other token, each a level of the parser
}

// levels is an upper bound of the parser's depth of recursion.
func (n *nesting) levels() int { return n.flow + len(n.columns) + n.marks }

// take follows one token. A collection in block style is one more level only where it
// begins further to the right than the one that holds it.
func (n *nesting) take(t *token.Token) {
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

// open notes a collection in block style that begins in the column.
func (n *nesting) open(column int) {
	last := len(n.columns)
	for last > 0 && n.columns[last-1] >= column {
		last--
	}
	n.columns = append(n.columns[:last], column)
}
